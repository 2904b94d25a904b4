/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ini.h - files of lines: [section], key = value, comments. What the words mean
 * does not matter here.
 */
#ifndef NVME_VFIO_INI_H
#define NVME_VFIO_INI_H

#include <stdbool.h>

/**
 * struct ini_calls - what is called for the lines of a file, in their order
 * @section: a section begins; NULL for its name: one whose line was a mistake
 * @setting: a key with its value, which may be empty
 * @mistake: a line is none of these
 *
 * Each returns whether to read on. Texts are without blanks at their ends, and only
 * there during the call.
 */
struct ini_calls {
	bool (*section)(void *arg, int line, const char *name);
	bool (*setting)(void *arg, int line, const char *key, const char *value);
	bool (*mistake)(void *arg, int line, const char *what);
};

/**
 * ini_read - read a file
 * @arg: passed to the calls
 *
 * /dev/null is an empty file; what else is no regular file is not read.
 *
 * Return: NULL, or why the file could not be read.
 */
const char *ini_read(const char *path, const struct ini_calls *calls, void *arg);

#endif
