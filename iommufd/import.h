/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For one file of each module that is built for the rebuilt core: the module
 * imports its namespace, and needs a symbol that only the rebuilt core has, so
 * that the loader refuses it if the kernel's own core is loaded. A file
 * includes this before everything of its own: it must not include headers of
 * the kernel, for which sources set macros.
 */
#ifndef _NVME_VFIO_IMPORT_H
#define _NVME_VFIO_IMPORT_H

extern const int nvme_vfio_iommufd_core;

static const char nvme_vfio_import_ns[] __attribute__((__used__, __section__(".modinfo"), __aligned__(1))) =
	"import_ns=NVME_VFIO_IOMMUFD";
static const int * const nvme_vfio_needs_core __attribute__((__used__)) = &nvme_vfio_iommufd_core;

#endif
