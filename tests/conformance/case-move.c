// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-move.c - migrations: a device onto itself, one onto another and back.
 */
#include <errno.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

static void onto_itself(const void *arg)
{
	struct stream s = { 0 };
	unsigned int i;
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	for (i = 0; i < 5; i++) {
		save(&d, &s);
		/* the path of a destination: straight from where it is */
		load(&d, &s, i % 2 ? 100 : 0);
		go(&d, ST_RUNNING);
	}
}

/* both ends of a migration; afterwards the source is good for another guest */
static void move(struct dev *from, struct dev *to, size_t seg)
{
	struct stream s = { 0 };

	save(from, &s);
	load(to, &s, seg);
	go(to, ST_RUNNING);
	reset(from);
	state_is(from, ST_RUNNING);
	stream_free(&s);
}

static void there_and_back(const void *arg)
{
	struct dev a, b;
	unsigned int i;

	(void)arg;
	dev_open(&a, 0);
	dev_open(&b, 1);
	for (i = 0; i < 3; i++) {
		move(&a, &b, 0);
		move(&b, &a, 511);
	}
	whole_cycle(&a);
	whole_cycle(&b);
}

/* as the bytes come from a network, in pieces */
static void piece_by_piece(const void *arg)
{
	struct stream s = { 0 };
	struct dev a, b;
	int from, to;
	ssize_t n;

	(void)arg;
	dev_open(&a, 0);
	dev_open(&b, 1);
	from = go_fd(&a, ST_STOP_COPY);
	to = go_fd(&b, ST_RESUMING);
	for (;;) {
		s.len = 0;
		n = read_some(from, &s, 97);
		check(n >= 0, "read(): %s", errname(n));
		if (!n)
			break;
		check_err(write_some(to, s.data, n, 41), 0, "write()");
	}
	go(&b, ST_STOP);
	go(&b, ST_RUNNING);
	whole_cycle(&b);
}

static void source_goes_on(const void *arg)
{
	struct stream s = { 0 };
	struct dev a, b;
	int to;

	(void)arg;
	dev_open(&a, 0);
	dev_open(&b, 1);
	save(&a, &s);
	to = go_fd(&b, ST_RESUMING);
	check_err(write_some(to, s.data, s.len / 2, 0), 0, "write()");
	/*
	 * the migration is cancelled: the source runs, the destination resets
	 */
	go(&a, ST_RUNNING);
	reset(&b);
	session_is_dead(to, false);
	whole_cycle(&a);
	whole_cycle(&b);
	move(&a, &b, 0);
}

/* a stream stands on its own: the source may be gone */
static void source_closed(const void *arg)
{
	struct stream s = { 0 };
	struct dev a, b;

	(void)arg;
	dev_open(&a, 0);
	save(&a, &s);
	dev_close(&a);
	dev_open(&b, 1);
	loads(&b, &s);
	whole_cycle(&b);
	dev_open(&a, 0);
	state_is(&a, ST_RUNNING);
	loads(&a, &s);
}

/* states and sessions of two devices are independent */
static void side_by_side(const void *arg)
{
	struct stream sa = { 0 }, sb = { 0 };
	struct dev a, b;
	int fa, fb;

	(void)arg;
	dev_open(&a, 0);
	dev_open(&b, 1);
	fa = go_fd(&a, ST_STOP_COPY);
	state_is(&b, ST_RUNNING);
	fb = go_fd(&b, ST_STOP_COPY);
	read_some(fa, &sa, 50);
	read_to_end(fb, &sb, 0);
	reset(&b);
	session_is_dead(fb, true);
	state_is(&a, ST_STOP_COPY);
	read_to_end(fa, &sa, 0);
	go(&a, ST_STOP);
	loads(&b, &sa);
	loads(&a, &sb);
}

const struct tap_case move_cases[] = {
	{ .name = "move: a device onto itself", .fn = onto_itself },
	{ .name = "move: onto the other and back", .fn = there_and_back,
	  .needs = NEED_PAIR | NEED_RESET },
	{ .name = "move: piece by piece", .fn = piece_by_piece,
	  .needs = NEED_PAIR },
	{ .name = "move: given up, the source goes on", .fn = source_goes_on,
	  .needs = NEED_PAIR | NEED_RESET },
	{ .name = "move: source closed before its stream is loaded",
	  .fn = source_closed, .needs = NEED_PAIR },
	{ .name = "move: two devices side by side", .fn = side_by_side,
	  .needs = NEED_PAIR | NEED_RESET },
	{ }
};
