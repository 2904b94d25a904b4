// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules_state.c - Get and Set: what a state is, and what is refused.
 */
#include <endian.h>
#include <string.h>

#include "cert.h"

#define HEADER		48
#define FIRST		1
#define LAST		2
#define SMALL		512	/* bytes of a needlessly small piece */
#define STEP		60	/* of a piece to read */

static struct workload *suspended(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);

	workload_fill(w, 20);
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend");
	return w;
}

static void go_on(struct cert *c, struct workload *w)
{
	cert_is(c, cert_resume_vf(c, 0), 0, "Resume");
	workload_check(w);
}

static unsigned int version(const struct cert *c)
{
	return c->format.index.version;
}

static unsigned int uuid(const struct cert *c)
{
	return c->format.index.uuid;
}

static int get(struct cert *c, uint64_t offset, void *data, uint32_t len)
{
	return cert_get(c, c->vf[0].cntlid, version(c), uuid(c), offset, data, len, NULL);
}

static int set(struct cert *c, unsigned int seq, uint64_t offset, void *data, uint32_t len)
{
	return cert_set(c, c->vf[0].cntlid, version(c), uuid(c), seq, offset, data, len);
}

/* Up to the vendor's part, which may contain the time. */
static size_t nvme_part(const struct cert_state *s)
{
	uint64_t dwords;

	memcpy(&dwords, s->data + 16, sizeof(dwords));
	return HEADER + 4 * le64toh(dwords);
}

static void stable(struct cert *c)
{
	struct workload *w = suspended(c);
	struct cert_state a, b;

	cert_save(c, 0, &a);
	cert_save(c, 0, &b);
	check(a.len == b.len, "the state has %zu bytes, but %zu when it is read again", a.len,
			b.len);
	check(!memcmp(a.data, b.data, nvme_part(&a)),
	      "the NVMe part of a suspended VF's state differs when it is read again");
	go_on(c, w);
}

static void while_running(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);
	uint8_t *head = cert_buf(CERT_PAGE);
	bool csup;

	cert_is(c, cert_get(c, c->vf[0].cntlid, version(c), uuid(c), 0, head, HEADER, &csup), 0,
			"Get of a running VF");
	check(!csup && !(head[2] & 1), "Get of a running VF says that it was suspended");
	workload_burst(w, 1);
	workload_check(w);
}

/* in any pieces */
static void pieces(struct cert *c)
{
	struct workload *w = suspended(c);
	struct cert_state s;
	uint8_t *piece = cert_buf(CERT_PAGE);
	size_t at;

	cert_save(c, 0, &s);
	for (at = 0; at < nvme_part(&s); at += STEP) {
		uint32_t n = nvme_part(&s) - at < STEP ? nvme_part(&s) - at : STEP;

		cert_is(c, get(c, at, piece, n), 0, "Get of a small piece");
		check(!memcmp(piece, s.data + at, n),
				"%u bytes at %zu differ from those read in larger pieces", n, at);
	}
	go_on(c, w);
}

static void get_operands(struct cert *c)
{
	struct workload *w = suspended(c);
	uint8_t *page = cert_buf(CERT_PAGE);
	unsigned int id = c->vf[0].cntlid;
	struct cert_state s;

	cert_save(c, 0, &s);
	cert_refused(c, cert_get(c, 0xfff0, version(c), uuid(c), 0, page, HEADER, NULL),
			CERT_INVALID_CTRL,
		     "Get of a controller that does not exist");
	cert_refused(c, cert_get(c, id, c->formats[0] + 1, uuid(c), 0, page, HEADER, NULL),
			CERT_INVALID_FIELD,
		     "Get of a version that is not listed");
	cert_refused(c, cert_get(c, id, version(c), c->formats[1] + 1, 0, page, HEADER, NULL),
			CERT_INVALID_FIELD,
		     "Get of a UUID that is not listed");
	cert_refused(c, get(c, 2, page, HEADER), CERT_INVALID_FIELD,
		     "Get from an offset between dwords");
	cert_refused(c, get(c, s.len + 4, page, HEADER), CERT_INVALID_FIELD,
			"Get beyond the end");
	cert_refused(c, get(c, 1ULL << 40, page, HEADER), CERT_INVALID_FIELD,
			"Get far beyond the end");
	go_on(c, w);
}

