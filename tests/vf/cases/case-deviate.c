// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-deviate.c - drives that do not do everything that the standard says, or
 * only the minimum: a migration may fail, but no guest is lost.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beside.h"
#include "cases.h"
#include "move.h"
#include "user.h"

/* as in lm-fail: internal error, may be retried, or not */
#define TRANSIENT	0x0006
#define FINAL		0x4006
#define DELAYED		0x0806		/* by CRDT1 */

/* how long the driver waits out refusals in an arc, and its first nap */
#define PATIENCE_US	500000
#define NAP_US		10000
#define COMMAND_US	10000
#define AFTER_FLR_US	20000	/* as long as a few commands */

enum command { SUSPEND, GET, SET, RESUME, COMMANDS };

static const struct {
	const char *name;
	unsigned int opc[2];
	int sel[2];
} command[COMMANDS] = {
	[SUSPEND] = { "Suspend", { 0x41, 0xc8 }, { 0, -1 } },
	[GET] = { "Get", { 0x42, 0xd2 }, { 0, -1 } },
	[SET] = { "Set", { 0x41, 0xd5 }, { 2, -1 } },
	[RESUME] = { "Resume", { 0x41, 0xcc }, { 1, -1 } },
};

/* the next @n such commands end with that status */
static void refuse(int pf, enum command c, unsigned int n, unsigned int status)
{
	char text[1000], sel[16] = "";
	size_t len = 0;
	unsigned int i;

	if (command[c].sel[bed.set] >= 0)
		snprintf(sel, sizeof(sel), "/%d", command[c].sel[bed.set]);
	for (i = 1; i <= n && len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - len,
				"%s0x%x%s@%u=0x%x", i > 1 ? "+" : "",
				command[c].opc[bed.set], sel, i, status);
	model_set(pf, "lm-fail=%s", text);
}

static long seen(int pf, enum command c)
{
	return model_count(pf, command[c].opc[bed.set], command[c].sel[bed.set]);
}

/* the arc to @state, with only that in its way */
static int timed(struct vfio_dev *dev, unsigned int state, uint64_t *us)
{
	uint64_t start = now_us();
	int err = vfio_mig_set(dev, state, NULL);

	*us = now_us() - start;
	return err;
}

/* the device never says that a VF is suspended: no state can be read */
static void never_suspended(const void *arg)
{
	bool precopy = *(const bool *)arg;
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	unsigned int i;
	uint64_t flags;

	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set does not say that");
	w = pair_busy(&a, &b);
	must(vfio_mig_flags(&a, &flags));
	if (precopy && !(flags & VFIO_MIGRATION_PRE_COPY))
		tap_skip("this kernel has no PRE_COPY");
	for (i = 0; i < 2; i++) {
		unsigned int from = precopy ? MIG_PRE_COPY_P2P : MIG_STOP;

		model_set(0, "lm-lie=csup-clear");
		if (precopy)
			must(vfio_mig_set(&a, MIG_PRE_COPY, NULL));
		must(vfio_mig_set(&a, from, NULL));
		check_eq(vfio_mig_set(&a, MIG_STOP_COPY, NULL), -EIO,
			 "a state that nobody vouches for");
		state_is(&a, from);
		must(vfio_mig_set(&a, MIG_RUNNING, NULL));
		workload_check(w);
		workload_event(w);
		workload_fill(w, 30);
	}
	model_set(0, "lm-lie=");
	move(w, &a, &b, &s, NULL);
	workload_check(w);
}

/* somebody else resumes the VF */
static void resume_behind(struct place at)
{
	const struct topo_pf *pf = &bed.pf[at.pf];
	struct pf_secondary list[TOPO_VFS];
	int i, n = pf_secondaries(pf->name, list, TOPO_VFS);

	for (i = 0; i < n; i++) {
		struct nvme_cmd cmd = {
			.opc = 0x41, .cdw10 = 1, .cdw11 = list[i].cntlid,
		};

		if (list[i].vfn == pf->vfn[at.vf]) {
			must(pf_cmd(pf->name, &cmd, NULL, 0, NULL));
			return;
		}
	}
	fail("%s: the VF is not listed", pf->name);
}

