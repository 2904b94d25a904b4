// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-foreign.c - streams that are complete but not for this VF: from another
 * model or firmware, from the other command set, or too large.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "move.h"

#define MIB	(1 << 20)

/* the stream of a VF at work; the VF stays in STOP_COPY */
static void take_stream(struct workload *w, struct vfio_dev *dev,
			struct mig_stream *s)
{
	workload_fill(w, 20);
	must(mig_stop(dev, NULL));
	must(mig_save(dev, s, NULL));
}

static void expect_refusal(struct vfio_dev *dev, const struct mig_stream *s,
			   const char *what)
{
	int err = mig_load(dev, s, 0, NULL);

	check(err, "%s: expected a refusal, the stream was accepted", what);
	check(sane_errno(err), "%s: expected a sensible errno, got %d", what,
	      err);
	tap_note("%s: %s", what, lib_msg());
	must(vfio_reset(dev));
	state_is(dev, MIG_RUNNING);
}

/* @arg: model property and value that make PF 1 another kind of drive */
static void other_drive(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	vfio_close(&b);
	model_set(1, "%s=%s", (const char *)arg, "Another");
	bed_open(&b, VF_C, &w->mem);
	take_stream(w, &a, &s);
	expect_refusal(&b, &s, arg);
	vfio_close(&b);
	model_set(1, "%s=", (const char *)arg);
	bed_open(&b, VF_C, &w->mem);
	move_load(w, &b, &s, NULL);
	workload_check(w);
	workload_event(w);
}

/* the first VF of a PF has one queue less, or with @type 1 one interrupt */
static void one_less(int pf, unsigned int type)
{
	struct pf_secondary list[TOPO_VFS], *s = list;
	const char *name = bed.pf[pf].name;
	int n = pf_secondaries(name, list, TOPO_VFS);

	while (s < list + n && s->vfn != bed.pf[pf].vfn[0])
		s++;
	check(s < list + n, "%s: the VF is not listed", name);
	must(pf_virt_mgmt(name, s->cntlid, 7, 0, 0));
	must(pf_virt_mgmt(name, s->cntlid, 8, 0, s->nvq - !type));
	must(pf_virt_mgmt(name, s->cntlid, 8, 1, s->nvi - type));
	must(pf_virt_mgmt(name, s->cntlid, 9, 0, 0));
}

/*
 * With more interrupts the MSI-X table in config space differs, which a VMM
 * would refuse once the guest has stopped.
 */
static void more_interrupts(const void *arg)
{
	struct mig_stream m = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int fd, err;

	(void)arg;
	bed_need(VF_A);
	bed_need(VF_C);
	one_less(0, 1);
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	take_stream(w, &a, &m);
	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	err = mig_write(fd, m.data, 200, 0);
	check(err == -EINVAL, "expected EINVAL, got %d", err);
	close(fd);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
}

/*
 * @arg: resource of which the destination has one less: 0 queues, 1
 * interrupts. The first record says so, before any state is sent.
 */
static void too_few(const void *arg)
{
	unsigned int type = *(const unsigned int *)arg;
	struct mig_stream m = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int fd, err;

	bed_need(VF_A);
	bed_need(VF_C);
	one_less(1, type);

	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	take_stream(w, &a, &m);
	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	err = mig_write(fd, m.data, 200, 0);
	check(err == -EINVAL, "expected EINVAL, got %d", err);
	close(fd);
	must(vfio_reset(&b));
	vfio_close(&b);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	bed_online(1);
	bed_open(&b, VF_C, &w->mem);
	move(w, &a, &b, &m, NULL);
	workload_check(w);
}

