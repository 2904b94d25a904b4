// SPDX-License-Identifier: GPL-2.0-only
/*
 * table.c - the table of states and events: cells as cases, and what all events
 * observe in the same way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "table.h"

#define MAX_CELLS	256

struct cell {
	const struct table_state *st;
	const struct table_event *ev;
};

static const struct table_event * const lists[] = {
	reset_events, race_events, pf_events, gone_events, bus_events,
	move_events, life_events, nomem_events,
};

static char text[512];

void say(const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list ap;

	if (len)
		len += snprintf(text + len, sizeof(text) - len, ", ");
	va_start(ap, fmt);
	len += vsnprintf(text + len, sizeof(text) - len, fmt, ap);
	va_end(ap);
	check(len < sizeof(text), "the cell's text is too long");
}

const char *errno_name(int err)
{
	const char *name = strerrorname_np(-err);

	return err ? name ? name : "an unknown errno" : "ok";
}

unsigned int scene_state(struct scene *s)
{
	unsigned int state;

	must(vfio_mig_get(&s->dev, &state));
	check(state < MIG_NR, "state %u does not exist", state);
	return state;
}

void say_state(struct scene *s)
{
	say("%s", mig_name(scene_state(s)));
}

int fd_errno(int fd, bool dest)
{
	char byte = 0;
	ssize_t n = dest ? write(fd, &byte, 1) : read(fd, &byte, 1);

	return n < 0 ? errno : 0;
}

void say_fd(struct scene *s)
{
	int err;

	if (s->fd < 0)
		return;
	err = fd_errno(s->fd, s->st->dest);
	close(s->fd);
	s->fd = -1;
	if (err == ENODEV)
		say("data fd dead");
	else
		say("data fd: %s", errno_name(-err));
}

/* an error must be a sensible one, and ERROR must last */
static void judge(struct scene *s, int err)
{
	check(!err || err == -EAGAIN || sane_errno(err),
	      "expected a sensible errno, got %d", err);
	if (scene_state(s) != MIG_ERROR)
		return;
	check_eq(vfio_mig_set(&s->dev, MIG_RUNNING, NULL), -EINVAL,
		 "an arc from ERROR");
	check_eq(vfio_mig_set(&s->dev, MIG_STOP, NULL), -EINVAL,
		 "an arc from ERROR");
	state_is(&s->dev, MIG_ERROR);
}

void say_next(struct scene *s)
{
	int err = s->st->next(s);

	say("next arc: %s, %s", errno_name(err), mig_name(scene_state(s)));
	s->arrived |= s->st->dest && scene_state(s) == MIG_RUNNING;
	judge(s, err);
}

void new_guest(struct scene *s)
{
	struct workload *w = workload_new();

	must(vfio_dma_unmap(&s->dev, &s->w->mem));
	must(vfio_dma_map(&s->dev, &w->mem));
	must(vfio_irq_enable(&s->dev, s->dev.nvec < BED_VECTORS ?
			     s->dev.nvec : BED_VECTORS));
	workload_start(w, &s->dev, NULL);
	workload_fill(w, 20);
	must(vfio_mig_set(&s->dev, MIG_STOP, NULL));
	must(vfio_mig_set(&s->dev, MIG_RUNNING, NULL));
	workload_check(w);
	workload_event(w);
}

void source_goes_on(struct scene *s)
{
	/* one guest runs in one place: where it has arrived, it stays */
	if (!s->st->dest || s->arrived)
		return;
	must(vfio_mig_set(&s->src, MIG_RUNNING, NULL));
	workload_check(s->w);
	workload_event(s->w);
}

void say_cure(struct scene *s)
{
	must(vfio_reset(&s->dev));
	state_is(&s->dev, MIG_RUNNING);
	/* the guest first, as both write to one namespace */
	source_goes_on(s);
	new_guest(s);
	say("a reset cures");
}

void say_goes_on(struct scene *s)
{
	unsigned int before = scene_state(s);
	int err = 0;

	if (before != MIG_RUNNING)
		err = vfio_mig_set(&s->dev, MIG_RUNNING, NULL);
	if (err) {
		say("to RUNNING: %s, %s", errno_name(err),
		    mig_name(scene_state(s)));
		judge(s, err);
		say_cure(s);
		return;
	}
	state_is(&s->dev, MIG_RUNNING);
	if (s->st->dest)
		must(nvme_rebind(&s->w->ctrl, &s->dev));
	workload_check(s->w);
	workload_event(s->w);
	say(s->st->dest ? "the guest arrives" : "the guest goes on");
}

void scene_open(struct scene *s)
{
	uint64_t flags;

	if (s->st->dest) {
		s->w = pair_open(&s->src, VF_C, &s->dev, VF_A, NULL);
		workload_fill(s->w, 20);
		must(mig_stop(&s->src, NULL));
		must(mig_save(&s->src, &s->s, NULL));
	} else {
		s->w = solo_open(&s->dev, VF_A, NULL);
		workload_fill(s->w, 20);
	}
	must(vfio_mig_flags(&s->dev, &flags));
	check(!(s->st->needs & ~flags), "the row needs a state that is not offered");
}

void enter_again(struct scene *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	must(vfio_reset(&s->dev));
	state_is(&s->dev, MIG_RUNNING);
	s->st->enter(s);
	state_is(&s->dev, s->st->mig);
}

static void run_cell(const void *arg)
{
	const struct cell *c = arg;
	struct scene s = { .st = c->st, .fd = -1 };

	if (!c->ev->cold) {
		scene_open(&s);
		c->st->enter(&s);
		state_is(&s.dev, c->st->mig);
	}
	c->ev->fn(&s);
	/* once everything is closed, a new user must find good VFs */
	vfio_close(&s.dev);
	vfio_close(&s.src);
	if (s.fd >= 0)
		close(s.fd);
	alive(&s.dev, VF_A);
	check(*text, "nothing was seen");
	printf("# cell %s | %s | %s\n", c->st->name, c->ev->name, text);
}

/* what migration this host's VFs offer; the same for all of them */
static uint64_t offered(void)
{
	struct vfio_dev dev;
	uint64_t flags = 0;

	if (!vfio_open(&dev, bed.pf[0].vf[0])) {
		vfio_mig_flags(&dev, &flags);
		vfio_close(&dev);
	}
	return flags;
}

const struct tap_case *table_cases(enum table_host host)
{
	static struct tap_case cases[MAX_CELLS + 1];
	static struct cell cells[MAX_CELLS];
	const struct table_state *st;
	const struct table_event *ev;
	uint64_t flags = offered();
	unsigned int n = 0, i;
	char *name;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (ev = lists[i]; ev->name; ev++) {
			if (ev->host != host)
				continue;
			for (st = table_states; st->name; st++) {
				if (st->needs & ~flags)
					continue;
				check(n < MAX_CELLS, "too many cells");
				check(asprintf(&name, "%s: %s", ev->name,
					       st->name) > 0, "no memory");
				cells[n] = (struct cell){ st, ev };
				cases[n] = (struct tap_case){
					.name = name, .fn = run_cell,
					.arg = &cells[n], .log = "",
					.limit_s = host == TABLE_FAULTS ? 600 : 60,
				};
				n++;
			}
		}
	}
	return cases;
}
