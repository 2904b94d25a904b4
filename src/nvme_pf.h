/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PF interface: one VF's way to the admin queue of its physical function.
 *
 * Provided by nvme-pf-shim.ko, or by an nvme.ko that exports the same
 * functions; the variant driver cannot tell the difference. Nothing else in
 * this package knows struct nvme_ctrl.
 */
#ifndef _NVME_PF_H
#define _NVME_PF_H

#include <linux/kref.h>
#include <linux/types.h>
#include <linux/nvme.h>
#include <linux/pci.h>

struct nvme_pf;

/* A build that sees this header twice must see the same one. */
#ifndef NVME_PF_INTERFACE
#define NVME_PF_INTERFACE 3

/* A status as nvme_pf_submit() returns it: that of the completion, no phase. */
#define NVME_PF_STATUS		0x07ff	/* status code type << 8 | status code */
#define NVME_PF_CRD_SHIFT	11	/* 1 to 3: wait as long as CRDT1 to 3 say */
#define NVME_PF_CRD		0x1800
#define NVME_PF_DNR		0x4000	/* do not retry */

/**
 * struct nvme_pf_buf - memory for commands' data
 * @ref: one reference held by the owner, one by each command that uses it
 * @data: kvmalloc'ed; page aligned when it is a page or more
 * @len: bytes at @data, a multiple of 4
 *
 * A command that was given up goes on using its buffer, hence the references.
 * Itself kmalloc'ed; freed by nvme_pf_buf_put().
 */
struct nvme_pf_buf {
	struct kref ref;
	void *data;
	u32 len;
};

/**
 * struct nvme_pf_cmd - an admin command and what is needed to run it
 * @cmd: the command; data pointer and command id are filled in
 * @undo: the command that undoes a success of @cmd, or opcode 0 where there is
 *	nothing to undo. Sent when @cmd succeeds after it was given up. Carries
 *	no data.
 * @buf: the buffer, or NULL
 * @offset: where the command's data start in it, bytes, a multiple of 4; of the
 *	page size when @len exceeds a page
 * @len: bytes of data, a multiple of 4, at most nvme_pf_max_transfer()
 * @limit_ms: give up after this many milliseconds; 0 = after the provider's
 *	parameter command_timeout. Also given up when the task is killed, unless
 *	the limit is a second or less: so a killed user's VF can be cleaned up
 * @result: dwords 0 (low) and 1 of the completion, CPU byte order; set when
 *	the device has completed the command, whatever its status, else 0
 */
struct nvme_pf_cmd {
	struct nvme_command cmd;
	struct nvme_command undo;
	struct nvme_pf_buf *buf;
	u32 offset;
	u32 len;
	u32 limit_ms;
	u64 result;
};

#elif NVME_PF_INTERFACE != 3
#error "this nvme exports another PF interface than this driver uses"
#endif

/**
 * nvme_pf_get - attach to the admin queue of a VF's physical function
 * @vf: the virtual function
 * @why: on failure set to a constant text that says what is missing
 *
 * Holds the PF's driver module and its admin queue until nvme_pf_put(). Holding
 * them does not keep the PF bound: unbinding or removing it makes
 * nvme_pf_submit() fail with -ENODEV or -EIO.
 *
 * May sleep and may issue one harmless command. Never waits for the PF's
 * device lock, which others hold while they wait for users of the VF.
 *
 * Return: the handle, or ERR_PTR of
 * * -EAGAIN - a driver probe, a reset or an SR-IOV change of the PF is under
 *   way, try again later
 * * -EBUSY - a command for this VF was given up and has not ended
 * * -ENODEV - not a VF, or the PF is not bound to nvme
 * * -EOPNOTSUPP - the admin queue could not be proven to be the right one
 * * -ENOMEM
 */
struct nvme_pf *nvme_pf_get(struct pci_dev *vf, const char **why);

/**
 * nvme_pf_put - give the handle back
 * @pf: what nvme_pf_get() returned; nvme_pf_submit() has returned
 *
 * May sleep. What a command that was given up still needs stays until it has
 * ended.
 */
void nvme_pf_put(struct nvme_pf *pf);

/**
 * nvme_pf_pending - has a command for this VF been given up and not ended?
 * @vf: the virtual function
 *
 * Identify does not count. Waits for nothing that takes time.
 */
bool nvme_pf_pending(struct pci_dev *vf);

/* nvme_pf_buf_put - drop a reference to a buffer; NULL is none. May sleep. */
void nvme_pf_buf_put(struct nvme_pf_buf *buf);

/**
 * nvme_pf_max_transfer - bytes that one command on the PF's queue can carry
 * @pf: the handle
 *
 * Covers the controller's MDTS and the queue's own limits for a buffer that
 * starts on a page boundary.
 *
 * Return: a multiple of the page size, at least one page.
 */
u32 nvme_pf_max_transfer(const struct nvme_pf *pf);

/**
 * nvme_pf_submit - run one admin command on the PF and wait for it
 * @pf: the handle; one command at a time
 * @c: the command
 *
 * Only the commands that live migration needs are let through: Identify and
 * those of the two command sets. Refused while the controller is not live. Of
 * all handles of one PF some have a command in flight and the others wait their
 * turn, first come first served; a few tags of the queue stay nvme's.
 *
 * The wait ends by a fatal signal or by the limit. A command that is given up
 * then may still take effect: until it has ended this handle cannot be used,
 * and unless it was an Identify, there is no other for the VF. When it succeeds
 * after all, @c->undo is sent.
 *
 * Return: 0, a positive NVMe status (NVME_PF_STATUS, NVME_PF_CRD, NVME_PF_DNR),
 * or where the command was not sent,
 * * -ENODEV - the PF's driver has gone
 * * -EAGAIN - the controller is not live, or no turn came within the limit
 * * -EINTR - a fatal signal
 * * -EBUSY - an earlier command of this handle was given up
 * * -EPERM - not one of the commands let through
 * * -EINVAL - @len or @offset do not suit
 * * -ENOMEM
 * or where it is not known whether it took effect,
 * * -EIO - aborted by a reset, removal or time-out of the PF
 * * -ETIMEDOUT - given up at the limit
 * * -ECANCELED - given up for a fatal signal
 */
int nvme_pf_submit(struct nvme_pf *pf, struct nvme_pf_cmd *c);

#endif
