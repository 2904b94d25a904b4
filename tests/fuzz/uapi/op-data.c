// SPDX-License-Identifier: GPL-2.0-only
/*
 * op-data.c - calls on data fds, those that work and those that no longer do.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define PAGE		4096ul

void data_put(struct thread *t, struct vf *v, int fd)
{
	unsigned int slot = rnd(t, DATA_FDS);

	if (fd < 0)
		return;
	dup2(fd, v->data_fd[slot]);
	close(fd);
}

static int pick(struct thread *t, struct vf *v)
{
	return v->data_fd[rnd(t, DATA_FDS)];
}

static void put_null(int to)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	dup2(fd, to);
	close(fd);
}

void op_close_data(struct thread *t, struct vf *v)
{
	put_null(pick(t, v));
}

void data_drop(struct vf *v)
{
	unsigned int i;

	for (i = 0; i < DATA_FDS; i++)
		put_null(v->data_fd[i]);
}

/* memory of a page of which @usable bytes are there, at its end */
static uint8_t *edge_of_memory(size_t usable)
{
	uint8_t *mem = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		return NULL;
	mprotect(mem + PAGE, PAGE, PROT_NONE);
	return mem + PAGE - usable;
}

static void edge_free(uint8_t *p, size_t usable)
{
	munmap(p + usable - PAGE, 2 * PAGE);
}

void op_read(struct thread *t, struct vf *v)
{
	size_t usable = 1 + rnd(t, PAGE), want = usable;
	uint8_t *p = edge_of_memory(usable);
	int fd = pick(t, v);
	long n;

	if (!p)
		return;
	if (!rnd(t, 8))
		want += rnd(t, 1000);	/* the rest faults */
	n = ruled_call(t, "read", read(fd, p, want));
	if (n > (long)usable)
		broken(t, "read returned %ld, %zu bytes could be", n, usable);
	edge_free(p, usable);
}

void op_write(struct thread *t, struct vf *v)
{
	size_t usable = 1 + rnd(t, PAGE), want = usable, i;
	uint8_t *p = edge_of_memory(usable);
	bool fault = !rnd(t, 8);
	int fd = pick(t, v);
	long n;

	if (!p)
		return;
	for (i = 0; i < usable; i++)
		p[i] = rnd(t, 256);
	if (fault)
		want += rnd(t, 1000);
	n = ruled_call(t, "write", write(fd, p, want));
	if (n > (long)want)
		broken(t, "write of %zu bytes returned %ld", want, n);
	edge_free(p, usable);
}

static bool is_data_fd(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && !S_ISCHR(st.st_mode);
}

void op_seek(struct thread *t, struct vf *v)
{
	int fd = pick(t, v), what = rnd(t, 3);
	char byte = 0;

	if (what == 0)
		ruled_call(t, "lseek", lseek(fd, rnd(t, 100), SEEK_SET));
	else if (what == 1)
		ruled_call(t, "pread", pread(fd, &byte, 1, rnd(t, 100)));
	else
		ruled_call(t, "pwrite", pwrite(fd, &byte, 1, rnd(t, 100)));
}

void op_poll(struct thread *t, struct vf *v)
{
	struct pollfd p = { .fd = pick(t, v), .events = POLLIN | POLLOUT };

	ruled_call(t, "poll", poll(&p, 1, 0));
}

void op_precopy_info(struct thread *t, struct vf *v)
{
	struct mig_precopy_info info = {
		.argsz = rnd(t, 4) ? sizeof(info) : rnd(t, 50),
		.flags = rnd(t, 8) ? 0 : rnd(t, 1u << 31),
	};

	ruled_call(t, "precopy info",
		   ioctl(pick(t, v), MIG_GET_PRECOPY_INFO, &info));
}

void op_fd_ioctl(struct thread *t, struct vf *v)
{
	uint64_t arg[32] = { rnd(t, 300) };

	ruled_call(t, "ioctl", ioctl(pick(t, v),
				     _IO(VFIO_TYPE, VFIO_BASE + rnd(t, 30)),
				     arg));
}

void data_dead(struct thread *t, struct vf *v)
{
	unsigned int i;
	char byte = 0;

	for (i = 0; i < DATA_FDS; i++) {
		int fd = v->data_fd[i], err;

		if (!is_data_fd(fd))
			continue;
		/* one of them is not this file's direction */
		err = ruled_call(t, "read", read(fd, &byte, 1));
		if (err == -EBADF)
			err = ruled_call(t, "write", write(fd, &byte, 1));
		if (err != -ENODEV)
			broken(t, "data fd after a reset: expected ENODEV, got %d",
			       err);
	}
}
