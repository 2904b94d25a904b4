// SPDX-License-Identifier: GPL-2.0-only
/*
 * reset.c - events of the table: the VF is reset by its user.
 */
#include <errno.h>

#include "table.h"

#define PCI_CAP_POINTER	0x34
#define PCI_CAP_EXPRESS	0x10
#define EXP_DEVCTL	8
#define DEVCTL_FLR	0x8000

/* state RUNNING, transfers over, and the same device fd keeps working */
static void after_reset(struct scene *s)
{
	say_state(s);
	say_fd(s);
	say_cure(s);
}

static void user_reset(struct scene *s)
{
	int err = vfio_reset(&s->dev);

	say("%s", errno_name(err));
	after_reset(s);
}

static unsigned int express(struct vfio_dev *dev)
{
	uint8_t at, cap[2];
	unsigned int n;

	must(vfio_cfg_read(dev, PCI_CAP_POINTER, &at, 1));
	for (n = 0; at && n < 48; n++) {
		must(vfio_cfg_read(dev, at, cap, sizeof(cap)));
		if (cap[0] == PCI_CAP_EXPRESS)
			return at;
		at = cap[1];
	}
	fail("%s: no PCI Express capability", dev->bdf);
}

/* what a guest's write to Device Control becomes in QEMU */
static void guest_flr(struct scene *s)
{
	unsigned int at = express(&s->dev) + EXP_DEVCTL;
	uint16_t ctl;
	int err;

	must(vfio_cfg_read(&s->dev, at, &ctl, sizeof(ctl)));
	ctl |= DEVCTL_FLR;
	err = vfio_cfg_write(&s->dev, at, &ctl, sizeof(ctl));
	say("%s", errno_name(err));
	after_reset(s);
}

const struct table_event reset_events[] = {
	{ .name = "VFIO_DEVICE_RESET", .fn = user_reset },
	{ .name = "guest FLR", .fn = guest_flr },
	{ }
};
