/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * known.h - texts that may occur only once, and where they did first.
 */
#ifndef NVME_VFIO_KNOWN_H
#define NVME_VFIO_KNOWN_H

/** struct known - a tree of them; all 0: none yet */
struct known {
	void *root;
};

/**
 * known_add - remember a text, unless it is known
 * @text: not copied
 * @where: where it is; not copied
 * @first: set: where it was first; NULL: it is new
 *
 * Return: TOOL_OK, or TOOL_FAILED without saying it if there is no memory.
 */
int known_add(struct known *k, const char *text, const char *where,
	      const char **first);

/** known_free - forget them */
void known_free(struct known *k);

#endif
