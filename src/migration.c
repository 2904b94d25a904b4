// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO's migration states on top of a command set: see migration.h.
 *
 *	arc				what happens
 *	RUNNING -> RUNNING_P2P		suspend
 *	RUNNING_P2P <-> STOP		nothing: a suspended VF does nothing
 *	STOP -> STOP_COPY		read one command's worth of the state;
 *					file to read it all from
 *	STOP_COPY -> STOP		end the file
 *	STOP -> RESUMING		file to write a state to
 *	RESUMING -> STOP		end the file; all must have been loaded
 *	RUNNING_P2P -> RUNNING		resume
 *
 * and with PRE_COPY, whose file begins with the identity of the VF and goes on
 * with its state in STOP_COPY:
 *
 *	RUNNING(_P2P) -> PRE_COPY(_P2P)	ask for the size; file; allocate
 *	PRE_COPY(_P2P) -> RUNNING(_P2P)	end the file
 *	PRE_COPY -> PRE_COPY_P2P	suspend
 *	PRE_COPY_P2P -> PRE_COPY	resume
 *	PRE_COPY_P2P -> STOP_COPY	read one command's worth of the state
 *
 * A command set whose Suspend leaves DMA in flight has no P2P. Stopping then
 * means suspending and reading the state:
 *
 *	RUNNING -> STOP			suspend, read the state
 *	STOP -> RUNNING			resume
 *	PRE_COPY -> STOP_COPY		suspend, read the state
 *
 * The VFIO core turns any transition that user space asks for into a path of
 * these.
 */
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vfio_pci_core.h>

#include "compat.h"
#include "load_file.h"
#include "migration.h"
#include "quarantine.h"
#include "save_file.h"
#include "trace.h"

static unsigned int nvme_vfio_max_state_mb = 1024;
module_param_named(max_state_mb, nvme_vfio_max_state_mb, uint, 0644);
MODULE_PARM_DESC(max_state_mb, "largest device state that can be moved, in MiB (default 1024)");

/* QEMU asks for the size often; I/O may stop while the device finds out. */
#define SIZE_VALID_MS	1000

/* What the PF reports about a VF changes only if an administrator acts. */
#define ASK_AGAIN_MS	1000
#define ASKED_VALID_MS	5000

/* What close still owes a VF is retried for a minute, then by the next open. */
#define SETTLE_MS	1000
#define SETTLE_TRIES	60

/* A reset that is to end a command: tries to begin it, and to see it work. */
#define NAP_MS		10
#define OWN_RESET_TRIES	300
#define END_TRIES	100

u64 nvme_vfio_max_state(void)
{
	return (u64)READ_ONCE(nvme_vfio_max_state_mb) << 20;
}

static void nvme_vfio_end_file(struct migration *m)
{
	if (m->file)
		nvme_vfio_file_end(m->file);
	m->file = NULL;
}

static void nvme_vfio_drop_save_buf(struct save_buf **sbuf)
{
	nvme_vfio_save_buf_put(*sbuf);
	*sbuf = NULL;
}

static void nvme_vfio_mig_forget(struct migration *m)
{
	nvme_vfio_end_file(m);
	nvme_vfio_count_left(m->vf.figures);
	nvme_vfio_drop_save_buf(&m->prealloc);
	nvme_vfio_drop_save_buf(&m->rollback_state);
	nvme_vfio_dirty_lost(m);
	m->not_saved = 0;
	m->loaded = false;
	m->state = VFIO_DEVICE_STATE_RUNNING;
}

static void nvme_vfio_to_error(struct migration *m)
{
	if (m->state != VFIO_DEVICE_STATE_ERROR)
		nvme_vfio_count_error(m->vf.figures);
	m->state = VFIO_DEVICE_STATE_ERROR;
}

/* It was reset, or its Resume was answered: does that leave no doubt? */
static void nvme_vfio_was_proven(struct migration *m)
{
	if (m->state != VFIO_DEVICE_STATE_ERROR && !m->in_doubt &&
	    !m->half_loaded)
		nvme_vfio_count_good(m->vf.figures);
}

static void nvme_vfio_give_up(struct migration *m)
{
	nvme_vfio_end_file(m);
	nvme_vfio_drop_save_buf(&m->prealloc);
	nvme_vfio_dirty_lost(m);
	nvme_vfio_to_error(m);
}

void nvme_vfio_mig_failed(struct migration *m, int err, const char *what)
{
	m->failure = (struct vf_failure){
		.err	= err,
		.what	= what,
		.opcode	= m->vf.failed_opcode,
		.status	= m->vf.failed_status,
	};
	m->failure_told = false;
}

static void nvme_vfio_warn_error(struct migration *m)
{
	dev_warn_ratelimited(nvme_vfio_mig_dev(m),
			     "migration state ERROR: reset the VF to use it again\n");
}

bool nvme_vfio_mig_is_suspended(enum vfio_device_mig_state state)
{
	switch ((unsigned int)state) {
	case VFIO_DEVICE_STATE_RUNNING_P2P:
	case VFIO_DEVICE_STATE_PRE_COPY_P2P:
	case VFIO_DEVICE_STATE_STOP:
	case VFIO_DEVICE_STATE_STOP_COPY:
	case VFIO_DEVICE_STATE_RESUMING:
		return true;
	default:
		return false;
	}
}

static bool nvme_vfio_may_be_suspended(const struct migration *m)
{
	return m->in_doubt || m->state == VFIO_DEVICE_STATE_ERROR ||
	       nvme_vfio_mig_is_suspended(m->state);
}

/* The state after a reset, and what is not known about it. */
static void nvme_vfio_was_reset(struct migration *m)
{
	/*
	 * Resets can fail, and the PCI core does not say so. But a VF that may
	 * hold a state from elsewhere is never resumed: its guest runs there.
	 */
	m->in_doubt = nvme_vfio_may_be_suspended(m) && !m->loaded &&
		      m->state != VFIO_DEVICE_STATE_RESUMING;
	nvme_vfio_mig_forget(m);

	if (m->vf.overlapped || nvme_pf_pending(m->vf.pdev)) {
		nvme_vfio_to_error(m);
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "migration state ERROR: a command may take effect after the reset; reset the VF again\n");
	} else if (m->in_doubt && m->is_open) {
		schedule_work(&m->ask_work);
	}
	m->vf.overlapped = false;
	nvme_vfio_was_proven(m);
}

