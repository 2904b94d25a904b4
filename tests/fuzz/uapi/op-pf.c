// SPDX-License-Identifier: GPL-2.0-only
/*
 * op-pf.c - what happens at the PF meanwhile: resets and errors of the bus,
 * after which its VFs are brought online again, and a device that is slow or
 * fails. Removal is in op-away.c.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aer.h"
#include "bed-vfs.h"
#include "fuzz.h"

static const char *pf_name(const struct thread *t)
{
	return bed.pf[t->pf].name;
}

void rest(struct thread *t, unsigned int ms)
{
	uint64_t end = now_us() + 1000 * (50 + rnd(t, ms));

	while (now_us() < end && !fuzz.stop)
		sleep_us(20000);
}

/* the PF answers again: its VFs are brought online */
void vfs_back(struct thread *t)
{
	if (vfs_wait(t->pf))
		broken(t, "%s", lib_msg());
	vfs_restore(t->pf);
}

static void pf_reset(struct thread *t, struct vf *v)
{
	struct event *e = &fuzz.pf[t->pf].lost;
	uint64_t since = away_begins(t, e);

	(void)v;
	ruled(t, "reset of the PF",
	      sysfs_write("1", "/sys/class/nvme/%s/reset_controller",
			  pf_name(t)));
	vfs_back(t);
	away_ends(t, e, since);
}

/* An error of the port. After a fatal one it is reset, with all below it. */
static void pf_error(struct thread *t, struct vf *v)
{
	struct event *e = &fuzz.pf[t->pf].lost;
	uint64_t since = away_begins(t, e);
	bool fatal = rnd(t, 3);
	int log = aer_log();

	(void)v;
	aer_inject(t->pf, fatal ? AER_FATAL : AER_NONFATAL);
	if (!aer_recovered(log))
		broken(t, "the recovery from an error of the bus has failed");
	close(log);
	if (fatal)
		vfs_back(t);
	away_ends(t, e, since);
}

static void set_model(struct thread *t, const char *text)
{
	t->result = pf_test_set(pf_name(t), text);
	rest(t, 1000);
}

static void slow_device(struct thread *t, struct vf *v)
{
	/* now and then longer than the driver waits */
	unsigned int most = rnd(t, 4) ? 200 : 1500 * PATIENCE_S;
	char text[100];

	(void)v;
	snprintf(text, sizeof(text),
		 "lm-suspend-delay-ms=%u\nlm-resume-delay-ms=%u",
		 (unsigned int)rnd(t, most), (unsigned int)rnd(t, most));
	set_model(t, text);
}

static void quick_device(struct thread *t, struct vf *v)
{
	(void)v;
	set_model(t, "lm-suspend-delay-ms=0\nlm-resume-delay-ms=0");
}

/* commands of both sets; most of the model's own statuses */
static void pf_fail(struct thread *t, struct vf *v)
{
	static const char * const cmd[] = {
		"0x41/0", "0x41/1", "0x41/2", "0x42/0", "0x3d", "0x3e",
		"0xc4", "0xc8", "0xcc", "0xd2", "0xd5",
	};
	static const unsigned int status[] = {
		0x002, 0x006, 0x00c, 0x11f, 0x137, 0x138, 0x139, 0x13a, 0x371,
	};
	char text[100];

	(void)v;
	snprintf(text, sizeof(text), "lm-fail=%s@%u=0x%x+%s@%u=0x%x",
		 cmd[rnd(t, 11)], 1 + (unsigned int)rnd(t, 4),
		 status[rnd(t, 9)], cmd[rnd(t, 11)],
		 1 + (unsigned int)rnd(t, 4), status[rnd(t, 9)]);
	set_model(t, text);
}

/*
 * A different size for all states. Not with the vendor set: its SAVE_DATA has
 * no length, so a device whose state grows between query and transfer writes
 * past any buffer.
 */
static void pf_pad(struct thread *t, struct vf *v)
{
	static const unsigned int pad[] = { 0, 4, 100000, 1000000 };
	char text[40];

	(void)v;
	if (bed.set == SET_VENDOR)
		return;
	snprintf(text, sizeof(text), "lm-pad=%u", pad[rnd(t, 4)]);
	set_model(t, text);
}

const struct op pf_ops[] = {
	{ "AER", 2, false, pf_error },	/* left out without --bus */
	{ "PF reset", 2, false, pf_reset },
	{ "PF rebind", 2, false, op_pf_rebind },
	{ "VF rebind", 3, false, op_vf_rebind },
	{ "no VFs", 1, false, op_no_vfs },
	{ "no PF", 1, false, op_no_pf },
	{ "slow device", 2, false, slow_device },
	{ "quick device", 6, false, quick_device },
	{ "failing command", 6, false, pf_fail },
	{ "another size", 3, false, pf_pad },
	{ }
};
