/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cert_record.h - which VFs certify is working on, for whoever has to restore
 * them if it could not.
 */
#ifndef NVME_VFIO_CERT_RECORD_H
#define NVME_VFIO_CERT_RECORD_H

#include "cert.h"

/**
 * cert_record_begin - before the first command
 * cert_record_end - all is as it was
 *
 * Return: TOOL_OK, or a code after saying why.
 */
int cert_record_begin(const struct cert *c);
void cert_record_end(const struct cert *c);

/** cert_record_is - is there a run for this PF that did not finish? */
bool cert_record_is(const struct cert *c);

#endif
