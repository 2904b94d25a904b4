// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VF as the migration commands see it: attaching to the PF, finding the
 * command set, running a command.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "nvme_vf.h"
#include "trace.h"
#include "vendor_cmd.h"

static const struct cmdset * const nvme_vfio_cmdsets[] = {
	&nvme_vfio_cmdset_standard,	/* preferred */
	&nvme_vfio_cmdset_vendor,
};

/* A VF opens and binds without migration when its PF takes longer than this. */
#define ATTACH_MS	1000

void nvme_vfio_vf_init(struct nvme_vf *vf, struct pci_dev *pdev)
{
	memset(vf, 0, sizeof(*vf));
	vf->pdev = pdev;
}

void nvme_vfio_vf_detach(struct nvme_vf *vf)
{
	if (vf->pf)
		nvme_pf_put(vf->pf);
	vf->pf = NULL;
}

struct nvme_pf_buf *nvme_vfio_buf_alloc(u32 len)
{
	struct nvme_pf_buf *buf;

	buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return NULL;
	kref_init(&buf->ref);
	buf->len = len > PAGE_SIZE ? PAGE_ALIGN(len) : ALIGN(len, 4);
	buf->data = kvzalloc(buf->len, GFP_KERNEL_ACCOUNT);
	if (buf->data)
		return buf;
	kfree(buf);
	return NULL;
}

/*
 * By a lock of the VF's device, one after the other. A command looks at the
 * number before it is sent and after it has ended.
 */
void nvme_vfio_vf_reset_begins(struct nvme_vf *vf)
{
	atomic_set(&vf->resets, atomic_read(&vf->resets) | 1);
	smp_mb();	/* before the reset itself */
}

void nvme_vfio_vf_reset_ends(struct nvme_vf *vf)
{
	smp_mb();	/* after the reset itself */
	atomic_set(&vf->resets, (atomic_read(&vf->resets) | 1) + 1);
}

/* Does the command leave the VF another than it was? */
static bool nvme_vfio_changes(const struct nvme_pf_cmd *c)
{
	switch (c->cmd.common.opcode) {
	case nvme_admin_identify:
	case STD_MIGRATION_RECEIVE:
	case STD_TRACK_RECEIVE:
	case VND_QUERY_DATA_SIZE:
		return false;
	}
	return true;
}

static bool nvme_vfio_is_identify(const struct nvme_pf_cmd *c)
{
	return c->cmd.common.opcode == nvme_admin_identify;
}

/* What Identify met is of no interest: nothing else was sent. */
static int nvme_vfio_asked(struct nvme_vf *vf, int ret)
{
	vf->state_unknown = false;
	vf->status = 0;
	switch (ret) {
	case -EIO:
	case -ETIMEDOUT:
		return -EAGAIN;
	case -EOPNOTSUPP:
		return -ENODEV;
	default:
		return ret;
	}
}

/* A command for which the VF must be attached to first. */
static int nvme_vfio_reattach(struct nvme_vf *vf)
{
	const char *why;

	return nvme_vfio_asked(vf, nvme_vfio_vf_attach(vf, &why));
}

static void nvme_vfio_given_up(struct nvme_vf *vf, const struct nvme_pf_cmd *c,
			       s64 usecs)
{
	trace_cmd_given_up(&vf->pdev->dev, c->cmd.common.opcode, usecs);
	dev_warn_ratelimited(&vf->pdev->dev,
			     "PF command %02xh was given up after %lld ms and has not ended\n",
			     c->cmd.common.opcode, usecs / USEC_PER_MSEC);
	vf->state_unknown = !nvme_vfio_is_identify(c);
	nvme_vfio_vf_detach(vf);
}

int nvme_vfio_try_exec(struct nvme_vf *vf, struct nvme_pf_cmd *c)
{
	ktime_t start;
	int resets, ret;
	s64 usecs;

	vf->state_unknown = false;
	vf->status = 0;
	if (!vf->pf) {
		ret = nvme_vfio_reattach(vf);
		if (ret)
			return ret;
	}

	resets = atomic_read(&vf->resets);
	if (resets & 1)
		return -EAGAIN;
	smp_mb();	/* before the command itself */

	start = ktime_get();
	ret = nvme_pf_submit(vf->pf, c);
	usecs = ktime_us_delta(ktime_get(), start);
	trace_admin_cmd(&vf->pdev->dev, c->cmd.common.opcode,
			le32_to_cpu(c->cmd.common.cdw10),
			le32_to_cpu(c->cmd.common.cdw11), c->len, usecs, ret);

	switch (ret) {
	case -ENODEV:
		/* Unbound: the handle stays dead even if the PF returns. */
		nvme_vfio_vf_detach(vf);
		return ret;
	case -EAGAIN:
	case -EBUSY:
	case -EINTR:
	case -EINVAL:
	case -ENOMEM:
	case -EPERM:
		return ret;
	case -ETIMEDOUT:
	case -ECANCELED:
		nvme_vfio_given_up(vf, c, usecs);
		if (ret == -ECANCELED)
			ret = -EINTR;
		break;
	case -EIO:
		vf->state_unknown = !nvme_vfio_is_identify(c);
		dev_warn_ratelimited(&vf->pdev->dev,
				     "PF command %02xh was aborted: the PF was reset, removed or timed out\n",
				     c->cmd.common.opcode);
		break;
	}

	smp_mb();	/* after the command itself */
	if (atomic_read(&vf->resets) != resets && !nvme_vfio_is_identify(c)) {
		dev_warn_ratelimited(&vf->pdev->dev,
				     "PF command %02xh and a reset of the VF came at the same time\n",
				     c->cmd.common.opcode);
		vf->overlapped |= nvme_vfio_changes(c);
		vf->state_unknown = true;
		return ret < 0 ? ret : -EIO;
	}
	if (ret > 0) {
		vf->status = ret;
		return -EIO;
	}
	return ret;
}

