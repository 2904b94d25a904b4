// SPDX-License-Identifier: GPL-2.0-only
/*
 * move.c - events of the table: the migration itself goes wrong. It
 * is cancelled, a command fails or never completes, users disagree.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "beside.h"
#include "table.h"

/* in rows of a destination it is the source that continues */
static void cancelled(struct scene *s)
{
	const unsigned int load = 0xd5;

	model_zero(0);
	if (s->st->dest) {
		must(vfio_reset(&s->dev));
		say_state(s);
		say_fd(s);
		source_goes_on(s);
		say("the guest goes on at the source");
		return;
	}
	say_goes_on(s);
	if (model_count(0, load, -1))
		say("its state was given back");
	say_fd(s);
}

/* arm @name (lm-fail or lm-hang) for the next migration command, any of them */
static void arm(const char *name, const char *value)
{
	static const char * const standard[] = { "0x41", "0x42", NULL };
	static const char * const vendor[] = {
		"0xc4", "0xc8", "0xcc", "0xd2", "0xd5", NULL
	};
	const char * const *op = bed.set == SET_VENDOR ? vendor : standard;
	char rules[256] = "";
	size_t len = 0;

	for (; *op; op++)
		len += snprintf(rules + len, sizeof(rules) - len, "%s%s@1%s",
				len ? "+" : "", *op, value);
	model_set(0, "%s=%s", name, rules);
}

static void command_fails(struct scene *s)
{
	model_zero(0);
	arm("lm-fail", "=0x4006");
	say_next(s);
	model_set(0, "lm-fail=");
	if (!model_commands(0))
		say("no command is sent");
	if (s->st->mig == MIG_ERROR)
		say_cure(s);
	else
		say_goes_on(s);
	say_fd(s);
}

#define SHORT_S		2
#define NVME_SHORT_S	1
#define FOR_LONG_S	600

struct next_arc {
	struct beside b;
	struct scene *s;
	atomic_long tid;
};

static int do_next(struct beside *b)
{
	struct next_arc *arc = (struct next_arc *)b;

	arc->tid = syscall(SYS_gettid);
	return arc->s->st->next(arc->s);
}

static void say_next_arc(struct next_arc *arc)
{
	int err = beside_end(&arc->b);

	say("next arc: %s, %s", errno_name(err),
	    mig_name(scene_state(arc->s)));
}

static void say_sent(void)
{
	model_set(0, "lm-hang=");
	if (!model_commands(0))
		say("no command is sent");
}

/*
 * The driver gives it up. It waits so briefly only for this command: on a busy
 * machine any may take seconds. A command that nothing ends goes away with the
 * PF.
 */
static void command_hangs(struct scene *s)
{
	struct next_arc arc = { .s = s };

	model_zero(0);
	arm("lm-hang", "");
	limit_set(SHORT_S);
	beside_call(&arc.b, do_next);
	while (!arc.b.done && !model_commands(0))
		sleep_us(1000);
	limit_set(FOR_LONG_S);
	say_next_arc(&arc);
	say_sent();
	say_fd(s);
	must(vfio_reset(&s->dev));
	say("after a reset: %s", mig_name(scene_state(s)));
	must(sysfs_write("1", "/sys/class/nvme/%s/reset_controller",
			 bed.pf[0].name));
	bed_online(0);
	say("the PF is reset");
	say_cure(s);
}

#define WAITING		"wait_for_com"	/* for a command, which has its time-out by then */

/*
 * nvme gives it up before the driver does, and resets the PF, which takes the
 * VFs offline. nvme's limit has to be long again at once.
 */
static void nvme_gives_up(struct scene *s)
{
	struct next_arc arc = { .s = s };
	char stack[4096] = "";

	model_zero(0);
	arm("lm-hang", "");
	limit_set(FOR_LONG_S);
	nvme_limit_set(NVME_SHORT_S);
	beside_call(&arc.b, do_next);
	while (!arc.b.done && !strstr(stack, WAITING)) {
		sleep_us(1000);
		if (arc.tid)
			sysfs_read(stack, sizeof(stack), "/proc/self/task/%ld/stack",
				   arc.tid);
	}
	nvme_limit_set(FOR_LONG_S);
	say_next_arc(&arc);
	/* the reset goes on without the command's knowledge */
	bed_online(0);
	say_sent();
	say_fd(s);
	say_cure(s);
}

