/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * emu.h - the monitor of the emulator that this host runs in, for what happens
 * to a machine from outside. Hosts have it with "host --monitor" only.
 */
#ifndef NVME_VFIO_EMU_H
#define NVME_VFIO_EMU_H

/**
 * emu_do - give the emulator a command, as people type them
 * @answer: how its answer has to begin; "" = it must say nothing
 * @fmt: the command, printf style; no quotes or backslashes
 *
 * The case fails when it answers something else.
 */
void emu_do(const char *answer, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
