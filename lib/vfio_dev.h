/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio_dev.h - one PCI function opened through VFIO: regions, interrupts, DMA.
 *
 * How the device fd is reached (legacy group and container, or iommufd's
 * character device) is known to vfio_dev.c alone.
 */
#ifndef NVME_VFIO_VFIO_DEV_H
#define NVME_VFIO_VFIO_DEV_H

#include <stddef.h>
#include <stdint.h>

#define VFIO_MAX_VECTORS	64

/**
 * struct vfio_dev - an open function
 * @bdf: PCI address, e.g. "0000:01:00.1"
 * @container: container fd; each device has a container of its own, so two
 *	devices map the same memory at the same IOVA independently; or IOMMUFD
 * @group: group fd
 * @ioas: address space in IOMMUFD, 0 = none
 * @fd: device fd
 * @bar: start of the mapped BAR 0
 * @bar_size: length of @bar in bytes
 * @cfg_offset: where the config region starts in @fd
 * @nvec: MSI-X vectors the function has
 * @nefd: how many of them have an eventfd now
 * @efd: the eventfds, -1 where there is none
 */
struct vfio_dev {
	char bdf[16];
	int container;
	int group;
	uint32_t ioas;
	int fd;
	volatile uint8_t *bar;
	size_t bar_size;
	uint64_t cfg_offset;
	unsigned int nvec;
	unsigned int nefd;
	int efd[VFIO_MAX_VECTORS];
};

/**
 * struct dma_mem - memory that devices may reach, as a guest's RAM would be
 * @va: where this process sees it
 * @iova: where devices see it
 * @size: bytes, a multiple of the page size
 * @used: bytes handed out by dma_alloc()
 */
struct dma_mem {
	uint8_t *va;
	uint64_t iova;
	size_t size;
	size_t used;
};

/**
 * vfio_open - open a function by PCI address; the kernel resets it (FLR)
 * @dev: filled in; need not be initialised
 * @bdf: PCI address with domain
 *
 * Bus mastering is switched on and BAR 0 is mapped.
 *
 * Return: 0, or a negative errno. On failure nothing stays open.
 */
int vfio_open(struct vfio_dev *dev, const char *bdf);

/**
 * vfio_open_cdev - open a function by its character device and IOMMUFD
 *
 * As vfio_open(), but no memory can be mapped before vfio_attach().
 *
 * Return: 0; -ENOENT where the kernel has no such device; or a negative errno.
 */
int vfio_open_cdev(struct vfio_dev *dev, const char *bdf);

/**
 * vfio_attach - give a function that was opened by vfio_open_cdev() an address
 * space of its own, for vfio_dma_map()
 *
 * Return: 0, or a negative errno.
 */
int vfio_attach(struct vfio_dev *dev);

/** vfio_close - give everything back; harmless on a closed device */
void vfio_close(struct vfio_dev *dev);

/** vfio_reset - VFIO_DEVICE_RESET. Return: 0, or a negative errno. */
int vfio_reset(struct vfio_dev *dev);

/**
 * vfio_bus_master - set PCI memory and bus master enable
 *
 * A reset clears them. Return: 0, or a negative errno.
 */
int vfio_bus_master(struct vfio_dev *dev);

/** vfio_cfg_read - read @len bytes of config space. Return: 0 or -errno. */
int vfio_cfg_read(struct vfio_dev *dev, unsigned int off, void *buf, size_t len);

/** vfio_cfg_write - write @len bytes of config space. Return: 0 or -errno. */
int vfio_cfg_write(struct vfio_dev *dev, unsigned int off, const void *buf,
		   size_t len);

/**
 * vfio_irq_enable - give the first @n MSI-X vectors an eventfd each
 *
 * Vectors that are already on are switched off first.
 *
 * Return: 0; -ENOSPC when the function has fewer vectors; or a negative errno.
 */
int vfio_irq_enable(struct vfio_dev *dev, unsigned int n);

/** vfio_irq_disable - switch MSI-X off and close the eventfds */
int vfio_irq_disable(struct vfio_dev *dev);

/**
 * vfio_irq_take - has vector @vec fired since it was last asked?
 *
 * Return: number of signals (0 = none), or a negative errno.
 */
int vfio_irq_take(struct vfio_dev *dev, unsigned int vec);

/**
 * vfio_irq_give - mark vector @vec as fired, e.g. because it was pending on
 * the device from which the user came
 */
int vfio_irq_give(struct vfio_dev *dev, unsigned int vec);

/**
 * vfio_irq_wait - sleep until vector @vec fires
 * @timeout_ms: longest wait in milliseconds
 *
 * Return: number of signals; 0 on time-out; or a negative errno.
 */
int vfio_irq_wait(struct vfio_dev *dev, unsigned int vec, int timeout_ms);

/**
 * vfio_dma_map - make memory reachable by the device at @mem->iova
 *
 * Return: 0, or a negative errno.
 */
int vfio_dma_map(struct vfio_dev *dev, const struct dma_mem *mem);

/** vfio_dma_unmap - undo vfio_dma_map(). Return: 0, or a negative errno. */
int vfio_dma_unmap(struct vfio_dev *dev, const struct dma_mem *mem);

/**
 * vfio_feature - VFIO_DEVICE_FEATURE
 * @feature: VFIO_DEVICE_FEATURE_* number
 * @op: VFIO_DEVICE_FEATURE_GET, _SET or _PROBE
 * @data: payload in and out
 * @len: bytes of @data, at most 64
 *
 * Return: 0; -ENOTTY when the device has no such feature; or a negative errno.
 */
int vfio_feature(struct vfio_dev *dev, unsigned int feature, unsigned int op,
		 void *data, size_t len);

/**
 * dma_mem_new - zeroed memory for devices
 * @size: bytes, rounded up to pages
 * @iova: address that devices shall see
 *
 * Return: 0, or a negative errno.
 */
int dma_mem_new(struct dma_mem *mem, size_t size, uint64_t iova);

/** dma_mem_free - give it back; no device may have it mapped any more */
void dma_mem_free(struct dma_mem *mem);

/**
 * dma_alloc - take whole pages
 * @iova: set to the device's address of the piece
 *
 * Return: the piece, zeroed, or NULL when the memory is used up.
 */
void *dma_alloc(struct dma_mem *mem, size_t size, uint64_t *iova);

#endif
