/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wrapped.h - the linker's names for a function that a test replaces, and for the
 * one that it replaces (--wrap=strcmp).
 */
#ifndef WRAPPED_H
#define WRAPPED_H

int __real_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b);

#endif