static void nvme_vfio_had_fault(struct migration *m)
{
	/* Opening it resets it. */
	if (!m->is_open)
		return;
	m->in_doubt = nvme_vfio_may_be_suspended(m);
	m->vf.overlapped = false;
	nvme_vfio_drop_save_buf(&m->rollback_state);
	nvme_vfio_give_up(m);
	nvme_vfio_mig_begin(m);
	nvme_vfio_mig_failed(m, -EIO, "an error on the bus");
	nvme_vfio_warn_error(m);
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
	for (;;) {
		enum mig_event event;

		nvme_vfio_vf_sysfs_update(m);
		spin_lock(&m->reset_lock);
		event = m->event;
		m->event = MIG_NO_EVENT;
		if (event == MIG_NO_EVENT) {
			/*
			 * Under the spinlock, so that an event either finds the
			 * mutex free or is seen here.
			 */
			mutex_unlock(&m->lock);
			spin_unlock(&m->reset_lock);
			return;
		}
		spin_unlock(&m->reset_lock);
		if (event == MIG_RESET)
			nvme_vfio_was_reset(m);
		else
			nvme_vfio_had_fault(m);
	}
}

static void nvme_vfio_happened(struct migration *m, enum mig_event event)
{
	spin_lock(&m->reset_lock);
	if (event == MIG_RESET && m->own_reset == current) {
		spin_unlock(&m->reset_lock);
		return;
	}
	m->event = event;
	if (!mutex_trylock(&m->lock)) {
		spin_unlock(&m->reset_lock);
		return;
	}
	spin_unlock(&m->reset_lock);
	nvme_vfio_mig_unlock(m);
}

void nvme_vfio_mig_reset_begins(struct migration *m)
{
	nvme_vfio_vf_reset_begins(&m->vf);
}

void nvme_vfio_mig_reset(struct migration *m)
{
	nvme_vfio_vf_reset_ends(&m->vf);
	nvme_vfio_count(m->vf.figures, FIGURE_RESETS, 1);
	nvme_vfio_happened(m, MIG_RESET);
}

void nvme_vfio_mig_fault(struct migration *m)
{
	/* Whatever is under way overlapped it. */
	nvme_vfio_vf_reset_ends(&m->vf);
	nvme_vfio_count(m->vf.figures, FIGURE_BUS_ERRORS, 1);
	nvme_vfio_happened(m, MIG_FAULT);
}

/*
 * Half a state may keep a VF from running, and a reset need not remove it. What
 * is done in haste will be tried again.
 */
static int nvme_vfio_drop_half(struct migration *m, bool in_haste)
{
	struct nvme_vf *vf = &m->vf;
	int ret;

	if (!m->half_loaded)
		return 0;

	vf->in_haste = in_haste;
	vf->haste_until = jiffies + msecs_to_jiffies(BRIEF_MS);
	ret = vf->set->drop_half(vf);
	vf->in_haste = false;
	/* Without its driver the PF is reset, and forgets its sequences. */
	if (ret == -ENODEV)
		ret = 0;
	m->half_loaded = ret;
	/* What was not finished may have left it suspended. */
	m->in_doubt = ret;
	if (ret)
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "part of a state is left in the VF, which may be unable to run with it (%pe)\n",
				     ERR_PTR(ret));
	return ret;
}

/*
 * If nobody knows whether a VF runs, it is made to run. Until that has
 * succeeded it takes no arc. Whoever asks for one waits as for any command.
 */
static int nvme_vfio_find_out(struct migration *m, u32 limit_ms)
{
	struct nvme_vf *vf = &m->vf;
	bool was_suspended;
	int ret;

	if (!m->in_doubt)
		return 0;
	if (!vf->set) {
		m->in_doubt = false;
		return 0;
	}
	if (m->half_loaded)
		return nvme_vfio_drop_half(m, limit_ms);

	ret = vf->set->find_out(vf, limit_ms, &was_suspended);
	/* Whether Resume comes before or after a reset makes no difference. */
	vf->overlapped = false;
	/* Without its driver the PF is reset, and so are its VFs. */
	if (ret && ret != -ENODEV)
		return ret;
	m->in_doubt = false;
	if (!ret)
		nvme_vfio_was_proven(m);
	if (!ret && was_suspended)
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "the VF was left suspended; it runs again\n");
	return 0;
}

void nvme_vfio_mig_after_reset(struct migration *m)
{
	if (!READ_ONCE(m->half_loaded) || nvme_vfio_mig_lock_killable(m))
		return;
	nvme_vfio_vf_be_impatient(&m->vf);
	if (m->state == VFIO_DEVICE_STATE_RUNNING)
		nvme_vfio_drop_half(m, true);
	nvme_vfio_mig_unlock(m);
}

static void nvme_vfio_ask(struct work_struct *work)
{
	struct migration *m = container_of(work, struct migration, ask_work);

	nvme_vfio_mig_lock(m);
	nvme_vfio_vf_be_patient(&m->vf);
	/* In ERROR the user has to reset it again. */
	if (m->is_open && m->state == VFIO_DEVICE_STATE_RUNNING)
		nvme_vfio_find_out(m, BRIEF_MS);
	nvme_vfio_mig_unlock(m);
}

static int nvme_vfio_mig_resume(struct migration *m)
{
	struct nvme_vf *vf = &m->vf;
	int ret;

	if (m->rollback_state) {
		/* Reading the state has disabled the VF: load it again. */
		ret = nvme_vfio_save_buf_restore(m->rollback_state, vf);
		if (ret)
			return ret;
		nvme_vfio_drop_save_buf(&m->rollback_state);
	}
	nvme_vfio_dirty_resumes(m);
	ret = vf->set->resume(vf);
	if (!ret) {
		nvme_vfio_count_run(vf->figures, m->loaded);
		m->not_saved = 0;
		m->loaded = false;
		nvme_vfio_dirty_resumed(m);
	}
	return ret;
}

