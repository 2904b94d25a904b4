/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iocheck.h - what the parts of iocheck share: what a block holds, where
 * errors go, the drive.
 */
#ifndef IOCHECK_H
#define IOCHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BLOCK		4096u
#define WORDS		(BLOCK / sizeof(uint64_t))
#define BLOCK_TEXT	160		/* room for what is wrong with a block */
#define POOL_BLOCKS	2048u		/* blocks of the drive that the pool reads */

extern int iocheck_fd;
extern atomic_bool iocheck_stop;

/* microseconds of the guest's clock */
uint64_t now(void);
/* report what is wrong, and count it */
void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* the drive answered */
void io_done(void);

/*
 * A block's contents follow from two numbers, its place and a sequence number;
 * two blocks have a word in common only by chance.
 */
uint64_t mix(uint64_t x);
void block_fill(uint64_t *b, uint64_t place, uint64_t seq);
/* whether b holds exactly that; if not, text says what it holds */
bool block_is(const uint64_t *b, uint64_t place, uint64_t seq, char *text);

bool pool_start(uint32_t mib, uint64_t first_block);
void pool_end(void);
void pool_totals(bool all);

bool change_start(uint32_t kib_per_second);
void change_end(void);
void change_totals(bool all);

#endif
