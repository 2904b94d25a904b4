// SPDX-License-Identifier: GPL-2.0-only
/*
 * life.c - events of the table: what ends first: the user, the device fd, the
 * data fd or the modules.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "table.h"
#include "user.h"

static void say_next_open(struct scene *s)
{
	must(vfio_open(&s->dev, bed.pf[0].vf[0]));
	say("next open: %s", mig_name(scene_state(s)));
}

static void closed(struct scene *s)
{
	vfio_close(&s->dev);
	say_fd(s);
	say_next_open(s);
	source_goes_on(s);
}

static void enter(void *arg)
{
	struct scene *s = arg;

	scene_open(s);
	s->st->enter(s);
	state_is(&s->dev, s->st->mig);
}

/* the process that holds the device ends without closing anything */
static void killed(struct scene *s)
{
	user_kill(user_start(enter, NULL, s));
	say_next_open(s);
}

/* the data fd of a transfer that came to nothing before this state */
static int earlier_fd(struct scene *s)
{
	int fd;

	if (s->st->dest) {
		must(vfio_mig_set(&s->dev, MIG_RESUMING, &fd));
		must(vfio_reset(&s->dev));
	} else {
		must(vfio_mig_set(&s->dev, MIG_STOP_COPY, &fd));
		must(vfio_mig_set(&s->dev, MIG_RUNNING, NULL));
	}
	return fd;
}

static void say_dead(const char *what, int fd, bool dest)
{
	int err = fd_errno(fd, dest);

	say("%s: %s", what, err == ENODEV ? "dead" : errno_name(-err));
}

static void fd_kept(struct scene *s)
{
	int early;

	scene_open(s);
	early = earlier_fd(s);
	s->st->enter(s);
	state_is(&s->dev, s->st->mig);
	say_dead("earlier data fd", early, s->st->dest);
	must(vfio_reset(&s->dev));
	if (s->fd >= 0)
		say_dead("own, after a reset", s->fd, s->st->dest);
	vfio_close(&s->dev);
	say_dead("after close", early, s->st->dest);
	say_next_open(s);
	/* a new user does not revive them */
	say_dead("next user", s->fd >= 0 ? s->fd : early, s->st->dest);
	close(early);
	source_goes_on(s);
}

/* @n modules, none of which can be removed */
static void say_unload(const char *when, unsigned int n)
{
	static const char * const module[] = {
		"nvme_vfio_pci", "nvme_pf_shim", "nvme",
	};
	unsigned int i;
	int err[3];

	for (i = 0; i < n; i++) {
		err[i] = syscall(SYS_delete_module, module[i], O_NONBLOCK) ?
			 -errno : 0;
		check(err[i], "%s was unloaded although it is in use",
		      module[i]);
		check(err[i] == err[0], "%s: %s, but %s: %s", module[0],
		      errno_name(err[0]), module[i], errno_name(err[i]));
	}
	say("%s: %s", when, errno_name(err[0]));
}

static void unload(struct scene *s)
{
	bool by_source = s->st->dest;
	int early;

	scene_open(s);
	early = earlier_fd(s);
	s->st->enter(s);
	say_unload("while open", 3);
	state_is(&s->dev, s->st->mig);
	if (by_source)
		source_goes_on(s);
	vfio_close(&s->dev);
	vfio_close(&s->src);
	/* nvme is no longer needed */
	say_unload("with a data fd only", 2);
	close(early);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	say_next_open(s);
}

const struct table_event life_events[] = {
	{ .name = "device closed", .fn = closed },
	{ .name = "user killed", .fn = killed, .cold = true },
	{ .name = "data fd kept", .fn = fd_kept, .cold = true },
	{ .name = "modules unloaded", .fn = unload, .cold = true },
	{ }
};
