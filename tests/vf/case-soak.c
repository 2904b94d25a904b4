// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-soak.c - migrations in a row, back and forth between VFs of two drives,
 * with I/O in flight. All data is verified after each, and at the end the
 * kernel holds no more than it did after the first few.
 */
#include <stdio.h>

#include "leak.h"
#include "move.h"
#include "slab.h"
#include "soak.h"

#define WARM_UP		10

static void once(struct work *w, struct vfio_dev *from, struct vfio_dev *to)
{
	struct mig_stream s = { 0 };

	work_fill(w, 30);
	move(w, from, to, &s, NULL);
	mig_stream_free(&s);
	work_check(w);
	/* where the next one goes to must not have been in use */
	must(vfio_reset(from));
	must(vfio_irq_enable(from, to->nefd));
}

static void back_and_forth(struct work *w, struct vfio_dev *a,
			   struct vfio_dev *b, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		once(w, i % 2 ? b : a, i % 2 ? a : b);
	work_event(w);
}

static void in_a_row(const void *arg)
{
	unsigned int n = *(const unsigned int *)arg;
	static struct slab before;
	struct vfio_dev a, b;
	struct work *w;
	bool kmemleak;

	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	back_and_forth(w, &a, &b, WARM_UP);
	kmemleak = leak_forget();
	slab_take(&before);
	back_and_forth(w, &a, &b, n);
	slab_compare(&before, n);
	if (kmemleak)
		leak_check();
	tap_note("%lu pieces compared, %s", w->checked, kmemleak ?
		 "kmemleak finds nothing" : "this kernel has no kmemleak");
}

const struct tap_case *soak_cases(unsigned int migrations)
{
	static unsigned int n;
	static char name[48];
	static struct tap_case cases[2];

	/* back and forth: it ends where it began */
	n = migrations + migrations % 2;
	snprintf(name, sizeof(name), "%u migrations in a row", n);
	cases[0] = (struct tap_case){
		.name = name, .fn = in_a_row, .arg = &n,
		.limit_s = 300 + 6 * n,
	};
	return cases;
}
