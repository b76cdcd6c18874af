// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: which devices reach all memory, why, and what to do.
 *
 * Devices with the same trouble are one finding.
 */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

enum trouble { TROUBLE_NONE, TROUBLE_OUTSIDE, TROUBLE_UNCOVERED, TROUBLE_IDENTITY, TROUBLE_PAST };

static enum trouble device_trouble(const struct device *device)
{
	switch (device->reach) {
	case REACH_BYPASS:
	case REACH_UNKNOWN:
	case REACH_CLOSED:
		return device->iommu < 0 ? TROUBLE_UNCOVERED : TROUBLE_OUTSIDE;
	case REACH_IDENTITY:
		return TROUBLE_IDENTITY;
	case REACH_PAST:
		return TROUBLE_PAST;
	default:
		return TROUBLE_NONE;
	}
}

static void add_trouble(struct findings *findings, const struct system *system,
			enum trouble trouble, enum severity severity, const char *id,
			const char *what, const char *advice)
{
	struct finding *finding = NULL;
	size_t i;

	for (i = 0; i < system->nr_devices; i++) {
		const struct device *device = &system->devices[i];

		if (device_trouble(device) != trouble ||
		    (severity == SEVERITY_BAD) != reach_is_bad(device->reach))
			continue;
		if (!finding) {
			finding = finding_add(findings, severity, id, "%s", what);
			finding_advise(finding, "%s", advice);
		}
		finding_add_device(finding, device->name);
	}
}

static bool tables_are_hidden(const struct system *system)
{
	enum description by;

	for (by = 0; by < DESCRIPTIONS; by++) {
		if (system->firmware->unreadable[by])
			return true;
	}
	return false;
}

static const char *identity_advice(void)
{
	if (cmdline_has("iommu=pt") || cmdline_has("iommu.passthrough=1"))
		return "take iommu=pt, iommu.passthrough=1 off the kernel's command line, and reboot";
	return "load the driver before those of disks and NICs, from the initramfs; or unbind the "
	       "device, write DMA to its iommu_group/type, and bind it again";
}

static void check_bypass(struct findings *findings, const struct system *system)
{
	struct finding *finding;
	size_t i;

	for (i = 0; i < system->nr_iommus; i++) {
		const char *name = system->iommus[i].name;

		switch (system->states[i].bypass) {
		case BYPASS_OPEN:
			finding = finding_add(findings, SEVERITY_WARN, "bypass-open",
					      "%s: bypass is open: what is attached nowhere "
					      "reaches all memory", name);
			finding_advise(finding, system->iommus[i].ours ?
				       "bring in what is outside; without keep_bypass=1 the "
				       "driver closes it then" :
				       "have the host turn boot-bypass off");
			break;
		case BYPASS_UNKNOWN:
			finding = finding_add(findings, SEVERITY_WARN, "bypass-unknown",
					      "%s: bypass is as the host has set it, which %s not "
					      "show", name,
					      system->iommus[i].driver ? "the driver does" :
					      "it does without a driver");
			finding_advise(finding, "have the host turn boot-bypass off");
			break;
		default:
			finding_add(findings, SEVERITY_OK, "bypass",
				    "%s: bypass is %s: what is attached nowhere reaches nothing",
				    name, bypass_name(system->states[i].bypass));
		}
	}
}

static void check_groups(struct findings *findings, const struct system *system)
{
	struct finding *finding;
	size_t i, j;

	for (i = 0; i < system->nr_groups; i++) {
		const struct group *group = &system->groups[i];

		if (group->nr_devices < 2)
			continue;
		finding = finding_add(findings, SEVERITY_OK, "group-shared",
				      "group %d: %zu devices share a domain, and go to VFIO together",
				      group->number, group->nr_devices);
		for (j = 0; j < system->nr_devices; j++) {
			if (system->devices[j].group == group->number)
				finding_add_device(finding, system->devices[j].name);
		}
	}
}

static void check_counts(struct findings *findings, const struct system *system)
{
	size_t i, mapped = 0, lazy = 0;

	for (i = 0; i < system->nr_devices; i++) {
		mapped += system->devices[i].reach == REACH_MAPPED;
		lazy += system->devices[i].reach == REACH_MAPPED && system->devices[i].type &&
			!strcmp(system->devices[i].type, "DMA-FQ");
	}
	if (mapped)
		finding_add(findings, SEVERITY_OK, "protected",
			    "%zu devices reach only what is mapped for them", mapped);
	if (lazy)
		finding_add(findings, SEVERITY_OK, "lazy",
			    "%zu of them are lazy: an unmap takes effect up to 10 ms later", lazy);
}

void check_devices(struct findings *findings, const struct system *system)
{
	bool hidden = tables_are_hidden(system);

	check_bypass(findings, system);
	check_counts(findings, system);
	add_trouble(findings, system, TROUBLE_OUTSIDE, SEVERITY_BAD, "outside",
		    "outside, though a virtio-iommu should have them:",
		    "with no driver bound, bind one; else dmesg | grep 'stays outside' says why");
	add_trouble(findings, system, TROUBLE_OUTSIDE, SEVERITY_WARN, "outside-closed",
		    "outside, and with bypass closed without any DMA:",
		    "dmesg | grep 'stays outside' says why");
	add_trouble(findings, system, TROUBLE_UNCOVERED, SEVERITY_BAD,
		    "not-covered", "in no table, so that no virtio-iommu takes them in:",
		    hidden ? "as root, see whether a table has them" :
		    "have the host put them behind the virtio-iommu, or move them to a bus that is");
	add_trouble(findings, system, TROUBLE_UNCOVERED, SEVERITY_WARN, "not-covered-closed",
		    "in no table, and with bypass closed without any DMA behind the virtio-iommu:",
		    "have the host's table mention them");
	add_trouble(findings, system, TROUBLE_IDENTITY, SEVERITY_BAD, "identity",
		    "in identity domains, so that they reach all memory:", identity_advice());
	add_trouble(findings, system, TROUBLE_PAST, SEVERITY_BAD, "past",
		    "virtio devices whose DMA goes past the IOMMU:",
		    "have the host offer VIRTIO_F_ACCESS_PLATFORM (QEMU: iommu_platform=on)");
	check_groups(findings, system);
}
