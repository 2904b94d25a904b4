// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c of iocheck - keep reads and writes in flight on a drive and verify every byte.
 *
 * Each worker owns a stretch of the drive and knows what each of its blocks
 * must hold: a block's contents follow from worker, block and sequence number,
 * so a lost, misplaced, stale or torn write shows on the next read. One worker
 * does nothing but rewrite and read the first block, whose sequence number can be
 * watched from outside with a clock that does not stop with the guest.
 *
 * In addition, if asked for, memory is verified: pages that only the drive
 * writes (pool.c) and pages that the processor changes at a given rate
 * (change.c).
 *
 * Workers wait for their I/O, so there are as many commands in flight as
 * workers, and one of the pool. Totals are printed each second. On "stop" in
 * standard input the workers finish, everything ever written is read back once,
 * and the last line has the totals. Exit status 0 only if no byte was wrong.
 *
 * Several may share a drive: each has a number, which is in its lines unless it is
 * 0, and a stretch of its own.
 *
 * usage: iocheck [-n NUMBER] [-p POOL-MIB] [-c CHANGED-KIB-PER-SECOND] DEVICE [WORKERS [BLOCKS-EACH]]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>
#include "iocheck.h"

#define MAX_RUN		16u		/* blocks per command at most */
#define MAX_WORKERS	32u

struct worker {
	pthread_t thread;
	unsigned int id;
	uint64_t first;			/* block on the drive */
	uint32_t blocks;
	uint64_t *seq;			/* last acknowledged write; 0: none */
	uint64_t rnd;
	uint64_t *buf;
	/* written by this worker, read by all */
	uint64_t writes, reads, verified;
};

int iocheck_fd;
atomic_bool iocheck_stop;
static struct worker workers[MAX_WORKERS];
static unsigned int nworkers;
static char name[24] = "iocheck";
static uint64_t errors;
static uint64_t started, last_done, longest_gap, longest_gap_at;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

void wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&lock);
	if (errors++ < 20) {
		printf("%s: ERROR ", name);
		vprintf(format, args);
		putchar('\n');
	}
	pthread_mutex_unlock(&lock);
	va_end(args);
}

static void verify(struct worker *w, const uint64_t *b, uint64_t place, uint64_t seq)
{
	char text[BLOCK_TEXT];

	w->verified++;
	if (!block_is(b, place, seq, text))
		wrong("worker %u block %" PRIu64 ": %s", w->id, place, text);
}

/* The drive answered: how long had it been silent? */
void io_done(void)
{
	uint64_t t = now(), before;

	pthread_mutex_lock(&lock);
	before = last_done;
	if (t > before) {
		if (before && t - before > longest_gap) {
			longest_gap = t - before;
			longest_gap_at = before - started;
		}
		last_done = t;
	}
	pthread_mutex_unlock(&lock);
}

static bool transfer(struct worker *w, bool write, uint32_t at, uint32_t n)
{
	off_t where = (off_t)(w->first + at) * BLOCK;
	ssize_t rc;

	rc = write ? pwrite(iocheck_fd, w->buf, n * BLOCK, where) : pread(iocheck_fd, w->buf, n * BLOCK, where);
	io_done();
	if (rc == (ssize_t)(n * BLOCK))
		return true;
	wrong("worker %u block %" PRIu64 ": %s of %u blocks gave %zd (%s)", w->id, w->first + at,
	      write ? "write" : "read", n, rc, rc < 0 ? strerror(errno) : "short");
	return false;
}

static void write_blocks(struct worker *w, uint32_t at, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		block_fill(w->buf + i * WORDS, w->first + at + i, w->seq[at + i] + 1);
	if (!transfer(w, true, at, n))
		return;
	for (i = 0; i < n; i++)
		w->seq[at + i]++;
	w->writes++;
}

static void read_blocks(struct worker *w, uint32_t at, uint32_t n)
{
	uint32_t i;

	memset(w->buf, 0xa5, n * BLOCK);
	if (!transfer(w, false, at, n))
		return;
	for (i = 0; i < n; i++)
		if (w->seq[at + i])
			verify(w, w->buf + i * WORDS, w->first + at + i, w->seq[at + i]);
	w->reads++;
}

static uint32_t below(struct worker *w, uint32_t limit)
{
	w->rnd = mix(w->rnd + 0x632be59bd9b4e019ull);
	return w->rnd % limit;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!iocheck_stop) {
		uint32_t n = 1 + below(w, w->blocks < MAX_RUN ? w->blocks : MAX_RUN);
		uint32_t at = below(w, w->blocks - n + 1);

		if (!w->id || below(w, 2))
			write_blocks(w, at, n);
		if (!w->id || below(w, 2))
			read_blocks(w, at, n);
	}
	return NULL;
}

