// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data file that a stream is read from: see save_file.h.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "compat.h"
#include "migration.h"
#include "save_file.h"

/**
 * struct save_file - a file to read from
 * @file: its @lock also protects @head_done and @at, its @end_lock @sbuf
 * @wait: those who wait for @sbuf or the end
 * @head_done: bytes of @head that were read
 * @head_len: bytes of @head
 * @sbuf: the rest; NULL in PRE_COPY, and when ended
 * @at: how far in @sbuf
 * @head: the records that can be read in PRE_COPY
 */
struct save_file {
	struct mig_file file;
	wait_queue_head_t wait;
	u32 head_done;
	u32 head_len;
	struct save_buf *sbuf;
	struct save_pos at;
	u8 head[];
};

static struct save_file *nvme_vfio_to_save_file(struct mig_file *f)
{
	return container_of(f, struct save_file, file);
}

static void nvme_vfio_save_end(struct mig_file *f)
{
	struct save_file *s = nvme_vfio_to_save_file(f);
	struct save_buf *sbuf;

	spin_lock(&f->end_lock);
	sbuf = s->sbuf;
	s->sbuf = NULL;
	spin_unlock(&f->end_lock);
	nvme_vfio_save_buf_put(sbuf);
	wake_up_all(&s->wait);
}

static void nvme_vfio_save_free(struct mig_file *f)
{
	struct save_file *s = nvme_vfio_to_save_file(f);

	nvme_vfio_save_buf_put(s->sbuf);
	kfree(s);
}

/*
 * Take a reference to the buffer, if there is one yet: none in PRE_COPY.
 * Return: 0, or -ENODEV when the file has ended.
 */
static int nvme_vfio_save_current(struct save_file *s, struct save_buf **sbuf)
{
	int ret = 0;

	*sbuf = NULL;
	spin_lock(&s->file.end_lock);
	if (s->file.ended)
		ret = -ENODEV;
	else if (s->sbuf)
		*sbuf = nvme_vfio_save_buf_get(s->sbuf);
	spin_unlock(&s->file.end_lock);
	return ret;
}

static const void *nvme_vfio_save_bytes(struct save_file *s,
					const struct save_buf *sbuf, u32 *len)
{
	if (s->head_done < s->head_len) {
		*len = s->head_len - s->head_done;
		return s->head + s->head_done;
	}
	return sbuf ? nvme_vfio_save_buf_bytes(sbuf, &s->at, len) : NULL;
}

static void nvme_vfio_save_advance(struct save_file *s, u32 len)
{
	if (s->head_done < s->head_len)
		WRITE_ONCE(s->head_done, s->head_done + len);
	else
		s->at.offset += len;
}

static bool nvme_vfio_save_has_all(struct save_file *s,
				   const struct save_buf *sbuf)
{
	u32 n;

	return !nvme_vfio_save_bytes(s, sbuf, &n) &&
	       !nvme_vfio_save_buf_has_more(sbuf, &s->at);
}

static void nvme_vfio_save_count(struct save_file *s,
				 const struct save_buf *sbuf, ssize_t done)
{
	struct figures *f = s->file.m->vf.figures;

	if (done < 0)
		return;
	nvme_vfio_count(f, FIGURE_BYTES_OUT, done);
	if (!sbuf || !nvme_vfio_save_has_all(s, sbuf))
		return;
	spin_lock(&s->file.end_lock);
	if (!s->file.ended)
		nvme_vfio_count_saved(f);
	spin_unlock(&s->file.end_lock);
}

