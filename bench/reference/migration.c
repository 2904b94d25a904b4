// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same driver, written as such drivers usually are, to measure against; not
 * for use. The size is asked for, the whole state is read into one piece of
 * memory, the destination collects it in one piece of a fixed size and loads it
 * at the end; no PRE_COPY, no checksum, no cancel with the vendor set.
 *
 * Takes the place of src/migration.c, its data files and save_buf.c: see ./build.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "migration.h"

#define LIMIT	(68u << 20)

struct mig_file {
	struct file *filp;
	struct mutex lock;
	bool ended;
	struct nvme_pf_buf *buf;
	u64 size;
	u64 at;
};

bool nvme_vfio_mig_is_suspended(enum vfio_device_mig_state state)
{
	return state != VFIO_DEVICE_STATE_RUNNING &&
	       state != VFIO_DEVICE_STATE_ERROR;
}

void nvme_vfio_mig_lock(struct migration *m)
{
	mutex_lock(&m->lock);
}

int nvme_vfio_mig_lock_killable(struct migration *m)
{
	return mutex_lock_killable(&m->lock) ? -EINTR : 0;
}

void nvme_vfio_mig_unlock(struct migration *m)
{
	nvme_vfio_vf_sysfs_update(m);
	mutex_unlock(&m->lock);
}

/* sysfs says nothing of failures */
void nvme_vfio_mig_failed(struct migration *m, int err, const char *what)
{
}

static int release(struct inode *inode, struct file *filp)
{
	struct mig_file *f = filp->private_data;

	nvme_pf_buf_put(f->buf);
	mutex_destroy(&f->lock);
	kfree(f);
	return 0;
}

static ssize_t reference_read(struct file *filp, char __user *buf, size_t len,
			  loff_t *pos)
{
	struct mig_file *f = filp->private_data;
	ssize_t done;

	mutex_lock(&f->lock);
	done = f->ended ? -ENODEV : min_t(u64, len, f->size - f->at);
	if (done > 0 && copy_to_user(buf, f->buf->data + f->at, done))
		done = -EFAULT;
	if (done > 0)
		f->at += done;
	mutex_unlock(&f->lock);
	return done;
}

static ssize_t reference_write(struct file *filp, const char __user *buf,
			   size_t len, loff_t *pos)
{
	struct mig_file *f = filp->private_data;
	ssize_t done = len;

	mutex_lock(&f->lock);
	if (f->ended)
		done = -ENODEV;
	else if (len > LIMIT - f->size)
		done = -ENOMEM;
	else if (copy_from_user(f->buf->data + f->size, buf, len))
		done = -EFAULT;
	else
		f->size += len;
	mutex_unlock(&f->lock);
	return done;
}

static const struct file_operations read_fops = {
	.owner		= THIS_MODULE,
	.read		= reference_read,
	.release	= release,
};

static const struct file_operations write_fops = {
	.owner		= THIS_MODULE,
	.write		= reference_write,
	.release	= release,
};

static int new_file(struct migration *m, u64 room,
		    const struct file_operations *fops, int flags,
		    struct file **filp)
{
	struct mig_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return -ENOMEM;
	f->buf = nvme_vfio_buf_alloc(room);
	if (f->buf)
		f->filp = anon_inode_getfile("[reference]", fops, f, flags);
	if (!f->buf || IS_ERR(f->filp)) {
		nvme_pf_buf_put(f->buf);
		kfree(f);
		return -ENOMEM;
	}
	stream_open(file_inode(f->filp), f->filp);
	mutex_init(&f->lock);
	m->file = f;
	*filp = get_file(f->filp);
	return 0;
}

static void nvme_vfio_end_file(struct migration *m)
{
	struct mig_file *f = m->file;

	if (!f)
		return;
	m->file = NULL;
	mutex_lock(&f->lock);
	f->ended = true;
	mutex_unlock(&f->lock);
	fput(f->filp);
}

/* A command reads to the start of its buffer: here a part of the large one. */
static int read_state(struct nvme_vf *vf, struct nvme_pf_buf *buf, u64 size)
{
	struct nvme_pf_buf *part = kzalloc(sizeof(*part), GFP_KERNEL_ACCOUNT);
	u64 at, total;
	u32 n;
	int ret = 0;

	if (!part)
		return -ENOMEM;
	kref_init(&part->ref);
	for (at = 0; at < size && !ret; at += n) {
		n = min_t(u64, size - at, vf->max_transfer);
		part->data = buf->data + at;
		part->len = ALIGN(n, 4);
		ret = vf->set->get_state(vf, at, part, n, &total);
	}
	/* A command that was given up may still write to it: leave it all. */
	if (kref_read(&part->ref) > 1)
		kref_get(&buf->ref);
	else
		kfree(part);
	return ret;
}

static int save(struct migration *m, struct file **filp)
{
	struct nvme_vf *vf = &m->vf;
	u64 size;
	int ret;

	ret = vf->set->state_size(vf, &size);
	if (!ret && size > LIMIT)
		ret = -ENOMEM;
	if (!ret)
		ret = new_file(m, size, &read_fops, O_RDONLY, filp);
	if (ret)
		return ret;

	m->file->size = size;
	ret = read_state(vf, m->file->buf, size);
	if (ret)
		nvme_vfio_end_file(m);
	return ret;
}

static int load(struct migration *m)
{
	struct nvme_vf *vf = &m->vf;
	struct mig_file *f = m->file;
	u64 at;
	u32 n;
	int ret = 0;

	for (at = 0; at < f->size && !ret; at += n) {
		n = min_t(u64, f->size - at, vf->max_transfer);
		ret = vf->set->set_state(vf, at, f->buf, at, n, !at,
					 at + n == f->size);
	}
	nvme_vfio_end_file(m);
	return ret;
}

