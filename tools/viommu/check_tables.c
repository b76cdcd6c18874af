// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: which table describes what, and whether that is there.
 */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

static void check_range(struct findings *findings, const struct system *system,
			const struct firmware_range *range)
{
	const struct firmware_iommu *described = &system->firmware->iommus[range->iommu];
	int iommu = system_find_iommu(system, described);
	char *name = firmware_range_text(range);
	char *at = firmware_iommu_text(described);

	finding_add(findings, SEVERITY_OK, "table", "%s: %s behind %s%s%s%s, endpoint 0x%x on",
		    description_names[range->by], name, at, iommu < 0 ? "" : " (",
		    iommu < 0 ? "" : system->iommus[iommu].name, iommu < 0 ? "" : ")",
		    range->endpoint);
	free(at);
	free(name);
}

/* A range is for devices that may come, too: only one that is for a single one can be wrong. */
static bool range_is_vain(const struct system *system, const struct firmware_range *range)
{
	char *name;
	bool vain;

	if (!range->pci)
		name = platform_find(range->base, range->path);
	else if (range->segment_first == range->segment_last &&
		 range->bdf_first == range->bdf_last)
		name = pci_text(range->segment_first, range->bdf_first);
	else
		return false;
	vain = !name || !device_find(system, name);
	free(name);
	return vain;
}

static void check_ranges(struct findings *findings, const struct system *system)
{
	const struct firmware *firmware = system->firmware;
	struct finding *finding;
	size_t i;

	for (i = 0; i < firmware->nr_ranges; i++) {
		const struct firmware_range *range = &firmware->ranges[i];
		char *name = firmware_range_text(range);

		check_range(findings, system, range);
		if (range_is_vain(system, range)) {
			finding = finding_add(findings, SEVERITY_WARN, "table-device",
					      "%s: there is no %s", description_names[range->by],
					      name);
			finding_advise(finding, range->pci ? "the host's table is wrong" :
				       "the host's table is wrong, or the device was not found without root");
		}
		free(name);
	}
}

static void check_iommus(struct findings *findings, const struct system *system)
{
	const struct firmware *firmware = system->firmware;
	struct finding *finding;
	size_t i;

	for (i = 0; i < firmware->nr_iommus; i++) {
		char *name = firmware_iommu_text(&firmware->iommus[i]);
		char *pci = firmware->iommus[i].pci ? name : NULL;

		/* One without a driver for its bus has been spoken of. */
		if (system_find_iommu(system, &firmware->iommus[i]) < 0 &&
		    !(pci && device_find(system, pci))) {
			finding = finding_add(findings, SEVERITY_WARN, "table-iommu",
					      "%s: there is no virtio-iommu %s",
					      description_names[firmware->iommus[i].by], name);
			finding_advise(finding, "the host's table is wrong: devices wait for it");
		}
		free(name);
	}
	for (i = 0; i < system->nr_iommus; i++) {
		if (system->states[i].described)
			continue;
		finding = finding_add(findings, SEVERITY_BAD, "no-table",
				      "no table mentions %s: no device is known to be behind it",
				      system->iommus[i].name);
		finding_advise(finding,
			       "have the host describe it: a VIOT, or a device tree (QEMU: machine q35 or virt, with ACPI or -dtb)");
	}
}

static void check_nodes(struct findings *findings, const struct firmware *firmware)
{
	struct finding *finding;
	size_t i;

	for (i = 0; i < firmware->nr_nodes; i++) {
		const struct firmware_node *node = &firmware->nodes[i];

		if (!node->bad)
			continue;
		/* A device tree has paths instead. */
		if (node->by == BY_DT)
			finding = finding_add(findings, SEVERITY_WARN, "table-node", "DT: %s",
					      node->text);
		else
			finding = finding_add(findings, SEVERITY_WARN, "table-node",
					      "%s: 0x%x: %s", description_names[node->by],
					      node->offset, node->text + strspn(node->text, " "));
		finding_advise(finding, "the host's table is wrong there: viommu doctor --decode");
	}
}

void check_tables(struct findings *findings, const struct system *system)
{
	struct finding *finding;
	enum description by;

	for (by = 0; by < DESCRIPTIONS; by++) {
		if (!system->firmware->unreadable[by])
			continue;
		finding = finding_add(findings, SEVERITY_WARN, "table-unreadable",
				      "%s: only root can read it", description_names[by]);
		finding_advise(finding, "run this as root");
	}
	check_ranges(findings, system);
	/* What is mentioned in a table that cannot be read is not missing. */
	if (!firmware_is_hidden(system->firmware) && iommu_is_present(system))
		check_iommus(findings, system);
	check_nodes(findings, system->firmware);
}
