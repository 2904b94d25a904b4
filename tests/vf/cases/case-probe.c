// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-probe.c - what the driver says about a device's abilities, and whether a
 * device that cannot migrate still works.
 */
#include <errno.h>
#include <string.h>

#include "cases.h"
#include "klog.h"
#include "move.h"
#include "plain.h"

/* three of these take more than a second */
#define SLOW_IDENTIFY_MS	350
#define SLOW_TRIES		3

static void flags(const void *arg)
{
	struct vfio_dev dev;
	struct workload *w;
	uint64_t f;
	int p, v;

	(void)arg;
	for (p = 0; p < bed.npf; p++) {
		for (v = 0; v < bed.pf[p].nvfs; v++) {
			w = workload_new();
			bed_open(&dev, (struct place){ p, v }, &w->mem);
			must(vfio_mig_flags(&dev, &f));
			/* PRE_COPY, if the kernel has it: case-precopy.c */
			check((f & ~(uint64_t)VFIO_MIGRATION_PRE_COPY) ==
			      (VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P),
			      "%s: expected STOP_COPY and P2P, flags are %llx",
			      dev.bdf, (unsigned long long)f);
			state_is(&dev, MIG_RUNNING);
			vfio_close(&dev);
		}
	}
}

static void probe_features(const void *arg)
{
	static const unsigned int both = VFIO_DEVICE_FEATURE_GET |
					 VFIO_DEVICE_FEATURE_SET;
	struct vfio_dev dev;
	struct workload *w = workload_new();
	unsigned int state;

	(void)arg;
	bed_open(&dev, VF_A, &w->mem);
	must(vfio_feature(&dev, VFIO_DEVICE_FEATURE_MIGRATION,
			  VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET,
			  NULL, 0));
	must(vfio_feature(&dev, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
			  VFIO_DEVICE_FEATURE_PROBE | both, NULL, 0));
	must(vfio_feature(&dev, VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
			  VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET,
			  NULL, 0));
	check_eq(vfio_feature(&dev, VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
			      VFIO_DEVICE_FEATURE_PROBE |
			      VFIO_DEVICE_FEATURE_SET, NULL, 0),
		 -EINVAL, "probe for setting the data size");
	check_eq(vfio_feature(&dev, VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
			      VFIO_DEVICE_FEATURE_GET, &state, 4),
		 -EINVAL, "data size into 4 bytes");
	check_eq(vfio_feature(&dev, 0xfff0,
			      VFIO_DEVICE_FEATURE_PROBE, NULL, 0),
		 -ENOTTY, "a feature that nobody has");
}

static void size_in(struct vfio_dev *dev, unsigned int state, uint64_t *max,
		    uint64_t *min)
{
	uint64_t bytes;

	state_is(dev, state);
	must(vfio_mig_data_size(dev, &bytes));
	check(bytes, "%s: data size is 0 in %s", dev->bdf, mig_name(state));
	tap_note("data size in %-12s %llu", mig_name(state),
		 (unsigned long long)bytes);
	if (bytes > *max)
		*max = bytes;
	if (bytes < *min)
		*min = bytes;
	state_is(dev, state);
}

static void data_size(const void *arg)
{
	uint64_t max = 0, min = UINT64_MAX;
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	uint64_t bytes;
	int fd;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	size_in(&a, MIG_RUNNING, &max, &min);
	must(vfio_mig_set(&a, MIG_RUNNING_P2P, NULL));
	size_in(&a, MIG_RUNNING_P2P, &max, &min);
	must(vfio_mig_set(&a, MIG_STOP, NULL));
	size_in(&a, MIG_STOP, &max, &min);
	must(vfio_mig_set(&a, MIG_STOP_COPY, &fd));
	size_in(&a, MIG_STOP_COPY, &max, &min);
	must(mig_read(fd, &s, SIZE_MAX));
	must(vfio_mig_data_size(&a, &bytes));

	check(min >= s.len, "expected at least the stream's %zu bytes, got %llu",
	      s.len, (unsigned long long)min);
	check(max <= 4 * s.len + 65536,
	      "expected no more than some times the stream's %zu bytes, got %llu",
	      s.len, (unsigned long long)max);

	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	must(vfio_mig_data_size(&b, &bytes));
	must(mig_write(fd, s.data, s.len, 0));
	must(vfio_mig_data_size(&b, &bytes));
	must(vfio_mig_set(&b, MIG_STOP, NULL));
	must(vfio_mig_data_size(&b, &bytes));
	must(nvme_rebind(&w->ctrl, &b));
	must(mig_start(&b, NULL));
	workload_check(w);
}

