/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PF interface: one VF's way to the admin queue of its physical function.
 *
 * Provided by nvme-pf-shim.ko, or by an nvme.ko that exports the same four
 * functions; the variant driver cannot tell the difference. Nothing else in
 * this package knows struct nvme_ctrl.
 */
#ifndef _NVME_PF_H
#define _NVME_PF_H

#include <linux/types.h>
#include <linux/nvme.h>
#include <linux/pci.h>

struct nvme_pf;

/**
 * nvme_pf_get - attach to the admin queue of a VF's physical function
 * @vf: the virtual function
 * @why: on failure set to a constant text that says what is missing
 *
 * Holds the PF's driver module, its controller device and its admin queue
 * until nvme_pf_put(). Holding them does not keep the PF bound: unbinding or
 * removing it makes nvme_pf_submit() fail with -ENODEV or -EIO.
 *
 * May sleep and may issue one harmless command. Never waits for the PF's
 * device lock, which others hold while they wait for users of the VF.
 *
 * Return: the handle, or ERR_PTR of
 * * -EAGAIN - the PF's device lock is held; a driver probe or an SR-IOV
 *   change is under way, try again later
 * * -ENODEV - not a VF, or the PF is not bound to nvme
 * * -EOPNOTSUPP - the admin queue could not be proven to be the right one
 * * -ENOMEM
 */
struct nvme_pf *nvme_pf_get(struct pci_dev *vf, const char **why);

/**
 * nvme_pf_put - give the handle back
 * @pf: what nvme_pf_get() returned; no command may be in flight
 *
 * May sleep: this can drop the last reference to the controller.
 */
void nvme_pf_put(struct nvme_pf *pf);

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
 * @pf: the handle
 * @cmd: the command; data pointer and command id are filled in
 * @buf: kernel buffer (kmalloc or vmalloc), page aligned when @len exceeds a
 *	page, or NULL
 * @len: bytes at @buf, a multiple of 4, at most nvme_pf_max_transfer()
 * @result: NULL or where dwords 0 (low) and 1 of the completion go, CPU byte
 *	order; written when the device has completed the command, whatever its
 *	status
 *
 * Only the commands that live migration needs are let through: Identify and
 * those of the two command sets. Sleeps uninterruptibly, at most for
 * nvme_core.admin_timeout; when that expires nvme resets the PF.
 *
 * Return: 0, a positive NVMe status (status code type << 8 | status code), or
 * * -ENODEV - the PF's driver has gone; the command was not issued
 * * -EIO - aborted by a reset, removal or time-out of the PF: whether the
 *   command took effect is unknown
 * * -EPERM - not one of the commands let through
 * * -EINVAL - @len too large or not a multiple of 4
 * * -ENOMEM
 */
int nvme_pf_submit(struct nvme_pf *pf, struct nvme_command *cmd, void *buf,
		   u32 len, u64 *result);

#endif
