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
	bool bad = severity == SEVERITY_BAD;
	struct finding *finding = NULL;
	size_t i;

	for (i = 0; i < system->nr_devices; i++) {
		const struct device *device = &system->devices[i];

		if (device_trouble(device) != trouble ||
		    bad != reach_is_bad(device->reach))
			continue;
		if (!finding) {
			finding = finding_add(findings, severity, id, "%s", what);
			finding_advise(finding, "%s", advice);
		}
		finding_add_device(finding, device->name);
	}
}

static const char *identity_advice(void)
{
	if (cmdline_has("iommu=pt") || cmdline_has("iommu.passthrough=1"))
		return "take iommu=pt or iommu.passthrough=1 off the command line, and reboot";
	return "load the driver before those of disks: see viommu(1), identity";
}

static void check_bypass(struct findings *findings, const struct system *system)
{
	struct finding *finding;
	const char *name, *advice;
	size_t i;

	for (i = 0; i < system->nr_iommus; i++) {
		name = system->iommus[i].name;
		advice = "have the host turn boot-bypass off";
		switch (system->states[i].bypass) {
		case BYPASS_OPEN:
			finding = finding_add(findings, SEVERITY_WARN, "bypass-open",
					      "%s: bypass is open: what is attached nowhere reaches all memory",
					      name);
			if (system->iommus[i].ours)
				advice = "bring in what is outside, and do not set keep_bypass";
			finding_advise(finding, "%s", advice);
			break;
		case BYPASS_UNKNOWN:
			finding = finding_add(findings, SEVERITY_WARN, "bypass-unknown",
					      "%s: bypass is as the host has set it, which is not shown%s",
					      name, system->iommus[i].driver ? "" :
					      " without a driver");
			finding_advise(finding, "%s", advice);
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

/* A group's type is of its default domain: another one may be in use. */
static bool is_lazy(const struct device *device)
{
	return device->reach == REACH_MAPPED && device->type && !strcmp(device->type, "DMA-FQ") &&
	       (!device->kind || !strcmp(device->kind, "DMA"));
}

static void check_counts(struct findings *findings, const struct system *system)
{
	size_t i, mapped = 0, lazy = 0;

	for (i = 0; i < system->nr_devices; i++) {
		mapped += system->devices[i].reach == REACH_MAPPED;
		lazy += is_lazy(&system->devices[i]);
	}
	if (mapped)
		finding_add(findings, SEVERITY_OK, "protected",
			    "devices that reach only what is mapped for them: %zu", mapped);
	if (lazy)
		finding_add(findings, SEVERITY_OK, "lazy",
			    "lazy ones, whose unmaps take effect up to 10 ms later: %zu", lazy);
}

static const char *outside_advice(const struct system *system)
{
	bool bound = false;
	size_t i;

	for (i = 0; i < system->nr_iommus; i++) {
		if (system->iommus[i].ours)
			return "dmesg | grep 'stays outside' says why";
		bound |= !!system->iommus[i].driver;
	}
	if (bound)
		return "the stock driver leaves some out, and does not say why: viommu does not";
	return "bind a driver to the virtio-iommu";
}

void check_devices(struct findings *findings, const struct system *system)
{
	bool hidden = firmware_is_hidden(system->firmware);

	check_bypass(findings, system);
	check_counts(findings, system);
	add_trouble(findings, system, TROUBLE_OUTSIDE, SEVERITY_BAD, "outside",
		    "outside, though a virtio-iommu should have them:",
		    outside_advice(system));
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
