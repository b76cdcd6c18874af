// SPDX-License-Identifier: GPL-2.0
/*
 * Decoder of the ACPI I/O Remapping Table (IORT).
 *
 * A list of nodes, each with ID mappings that lead to other nodes. Root complexes whose
 * mappings lead to a paravirtualised IOMMU, a node that hosts wrote before there was a
 * VIOT, stand behind a virtio-iommu. Other nodes are named, and their mappings shown,
 * since an IORT without that node is a usual thing on arm64.
 *
 * Specification: Arm DEN 0049, "IO Remapping Table"; the paravirtualised node is in none.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "firmware.h"

#define IORT_HEADER_SIZE	48
#define IORT_NODE_SIZE		16
#define IORT_MAPPING_SIZE	20
#define IORT_ROOT_COMPLEX	0x02
#define IORT_ROOT_COMPLEX_SIZE	32
#define IORT_PARAVIRT		0x80
#define IORT_PARAVIRT_SIZE	56
#define IORT_MAPPING_SINGLE	0x1

static const char *const node_names[] = {
	"ITS group", "named component", "root complex", "SMMU", "SMMUv3", "PMCG",
	"reserved memory", "IWB",
};

/*
 * The first @size bytes of a node are there. Its length may go beyond the table, as the
 * driver reads one that another node refers to; in the list of nodes it must not.
 */
static bool node_is_there(const struct acpi_table *table, size_t offset, size_t size)
{
	return offset >= IORT_HEADER_SIZE && acpi_has(table, offset, size) &&
	       acpi_16(table, offset + 1) >= size;
}

static bool node_is_whole(const struct acpi_table *table, size_t offset, size_t size)
{
	return node_is_there(table, offset, size) &&
	       acpi_has(table, offset, acpi_16(table, offset + 1));
}

static bool read_iommu(const struct acpi_table *table, size_t offset, struct firmware_iommu *iommu)
{
	uint32_t model;

	if (!node_is_there(table, offset, IORT_PARAVIRT_SIZE) ||
	    table->data[offset] != IORT_PARAVIRT)
		return false;
	*iommu = (struct firmware_iommu) { .by = BY_IORT, .offset = offset };
	model = acpi_32(table, offset + 32);
	if (model == 0) {
		iommu->base = acpi_64(table, offset + 16);
	} else if (model == 1 && acpi_32(table, offset + 16) <= UINT16_MAX) {
		/* The node has no segment: it is 0. */
		iommu->pci = true;
		iommu->bdf = acpi_32(table, offset + 16);
	} else {
		return false;
	}
	return true;
}

static void decode_iommu(struct firmware *firmware, const struct acpi_table *table, size_t offset)
{
	struct firmware_iommu iommu;
	char *name;

	if (!read_iommu(table, offset, &iommu)) {
		firmware_add_node(firmware, BY_IORT, offset, true,
				  "paravirtualised IOMMU ignored: unknown model, or too short");
		return;
	}
	firmware_add_iommu(firmware, &iommu);
	name = firmware_iommu_text(&iommu);
	firmware_add_node(firmware, BY_IORT, offset, false, "virtio-iommu: %s", name);
	free(name);
}

/* A mapping of a root complex that leads to a virtio-iommu. Return: why it is none, or NULL. */
static const char *add_range(struct firmware *firmware, const struct acpi_table *table,
			     size_t offset, uint32_t segment)
{
	uint32_t first = acpi_32(table, offset);
	uint64_t last = (uint64_t)first + acpi_32(table, offset + 4);
	struct firmware_range range = {
		.by = BY_IORT,
		.offset = offset,
		.mask = 0xffff,
		.pci = true,
		.segment_first = segment,
		.segment_last = segment,
		.bdf_first = first,
		/* Requester IDs end at 0xffff, mappings of all there are need not. */
		.bdf_last = last > UINT16_MAX ? UINT16_MAX : last,
		.endpoint = acpi_32(table, offset + 8),
	};
	struct firmware_iommu iommu;

	if (segment > UINT16_MAX || first > UINT16_MAX)
		return "no PCI functions";
	if (acpi_32(table, offset + 16) & IORT_MAPPING_SINGLE)
		return "a single endpoint ID for all";
	if (!read_iommu(table, acpi_32(table, offset + 12), &iommu))
		return "a bad virtio-iommu";
	range.iommu = firmware_add_iommu(firmware, &iommu);
	return firmware_add_range(firmware, &range);
}