/* it has indeed been reset: the Resume says so then */
static void really_lost(const void *arg)
{
	struct vfio_dev a;

	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set does not say that");
	solo_open(&a, VF_A, NULL);
	must(mig_stop(&a, NULL));
	resume_behind(VF_A);
	check_eq(vfio_mig_set(&a, MIG_STOP_COPY, NULL), -EIO, "the state");
	state_is(&a, MIG_STOP);
	check_eq(vfio_mig_set(&a, MIG_RUNNING, NULL), -EIO, "Resume");
	state_is(&a, MIG_ERROR);
	must(vfio_reset(&a));
	alive(&a, VF_A);
}

/* each command is refused for a moment: the guest still moves, only later */
static void transient(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	one_command_each();
	w = pair_busy(&a, &b);
	model_zero(0);
	model_zero(1);
	refuse(0, SUSPEND, 3, TRANSIENT);
	must(mig_stop(&a, NULL));
	refuse(0, GET, 3, TRANSIENT);
	must(mig_save(&a, &s, NULL));
	check_eq(seen(0, SUSPEND), 4, "Suspend");
	check_eq(seen(0, GET), 4, "Get");

	refuse(1, SET, 3, TRANSIENT);
	must(mig_load(&b, &s, 0, NULL));
	check_eq(seen(1, SET), 4, "Set");
	refuse(1, RESUME, 3, TRANSIENT);
	must(mig_start(&b, NULL));
	check_eq(seen(1, RESUME), 4, "Resume");
	model_set(1, "lm-fail=");
	must(nvme_rebind(&w->ctrl, &b));
	workload_check(w);
	workload_event(w);
}

/* and so is each command of the way back */
static void transient_back(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a;
	struct workload *w;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	workload_fill(w, 30);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	refuse(0, RESUME, 3, TRANSIENT);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	if (bed.set == SET_VENDOR) {
		workload_fill(w, 30);
		must(mig_stop(&a, NULL));
		must(mig_save(&a, &s, NULL));
		refuse(0, SET, 3, TRANSIENT);
		must(vfio_mig_set(&a, MIG_RUNNING, NULL));
		workload_check(w);
	}
	workload_event(w);
}

/* a final refusal is not retried, an endless one not for ever */
static void not_transient(const void *arg)
{
	unsigned int c;
	struct vfio_dev a;
	struct workload *w;
	uint64_t us;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	workload_fill(w, 30);
	for (c = SUSPEND; c <= RESUME; c += RESUME) {
		unsigned int to = c == SUSPEND ? MIG_RUNNING_P2P : MIG_RUNNING;
		unsigned int from = c == SUSPEND ? MIG_RUNNING : MIG_RUNNING_P2P;

		model_zero(0);
		refuse(0, c, 1, FINAL);
		check_eq(vfio_mig_set(&a, to, NULL), -EIO, command[c].name);
		check_eq(seen(0, c), 1, command[c].name);
		state_is(&a, from);

		model_zero(0);
		refuse(0, c, 30, TRANSIENT);
		check_eq(timed(&a, to, &us), -EIO, command[c].name);
		tap_note("%s: %ld times in %llu us", command[c].name, seen(0, c),
			 (unsigned long long)us);
		check(seen(0, c) > 3, "%s was sent %ld times", command[c].name,
		      seen(0, c));
		check(seen(0, c) <= PATIENCE_US / NAP_US / 2,
		      "%s was sent %ld times", command[c].name, seen(0, c));
		check(us >= PATIENCE_US, "given up after %llu us",
		      (unsigned long long)us);
		state_is(&a, from);
		model_set(0, "lm-fail=");
		must(vfio_mig_set(&a, to, NULL));
	}
	workload_check(w);
	workload_event(w);
}

/* for as long as the device says, unless that is too long */
static void delayed(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	uint64_t us;

	(void)arg;
	model_set(0, "lm-crdt=2");
	w = solo_open(&a, VF_A, NULL);
	workload_fill(w, 30);
	model_zero(0);
	refuse(0, SUSPEND, 1, DELAYED);
	must(timed(&a, MIG_RUNNING_P2P, &us));
	check(us >= 200000, "tried again after %llu us", (unsigned long long)us);
	check_eq(seen(0, SUSPEND), 2, "Suspend");
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	vfio_close(&a);

	model_set(0, "lm-crdt=6");
	bed_open(&a, VF_A, &w->mem);
	model_zero(0);
	refuse(0, SUSPEND, 1, DELAYED);
	check_eq(vfio_mig_set(&a, MIG_RUNNING_P2P, NULL), -EIO, "Suspend");
	check_eq(seen(0, SUSPEND), 1, "Suspend");
	state_is(&a, MIG_RUNNING);
}

