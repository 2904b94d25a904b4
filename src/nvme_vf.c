// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VF as the migration commands see it: attaching to the PF, finding the
 * command set, running a command.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "nvme_vf.h"
#include "trace.h"
#include "vendor_cmd.h"

static const struct cmdset * const nvme_vfio_cmdsets[] = {
	&nvme_vfio_cmdset_standard,	/* preferred */
	&nvme_vfio_cmdset_vendor,
};

/* Naps between retries, if the device asks for none: this long, then longer. */
#define NAP_MS		10
#define LONG_NAP_MS	100

/*
 * A VF opens and binds without migration if its PF says nothing for this long.
 * One that answers, if slowly, has the longer time for all that it is asked.
 */
#define SILENT_MS	1000

/* A migration is not refused because its PF is busy. */
#define IDENTIFY_MS	5000

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
 * One after the other: the caller holds a lock of the VF's device. A command
 * looks at the number before it is sent and after it has ended.
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

/* Does the command change the VF? */
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

/* What became of Identify does not matter: nothing else was sent. */
int nvme_vfio_asked(struct nvme_vf *vf, int ret)
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

static int nvme_vfio_attach(struct nvme_vf *vf, u32 silent_ms, const char **why);

/* A command that needs the PF to be attached to first. */
static int nvme_vfio_reattach(struct nvme_vf *vf)
{
	const char *why;

	return nvme_vfio_asked(vf, nvme_vfio_attach(vf, IDENTIFY_MS, &why));
}

static void nvme_vfio_given_up(struct nvme_vf *vf, const struct nvme_pf_cmd *c,
			       s64 usecs, bool is_killed)
{
	trace_cmd_given_up(&vf->pdev->dev, c->cmd.common.opcode, usecs);
	dev_warn_ratelimited(&vf->pdev->dev,
			     "PF command %02xh was given up after %lld ms and has not ended%s\n",
			     c->cmd.common.opcode, usecs / USEC_PER_MSEC,
			     is_killed ? ": the VF's user was killed" : "");
	vf->state_unknown = !nvme_vfio_is_identify(c);
	nvme_vfio_vf_detach(vf);
}

static int nvme_vfio_run(struct nvme_vf *vf, struct nvme_pf_cmd *c)
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
	if (vf->in_haste) {
		long left = vf->haste_until - jiffies;

		if (left <= 0)
			return -EAGAIN;
		c->limit_ms = jiffies_to_msecs(left);
	}
	vf->sent_at = resets;
	vf->opcode = c->cmd.common.opcode;
	vf->cdw10 = le32_to_cpu(c->cmd.common.cdw10);
	smp_mb();	/* before the command itself */

	start = ktime_get();
	ret = nvme_pf_submit(vf->pf, c);
	if (ret > 0) {
		vf->retry_delay = (ret & NVME_PF_CRD) >> NVME_PF_CRD_SHIFT;
		vf->is_final = ret & NVME_PF_DNR;
		ret &= NVME_PF_STATUS;
	}
	usecs = ktime_us_delta(ktime_get(), start);
	trace_admin_cmd(&vf->pdev->dev, c->cmd.common.opcode,
			le32_to_cpu(c->cmd.common.cdw10),
			le32_to_cpu(c->cmd.common.cdw11), c->len, usecs, ret);
	nvme_vfio_count_command(vf->figures, usecs, ret);

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
		nvme_vfio_given_up(vf, c, usecs, ret == -ECANCELED);
		if (ret == -ECANCELED)
			ret = -EINTR;
		break;
	case -EIO:
		vf->state_unknown = !nvme_vfio_is_identify(c);
		if (vf->state_unknown)
			nvme_vfio_count_pf_reset(vf->figures);
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

int nvme_vfio_try_exec(struct nvme_vf *vf, struct nvme_pf_cmd *c)
{
	int ret = nvme_vfio_run(vf, c);

	if (ret) {
		vf->failed_opcode = c->cmd.common.opcode;
		vf->failed_status = vf->status;
	}
	return ret;
}

void nvme_vfio_vf_be_patient(struct nvme_vf *vf)
{
	vf->patience_ms = PATIENCE_MS;
	vf->nap_ms = NAP_MS;
}

