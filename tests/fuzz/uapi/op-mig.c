// SPDX-License-Identifier: GPL-2.0-only
/*
 * op-mig.c - arcs, whole halves of migrations, logging, features.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "vfio_log.h"

#define PAGE		4096ul
#define MANY		(1u << 20)

static int set_state(struct thread *t, struct vf *v, unsigned int state,
		     int *fd)
{
	return ruled(t, "set state", vfio_mig_set(&v->dev, state, fd));
}

void op_set_state(struct thread *t, struct vf *v)
{
	unsigned int state = rnd(t, 16) ? rnd(t, MIG_NR) : rnd(t, 1u << 31);
	int fd, err;

	err = set_state(t, v, state, &fd);
	if (!err && state >= MIG_NR)
		broken(t, "state %u was accepted", state);
	if (!err && state == MIG_ERROR)
		broken(t, "ERROR was accepted as a target");
	data_put(t, v, fd);
}

void op_run(struct thread *t, struct vf *v)
{
	int fd;

	set_state(t, v, MIG_RUNNING, &fd);
	data_put(t, v, fd);
}

void op_get_state(struct thread *t, struct vf *v)
{
	unsigned int state;

	if (!ruled(t, "get state", vfio_mig_get(&v->dev, &state)) &&
	    state >= MIG_NR)
		broken(t, "state %u does not exist", state);
}

void op_data_size(struct thread *t, struct vf *v)
{
	uint64_t size;

	if (!ruled(t, "data size", vfio_mig_data_size(&v->dev, &size)) &&
	    !size)
		broken(t, "data size is 0");
}

static void read_all(struct thread *t, int fd)
{
	size_t room = 1 + rnd(t, rnd(t, 4) ? 200 : MANY), total = 0;
	uint8_t *buf = malloc(room);
	long n = -1;

	/* no more than a state can have: others may start new ones meanwhile */
	while (buf && total < 16 * MANY) {
		n = ruled_call(t, "read", read(fd, buf, room));
		if (n <= 0)
			break;
		total += n;
	}
	if (buf && !n && total)
		fuzz.saved++;
	free(buf);
}

void op_save(struct thread *t, struct vf *v)
{
	unsigned int end = rnd(t, MIG_NR);
	int fd;

	if (set_state(t, v, MIG_STOP_COPY, &fd))
		return;
	if (fd >= 0)
		read_all(t, fd);
	if (rnd(t, 2)) {
		int other;

		set_state(t, v, end, &other);
		data_put(t, v, other);
	}
	data_put(t, v, fd);
}

void op_pre_copy(struct thread *t, struct vf *v)
{
	bool p2p = rnd(t, 2), early = rnd(t, 2);
	struct mig_precopy_info info = { 0 };
	int fd, none;

	if (set_state(t, v, MIG_PRE_COPY, &fd))
		return;
	info.argsz = sizeof(info);
	if (fd >= 0 && !ruled_call(t, "precopy info",
				   ioctl(fd, MIG_GET_PRECOPY_INFO, &info)) &&
	    info.initial_bytes > MANY)
		broken(t, "%llu initial bytes",
		       (unsigned long long)info.initial_bytes);
	if (fd >= 0 && early)
		read_all(t, fd);
	if (p2p) {
		set_state(t, v, MIG_PRE_COPY_P2P, &none);
		data_put(t, v, none);
	}
	set_state(t, v, MIG_STOP_COPY, &none);
	data_put(t, v, none);
	if (fd >= 0)
		read_all(t, fd);
	data_put(t, v, fd);
}

/*
 * A migration that is cancelled at the source, wherever it was: the guest
 * continues there.
 */
void op_cancel(struct thread *t, struct vf *v)
{
	static const unsigned int where[] = {
		MIG_RUNNING_P2P, MIG_STOP, MIG_STOP_COPY, MIG_PRE_COPY,
		MIG_PRE_COPY_P2P,
	};
	unsigned int state = where[rnd(t, 5)];
	bool all = rnd(t, 2);
	struct moment since;
	int fd, none;

	set_state(t, v, MIG_RUNNING, &none);
	data_put(t, v, none);
	since = moment_of(v);
	if (set_state(t, v, state, &fd))
		return;
	if (fd >= 0 && all)
		read_all(t, fd);
	if (!set_state(t, v, MIG_RUNNING, &none)) {
		vf_shall_run(t, v, &since);
		t->result = 0;
	}
	data_put(t, v, none);
	data_put(t, v, fd);
}

static int write_all(struct thread *t, int fd, const struct mig_stream *s)
{
	size_t seg = 1 + rnd(t, rnd(t, 4) ? 5000 : MANY), done = 0;

	while (done < s->len) {
		size_t want = s->len - done < seg ? s->len - done : seg;
		long n = ruled_call(t, "write", write(fd, s->data + done, want));

		if (n < 0)
			return n;
		if (!n || (size_t)n > want)
			broken(t, "write of %zu bytes returned %ld", want, n);
		done += n;
	}
	return 0;
}

void op_load(struct thread *t, struct vf *v)
{
	static const unsigned int ends[] = {
		MIG_STOP, MIG_RUNNING_P2P, MIG_RUNNING, MIG_STOP_COPY,
		MIG_RESUMING, MIG_PRE_COPY,
	};
	unsigned int end = ends[rnd(t, 6)];
	struct mig_stream s;
	int fd, other, err;

	if (pool_take(t, &s))
		return;
	if (!set_state(t, v, MIG_RESUMING, &fd)) {
		err = fd < 0 ? -EBADF : write_all(t, fd, &s);
		if (!set_state(t, v, end, &other) && !err &&
		    end != MIG_RESUMING)
			fuzz.loaded++;
		data_put(t, v, other);
		data_put(t, v, fd);
	}
	free(s.data);
}

