// SPDX-License-Identifier: GPL-2.0-only
/*
 * nomem.c - event of the table: the migration's next step finds no memory. Its
 * first allocation fails, then in the next try the second, and so on, until it
 * needs no more.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "failnth.h"
#include "table.h"

#define MOST	1000	/* allocations of a step */

/* the different outcomes of the tries, as text */
struct outcomes {
	char text[200];
};

static void add(struct outcomes *o, int err, unsigned int state)
{
	size_t len = strlen(o->text);
	char one[60];

	snprintf(one, sizeof(one), "%s, %s", errno_name(err), mig_name(state));
	if (strstr(o->text, one))
		return;
	len += snprintf(o->text + len, sizeof(o->text) - len, "%s%s",
			len ? " or " : "", one);
	check(len < sizeof(o->text), "too many different outcomes");
}

/*
 * One try. Return: whether something failed in it; @err is the step's result.
 * Copies from and to user memory are made to fail as well, which gives EFAULT
 * and does not concern the driver.
 */
static bool try(struct scene *s, unsigned int n, struct outcomes *o, int *err)
{
	unsigned int state;
	bool failed;

	failnth_arm(n);
	*err = s->st->next(s);
	failed = failnth_disarm();
	state = scene_state(s);
	s->arrived |= s->st->dest && state == MIG_RUNNING;
	/* the errno of a VF that was given up is not about memory */
	if (failed && s->st->mig != MIG_ERROR)
		check(!*err || *err == -ENOMEM || *err == -EFAULT,
		      "allocation %u fails: expected ENOMEM, got %s", n,
		      errno_name(*err));
	if (failed && *err == -ENOMEM)
		add(o, *err, state);
	return failed;
}

static void drop_fd(struct scene *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* the guest continues where it is, and the VF enters its state again */
static void again_at_source(struct scene *s)
{
	check(scene_state(s) != MIG_ERROR, "the VF is given up");
	must(vfio_mig_set(&s->dev, MIG_RUNNING, NULL));
	drop_fd(s);
	workload_burst(s->w, 4);
	s->st->enter(s);
	state_is(&s->dev, s->st->mig);
}

/*
 * Whatever was loaded must not run, or the guest would be in two places: it
 * continues where it is, and everything starts from the beginning.
 */
static void again_at_destination(struct scene *s)
{
	struct scene fresh = { .st = s->st, .fd = -1 };

	if (s->arrived) {
		must(nvme_rebind(&s->w->ctrl, &s->dev));
		workload_check(s->w);
	} else {
		must(vfio_reset(&s->dev));
		state_is(&s->dev, MIG_RUNNING);
		source_goes_on(s);
	}
	drop_fd(s);
	vfio_close(&s->dev);
	vfio_close(&s->src);
	workload_free(s->w);
	mig_stream_free(&s->s);
	*s = fresh;
	scene_open(s);
	s->st->enter(s);
	state_is(&s->dev, s->st->mig);
}

static void no_memory(struct scene *s)
{
	struct outcomes o = { "" };
	unsigned int n;
	int err;

	failnth_need();
	for (n = 1; try(s, n, &o, &err); n++) {
		check(n < MOST, "it never goes through");
		if (s->st->dest)
			again_at_destination(s);
		else
			again_at_source(s);
	}
	check(!err == (s->st->mig != MIG_ERROR), "with enough memory: %s",
	      errno_name(err));
	if (*o.text)
		say("next arc: %s, then ok", o.text);
	else
		say("nothing is allocated that cannot be done without");
	drop_fd(s);
	if (s->st->mig == MIG_ERROR)
		say_cure(s);
	else
		say_goes_on(s);
}

const struct table_event nomem_events[] = {
	{ .name = "allocation fails", .fn = no_memory, .host = TABLE_FAULTS },
	{ }
};
