// SPDX-License-Identifier: GPL-2.0
/*
 * Decoder of the ACPI Virtual I/O Translation table (VIOT).
 *
 * A flat list of nodes: virtio-iommus, and ranges of PCI functions and other devices,
 * which name their virtio-iommu by the offset of its node. A reference is followed once,
 * and counts where it hits what looks like a virtio-iommu.
 *
 * Specification: ACPI 6.5, "Virtual I/O Translation Table (VIOT)".
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "firmware.h"

#define VIOT_HEADER_SIZE	48

enum viot_node {
	VIOT_PCI_RANGE = 1,
	VIOT_MMIO_ENDPOINT = 2,
	VIOT_IOMMU_PCI = 3,
	VIOT_IOMMU_MMIO = 4,
};

static size_t node_size(uint8_t type)
{
	switch (type) {
	case VIOT_PCI_RANGE:
	case VIOT_MMIO_ENDPOINT:
		return 24;
	case VIOT_IOMMU_PCI:
	case VIOT_IOMMU_MMIO:
		return 16;
	default:
		return 4;
	}
}

/*
 * All that a node of its type has is there. Its length may go beyond the table, as the
 * driver reads one that another node refers to; in the list of nodes it must not.
 */
static bool node_is_there(const struct acpi_table *table, size_t offset)
{
	size_t size;

	if (!acpi_has(table, offset, 4))
		return false;
	size = node_size(table->data[offset]);
	return acpi_has(table, offset, size) && acpi_16(table, offset + 2) >= size;
}

static bool node_is_whole(const struct acpi_table *table, size_t offset)
{
	return node_is_there(table, offset) && acpi_has(table, offset, acpi_16(table, offset + 2));
}

static bool read_iommu(const struct acpi_table *table, size_t offset, struct firmware_iommu *iommu)
{
	uint8_t type;

	if (offset < VIOT_HEADER_SIZE || !node_is_there(table, offset))
		return false;
	type = table->data[offset];
	if (type != VIOT_IOMMU_PCI && type != VIOT_IOMMU_MMIO)
		return false;

	*iommu = (struct firmware_iommu) { .by = BY_VIOT, .offset = offset };
	if (type == VIOT_IOMMU_PCI) {
		iommu->pci = true;
		iommu->segment = acpi_16(table, offset + 4);
		iommu->bdf = acpi_16(table, offset + 6);
	} else {
		iommu->base = acpi_64(table, offset + 8);
	}
	return true;
}

static void decode_iommu(struct firmware *firmware, const struct acpi_table *table, size_t offset)
{
	struct firmware_iommu iommu;
	char *name;

	if (!read_iommu(table, offset, &iommu))
		return;
	firmware_add_iommu(firmware, &iommu);
	name = firmware_iommu_text(&iommu);
	firmware_add_node(firmware, BY_VIOT, offset, false, "virtio-iommu: %s", name);
	free(name);
}

static void decode_range(struct firmware *firmware, const struct acpi_table *table, size_t offset)
{
	struct firmware_range range = { .by = BY_VIOT, .offset = offset, .mask = 0xffff };
	uint16_t output = acpi_16(table, offset + 16);
	struct firmware_iommu iommu;
	const char *wrong;
	char *name;

	range.endpoint = acpi_32(table, offset + 4);
	if (table->data[offset] == VIOT_PCI_RANGE) {
		range.pci = true;
		range.segment_first = acpi_16(table, offset + 8);
		range.segment_last = acpi_16(table, offset + 10);
		range.bdf_first = acpi_16(table, offset + 12);
		range.bdf_last = acpi_16(table, offset + 14);
	} else {
		range.base = acpi_64(table, offset + 8);
	}

	name = firmware_range_text(&range);
	if (!read_iommu(table, output, &iommu)) {
		wrong = "there is no virtio-iommu at its output";
	} else {
		range.iommu = firmware_add_iommu(firmware, &iommu);
		wrong = firmware_add_range(firmware, &range);
	}
	if (wrong)
		firmware_add_node(firmware, BY_VIOT, offset, true,
				  "%s, output 0x%x: ignored, %s", name, output, wrong);
	else
		firmware_add_node(firmware, BY_VIOT, offset, false,
				  "%s: endpoint 0x%x-0x%x, output 0x%x", name, range.endpoint,
				  firmware_range_last(&range), output);
	free(name);
}

static void decode_node(struct firmware *firmware, const struct acpi_table *table, size_t offset)
{
	uint8_t type = table->data[offset];

	switch (type) {
	case VIOT_PCI_RANGE:
	case VIOT_MMIO_ENDPOINT:
		decode_range(firmware, table, offset);
		break;
	case VIOT_IOMMU_PCI:
	case VIOT_IOMMU_MMIO:
		decode_iommu(firmware, table, offset);
		break;
	default:
		firmware_add_node(firmware, BY_VIOT, offset, false,
				  "node of unknown type %u, %u bytes", type,
				  acpi_16(table, offset + 2));
	}
}

void viot_decode(struct firmware *firmware, const struct acpi_table *table)
{
	unsigned int i, count;
	size_t offset;

	if (!acpi_has(table, 0, VIOT_HEADER_SIZE)) {
		firmware_add_node(firmware, BY_VIOT, 0, true, "no room for the header");
		return;
	}
	/* A draft of 2019 had a whole IORT in it, which no driver looks for there. */
	if (acpi_has(table, VIOT_HEADER_SIZE, 4) &&
	    !memcmp(table->data + VIOT_HEADER_SIZE, "IORT", 4)) {
		firmware_add_node(firmware, BY_VIOT, VIOT_HEADER_SIZE, true,
				  "an IORT inside, as in a draft of 2019: ignored");
		return;
	}

	count = acpi_16(table, 36);
	offset = acpi_16(table, 38);
	for (i = 0; i < count; i++) {
		if (offset < VIOT_HEADER_SIZE || !acpi_has(table, offset, 4) ||
		    acpi_16(table, offset + 2) < 4) {
			firmware_add_node(firmware, BY_VIOT, offset, true,
					  "the list of nodes breaks off: %u of %u", i, count);
			return;
		}
		if (node_is_whole(table, offset))
			decode_node(firmware, table, offset);
		else
			firmware_add_node(firmware, BY_VIOT, offset, true,
					  "node of type %u ignored: %u bytes are too few, or too many",
					  table->data[offset], acpi_16(table, offset + 2));
		offset += acpi_16(table, offset + 2);
	}
}
