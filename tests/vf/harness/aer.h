/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * aer.h - errors that the port above a PF reports, and what the kernel makes of
 * them. In hosts with the emulator's monitor only.
 */
#ifndef NVME_VFIO_AER_H
#define NVME_VFIO_AER_H

#include <stdbool.h>

#define AER_NONFATAL	"COMP_TIME"	/* completion timeout */
#define AER_FATAL	"DLP"		/* data link protocol error */

/** aer_log - follow the kernel log from now on. Return: a file, close() it */
int aer_log(void);

/** aer_await - wait until the kernel logs @what. Return: the text after it */
const char *aer_await(int log, const char *what);

/** aer_inject - the port above a PF reports an error, AER_* */
void aer_inject(int pf, const char *error);

/** aer_recovered - wait for the end. Return: the kernel reports success */
bool aer_recovered(int log);

#endif
