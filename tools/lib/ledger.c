// SPDX-License-Identifier: GPL-2.0-only
/*
 * ledger.c - which command ids of one queue are with the device.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"

enum { ID_NEW, ID_OUT, ID_DONE };

int ledger_init(struct ledger *l)
{
	memset(l, 0, sizeof(*l));
	l->state = calloc(LEDGER_IDS, sizeof(*l->state));
	l->owner = calloc(LEDGER_IDS, sizeof(*l->owner));
	if (l->state && l->owner)
		return 0;
	ledger_free(l);
	return -ENOMEM;
}

void ledger_free(struct ledger *l)
{
	free(l->state);
	free(l->owner);
	memset(l, 0, sizeof(*l));
}

int ledger_take(struct ledger *l, void *owner)
{
	unsigned int id;

	if (l->out == LEDGER_IDS)
		return -EBUSY;
	while (l->state[l->next] == ID_OUT)
		l->next = (l->next + 1) % LEDGER_IDS;
	id = l->next;
	l->next = (l->next + 1) % LEDGER_IDS;
	l->state[id] = ID_OUT;
	l->owner[id] = owner;
	l->out++;
	l->taken++;
	return id;
}

int ledger_done(struct ledger *l, uint16_t id, void **owner)
{
	*owner = NULL;
	if (id >= LEDGER_IDS || l->state[id] == ID_NEW) {
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

int ledger_first_out(const struct ledger *l, unsigned int from)
{
	for (; from < LEDGER_IDS; from++)
		if (l->state[from] == ID_OUT)
			return from;
	return -ENOENT;
}
