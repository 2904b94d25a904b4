// SPDX-License-Identifier: GPL-2.0-only
/*
 * cid_tracker.c - which command ids of one queue are with the device.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cid_tracker.h"

enum { ID_NEW, ID_OUT, ID_DONE };

int cid_tracker_init(struct cid_tracker *l)
{
	memset(l, 0, sizeof(*l));
	l->state = calloc(CID_TRACKER_IDS, sizeof(*l->state));
	l->owner = calloc(CID_TRACKER_IDS, sizeof(*l->owner));
	if (l->state && l->owner)
		return 0;
	cid_tracker_free(l);
	return -ENOMEM;
}

void cid_tracker_free(struct cid_tracker *l)
{
	free(l->state);
	free(l->owner);
	memset(l, 0, sizeof(*l));
}

int cid_tracker_take(struct cid_tracker *l, void *owner)
{
	unsigned int id;

	if (l->out == CID_TRACKER_IDS)
		return -EBUSY;
	while (l->state[l->next] == ID_OUT)
		l->next = (l->next + 1) % CID_TRACKER_IDS;
	id = l->next;
	l->next = (l->next + 1) % CID_TRACKER_IDS;
	l->state[id] = ID_OUT;
	l->owner[id] = owner;
	l->out++;
	l->taken++;
	return id;
}

int cid_tracker_done(struct cid_tracker *l, uint16_t id, void **owner)
{
	*owner = NULL;
	if (id >= CID_TRACKER_IDS || l->state[id] == ID_NEW) {
		l->unknown++;
		return -ENOENT;
	}
	if (l->state[id] == ID_DONE) {
		l->doubled++;
		return -EALREADY;
	}
	*owner = l->owner[id];
	l->owner[id] = NULL;	/* it may be gone when a second one comes */
	l->state[id] = ID_DONE;
	l->out--;
	l->done++;
	return 0;
}

int cid_tracker_first_out(const struct cid_tracker *l, unsigned int from)
{
	for (; from < CID_TRACKER_IDS; from++)
		if (l->state[from] == ID_OUT)
			return from;
	return -ENOENT;
}