int nvme_vfio_exec(struct nvme_vf *vf, struct nvme_pf_cmd *c)
{
	int ret = nvme_vfio_try_exec(vf, c);

	if (vf->status)
		dev_warn_ratelimited(&vf->pdev->dev,
				     "PF command %02xh (cdw10 %08x) failed with status %03xh\n",
				     c->cmd.common.opcode,
				     le32_to_cpu(c->cmd.common.cdw10),
				     vf->status);
	return ret;
}

int nvme_vfio_identify(struct nvme_vf *vf, u8 cns, u16 cntid,
		       struct nvme_pf_buf *page)
{
	struct nvme_pf_cmd c = { .buf = page, .len = IDENTIFY_LEN };
	long left = vf->identify_until - jiffies;

	memset(page->data, 0, IDENTIFY_LEN);
	std_identify(&c.cmd.common, cns, cntid);
	c.limit_ms = left > 0 ? jiffies_to_msecs(left) : 1;
	return nvme_vfio_exec(vf, &c);
}

static int nvme_vfio_find_set(struct nvme_vf *vf, const char **why)
{
	const char *reason = NULL;
	const struct nvme_id_ctrl *id;
	struct nvme_pf_buf *page;
	int i, ret;

	page = nvme_vfio_buf_alloc(IDENTIFY_LEN);
	*why = "out of memory";
	if (!page)
		return -ENOMEM;
	id = page->data;

	vf->asked_at = atomic_read(&vf->resets);
	*why = "the PF does not answer Identify";
	ret = nvme_vfio_identify(vf, NVME_ID_CNS_CTRL, 0, page);
	if (ret)
		goto put;

	vf->max_transfer = min(nvme_pf_max_transfer(vf->pf), STREAM_MAX_DATA);

	for (i = 0; i < ARRAY_SIZE(nvme_vfio_cmdsets); i++) {
		const struct cmdset *set = nvme_vfio_cmdsets[i];

		/* Once offered to user space, a VF keeps its command set. */
		if (vf->set && vf->set != set)
			continue;

		*why = NULL;
		vf->cntlid = 0;
		vf->nvq = 0;
		vf->nvi = 0;
		memset(&vf->format, 0, sizeof(vf->format));
		memset(&vf->track, 0, sizeof(vf->track));
		ret = set->probe(vf, id, why);
		if (!ret) {
			vf->set = set;
			nvme_vfio_fill_identity(vf, id);
			break;
		}
		if (ret != -EOPNOTSUPP)
			break;
		/* What the preferred set lacks is worth more. */
		if (!reason)
			reason = *why;
	}
	if (ret == -EOPNOTSUPP)
		*why = reason ?: LM_NO_COMMANDS;
	else if (ret)
		*why = "the PF fails an Identify command";

put:
	nvme_pf_buf_put(page);
	return ret;
}

int nvme_vfio_vf_attach(struct nvme_vf *vf, const char **why)
{
	struct nvme_pf *pf;
	int ret;

	*why = NULL;
	if (vf->pf)
		return 0;

	pf = nvme_pf_get(vf->pdev, why);
	if (IS_ERR(pf))
		return PTR_ERR(pf);

	vf->pf = pf;
	vf->identify_until = jiffies + msecs_to_jiffies(ATTACH_MS);
	vf->vfn = pci_iov_vf_id(vf->pdev) + 1;
	ret = nvme_vfio_find_set(vf, why);
	if (ret)
		nvme_vfio_vf_detach(vf);

	return ret;
}

int nvme_vfio_vf_refresh(struct nvme_vf *vf)
{
	const struct track_limits track = vf->track;
	const struct state_format format = vf->format;
	const u16 cntlid = vf->cntlid, nvq = vf->nvq, nvi = vf->nvi;
	const int asked_at = vf->asked_at;
	const char *why;
	int ret;

	if (!vf->pf)
		return nvme_vfio_reattach(vf);
	if (asked_at == atomic_read(&vf->resets))
		return 0;

	vf->identify_until = jiffies + msecs_to_jiffies(ATTACH_MS);
	ret = nvme_vfio_find_set(vf, &why);
	if (ret) {
		vf->track = track;
		vf->format = format;
		vf->cntlid = cntlid;
		vf->nvq = nvq;
		vf->nvi = nvi;
		vf->asked_at = asked_at;
	}
	return nvme_vfio_asked(vf, ret);
}