static int resume(struct migration *m)
{
	int ret;

	nvme_vfio_dirty_resumes(m);
	ret = m->vf.set->resume(&m->vf);
	if (!ret)
		nvme_vfio_dirty_resumed(m);
	return ret;
}

#define ARC(from, to)	((from) << 8 | (to))

static int nvme_vfio_take_arc(struct migration *m,
			      enum vfio_device_mig_state to, struct file **filp)
{
	switch (ARC(m->state, to)) {
	case ARC(VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_RUNNING_P2P):
	case ARC(VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_STOP):
		return m->vf.set->suspend(&m->vf);
	case ARC(VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_RUNNING):
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING):
		return resume(m);
	case ARC(VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_STOP):
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING_P2P):
		return 0;
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_STOP_COPY):
		return save(m, filp);
	case ARC(VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_STOP):
		nvme_vfio_end_file(m);
		return 0;
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RESUMING):
		return new_file(m, LIMIT, &write_fops, O_WRONLY, filp);
	case ARC(VFIO_DEVICE_STATE_RESUMING, VFIO_DEVICE_STATE_STOP):
		return load(m);
	}
	return -EINVAL;
}

struct file *nvme_vfio_mig_set_state(struct migration *m,
				     enum vfio_device_mig_state new_state)
{
	enum vfio_device_mig_state next;
	struct file *filp = NULL;
	int ret = 0;

	nvme_vfio_mig_lock(m);
	while (!ret && new_state != m->state) {
		ret = vfio_mig_get_next_state(m->vdev, m->state, new_state,
					      &next);
		if (!ret)
			ret = nvme_vfio_take_arc(m, next, &filp);
		if (!ret)
			m->state = next;
	}
	nvme_vfio_mig_unlock(m);
	if (!ret)
		return filp;
	if (filp)
		fput(filp);
	return ERR_PTR(ret);
}

int nvme_vfio_mig_get_state(struct migration *m,
			    enum vfio_device_mig_state *state)
{
	*state = m->state;
	return 0;
}

int nvme_vfio_mig_data_size(struct migration *m, u64 *size)
{
	*size = 0;
	nvme_vfio_mig_lock(m);
	m->vf.set->state_size(&m->vf, size);
	nvme_vfio_mig_unlock(m);
	return 0;
}

static void nvme_vfio_mig_forget(struct migration *m,
				 enum vfio_device_mig_state state)
{
	nvme_vfio_mig_lock(m);
	nvme_vfio_end_file(m);
	nvme_vfio_dirty_lost(m);
	m->state = state;
	nvme_vfio_mig_unlock(m);
}

void nvme_vfio_mig_reset_begins(struct migration *m)
{
	nvme_vfio_vf_reset_begins(&m->vf);
}

void nvme_vfio_mig_reset(struct migration *m)
{
	nvme_vfio_vf_reset_ends(&m->vf);
	nvme_vfio_mig_forget(m, VFIO_DEVICE_STATE_RUNNING);
}

void nvme_vfio_mig_fault(struct migration *m)
{
	nvme_vfio_vf_reset_ends(&m->vf);
	nvme_vfio_mig_forget(m, VFIO_DEVICE_STATE_ERROR);
}

void nvme_vfio_mig_after_reset(struct migration *m)
{
}

/* Whatever is left of the last user, resets end it. */
int nvme_vfio_mig_open(struct migration *m, bool was_reset)
{
	const char *why;

	nvme_vfio_mig_forget(m, VFIO_DEVICE_STATE_RUNNING);
	nvme_vfio_mig_lock(m);
	nvme_vfio_vf_attach(&m->vf, &why);
	nvme_vfio_mig_unlock(m);
	return 0;
}

void nvme_vfio_mig_close(struct migration *m)
{
	nvme_vfio_mig_forget(m, VFIO_DEVICE_STATE_RUNNING);
}

void nvme_vfio_mig_settle(struct migration *m, bool was_reset)
{
	nvme_vfio_mig_lock(m);
	nvme_vfio_dirty_end(m);
	nvme_vfio_vf_detach(&m->vf);
	nvme_vfio_mig_unlock(m);
}

void nvme_vfio_mig_stop(struct migration *m)
{
}

static void free_migration(struct kref *ref)
{
	struct migration *m = container_of(ref, struct migration, ref);

	nvme_vfio_dirty_destroy(&m->dirty);
	mutex_destroy(&m->lock);
	kfree(m);
}

void nvme_vfio_mig_put(struct migration *m)
{
	kref_put(&m->ref, free_migration);
}

struct migration *nvme_vfio_mig_create(struct pci_dev *pdev,
				       struct vfio_device *vdev,
				       const char **why)
{
	struct migration *m = kzalloc(sizeof(*m), GFP_KERNEL);
	int ret;

	if (!m)
		return ERR_PTR(-ENOMEM);
	kref_init(&m->ref);
	mutex_init(&m->lock);
	spin_lock_init(&m->sysfs.lock);
	nvme_vfio_dirty_init(&m->dirty);
	m->vdev = vdev;
	m->state = VFIO_DEVICE_STATE_RUNNING;
	nvme_vfio_vf_init(&m->vf, pdev);
	m->vf.figures = nvme_vfio_figures_get(pdev);
	if (!m->vf.figures) {
		nvme_vfio_mig_put(m);
		return ERR_PTR(-ENOMEM);
	}
	ret = nvme_vfio_vf_attach(&m->vf, why);
	nvme_vfio_vf_detach(&m->vf);
	nvme_vfio_vf_sysfs_update(m);
	if (!ret)
		return m;
	nvme_vfio_mig_put(m);
	return NULL;
}
