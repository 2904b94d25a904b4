// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-table-gone.c - events of the table: the PF or the VFs go away for good
 * while the VF is open, and are made anew.
 */
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define PCI	"/sys/bus/pci"
#define REACHED_MS	30000
#define SEEN_US		200000	/* a writer that does not wait is done by then */

/* a write to sysfs that may wait for the VF's user */
struct writer {
	pthread_t thread;
	const char *text;
	char path[96];
	int err;
	atomic_bool done;
};

static void *writer_main(void *arg)
{
	struct writer *w = arg;

	w->err = sysfs_write(w->text, "%s", w->path);
	w->done = true;
	return NULL;
}

/* returns when it has taken the VF's lock and its driver is about to leave */
static void writer_start(struct writer *w, const char *vf)
{
	char driver[64];
	int ms;

	check(!pthread_create(&w->thread, NULL, writer_main, w), "no thread");
	for (ms = 0; !sysfs_link(driver, sizeof(driver), PCI "/devices/%s/driver",
				 vf); ms += 10) {
		check(ms < REACHED_MS, "the writer does not get to %s", vf);
		sleep_us(10000);
	}
	sleep_us(SEEN_US);
}

/* the VF's user looks at what is left, and gives up */
static void user_leaves(struct scene *s, struct writer *w)
{
	check(!w->done, "the writer did not wait for the VF's user");
	say_state(s);
	say_next(s);
	say("reset: %s", errno_name(vfio_reset(&s->dev)));
	check(!w->done, "the writer did not wait for the VF's user");
	vfio_close(&s->dev);
	pthread_join(w->thread, NULL);
	must(w->err);
	say("the writer waits until the VF is closed");
	say_fd(s);
}

static void no_vfs(struct scene *s)
{
	struct writer w = { .text = "0" };

	snprintf(w.path, sizeof(w.path), PCI "/devices/%s/sriov_numvfs",
		 bed.pf[0].bdf);
	writer_start(&w, s->dev.bdf);
	user_leaves(s, &w);
	bed_remake(0);
	source_goes_on(s);
}

/* the port that a PF is behind */
static void find_port(const char *bdf, char *port, size_t len)
{
	char path[96], real[PATH_MAX], *end;

	snprintf(path, sizeof(path), PCI "/devices/%s", bdf);
	check(realpath(path, real), "%s: no such function", bdf);
	end = strrchr(real, '/');
	*end = 0;
	end = strrchr(real, '/');
	check(strlen(end) > 8 && strlen(end) <= len,
	      "%s is not behind a port but in %s", bdf, real);
	strcpy(port, end + 1);
}

static void rescan(struct scene *s)
{
	must(sysfs_write("1", PCI "/rescan"));
	bed_remake(0);
	source_goes_on(s);
}

/*
 * The kernel leaves VFs behind when their PF is removed: they keep a reference
 * on it, cannot be removed by sysfs, and are in the way of new ones. Only the
 * removal of the port takes them along.
 */
static void pf_removed(struct scene *s)
{
	char port[16];

	find_port(bed.pf[0].bdf, port, sizeof(port));
	must(sysfs_write("1", PCI "/devices/%s/remove", bed.pf[0].bdf));
	say_state(s);
	say_next(s);
	say_fd(s);
	must(vfio_reset(&s->dev));
	say("after a reset: %s, %s",
	    errno_name(vfio_mig_set(&s->dev, MIG_STOP, NULL)),
	    mig_name(scene_state(s)));
	vfio_close(&s->dev);
	must(sysfs_write("1", PCI "/devices/%s/remove", port));
	rescan(s);
}

/* as in a hot-unplug: the VFs first, in reverse order, and then the PF */
static void unplugged(struct scene *s)
{
	struct writer w = { .text = "1" };
	char port[16];

	find_port(bed.pf[0].bdf, port, sizeof(port));
	snprintf(w.path, sizeof(w.path), PCI "/devices/%s/remove", port);
	writer_start(&w, s->dev.bdf);
	user_leaves(s, &w);
	rescan(s);
}

const struct table_event gone_events[] = {
	{ .name = "sriov_numvfs=0", .fn = no_vfs },
	{ .name = "PF removed", .fn = pf_removed },
	{ .name = "port removed", .fn = unplugged },
	{ }
};