void nvme_vfio_vf_be_impatient(struct nvme_vf *vf)
{
	vf->patience_ms = 0;
}

/* These say what is wrong, and that does not pass, whatever DNR says. */
static bool nvme_vfio_is_verdict(int status)
{
	switch (status) {
	case STD_SC_INVALID_OPCODE:
	case STD_SC_INVALID_FIELD:
	case STD_SC_SEQUENCE:
	case STD_SC_INVALID_CTRL:
	case STD_SC_SUSPENDED:
	case STD_SC_NOT_SUSPENDED:
		return true;
	}
	return false;
}

bool nvme_vfio_try_again(struct nvme_vf *vf)
{
	u32 ms = 0;

	if (!vf->status || vf->is_final || nvme_vfio_is_verdict(vf->status))
		return false;

	if (vf->retry_delay)
		ms = 100 * vf->delays[vf->retry_delay - 1];
	if (!ms) {
		ms = min(vf->nap_ms, vf->patience_ms);
		vf->nap_ms = min(2 * vf->nap_ms, LONG_NAP_MS);
	}
	if (!ms || ms > vf->patience_ms)
		return false;
	vf->patience_ms -= ms;
	schedule_timeout_killable(msecs_to_jiffies(ms));
	/* To a VF that was reset meanwhile it would mean something else. */
	return !fatal_signal_pending(current) &&
	       atomic_read(&vf->resets) == vf->sent_at;
}

void nvme_vfio_warn_status(struct nvme_vf *vf)
{
	if (vf->status)
		dev_warn_ratelimited(&vf->pdev->dev,
				     "PF command %02xh (cdw10 %08x) failed with status %03xh\n",
				     vf->opcode, vf->cdw10, vf->status);
}

int nvme_vfio_exec(struct nvme_vf *vf, struct nvme_pf_cmd *c)
{
	int ret = nvme_vfio_try_exec(vf, c);

	nvme_vfio_warn_status(vf);
	return ret;
}

int nvme_vfio_exec_patiently(struct nvme_vf *vf, struct nvme_pf_cmd *c)
{
	int ret;

	do {
		ret = nvme_vfio_try_exec(vf, c);
	} while (nvme_vfio_try_again(vf));
	nvme_vfio_warn_status(vf);
	return ret;
}

static void nvme_vfio_make_identify(const struct nvme_vf *vf,
				    struct nvme_pf_cmd *c)
{
	long left = vf->identify_until - jiffies;

	memset(c->buf->data, 0, IDENTIFY_LEN);
	c->len = IDENTIFY_LEN;
	c->limit_ms = left > 0 ? min(jiffies_to_msecs(left), vf->silent_ms) : 1;
}

int nvme_vfio_identify(struct nvme_vf *vf, u8 cns, u16 cntid,
		       struct nvme_pf_buf *page)
{
	struct nvme_pf_cmd c = { .buf = page };

	nvme_vfio_make_identify(vf, &c);
	std_identify(&c.cmd.common, cns, cntid);
	return nvme_vfio_exec(vf, &c);
}

/* How long the device wants retries to wait. */
static void nvme_vfio_note_delays(struct nvme_vf *vf,
				  const struct nvme_id_ctrl *id)
{
	vf->delays[0] = le16_to_cpu(id->crdt1);
	vf->delays[1] = le16_to_cpu(id->crdt2);
	vf->delays[2] = le16_to_cpu(id->crdt3);
}

int nvme_vfio_identify_ns(struct nvme_vf *vf, u8 cns, u32 nsid, u16 cntid,
			  struct nvme_pf_buf *page)
{
	struct nvme_pf_cmd c = { .buf = page };

	nvme_vfio_make_identify(vf, &c);
	std_identify(&c.cmd.common, cns, cntid);
	c.cmd.common.nsid = cpu_to_le32(nsid);
	return nvme_vfio_try_exec(vf, &c);
}

/* The format that states are to be sent in, where the policy names one. */
static void nvme_vfio_use_policy(struct nvme_vf *vf, struct vf_facts *f)
{
	struct policy p;

	vf->policy_at = nvme_vfio_policy_changes();
	nvme_vfio_policy_get(vf->pdev, &p);
	if (!p.has_format || !f->format.index.version)
		return;
	f->format_missing = !nvme_vfio_pick_format(f->formats, p.version,
					    p.has_uuid ? p.uuid : NULL,
					    &f->format);
}

