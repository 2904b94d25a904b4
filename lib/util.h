/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * util.h - time, messages and small sysfs access, shared by the library.
 */
#ifndef NVME_VFIO_UTIL_H
#define NVME_VFIO_UTIL_H

#include <stddef.h>
#include <stdint.h>

#define LIB_MSG_MAX	256

/**
 * lib_msg - why the last library call of this process failed
 *
 * Return: one line without a newline; empty when nothing has failed yet.
 * The text stays until the next failure.
 */
const char *lib_msg(void);

/**
 * lib_fail - record a one-line message for an error
 * @err: negative errno
 * @fmt: printf format, without newline
 *
 * Return: @err, so that a caller can return it.
 */
int lib_fail(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** now_us - monotonic time in microseconds */
uint64_t now_us(void);

/** sleep_us - sleep @us microseconds */
void sleep_us(unsigned int us);

/**
 * sysfs_read - read a small text file, without its trailing newline
 * @buf: filled with a NUL-terminated string
 * @len: size of @buf in bytes
 * @fmt: printf format of the path
 *
 * Return: length of the text, or a negative errno.
 */
int sysfs_read(char *buf, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * sysfs_write - write a text to a file
 *
 * Return: 0, or a negative errno.
 */
int sysfs_write(const char *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * sysfs_link - last component of what a symbolic link points at
 *
 * Return: 0, or a negative errno (-ENOENT: no such link).
 */
int sysfs_link(char *buf, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