static ssize_t nvme_vfio_save_read(struct file *filp, char __user *buf,
				   size_t len, loff_t *pos)
{
	struct save_file *s = nvme_vfio_to_save_file(filp->private_data);
	struct save_buf *sbuf;
	ssize_t done;

	if (pos)
		return -ESPIPE;
	if (mutex_lock_interruptible(&s->file.lock))
		return -ERESTARTSYS;

	done = nvme_vfio_save_current(s, &sbuf);
	if (done)
		goto unlock;

	while (len) {
		const void *from;
		u32 n;

		if (nvme_vfio_file_has_ended(&s->file)) {
			done = -ENODEV;
			break;
		}
		from = nvme_vfio_save_bytes(s, sbuf, &n);
		if (!from && sbuf &&
		    nvme_vfio_save_buf_has_more(sbuf, &s->at)) {
			/* Let user space send what it has so far. */
			if (done)
				break;
			done = nvme_vfio_mig_save_more(s->file.m, &s->file,
						       sbuf);
			if (done)
				break;
			from = nvme_vfio_save_bytes(s, sbuf, &n);
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
		nvme_vfio_save_advance(s, n);
		buf += n;
		len -= n;
		done += n;
	}
	nvme_vfio_save_count(s, sbuf, done);
	nvme_vfio_save_buf_put(sbuf);
unlock:
	mutex_unlock(&s->file.lock);
	return done;
}

static __poll_t nvme_vfio_save_poll(struct file *filp,
				    struct poll_table_struct *wait)
{
	struct save_file *s = nvme_vfio_to_save_file(filp->private_data);
	__poll_t mask = 0;

	poll_wait(filp, &s->wait, wait);

	spin_lock(&s->file.end_lock);
	if (s->file.ended)
		mask = EPOLLERR | EPOLLIN | EPOLLRDNORM;
	else if (s->sbuf || READ_ONCE(s->head_done) < s->head_len)
		mask = EPOLLIN | EPOLLRDNORM;
	spin_unlock(&s->file.end_lock);
	return mask;
}

/* Before the VF is suspended only the head can be read. */
static long nvme_vfio_save_ioctl(struct file *filp, unsigned int cmd,
				 unsigned long arg)
{
	struct save_file *s = nvme_vfio_to_save_file(filp->private_data);
	struct vfio_precopy_info info;
	struct vfio_device *vdev;
	struct save_buf *sbuf;
	int ret;

	vdev = nvme_vfio_mig_get_vdev(s->file.m, &s->file);
	/* If the file has ended its state was left: not PRE_COPY. */
	if (IS_ERR(vdev))
		return PTR_ERR(vdev) == -ENODEV ? -EINVAL : PTR_ERR(vdev);
	ret = vfio_check_precopy_ioctl(vdev, cmd, arg, &info);
	vfio_put_device(vdev);
	if (ret)
		return ret;
	if (nvme_vfio_save_current(s, &sbuf))
		return -EINVAL;
	if (sbuf) {
		nvme_vfio_save_buf_put(sbuf);
		return -EINVAL;
	}

	if (mutex_lock_interruptible(&s->file.lock))
		return -ERESTARTSYS;
	info.initial_bytes = s->head_len - s->head_done;
	info.dirty_bytes = 0;
	mutex_unlock(&s->file.lock);

	if (copy_to_user((void __user *)arg, &info,
			 offsetofend(struct vfio_precopy_info, dirty_bytes)))
		return -EFAULT;
	return 0;
}

static const struct file_operations nvme_vfio_save_fops = {
	.owner		= THIS_MODULE,
	.read		= nvme_vfio_save_read,
	.poll		= nvme_vfio_save_poll,
	.unlocked_ioctl	= nvme_vfio_save_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.release	= nvme_vfio_file_release,
};

static const struct mig_file_type nvme_vfio_save_type = {
	.name	= "[nvme-vfio-save]",
	.flags	= O_RDONLY,
	.fops	= &nvme_vfio_save_fops,
	.end	= nvme_vfio_save_end,
	.free	= nvme_vfio_save_free,
};

struct mig_file *nvme_vfio_save_file(struct migration *m,
				     const struct stream_identity *id,
				     const struct stream_namespaces *ns,
				     struct file **filp)
{
	u32 len = sizeof(struct stream_header) + sizeof(*id);
	struct save_file *s;
	int ret;

	if (ns)
		len += sizeof(struct stream_header) + ns_len(ns);
	s = kzalloc(struct_size(s, head, len), GFP_KERNEL_ACCOUNT);
	if (!s)
		return ERR_PTR(-ENOMEM);

	init_waitqueue_head(&s->wait);
	s->head_len = nvme_vfio_fill_record(s->head, STREAM_IDENTITY, id,
					    sizeof(*id));
	if (ns)
		s->head_len += nvme_vfio_fill_record(s->head + s->head_len,
						     STREAM_NAMESPACES, ns,
						     ns_len(ns));
	ret = nvme_vfio_file_init(&s->file, m, &nvme_vfio_save_type, filp);
	if (ret) {
		kfree(s);
		return ERR_PTR(ret);
	}
	return &s->file;
}

void nvme_vfio_save_file_attach(struct mig_file *f, struct save_buf *sbuf)
{
	struct save_file *s = nvme_vfio_to_save_file(f);

	spin_lock(&f->end_lock);
	s->sbuf = nvme_vfio_save_buf_get(sbuf);
	spin_unlock(&f->end_lock);
	wake_up_all(&s->wait);
}