static int nvme_vfio_find_set(struct nvme_vf *vf, const char **why)
{
	const int resets = atomic_read(&vf->resets);
	const char *reason = NULL;
	const struct nvme_id_ctrl *id;
	struct nvme_pf_buf *page;
	struct vf_facts *f;
	int i, ret;

	page = nvme_vfio_buf_alloc(IDENTIFY_LEN);
	f = kmalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	*why = "out of memory";
	ret = -ENOMEM;
	if (!page || !f)
		goto put;
	id = page->data;

	*why = "the PF does not answer Identify";
	ret = nvme_vfio_identify(vf, NVME_ID_CNS_CTRL, 0, page);
	if (ret)
		goto put;

	nvme_vfio_note_delays(vf, id);
	vf->max_transfer = min(nvme_pf_max_transfer(vf->pf), STREAM_MAX_DATA);

	for (i = 0; i < ARRAY_SIZE(nvme_vfio_cmdsets); i++) {
		const struct cmdset *set = nvme_vfio_cmdsets[i];

		/* Once offered to user space, a VF keeps its command set. */
		if (vf->set && vf->set != set)
			continue;

		*why = NULL;
		memset(f, 0, sizeof(*f));
		ret = set->probe(vf, f, id, why);
		if (!ret) {
			nvme_vfio_use_policy(vf, f);
			f->pf_cntlid = le16_to_cpu(id->cntlid);
			/* Without queues it is not known which one it is. */
			f->tells_namespaces = f->nvq &&
				lm_says_namespaces(le16_to_cpu(id->oacs));
			nvme_vfio_fill_identity(vf, f, set, id);
			vf->set = set;
			vf->facts = *f;
			vf->load_format = f->format;
			vf->asked_at = resets;
			break;
		}
		if (ret != -EOPNOTSUPP)
			break;
		/* It says more what the preferred set lacks. */
		if (!reason)
			reason = *why;
	}
	if (ret == -EOPNOTSUPP)
		*why = reason ?: LM_NO_COMMANDS;
	else if (ret)
		*why = "the PF fails an Identify command";

put:
	vf->why = ret ? *why : NULL;
	kfree(f);
	nvme_pf_buf_put(page);
	return ret;
}

void nvme_vfio_begin_asking(struct nvme_vf *vf, u32 all_ms, u32 silent_ms)
{
	vf->identify_until = jiffies + msecs_to_jiffies(all_ms);
	vf->silent_ms = silent_ms;
}

static int nvme_vfio_attach(struct nvme_vf *vf, u32 silent_ms, const char **why)
{
	struct nvme_pf *pf;
	int ret;

	*why = NULL;
	if (vf->pf)
		return 0;

	pf = nvme_pf_get(vf->pdev, why);
	vf->why = *why;
	if (IS_ERR(pf))
		return PTR_ERR(pf);

	vf->pf = pf;
	nvme_vfio_begin_asking(vf, IDENTIFY_MS, silent_ms);
	vf->vfn = pci_iov_vf_id(vf->pdev) + 1;
	ret = nvme_vfio_find_set(vf, why);
	if (ret)
		nvme_vfio_vf_detach(vf);

	return ret;
}

int nvme_vfio_vf_attach(struct nvme_vf *vf, const char **why)
{
	return nvme_vfio_attach(vf, SILENT_MS, why);
}

int nvme_vfio_vf_reread(struct nvme_vf *vf)
{
	const char *why;

	if (!vf->pf)
		return nvme_vfio_reattach(vf);

	nvme_vfio_begin_asking(vf, IDENTIFY_MS, IDENTIFY_MS);
	return nvme_vfio_asked(vf, nvme_vfio_find_set(vf, &why));
}

int nvme_vfio_vf_refresh(struct nvme_vf *vf)
{
	if (vf->pf && vf->asked_at == atomic_read(&vf->resets))
		return 0;
	return nvme_vfio_vf_reread(vf);
}
