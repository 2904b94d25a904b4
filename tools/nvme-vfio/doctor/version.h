/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * version.h - which version of a program is installed.
 */
#ifndef NVME_VFIO_VERSION_H
#define NVME_VFIO_VERSION_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct version - version of a program
 * @path: where it is; empty: it is not there
 * @known: it said its version
 */
struct version {
	char path[256];
	bool known;
	unsigned int major;
	unsigned int minor;
	unsigned int micro;
};

/**
 * version_find - run the first of some programs with --version
 * @v: filled in
 * @names: their names, NULL at the end; looked for in PATH and where
 *	distributions put what is not meant for PATH
 */
void version_find(struct version *v, const char *const *names);

/** version_parse - "10.0.2"; false if it is none */
bool version_parse(struct version *v, const char *text);

/** version_before - is @v older than @major.@minor? */
bool version_before(const struct version *v, unsigned int major,
		    unsigned int minor);

#endif
