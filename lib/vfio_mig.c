// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio_mig.c - VFIO migration features, streams and the two halves of a
 * migration.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"
#include "vfio_mig.h"

int vfio_mig_flags(struct vfio_dev *dev, uint64_t *flags)
{
	struct vfio_device_feature_migration mig = { 0 };
	int err;

	err = vfio_feature(dev, VFIO_DEVICE_FEATURE_MIGRATION,
			   VFIO_DEVICE_FEATURE_GET, &mig, sizeof(mig));
	*flags = mig.flags;
	return err;
}

int vfio_mig_get(struct vfio_dev *dev, unsigned int *state)
{
	struct vfio_device_feature_mig_state mig = { .data_fd = -1 };
	int err;

	err = vfio_feature(dev, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
			   VFIO_DEVICE_FEATURE_GET, &mig, sizeof(mig));
	*state = mig.device_state;
	return err;
}

int vfio_mig_set(struct vfio_dev *dev, unsigned int state, int *fd)
{
	struct vfio_device_feature_mig_state mig = {
		.device_state = state, .data_fd = -1,
	};
	int err;

	if (fd)
		*fd = -1;
	err = vfio_feature(dev, VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
			   VFIO_DEVICE_FEATURE_SET, &mig, sizeof(mig));
	if (err)
		return lib_fail(err, "%s: to %s", dev->bdf, mig_name(state));
	if (fd)
		*fd = mig.data_fd;
	else if (mig.data_fd >= 0)
		close(mig.data_fd);
	return 0;
}

int vfio_mig_data_size(struct vfio_dev *dev, uint64_t *bytes)
{
	*bytes = 0;
	return vfio_feature(dev, VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
			    VFIO_DEVICE_FEATURE_GET, bytes, sizeof(*bytes));
}

const char *mig_name(unsigned int state)
{
	static const char * const names[MIG_NR] = {
		"ERROR", "STOP", "RUNNING", "STOP_COPY", "RESUMING",
		"RUNNING_P2P", "PRE_COPY", "PRE_COPY_P2P",
	};

	return state < MIG_NR ? names[state] : "an unknown state";
}

const char *mig_arc_name(enum mig_arc arc)
{
	static const char * const names[MIG_ARC_NR] = {
		"source RUNNING->RUNNING_P2P", "source RUNNING_P2P->STOP",
		"source STOP->STOP_COPY", "source read",
		"destination ->RESUMING", "destination write",
		"destination RESUMING->STOP", "destination STOP->RUNNING_P2P",
		"destination RUNNING_P2P->RUNNING",
	};

	return arc < MIG_ARC_NR ? names[arc] : "?";
}

void mig_stream_free(struct mig_stream *s)
{
	free(s->data);
	memset(s, 0, sizeof(*s));
}

static int stream_reserve(struct mig_stream *s, size_t more)
{
	size_t room = s->room ? s->room : 65536;
	uint8_t *p;

	while (room - s->len < more)
		room *= 2;
	if (room == s->room)
		return 0;
	p = realloc(s->data, room);
	if (!p)
		return lib_fail(-ENOMEM, "stream of %zu bytes", room);
	s->data = p;
	s->room = room;
	return 0;
}

int mig_stream_append(struct mig_stream *s, const void *data, size_t len)
{
	int err = stream_reserve(s, len);

	if (err)
		return err;
	memcpy(s->data + s->len, data, len);
	s->len += len;
	return 0;
}

int mig_stream_copy(struct mig_stream *to, const struct mig_stream *from)
{
	to->len = 0;
	return mig_stream_append(to, from->data, from->len);
}

int mig_read(int fd, struct mig_stream *s, size_t max)
{
	while (max) {
		size_t want = max < 1 << 20 ? max : 1 << 20;
		ssize_t n;
		int err;

		err = stream_reserve(s, want);
		if (err)
			return err;
		n = read(fd, s->data + s->len, want);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return lib_fail(-errno, "read state at byte %zu",
					s->len);
		}
		if (!n)
			break;
		s->len += n;
		max -= n;
	}
	return 0;
}

int mig_write(int fd, const void *data, size_t len, size_t seg)
{
	size_t done = 0;

	while (done < len) {
		size_t want = len - done;
		ssize_t n;

		if (seg && want > seg)
			want = seg;
		n = write(fd, (const uint8_t *)data + done, want);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return lib_fail(-errno, "write state at byte %zu of %zu",
					done, len);
		}
		if (!n)
			return lib_fail(-EIO, "write state at byte %zu: nothing taken",
					done);
		done += n;
	}
	return 0;
}

static void note(struct mig_times *t, enum mig_arc arc, uint64_t since)
{
	if (t)
		t->us[arc] = now_us() - since;
}

static int timed_set(struct vfio_dev *dev, unsigned int state, int *fd,
		     struct mig_times *t, enum mig_arc arc)
{
	uint64_t t0 = now_us();
	int err = vfio_mig_set(dev, state, fd);

	note(t, arc, t0);
	return err;
}

static bool has_p2p(struct vfio_dev *dev)
{
	uint64_t flags;

	return vfio_mig_flags(dev, &flags) || flags & VFIO_MIGRATION_P2P;
}

int mig_stop(struct vfio_dev *dev, struct mig_times *t)
{
	int err;

	if (!has_p2p(dev))
		return timed_set(dev, MIG_STOP, NULL, t, MIG_ARC_SRC_STOP);
	err = timed_set(dev, MIG_RUNNING_P2P, NULL, t, MIG_ARC_SRC_P2P);
	if (err)
		return err;
	return timed_set(dev, MIG_STOP, NULL, t, MIG_ARC_SRC_STOP);
}

int mig_save(struct vfio_dev *dev, struct mig_stream *s, struct mig_times *t)
{
	uint64_t t0;
	int fd, err;

	s->len = 0;
	err = timed_set(dev, MIG_STOP_COPY, &fd, t, MIG_ARC_SRC_COPY);
	if (err)
		return err;
	if (fd < 0)
		return lib_fail(-EBADF, "%s: STOP_COPY without data fd",
				dev->bdf);
	t0 = now_us();
	err = mig_read(fd, s, SIZE_MAX);
	note(t, MIG_ARC_SRC_READ, t0);
	close(fd);
	return err;
}

int mig_load(struct vfio_dev *dev, const struct mig_stream *s, size_t seg,
	     struct mig_times *t)
{
	uint64_t t0;
	int fd, err;

	err = timed_set(dev, MIG_RESUMING, &fd, t, MIG_ARC_DST_RESUMING);
	if (err)
		return err;
	if (fd < 0)
		return lib_fail(-EBADF, "%s: RESUMING without data fd",
				dev->bdf);
	t0 = now_us();
	err = mig_write(fd, s->data, s->len, seg);
	note(t, MIG_ARC_DST_WRITE, t0);
	if (!err)
		err = timed_set(dev, MIG_STOP, NULL, t, MIG_ARC_DST_STOP);
	close(fd);
	return err;
}

int mig_start(struct vfio_dev *dev, struct mig_times *t)
{
	int err;

	if (!has_p2p(dev))
		return timed_set(dev, MIG_RUNNING, NULL, t,
				 MIG_ARC_DST_RUNNING);
	err = timed_set(dev, MIG_RUNNING_P2P, NULL, t, MIG_ARC_DST_P2P);
	if (err)
		return err;
	return timed_set(dev, MIG_RUNNING, NULL, t, MIG_ARC_DST_RUNNING);
}
