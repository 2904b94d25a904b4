// SPDX-License-Identifier: GPL-2.0-only
/*
 * gone.c - events of the table: the PF or the VFs are removed while the VF is
 * open, and created again.
 */
#include "beside.h"
#include "port.h"
#include "table.h"

#define PCI	"/sys/bus/pci"
#define SEEN_US	200000	/* by then a writer that does not wait is done */

static void waits(struct beside *writer)
{
	check(!writer->done, "the writer did not wait for the VF's user");
}

/* the VF's user looks at what is left, and gives up */
static void user_leaves(struct scene *s, struct beside *writer)
{
	vf_is_leaving(s->dev.bdf);
	sleep_us(SEEN_US);
	waits(writer);
	say_state(s);
	say_next(s);
	say("reset: %s", errno_name(vfio_reset(&s->dev)));
	waits(writer);
	vfio_close(&s->dev);
	must(beside_end(writer));
	say("the writer waits until the VF is closed");
	say_fd(s);
}

static void no_vfs(struct scene *s)
{
	struct beside writer = { 0 };

	beside_write(&writer, "0", PCI "/devices/%s/sriov_numvfs",
		     bed.pf[0].bdf);
	user_leaves(s, &writer);
	bed_remake(0);
	source_goes_on(s);
}

/*
 * The kernel leaves VFs behind when their PF is removed: they keep a reference
 * to it, cannot be removed by sysfs, and are in the way of new ones. Only the
 * removal of the port removes them.
 */
static void pf_removed(struct scene *s)
{
	char port[PORT_LEN];

	port_of(0, port);
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
	port_found(0);
	source_goes_on(s);
}

/* as in a hot-unplug: the VFs first, in reverse order, then the PF */
static void unplugged(struct scene *s)
{
	struct beside writer = { 0 };
	char port[PORT_LEN];

	port_of(0, port);
	beside_write(&writer, "1", PCI "/devices/%s/remove", port);
	user_leaves(s, &writer);
	port_found(0);
	source_goes_on(s);
}

/*
 * VFIO cannot reset a VF whose lock an unbind holds: what its user has left
 * behind must be ended in another way.
 */
static void unbound(struct scene *s)
{
	struct beside unbind = { 0 };

	beside_unbind(&unbind, s->dev.bdf);
	sleep_us(SEEN_US);
	waits(&unbind);
	vfio_close(&s->dev);
	must(beside_end(&unbind));
	say("the unbind waits until the VF is closed");
	say_fd(s);
	say(model_vf_is(VF_A, "running") ? "the VF runs" :
	    "the VF is left suspended");
	must(sysfs_write(bed.pf[0].vf[0], PCI "/drivers_probe"));
	must(vfio_open(&s->dev, bed.pf[0].vf[0]));
	say("next open: %s", mig_name(scene_state(s)));
	source_goes_on(s);
}

const struct table_event gone_events[] = {
	{ .name = "sriov_numvfs=0", .fn = no_vfs },
	{ .name = "VF unbound and closed", .fn = unbound },
	{ .name = "PF removed", .fn = pf_removed },
	{ .name = "port removed", .fn = unplugged },
	{ }
};
