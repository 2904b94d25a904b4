/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * disturb.h - something happens to a PF, or a VF is removed, at a given time
 * during a migration.
 */
#ifndef NVME_VFIO_DISTURB_H
#define NVME_VFIO_DISTURB_H

#include <pthread.h>

#include "bed.h"
#include "beside.h"

/**
 * enum disturb_kind - what happens
 * @PF_RESET: the PF's controller is reset, its VFs are brought online again
 * @PF_REBIND: its driver is unbound and bound again, likewise
 * @VF_UNBIND: the VF is to leave its driver
 * @NO_VFS: sriov_numvfs=0
 * @NO_PF: and then the PF is removed, and found again
 *
 * From VF_UNBIND on a VF is removed, which waits for its user.
 */
enum disturb_kind { PF_RESET, PF_REBIND, VF_UNBIND, NO_VFS, NO_PF };

#define DISTURB_KINDS	5

/* private to disturb.c, but for @began_us: when it began, valid after disturb_wait() */
struct disturb {
	enum disturb_kind kind;
	struct place at;
	unsigned int delay_us;
	uint64_t began_us;
	pthread_t thread;
	struct beside taking;
};

/** disturb_name - for messages */
const char *disturb_name(enum disturb_kind kind);

static inline bool disturb_takes(enum disturb_kind kind)
{
	return kind >= VF_UNBIND;
}

/** disturb_start - let it happen in a while, to the PF of @at or to that VF */
void disturb_start(struct disturb *d, enum disturb_kind kind, struct place at,
		   unsigned int delay_us);

/**
 * disturb_wait - wait until it is over, or, if a VF is removed, until that
 * waits for its user
 */
void disturb_wait(struct disturb *d);

/** disturb_end - the user of the VF being removed has left: it comes back */
void disturb_end(struct disturb *d);

#endif
