/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * user.h - a VF's user in a process of its own, which can be killed whatever it
 * does.
 */
#ifndef NVME_VFIO_USER_H
#define NVME_VFIO_USER_H

#include <sys/types.h>

/**
 * user_start - a process that does something and then only waits
 * @fn: what it does
 * @then: what it does next, or NULL
 * @arg: for both
 *
 * Return: its pid, once @fn has returned.
 */
pid_t user_start(void (*fn)(void *arg), void (*then)(void *arg), void *arg);

/** user_closes - for @then: close a VF, which is the struct vfio_dev at @arg */
void user_closes(void *arg);

/** user_kill - by SIGKILL; returns when all it had open is closed */
void user_kill(pid_t pid);

#endif