/* Return: whether to wait no longer, for a fatal signal */
static bool nvme_vfio_nap(void)
{
	schedule_timeout_killable(msecs_to_jiffies(NAP_MS));
	return fatal_signal_pending(current);
}

/* The reset that was just done may end a command that was given up. */
static void nvme_vfio_await_end(const struct migration *m)
{
	unsigned int tries = END_TRIES;

	while (nvme_pf_pending(m->vf.pdev) && tries-- && !nvme_vfio_nap())
		;
}

/*
 * As a user would: with VFIO's locks held, and mappings of BARs removed. Others
 * hold the VF's lock, or that of the port above, while they reset a function,
 * which is frequent with a hundred VFs; or for longer, to wait for the user.
 */
static long nvme_vfio_reset_own(struct migration *m)
{
	unsigned int tries = OWN_RESET_TRIES;
	long ret;

	spin_lock(&m->reset_lock);
	m->own_reset = current;
	spin_unlock(&m->reset_lock);
	do {
		ret = vfio_pci_core_ioctl(m->vdev, VFIO_DEVICE_RESET, 0);
	} while (ret == -EAGAIN && nvme_pf_pending(m->vf.pdev) && --tries &&
		 !nvme_vfio_nap());
	spin_lock(&m->reset_lock);
	m->own_reset = NULL;
	spin_unlock(&m->reset_lock);
	return ret;
}

/*
 * A Suspend ends when all that the VF has fetched has completed, and a guest
 * can delay that for ever; nvme would then reset the PF, with all its VFs. A
 * reset of this VF affects only its own guest.
 */
static void nvme_vfio_end_suspend(struct migration *m)
{
	ktime_t start = ktime_get();
	long ret;

	dev_warn(nvme_vfio_mig_dev(m),
		 "Suspend does not end: resetting this VF; its user loses it\n");
	trace_vf_reset(nvme_vfio_mig_dev(m), 0, 0);
	nvme_vfio_count(m->vf.figures, FIGURE_RESETS_BY_DRIVER, 1);

	ret = nvme_vfio_reset_own(m);
	m->in_doubt = true;
	nvme_vfio_await_end(m);

	trace_vf_reset(nvme_vfio_mig_dev(m), ktime_us_delta(ktime_get(), start),
		       ret);
	if (!nvme_pf_pending(m->vf.pdev))
		dev_warn(nvme_vfio_mig_dev(m),
			 "Suspend ended %lld ms after the reset began\n",
			 ktime_ms_delta(ktime_get(), start));
	else
		dev_err(nvme_vfio_mig_dev(m),
			"Suspend did not end after a reset of the VF (%ld): nvme will reset the PF, with all its VFs, after its own time-out\n",
			ret);
}

/* Room for a state of the size last reported, which may be there already. */
static int nvme_vfio_make_room(struct migration *m)
{
	struct save_buf *sbuf;

	if (m->rollback_state ||
	    nvme_vfio_save_buf_expect(m->prealloc, &m->vf, m->size))
		return 0;

	sbuf = nvme_vfio_save_buf_alloc(&m->vf, m->size);
	if (IS_ERR(sbuf))
		return PTR_ERR(sbuf);
	nvme_vfio_drop_save_buf(&m->prealloc);
	m->prealloc = sbuf;
	return 0;
}

static int nvme_vfio_mig_suspend(struct migration *m)
{
	int ret;

	/* A pause works without it, and saving the state tries again. */
	nvme_vfio_make_room(m);
	ret = nvme_vfio_drop_half(m, false);
	if (!ret) {
		ret = nvme_vfio_dirty_confirm(m);
		if (ret)
			return ret;
		ret = m->vf.set->suspend(&m->vf);
	}
	if (ret == -ETIMEDOUT)
		nvme_vfio_end_suspend(m);
	else if (!ret)
		nvme_vfio_count_stop(m->vf.figures, m->arc_at);
	return ret;
}

/* Firmware is activated and namespaces are attached at any time. */
static int nvme_vfio_ask_all(struct migration *m)
{
	int ret = nvme_vfio_vf_reread(&m->vf);

	return ret ?: nvme_vfio_find_namespaces(&m->vf);
}

static int nvme_vfio_check_format(const struct nvme_vf *vf)
{
	if (!vf->format_missing)
		return 0;
	nvme_vfio_count_refusal(vf->figures, FIGURE_REFUSED_FORMAT);
	dev_warn_ratelimited(&vf->pdev->dev,
			     "cannot migrate: PF %s does not list the format= of its policy\n",
			     pci_name(pci_physfn(vf->pdev)));
	return -EINVAL;
}

/* Has the PF reported all about the VF in the last @ms, while it ran? */
static bool nvme_vfio_asked_since(const struct migration *m, u32 ms)
{
	return m->all_asked_at &&
	       m->vf.policy_at == nvme_vfio_policy_changes() &&
	       m->vf.asked_at == atomic_read(&m->vf.resets) &&
	       time_before(jiffies, m->all_asked_at + msecs_to_jiffies(ms));
}

static void nvme_vfio_note_size(struct migration *m, u64 size)
{
	m->size = size;
	m->size_at = jiffies;
}

static int nvme_vfio_new_save_file(struct migration *m,
				   const struct save_buf *sbuf,
				   struct file **filp)
{
	struct stream_identity id = m->vf.identity;
	struct policy policy;
	struct mig_file *f;
	bool old;

	nvme_vfio_policy_get(m->vf.pdev, &policy);
	old = policy.minor && policy.minor < STREAM_MINOR_NAMESPACES;
	if (old)
		id.minor = cpu_to_le16(policy.minor);
	nvme_vfio_save_buf_describe(sbuf, &id);
	f = nvme_vfio_save_file(m, &id, old ? NULL : &m->vf.namespaces, filp);
	if (IS_ERR(f))
		return PTR_ERR(f);

	m->file = f;
	return 0;
}

