// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the driver says about a function in sysfs: see vf_sysfs.h, and
 * docs/ABI.md for those who read it.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "compat.h"
#include "migration.h"
#include "vf_sysfs.h"

/* What is not known yet, and what does not exist. */
#define UNKNOWN	"unknown"
#define NONE	"none"

/* As trace.h has them. */
static const char * const nvme_vfio_state_names[] = {
	[VFIO_DEVICE_STATE_ERROR]	= "ERROR",
	[VFIO_DEVICE_STATE_STOP]	= "STOP",
	[VFIO_DEVICE_STATE_RUNNING]	= "RUNNING",
	[VFIO_DEVICE_STATE_STOP_COPY]	= "STOP_COPY",
	[VFIO_DEVICE_STATE_RESUMING]	= "RESUMING",
	[VFIO_DEVICE_STATE_RUNNING_P2P]	= "RUNNING_P2P",
	[VFIO_DEVICE_STATE_PRE_COPY]	= "PRE_COPY",
	[VFIO_DEVICE_STATE_PRE_COPY_P2P] = "PRE_COPY_P2P",
};

static const char *nvme_vfio_state_name(unsigned int state)
{
	return state < ARRAY_SIZE(nvme_vfio_state_names) ?
	       nvme_vfio_state_names[state] : UNKNOWN;
}

void nvme_vfio_vf_sysfs_plain(struct vf_sysfs *s, const char *why)
{
	spin_lock_init(&s->lock);
	s->view.why = why;
}

static const char *nvme_vfio_tracking(const struct migration *m)
{
	if (!m->vf.set)
		return UNKNOWN;
	if (nvme_vfio_dirty_can_log(m))
		return "yes";
	return m->vf.set->track_start && m->vf.track.ranges ? "no: kernel" :
							      "no: device";
}

void nvme_vfio_vf_sysfs_update(struct migration *m)
{
	const struct nvme_vf *vf = &m->vf;
	struct vf_view *v = &m->sysfs.view;

	/* Runs in the downtime as well: no more is copied than necessary. */
	spin_lock(&m->sysfs.lock);
	v->offers = true;
	v->set = vf->set ? vf->set->id : 0;
	v->cntlid = vf->cntlid;
	/* The vendor set does without it, and a PF need not report it. */
	v->has_cntlid = v->set == CMDSET_STANDARD || v->cntlid;
	v->tracking = nvme_vfio_tracking(m);
	v->why = vf->why;
	v->state = m->state;
	if (vf->format_missing) {
		if (!v->why)
			v->why = "the PF does not list the format= of the policy";
		v->format.index.version = 0;
	} else {
		v->format = vf->format;
	}
	if (!m->failure_told)
		v->failure = m->failure;
	spin_unlock(&m->sysfs.lock);
	m->failure_told = true;
}

static struct vf_view nvme_vfio_view(struct device *dev)
{
	struct vf_sysfs *s = nvme_vfio_vf_sysfs(dev);
	struct vf_view v;

	spin_lock(&s->lock);
	v = s->view;
	spin_unlock(&s->lock);
	return v;
}

static ssize_t nvme_vfio_command_set_show(struct device *dev,
					  struct device_attribute *attr,
					  char *buf)
{
	const struct vf_view v = nvme_vfio_view(dev);
	const char *name = v.offers ? UNKNOWN : NONE;

	if (v.set == CMDSET_STANDARD)
		name = "standard";
	else if (v.set == CMDSET_VENDOR_2022)
		name = "vendor";
	return sysfs_emit(buf, "%s\n", name);
}

static ssize_t nvme_vfio_cntlid_show(struct device *dev,
				     struct device_attribute *attr, char *buf)
{
	const struct vf_view v = nvme_vfio_view(dev);

	if (!v.set || !v.has_cntlid)
		return sysfs_emit(buf, UNKNOWN "\n");
	return sysfs_emit(buf, "%u\n", v.cntlid);
}

/* As the policy's format= takes it. */
static ssize_t nvme_vfio_format_show(struct device *dev,
				     struct device_attribute *attr, char *buf)
{
	const struct vf_view v = nvme_vfio_view(dev);

