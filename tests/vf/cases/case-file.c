// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-file.c - streams that are kept in a file: what one version of the driver
 * sent is accepted by another, on the same host, one after the other.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cases.h"
#include "file.h"
#include "move.h"

static void save(const void *arg)
{
	const char *path = arg;
	struct mig_stream s = { 0 };
	struct vfio_dev a;
	struct workload *w = solo_open(&a, VF_A, NULL);
	FILE *f;

	workload_burst(w, 20);
	workload_fill(w, 20);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	f = fopen(path, "wb");
	check(f && fwrite(s.data, 1, s.len, f) == s.len && !fclose(f),
	      "%s: %s", path, strerror(errno));
	tap_note("%zu bytes", s.len);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
}

static void load(const void *arg)
{
	const char *path = arg;
	struct mig_stream s = { 0 };
	uint8_t block[4096];
	struct workload *w = workload_new();
	struct vfio_dev b;
	size_t n;
	FILE *f = fopen(path, "rb");

	check(f, "%s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), f)))
		must(mig_stream_append(&s, block, n));
	fclose(f);
	bed_open(&b, VF_C, &w->mem);
	/* the device verifies all of it; the memory to run on is not here */
	must(mig_load(&b, &s, 0, NULL));
	must(vfio_reset(&b));
	alive(&b, VF_C);
}

const struct tap_case *file_cases(const char *path, bool is_load)
{
	static struct tap_case one[2];

	one[0].name = is_load ? "a stream of a file is taken" :
				"a stream is kept in a file";
	one[0].fn = is_load ? load : save;
	one[0].arg = path;
	one[0].limit_s = 60;
	one[0].log = "";
	return one;
}
