# SPDX-License-Identifier: GPL-2.0-only
#
# What the target kernel has, told by its own headers. Version numbers would
# be wrong on kernels with back-ports. Only this file, compat.h and pf_compat.h
# know that kernels differ.

have = $(shell grep -qw -- '$(2)' $(srctree)/include/$(1) 2>/dev/null && \
	echo -DHAVE_$(3))

ccflags-y += $(call have,linux/vfio.h,bind_iommufd,VFIO_BIND_IOMMUFD)
ccflags-y += $(call have,linux/vfio.h,detach_ioas,VFIO_DETACH_IOAS)
ccflags-y += $(call have,linux/vfio.h,pasid_attach_ioas,VFIO_PASID_ATTACH_IOAS)
ccflags-y += $(call have,linux/vfio_pci_core.h,vfio_pci_core_get_dmabuf_phys,VFIO_GET_DMABUF_PHYS)
ccflags-y += $(call have,linux/vfio_pci_core.h,nointxmask:1,VFIO_PCI_DEVICE_PARAMS)
ccflags-y += $(call have,linux/vfio.h,match_token_uuid,VFIO_MATCH_TOKEN_UUID)
ccflags-y += $(call have,linux/vfio.h,get_region_info_caps,VFIO_GET_REGION_INFO_CAPS)
ccflags-y += $(call have,linux/vfio.h,migration_get_data_size,VFIO_MIG_DATA_SIZE)
ccflags-y += $(call have,linux/vfio.h,vfio_check_precopy_ioctl,VFIO_CHECK_PRECOPY_IOCTL)
ccflags-y += $(call have,uapi/linux/vfio.h,VFIO_MIGRATION_PRE_COPY,VFIO_PRE_COPY)

ccflags-y += $(call have,linux/iova_bitmap.h,CONFIG_IOMMUFD_DRIVER,IOVA_BITMAP_OF_IOMMUFD)

# Since 6.10 the source of a trace string is named once only.
ccflags-y += $(shell grep -q 'define __assign_str(dst)' \
	$(srctree)/include/trace/stages/stage6_event_callback.h 2>/dev/null && \
	echo -DHAVE_ASSIGN_STR_ONE_ARG)

# The shim's: what ends a request, and what maps data to one.
ccflags-y += $(shell grep -q 'rq_end_io_fn.*blk_status_t,' \
	$(srctree)/include/linux/blk-mq.h 2>/dev/null && \
	echo -DHAVE_RQ_END_IO_BATCH)
ccflags-y += $(shell grep -q 'int blk_rq_map_kern.struct request \*' \
	$(srctree)/include/linux/blk-mq.h 2>/dev/null && \
	echo -DHAVE_RQ_MAP_KERN_BY_RQ)
