# SPDX-License-Identifier: GPL-2.0-only
#
# Kernel modules, tests, demo. "make help" lists what there is.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
# Modules are made by the compiler that has made the kernel, as dkms does too.
kernel-has = $(shell grep -qsx '$(1)=y' $(KDIR)/.config $(KDIR)/include/config/auto.conf && echo y)
kernel-make = $(if $(LLVM)$(findstring command,$(origin CC)),,$(if $(call kernel-has,CONFIG_CC_IS_CLANG),$\
	$(if $(call kernel-has,CONFIG_LD_IS_LLD),LLVM=1,CC=clang)))
LEFT_OUT := tests/35-boot.t tests/37-rpm.t tests/70-libvirt.t tests/71-readme.t
# CHECK_JOBS=N: test files at a time, where testrules.yml lets them.
RUN = RIG_ACCEL_FOUND=$$(tests/rig/accel.py) tests/run $(if $(CHECK_JOBS),--jobs $(CHECK_JOBS))
# What these tests need is there afterwards, or they will say what is not.
set-up = tests/rig/setup --for tests $(1) || [ $$? = 3 ]
SUITES ?= bookworm trixie sid
ALL_TESTS := $(filter-out $(LEFT_OUT),$(sort $(wildcard tests/*.t)))
TESTS ?= $(ALL_TESTS)

.DEFAULT_GOAL := all
# Where "make install" puts things; DESTDIR= goes before all of them.
prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
mandir ?= $(prefix)/share/man
docdir ?= $(prefix)/share/doc/nvme-vfio
completionsdir ?= $(prefix)/share/bash-completion/completions
fishcompletionsdir ?= $(prefix)/share/fish/vendor_completions.d
zshcompletionsdir ?= $(prefix)/share/zsh/site-functions
udevdir ?= /usr/lib/udev
systemdsystemunitdir ?= /usr/lib/systemd/system
presetdir ?= /usr/lib/systemd/system-preset
sysconfdir ?= /etc
srcdir ?= /usr/src
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
DKMS_TREE := $(srcdir)/nvme-vfio-$(VERSION)
IOMMUFD_TREE := $(srcdir)/nvme-vfio-iommufd-$(VERSION)
INSTALL ?= install
PAGES := $(wildcard docs/man/*.[1-9])
UNITS := nvme-vfio.service nvme-vfio@.service nvme-vfio-metrics.service nvme-vfio-metrics.timer
DOCS := README.md NEWS.md SECURITY.md $(wildcard docs/*.md docs/*.svg) docs/example.conf
# In the source pages are found by folder, installed they are all in one; what is not
# installed is named, and no link. Paths of pages are those of the packages.
to-installed = sed -i -E \
	-e 's,\]\(docs/,](,g' \
	-e 's,\[([^][]*)\]\((\.\./)?(CONTRIBUTING\.md|(patches|tests|src|bench|tools|lib)/[^)]*)\),\1 (`\3` of the source),g' \
	-e 's,\]\(\.\./,](,g' \
	-e 's,/usr/share/doc/nvme-vfio-tools,$(docdir),g'

.PHONY: all modules tools check check-full check-boot check-libvirt check-readme check-packages packages fuzz guests bench demo demo-libvirt setup clean help
.PHONY: install install-tools install-dkms install-iommufd uninstall

all: modules tools	## modules and tools

modules:	## the two kernel modules, for the running kernel or KVER= or KDIR=
	@test -d $(KDIR) || { echo "no headers in $(KDIR): install linux-headers-$(KVER), or give KVER= or KDIR="; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR)/src $(kernel-make) modules

tools:		## the command line tool, tools/nvme-vfio/build/nvme-vfio
	$(MAKE) -C tools/nvme-vfio

install: install-tools install-dkms ## tool, boot, manual, and the modules' source for dkms (DESTDIR= prefix=)
	@echo "Only files were installed; no module or service was changed. The modules: dkms install nvme-vfio/$(VERSION)"
	@echo "VFs at each boot: systemctl enable nvme-vfio.service"

install-tools: tools
	$(INSTALL) -D -m 755 tools/nvme-vfio/build/nvme-vfio $(DESTDIR)$(sbindir)/nvme-vfio
	$(INSTALL) -d $(DESTDIR)$(sysconfdir)/nvme-vfio $(DESTDIR)$(systemdsystemunitdir)
	$(INSTALL) -D -m 644 scripts/60-nvme-vfio.rules $(DESTDIR)$(udevdir)/rules.d/60-nvme-vfio.rules
	for unit in $(UNITS); do \
		sed 's|/usr/sbin/nvme-vfio|$(sbindir)/nvme-vfio|' scripts/$$unit \
			>$(DESTDIR)$(systemdsystemunitdir)/$$unit || exit 1; \
	done
	$(INSTALL) -D -m 644 scripts/80-nvme-vfio.preset $(DESTDIR)$(presetdir)/80-nvme-vfio.preset
	$(INSTALL) -D -m 644 scripts/nvme-vfio.bash-completion $(DESTDIR)$(completionsdir)/nvme-vfio
	$(INSTALL) -D -m 644 scripts/nvme-vfio.fish $(DESTDIR)$(fishcompletionsdir)/nvme-vfio.fish
	$(INSTALL) -D -m 644 scripts/nvme-vfio.zsh $(DESTDIR)$(zshcompletionsdir)/_nvme-vfio
	for page in $(PAGES); do \
		$(INSTALL) -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/} || exit 1; \
	done
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(docdir) $(DOCS)
	$(to-installed) $(patsubst %,$(DESTDIR)$(docdir)/%,$(notdir $(filter %.md,$(DOCS)))) \
		$(foreach page,$(notdir $(PAGES)),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(page)))/$(page))

install-dkms:
	$(INSTALL) -D -m 644 dkms.conf $(DESTDIR)$(DKMS_TREE)/dkms.conf
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(DKMS_TREE)/src src/Kbuild src/*.mk \
		$(filter-out %.mod.c,$(wildcard src/*.[ch]))

# VFIO and iommufd for kernels without: by its own name only, docs/iommufd.md.
install-iommufd:
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(IOMMUFD_TREE) iommufd/dkms.conf iommufd/*Kbuild iommufd/*.[ch]
	$(INSTALL) -D -m 755 -t $(DESTDIR)$(IOMMUFD_TREE) $(addprefix iommufd/,follow initramfs-again keep source-of unpack)
	$(INSTALL) -D -m 644 iommufd/modules-to-force \
		$(DESTDIR)/usr/share/dkms/modules_to_force_install/nvme-vfio-iommufd

uninstall:	## take away what install put there; configuration stays
	rm -f $(DESTDIR)$(sbindir)/nvme-vfio $(DESTDIR)$(udevdir)/rules.d/60-nvme-vfio.rules \
		$(patsubst %,$(DESTDIR)$(systemdsystemunitdir)/%,$(UNITS)) \
		$(DESTDIR)$(presetdir)/80-nvme-vfio.preset \
		$(DESTDIR)$(completionsdir)/nvme-vfio \
		$(DESTDIR)$(fishcompletionsdir)/nvme-vfio.fish \
		$(DESTDIR)$(zshcompletionsdir)/_nvme-vfio
	for page in docs/man/*.[1-9]; do \
		rm -f $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; \
	done
	rm -rf $(DESTDIR)$(docdir) $(DESTDIR)$(DKMS_TREE) $(DESTDIR)$(IOMMUFD_TREE)
	rm -f $(DESTDIR)/usr/share/dkms/modules_to_force_install/nvme-vfio-iommufd
	rmdir $(DESTDIR)$(sysconfdir)/nvme-vfio 2>/dev/null || true

check:		## install what is needed, run every test (TESTS= for some)
	@$(call set-up,$(TESTS))
	@echo "# left out: $(filter-out $(TESTS),$(LEFT_OUT)) (make check-boot, check-packages, check-libvirt, check-readme),"
	@echo "# and of some tests what takes long (make check-full)"
	$(RUN) $(if $(filter-out $(TESTS),$(ALL_TESTS))$(filter-out $(ALL_TESTS),$(TESTS)),,--whole) $(TESTS)

check-full:	## the same with every kernel, set and fault: hours; make check takes some of each
	@CHECK_FULL=1 $(call set-up,$(TESTS))
	CHECK_FULL=1 $(RUN) $(TESTS)

check-boot:	## a whole Debian system whose VFs come back when it starts
	@$(call set-up,tests/35-boot.t)
	$(RUN) tests/35-boot.t

check-libvirt:	## two Debian systems with libvirt: who binds VFs, virsh migrate, what is refused
	@$(call set-up,tests/70-libvirt.t)
	$(RUN) tests/70-libvirt.t

check-readme:	## two fresh Debian systems into which the commands of README and manual are typed
	@$(call set-up,tests/71-readme.t)
	$(RUN) tests/71-readme.t

packages:	## Debian packages for each suite of SUITES=, and rpms, in packages/
	@tests/rig/setup lists packages:system
	for suite in $(SUITES); do \
		tests/packages/build-deb $$suite packages/$$suite && ls packages/$$suite/*.deb || exit 1; \
	done
	tests/packages/build-rpm packages/rpm && ls packages/rpm/*.rpm

# these have enough to do by themselves
check-packages fuzz: CHECK_JOBS ?= 1

check-packages:	## their whole life in each suite; make check has a part of it
	@$(call set-up,tests/36-packages.t tests/37-rpm.t)
	PACKAGES_FULL=1 $(RUN) tests/36-packages.t tests/37-rpm.t

fuzz:		## ten minutes of each fuzzer (FUZZ_SECONDS=), what they learn is kept in the cache
	@$(call set-up,tests/03-fuzz-stream.t tests/48-uapi-fuzz.t)
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} FUZZ_KEEP=$${FUZZ_KEEP:-$${NVME_VFIO_CACHE:-$$HOME/.cache/nvme-vfio}/fuzz} \
		$(RUN) tests/03-fuzz-stream.t tests/48-uapi-fuzz.t

guests:		## every test with guests, on every kernel and in every way: long
	@CHECK_FULL=1 $(call set-up,tests/50-guest.t tests/55-upset.t)
	CHECK_FULL=1 $(RUN) tests/50-guest.t tests/55-upset.t

bench:		## what a migration costs, as ratios; three quarters of an hour (BENCH="--write", BENCH=scale)
	@tests/rig/setup --for bench $(BENCH)
	bench/bench $(BENCH)

demo:		## install what is needed, show a live migration (DEMO="--kernel 6.12 --set vendor")
	@tests/rig/setup --for demo $(DEMO)
	tests/rig/demo $(DEMO)

demo-libvirt:	## the same by virsh, between two Debian systems (DEMO="--kernel 6.1")
	@tests/rig/setup --for demo-libvirt $(DEMO)
	tests/rig/demo-libvirt $(DEMO)

setup:		## install and download what all of them need; quick when it is there
	tests/rig/setup

clean:		## remove what modules and tools left; the cache of the tests stays
	$(MAKE) -C tools/nvme-vfio clean
	rm -rf src/.tmp_versions
	find src \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name '.*.d' -o -name modules.order -o -name Module.symvers -o -name .module-common.o \) -delete

help:		## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST)
