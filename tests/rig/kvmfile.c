// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvmfile - tell KVM about an open file, as QEMU does with VFIO devices. KVM
 * recognizes VFIO's files by functions of VFIO that it looks up by name when it
 * needs them.
 *
 * usage: kvmfile FILE	exit status 1: KVM does not recognize it as VFIO's
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	struct kvm_device_attr attr = { .group = KVM_DEV_VFIO_GROUP, .attr = KVM_DEV_VFIO_GROUP_ADD };
	int kvm, vm, file;
	int32_t fd;

	if (argc != 2)
		errx(2, "usage: kvmfile FILE");
	file = open(argv[1], O_RDWR | O_CLOEXEC);
	if (file < 0)
		err(2, "%s", argv[1]);
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		err(2, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		err(2, "KVM_CREATE_VM");
	if (ioctl(vm, KVM_CREATE_DEVICE, &device))
		err(2, "KVM_CREATE_DEVICE");
	fd = file;
	attr.addr = (uintptr_t)&fd;
	if (ioctl(device.fd, KVM_SET_DEVICE_ATTR, &attr))
		err(1, "KVM does not take %s", argv[1]);
	return 0;
}