/*
 * Find a state that cannot move, and let the destination refuse the identity,
 * while the guest still runs.
 */
static int nvme_vfio_start_precopy(struct migration *m, struct file **filp)
{
	struct nvme_vf *vf = &m->vf;
	struct save_buf *sbuf = m->rollback_state;
	u64 size;
	int ret;

	if (nvme_vfio_quarantine_refuses(vf))
		return -EPERM;
	if (sbuf)
		return nvme_vfio_new_save_file(m, sbuf, filp);

	ret = nvme_vfio_ask_all(m);
	if (!ret)
		ret = nvme_vfio_check_format(vf);
	if (!ret)
		ret = vf->set->state_size(vf, &size);
	/* A running VF has no state to lose by an aborted query. */
	if (!nvme_vfio_mig_is_suspended(m->state))
		vf->state_unknown = false;
	if (!ret)
		ret = nvme_vfio_check_state_size(vf, nvme_vfio_max_state(),
						 size);
	if (ret)
		return ret;
	nvme_vfio_note_size(m, size);

	ret = nvme_vfio_make_room(m);
	if (ret)
		return ret;
	ret = nvme_vfio_new_save_file(m, m->prealloc, filp);
	if (!ret && vf->set->announce && !nvme_vfio_mig_is_suspended(m->state))
		vf->set->announce(vf);
	return ret;
}

static void nvme_vfio_end_precopy(struct migration *m)
{
	nvme_vfio_end_file(m);
	nvme_vfio_drop_save_buf(&m->prealloc);
}

/*
 * Read the first piece of a suspended VF's state; returns a reference. Later
 * pieces are read by nvme_vfio_mig_save_more(), so that the destination loads
 * one while the next is read.
 */
static struct save_buf *nvme_vfio_read_state(struct migration *m)
{
	struct nvme_vf *vf = &m->vf;
	struct save_buf *sbuf;
	int ret;

	if (m->rollback_state)
		return nvme_vfio_save_buf_get(m->rollback_state);
	/* The VF has not been quiet since: memory may have changed behind it. */
	if (m->not_saved)
		return ERR_PTR(m->not_saved);

	ret = nvme_vfio_make_room(m);
	if (ret)
		return ERR_PTR(ret);
	sbuf = m->prealloc;
	ret = nvme_vfio_save_buf_read_first(sbuf, vf, nvme_vfio_max_state());
	if (ret)
		return ERR_PTR(ret);

	m->prealloc = NULL;
	if (vf->set->save_disables)
		m->rollback_state = nvme_vfio_save_buf_get(sbuf);
	return sbuf;
}

static int nvme_vfio_start_saving(struct migration *m, struct file **filp)
{
	struct save_buf *sbuf;
	int ret = 0;

	if (!m->file && nvme_vfio_quarantine_refuses(&m->vf))
		return -EPERM;
	/* What was asked while the VF ran need not be asked again, once. */
	if (!m->file && !(m->rollback_state && m->told)) {
		if (!nvme_vfio_asked_since(m, ASKED_VALID_MS))
			ret = nvme_vfio_ask_all(m);
		if (!ret)
			ret = nvme_vfio_check_format(&m->vf);
	}
	if (ret)
		return ret;
	m->all_asked_at = 0;
	m->told = true;

	sbuf = nvme_vfio_read_state(m);
	if (IS_ERR(sbuf))
		return PTR_ERR(sbuf);

	/* Coming from PRE_COPY, there is a file already. */
	if (!m->file)
		ret = nvme_vfio_new_save_file(m, sbuf, filp);
	if (!ret)
		nvme_vfio_save_file_attach(m->file, sbuf);

	nvme_vfio_save_buf_put(sbuf);
	return ret;
}

/* A PF that was reset or unbound has ended the suspension of its VFs. */
static bool nvme_vfio_is_lost(const struct migration *m, int err)
{
	return err &&
	       (m->vf.state_unknown ||
		(err == -ENODEV && nvme_vfio_mig_is_suspended(m->state)));
}

/* An arc of several steps has failed: back to its start, or to ERROR. */
static int nvme_vfio_step_back(struct migration *m,
			       enum vfio_device_mig_state from, int err)
{
	if (nvme_vfio_is_lost(m, err))
		return err;

	if (nvme_vfio_mig_resume(m)) {
		m->vf.state_unknown = true;
	} else {
		m->vf.state_unknown = false;
		m->state = from;
	}
	return err;
}

/*
 * Where only reading the state ends DMA. A state that cannot be read is no
 * reason to refuse a pause: STOP_COPY reports that it cannot move.
 */
static int nvme_vfio_stop_by_reading(struct migration *m)
{
	enum vfio_device_mig_state from = m->state;
	struct save_buf *sbuf;
	int ret;

	ret = nvme_vfio_mig_suspend(m);
	if (ret)
		return ret;
	m->state = VFIO_DEVICE_STATE_STOP;

	m->told = false;
	sbuf = nvme_vfio_read_state(m);
	if (!IS_ERR(sbuf)) {
		nvme_vfio_save_buf_put(sbuf);
		return 0;
	}
	ret = PTR_ERR(sbuf);
	if (ret == -EOVERFLOW || ret == -ENOSPC ||
	    (ret == -EIO && m->vf.status)) {
		m->not_saved = ret;
		return 0;
	}
	return nvme_vfio_step_back(m, from, ret);
}

static int nvme_vfio_stop_and_save(struct migration *m, struct file **filp)
{
	enum vfio_device_mig_state from = m->state;
	int ret;

	ret = nvme_vfio_stop_by_reading(m);
	if (ret)
		return ret;
	ret = nvme_vfio_start_saving(m, filp);
	return ret ? nvme_vfio_step_back(m, from, ret) : 0;
}

static int nvme_vfio_start_loading(struct migration *m, struct file **filp)
{
	struct mig_file *f;

	if (nvme_vfio_quarantine_refuses(&m->vf))
		return -EPERM;
	/* Nothing is read here any more; one buffer is enough. */
	nvme_vfio_drop_save_buf(&m->prealloc);
	f = nvme_vfio_load_file(m, filp);
	if (IS_ERR(f))
		return PTR_ERR(f);

	nvme_vfio_drop_save_buf(&m->rollback_state);
	m->not_saved = 0;
	m->loaded = false;
	m->load_failed = false;
	m->file = f;
	return 0;
}

