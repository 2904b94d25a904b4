// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio_dev.c - one PCI function opened through VFIO: regions, interrupts, DMA.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util.h"
#include "vfio_dev.h"
#include "vfio_uapi.h"

#define PAGE		4096UL
#define PCI_COMMAND	4
#define PCI_MEM_MASTER	6

/* Legacy way to a device fd: group, container, type 1 IOMMU. */
static int open_by_group(struct vfio_dev *dev)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char group[32], path[64];
	int err;

	err = sysfs_link(group, sizeof(group),
			 "/sys/bus/pci/devices/%s/iommu_group", dev->bdf);
	if (err)
		return lib_fail(err, "%s: no IOMMU group", dev->bdf);

	dev->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (dev->container < 0)
		return lib_fail(-errno, "/dev/vfio/vfio");
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	dev->group = open(path, O_RDWR | O_CLOEXEC);
	if (dev->group < 0)
		return lib_fail(-errno, "%s: %s", dev->bdf, path);
	if (ioctl(dev->group, VFIO_GROUP_GET_STATUS, &status))
		return lib_fail(-errno, "%s: group status", dev->bdf);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return lib_fail(-EPERM, "%s: group %s is not viable", dev->bdf,
				group);
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container))
		return lib_fail(-errno, "%s: set container", dev->bdf);
	if (ioctl(dev->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return lib_fail(-errno, "%s: set IOMMU", dev->bdf);
	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, dev->bdf);
	if (dev->fd < 0)
		return lib_fail(-errno, "%s: open device", dev->bdf);
	return 0;
}

/* The name in /dev/vfio/devices, from the one entry of a folder in sysfs. */
static int cdev_path(const char *bdf, char *path, size_t len)
{
	char folder[64], dev[32];
	struct dirent *e;
	int err = -ENOENT;
	DIR *dir;

	snprintf(folder, sizeof(folder), "/sys/bus/pci/devices/%s/vfio-dev",
		 bdf);
	dir = opendir(folder);
	while (dir && err && (e = readdir(dir))) {
		/* Without IOMMUFD there is the name, but no device. */
		if (*e->d_name == '.' ||
		    sysfs_read(dev, sizeof(dev), "%s/%s/dev", folder,
			       e->d_name) <= 0)
			continue;
		snprintf(path, len, "/dev/vfio/devices/%s", e->d_name);
		err = 0;
	}
	if (dir)
		closedir(dir);
	return err;
}

static int open_by_cdev(struct vfio_dev *dev)
{
	struct vfio_bind_iommufd bind = { .argsz = sizeof(bind) };
	char path[320];
	int err;

	err = cdev_path(dev->bdf, path, sizeof(path));
	if (err)
		return lib_fail(err, "%s: no VFIO character device", dev->bdf);
	dev->container = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (dev->container < 0)
		return lib_fail(-errno, "/dev/iommu");
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return lib_fail(-errno, "%s: %s", dev->bdf, path);
	bind.iommufd = dev->container;
	if (ioctl(dev->fd, VFIO_BIND_IOMMUFD, &bind))
		return lib_fail(-errno, "%s: bind to IOMMUFD", dev->bdf);
	return 0;
}

static int map_regions(struct vfio_dev *dev)
{
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = 0 };
	struct vfio_region_info cfg = {
		.argsz = sizeof(cfg), .index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	struct vfio_irq_info irq = {
		.argsz = sizeof(irq), .index = VFIO_PCI_MSIX_IRQ_INDEX,
	};
	void *p;

	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &bar))
		return lib_fail(-errno, "%s: BAR 0", dev->bdf);
	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &cfg))
		return lib_fail(-errno, "%s: config space", dev->bdf);
	if (ioctl(dev->fd, VFIO_DEVICE_GET_IRQ_INFO, &irq))
		return lib_fail(-errno, "%s: MSI-X", dev->bdf);
	/* registers and doorbells only: the rest may hold the MSI-X table */
	dev->bar_size = bar.size < 2 * PAGE ? bar.size : 2 * PAGE;
	p = mmap(NULL, dev->bar_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		 dev->fd, bar.offset);
	if (p == MAP_FAILED)
		return lib_fail(-errno, "%s: map BAR 0", dev->bdf);
	dev->bar = p;
	dev->cfg_offset = cfg.offset;
	dev->nvec = irq.count;
	return vfio_bus_master(dev);
}