#define RACE_US		400000
#define RACE_CALLS	3	/* at least, of each thread that has something to call */

/* several threads that use one device fd at random */
struct race {
	struct scene *s;
	atomic_bool stop;
	atomic_int fd;
	atomic_int bad;		/* an errno that no caller should get */
	atomic_uint calls[4];	/* how many returned, per thread */
};

static void returned(struct race *r, unsigned int thread, int err)
{
	r->calls[thread]++;
	if (err && !sane_errno(err) && err != -EAGAIN && err != -EBADF &&
	    err != -ENOMSG)
		r->bad = -err;
}

static void *race_arcs(void *arg)
{
	static const unsigned int to[] = {
		MIG_STOP, MIG_RUNNING, MIG_STOP_COPY, MIG_RESUMING,
		MIG_RUNNING_P2P, MIG_PRE_COPY, MIG_STOP_COPY,
	};
	struct race *r = arg;
	unsigned int i;

	for (i = 0; !r->stop; i++) {
		int fd, err;

		/* before the first reset its complete state may run here */
		if (to[i % 7] == MIG_RUNNING && !r->calls[3] &&
		    r->s->st->dest && r->s->written == r->s->s.len)
			r->s->arrived = true;
		err = vfio_mig_set(&r->s->dev, to[i % 7], &fd);
		returned(r, 0, err);
		if (err || fd < 0)
			continue;
		fd = atomic_exchange(&r->fd, fd);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static void *race_size(void *arg)
{
	struct race *r = arg;

	while (!r->stop) {
		unsigned int state;
		uint64_t size;

		returned(r, 1, vfio_mig_data_size(&r->s->dev, &size));
		returned(r, 1, vfio_mig_get(&r->s->dev, &state));
	}
	return NULL;
}

static void *race_data(void *arg)
{
	struct race *r = arg;
	char buf[512];

	while (!r->stop) {
		int fd = r->fd;

		if (fd < 0) {
			sleep_us(1000);
			continue;
		}
		returned(r, 2, read(fd, buf, sizeof(buf)) < 0 ? -errno : 0);
		returned(r, 2, write(fd, "N", 1) < 0 ? -errno : 0);
	}
	return NULL;
}

static void *race_reset(void *arg)
{
	struct race *r = arg;

	while (!r->stop) {
		sleep_us(30000);
		returned(r, 3, vfio_reset(&r->s->dev));
	}
	return NULL;
}

static bool all_called(const struct race *r)
{
	/* reads and writes need a state with a data fd, which may be short */
	return r->calls[0] >= RACE_CALLS && r->calls[1] >= RACE_CALLS &&
	       r->calls[3] >= RACE_CALLS;
}

static void at_once(struct scene *s)
{
	static void *(* const fn[4])(void *arg) = {
		race_arcs, race_size, race_data, race_reset,
	};
	struct race r = { .s = s, .fd = s->fd };
	pthread_t thread[4];
	unsigned int i;

	s->fd = -1;
	for (i = 0; i < 4; i++)
		check(!pthread_create(&thread[i], NULL, fn[i], &r),
		      "no thread");
	sleep_us(RACE_US);
	/* the case's own limit ends the wait for a call that does not return */
	while (!all_called(&r))
		sleep_us(10000);
	r.stop = true;
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	tap_note("calls: %u arcs, %u sizes and states, %u reads and writes, %u resets",
		 r.calls[0], r.calls[1], r.calls[2], r.calls[3]);
	check(!r.bad, "a call gave %s", errno_name(-r.bad));
	say("all calls return");
	say_cure(s);
	if (r.fd >= 0)
		close(r.fd);
}

const struct table_event move_events[] = {
	{ .name = "migration cancelled", .fn = cancelled },
	{ .name = "next command fails", .fn = command_fails },
	{ .name = "next command never completes", .fn = command_hangs },
	{ .name = "nvme gives the next command up", .fn = nvme_gives_up,
	  .host = TABLE_TIMEOUT },
	{ .name = "calls from several threads", .fn = at_once },
	{ }
};