struct write {
	struct beside b;
	const struct mig_stream *s;
	int fd;
};

static int do_write(struct beside *b)
{
	struct write *w = (struct write *)b;

	return mig_write(w->fd, w->s->data, w->s->len, 0);
}

/* a drive that loads one VF at a time: the second waits for the first */
static void one_at_a_time(const void *arg)
{
	struct write wr = { 0 };
	struct mig_stream s = { 0 };
	struct vfio_dev a, b, c;
	struct workload *w;
	int fd;

	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set has no sequences");
	model_set(0, "lm-pad=%d", 600000);
	model_set(1, "lm-pad=%d", 600000);
	w = pair_open(&c, VF_C, &a, VF_A, NULL);
	bed_open(&b, VF_B, &w->mem);
	workload_fill(w, 30);
	must(mig_stop(&c, NULL));
	must(mig_save(&c, &s, NULL));

	model_set(0, "lm-sequences=1");
	must(vfio_mig_set(&a, MIG_RESUMING, &fd));
	must(mig_write(fd, s.data, s.len / 2, 0));
	must(vfio_mig_set(&b, MIG_RESUMING, &wr.fd));
	model_zero(0);
	wr.s = &s;
	beside_call(&wr.b, do_write);
	while (seen(0, SET) < 2)
		sleep_us(1000);
	must(vfio_reset(&a));
	must(beside_end(&wr.b));
	must(vfio_mig_set(&b, MIG_STOP, NULL));
	must(mig_start(&b, NULL));
	must(nvme_rebind(&w->ctrl, &b));
	workload_check(w);
	workload_event(w);
	close(wr.fd);
	close(fd);
}

/*
 * the device leaves out a part of the state: reported early, and the guest
 * stays
 */
static void part_left_out(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	uint64_t flags;

	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set's state has no parts");
	w = pair_busy(&a, &b);
	must(vfio_mig_flags(&a, &flags));
	model_set(0, "lm-empty-part=%s", (const char *)arg);
	if (flags & VFIO_MIGRATION_PRE_COPY) {
		check_eq(vfio_mig_set(&a, MIG_PRE_COPY, NULL), -EIO, "PRE_COPY");
		state_is(&a, MIG_RUNNING);
	}
	must(mig_stop(&a, NULL));
	check_eq(vfio_mig_set(&a, MIG_STOP_COPY, NULL), -EIO, "STOP_COPY");
	state_is(&a, MIG_STOP);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	workload_event(w);
	workload_fill(w, 30);
	model_set(0, "lm-empty-part=");
	move(w, &a, &b, &s, NULL);
	workload_check(w);
}

