// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a data file: see mig_file.h.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>

#include "mig_file.h"
#include "migration.h"

int nvme_vfio_file_init(struct mig_file *f, struct migration *m,
			const struct mig_file_type *type, struct file **filp)
{
	f->filp = anon_inode_getfile(type->name, type->fops, f, type->flags);
	if (IS_ERR(f->filp))
		return PTR_ERR(f->filp);

	stream_open(file_inode(f->filp), f->filp);
	f->type = type;
	f->m = nvme_vfio_mig_get(m);
	mutex_init(&f->lock);
	spin_lock_init(&f->end_lock);

	*filp = get_file(f->filp);
	return 0;
}

void nvme_vfio_file_end(struct mig_file *f)
{
	spin_lock(&f->end_lock);
	WRITE_ONCE(f->ended, true);
	spin_unlock(&f->end_lock);

	f->type->end(f);
	fput(f->filp);
}

int nvme_vfio_file_release(struct inode *inode, struct file *filp)
{
	struct mig_file *f = filp->private_data;

	nvme_vfio_mig_put(f->m);
	mutex_destroy(&f->lock);
	f->type->free(f);
	return 0;
}
