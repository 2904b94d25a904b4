// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-race.c - two users of one device at once. No call may hang, and each
 * result must be one that the uAPI knows.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

#define ROUNDS	30

/**
 * struct helper - the second user, doing one thing again and again
 * @fn: does it once; false = this one is over
 * @count: how often it was done
 */
struct helper {
	pthread_t thread;
	bool (*fn)(struct helper *h);
	struct dev *d;
	const struct stream *s;
	int fd;
	size_t done;
	unsigned int seed;
	atomic_ulong count;
	atomic_bool stop;
};

static void *helper_main(void *arg)
{
	struct helper *h = arg;

	while (!atomic_load(&h->stop) && h->fn(h))
		atomic_fetch_add(&h->count, 1);
	return NULL;
}

static void start(struct helper *h)
{
	check(!pthread_create(&h->thread, NULL, helper_main, h), "no thread");
}

/* it may have had no processor so far; the limit of the case ends the wait */
static bool idle(struct helper *h)
{
	return !atomic_load(&h->count);
}

static void end(struct helper *h)
{
	atomic_store(&h->stop, true);
	pthread_join(h->thread, NULL);
}

static void nap(unsigned int us)
{
	struct timespec t = { .tv_nsec = us * 1000L };

	nanosleep(&t, NULL);
}

static bool ask_state(struct helper *h)
{
	mig_get(h->d);
	return true;
}

static bool ask_size(struct helper *h)
{
	uint64_t size;

	check_err(data_size(h->d, &size), 0, "MIG_DATA_SIZE between arcs");
	return true;
}

static bool read_on(struct helper *h)
{
	uint8_t buf[61];
	ssize_t n = read(h->fd, buf, sizeof(buf));

	check(n >= 0 || errno == ENODEV || errno == ENOMSG,
	      "read() while states change: %s", errname(-errno));
	return n >= 0 || errno == ENOMSG;
}

static bool info_on(struct helper *h)
{
	struct precopy_info info = { .argsz = sizeof(info) };
	int err = ioctl(h->fd, IOC_PRECOPY_INFO, &info) ? -errno : 0;

	check(!err || err == -EINVAL || err == -ENODEV,
	      "VFIO_MIG_GET_PRECOPY_INFO while states change: %s", errname(err));
	return err != -ENODEV;
}

static bool write_on(struct helper *h)
{
	ssize_t n;

	if (h->done == h->s->len)
		return false;
	n = write(h->fd, h->s->data + h->done, 1);
	/* EIO: the reset came while the device was saving its state */
	check(n == 1 || (n < 0 && (errno == ENODEV || errno == EIO)),
	      "write() of a good stream beside a reset: %s",
	      n < 0 ? errname(-errno) : "not 1 byte");
	h->done += n == 1;
	return n == 1;
}

static const unsigned int stopped[] = { ST_RUNNING, ST_STOP, ST_STOP_COPY };

/* transitions that are allowed from wherever the other user has taken it */
static bool any_arc(struct helper *h)
{
	unsigned int to = stopped[rand_r(&h->seed) % 3];
	int fd;

	if (run.flags & MIG_FLAG_P2P && !(rand_r(&h->seed) % 3))
		to = ST_RUNNING_P2P;
	check_err(mig_set(h->d, to, &fd), 0, "to %s, while another asks for states",
		  st_name(to));
	/* the other may have left STOP_COPY since, so the fd may be dead */
	if (fd >= 0) {
		char byte;

		check(read(fd, &byte, 1) >= 0 || errno == ENODEV, "read(): %s",
		      errname(-errno));
		close(fd);
	}
	return true;
}

static bool reset_on(struct helper *h)
{
	int err = dev_reset(h->d);

	/* EAGAIN: the device is busy with something else */
	check(!err || err == -EAGAIN, "VFIO_DEVICE_RESET while states change: %s",
	      errname(err));
	nap(3000);
	return true;
}

/* arcs of the main thread during queries of the other */
static void beside(bool (*fn)(struct helper *h))
{
	struct helper h = { .fn = fn };
	struct dev d;
	unsigned int i;

	dev_open(&d, 0);
	h.d = &d;
	start(&h);
	for (i = 0; i < ROUNDS || idle(&h); i++) {
		struct stream s = { 0 };

		save(&d, &s);
		if (i % 3)
			load(&d, &s, 0);
		go(&d, ST_RUNNING);
		stream_free(&s);
	}
	end(&h);
	whole_cycle(&d);
}

static void beside_questions(const void *arg)
{
	(void)arg;
	beside(ask_state);
}

static void beside_sizes(const void *arg)
{
	(void)arg;
	beside(ask_size);
}

/**
 * struct left - a session that ends while somebody uses it
 * @state: that of the session
 * @fn: what the other does: read, or ask for info
 * @by_reset: the device is reset; else the state is left
 */
struct left {
	unsigned int state;
	bool (*fn)(struct helper *h);
	bool by_reset;
};