static int open_by(struct vfio_dev *dev, const char *bdf,
		   int (*way)(struct vfio_dev *dev))
{
	unsigned int i;
	int err;

	memset(dev, 0, sizeof(*dev));
	dev->container = dev->group = dev->fd = -1;
	for (i = 0; i < VFIO_MAX_VECTORS; i++)
		dev->efd[i] = -1;
	if (strlen(bdf) >= sizeof(dev->bdf))
		return lib_fail(-EINVAL, "%s: not a PCI address", bdf);
	strcpy(dev->bdf, bdf);

	err = way(dev);
	if (!err)
		err = map_regions(dev);
	if (err)
		vfio_close(dev);
	return err;
}

int vfio_open(struct vfio_dev *dev, const char *bdf)
{
	return open_by(dev, bdf, open_by_group);
}

int vfio_open_cdev(struct vfio_dev *dev, const char *bdf)
{
	return open_by(dev, bdf, open_by_cdev);
}

int vfio_attach(struct vfio_dev *dev)
{
	struct iommufd_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct vfio_attach_pt attach = { .argsz = sizeof(attach) };

	if (ioctl(dev->container, IOMMUFD_IOAS_ALLOC, &ioas))
		return lib_fail(-errno, "%s: address space of IOMMUFD",
				dev->bdf);
	attach.pt_id = ioas.out_ioas_id;
	if (ioctl(dev->fd, VFIO_ATTACH_PT, &attach))
		return lib_fail(-errno, "%s: attach to IOMMUFD", dev->bdf);
	dev->ioas = ioas.out_ioas_id;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vfio_close(struct vfio_dev *dev)
{
	unsigned int i;

	if (dev->bar)
		munmap((void *)dev->bar, dev->bar_size);
	dev->bar = NULL;
	for (i = 0; i < dev->nefd; i++)
		close_fd(&dev->efd[i]);
	dev->nefd = 0;
	close_fd(&dev->fd);
	close_fd(&dev->group);
	close_fd(&dev->container);
	dev->ioas = 0;
}

int vfio_reset(struct vfio_dev *dev)
{
	if (ioctl(dev->fd, VFIO_DEVICE_RESET))
		return lib_fail(-errno, "%s: VFIO_DEVICE_RESET", dev->bdf);
	return vfio_bus_master(dev);
}

int vfio_bus_master(struct vfio_dev *dev)
{
	uint16_t cmd;
	int err;

	err = vfio_cfg_read(dev, PCI_COMMAND, &cmd, sizeof(cmd));
	if (err)
		return err;
	cmd |= PCI_MEM_MASTER;
	return vfio_cfg_write(dev, PCI_COMMAND, &cmd, sizeof(cmd));
}

int vfio_cfg_read(struct vfio_dev *dev, unsigned int off, void *buf, size_t len)
{
	ssize_t n = pread(dev->fd, buf, len, dev->cfg_offset + off);

	if (n == (ssize_t)len)
		return 0;
	return lib_fail(n < 0 ? -errno : -EIO, "%s: read config %x", dev->bdf,
			off);
}

int vfio_cfg_write(struct vfio_dev *dev, unsigned int off, const void *buf,
		   size_t len)
{
	ssize_t n = pwrite(dev->fd, buf, len, dev->cfg_offset + off);

	if (n == (ssize_t)len)
		return 0;
	return lib_fail(n < 0 ? -errno : -EIO, "%s: write config %x", dev->bdf,
			off);
}

int vfio_irq_enable(struct vfio_dev *dev, unsigned int n)
{
	union {
		struct vfio_irq_set set;
		char room[sizeof(struct vfio_irq_set) +
			  VFIO_MAX_VECTORS * sizeof(int)];
	} u = { .set = {
		.argsz = sizeof(struct vfio_irq_set) + n * sizeof(int),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD |
			 VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.count = n,
	} };
	int err, got;

	if (n > dev->nvec || n > VFIO_MAX_VECTORS)
		return lib_fail(-ENOSPC, "%s: %u vectors wanted, %u there",
				dev->bdf, n, dev->nvec);
	err = vfio_irq_disable(dev);
	if (err)
		return err;
	for (dev->nefd = 0; dev->nefd < n; dev->nefd++) {
		int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (fd < 0)
			return lib_fail(-errno, "eventfd");
		dev->efd[dev->nefd] = fd;
	}
	memcpy(u.set.data, dev->efd, n * sizeof(int));
	got = ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, &u.set);
	if (!got)
		return 0;
	/* how many there are, if positive; none is enabled */
	err = got < 0 ? -errno : -ENOSPC;
	while (dev->nefd)
		close_fd(&dev->efd[--dev->nefd]);
	return lib_fail(err, "%s: enable %u vectors", dev->bdf, n);
}

