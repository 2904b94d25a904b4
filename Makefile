# SPDX-License-Identifier: GPL-2.0-only
#
# Kernel modules, tests, demo. "make help" lists what there is.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
TESTS ?= $(sort $(wildcard tests/*.t))

.DEFAULT_GOAL := all
.PHONY: all modules tools check fuzz demo setup clean help

all: modules	## same as modules

modules:	## the two kernel modules, for the running kernel or KVER= or KDIR=
	@test -d $(KDIR) || { echo "no headers in $(KDIR): install linux-headers-$(KVER), or give KVER= or KDIR="; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR)/src modules

tools:		## the command line tool, tools/nvme-vfio/build/nvme-vfio
	$(MAKE) -C tools/nvme-vfio

check: setup	## install what is needed, run every test (TESTS= for some)
	prove --timer --failures --comments --directives $(TESTS)

fuzz: setup	## ten minutes of each fuzzer (FUZZ_SECONDS=), what they learn is kept in the cache
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} FUZZ_KEEP=$${FUZZ_KEEP:-$${NVME_VFIO_CACHE:-$$HOME/.cache/nvme-vfio}/fuzz} \
		prove --timer --failures --comments --directives tests/03-fuzz-stream.t $(wildcard tests/48-uapi-fuzz.t)

demo: setup	## install what is needed, show a live migration (DEMO="--kernel 6.12 --set vendor")
	tests/rig/demo $(DEMO)

setup:		## install and download what check and demo need; quick when it is there
	tests/rig/setup

clean:		## remove what modules and tools left; the cache of the tests stays
	$(MAKE) -C tools/nvme-vfio clean
	rm -rf src/.tmp_versions
	find src \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name '.*.d' -o -name modules.order -o -name Module.symvers -o -name .module-common.o \) -delete

help:		## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST)
