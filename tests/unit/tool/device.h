/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * device.h - a PF with VFs in memory, in place of sysfs and of the drive.
 *
 * It takes what the tool's files call to reach a device (sysfs_read() and so
 * on, ctrl_virt_mgmt() and so on), keeps the rules of kernel and standard, and
 * notes where they were broken. Any call can be made to fail.
 */
#ifndef UNIT_DEVICE_H
#define UNIT_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/nvme.h"

#define DEV_VFS		4
#define DEV_NS		3
#define DEV_PF		"0000:01:00.0"

struct dev_vf {
	bool online;
	bool fresh;		/* was reset since it got its resources */
	unsigned int count[RESOURCES];
	bool attached[DEV_NS];
	char driver[64];
	char override[64];
	bool open;
};

struct dev {
	bool autoprobe;
	unsigned int numvfs;
	struct dev_vf vf[DEV_VFS];
};

/** dev - the device as it is */
extern struct dev dev;

/** dev_res - what it can give */
extern struct ctrl_resource dev_res[RESOURCES];

/** dev_broken - the rule that was broken; NULL: all is well */
extern const char *dev_broken;

/** dev_calls - how many calls came that change something */
extern int dev_calls;

/** dev_fail_at - which of them fails, from 1; 0: none */
extern int dev_fail_at;

/** dev_errno - with which errno, negative; 0: -EIO */
extern int dev_errno;

/** dev_fail_again - the one after that which fails as well; 0: none */
extern int dev_fail_again;

/** dev_gone_at - at which of them the PF vanishes; 0: never */
extern int dev_gone_at;

/** dev_lies - it accepts commands and gives less than they ask for */
extern bool dev_lies;

/** dev_begin - forget calls and broken rules, let nothing fail */
void dev_begin(void);

/** dev_same - whether two devices are alike */
bool dev_same(const struct dev *a, const struct dev *b);

#endif