static int nvme_vfio_finish_loading(struct migration *m)
{
	nvme_vfio_end_file(m);
	if (m->loaded && !m->load_failed)
		return 0;

	if (!m->load_failed)
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "state incomplete: the stream ended early\n");
	/* A partly loaded state is unusable; only a reset recovers the VF. */
	nvme_vfio_to_error(m);
	return -EINVAL;
}

#define ARC(from, to)	((from) << 8 | (to))

static int nvme_vfio_take_arc(struct migration *m,
			      enum vfio_device_mig_state to, struct file **filp)
{
	switch (ARC(m->state, to)) {
	case ARC(VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_RUNNING_P2P):
	case ARC(VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P):
		return nvme_vfio_mig_suspend(m);
	case ARC(VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_STOP):
		return nvme_vfio_stop_by_reading(m);
	case ARC(VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_STOP_COPY):
		return nvme_vfio_stop_and_save(m, filp);
	case ARC(VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_RUNNING):
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING):
		nvme_vfio_drop_save_buf(&m->prealloc);
		return nvme_vfio_mig_resume(m);
	case ARC(VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_PRE_COPY):
		return nvme_vfio_mig_resume(m);
	case ARC(VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_PRE_COPY):
	case ARC(VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_PRE_COPY_P2P):
		return nvme_vfio_start_precopy(m, filp);
	case ARC(VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_RUNNING):
	case ARC(VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_RUNNING_P2P):
		nvme_vfio_end_precopy(m);
		return 0;
	case ARC(VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_STOP):
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING_P2P):
		return 0;
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_STOP_COPY):
	case ARC(VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_STOP_COPY):
		return nvme_vfio_start_saving(m, filp);
	case ARC(VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_STOP):
		nvme_vfio_end_file(m);
		return 0;
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RESUMING):
		return nvme_vfio_start_loading(m, filp);
	case ARC(VFIO_DEVICE_STATE_RESUMING, VFIO_DEVICE_STATE_STOP):
		return nvme_vfio_finish_loading(m);
	}
	return -EINVAL;
}

static void nvme_vfio_arc_failed(struct migration *m,
				 enum vfio_device_mig_state from,
				 enum vfio_device_mig_state to, int err)
{
	/* It only says that the stream was refused; that error says more. */
	if (from == VFIO_DEVICE_STATE_RESUMING && m->load_failed)
		return;
	nvme_vfio_mig_failed(m, err, NULL);
	m->failure.from = from;
	m->failure.to = to;
}

static void nvme_vfio_count_arc(const struct migration *m,
				enum vfio_device_mig_state to, int ret)
{
	struct figures *f = m->vf.figures;

	if (ret)
		nvme_vfio_count(f, FIGURE_ARCS_FAILED, 1);
	switch ((unsigned int)to) {
	case VFIO_DEVICE_STATE_PRE_COPY:
	case VFIO_DEVICE_STATE_PRE_COPY_P2P:
	case VFIO_DEVICE_STATE_STOP_COPY:
		if (ret == -ENOSPC || ret == -EOVERFLOW)
			nvme_vfio_count_refusal(f, FIGURE_REFUSED_SIZE);
		else if (!ret)
			nvme_vfio_count_save(f);
		break;
	case VFIO_DEVICE_STATE_RUNNING:
	case VFIO_DEVICE_STATE_RUNNING_P2P:
		if (!ret)
			nvme_vfio_count_unsave(f);
		break;
	case VFIO_DEVICE_STATE_RESUMING:
		if (!ret)
			nvme_vfio_count_load(f);
		break;
	}
}

/* One arc; on failure the state stays, or is ERROR if it is unknown. */
static int nvme_vfio_step(struct migration *m, enum vfio_device_mig_state to,
			  struct file **filp)
{
	enum vfio_device_mig_state from = m->state;
	struct nvme_vf *vf = &m->vf;
	int ret;

	m->arc_at = ktime_get();
	nvme_vfio_vf_be_patient(vf);
	nvme_vfio_mig_begin(m);
	ret = nvme_vfio_find_out(m, 0);
	vf->state_unknown = false;
	if (!ret)
		nvme_vfio_mig_begin(m);
	if (!ret)
		ret = nvme_vfio_take_arc(m, to, filp);
	/* The PF that this VF was attached to has gone; it may be back. */
	if (ret == -ENODEV && !nvme_vfio_mig_is_suspended(m->state))
		ret = nvme_vfio_take_arc(m, to, filp);
	if (!ret)
		m->state = to;
	else if (nvme_vfio_is_lost(m, ret))
		nvme_vfio_give_up(m);
	if (m->state == VFIO_DEVICE_STATE_ERROR)
		nvme_vfio_dirty_lost(m);
	if (ret && m->state == VFIO_DEVICE_STATE_ERROR)
		nvme_vfio_warn_error(m);
	if (ret)
		nvme_vfio_arc_failed(m, from, to, ret);
	nvme_vfio_count_arc(m, to, ret);
	nvme_vfio_vf_sysfs_update(m);

	trace_state_arc(nvme_vfio_mig_dev(m), from, to, m->state,
			ktime_us_delta(ktime_get(), m->arc_at), ret);
	return ret;
}

/*
 * vfio_mig_get_next_state() has no arc out of ERROR, and before 7.0 loops
 * forever on STOP_COPY -> PRE_COPY*, which the uAPI forbids as well.
 */
static bool nvme_vfio_arc_forbidden(unsigned int from, unsigned int to)
{
	return from == VFIO_DEVICE_STATE_ERROR ||
	       (from == VFIO_DEVICE_STATE_STOP_COPY &&
		(to == VFIO_DEVICE_STATE_PRE_COPY ||
		 to == VFIO_DEVICE_STATE_PRE_COPY_P2P));
}

