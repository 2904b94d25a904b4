// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-size.c - states of all sizes: padding of the device model brings the
 * state up to, and just over, the sizes at which the driver needs one more
 * command. The model checks every byte of the padding, so a lost or swapped
 * piece shows.
 */
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "drive.h"
#include "move.h"

#define MAX_PAD		(2 << 20)
#define MIB		(1 << 20)

static void pad(long bytes)
{
	int p;

	for (p = 0; p < bed.npf; p++)
		model_set(p, "lm-pad=%ld", bytes);
}

/* a whole migration with I/O in flight at a given padding */
static size_t move_padded(long bytes)
{
	struct mig_stream s = { 0 };
	struct mig_times t;
	struct vfio_dev a, b;
	struct workload *w;
	uint64_t size;
	size_t len;

	pad(bytes);
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	must(vfio_mig_data_size(&a, &size));
	workload_fill(w, 30);
	memset(&t, 0, sizeof(t));
	move(w, &a, &b, &s, &t);
	check(s.len > (size_t)bytes, "state of %zu bytes with %ld of padding",
	      s.len, bytes);
	check(size >= s.len, "data size %llu, the stream has %zu bytes",
	      (unsigned long long)size, s.len);
	workload_check(w);
	workload_event(w);
	tap_note("padding %8ld: stream %zu bytes; get %llu ms, set %llu ms",
		 bytes, s.len,
		 (unsigned long long)(t.us[MIG_ARC_SRC_COPY] +
				      t.us[MIG_ARC_SRC_READ]) / 1000,
		 (unsigned long long)(t.us[MIG_ARC_DST_WRITE] +
				      t.us[MIG_ARC_DST_STOP]) / 1000);
	len = s.len;
	mig_stream_free(&s);
	vfio_close(&a);
	vfio_close(&b);
	workload_free(w);
	return len;
}

/* how many Get commands a save takes at a padding */
static long gets_at(struct vfio_dev *dev, long bytes)
{
	struct mig_stream s = { 0 };
	long n;

	pad(bytes);
	model_zero(0);
	must(mig_stop(dev, NULL));
	must(mig_save(dev, &s, NULL));
	must(vfio_mig_set(dev, MIG_RUNNING, NULL));
	n = model_count(0, NVME_MIG_RECV, 0);
	mig_stream_free(&s);
	return n;
}

