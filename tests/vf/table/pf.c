// SPDX-License-Identifier: GPL-2.0-only
/*
 * pf.c - events of the table: the PF's controller is reset, its driver is
 * unbound and comes back, or takes long.
 */
#include <stdio.h>
#include <string.h>

#include "beside.h"
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

/* the VF stays open all the time */
static void pf_rebind(struct scene *s)
{
	int err;

	pf_driver(0, "unbind");
	say_state(s);
	say_next(s);
	say_fd(s);
	must(vfio_reset(&s->dev));
	err = vfio_mig_set(&s->dev, MIG_STOP, NULL);
	say("after a reset: %s, %s", errno_name(err),
	    mig_name(scene_state(s)));
	pf_driver(0, "bind");
	bed_online(0);
	say_cure(s);
}

#define TRIES		5

static bool is_starting(void)
{
	char name[16], state[16] = "";

	if (!topo_name(bed.pf[0].bdf, name, sizeof(name)))
		sysfs_read(state, sizeof(state), "/sys/class/nvme/%s/state",
			   name);
	return strcmp(state, "live");
}

/* Return: everything was over before the PF was ready */
static bool while_it_starts(struct scene *s, char *seen, size_t len)
{
	int next = s->st->next(s);
	unsigned int state = scene_state(s);
	int err;

	must(vfio_reset(&s->dev));
	err = vfio_mig_set(&s->dev, MIG_STOP, NULL);
	snprintf(seen, len, "next arc: %s, %s, after a reset: %s, %s",
		 errno_name(next), mig_name(state), errno_name(err),
		 mig_name(scene_state(s)));
	return is_starting();
}

static void pf_starts(struct scene *s)
{
	struct beside bind = { 0 };
	char seen[200];
	unsigned int n;
	bool early;

	pf_slow(0, true);
	for (n = 0, early = false; !early; n++) {
		check(n < TRIES, "the PF was always ready before all was tried");
		if (n)
			enter_again(s);
		pf_driver(0, "unbind");
		beside_write(&bind, bed.pf[0].bdf,
			     "/sys/bus/pci/drivers/nvme/bind");
		while (topo_name(bed.pf[0].bdf, bed.pf[0].name,
				 sizeof(bed.pf[0].name)))
			sleep_us(1000);
		early = while_it_starts(s, seen, sizeof(seen));
		must(beside_end(&bind));
		bed_online(0);
	}
	pf_slow(0, false);
	say("%s", seen);
	say_fd(s);
	say_cure(s);
	/* as fast as before for the others */
	vfio_close(&s->dev);
	bed_rebind(0);
}

const struct table_event pf_events[] = {
	{ .name = "PF controller reset", .fn = pf_reset },
	{ .name = "PF unbound and bound", .fn = pf_rebind },
	{ .name = "PF bound and starting", .fn = pf_starts },
	{ }
};
