/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * emu.h - the monitor of the emulator that this host runs in, for what happens
 * to a machine from outside. Hosts only have it with "host --monitor".
 */
#ifndef NVME_VFIO_EMU_H
#define NVME_VFIO_EMU_H

/**
 * emu_do - give the emulator a command, as people type it
 * @answer: how its answer has to begin; "" = it must be empty
 * @fmt: the command, printf style; no quotes or backslashes
 *
 * The case fails if it answers anything else.
 */
void emu_do(const char *answer, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