	if (!v.set && v.offers)
		return sysfs_emit(buf, UNKNOWN "\n");
	if (!v.format.index.version)
		return sysfs_emit(buf, NONE "\n");
	return sysfs_emit(buf, "%u:%pUb\n", v.format.version, v.format.uuid);
}

static ssize_t nvme_vfio_tracking_show(struct device *dev,
				       struct device_attribute *attr, char *buf)
{
	const struct vf_view v = nvme_vfio_view(dev);

	return sysfs_emit(buf, "%s\n", v.tracking ?: "no: migration");
}

static ssize_t nvme_vfio_migratable_show(struct device *dev,
					 struct device_attribute *attr,
					 char *buf)
{
	const struct vf_view v = nvme_vfio_view(dev);

	return sysfs_emit(buf, "%s\n", !v.offers ? "no" :
			  v.why ? "not now" : "yes");
}

static ssize_t nvme_vfio_reason_show(struct device *dev,
				     struct device_attribute *attr, char *buf)
{
	const struct vf_view v = nvme_vfio_view(dev);

	return sysfs_emit(buf, "%s\n", v.why ?: "");
}

static ssize_t nvme_vfio_state_show(struct device *dev,
				    struct device_attribute *attr, char *buf)
{
	const struct vf_view v = nvme_vfio_view(dev);

	return sysfs_emit(buf, "%s\n",
			  v.offers ? nvme_vfio_state_name(v.state) : NONE);
}

static ssize_t nvme_vfio_last_error_show(struct device *dev,
					 struct device_attribute *attr,
					 char *buf)
{
	const struct vf_view v = nvme_vfio_view(dev);
	const struct vf_failure *f = &v.failure;
	int len;

	if (!f->err)
		return sysfs_emit(buf, "\n");
	len = sysfs_emit(buf, "%pe ", ERR_PTR(f->err));
	if (f->what)
		len += sysfs_emit_at(buf, len, "%s", f->what);
	else
		len += sysfs_emit_at(buf, len, "%s -> %s",
				     nvme_vfio_state_name(f->from),
				     nvme_vfio_state_name(f->to));
	if (f->opcode)
		len += sysfs_emit_at(buf, len, ", command %02xh", f->opcode);
	if (f->opcode && f->status)
		len += sysfs_emit_at(buf, len, ", status %03xh", f->status);
	if (*f->why)
		len += sysfs_emit_at(buf, len, ": %s", f->why);
	return len + sysfs_emit_at(buf, len, "\n");
}

static ssize_t nvme_vfio_figures_show(struct device *dev,
				      struct device_attribute *attr, char *buf)
{
	const struct figures *f = nvme_vfio_vf_figures(dev);

	return f ? nvme_vfio_figures_emit(f, buf) : 0;
}

#define NVME_VFIO_ATTR(name)						\
	static struct device_attribute nvme_vfio_attr_##name =		\
		__ATTR(name, 0444, nvme_vfio_##name##_show, NULL)

NVME_VFIO_ATTR(command_set);
NVME_VFIO_ATTR(cntlid);
NVME_VFIO_ATTR(format);
NVME_VFIO_ATTR(tracking);
NVME_VFIO_ATTR(migratable);
NVME_VFIO_ATTR(reason);
NVME_VFIO_ATTR(state);
NVME_VFIO_ATTR(last_error);
NVME_VFIO_ATTR(figures);

static struct attribute *nvme_vfio_dev_attrs[] = {
	&nvme_vfio_attr_command_set.attr,
	&nvme_vfio_attr_cntlid.attr,
	&nvme_vfio_attr_format.attr,
	&nvme_vfio_attr_tracking.attr,
	&nvme_vfio_attr_migratable.attr,
	&nvme_vfio_attr_reason.attr,
	&nvme_vfio_attr_state.attr,
	&nvme_vfio_attr_last_error.attr,
	&nvme_vfio_attr_figures.attr,
	NULL
};

static const struct attribute_group nvme_vfio_dev_group = {
	.name	= "nvme_vfio",
	.attrs	= nvme_vfio_dev_attrs,
};

const struct attribute_group *nvme_vfio_dev_groups[] = {
	&nvme_vfio_dev_group,
	NULL
};
