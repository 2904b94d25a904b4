// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data files of PRE_COPY, STOP_COPY and RESUMING: see mig_file.h.
 *
 * A file's lock serialises its readers or writers and is held while user
 * memory is touched, which may wait for a page fault of any length. Nobody
 * else takes it: the arcs and a reset end a file by flag and reference.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "compat.h"
#include "mig_file.h"
#include "migration.h"

/**
 * struct mig_file - one transfer
 * @m: the migration; a reference is held
 * @filp: the file; a reference is held by the migration until the end
 * @lock: serialises calls on this file; taken before @m->lock
 * @end_lock: @sbuf and @ended
 * @ended: the state that this file belongs to was left
 * @wait: saving: those who wait for @sbuf or @ended
 * @head: saving: the identity record
 * @head_done: saving: bytes of it that were read
 * @sbuf: saving: the rest; NULL in PRE_COPY, and when ended
 * @at: saving: how far in @sbuf
 * @reader: loading: the stream
 * @data: loading: buffer of one data record
 * @data_room: loading: bytes at @data
 */
struct mig_file {
	struct migration *m;
	struct file *filp;
	struct mutex lock;
	spinlock_t end_lock;
	bool ended;
	wait_queue_head_t wait;

	u8 head[sizeof(struct stream_header) + sizeof(struct stream_identity)];
	u32 head_done;
	struct save_buf *sbuf;
	struct save_pos at;

	struct stream_reader reader;
	void *data;
	u32 data_room;
};

static bool nvme_vfio_file_has_ended(struct mig_file *f)
{
	return READ_ONCE(f->ended);
}

static void nvme_vfio_load_drop_data(struct mig_file *f)
{
	f->reader.data = NULL;
	kvfree(f->data);
	f->data = NULL;
	f->data_room = 0;
}

/* Whoever comes last of the one that ends a file and its writer drops it. */
static void nvme_vfio_load_drop_if_idle(struct mig_file *f)
{
	if (mutex_trylock(&f->lock)) {
		nvme_vfio_load_drop_data(f);
		mutex_unlock(&f->lock);
	}
}

void nvme_vfio_file_end(struct mig_file *f)
{
	struct save_buf *sbuf;

	spin_lock(&f->end_lock);
	WRITE_ONCE(f->ended, true);
	sbuf = f->sbuf;
	f->sbuf = NULL;
	spin_unlock(&f->end_lock);
	nvme_vfio_save_buf_put(sbuf);
	wake_up_all(&f->wait);

	nvme_vfio_load_drop_if_idle(f);
	fput(f->filp);
}

static int nvme_vfio_file_release(struct inode *inode, struct file *filp)
{
	struct mig_file *f = filp->private_data;

	nvme_vfio_save_buf_put(f->sbuf);
	nvme_vfio_load_drop_data(f);
	nvme_vfio_mig_put(f->m);
	mutex_destroy(&f->lock);
	kfree(f);
	return 0;
}

void nvme_vfio_save_file_attach(struct mig_file *f, struct save_buf *sbuf)
{
	spin_lock(&f->end_lock);
	f->sbuf = nvme_vfio_save_buf_get(sbuf);
	spin_unlock(&f->end_lock);
	wake_up_all(&f->wait);
}

/*
 * What the file is good for now: 0 with *@sbuf NULL in PRE_COPY, 0 with
 * a reference to the buffer later, -ENODEV when it has ended.
 */
static int nvme_vfio_save_current(struct mig_file *f, struct save_buf **sbuf)
{
	int ret = 0;

	*sbuf = NULL;
	spin_lock(&f->end_lock);
	if (f->ended)
		ret = -ENODEV;
	else if (f->sbuf)
		*sbuf = nvme_vfio_save_buf_get(f->sbuf);
	spin_unlock(&f->end_lock);
	return ret;
}

static const void *nvme_vfio_save_bytes(struct mig_file *f,
					const struct save_buf *sbuf, u32 *len)
{
	if (f->head_done < sizeof(f->head)) {
		*len = sizeof(f->head) - f->head_done;
		return f->head + f->head_done;
	}
	return sbuf ? nvme_vfio_save_buf_bytes(sbuf, &f->at, len) : NULL;
}

