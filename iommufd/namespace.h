/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rebuilt core's exports are in a namespace of their own: the loader
 * refuses a module that was built for the kernel's own core, because it does
 * not import that.
 */
#ifndef _NVME_VFIO_NAMESPACE_H
#define _NVME_VFIO_NAMESPACE_H

#ifdef NVME_VFIO_NAMESPACE_IS_NO_STRING
#define DEFAULT_SYMBOL_NAMESPACE NVME_VFIO_IOMMUFD
#else
#define DEFAULT_SYMBOL_NAMESPACE "NVME_VFIO_IOMMUFD"
#endif

#endif
