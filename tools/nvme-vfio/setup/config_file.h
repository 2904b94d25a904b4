/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * config_file.h - what config_load.c needs of config.c.
 */
#ifndef NVME_VFIO_CONFIG_FILE_H
#define NVME_VFIO_CONFIG_FILE_H

#include "config.h"

/**
 * config_file - read one file
 * @all: say all that is wrong, not only the first
 * @c: gets its sections in addition
 *
 * Return: TOOL_OK; TOOL_CONFIG after saying what is wrong in which line.
 */
int config_file(const char *path, bool all, struct config *c);

#endif