static void nvme_vfio_save_advance(struct mig_file *f, u32 len)
{
	if (f->head_done < sizeof(f->head))
		WRITE_ONCE(f->head_done, f->head_done + len);
	else
		f->at.offset += len;
}

static ssize_t nvme_vfio_save_read(struct file *filp, char __user *buf,
				   size_t len, loff_t *pos)
{
	struct mig_file *f = filp->private_data;
	struct save_buf *sbuf;
	ssize_t done;

	if (pos)
		return -ESPIPE;
	if (mutex_lock_interruptible(&f->lock))
		return -ERESTARTSYS;

	done = nvme_vfio_save_current(f, &sbuf);
	if (done)
		goto unlock;

	while (len) {
		const void *from;
		u32 n;

		if (nvme_vfio_file_has_ended(f)) {
			done = -ENODEV;
			break;
		}
		from = nvme_vfio_save_bytes(f, sbuf, &n);
		if (!from && sbuf &&
		    nvme_vfio_save_buf_has_more(sbuf, &f->at)) {
			/* What is there can be on its way meanwhile. */
			if (done)
				break;
			done = nvme_vfio_mig_save_more(f->m, f, sbuf);
			if (done)
				break;
			from = nvme_vfio_save_bytes(f, sbuf, &n);
		}
		if (!from) {
			/* More will come only after PRE_COPY. */
			if (!sbuf && !done)
				done = -ENOMSG;
			break;
		}
		n = min_t(size_t, n, len);
		if (copy_to_user(buf, from, n)) {
			done = done ?: -EFAULT;
			break;
		}
		nvme_vfio_save_advance(f, n);
		buf += n;
		len -= n;
		done += n;
	}
	nvme_vfio_save_buf_put(sbuf);
unlock:
	mutex_unlock(&f->lock);
	return done;
}

static __poll_t nvme_vfio_save_poll(struct file *filp,
				    struct poll_table_struct *wait)
{
	struct mig_file *f = filp->private_data;
	__poll_t mask = 0;

	poll_wait(filp, &f->wait, wait);

	spin_lock(&f->end_lock);
	if (f->ended)
		mask = EPOLLERR | EPOLLIN | EPOLLRDNORM;
	else if (f->sbuf || READ_ONCE(f->head_done) < sizeof(f->head))
		mask = EPOLLIN | EPOLLRDNORM;
	spin_unlock(&f->end_lock);
	return mask;
}

/* The identity record is all there is to read before the VF stands still. */
static long nvme_vfio_save_ioctl(struct file *filp, unsigned int cmd,
				 unsigned long arg)
{
	const size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct mig_file *f = filp->private_data;
	struct vfio_precopy_info info;
	struct save_buf *sbuf;
	int ret;

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, (void __user *)arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	ret = nvme_vfio_mig_precopy_flags(f->m, f, &info.flags);
	if (!ret)
		ret = nvme_vfio_save_current(f, &sbuf);
	if (ret)
		return ret;
	if (sbuf) {
		nvme_vfio_save_buf_put(sbuf);
		return -EINVAL;
	}

	if (mutex_lock_interruptible(&f->lock))
		return -ERESTARTSYS;
	info.initial_bytes = sizeof(f->head) - f->head_done;
	info.dirty_bytes = 0;
	mutex_unlock(&f->lock);

	return copy_to_user((void __user *)arg, &info, minsz) ? -EFAULT : 0;
}

static const struct file_operations nvme_vfio_save_fops = {
	.owner		= THIS_MODULE,
	.read		= nvme_vfio_save_read,
	.poll		= nvme_vfio_save_poll,
	.unlocked_ioctl	= nvme_vfio_save_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.release	= nvme_vfio_file_release,
};

static int nvme_vfio_load_make_room(struct mig_file *f, u32 len)
{
	if (f->data_room >= len)
		return 0;

	nvme_vfio_load_drop_data(f);
	f->data = kvzalloc(len, GFP_KERNEL_ACCOUNT);
	if (!f->data)
		return nvme_vfio_reader_fail(&f->reader, -ENOMEM, "out of memory");
	f->data_room = len;
	return 0;
}

