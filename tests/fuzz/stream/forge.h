/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * forge.h - change a stream in ways that its checksums do not reveal.
 *
 * Plain C types only: also used where the kernel's own headers are.
 */
#ifndef FUZZ_FORGE_H
#define FUZZ_FORGE_H

#include <stddef.h>
#include <stdint.h>

/**
 * forge_mend - correct the checksums of all records
 * @p: the stream; what is after the last whole record is left alone
 */
void forge_mend(uint8_t *p, size_t n);

/**
 * forge - change a stream at random
 * @p: the stream
 * @n: its length in bytes
 * @max: room at @p in bytes
 * @rnd: state of the random numbers, changed
 *
 * Changes one thing or a few: a field of a header or of a small record, the
 * payload, the order and number of records. Mostly all checksums are right
 * afterwards, and often offsets and sums too.
 *
 * Return: the new length.
 */
size_t forge(uint8_t *p, size_t n, size_t max, uint64_t *rnd);

#endif