struct file *nvme_vfio_mig_set_state(struct migration *m,
				     enum vfio_device_mig_state new_state)
{
	struct file *filp = NULL;
	int ret = 0;

	/* User space cannot request ERROR. */
	if (new_state == VFIO_DEVICE_STATE_ERROR)
		return ERR_PTR(-EINVAL);

	ret = nvme_vfio_mig_lock_killable(m);
	if (ret)
		return ERR_PTR(ret);
	while (new_state != m->state) {
		enum vfio_device_mig_state next;

		/* Only the last arc of a path has a file. */
		if (WARN_ON(filp)) {
			ret = -EINVAL;
			break;
		}
		ret = -EINVAL;
		if (nvme_vfio_arc_forbidden(m->state, new_state))
			break;
		ret = vfio_mig_get_next_state(m->vdev, m->state, new_state,
					      &next);
		if (!ret)
			ret = nvme_vfio_step(m, next, &filp);
		if (ret)
			break;
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
	int ret = nvme_vfio_mig_lock_killable(m);

	if (ret)
		return ret;
	*state = m->state;
	nvme_vfio_mig_unlock(m);
	return 0;
}

static bool nvme_vfio_size_is_fresh(struct migration *m)
{
	return m->size &&
	       time_before(jiffies,
			   m->size_at + msecs_to_jiffies(SIZE_VALID_MS));
}

/*
 * A VF in ERROR has no state to move, reading it once is enough, and in the
 * middle of a sequence of writes nothing is read.
 */
static bool nvme_vfio_may_ask_size(struct migration *m)
{
	return m->state != VFIO_DEVICE_STATE_ERROR &&
	       m->state != VFIO_DEVICE_STATE_RESUMING && !m->rollback_state &&
	       !nvme_vfio_size_is_fresh(m);
}

/*
 * A kernel without PRE_COPY would have to ask while the guest is stopped. Its
 * user asks for the size while the guest still runs.
 */
static void nvme_vfio_note_all(struct migration *m)
{
	if (!COMPAT_MIGRATION_PRE_COPY && m->vf.set &&
	    m->state == VFIO_DEVICE_STATE_RUNNING &&
	    !nvme_vfio_asked_since(m, ASK_AGAIN_MS) &&
	    !nvme_vfio_ask_all(m))
		m->all_asked_at = jiffies | 1;
}

int nvme_vfio_mig_data_size(struct migration *m, u64 *size)
{
	struct nvme_vf *vf = &m->vf;
	int ret = nvme_vfio_mig_lock_killable(m);
	u32 patience;
	u64 state;

	if (ret)
		return ret;
	/* The last arc's patience is not meant for this. */
	patience = vf->patience_ms;
	nvme_vfio_vf_be_impatient(vf);
	if (nvme_vfio_may_ask_size(m) && !nvme_vfio_vf_refresh(vf) &&
	    !vf->set->state_size(vf, &state)) {
		nvme_vfio_note_size(m, state);
		/*
		 * Whoever asks is about to migrate, and without PRE_COPY only
		 * this comes before the downtime. May fail.
		 */
		if (m->state == VFIO_DEVICE_STATE_RUNNING &&
		    state <= nvme_vfio_max_state())
			nvme_vfio_make_room(m);
	}
	vf->patience_ms = patience;
	nvme_vfio_note_all(m);
	/* Not known yet: one command's worth is the best guess. */
	*size = nvme_vfio_save_buf_estimate(m->size ?: vf->max_transfer,
					    vf->max_transfer);
	/* At most: how many there are need not have been asked yet. */
	*size += sizeof(struct stream_header) + sizeof(vf->namespaces);
	nvme_vfio_mig_unlock(m);

	return 0;
}

struct vfio_device *nvme_vfio_mig_get_vdev(struct migration *m,
					   const struct mig_file *f)
{
	struct vfio_device *vdev = ERR_PTR(-ENODEV);
	int ret = nvme_vfio_mig_lock_killable(m);

	if (ret)
		return ERR_PTR(ret);
	if (m->file == f) {
		vdev = m->vdev;
		get_device(&vdev->device);
	}
	nvme_vfio_mig_unlock(m);
	return vdev;
}

int nvme_vfio_mig_save_more(struct migration *m, struct mig_file *f,
			    struct save_buf *sbuf)
{
	int ret = nvme_vfio_mig_lock_killable(m);

	if (ret)
		return ret;
	ret = -ENODEV;
	if (m->file != f || m->state != VFIO_DEVICE_STATE_STOP_COPY)
		goto unlock;

	nvme_vfio_mig_begin(m);
	ret = nvme_vfio_save_buf_read_next(sbuf, &m->vf);
	if (ret)
		nvme_vfio_mig_failed(m, ret, "reading the state");
	if (nvme_vfio_is_lost(m, ret)) {
		nvme_vfio_give_up(m);
		nvme_vfio_warn_error(m);
	}
unlock:
	nvme_vfio_mig_unlock(m);
	return ret;
}

static bool nvme_vfio_is_loading(struct migration *m, struct mig_file *f)
{
	return m->file == f && m->state == VFIO_DEVICE_STATE_RESUMING;
}

/* Take the lock for a file that is still being loaded from, else -ENODEV. */
static int nvme_vfio_lock_loading(struct migration *m, struct mig_file *f)
{
	int ret = nvme_vfio_mig_lock_killable(m);

	if (!ret)
		nvme_vfio_mig_begin(m);
	if (ret || nvme_vfio_is_loading(m, f))
		return ret;
	nvme_vfio_mig_unlock(m);
	return -ENODEV;
}

int nvme_vfio_mig_load_identity(struct migration *m, struct mig_file *f,
				struct stream_reader *r)
{
	struct nvme_vf *vf = &m->vf;
	struct identity_rules rules;
	struct policy policy;
	const char *why;
	int ret = nvme_vfio_lock_loading(m, f);

	if (ret)
		return ret;