/* Its own state is as good as any: the VF is as it was. */
static void own_state(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);

	workload_fill(w, 40);
	cert_move(c, w, 0, 0);
	workload_check(w);
	workload_event(w);
}

static void moves(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, NULL);

	cert_open(c, 1, w);
	workload_fill(w, 40);
	cert_move(c, w, 0, 1);
	workload_check(w);
	workload_event(w);
	workload_fill(w, 40);
	cert_move(c, w, 1, 0);
	workload_check(w);
	workload_event(w);
}

static void moves_full(struct cert *c)
{
	struct workload *w = cert_guest(c, 0, &(struct workload_opts){ .cq_size = 4 });

	cert_open(c, 1, w);
	workload_stuff(w, 12);
	if (cert_suspend_full(c, 0, w)) {
		cert_is(c, cert_resume_vf(c, 0), 0, "Resume");
		expect_missing("Suspend waits until the guest takes its completions, so no state has any left");
	}
	cert_move_on(c, w, 0, 1);
	workload_check(w);
}

/* a guest may be stopped for long before it continues where it was */
static void stays(struct cert *c)
{
	struct workload *w = suspended(c);
	struct cert_state s;

	cert_save(c, 0, &s);
	if (c->set == CERT_VENDOR)
		cert_load(c, 0, &s, 0);
	go_on(c, w);
	workload_event(w);
}

/* The destination: a VF that was reset, is suspended, and holds nothing yet. */
static void destination(struct cert *c, struct cert_state *s)
{
	suspended(c);
	cert_save(c, 0, s);
	check(!vfio_reset(&c->dev[0]), "%s", lib_msg());
	cert_is(c, cert_suspend_vf(c, 0), 0, "Suspend");
}

/* As many bytes as one command carries, but not the whole state. */
static uint32_t half_of(const struct cert *c, const struct cert_state *s)
{
	return s->len / 2 < c->step ? s->len / 2 & ~3u : c->step;
}

static void small_pieces(struct cert *c)
{
	struct cert_state s, again;

	destination(c, &s);
	cert_load(c, 0, &s, s.len > 65536 ? 4096 : SMALL);
	cert_save(c, 0, &again);
	check(s.len == again.len && !memcmp(s.data, again.data, nvme_part(&s)),
	      "a state loaded in small pieces differs when it is read back");
}

static void order(struct cert *c)
{
	struct cert_state s;
	uint32_t half;

	destination(c, &s);
	half = half_of(c, &s);
	cert_refused(c, set(c, LAST, 0, s.data, half), CERT_SEQUENCE,
			"Set of a last piece without a first one");
	cert_refused(c, set(c, 0, 0, s.data, half), CERT_SEQUENCE,
			"Set of a middle piece without a first one");
	cert_load(c, 0, &s, 0);
}

/*
 * A dword after the first piece: it may be missed at once, or with the last
 * piece.
 */
static void gap(struct cert *c)
{
	struct cert_state s;
	uint32_t n, step;
	size_t at;
	int ret = 0;

	destination(c, &s);
	step = half_of(c, &s);
	cert_is(c, set(c, FIRST, 0, s.data, step), 0, "Set of the first piece");
	for (at = step + 4; !ret && at < s.len; at += n) {
		n = s.len - at < step ? s.len - at : step;
		ret = set(c, at + n == s.len ? LAST : 0, at, s.data + at, n);
	}
	cert_refused(c, ret, 0, "Set of the rest without one dword");
	cert_load(c, 0, &s, 0);
}

static void half_runs_not(struct cert *c)
{
	struct cert_state s;
	uint32_t half;

	destination(c, &s);
	half = half_of(c, &s);
	cert_is(c, set(c, FIRST, 0, s.data, half), 0, "Set of the first half");
	cert_refused(c, cert_resume_vf(c, 0), CERT_SEQUENCE, "Resume with half a state");
	cert_load(c, 0, &s, 0);
	cert_is(c, cert_resume_vf(c, 0), 0, "Resume after half a state, then a whole one");
}