static uint32_t crc32c(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t crc = ~0u;
	int i;

	while (len--) {
		crc ^= *p++;
		for (i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* the header in front of each record of the stream */
struct record {
	uint16_t tag;
	uint16_t flags;
	uint32_t len;
	uint64_t offset;
	uint32_t payload_crc;
	uint32_t header_crc;
};

static void add_record(struct mig_stream *s, unsigned int tag, const void *data,
		       uint32_t len)
{
	struct record r = {
		.tag = tag, .flags = 1, .len = len,
		.payload_crc = crc32c(data, len),
	};

	r.header_crc = crc32c(&r, offsetof(struct record, header_crc));
	must(mig_stream_append(s, &r, sizeof(r)));
	must(mig_stream_append(s, data, len));
}

#define HEADER		48		/* of a state; lengths of its parts: */
#define NVME_LEN	16
#define VENDOR_LEN	32

/* the stream of a state without one of its parts, but otherwise complete */
static void without(const struct mig_stream *from, unsigned int part,
		    struct mig_stream *to)
{
	const uint8_t *at = from->data;
	struct record r;
	uint64_t nvme, len[2] = { 0 };
	uint32_t limit[4] = { 0 };
	uint8_t *state;

	/* all that comes before the size, which differs */
	for (memcpy(&r, at, sizeof(r)); r.tag != 2; memcpy(&r, at, sizeof(r))) {
		must(mig_stream_append(to, at, sizeof(r) + r.len));
		at += sizeof(r) + r.len;
	}
	at += sizeof(r) + r.len;
	memcpy(&r, at, sizeof(r));
	check(r.tag == 3 && !r.offset, "no data where they are expected");
	state = malloc(r.len);
	check(state, "no memory");
	memcpy(state, at + sizeof(r), r.len);
	memcpy(&nvme, state + NVME_LEN, sizeof(nvme));
	nvme *= 4;
	memset(state + part, 0, 16);
	len[0] = HEADER + nvme;
	if (part == NVME_LEN) {
		len[0] = r.len - nvme;
		memmove(state + HEADER, state + HEADER + nvme, len[0] - HEADER);
	}
	len[1] = 1;
	limit[0] = limit[2] = len[0];
	add_record(to, 2, limit, 16);
	add_record(to, 3, state, len[0]);
	add_record(to, 4, len, sizeof(len));
	free(state);
}

/* and a stream without the part is refused before the device gets any of it */
static void part_cut_off(const void *arg)
{
	struct mig_stream good = { 0 }, bad = { 0 };
	unsigned int part = *(const unsigned int *)arg;
	struct vfio_dev a, b;
	struct workload *w;

	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set's state has no parts");
	w = pair_busy(&a, &b);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &good, NULL));
	without(&good, part, &bad);
	model_set(1, "lm-empty-part=%s", part == NVME_LEN ? "nvme" : "vendor");
	model_zero(1);
	check_eq(mig_load(&b, &bad, 0, NULL), -EINVAL, "a state without a part");
	check_eq(seen(1, SET), 0, "Set");
	must(vfio_reset(&b));
	must(vfio_irq_enable(&b, b.nefd));
	model_set(1, "lm-empty-part=");
	move_load(w, &b, &good, NULL);
	workload_check(w);
	workload_event(w);
}

static void need_pieces(void)
{
	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set moves a state as a whole");
}

/* VF_C has received half of the state of VF_A, which still has it */
static struct workload *half_loaded(struct vfio_dev *a, struct vfio_dev *b,
				    struct mig_stream *s, int *fd)
{
	struct workload *w;

	need_pieces();
	/* half of it is more than any command carries here */
	model_set(0, "lm-pad=%d", 1300000);
	model_set(1, "lm-pad=%d\nlm-half-stays=on", 1300000);
	w = pair_busy(a, b);
	must(mig_stop(a, NULL));
	must(mig_save(a, s, NULL));
	must(vfio_mig_set(b, MIG_RESUMING, fd));
	must(mig_write(*fd, s->data, s->len / 2, 0));
	check(model_vf_num(VF_C, ".uncommitted"), "nothing was loaded");
	return w;
}

/* can VF_C be stopped and resumed, and then move? */
static void as_new(struct workload *w, struct vfio_dev *a, struct vfio_dev *b,
		   struct mig_stream *s)
{
	struct workload *v = workload_new();

	must(vfio_mig_set(b, MIG_STOP, NULL));
	must(vfio_mig_set(b, MIG_RUNNING, NULL));
	vfio_close(b);
	bed_open(b, VF_C, &v->mem);
	workload_start(v, b, &(const struct workload_opts){ .skip = UNITS });
	workload_fill(v, 20);
	must(mig_stop(b, NULL));
	must(vfio_mig_set(b, MIG_RUNNING, NULL));
	workload_check(v);
	vfio_close(b);
	(void)a;
	bed_open(b, VF_C, &w->mem);
	move_load(w, b, s, NULL);
	workload_check(w);
	workload_event(w);
}

/* half a state survives a reset: the next user finds none of it */
static void half_closed(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int fd;

	(void)arg;
	w = half_loaded(&a, &b, &s, &fd);
	close(fd);
	vfio_close(&b);
	check(!model_vf_num(VF_C, ".uncommitted"), "half a state is left");
	bed_open(&b, VF_C, &w->mem);
	as_new(w, &a, &b, &s);
}

static void half_load(void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a;
	int fd;

	half_loaded(&a, arg, &s, &fd);
	model_set(1, "lm-command-us=%d", COMMAND_US);
}

/* a user that is killed while it closes the VF does not keep it from the rest */
static void half_killed(const void *arg)
{
	struct vfio_dev b;
	pid_t pid;

	(void)arg;
	need_pieces();
	pid = user_start(half_load, user_closes, &b);
	model_await(VF_C, "running");
	sleep_us(AFTER_FLR_US);
	user_kill(pid);
	check(!model_vf_num(VF_C, ".uncommitted"), "half a state is left");
	model_set(1, "lm-command-us=0");
	alive(&b, VF_C);
}

/* and neither does the same one after a reset */
static void half_reset(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int fd;

	(void)arg;
	w = half_loaded(&a, &b, &s, &fd);
	must(vfio_reset(&b));
	check(!model_vf_num(VF_C, ".uncommitted"), "half a state is left");
	state_is(&b, MIG_RUNNING);
	close(fd);
	as_new(w, &a, &b, &s);
}

/* it cannot be removed for now: nobody else gets the VF until later */
static void half_refused(const void *arg)
{
	const char *bdf = bed.pf[1].vf[0];
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	unsigned int tries;
	int fd, err;

	(void)arg;
	w = half_loaded(&a, &b, &s, &fd);
	close(fd);
	refuse(1, GET, 30, FINAL);
	vfio_close(&b);
	check_eq(vfio_open(&b, bdf), -EBUSY, "open");
	model_set(1, "lm-fail=");
	for (tries = 0; (err = vfio_open(&b, bdf)) == -EBUSY && tries < 50; tries++)
		sleep_us(100000);
	must(err);
	vfio_close(&b);
	check(!model_vf_num(VF_C, ".uncommitted"), "half a state is left");
	bed_open(&b, VF_C, &w->mem);
	as_new(w, &a, &b, &s);
}

const struct tap_case deviate_cases[] = {
	{ .name = "a drive that never says suspended loses no guest",
	  .fn = never_suspended, .arg = &(const bool){ false }, .quick = true,
	  .log = "does not confirm" },
	{ .name = "a drive that never says suspended, from PRE_COPY",
	  .fn = never_suspended, .arg = &(const bool){ true },
	  .log = "does not confirm" },
	{ .name = "a VF that was reset is found lost by Resume",
	  .fn = really_lost, .log = "behind the migration's back" },
	{ .name = "transient refusals are waited out", .fn = transient,
	  .quick = true },
	{ .name = "transient refusals on the way back are waited out",
	  .fn = transient_back },
	{ .name = "final and lasting refusals are not waited out",
	  .fn = not_transient, .log = "failed with status" },
	{ .name = "a retry waits as long as the drive says", .fn = delayed,
	  .log = "failed with status" },
	{ .name = "a drive that loads one VF at a time", .fn = one_at_a_time },
	{ .name = "half a state that outlives a reset, device closed",
	  .fn = half_closed, .log = "has been removed" },
	{ .name = "half a state that outlives a reset, user killed",
	  .fn = half_killed, .log = "has been removed" },
	{ .name = "half a state that outlives a reset, same user",
	  .fn = half_reset, .log = "has been removed" },
	{ .name = "half a state that cannot be taken out for now",
	  .fn = half_refused, .log = "is left in the VF" },
	{ .name = "a state without its NVMe part is refused",
	  .fn = part_left_out, .arg = "nvme", .log = "lacks the NVMe part" },
	{ .name = "a state without its vendor part is refused",
	  .fn = part_left_out, .arg = "vendor",
	  .log = "lacks the vendor's part" },
	{ .name = "a stream without the NVMe part is not loaded",
	  .fn = part_cut_off, .arg = &(const unsigned int){ NVME_LEN },
	  .log = "lacks the NVMe part" },
	{ .name = "a stream without the vendor part is not loaded",
	  .fn = part_cut_off, .arg = &(const unsigned int){ VENDOR_LEN },
	  .log = "lacks the vendor's part" },
	{ }
};
