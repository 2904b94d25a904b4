// SPDX-License-Identifier: GPL-2.0-only
/*
 * bus.c - events of the table: errors that the port above the PF
 * reports (AER), and a PF that is pulled out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "aer.h"
#include "beside.h"
#include "port.h"
#include "table.h"

#define PCI		"/sys/bus/pci"
#define FOR_LONG_S	600	/* a limit that no case gets to */

/* eventfd by which VFIO tells the VF's user of an error */
static int listen_for_errors(struct vfio_dev *dev)
{
	union {
		struct vfio_irq_set set;
		char room[sizeof(struct vfio_irq_set) + sizeof(int)];
	} u = { .set = {
		.argsz = sizeof(u),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD |
			 VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_ERR_IRQ_INDEX,
		.count = 1,
	} };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	check(fd >= 0, "no eventfd");
	memcpy(u.set.data, &fd, sizeof(fd));
	check(!ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, &u.set),
	      "no report of errors: errno %d", errno);
	return fd;
}

/* the port reports @error: how that ends, and what the VF's user is told */
static void port_error(struct scene *s, const char *error, bool recovers)
{
	int told = listen_for_errors(&s->dev), log = aer_log();
	uint64_t n;

	aer_inject(0, error);
	check(aer_recovered(log) == recovers, "the recovery has%s failed",
	      recovers ? "" : " not");
	say(read(told, &n, sizeof(n)) == sizeof(n) ? "the user is told" :
	    "the user is not told");
	say_state(s);
	close(told);
	close(log);
}

/* and without waiting for the PF, which does not answer */
static void say_next_at_once(struct scene *s)
{
	limit_set(FOR_LONG_S);
	say_next(s);
}

static void aer_nonfatal(struct scene *s)
{
	port_error(s, AER_NONFATAL, true);
	say_next(s);
	if (scene_state(s) == MIG_ERROR)
		say_cure(s);
	else
		say_goes_on(s);
	say_fd(s);
}

/* the port's reset resets the PF and all its VFs; nvme sets the PF up again */
static void aer_fatal(struct scene *s)
{
	port_error(s, AER_FATAL, true);
	say_next(s);
	say_fd(s);
	bed_online(0);
	say_cure(s);
}

/*
 * One function whose driver does not handle errors is enough for the kernel to
 * give up all of them after the port's reset: nobody restores their
 * configuration.
 */
static void aer_fails(struct scene *s)
{
	struct beside removal = { 0 };
	char port[PORT_LEN];

	port_of(0, port);
	must(sysfs_write(bed.pf[0].vf[1], PCI "/devices/%s/driver/unbind",
			 bed.pf[0].vf[1]));
	port_error(s, AER_FATAL, false);
	say_next(s);
	say_fd(s);
	/* not by a reset, for which the kernel would wait for a minute */
	beside_write(&removal, "1", PCI "/devices/%s/remove", port);
	vf_is_leaving(s->dev.bdf);
	vfio_close(&s->dev);
	must(beside_end(&removal));
	port_found(0);
	source_goes_on(s);
	say("the port is removed and found again");
}

/*
 * An unbind has the VF's lock while it waits for the VF's user. The kernel needs
 * that lock before it goes on with a recovery for which nvme has stopped the
 * PF's queues: the user must not wait for them. The VF no longer has a driver
 * when the recovery goes on, which therefore fails.
 */
static void aer_unbinding(struct scene *s)
{
	int log = aer_log();
	char port[PORT_LEN];
	struct beside unbind = { 0 };

	port_of(0, port);
	beside_unbind(&unbind, s->dev.bdf);
	aer_inject(0, AER_FATAL);
	aer_await(log, "frozen state error detected");
	say_state(s);
	say_next_at_once(s);
	check(!unbind.done, "the unbind did not wait for the VF's user");
	vfio_close(&s->dev);
	must(beside_end(&unbind));
	say("the unbind waits until the VF is closed");
	say_fd(s);
	check(!aer_recovered(log), "the recovery has not failed");
	close(log);
	must(sysfs_write("1", PCI "/devices/%s/remove", port));
	port_found(0);
	source_goes_on(s);
}

/* the kernel removes what is no longer there; the VF waits for its user */
static void pulled(struct scene *s)
{
	char port[PORT_LEN];

	port_pull(0, port);
	vf_is_leaving(s->dev.bdf);
	say_state(s);
	say_next_at_once(s);
	say("reset: %s", errno_name(vfio_reset(&s->dev)));
	say_fd(s);
	vfio_close(&s->dev);
	port_plug(0, port);
	source_goes_on(s);
}

const struct table_event bus_events[] = {
	{ .name = "AER, not fatal", .fn = aer_nonfatal, .host = TABLE_BUS },
	{ .name = "AER, fatal, recovered", .fn = aer_fatal, .host = TABLE_BUS },
	{ .name = "AER, fatal, recovery fails", .fn = aer_fails,
	  .host = TABLE_BUS },
	{ .name = "AER, fatal, VF being unbound", .fn = aer_unbinding,
	  .host = TABLE_BUS },
	{ .name = "PF pulled out", .fn = pulled, .host = TABLE_BUS },
	{ }
};
