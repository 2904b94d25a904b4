/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <linux/types.h>
