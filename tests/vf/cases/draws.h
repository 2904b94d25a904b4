/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * draws.h - migrations between drives that were drawn by chance.
 */
#ifndef NVME_VFIO_DRAWS_H
#define NVME_VFIO_DRAWS_H

#include "tap.h"

/**
 * drawn_cases - a case for each pair of drives
 * @path: a line for each: a name, "sure" if a guest has no reason to stay, a
 *	colon, properties of the source's, a bar, and those of the destination's,
 *	separated by blanks
 *
 * Return: the cases, none when there are none.
 */
const struct tap_case *drawn_cases(const char *path);

#endif