/* PF 1 speaks the other set; streams are refused in both directions */
static void other_set(const void *arg)
{
	enum cmdset other = bed.set == SET_VENDOR ? SET_STANDARD : SET_VENDOR;
	struct mig_stream ours = { 0 }, theirs = { 0 };
	struct vfio_dev a, b, c;
	struct workload *w, *v;
	uint64_t flags;

	(void)arg;
	bed_need(VF_A);
	bed_need(VF_C);
	bed_use_set(1, other);
	v = workload_new();
	bed_open(&c, VF_C, &v->mem);
	if (vfio_mig_flags(&c, &flags))
		tap_skip("the driver does not use the %s set here: %s",
			 bed_set_name(other), lib_msg());
	workload_start(v, &c, NULL);
	take_stream(v, &c, &theirs);
	must(vfio_mig_set(&c, MIG_RUNNING, NULL));
	workload_check(v);
	vfio_close(&c);

	/* only now, as both write to the same place on the medium */
	w = workload_new();
	bed_open(&a, VF_A, &w->mem);
	workload_start(w, &a, NULL);
	take_stream(w, &a, &ours);

	bed_open(&c, VF_C, &w->mem);
	expect_refusal(&c, &ours, "this set's stream to the other set");
	vfio_close(&c);
	bed_open(&b, VF_B, &w->mem);
	expect_refusal(&b, &theirs, "the other set's stream to this set");
	move_load(w, &b, &ours, NULL);
	workload_check(w);
	workload_event(w);
	vfio_close(&b);
	bed_use_set(1, bed.set);
}

/* the destination's administrator allows less than the source had */
static void above_cap(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	char cap[32], low[] = "1";
	struct workload *w;
	int err;

	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("one command carries less than the smallest limit");
	if (sysfs_read(cap, sizeof(cap), CAP_PARAM) <= 0 || access(CAP_PARAM, W_OK))
		tap_skip("%s cannot be changed", CAP_PARAM);
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	model_set(0, "lm-pad=%d", 2 * MIB);
	model_set(1, "lm-pad=%d", 2 * MIB);
	take_stream(w, &a, &s);
	vfio_close(&b);
	must(sysfs_write(low, CAP_PARAM));
	bed_open(&b, VF_C, &w->mem);
	err = mig_load(&b, &s, 0, NULL);
	must(sysfs_write(cap, CAP_PARAM));
	check(err, "a state of %zu bytes was accepted with a limit of 1 MiB",
	      s.len);
	check(sane_errno(err), "expected a sensible errno, got %d", err);
	tap_note("%s", lib_msg());
	again(w, &b, VF_C);
	move_load(w, &b, &s, NULL);
	workload_check(w);
}

/* endless input is given up on, whatever it claims to be */
static void endless(const void *arg)
{
	static uint8_t block[64 << 10];
	long cap = bed.max_state_mb ? bed.max_state_mb : 64;
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	long i, most = (cap + 2) * MIB / (long)sizeof(block);
	int fd, err;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	take_stream(w, &a, &s);
	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	err = mig_write(fd, s.data, s.len - 40, 0);
	for (i = 0; i < most && !err; i++)
		err = mig_write(fd, block, sizeof(block), 0);
	check(err, "%ld MiB were swallowed without an error", cap + 2);
	check(sane_errno(err), "expected a sensible errno, got %d", err);
	close(fd);
	must(vfio_reset(&b));
	must(vfio_irq_enable(&b, b.nefd));
	move_load(w, &b, &s, NULL);
	workload_check(w);
}

const struct tap_case foreign_cases[] = {
	{ .name = "destination with fewer queues", .fn = too_few,
	  .arg = &(const unsigned int){ 0 }, .log = "fewer queues" },
	{ .name = "destination with fewer interrupts", .fn = too_few,
	  .arg = &(const unsigned int){ 1 }, .log = "a different number of interrupts" },
	{ .name = "destination with more interrupts", .fn = more_interrupts,
	  .log = "a different number of interrupts" },
	{ .name = "stream of another model is refused", .fn = other_drive,
	  .arg = "lm-model", .log = "another model" },
	{ .name = "stream of another firmware is refused", .fn = other_drive,
	  .arg = "lm-firmware", .log = "another firmware" },
	{ .name = "stream of the other command set is refused",
	  .fn = other_set, .limit_s = 60, .log = "command set" },
	{ .name = "stream above the destination's limit is refused",
	  .fn = above_cap, .log = "max_state_mb" },
	{ .name = "endless stream is refused", .fn = endless,
	  .log = "refused" },
	{ }
};
