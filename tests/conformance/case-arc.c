// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-arc.c - every transition from every state to every state, and to numbers
 * that are not states.
 *
 * Each case takes a device to the first state, uses the session it may have
 * there, asks for the second, and checks what the uAPI says about it: whether
 * it works, the state afterwards, whether a new data fd comes, whether the old
 * one goes on or ends. Then the device must still be good for a migration.
 */
#include <errno.h>
#include <stdio.h>

#include "cases.h"
#include "mig.h"

struct arc {
	unsigned int from, to;
};

/*
 * numbers that are not states: the first free one, and those that errors of
 * sign may confuse
 */
static const unsigned int no_state[] = { ST_NR, ST_NR + 1, 255, 0x7fffffff, ~0U };

#define N_TO		(ST_NR + 1)

/**
 * struct begun - a device in the first state of an arc
 * @fd: of the session of that state, -1 = it has none
 * @s: what has been read in this session
 * @whole: a complete stream of this device, where one is needed
 * @written: in RESUMING: how much of @whole
 */
struct begun {
	struct dev d;
	int fd;
	struct stream s, whole;
	size_t written;
};

static void begin(struct begun *b, const struct arc *arc)
{
	*b = (struct begun) { .fd = -1 };
	dev_open(&b->d, 0);
	if (arc->from == ST_RESUMING || arc->to == ST_RESUMING)
		own_stream(&b->d, &b->whole);
	switch (arc->from) {
	case ST_ERROR:
		make_error(&b->d);
		break;
	case ST_RUNNING:
		break;
	case ST_RESUMING:
		b->fd = go_fd(&b->d, ST_RESUMING);
		/* all of it if the state will be left, half if not */
		b->written = arc_allowed(arc->from, arc->to) &&
			     arc->to != ST_RESUMING ?
			     b->whole.len : b->whole.len / 2;
		check_err(write_some(b->fd, b->whole.data, b->written, 0), 0,
			  "write() of a good stream");
		break;
	case ST_STOP_COPY:
	case ST_PRE_COPY:
	case ST_PRE_COPY_P2P:
		b->fd = go_fd(&b->d, arc->from);
		check(read_some(b->fd, &b->s, 11) > 0,
		      "nothing to read at the start of %s", st_name(arc->from));
		break;
	default:
		go(&b->d, arc->from);
	}
}

static void finish_saving(struct begun *b, int fd, unsigned int state,
			  struct stream *s)
{
	if (state != ST_STOP_COPY)
		go(&b->d, ST_STOP_COPY);
	read_to_end(fd, s, 0);
	go(&b->d, ST_STOP);
	session_is_dead(fd, true);
	loads(&b->d, s);
}

static void finish_resuming(struct begun *b, int fd, size_t written)
{
	check_err(write_some(fd, b->whole.data + written,
			     b->whole.len - written, 0), 0,
		  "write() of the rest of a good stream");
	go(&b->d, ST_STOP);
	session_is_dead(fd, false);
}

/* the session of the first state must have gone on */
static void finish_session(struct begun *b, unsigned int state)
{
	if (state == ST_RESUMING)
		finish_resuming(b, b->fd, b->written);
	else
		finish_saving(b, b->fd, state, &b->s);
}

static void use_new_fd(struct begun *b, unsigned int to, int fd)
{
	struct stream s = { 0 };

	if (to == ST_RESUMING) {
		finish_resuming(b, fd, 0);
		return;
	}
	check(read_some(fd, &s, 0) > 0, "nothing to read at the start of %s",
	      st_name(to));
	finish_saving(b, fd, to, &s);
}

static void refused(struct begun *b, unsigned int from, unsigned int to)
{
	bool blocked = from == ST_STOP_COPY && st_pre_copy(to) &&
		       st_supported(to);
	int fd, err;

	err = mig_set(&b->d, to, &fd);
	check(err, "%s -> %s (%u) succeeded", st_name(from), st_name(to), to);
	/* the uAPI says that these fail, but not with which errno */
	if (!blocked && from != ST_ERROR)
		check_err(err, -EINVAL, "%s -> %s (%u)", st_name(from),
			  st_name(to), to);
	state_is(&b->d, from);
}

static void arc_case(const void *arg)
{
	const struct arc *arc = arg;
	unsigned int i, before;
	struct begun b;
	int fd;

	begin(&b, arc);
	state_is(&b.d, arc->from);
	if (!arc_allowed(arc->from, arc->to)) {
		if (arc->to < ST_NR) {
			refused(&b, arc->from, arc->to);
		} else {
			for (i = 0; i < ARRAY_SIZE(no_state); i++)
				refused(&b, arc->from, no_state[i]);
		}
		if (b.fd >= 0)
			finish_session(&b, arc->from);
		if (arc->from == ST_ERROR)
			reset(&b.d);
		go(&b.d, ST_RUNNING);
		whole_cycle(&b.d);
		return;
	}

	before = count_fds();
	check_err(mig_set(&b.d, arc->to, &fd), 0, "%s -> %s",
		  st_name(arc->from), st_name(arc->to));
	state_is(&b.d, arc->to);
	if (arc_gives_fd(arc->from, arc->to))
		check(fd >= 0, "no data fd came");
	else
		check(fd < 0, "a data fd came that must not");
	check(count_fds() == before + (fd >= 0),
	      "there were %u fds, now there are %u", before, count_fds());

	if (b.fd >= 0 && arc_keeps_session(arc->from, arc->to)) {
		finish_session(&b, arc->to);
	} else if (b.fd >= 0) {
		session_is_dead(b.fd, arc->from != ST_RESUMING);
		if (fd >= 0)
			use_new_fd(&b, arc->to, fd);
		session_is_dead(b.fd, arc->from != ST_RESUMING);
	} else if (fd >= 0) {
		use_new_fd(&b, arc->to, fd);
	}
	go(&b.d, ST_RUNNING);
	whole_cycle(&b.d);
}

static unsigned int needs_of(unsigned int state)
{
	switch (state) {
	case ST_ERROR:
		return NEED_RESET;
	case ST_RUNNING_P2P:
		return NEED_P2P;
	case ST_PRE_COPY:
		return NEED_PRE_COPY;
	case ST_PRE_COPY_P2P:
		return NEED_PRE_COPY | NEED_P2P;
	}
	return 0;
}

#define MAX_ARCS	(ST_NR * N_TO)

static struct arc arcs[MAX_ARCS];
static char names[MAX_ARCS][48];

/* all arcs, or those that the core of some kernels never returns from */
static void make(struct tap_case *list, bool blocked)
{
	unsigned int from, to;

	for (from = 0; from < ST_NR; from++) {
		for (to = 0; to < N_TO; to++) {
			unsigned int i = from * N_TO + to;

			if ((from == ST_STOP_COPY && st_pre_copy(to)) != blocked)
				continue;
			arcs[i] = (struct arc) { from, to };
			snprintf(names[i], sizeof(names[i]), "arc: %s -> %s",
				 st_name(from), to < ST_NR ? st_name(to) :
				 "numbers that are no states");
			*list++ = (struct tap_case) {
				.name = names[i], .fn = arc_case,
				.arg = &arcs[i], .needs = needs_of(from),
			};
		}
	}
}

const struct tap_case *arc_cases(void)
{
	static struct tap_case list[MAX_ARCS + 1];

	if (!list[0].fn)
		make(list, false);
	return list;
}

const struct tap_case *blocked_cases(void)
{
	static struct tap_case list[MAX_ARCS + 1];

	if (!list[0].fn)
		make(list, true);
	return list;
}
