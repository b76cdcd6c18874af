// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: is there a virtio-iommu, and who drives it.
 *
 * A virtio-iommu that is a PCI function becomes a virtio device when virtio_pci is bound
 * to it, and is at work when virtio_iommu is bound to that.
 */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

/* PCI functions that are virtio-iommus, whether or not they are virtio devices. */
static bool is_bare(const struct system *system, const struct device *device)
{
	size_t i;

	if (device->reach != REACH_IOMMU || strcmp(device->bus, "pci"))
		return false;
	for (i = 0; i < system->nr_iommus; i++) {
		if (!strcmp(system->iommus[i].parent, device->name))
			return false;
	}
	return true;
}

bool iommu_is_present(const struct system *system)
{
	size_t i;

	for (i = 0; i < system->nr_devices; i++) {
		if (is_bare(system, &system->devices[i]))
			return true;
	}
	return system->nr_iommus;
}

static char *module_version(void)
{
	char *path = file_path("/sys/module/virtio_iommu/version");
	char *version = file_line(path);

	free(path);
	return version ? version : text("unknown");
}

static void check_driver(struct findings *findings, const struct iommu *iommu)
{
	struct finding *finding;
	struct module module;
	char *version;

	if (iommu->ours) {
		version = module_version();
		finding_add(findings, SEVERITY_OK, "driver", "%s: driver viommu, version %s",
			    iommu->name, version);
		free(version);
		return;
	}
	module_find(&module);
	if (iommu->driver && !module_is_added(&module)) {
		finding_add(findings, SEVERITY_OK, "stock-driver", "%s: the stock driver",
			    iommu->name);
	} else if (iommu->driver) {
		finding = finding_add(findings, SEVERITY_WARN, "stock-driver",
				      "%s: the stock driver, though another is installed",
				      iommu->name);
		finding_advise(finding, "update-initramfs -u -k %s, and reboot", module.release);
	} else {
		finding = finding_add(findings, SEVERITY_BAD, "no-driver",
				      "%s: no driver is bound: no device is protected by it",
				      iommu->name);
		if (cmdline_has("modprobe.blacklist=virtio_iommu"))
			finding_advise(finding,
				       "take modprobe.blacklist=virtio_iommu off the kernel's command line, and reboot");
		else if (module.loaded)
			finding_advise(finding, "dmesg | grep -i virtio_iommu says why");
		else if (module.file)
			finding_advise(finding, "modprobe virtio_iommu, better from the initramfs");
		else
			finding_advise(finding, "install virtio-iommu-dkms, and reboot");
	}
	module_release(&module);
}

void check_presence(struct findings *findings, const struct system *system)
{
	struct finding *finding;
	size_t i;

	if (!iommu_is_present(system)) {
		finding = finding_add(findings, SEVERITY_BAD, "no-iommu",
				      "there is no virtio-iommu in this system");
		finding_advise(finding, "have the host offer one (QEMU: -device virtio-iommu-pci)");
		return;
	}
	for (i = 0; i < system->nr_devices; i++) {
		if (!is_bare(system, &system->devices[i]))
			continue;
		finding = finding_add(findings, SEVERITY_BAD, "no-transport",
				      "%s is a virtio-iommu that virtio_pci is not bound to",
				      system->devices[i].name);
		finding_advise(finding, "modprobe virtio_pci; dmesg says why if it is loaded");
	}
	for (i = 0; i < system->nr_iommus; i++) {
		finding_add(findings, SEVERITY_OK, "iommu", "%s: a virtio-iommu at %s",
			    system->iommus[i].name, system->iommus[i].parent);
		check_driver(findings, &system->iommus[i]);
	}
}
