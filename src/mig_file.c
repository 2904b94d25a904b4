// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data files of STOP_COPY and RESUMING: see mig_file.h.
 *
 * A file's lock serialises its readers or writers and is held while user
 * memory is touched, which may wait for a page fault of any length. Nobody
 * else takes it: the arcs and a reset end a file by flag and reference.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mig_file.h"
#include "migration.h"

/**
 * struct mig_file - one transfer
 * @m: the migration; a reference is held
 * @filp: the file; a reference is held by the migration until the end
 * @lock: serialises calls on this file; taken before @m->lock
 * @end_lock: @image and @ended
 * @ended: the state that this file belongs to was left
 * @image: saving: what is read; NULL when ended
 * @at: saving: how far
 * @reader: loading: the stream
 * @data: loading: buffer of one data record
 */
struct mig_file {
	struct migration *m;
	struct file *filp;
	struct mutex lock;
	spinlock_t end_lock;
	bool ended;

	struct image *image;
	struct image_cursor at;

	struct stream_reader reader;
	void *data;
};

static bool has_ended(struct mig_file *f)
{
	return READ_ONCE(f->ended);
}

static void drop_data(struct mig_file *f)
{
	f->reader.data = NULL;
	kvfree(f->data);
	f->data = NULL;
}

/* Whoever comes last of the one that ends a file and its writer drops it. */
static void drop_data_if_idle(struct mig_file *f)
{
	if (mutex_trylock(&f->lock)) {
		drop_data(f);
		mutex_unlock(&f->lock);
	}
}

void mig_file_end(struct mig_file *f)
{
	struct image *img;

	spin_lock(&f->end_lock);
	WRITE_ONCE(f->ended, true);
	img = f->image;
	f->image = NULL;
	spin_unlock(&f->end_lock);
	image_put(img);

	drop_data_if_idle(f);
	fput(f->filp);
}

static int mig_file_release(struct inode *inode, struct file *filp)
{
	struct mig_file *f = filp->private_data;

	image_put(f->image);
	drop_data(f);
	migration_put(f->m);
	mutex_destroy(&f->lock);
	kfree(f);
	return 0;
}

static struct image *current_image(struct mig_file *f)
{
	struct image *img;

	spin_lock(&f->end_lock);
	img = f->image ? image_get(f->image) : NULL;
	spin_unlock(&f->end_lock);
	return img;
}

static ssize_t save_read(struct file *filp, char __user *buf, size_t len,
			 loff_t *pos)
{
	struct mig_file *f = filp->private_data;
	struct image *img;
	ssize_t done = 0;

	if (pos)
		return -ESPIPE;
	if (mutex_lock_interruptible(&f->lock))
		return -ERESTARTSYS;

	img = current_image(f);
	if (!img) {
		done = -ENODEV;
		goto unlock;
	}

	while (len) {
		const void *from;
		u32 n;

		if (has_ended(f)) {
			done = -ENODEV;
			break;
		}
		from = image_next(img, &f->at, &n);
		if (!from)
			break;
		n = min_t(size_t, n, len);
		if (copy_to_user(buf, from, n)) {
			done = done ?: -EFAULT;
			break;
		}
		f->at.offset += n;
		buf += n;
		len -= n;
		done += n;
	}
	image_put(img);
unlock:
	mutex_unlock(&f->lock);
	return done;
}

static const struct file_operations save_fops = {
	.owner		= THIS_MODULE,
	.read		= save_read,
	.release	= mig_file_release,
};

static int on_event(struct mig_file *f, int event)
{
	switch (event) {
	case STREAM_EV_IDENTITY:
		return migration_load_identity(f->m, f, &f->reader);
	case STREAM_EV_STATE:
		f->data = kvzalloc(f->reader.max_data, GFP_KERNEL_ACCOUNT);
		if (!f->data)
			return stream_reader_fail(&f->reader, -ENOMEM,
						  "out of memory");
		f->reader.data = f->data;
		return 0;
	case STREAM_EV_DATA:
		return migration_load_data(f->m, f, &f->reader);
	case STREAM_EV_END:
		return migration_load_end(f->m, f);
	}
	return event;	/* nothing yet, or an error */
}

static ssize_t load_write(struct file *filp, const char __user *buf,
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

		if (has_ended(f)) {
			ret = -ENODEV;
			break;
		}
		to = stream_reader_want(&f->reader, &n);
		if (!to) {
			ret = -EINVAL;
			if (f->reader.phase == STREAM_COMPLETE)
				stream_reader_fail(&f->reader, ret,
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
		ret = on_event(f, stream_reader_put(&f->reader, n));
		if (ret)
			break;
		buf += n;
		len -= n;
		done += n;
	}

	if (ret)
		migration_load_refuse(f->m, f, ret, f->reader.why);
	mutex_unlock(&f->lock);
	if (has_ended(f))
		drop_data_if_idle(f);

	return ret ?: done;
}

static const struct file_operations load_fops = {
	.owner		= THIS_MODULE,
	.write		= load_write,
	.release	= mig_file_release,
};

static struct mig_file *create(struct migration *m, const char *name,
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
	f->m = migration_get(m);
	mutex_init(&f->lock);
	spin_lock_init(&f->end_lock);

	*filp = get_file(f->filp);
	return f;
}

struct mig_file *mig_file_save(struct migration *m, struct image *img,
			       struct file **filp)
{
	struct mig_file *f;

	f = create(m, "[nvme-vfio-save]", &save_fops, O_RDONLY, filp);
	if (!IS_ERR(f))
		f->image = image_get(img);
	return f;
}

struct mig_file *mig_file_load(struct migration *m, struct file **filp)
{
	struct mig_file *f;

	f = create(m, "[nvme-vfio-load]", &load_fops, O_WRONLY, filp);
	if (!IS_ERR(f))
		stream_reader_init(&f->reader, migration_max_state());
	return f;
}
