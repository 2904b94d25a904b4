// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-table-pf.c - events of the table: the PF's controller is reset, its
 * driver goes and comes back.
 */
#include "table.h"

/* a PF reset takes all VFs offline and ends every suspension */
static void pf_reset(struct scene *s)
{
	must(sysfs_write("1", "/sys/class/nvme/%s/reset_controller",
			 bed.pf[0].name));
	say_state(s);
	say_next(s);
	say_fd(s);
	bed_online(0);
	say_cure(s);
}

static void pf_driver(const char *what)
{
	must(sysfs_write(bed.pf[0].bdf, "/sys/bus/pci/drivers/nvme/%s", what));
}

/* the VF stays open all the time */
static void pf_rebind(struct scene *s)
{
	int err;

	pf_driver("unbind");
	say_state(s);
	say_next(s);
	say_fd(s);
	must(vfio_reset(&s->dev));
	err = vfio_mig_set(&s->dev, MIG_STOP, NULL);
	say("after a reset: %s, %s", errno_name(err),
	    mig_name(scene_state(s)));
	pf_driver("bind");
	bed_online(0);
	say_cure(s);
}

const struct table_event pf_events[] = {
	{ .name = "PF controller reset", .fn = pf_reset },
	{ .name = "PF unbound and bound", .fn = pf_rebind },
	{ }
};