void op_log_start(struct thread *t, struct vf *v)
{
	static const uint64_t sizes[] = {
		4096, 4096, 4096, 8192, 65536, 0, 1ull << 40, 512,
	};
	struct vfio_device_feature_dma_logging_range range[20];
	struct vfio_device_feature_dma_logging_control c = {
		.page_size = sizes[rnd(t, 8)],
		.num_ranges = rnd(t, 8) ? 1 + rnd(t, 3) : rnd(t, 21),
		.ranges = (uintptr_t)range,
	};
	unsigned int i;

	for (i = 0; i < 20; i++) {
		/* what is mapped, or pieces of anything */
		range[i].iova = v->mem.iova + i * v->mem.size;
		range[i].length = v->mem.size;
		if (!rnd(t, 8)) {
			range[i].iova = rnd(t, 1ull << 48);
			range[i].length = rnd(t, 1ull << 40);
		}
	}
	if (!rnd(t, 16))
		c.ranges = rnd(t, 1ull << 47);
	ruled(t, "logging start",
	      vfio_feature(&v->dev, VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
			   VFIO_DEVICE_FEATURE_SET, &c, sizeof(c)));
}

void op_log_report(struct thread *t, struct vf *v)
{
	uint64_t bitmap[512] = { 0 };
	struct vfio_device_feature_dma_logging_report r = {
		.iova = v->mem.iova,
		.length = rnd(t, 4) ? v->mem.size : rnd(t, 1 << 27),
		.page_size = rnd(t, 4) ? PAGE : 1ull << rnd(t, 22),
		.bitmap = (uintptr_t)bitmap,
	};

	/* what is asked for has to fit into 512 words */
	if (r.page_size && r.length / r.page_size > 512 * 64)
		r.length = 512 * 64 * r.page_size;
	if (!rnd(t, 16))
		r.bitmap = 8;		/* faults */
	ruled(t, "logging report",
	      vfio_feature(&v->dev, VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
			   VFIO_DEVICE_FEATURE_GET, &r, sizeof(r)));
}

void op_log_stop(struct thread *t, struct vf *v)
{
	ruled(t, "logging stop",
	      vfio_feature(&v->dev, VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
			   VFIO_DEVICE_FEATURE_SET, NULL, 0));
}

/* a log used as intended; others may stop it at any time */
void op_log(struct thread *t, struct vf *v)
{
	struct vfio_log_range r = { v->mem.iova, v->mem.size };
	uint64_t bitmap[2] = { 0 }, unit = PAGE;
	unsigned int n = rnd(t, 4);

	if (ruled(t, "logging start", vfio_log_start(&v->dev, &r, 1, &unit)))
		return;
	if (!unit || unit & (unit - 1))
		broken(t, "logging in units of %llu bytes",
		       (unsigned long long)unit);
	while (n--)
		ruled(t, "logging report",
		      vfio_log_report(&v->dev, r.iova, r.len, PAGE, bitmap));
	if (rnd(t, 2))
		ruled(t, "logging stop", vfio_log_stop(&v->dev));
}

/* The answer to what looks like garbage may be a data fd. */
static void keep_fd(struct thread *t, struct vf *v,
		    const struct vfio_device_feature *f)
{
	struct vfio_device_feature_mig_state mig;

	if ((f->flags & VFIO_DEVICE_FEATURE_MASK) !=
	    VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE ||
	    !(f->flags & VFIO_DEVICE_FEATURE_SET) ||
	    f->flags & VFIO_DEVICE_FEATURE_PROBE)
		return;
	memcpy(&mig, f->data, sizeof(mig));
	data_put(t, v, mig.data_fd);
}

/* any number, any flags, any length; the structure ends where memory ends */
void op_feature(struct thread *t, struct vf *v)
{
	size_t room = sizeof(struct vfio_device_feature) + rnd(t, 64), i;
	struct vfio_device_feature *f;
	uint8_t *mem;
	long ret;

	mem = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return;
	mprotect(mem + PAGE, PAGE, PROT_NONE);
	room &= ~(size_t)7;
	f = (void *)(mem + PAGE - room);
	for (i = sizeof(*f); i < room; i++)
		((uint8_t *)f)[i] = rnd(t, 4) ? 0 : rnd(t, 256);
	f->argsz = rnd(t, 8) ? room : rnd(t, 5000);
	f->flags = (rnd(t, 8) ? rnd(t, 14) : rnd(t, 65536)) |
		   (rnd(t, 16) ? 1ull << (16 + rnd(t, 3)) : rnd(t, 16) << 16);
	if (room >= sizeof(*f) + sizeof(struct vfio_device_feature_mig_state))
		((struct vfio_device_feature_mig_state *)f->data)->data_fd = -1;
	ret = ruled_call(t, "feature", ioctl(v->dev.fd, VFIO_DEVICE_FEATURE, f));
	if (ret > 0)
		broken(t, "feature %x returned %ld", f->flags, ret);
	if (!ret && room >= sizeof(*f) +
	    sizeof(struct vfio_device_feature_mig_state))
		keep_fd(t, v, f);
	munmap(mem, 2 * PAGE);
}