static void decode_mapping(struct firmware *firmware, const struct acpi_table *table,
			   size_t node, size_t offset)
{
	uint32_t output = acpi_32(table, offset + 12);
	const char *wrong = NULL;

	if (!node_is_there(table, output, IORT_NODE_SIZE))
		wrong = "there is no node at its output";
	else if (table->data[output] == IORT_PARAVIRT && table->data[node] == IORT_ROOT_COMPLEX)
		wrong = add_range(firmware, table, offset, acpi_32(table, node + 28));
	firmware_add_node(firmware, BY_IORT, offset, wrong,
			  "  0x%x-0x%" PRIx64 ": %s%s0x%x, output 0x%x", acpi_32(table, offset),
			  (uint64_t)acpi_32(table, offset) + acpi_32(table, offset + 4),
			  wrong ? wrong : "", wrong ? ", " : "endpoint ",
			  acpi_32(table, offset + 8), output);
}

static void decode_mappings(struct firmware *firmware, const struct acpi_table *table, size_t node)
{
	uint32_t count = acpi_32(table, node + 8);
	uint32_t offset = acpi_32(table, node + 12);
	uint16_t length = acpi_16(table, node + 1);
	uint32_t least = table->data[node] == IORT_ROOT_COMPLEX ? IORT_ROOT_COMPLEX_SIZE :
			 IORT_NODE_SIZE;
	uint32_t i;

	if (!count)
		return;
	if (offset < least || offset > length ||
	    count > (length - offset) / IORT_MAPPING_SIZE) {
		firmware_add_node(firmware, BY_IORT, node, true,
				  "  its %u ID mappings are not within it", count);
		return;
	}
	for (i = 0; i < count; i++)
		decode_mapping(firmware, table, node, node + offset + i * IORT_MAPPING_SIZE);
}

static void decode_node(struct firmware *firmware, const struct acpi_table *table, size_t offset)
{
	uint8_t type = table->data[offset];

	if (type == IORT_PARAVIRT) {
		decode_iommu(firmware, table, offset);
		return;
	}
	if (type == IORT_ROOT_COMPLEX) {
		if (!node_is_whole(table, offset, IORT_ROOT_COMPLEX_SIZE)) {
			firmware_add_node(firmware, BY_IORT, offset, true,
					  "root complex ignored: too short");
			return;
		}
		firmware_add_node(firmware, BY_IORT, offset, false, "root complex, segment %u",
				  acpi_32(table, offset + 28));
	} else if (type < ARRAY_SIZE(node_names)) {
		firmware_add_node(firmware, BY_IORT, offset, false, "%s", node_names[type]);
	} else {
		firmware_add_node(firmware, BY_IORT, offset, false,
				  "node of unknown type %u, %u bytes", type,
				  acpi_16(table, offset + 1));
	}
	decode_mappings(firmware, table, offset);
}

void iort_decode(struct firmware *firmware, const struct acpi_table *table)
{
	uint32_t i, count;
	size_t offset;

	if (!acpi_has(table, 0, IORT_HEADER_SIZE)) {
		firmware_add_node(firmware, BY_IORT, 0, true, "no room for the header");
		return;
	}
	count = acpi_32(table, 36);
	offset = acpi_32(table, 40);
	for (i = 0; i < count; i++) {
		if (!node_is_whole(table, offset, IORT_NODE_SIZE)) {
			firmware_add_node(firmware, BY_IORT, offset, true,
					  "the list of nodes breaks off: %u of %u", i, count);
			return;
		}
		decode_node(firmware, table, offset);
		offset += acpi_16(table, offset + 1);
	}
}
