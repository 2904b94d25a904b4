// SPDX-License-Identifier: GPL-2.0-only
/*
 * iocheck - keep reads and writes in flight on a drive and verify every byte.
 *
 * Each worker owns a stretch of the drive and knows what each of its blocks
 * must hold: a block's contents follow from worker, block and sequence number,
 * so a lost, misplaced, stale or torn write shows on the next read. One worker
 * does nothing but rewrite and read block 0, whose sequence number can be
 * watched from outside with a clock that does not stop with the guest.
 *
 * Workers wait for their I/O, so commands in flight = workers. A second's
 * totals are printed each second. On "stop" in standard input the workers
 * finish, everything ever written is read back once, and the last line has the
 * totals. Exit status 0 only if not one byte was wrong.
 *
 * usage: iocheck DEVICE [WORKERS [BLOCKS-EACH]]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

#define BLOCK		4096u
#define WORDS		(BLOCK / sizeof(uint64_t))
#define MAGIC		0x6b636568636f6921ull
#define MAX_RUN		16u		/* blocks per command at most */
#define MAX_WORKERS	32u

enum { W_MAGIC, W_PLACE, W_SEQ, W_FIRST };

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

static int fd;
static volatile bool stop;
static struct worker workers[MAX_WORKERS];
static unsigned int nworkers;
static uint64_t errors;
static uint64_t started, last_done, longest_gap, longest_gap_at;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15ull;
	x ^= x >> 29;
	x *= 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

/* What all words of a block's filling are derived from, and word i of it */
static uint64_t seed(uint64_t place, uint64_t seq)
{
	return mix(place + (seq << 20));
}

static uint64_t word(uint64_t base, unsigned int i)
{
	return (base + i) * 0x9e3779b97f4a7c15ull;
}

static void fill(uint64_t *b, uint64_t place, uint64_t seq)
{
	uint64_t base = seed(place, seq);
	unsigned int i;

	b[W_MAGIC] = MAGIC;
	b[W_PLACE] = place;
	b[W_SEQ] = seq;
	for (i = W_FIRST; i < WORDS; i++)
		b[i] = word(base, i);
}

static void wrong(const struct worker *w, uint64_t place, const char *what,
		  uint64_t got, uint64_t want)
{
	pthread_mutex_lock(&lock);
	if (errors++ < 20)
		printf("iocheck: ERROR worker %u block %" PRIu64 " %s: %" PRIx64 ", not %" PRIx64 "\n",
		       w->id, place, what, got, want);
	pthread_mutex_unlock(&lock);
}

static void verify(struct worker *w, const uint64_t *b, uint64_t place, uint64_t seq)
{
	uint64_t base = seed(place, seq);
	unsigned int i;

	w->verified++;
	if (b[W_MAGIC] != MAGIC)
		return wrong(w, place, "magic", b[W_MAGIC], MAGIC);
	if (b[W_PLACE] != place)
		return wrong(w, place, "holds another block", b[W_PLACE], place);
	if (b[W_SEQ] != seq)
		return wrong(w, place, "sequence", b[W_SEQ], seq);
	for (i = W_FIRST; i < WORDS; i++)
		if (b[i] != word(base, i))
			return wrong(w, place, "contents", b[i], word(base, i));
}

/* The drive answered: how long had nobody heard of it? */
static void done(void)
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

	rc = write ? pwrite(fd, w->buf, n * BLOCK, where) : pread(fd, w->buf, n * BLOCK, where);
	done();
	if (rc == (ssize_t)(n * BLOCK))
		return true;
	wrong(w, w->first + at, write ? "write failed" : "read failed",
	      rc < 0 ? (uint64_t)errno : (uint64_t)rc, n * BLOCK);
	return false;
}

static void write_blocks(struct worker *w, uint32_t at, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		fill(w->buf + i * WORDS, w->first + at + i, w->seq[at + i] + 1);
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

	while (!stop) {
		uint32_t n = 1 + below(w, w->blocks < MAX_RUN ? w->blocks : MAX_RUN);
		uint32_t at = below(w, w->blocks - n + 1);

		if (!w->id || below(w, 2))
			write_blocks(w, at, n);
		if (!w->id || below(w, 2))
			read_blocks(w, at, n);
	}
	return NULL;
}

static void print_totals(const char *what)
{
	uint64_t wr = 0, rd = 0, ve = 0;
	unsigned int i;

	for (i = 0; i < nworkers; i++) {
		wr += workers[i].writes;
		rd += workers[i].reads;
		ve += workers[i].verified;
	}
	printf("iocheck: %s ms=%" PRIu64 " writes=%" PRIu64 " reads=%" PRIu64 " verified=%" PRIu64
	       " errors=%" PRIu64 " gap_us=%" PRIu64 " gap_at_ms=%" PRIu64 "\n",
	       what, (now() - started) / 1000, wr, rd, ve, errors, longest_gap,
	       longest_gap_at / 1000);
}

/* Every block ever written, once more, after the last write is acknowledged. */
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

int main(int argc, char **argv)
{
	uint32_t each = argc > 3 ? atoi(argv[3]) : 512;
	uint64_t size, back;
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	nworkers = argc > 2 ? atoi(argv[2]) : 5;
	if (argc < 2 || nworkers < 2 || nworkers > MAX_WORKERS || each < MAX_RUN)
		return 2;
	fd = open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size)) {
		perror(argv[1]);
		return 1;
	}
	if ((uint64_t)nworkers * each * BLOCK > size) {
		fprintf(stderr, "iocheck: %s is too small\n", argv[1]);
		return 1;
	}
	started = now();
	for (i = 0; i < nworkers; i++) {
		struct worker *w = &workers[i];

		w->id = i;
		w->first = (uint64_t)i * each;
		w->blocks = i ? each : 1;
		w->rnd = mix(i + 1);
		w->seq = calloc(w->blocks, sizeof(*w->seq));
		w->buf = aligned_alloc(BLOCK, MAX_RUN * BLOCK);
		if (!w->seq || !w->buf || pthread_create(&w->thread, NULL, work, w))
			return 1;
	}
	while (!told_to_stop())
		print_totals("so far");
	stop = true;
	for (i = 0; i < nworkers; i++)
		pthread_join(workers[i].thread, NULL);
	print_totals("stopped");
	back = read_back();
	printf("iocheck: read back %" PRIu64 "\n", back);
	print_totals("end");
	return errors ? 1 : 0;
}
