/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * file.h - streams in files.
 */
#ifndef NVME_VFIO_FILE_H
#define NVME_VFIO_FILE_H

#include <stdbool.h>

#include "tap.h"

/**
 * file_cases - the one case with a file
 * @path: of the file
 * @is_load: it is there, and is to be loaded
 */
const struct tap_case *file_cases(const char *path, bool is_load);

#endif