static void half_reset(struct cert *c)
{
	struct cert_state s;
	uint32_t half;

	destination(c, &s);
	half = half_of(c, &s);
	cert_is(c, set(c, FIRST, 0, s.data, half), 0, "Set of the first half");
	cert_works(c, 0);
}

static void corrupt(struct cert *c)
{
	struct cert_state s;
	uint64_t huge = 1ULL << 61;

	destination(c, &s);
	memcpy(s.data + 16, &huge, sizeof(huge));
	cert_refused(c, set(c, s.len <= c->step ? FIRST | LAST : FIRST, 0, s.data,
			s.len < c->step ? s.len : c->step), 0,
		     "Set of a state with a length of 2^61 dwords");
	memset(s.data, 0xff, HEADER);
	cert_refused(c, set(c, s.len <= c->step ? FIRST | LAST : FIRST, 0, s.data,
			s.len < c->step ? s.len : c->step), 0,
		     "Set of a state whose header is all ones");
	cert_works(c, 0);
}

static void set_operands(struct cert *c)
{
	unsigned int id = c->vf[0].cntlid;
	struct cert_state s;
	uint32_t n;

	destination(c, &s);
	n = s.len < c->step ? s.len : c->step;
	cert_refused(c, cert_set(c, 0xfff0, version(c), uuid(c), FIRST, 0, s.data, n),
			CERT_INVALID_CTRL,
		     "Set of a controller that does not exist");
	cert_refused(c, cert_set(c, id, c->formats[0] + 1, uuid(c), FIRST, 0, s.data, n),
			CERT_INVALID_FIELD,
		     "Set of a version that is not listed");
	cert_refused(c, cert_set(c, id, version(c), c->formats[1] + 1, FIRST, 0, s.data, n),
			CERT_INVALID_FIELD,
		     "Set of a UUID that is not listed");
	cert_load(c, 0, &s, 0);
}

const struct cert_rule cert_state[] = {
	{ "state-stable", "a suspended VF's state stays the same",
			"Migration Receive, Get Controller State",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, stable },
	{ "state-running", "Get of a running VF says that it runs", "Migration Receive, CSUP",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, while_running },
	{ "state-pieces", "a state is the same in pieces of any size",
			"Migration Receive, Get Controller State",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, pieces },
	{ "state-get-operands", "Get refuses what does not exist", "Migration Receive",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, get_operands },
	{ "state-stays", "a guest whose state was read can continue", "Migration Receive",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, stays },
	{ "state-own", "a VF can load its own state", "Migration Send, Set Controller State",
	  CERT_MUST, CERT_BOTH | CERT_VF, 0, own_state },
	{ "state-moves", "a state moves to another VF and back", "Migration Send, Set Controller State",
	  CERT_MUST, CERT_BOTH | CERT_TWO, 0, moves },
	{ "state-moves-full", "a state moves with completions that found no room",
			"Migration Send, Set Controller State",
	  CERT_MUST, CERT_BOTH | CERT_TWO, 0, moves_full },
	{ "state-small-pieces", "a state can be loaded in small pieces",
			"Migration Send, Set Controller State",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, small_pieces },
	{ "state-order", "a piece without a first one is refused", "Migration Send, SEQIND",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, order },
	{ "state-gap", "a state with a gap is refused", "Migration Send, Set Controller State",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, gap },
	{ "state-half", "a VF with half a state cannot be resumed", "Migration Send, Resume",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, half_runs_not },
	{ "state-half-reset", "a VF with half a state works after a reset", "-",
	  CERT_SHOULD, CERT_STANDARD | CERT_VF, 0, half_reset },
	{ "state-corrupt", "a state that makes no sense is refused and does no harm",
			"Migration Send, Set Controller State",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, corrupt },
	{ "state-set-operands", "Set refuses what does not exist", "Migration Send",
	  CERT_MUST, CERT_STANDARD | CERT_VF, 0, set_operands },
	{ }
};
