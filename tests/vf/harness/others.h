/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * others.h - the other VFs of a drive, whose users do not notice what happens
 * to VF_A: each does verified I/O all the time.
 */
#ifndef NVME_VFIO_OTHERS_H
#define NVME_VFIO_OTHERS_H

/** others_start - open and use the first PF's VFs except VF_A, at most 8 */
void others_start(void);

/** others_mark - from now on count what they do */
void others_mark(void);

/** others_did - each has done I/O since others_mark() */
void others_did(void);

/** others_stop - each continues, and all its data is right */
void others_stop(void);

#endif
