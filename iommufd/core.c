// SPDX-License-Identifier: GPL-2.0-only
/*
 * Part of the rebuilt vfio.ko: the symbol that import.h needs.
 */
#include <linux/export.h>

extern const int nvme_vfio_iommufd_core;
const int nvme_vfio_iommufd_core = 1;
EXPORT_SYMBOL_GPL(nvme_vfio_iommufd_core);
