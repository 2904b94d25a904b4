// SPDX-License-Identifier: GPL-2.0-only
/*
 * together.c - a guest with several VFs, moved as QEMU moves it: all are stopped in
 * turn, then their states go in turn or at once, then all are let run in turn. Every
 * second VF is of another drive, whose VFs' states may be larger.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#define KIB	1024ull
#define MOST	8u

/**
 * struct passenger - one VF of the guest
 * @c: must be first
 * @out, @in: its data files
 * @size: bytes of its state
 * @thread: that carries it
 */
struct passenger {
	struct carrier c;
	int out;
	int in;
	uint64_t size;
	pthread_t thread;
};

static void *carry(void *arg)
{
	struct passenger *p = arg;
	uint64_t us;

	wire_carry(p->c.wire, p->out, p->in, p->size, &us);
	return NULL;
}

static void carry_all(struct passenger *p, unsigned int n, bool at_once)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (at_once)
			check(!pthread_create(&p[i].thread, NULL, carry, &p[i]),
			      "no thread");
		else
			carry(&p[i]);
	}
	for (i = 0; i < n && at_once; i++)
		pthread_join(p[i].thread, NULL);
}

static struct vfio_dev *side(struct passenger *p, bool other)
{
	return &p->c.dev[other ? !p->c.now : p->c.now];
}

static uint64_t move_all(struct passenger *p, unsigned int n, bool at_once)
{
	bool precopy = false;
	uint64_t t0, us;
	unsigned int i;
	int none;

	for (i = 0; i < n; i++)
		precopy = carrier_early(&p[i].c, &p[i].out, &p[i].in);
	usleep(5000);		/* the drives do what they had begun */
	t0 = now_us();
	for (i = 0; i < n; i++)
		must(vfio_mig_set(side(&p[i], false), precopy ?
				  MIG_PRE_COPY_P2P : MIG_RUNNING_P2P, NULL));
	for (i = 0; i < n; i++)
		must(vfio_mig_set(side(&p[i], false), MIG_STOP_COPY,
				  precopy ? &none : &p[i].out));
	carry_all(p, n, at_once);
	for (i = 0; i < n; i++)
		must(vfio_mig_set(side(&p[i], true), MIG_RUNNING_P2P, NULL));
	for (i = 0; i < n; i++)
		must(vfio_mig_set(side(&p[i], true), MIG_RUNNING, NULL));
	us = now_us() - t0;
	for (i = 0; i < n; i++) {
		close(p[i].in);
		close(p[i].out);
		must(nvme_rebind(&p[i].c.w->ctrl, side(&p[i], true)));
		carrier_arrived(&p[i].c);
	}
	return us;
}

/* @own: microseconds of all VFs' commands but the first one's, back to back */
static void report(unsigned int n, uint64_t want, bool at_once, uint64_t us,
		   uint64_t own)
{
	printf("{\"figure\": \"together\", \"set\": \"%s\", \"want\": %llu, \"n\": %u, \"carried\": \"%s\", \"us\": %llu, \"own\": %llu}\n",
	       bed_set_name(bed.set), (unsigned long long)want, n, at_once ? "at once" : "in turn",
	       (unsigned long long)us, (unsigned long long)own);
	fflush(stdout);
}

static void measure(unsigned int n, unsigned int times, const uint64_t *want)
{
	struct passenger *p = calloc(n, sizeof(*p));
	unsigned int i, k;
	uint64_t own;

	check(p && n <= MOST, "%u VFs", n);
	for (i = 0; i < n; i++)
		p[i].size = carrier_open(&p[i].c,
					 (struct place){ i % 2, i / 2 },
					 (struct place){ i % 2 + 2, i / 2 },
					 want[i % 2]);
	for (k = 0; k < 2 * times; k++) {
		for (i = 0, own = 0; i < n; i++) {
			uint64_t us = carrier_baseline(&p[i].c, p[i].size,
						       NULL);

			own += i ? us : 0;
		}
		report(n, want[1], k % 2, move_all(p, n, k % 2), own);
	}
	for (i = 0; i < n; i++)
		carrier_close(&p[i].c);
	free(p);
}

/*
 * arguments: repetitions, microseconds of each command, MiB of data a second, KiB of
 * state of the one drive's VFs and of the other's, numbers of VFs. The first two drives' VFs go to the next
 * two's.
 */
void together_run(char **argv)
{
	unsigned int times = atoi(*argv++);
	unsigned int us = atoi(*argv++);
	uint64_t want[2];

	bench_pace(us, atoi(*argv++));
	want[0] = strtoull(*argv++, NULL, 10) * KIB;
	want[1] = strtoull(*argv++, NULL, 10) * KIB;
	for (; *argv; argv++)
		measure(atoi(*argv), times, want);
	bench_pace(0, 0);
}
