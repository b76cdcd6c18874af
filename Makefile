# SPDX-License-Identifier: GPL-2.0
# The two commands that matter are "make demo" and "make check"; each script
# below can also be run by itself (--help).

KERNEL ?= 6.1
KDIR ?=
V ?= 0

# What make was told is for it alone: the kernel's build must not inherit it.
run := MAKEFLAGS= V=$(V)

.PHONY: help
help:
	@echo 'viommu: a virtio-iommu driver for Linux guests, out of tree'
	@echo
	@echo '  make demo     set up, build the module, boot a guest with it, move data'
	@echo '                through its devices and report what the IOMMU did'
	@echo '  make check    set up, run every test; the last line is the summary'
	@echo '  make bench    set up, measure this driver beside the stock one'
	@echo '  make modules  set up, build the module only:'
	@echo '                build/<kernel release>/virtio-iommu.ko'
	@echo '  make clean    remove what was built (not kernels and QEMU: rm -r build does)'
	@echo
	@echo '  KERNEL=6.1|6.12  which of the stock kernels of Debian 12 (default 6.1);'
	@echo '                   6.1-arm64, 6.12-arm64, 6.12-arm64-16k: make modules;'
	@echo '                   7.3, which the tests build: likewise'
	@echo '  KDIR=path        build modules against that kernel instead'
	@echo '  V=1              show the commands and their output'
	@echo
	@echo 'Set-up is for Debian 12 on amd64. It installs packages that are missing,'
	@echo 'which needs root, and keeps everything else in build/.'

.PHONY: demo
demo:
	@$(run) scripts/demo $(KERNEL)

.PHONY: check
check:
	@$(run) scripts/check

.PHONY: bench
bench:
	@$(run) scripts/bench

.PHONY: modules
modules:
ifeq ($(KDIR),)
	@$(run) scripts/setup build $(KERNEL)
	@kdir=$$($(run) scripts/fetch-kernel --print kdir $(KERNEL)) && \
		$(run) scripts/build-module "$$kdir" build
else
	@$(run) scripts/build-module $(KDIR) build
endif

.PHONY: clean
clean:
	@find build -mindepth 1 -maxdepth 1 ! -name kernels ! -name qemu -exec rm -r {} + 2>/dev/null || :
