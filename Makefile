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
	@echo '  make lint     set up, run the static checks only'
	@echo '  make bench    set up, measure this driver beside the stock one'
	@echo '  make soak     keep a guest busy with all at once for SECONDS (3600)'
	@echo '  make modules  set up, build the module only:'
	@echo '                build/<kernel release>/virtio-iommu.ko'
	@echo '  make tools    set up, build the command viommu: build/viommu/viommu'
	@echo '  make pictures make Documentation/pictures/ anew, from guests'
	@echo '  make docs     set up, make the documentation: build/docs/index.html'
	@echo '  make in-tree TREE=path'
	@echo '                put the driver into that kernel source tree, 6.12 or 7.x'
	@echo '  make deb      set up, build the Debian packages: build/deb/'
	@echo '  make clean    remove what was built (not kernels and QEMU: rm -r build does)'
	@echo
	@echo '  KERNEL=6.1|6.12  which of the stock kernels of Debian 12 (default 6.1);'
	@echo '                   6.1-arm64, 6.12-arm64, 6.12-arm64-16k: make modules;'
	@echo '                   7.3, 6.12-debug, which the tests build: likewise'
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

.PHONY: lint
lint:
	@$(run) scripts/lint

.PHONY: bench
bench:
	@$(run) scripts/bench
	@$(run) scripts/bench-dma

.PHONY: soak
soak:
	@$(run) scripts/soak $(or $(SECONDS),3600) $(KERNEL)

.PHONY: modules
modules:
ifeq ($(KDIR),)
	@$(run) scripts/setup build $(KERNEL)
	@kdir=$$($(run) scripts/fetch-kernel --print kdir $(KERNEL)) && \
		$(run) scripts/build-module "$$kdir" build
else
	@$(run) scripts/build-module $(KDIR) build
endif

.PHONY: docs
docs:
	@$(run) scripts/setup docs
	@sphinx-build -q -n -W --keep-going -b html Documentation build/docs
	@echo build/docs/index.html

.PHONY: pictures
pictures:
	@$(run) scripts/pictures

.PHONY: tools
tools:
	@$(run) scripts/setup tools
	@$(run) $(MAKE) -s -C tools/viommu
	@echo build/viommu/viommu

.PHONY: in-tree
in-tree:
	@$(run) scripts/install-in-tree '$(TREE)'

.PHONY: deb
deb:
	@$(run) scripts/setup deb
	@$(run) scripts/build-deb

.PHONY: clean
clean:
	@find build -mindepth 1 -maxdepth 1 ! -name kernels ! -name qemu -exec rm -r {} + 2>/dev/null || :