static int nvme_vfio_load_event(struct mig_file *f, int event)
{
	struct stream_reader *r = &f->reader;
	u32 hint;
	int ret;

	switch (event) {
	case STREAM_EV_IDENTITY:
		ret = nvme_vfio_mig_load_identity(f->m, f, r);
		if (ret)
			return ret;
		/* In good time: when STATE comes the guest stands still. */
		hint = le32_to_cpu(r->identity.data_hint);
		return nvme_vfio_load_make_room(f, min(hint, STREAM_MAX_DATA));
	case STREAM_EV_STATE:
		ret = nvme_vfio_load_make_room(f, r->max_data);
		r->data = f->data;
		return ret;
	case STREAM_EV_DATA:
		return nvme_vfio_mig_load_data(f->m, f, r);
	case STREAM_EV_END:
		return nvme_vfio_mig_load_end(f->m, f);
	}
	return event;	/* nothing yet, or an error */
}

static ssize_t nvme_vfio_load_write(struct file *filp, const char __user *buf,
				    size_t len, loff_t *pos)
{
	struct mig_file *f = filp->private_data;
	ssize_t done = 0;
	int ret = 0;

	if (pos)
		return -ESPIPE;
	if (mutex_lock_interruptible(&f->lock))
		return -ERESTARTSYS;

	while (len) {
		void *to;
		u32 n;

		if (nvme_vfio_file_has_ended(f)) {
			ret = -ENODEV;
			break;
		}
		to = nvme_vfio_reader_want(&f->reader, &n);
		if (!to) {
			ret = -EINVAL;
			if (f->reader.phase == STREAM_COMPLETE)
				nvme_vfio_reader_fail(&f->reader, ret,
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
		ret = nvme_vfio_load_event(f,
					   nvme_vfio_reader_put(&f->reader, n));
		if (ret)
			break;
		buf += n;
		len -= n;
		done += n;
	}

	if (ret)
		nvme_vfio_mig_load_refuse(f->m, f, ret, f->reader.why);
	mutex_unlock(&f->lock);
	if (nvme_vfio_file_has_ended(f))
		nvme_vfio_load_drop_if_idle(f);

	return ret ?: done;
}

static const struct file_operations nvme_vfio_load_fops = {
	.owner		= THIS_MODULE,
	.write		= nvme_vfio_load_write,
	.release	= nvme_vfio_file_release,
};

static struct mig_file *
nvme_vfio_file_create(struct migration *m, const char *name,
		      const struct file_operations *fops, int flags,
		      struct file **filp)
{
	struct mig_file *f;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return ERR_PTR(-ENOMEM);

	f->filp = anon_inode_getfile(name, fops, f, flags);
	if (IS_ERR(f->filp)) {
		int ret = PTR_ERR(f->filp);

		kfree(f);
		return ERR_PTR(ret);
	}
	stream_open(file_inode(f->filp), f->filp);
	f->m = nvme_vfio_mig_get(m);
	mutex_init(&f->lock);
	spin_lock_init(&f->end_lock);
	init_waitqueue_head(&f->wait);

	*filp = get_file(f->filp);
	return f;
}

struct mig_file *nvme_vfio_save_file(struct migration *m,
				     const struct stream_identity *id,
				     struct file **filp)
{
	struct mig_file *f;

	f = nvme_vfio_file_create(m, "[nvme-vfio-save]", &nvme_vfio_save_fops,
				  O_RDONLY, filp);
	if (!IS_ERR(f))
		nvme_vfio_fill_record(f->head, STREAM_IDENTITY, id,
				      sizeof(*id));
	return f;
}

struct mig_file *nvme_vfio_load_file(struct migration *m, struct file **filp)
{
	struct mig_file *f;

	f = nvme_vfio_file_create(m, "[nvme-vfio-load]", &nvme_vfio_load_fops,
				  O_WRONLY, filp);
	if (!IS_ERR(f))
		nvme_vfio_reader_init(&f->reader, nvme_vfio_max_state());
	return f;
}
