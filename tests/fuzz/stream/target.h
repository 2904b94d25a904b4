/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * target.h - what libFuzzer calls, and what it offers.
 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <linux/types.h>

/* LLVMFuzzerTestOneInput - one input; any fault ends the process */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* LLVMFuzzerCustomMutator - change an input in place; Return: new size */
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max,
			       unsigned int seed);

/* LLVMFuzzerMutate - libFuzzer's own way to change an input */
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max);

#endif