	if (nvme_vfio_vf_reread(vf)) {
		ret = nvme_vfio_reader_fail(r, -EIO,
					    "the PF does not say what this VF has");
		goto unlock;
	}
	nvme_vfio_policy_get(vf->pdev, &policy);
	rules.formats = vf->formats;
	rules.policy = &policy;
	why = identity_misfit(&r->identity, &vf->identity, &rules);
	ret = why ? nvme_vfio_reader_fail(r, -EINVAL, why) : 0;
	if (!ret && r->identity.has_uuid)
		nvme_vfio_pick_format(vf->formats,
			       le16_to_cpu(r->identity.state_version),
			       r->identity.uuid, &vf->load_format);
	if (ret || le16_to_cpu(r->identity.minor) >= STREAM_MINOR_NAMESPACES)
		goto unlock;
	if (policy.refuse_unknown)
		ret = nvme_vfio_reader_fail(r, -EINVAL,
					    "the source runs an older version, which does not say which namespaces its VF has");
	else
		dev_info(nvme_vfio_mig_dev(m),
			 "the source runs an older version, which does not say which namespaces its VF has: not compared\n");
unlock:
	nvme_vfio_mig_unlock(m);
	return ret;
}

int nvme_vfio_mig_load_namespaces(struct migration *m, struct mig_file *f,
				  struct stream_reader *r)
{
	struct nvme_vf *vf = &m->vf;
	struct policy policy;
	struct ns_verdict v;
	int ret = nvme_vfio_lock_loading(m, f);

	if (ret)
		return ret;

	if (nvme_vfio_find_namespaces(vf)) {
		ret = nvme_vfio_reader_fail(r, -EIO,
					    "the PF does not say what this VF has");
		goto unlock;
	}
	ret = 0;
	nvme_vfio_policy_get(vf->pdev, &policy);
	v = ns_compare(&r->namespaces, &vf->namespaces, policy.copied);
	if (v.why) {
		ret = nvme_vfio_reader_fail(r, -EINVAL, v.why);
		if (v.nsid) {
			scnprintf(r->text, sizeof(r->text), "namespace %u %s",
				  v.nsid, v.why);
			r->why = r->text;
		}
	} else if (v.unsure && policy.refuse_unknown) {
		ret = nvme_vfio_reader_fail(r, -EINVAL,
					    "not known whether the namespaces are the source's");
	} else if (v.unsure) {
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "not known whether the namespaces are the source's: accepting the state anyway\n");
	}
unlock:
	nvme_vfio_mig_unlock(m);
	return ret;
}

/* The source's commands may have carried more than this queue can. */
static int nvme_vfio_load_pieces(struct nvme_vf *vf,
				 const struct stream_reader *r,
				 struct nvme_pf_buf *buf)
{
	u32 done, n;
	int ret;

	for (done = 0; done < r->data_len; done += n) {
		u64 offset = r->data_offset + done;

		n = min(r->data_len - done, vf->max_transfer);
		ret = vf->set->set_state(vf, offset, buf, done, n, !offset,
					 offset + n == r->size);
		if (ret)
			return ret;
	}
	return 0;
}

int nvme_vfio_mig_load_data(struct migration *m, struct mig_file *f,
			    struct stream_reader *r, struct nvme_pf_buf *buf)
{
	struct nvme_vf *vf = &m->vf;
	const char *why;
	int ret = nvme_vfio_lock_loading(m, f);

	if (ret)
		return ret;

	if (!r->data_offset) {
		nvme_vfio_count_loads(vf->figures);
		ret = vf->set->check_start(vf, r->data, r->data_len, r->size,
					   &why);
		if (ret) {
			nvme_vfio_reader_fail(r, ret, why);
			goto unlock;
		}
	}

	m->half_loaded = vf->set->drop_half;
	/* A refusal ends the sequence, whose start is only in the first record. */
	do {
		ret = nvme_vfio_load_pieces(vf, r, buf);
	} while (ret && !r->data_offset && nvme_vfio_try_again(vf));
	if (ret) {
		nvme_vfio_warn_status(vf);
		/* To a writer EAGAIN would mean something else. */
		if (ret == -EAGAIN)
			ret = -EIO;
		nvme_vfio_reader_fail(r, ret, "the device refused the state");
	} else if (r->data_offset + r->data_len == r->size) {
		m->half_loaded = false;
	}
unlock:
	nvme_vfio_mig_unlock(m);
	return ret;
}

int nvme_vfio_mig_load_end(struct migration *m, struct mig_file *f)
{
	int ret = nvme_vfio_lock_loading(m, f);

	if (ret)
		return ret;
	m->loaded = true;
	nvme_vfio_mig_unlock(m);
	return 0;
}

void nvme_vfio_mig_load_refuse(struct migration *m, struct mig_file *f, int err,
			       const char *why, enum figure figure)
{
	nvme_vfio_mig_lock(m);
	if (nvme_vfio_is_loading(m, f)) {
		if (!m->load_failed)
			dev_warn_ratelimited(nvme_vfio_mig_dev(m),
					     "state refused: %s (%pe)\n",
					     why ?: "cannot be loaded",
					     ERR_PTR(err));
		if (!m->load_failed) {
			nvme_vfio_mig_failed(m, err, "writing the state");
			strscpy(m->failure.why, why ?: "",
				sizeof(m->failure.why));
			nvme_vfio_count_refusal(m->vf.figures, figure);
		}
		m->load_failed = true;
	}
	nvme_vfio_mig_unlock(m);
}

/*
 * Clean up after the last user: the VF must run, and not be tracked. Takes two
 * seconds at most. Return: whether nothing is left to do.
 */
static bool nvme_vfio_settled(struct migration *m, bool was_reset)
{
	nvme_vfio_vf_be_impatient(&m->vf);
	/* No command gets through, and that one may act after the reset. */
	if (nvme_pf_pending(m->vf.pdev))
		return false;
	if (was_reset)
		m->in_doubt = false;
	if (nvme_vfio_drop_half(m, true))
		return false;
	/* Tracking of a suspended VF cannot be ended. */
	if (nvme_vfio_find_out(m, BRIEF_MS) || !nvme_vfio_dirty_end(m))
		return false;
	return !nvme_pf_pending(m->vf.pdev);
}