/*
 * Characters on a guest's console are expensive: each second's line is short.
 */
static void print_totals(const char *what, bool all)
{
	uint64_t wr = 0, rd = 0, ve = 0;
	unsigned int i;

	for (i = 0; i < nworkers; i++) {
		wr += workers[i].writes;
		rd += workers[i].reads;
		ve += workers[i].verified;
	}
	pthread_mutex_lock(&lock);
	printf("%s: %s ms=%" PRIu64 " writes=%" PRIu64 " verified=%" PRIu64 " ",
	       name, what, (now() - started) / 1000, wr, ve);
	pool_totals(all);
	change_totals(all);
	if (all)
		printf("reads=%" PRIu64 " gap_us=%" PRIu64 " gap_at_ms=%" PRIu64 " ",
		       rd, longest_gap, longest_gap_at / 1000);
	printf("errors=%" PRIu64 ";\n", errors);
	pthread_mutex_unlock(&lock);
}

/*
 * Verifies every block ever written once more, after the last write is
 * acknowledged.
 */
static uint64_t read_back(void)
{
	uint64_t count = 0;
	uint32_t at, k, n;
	unsigned int i;

	for (i = 0; i < nworkers; i++)
		for (at = 0; at < workers[i].blocks; at += n) {
			n = workers[i].blocks - at < MAX_RUN ? workers[i].blocks - at : MAX_RUN;
			read_blocks(&workers[i], at, n);
			for (k = 0; k < n; k++)
				count += workers[i].seq[at + k] != 0;
		}
	return count;
}

static bool told_to_stop(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char text[64] = "";

	if (poll(&p, 1, 1000) < 1)
		return false;
	if (read(STDIN_FILENO, text, sizeof(text) - 1) <= 0)
		usleep(100000);
	return strstr(text, "stop");
}

static int usage(void)
{
	fprintf(stderr, "usage: iocheck [-n NUMBER] [-p POOL-MIB] [-c CHANGED-KIB-PER-SECOND] DEVICE [WORKERS [BLOCKS-EACH]]\n");
	return 2;
}

int main(int argc, char **argv)
{
	uint64_t size, mine, before, back;
	uint32_t number = 0, pool = 0, change = 0, each;
	unsigned int i;
	int c;

	while ((c = getopt(argc, argv, "n:p:c:")) != -1)
		switch (c) {
		case 'n':
			number = atoi(optarg);
			break;
		case 'p':
			pool = atoi(optarg);
			break;
		case 'c':
			change = atoi(optarg);
			break;
		default:
			return usage();
		}
	argc -= optind;
	argv += optind;
	setvbuf(stdout, NULL, _IOLBF, 0);
	nworkers = argc > 1 ? atoi(argv[1]) : 5;
	each = argc > 2 ? atoi(argv[2]) : 512;
	if (argc < 1 || nworkers < 2 || nworkers > MAX_WORKERS || each < MAX_RUN)
		return usage();
	iocheck_fd = open(argv[0], O_RDWR | O_DIRECT);
	if (iocheck_fd < 0 || ioctl(iocheck_fd, BLKGETSIZE64, &size)) {
		perror(argv[0]);
		return 1;
	}
	mine = (uint64_t)nworkers * each + POOL_BLOCKS;
	before = number * mine;
	if ((before + mine) * BLOCK > size) {
		fprintf(stderr, "iocheck: %s is smaller than %" PRIu64 " bytes\n", argv[0],
			(before + mine) * BLOCK);
		return 1;
	}
	if (number)
		snprintf(name, sizeof(name), "iocheck %u", number);
	started = now();
	if ((pool && !pool_start(pool, before + (uint64_t)nworkers * each)) ||
	    (change && !change_start(change)))
		return 1;
	for (i = 0; i < nworkers; i++) {
		struct worker *w = &workers[i];

		w->id = i;
		w->first = before + (uint64_t)i * each;
		w->blocks = i ? each : 1;
		w->rnd = mix(i + 1);
		w->seq = calloc(w->blocks, sizeof(*w->seq));
		w->buf = aligned_alloc(BLOCK, MAX_RUN * BLOCK);
		if (!w->seq || !w->buf || pthread_create(&w->thread, NULL, work, w)) {
			fprintf(stderr, "iocheck: no memory for worker %u\n", i);
			return 1;
		}
	}
	while (!told_to_stop())
		print_totals("so far", false);
	iocheck_stop = true;
	for (i = 0; i < nworkers; i++)
		pthread_join(workers[i].thread, NULL);
	pool_end();
	change_end();
	back = read_back();
	printf("%s: read back %" PRIu64 "\n", name, back);
	print_totals("end", true);
	return errors ? 1 : 0;
}