int vfio_irq_disable(struct vfio_dev *dev)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
	};
	unsigned int i;

	if (!dev->nefd)
		return 0;
	if (ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, &set))
		return lib_fail(-errno, "%s: disable vectors", dev->bdf);
	for (i = 0; i < dev->nefd; i++)
		close_fd(&dev->efd[i]);
	dev->nefd = 0;
	return 0;
}

int vfio_irq_take(struct vfio_dev *dev, unsigned int vec)
{
	uint64_t count;

	if (vec >= dev->nefd)
		return -EINVAL;
	if (read(dev->efd[vec], &count, sizeof(count)) == sizeof(count))
		return count > INT32_MAX ? INT32_MAX : count;
	return errno == EAGAIN ? 0 : -errno;
}

int vfio_irq_give(struct vfio_dev *dev, unsigned int vec)
{
	uint64_t one = 1;

	if (vec >= dev->nefd)
		return -EINVAL;
	return write(dev->efd[vec], &one, sizeof(one)) == sizeof(one) ?
	       0 : -errno;
}

int vfio_irq_wait(struct vfio_dev *dev, unsigned int vec, int timeout_ms)
{
	struct pollfd p = { .events = POLLIN };
	int n;

	if (vec >= dev->nefd)
		return -EINVAL;
	p.fd = dev->efd[vec];
	n = poll(&p, 1, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n ? vfio_irq_take(dev, vec) : 0;
}

int vfio_dma_map(struct vfio_dev *dev, const struct dma_mem *mem)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem->va,
		.iova = mem->iova,
		.size = mem->size,
	};
	struct iommufd_ioas_map ioas = {
		.size = sizeof(ioas),
		.flags = IOMMUFD_MAP_FIXED_IOVA | IOMMUFD_MAP_WRITEABLE |
			 IOMMUFD_MAP_READABLE,
		.ioas_id = dev->ioas,
		.user_va = (uintptr_t)mem->va,
		.iova = mem->iova,
		.length = mem->size,
	};

	if (dev->ioas ? ioctl(dev->container, IOMMUFD_IOAS_MAP, &ioas) :
			ioctl(dev->container, VFIO_IOMMU_MAP_DMA, &map))
		return lib_fail(-errno, "%s: map %zu bytes at %llx", dev->bdf,
				mem->size, (unsigned long long)mem->iova);
	return 0;
}

int vfio_dma_unmap(struct vfio_dev *dev, const struct dma_mem *mem)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = mem->iova,
		.size = mem->size,
	};
	struct iommufd_ioas_unmap ioas = {
		.size = sizeof(ioas),
		.ioas_id = dev->ioas,
		.iova = mem->iova,
		.length = mem->size,
	};

	if (dev->ioas ? ioctl(dev->container, IOMMUFD_IOAS_UNMAP, &ioas) :
			ioctl(dev->container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return lib_fail(-errno, "%s: unmap at %llx", dev->bdf,
				(unsigned long long)mem->iova);
	return 0;
}

int vfio_feature(struct vfio_dev *dev, unsigned int feature, unsigned int op,
		 void *data, size_t len)
{
	union {
		struct vfio_device_feature f;
		char room[sizeof(struct vfio_device_feature) + 64];
	} u = { .f = {
		.argsz = sizeof(struct vfio_device_feature) + len,
		.flags = feature | op,
	} };

	if (len > 64)
		return -EINVAL;
	if (len)
		memcpy(u.f.data, data, len);
	if (ioctl(dev->fd, VFIO_DEVICE_FEATURE, &u.f) < 0)
		return lib_fail(-errno, "%s: feature %u", dev->bdf, feature);
	if (len)
		memcpy(data, u.f.data, len);
	return 0;
}

int dma_mem_new(struct dma_mem *mem, size_t size, uint64_t iova)
{
	void *p;

	size = (size + PAGE - 1) & ~(PAGE - 1);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return lib_fail(-errno, "%zu bytes of memory", size);
	*mem = (struct dma_mem){ .va = p, .iova = iova, .size = size };
	return 0;
}

void dma_mem_free(struct dma_mem *mem)
{
	if (mem->va)
		munmap(mem->va, mem->size);
	memset(mem, 0, sizeof(*mem));
}

void *dma_alloc(struct dma_mem *mem, size_t size, uint64_t *iova)
{
	uint8_t *p;

	size = (size + PAGE - 1) & ~(PAGE - 1);
	if (size > mem->size - mem->used) {
		lib_fail(-ENOMEM, "device memory of %zu bytes is used up",
			 mem->size);
		return NULL;
	}
	p = mem->va + mem->used;
	*iova = mem->iova + mem->used;
	mem->used += size;
	return p;
}