static void left_under_reader(const void *arg)
{
	const struct left *l = arg;
	struct dev d;
	unsigned int i;

	dev_open(&d, 0);
	for (i = 0; i < ROUNDS; i++) {
		struct helper h = { .fn = l->fn, .d = &d };

		h.fd = go_fd(&d, l->state);
		start(&h);
		nap(i % 5 * 300);
		if (l->state != ST_STOP_COPY && i % 2)
			go(&d, ST_STOP_COPY);
		if (l->by_reset)
			reset(&d);
		else
			go(&d, i % 3 ? ST_STOP : ST_RUNNING);
		end(&h);
		session_is_dead(h.fd, true);
		close(h.fd);
	}
	go(&d, ST_RUNNING);
	whole_cycle(&d);
}

static const struct left read_stop_copy = { ST_STOP_COPY, read_on, false };
static const struct left read_reset = { ST_STOP_COPY, read_on, true };
static const struct left read_pre_copy = { ST_PRE_COPY, read_on, false };
static const struct left read_pre_copy_reset = { ST_PRE_COPY, read_on, true };
static const struct left ask_pre_copy = { ST_PRE_COPY, info_on, false };

static void reset_under_writer(const void *arg)
{
	struct stream s = { 0 };
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	own_stream(&d, &s);
	for (i = 0; i < ROUNDS; i++) {
		struct helper h = { .fn = write_on, .d = &d, .s = &s };

		h.fd = go_fd(&d, ST_RESUMING);
		start(&h);
		nap(i % 5 * 300);
		reset(&d);
		end(&h);
		/* as below, if the device was saving its state just then */
		if (mig_get(&d) == ST_ERROR)
			reset(&d);
		state_is(&d, ST_RUNNING);
		session_is_dead(h.fd, false);
		close(h.fd);
	}
	loads(&d, &s);
	whole_cycle(&d);
}

static void close_under_reader(const void *arg)
{
	struct dev d;
	unsigned int i;

	(void)arg;
	for (i = 0; i < 5; i++) {
		struct helper h = { .fn = read_on };

		dev_open(&d, 0);
		h.fd = go_fd(&d, ST_STOP_COPY);
		start(&h);
		nap(i * 200);
		dev_close(&d);
		end(&h);
		session_is_dead(h.fd, true);
		close(h.fd);
	}
	dev_open(&d, 0);
	state_is(&d, ST_RUNNING);
	whole_cycle(&d);
}

static void two_readers(const void *arg)
{
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	for (i = 0; i < 10; i++) {
		struct helper h = { .fn = read_on, .d = &d };
		struct stream s = { 0 };

		h.fd = go_fd(&d, ST_STOP_COPY);
		start(&h);
		read_to_end(h.fd, &s, 37);
		end(&h);
		go(&d, ST_RUNNING);
		close(h.fd);
		stream_free(&s);
	}
	whole_cycle(&d);
}

static void two_users(const void *arg)
{
	struct helper h = { .fn = any_arc, .seed = 1 }, me = { .seed = 2 };
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	h.d = me.d = &d;
	start(&h);
	for (i = 0; i < 3 * ROUNDS || idle(&h); i++)
		any_arc(&me);
	end(&h);
	go(&d, ST_RUNNING);
	whole_cycle(&d);
}

static void resets_between(const void *arg)
{
	struct helper h = { .fn = reset_on, .seed = 1 };
	unsigned int seed = 3, n = 0, failed = 0;
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	h.d = &d;
	start(&h);
	while (atomic_load(&h.count) < ROUNDS / 2) {
		int fd, err = mig_set(&d, stopped[rand_r(&seed) % 3], &fd);

		/*
		 * What a reset does to a transition is not specified. It may
		 * even end in ERROR, which lasts until the next reset.
		 */
		if (err) {
			failed++;
			nap(2000);
		}
		if (fd >= 0)
			close(fd);
		mig_get(&d);
		n++;
	}
	end(&h);
	tap_note("%u of %u transitions failed beside %lu resets", failed, n,
		 atomic_load(&h.count));
	reset(&d);
	state_is(&d, ST_RUNNING);
	whole_cycle(&d);
}

const struct tap_case race_cases[] = {
	{ .name = "race: the state is asked while states change",
	  .fn = beside_questions },
	{ .name = "race: the size is asked while states change",
	  .fn = beside_sizes, .needs = NEED_SIZE },
	{ .name = "race: STOP_COPY left under a reader",
	  .fn = left_under_reader, .arg = &read_stop_copy },
	{ .name = "race: reset under a reader of STOP_COPY",
	  .fn = left_under_reader, .arg = &read_reset, .needs = NEED_RESET },
	{ .name = "race: PRE_COPY left under a reader",
	  .fn = left_under_reader, .arg = &read_pre_copy,
	  .needs = NEED_PRE_COPY },
	{ .name = "race: reset under a reader of PRE_COPY",
	  .fn = left_under_reader, .arg = &read_pre_copy_reset,
	  .needs = NEED_PRE_COPY | NEED_RESET },
	{ .name = "race: PRE_COPY left under one who asks for info",
	  .fn = left_under_reader, .arg = &ask_pre_copy,
	  .needs = NEED_PRE_COPY },
	{ .name = "race: reset under a writer", .fn = reset_under_writer,
	  .needs = NEED_RESET },
	{ .name = "race: device closed under a reader",
	  .fn = close_under_reader },
	{ .name = "race: two readers of one fd", .fn = two_readers },
	{ .name = "race: two users ask for states", .fn = two_users },
	{ .name = "race: resets between transitions", .fn = resets_between,
	  .needs = NEED_RESET },
	{ }
};