/* asking for the size again and again must not disturb a busy controller */
static void size_under_load(const void *arg)
{
	struct vfio_dev a;
	uint64_t bytes;
	struct workload *w;
	int i;

	(void)arg;
	w = solo_open(&a, VF_A, NULL);
	for (i = 0; i < 20; i++) {
		workload_fill(w, 20);
		must(vfio_mig_data_size(&a, &bytes));
		workload_drain(w);
	}
	workload_check(w);
	workload_event(w);
}

/* @arg: why the PF has lost the ability; its VFs are as under vfio-pci then */
static void incapable_vf(const void *arg)
{
	struct place at = { bed.npf - 1, 0 };
	const char *bdf = bed.pf[at.pf].vf[at.vf];
	struct vfio_dev dev;
	struct workload *w;

	if (bed.set == SET_VENDOR && strcmp(arg, "lm=off"))
		tap_skip("the vendor set lists no formats");
	bed_need(at);
	model_set(at.pf, "%s", (const char *)arg);
	must(topo_rebind(bdf));
	w = workload_new();
	bed_open(&dev, at, &w->mem);
	plain_device(&dev);
	workload_start(w, &dev, NULL);
	workload_burst(w, 2);
	workload_event(w);
	workload_check(w);
	must(vfio_reset(&dev));
	plain_device(&dev);
	vfio_close(&dev);

	model_set(at.pf, "lm-no-format=\nlm=%s", bed_set_name(bed.set));
	must(topo_rebind(bdf));
	alive(&dev, at);
}

/*
 * It answers, although all answers together take longer than the wait for one
 * that never comes. Once is enough: a machine that does not let the host run for
 * four seconds makes the answers late as well. Then the driver does not warn.
 */
static void slow_identify(const void *arg)
{
	const struct place at = VF_A;
	struct vfio_dev dev;
	struct workload *w = workload_new();
	uint64_t f = 0;

	(void)arg;
	if (bed.set != SET_STANDARD)
		tap_skip("the vendor set is found by fewer commands");
	model_set(at.pf, "lm-identify-ms=%d", SLOW_IDENTIFY_MS);
	for (int i = 0; i < SLOW_TRIES && !(f & VFIO_MIGRATION_STOP_COPY); i++) {
		/* what it said of a try that failed */
		if (i)
			klog_start();
		must(topo_rebind(bed.pf[at.pf].vf[at.vf]));
		bed_open(&dev, at, &w->mem);
		if (vfio_mig_flags(&dev, &f))
			f = 0;
		vfio_close(&dev);
	}
	check(f & VFIO_MIGRATION_STOP_COPY, "no migration in %d tries",
	      SLOW_TRIES);
	model_set(at.pf, "lm-identify-ms=0");
	alive(&dev, at);
}

const struct tap_case probe_cases[] = {
	{ .name = "migration flags of every VF", .fn = flags },
	{ .name = "feature probes", .fn = probe_features },
	{ .name = "data size in every state", .fn = data_size },
	{ .name = "data size under load", .fn = size_under_load },
	{ .name = "a PF that answers slowly", .fn = slow_identify },
	{ .name = "VF of an incapable PF is a plain one", .fn = incapable_vf,
	  .arg = "lm=off" },
	{ .name = "VF of a PF without a version of states is a plain one",
	  .fn = incapable_vf, .arg = "lm-no-format=version" },
	{ .name = "VF of a PF without a format of the vendor's part is a plain one",
	  .fn = incapable_vf, .arg = "lm-no-format=uuid" },
	{ }
};