/* largest padding from @low on at which a save takes @gets commands */
static long edge_after(struct vfio_dev *dev, long low, long gets)
{
	long high = MAX_PAD;

	while (high - low > 4) {
		long mid = (low + (high - low) / 2) & ~3L;

		if (gets_at(dev, mid) <= gets)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/*
 * These sizes depend on limits of the PF's queue and on how large the state is,
 * so they are searched for, not assumed.
 */
static void edges(const void *arg)
{
	unsigned int want = *(const unsigned int *)arg;
	struct vfio_dev a, b;
	struct workload *w;
	long edge, first, gets;

	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set moves the state in one command");
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	gets = gets_at(&a, 0);
	check_eq(gets, 1, "Get commands of a small state");
	check(gets_at(&a, MAX_PAD) > gets,
	      "expected a state of %d bytes to need more than %ld commands",
	      MAX_PAD, gets);
	edge = first = edge_after(&a, 0, gets);
	if (want > 1) {
		edge = edge_after(&a, first, gets + want - 1);
		tap_note("%u commands carry %ld bytes more than 1", want,
			 edge - first);
		check_eq((edge - first) % ((want - 1) * 4096), 0,
			 "bytes beyond whole pages per command");
	}
	workload_check(w);
	vfio_close(&a);
	vfio_close(&b);
	workload_free(w);

	tap_note("%u commands up to a padding of %ld bytes", want, edge);
	move_padded(edge);
	move_padded(edge + 4);
}

/* the shortest check that every piece arrives */
static void some_chunks(const void *arg)
{
	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set moves the state in one command");
	move_padded(600004);
}

static void large(const void *arg)
{
	long mib = *(const long *)arg;

	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set moves the state in one command");
	if (bed.max_state_mb && mib >= bed.max_state_mb)
		tap_skip("the driver's limit is %ld MiB", bed.max_state_mb);
	move_padded(mib * MIB);
}

/* refused with an errno that says so, and the controller continues */
static void expect_too_large(struct workload *w, struct vfio_dev *dev)
{
	struct mig_stream s = { 0 };
	unsigned int state;
	int err;

	workload_fill(w, 20);
	must(mig_stop(dev, NULL));
	err = mig_save(dev, &s, NULL);
	check(err, "expected a refusal, got a state of %zu bytes", s.len);
	check(sane_errno(err), "expected a sensible errno, got %d", err);
	tap_note("refused: %s", lib_msg());
	must(vfio_mig_get(dev, &state));
	check(state == MIG_STOP, "expected to stay in STOP, it is %s",
	      mig_name(state));
	pad(0);
	must(vfio_mig_set(dev, MIG_RUNNING, NULL));
	workload_check(w);
	workload_event(w);
}

static void above_cap(const void *arg)
{
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("one command carries less than the limit");
	if (access(CAP_PARAM, W_OK))
		tap_skip("%s cannot be changed", CAP_PARAM);
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	must(sysfs_write("1", CAP_PARAM));
	pad(2 * MIB);
	expect_too_large(w, &a);
}

/* is a blob with that padding small enough for one command? */
static bool vendor_fits(struct vfio_dev *dev, long bytes)
{
	struct mig_stream s = { 0 };
	int err;

	pad(bytes);
	must(mig_stop(dev, NULL));
	err = mig_save(dev, &s, NULL);
	must(vfio_mig_set(dev, MIG_RUNNING, NULL));
	mig_stream_free(&s);
	return !err;
}

static void vendor_edge(const void *arg)
{
	long low = 0, high = MAX_PAD;
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	if (bed.set != SET_VENDOR)
		tap_skip("the standard set moves the state in pieces");
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	check(vendor_fits(&a, low), "a small blob is refused: %s", lib_msg());
	check(!vendor_fits(&a, high), "a blob of %ld bytes is accepted", high);
	while (high - low > 4) {
		long mid = (low + (high - low) / 2) & ~3L;

		if (vendor_fits(&a, mid))
			low = mid;
		else
			high = mid;
	}
	tap_note("one command carries a padding of %ld bytes", low);
	check(low >= 65536 || low >= (long)drive_carries(0) / 2,
	      "expected at least 64 KiB in one command");
	workload_check(w);
	pad(high);
	expect_too_large(w, &a);
	vfio_close(&a);
	vfio_close(&b);
	workload_free(w);
	move_padded(low);
	move_padded(low / 2 & ~3L);
}

static const unsigned int one = 1, two = 2, four = 4;
static const long mib1 = 1, mib4 = 4, mib16 = 16;

const struct tap_case size_cases[] = {
	{ .name = "state of several pieces", .fn = some_chunks,
	  .quick = true },
	{ .name = "state of exactly 1 piece, and 4 bytes more", .fn = edges,
	  .arg = &one, .limit_s = 90 },
	{ .name = "state of exactly 2 pieces, and 4 bytes more", .fn = edges,
	  .arg = &two, .limit_s = 90,
	  .deep = true },
	{ .name = "state of exactly 4 pieces, and 4 bytes more", .fn = edges,
	  .arg = &four, .limit_s = 90,
	  .deep = true },
	{ .name = "state of more than 1 MiB", .fn = large, .arg = &mib1,
	  .deep = true },
	{ .name = "state of more than 4 MiB", .fn = large, .arg = &mib4,
	  .deep = true },
	{ .name = "state of more than 16 MiB", .fn = large, .arg = &mib16,
	  .limit_s = 90 },
	{ .name = "state above the driver's limit is refused",
	  .fn = above_cap, .limit_s = 60, .log = "max_state_mb" },
	{ .name = "largest blob of one command, and 4 bytes more",
	  .fn = vendor_edge, .limit_s = 90, .log = "" },
	{ }
};
