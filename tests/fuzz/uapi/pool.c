// SPDX-License-Identifier: GPL-2.0-only
/*
 * pool.c - streams of real states, unchanged or changed: in single bytes, or
 * with checksums that are correct again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forge.h"
#include "fuzz.h"
#include "nvme_ctrl.h"

#define ROOM	8192		/* by how much a changed stream may grow */

static struct mig_stream pool[3];
static unsigned int npool;

static void take_one(struct vf *v)
{
	must(mig_stop(&v->dev, NULL));
	must(mig_save(&v->dev, &pool[npool], NULL));
	must(vfio_reset(&v->dev));
	npool++;
}

void pool_fill(struct vf *v)
{
	struct nvme_ctrl c;

	take_one(v);			/* a controller that is disabled */

	must(nvme_enable(&c, &v->dev, &v->mem, 32));
	must(nvme_io_add(&c, 16, 16, false));
	take_one(v);			/* one that is enabled */
	nvme_release(&c);

	model_set(v->at.pf, "lm-pad=%d", bed.set == SET_VENDOR ? 20000 : 300000);
	take_one(v);			/* a state of several commands */
	model_set(v->at.pf, "lm-pad=0");
	v->mem.used = 0;
}

int pool_take(struct thread *t, struct mig_stream *s)
{
	const struct mig_stream *from = &pool[rnd(t, npool)];
	unsigned int times;

	s->len = 0;
	s->room = from->len + ROOM;
	s->data = malloc(s->room);
	if (!s->data)
		return -ENOMEM;
	memcpy(s->data, from->data, from->len);
	s->len = from->len;

	switch (rnd(t, 8)) {
	case 0:		/* a flipped bit */
		s->data[rnd(t, s->len)] ^= 1 << rnd(t, 8);
		break;
	case 1:		/* cut off */
		s->len = rnd(t, s->len);
		break;
	case 2:
	case 3:
	case 4:
		for (times = 1 + rnd(t, 3); times; times--)
			s->len = forge(s->data, s->len, s->room, &t->rnd);
		break;
	}
	return 0;
}
