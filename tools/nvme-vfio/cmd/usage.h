/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * usage.h - messages about command lines that make no sense.
 */
#ifndef NVME_VFIO_USAGE_H
#define NVME_VFIO_USAGE_H

#include <stdbool.h>

/**
 * usage_begin - command lines are read from here on
 *
 * What argp says meanwhile is an error like any other: no terminal gets control
 * characters by it, and JSON has it as well.
 */
void usage_begin(int argc, char **argv);

/** usage_end - they have been read, or the program ends because of one */
void usage_end(void);

/** usage_json - the command line has the option for JSON, read or not */
bool usage_json(void);

#endif
