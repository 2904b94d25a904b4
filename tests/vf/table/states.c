// SPDX-License-Identifier: GPL-2.0-only
/*
 * states.c - the rows of the table: how a VF gets into each state, and what a
 * migration would do there next.
 */
#include <errno.h>

#include "table.h"

static void enter(struct scene *s)
{
	must(vfio_mig_set(&s->dev, s->st->mig, &s->fd));
}

static void load(struct scene *s, size_t len)
{
	must(vfio_mig_set(&s->dev, MIG_RESUMING, &s->fd));
	must(mig_write(s->fd, s->s.data, len, 0));
	s->written = len;
}

static void half_loaded(struct scene *s)
{
	load(s, s->s.len / 2);
}

static void all_loaded(struct scene *s)
{
	load(s, s->s.len);
}

static void in_error(struct scene *s)
{
	half_loaded(s);
	check_eq(vfio_mig_set(&s->dev, MIG_STOP, NULL), -EINVAL,
		 "end of half a stream");
}

static int to_p2p(struct scene *s)
{
	return vfio_mig_set(&s->dev, MIG_RUNNING_P2P, NULL);
}

static int to_running(struct scene *s)
{
	return vfio_mig_set(&s->dev, MIG_RUNNING, NULL);
}

static int to_copy(struct scene *s)
{
	return vfio_mig_set(&s->dev, MIG_STOP_COPY, NULL);
}

static int to_pre_p2p(struct scene *s)
{
	return vfio_mig_set(&s->dev, MIG_PRE_COPY_P2P, NULL);
}

/* the rest of the stream, and its end */
static int load_rest(struct scene *s)
{
	int err = mig_write(s->fd, s->s.data + s->written,
			    s->s.len - s->written, 0);
	int end = vfio_mig_set(&s->dev, MIG_STOP, NULL);

	return err ? err : end;
}

const struct table_state table_states[] = {
	{ .name = "RUNNING", .mig = MIG_RUNNING,
	  .enter = enter, .next = to_p2p },
	{ .name = "RUNNING_P2P", .mig = MIG_RUNNING_P2P,
	  .needs = VFIO_MIGRATION_P2P, .enter = enter, .next = to_running },
	{ .name = "STOP", .mig = MIG_STOP,
	  .enter = enter, .next = to_copy },
	{ .name = "STOP_COPY", .mig = MIG_STOP_COPY,
	  .enter = enter, .next = to_running },
	{ .name = "PRE_COPY", .mig = MIG_PRE_COPY,
	  .needs = VFIO_MIGRATION_PRE_COPY,
	  .enter = enter, .next = to_pre_p2p },
	{ .name = "PRE_COPY_P2P", .mig = MIG_PRE_COPY_P2P,
	  .needs = VFIO_MIGRATION_PRE_COPY | VFIO_MIGRATION_P2P,
	  .enter = enter, .next = to_copy },
	{ .name = "RESUMING, half written", .mig = MIG_RESUMING, .dest = true,
	  .enter = half_loaded, .next = load_rest },
	{ .name = "RESUMING, all written", .mig = MIG_RESUMING, .dest = true,
	  .enter = all_loaded, .next = to_running },
	{ .name = "ERROR", .mig = MIG_ERROR, .dest = true,
	  .enter = in_error, .next = to_running },
	{ }
};