int nvme_vfio_mig_open(struct migration *m, bool was_reset)
{
	const char *why;
	int ret;

	nvme_vfio_mig_lock(m);
	m->in_doubt |= nvme_vfio_may_be_suspended(m);
	nvme_vfio_mig_forget(m);
	m->size = 0;
	m->all_asked_at = 0;
	m->vf.overlapped = false;
	nvme_vfio_mig_begin(m);
	nvme_vfio_mig_failed(m, 0, NULL);
	if (!nvme_vfio_settled(m, was_reset)) {
		nvme_vfio_mig_failed(m, -EBUSY, "opening");
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "cannot be opened for now: it may still be suspended, tracked or partly loaded for its last user, and the PF does not end that\n");
		nvme_vfio_vf_detach(&m->vf);
		nvme_vfio_mig_unlock(m);
		return -EBUSY;
	}

	if (was_reset)
		nvme_vfio_was_proven(m);
	m->is_open = true;
	ret = nvme_vfio_vf_attach(&m->vf, &why);
	if (ret)
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "cannot migrate for now: %s (%pe)\n", why,
				     ERR_PTR(ret));
	nvme_vfio_mig_unlock(m);
	return 0;
}

void nvme_vfio_mig_close(struct migration *m)
{
	nvme_vfio_mig_lock(m);
	m->is_open = false;
	m->in_doubt = nvme_vfio_may_be_suspended(m);
	nvme_vfio_mig_forget(m);
	nvme_vfio_mig_unlock(m);
}

void nvme_vfio_mig_settle(struct migration *m, bool was_reset)
{
	nvme_vfio_mig_lock(m);
	if (!nvme_vfio_settled(m, was_reset)) {
		dev_warn_ratelimited(nvme_vfio_mig_dev(m),
				     "may still be suspended, tracked or partly loaded, and the PF does not end that: trying again\n");
		m->settle_tries = SETTLE_TRIES;
		schedule_delayed_work(&m->settle_work,
				      msecs_to_jiffies(SETTLE_MS));
	} else if (was_reset) {
		nvme_vfio_was_proven(m);
	}
	nvme_vfio_vf_detach(&m->vf);
	nvme_vfio_mig_unlock(m);
}

static void nvme_vfio_settle_again(struct work_struct *work)
{
	struct migration *m = container_of(to_delayed_work(work),
					   struct migration, settle_work);

	nvme_vfio_mig_lock(m);
	if (!m->is_open) {
		if (!nvme_vfio_settled(m, false) && --m->settle_tries)
			schedule_delayed_work(&m->settle_work,
					      msecs_to_jiffies(SETTLE_MS));
		nvme_vfio_vf_detach(&m->vf);
	}
	nvme_vfio_mig_unlock(m);
}

/*
 * The driver leaves, and has to do what VFIO could not because of the VF's
 * lock. Nobody uses the VF, and the caller holds the lock. Return: whether it
 * was reset.
 */
static bool nvme_vfio_reset_unused(struct migration *m)
{
	struct pci_dev *pdev = m->vf.pdev;
	u32 command;
	int ret;

	/*
	 * For a function that has gone the PCI core would wait for a minute. A
	 * PF that is there may have lost its VFs, by a reset after which nobody
	 * restored them.
	 */
	if (!pci_device_is_present(pdev) ||
	    pci_read_config_dword(pdev, PCI_COMMAND, &command) ||
	    PCI_POSSIBLE_ERROR(command))
		return false;
	pci_save_state(pdev);
	ret = __pci_reset_function_locked(pdev);
	pci_restore_state(pdev);
	nvme_vfio_await_end(m);
	return !ret;
}

void nvme_vfio_mig_stop(struct migration *m)
{
	cancel_work_sync(&m->ask_work);
	cancel_delayed_work_sync(&m->settle_work);

	nvme_vfio_mig_lock(m);
	if (!nvme_vfio_settled(m, false) &&
	    !nvme_vfio_settled(m, nvme_vfio_reset_unused(m)))
		dev_warn(nvme_vfio_mig_dev(m),
			 "released although it may be suspended or tracked: reset it before use\n");
	nvme_vfio_vf_detach(&m->vf);
	nvme_vfio_mig_unlock(m);
}

struct migration *nvme_vfio_mig_get(struct migration *m)
{
	kref_get(&m->ref);
	return m;
}

static void nvme_vfio_mig_release(struct kref *ref)
{
	struct migration *m = container_of(ref, struct migration, ref);

	nvme_vfio_dirty_destroy(&m->dirty);
	mutex_destroy(&m->lock);
	kfree(m);
}

void nvme_vfio_mig_put(struct migration *m)
{
	kref_put(&m->ref, nvme_vfio_mig_release);
}

struct migration *nvme_vfio_mig_create(struct pci_dev *pdev,
				       struct vfio_device *vdev,
				       const char **why)
{
	struct migration *m;
	int ret;

	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);

	kref_init(&m->ref);
	mutex_init(&m->lock);
	spin_lock_init(&m->reset_lock);
	spin_lock_init(&m->sysfs.lock);
	nvme_vfio_dirty_init(&m->dirty);
	m->vdev = vdev;
	m->state = VFIO_DEVICE_STATE_RUNNING;
	INIT_WORK(&m->ask_work, nvme_vfio_ask);
	INIT_DELAYED_WORK(&m->settle_work, nvme_vfio_settle_again);
	nvme_vfio_vf_init(&m->vf, pdev);
	m->vf.figures = nvme_vfio_figures_get(pdev);
	if (!m->vf.figures) {
		nvme_vfio_mig_put(m);
		return ERR_PTR(-ENOMEM);
	}

	ret = nvme_vfio_vf_attach(&m->vf, why);
	/* Nobody has opened the VF: the PF must stay free to go. */
	nvme_vfio_vf_detach(&m->vf);
	nvme_vfio_vf_sysfs_update(m);
	if (ret != -EOPNOTSUPP && ret != -ENOMEM && pdev->is_virtfn)
		return m;

	nvme_vfio_mig_put(m);
	return ret == -ENOMEM ? ERR_PTR(ret) : NULL;
}
