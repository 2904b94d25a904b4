// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data file that a stream is written to: see load_file.h.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "load_file.h"
#include "migration.h"

/**
 * struct load_file - a file to write to
 * @file: its @lock also protects the rest
 * @reader: the stream
 * @buf: of one data record
 */
struct load_file {
	struct mig_file file;
	struct stream_reader reader;
	struct nvme_pf_buf *buf;
};

static struct load_file *nvme_vfio_to_load_file(struct mig_file *f)
{
	return container_of(f, struct load_file, file);
}

static void nvme_vfio_load_drop_data(struct load_file *l)
{
	l->reader.data = NULL;
	nvme_pf_buf_put(l->buf);
	l->buf = NULL;
}

/*
 * A writer that is under way still uses the buffer, and drops it when it finds
 * that the file has ended. One of the two gets the lock last, or alone.
 */
static void nvme_vfio_load_end(struct mig_file *f)
{
	if (mutex_trylock(&f->lock)) {
		nvme_vfio_load_drop_data(nvme_vfio_to_load_file(f));
		mutex_unlock(&f->lock);
	}
}

static void nvme_vfio_load_free(struct mig_file *f)
{
	struct load_file *l = nvme_vfio_to_load_file(f);

	nvme_vfio_load_drop_data(l);
	kfree(l);
}

static int nvme_vfio_load_make_room(struct load_file *l, u32 len)
{
	if (l->buf && l->buf->len >= len)
		return 0;

	nvme_vfio_load_drop_data(l);
	l->buf = nvme_vfio_buf_alloc(len);
	if (!l->buf)
		return nvme_vfio_reader_fail(&l->reader, -ENOMEM,
					     "out of memory");
	return 0;
}

static int nvme_vfio_load_event(struct load_file *l, int event)
{
	struct stream_reader *r = &l->reader;
	u32 hint;
	int ret;

	switch (event) {
	case STREAM_EV_IDENTITY:
		ret = nvme_vfio_mig_load_identity(l->file.m, &l->file, r);
		if (ret)
			return ret;
		/* Allocate now: when STATE comes the guest is stopped. */
		hint = le32_to_cpu(r->identity.data_hint);
		return nvme_vfio_load_make_room(l, min(hint, STREAM_MAX_DATA));
	case STREAM_EV_NAMESPACES:
		return nvme_vfio_mig_load_namespaces(l->file.m, &l->file, r);
	case STREAM_EV_STATE:
		ret = nvme_vfio_load_make_room(l, r->max_data);
		r->data = l->buf ? l->buf->data : NULL;
		return ret;
	case STREAM_EV_DATA:
		return nvme_vfio_mig_load_data(l->file.m, &l->file, r,
					       l->buf);
	case STREAM_EV_END:
		return nvme_vfio_mig_load_end(l->file.m, &l->file);
	}
	return event;	/* nothing yet, or an error */
}

/* What a refusal counts as. */
static enum figure nvme_vfio_load_figure(int event, int err)
{
	if (err == -ENOSPC)
		return FIGURE_REFUSED_SIZE;
	if (event == STREAM_EV_DATA)
		return FIGURE_REFUSED_DEVICE;
	if (err != -EINVAL)
		return FIGURE_REFUSED_OTHER;
	if (event == STREAM_EV_IDENTITY)
		return FIGURE_REFUSED_IDENTITY;
	if (event == STREAM_EV_NAMESPACES)
		return FIGURE_REFUSED_NAMESPACES;
	return FIGURE_REFUSED_STREAM;
}

static ssize_t nvme_vfio_load_write(struct file *filp, const char __user *buf,
				    size_t len, loff_t *pos)
{
	struct load_file *l = nvme_vfio_to_load_file(filp->private_data);
	ssize_t done = 0;
	int event = 0;
	int ret = 0;

	if (pos)
		return -ESPIPE;
	if (mutex_lock_interruptible(&l->file.lock))
		return -ERESTARTSYS;

	while (len) {
		void *to;
		u32 n;

		/* A large write is thousands of commands. */
		if (fatal_signal_pending(current)) {
			done = done ?: -EINTR;
			break;
		}
		if (nvme_vfio_file_has_ended(&l->file)) {
			ret = -ENODEV;
			break;
		}
		to = nvme_vfio_reader_want(&l->reader, &n);
		if (!to) {
			ret = -EINVAL;
			event = ret;
			if (l->reader.phase == STREAM_COMPLETE)
				nvme_vfio_reader_fail(&l->reader, ret,
						      "data after the end of the stream");
			break;
		}
		n = min_t(size_t, n, len);
		if (copy_from_user(to, buf, n)) {
			/* Not the stream's fault: it may go on from here. */
			if (!done)
				done = -EFAULT;
			break;
		}
		event = nvme_vfio_reader_put(&l->reader, n);
		ret = nvme_vfio_load_event(l, event);
		if (ret)
			break;
		buf += n;
		len -= n;
		done += n;
	}

	if (!ret && done > 0)
		nvme_vfio_count(l->file.m->vf.figures, FIGURE_BYTES_IN, done);
	if (ret)
		nvme_vfio_mig_load_refuse(l->file.m, &l->file, ret,
					  l->reader.why,
					  nvme_vfio_load_figure(event, ret));
	mutex_unlock(&l->file.lock);
	if (nvme_vfio_file_has_ended(&l->file))
		nvme_vfio_load_end(&l->file);

	return ret ?: done;
}

static const struct file_operations nvme_vfio_load_fops = {
	.owner		= THIS_MODULE,
	.write		= nvme_vfio_load_write,
	.release	= nvme_vfio_file_release,
};

static const struct mig_file_type nvme_vfio_load_type = {
	.name	= "[nvme-vfio-load]",
	.flags	= O_WRONLY,
	.fops	= &nvme_vfio_load_fops,
	.end	= nvme_vfio_load_end,
	.free	= nvme_vfio_load_free,
};

struct mig_file *nvme_vfio_load_file(struct migration *m, struct file **filp)
{
	struct load_file *l;
	int ret;

	l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	if (!l)
		return ERR_PTR(-ENOMEM);

	nvme_vfio_reader_init(&l->reader, nvme_vfio_max_state());
	/* Without PRE_COPY the guest is stopped when the stream begins. */
	ret = nvme_vfio_load_make_room(l, SAVE_BUF_LEAST);
	if (!ret)
		ret = nvme_vfio_file_init(&l->file, m, &nvme_vfio_load_type,
					  filp);
	if (ret) {
		nvme_vfio_load_drop_data(l);
		kfree(l);
		return ERR_PTR(ret);
	}
	return &l->file;
}
