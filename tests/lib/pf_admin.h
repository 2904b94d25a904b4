/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pf_admin.h - admin commands to a PF through the kernel's /dev/nvmeN.
 */
#ifndef NVME_VFIO_PF_ADMIN_H
#define NVME_VFIO_PF_ADMIN_H

#include <stddef.h>
#include <stdint.h>

#include "nvme_defs.h"

/**
 * pf_cmd - one admin command
 * @dev: name, e.g. "nvme0"
 * @cmd: command; cid and prp are ignored
 * @data: buffer to send or to fill, as bits 1:0 of the opcode say
 * @len: bytes of @data
 * @dw0: set to dword 0 of the completion; may be NULL
 *
 * Return: 0; a positive NVMe status (SCT << 8 | SC); or a negative errno.
 */
int pf_cmd(const char *dev, const struct nvme_cmd *cmd, void *data, size_t len,
	   uint32_t *dw0);

/**
 * pf_identify - identify data, 4096 bytes
 * @cdw10: CNS and controller id
 *
 * Return: as pf_cmd().
 */
int pf_identify(const char *dev, uint32_t cdw10, void *data);

/**
 * struct pf_secondary - a secondary controller
 * @cntlid: controller id
 * @vfn: number of the VF, from 1
 * @online: the controller is online
 * @nvq: queue resources
 * @nvi: interrupt resources
 */
struct pf_secondary {
	uint16_t cntlid;
	uint16_t vfn;
	int online;
	uint16_t nvq;
	uint16_t nvi;
};

/**
 * pf_secondaries - the PF's secondary controllers that are VFs, in VFs' order
 * @list: filled in
 * @max: room in @list
 *
 * Return: how many, or a negative errno (-EIO for an NVMe status).
 */
int pf_secondaries(const char *dev, struct pf_secondary *list, int max);

/**
 * pf_virt_mgmt - Virtualization Management
 * @act: 7 offline, 8 assign, 9 online
 * @rt: resource type, 0 = queues, 1 = interrupts
 * @nr: number of resources
 *
 * Return: as pf_cmd().
 */
int pf_virt_mgmt(const char *dev, uint16_t cntlid, unsigned int act,
		 unsigned int rt, unsigned int nr);

/**
 * pf_test_set - change test properties of the emulated device
 * @text: lines "name=value"
 *
 * Only the project's device model answers this, and only with its in-band
 * control on. Return: as pf_cmd().
 */
int pf_test_set(const char *dev, const char *text);

/**
 * pf_test_get - the emulated device's report: properties and counters
 * @buf: filled with NUL-terminated lines "name=value"
 * @len: bytes of @buf, at most 4096 are used
 *
 * Return: as pf_cmd().
 */
int pf_test_get(const char *dev, char *buf, size_t len);

/**
 * report_get - a value from a report of "name=value" lines
 * @value: filled with the text after the sign
 *
 * Return: 0, or -ENOENT.
 */
int report_get(const char *report, const char *name, char *value, size_t len);

/**
 * report_num - a number from such a report
 *
 * Return: the number, 0 if the name is not there.
 */
long report_num(const char *report, const char *name);

#endif
