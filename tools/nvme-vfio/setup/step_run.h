/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * step_run.h - what step_run.c needs of step.c.
 */
#ifndef NVME_VFIO_STEP_RUN_H
#define NVME_VFIO_STEP_RUN_H

#include "step.h"

/** step_do - do a step. Return: TOOL_OK, or a code after saying why. */
int step_do(const struct step_ctx *ctx, struct step *st);

/** step_undo - undo a step that was done. Return: as step_do(). */
int step_undo(const struct step_ctx *ctx, struct step *st);

#endif
