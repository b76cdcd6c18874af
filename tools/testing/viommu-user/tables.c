// SPDX-License-Identifier: GPL-2.0
/*
 * See tables.h. The layouts are those of ACPI 6.5 (VIOT), of Arm DEN0049E.d
 * (IORT), and, for the paravirtualised IOMMU, of the hosts that had it.
 */
#include "tables.h"

const struct table_kind viot_kind = {
	.signature = "VIOT", .width = 2, .length_at = 2, .head = 4,
};

const struct table_kind iort_kind = {
	.signature = "IORT", .width = 4, .length_at = 1, .head = 16,
};

void table_put_count(struct table *table, u64 count)
{
	put_le(table->bytes + 36, count, table->kind->width);
}

void table_put_offset(struct table *table, u64 offset)
{
	put_le(table->bytes + 36 + table->kind->width, offset, table->kind->width);
}

void table_seal(struct table *table)
{
	memcpy(table->bytes, table->kind->signature, 4);
	put_le(table->bytes + 4, table->size, 4);
	table_put_count(table, table->nodes);
	table_put_offset(table, HEADER);
}

void table_begin(struct table *table, const struct table_kind *kind)
{
	memset(table, 0, sizeof(*table));
	/* Neither checksum, names nor reserved bytes are the readers' business. */
	memset(table->bytes + 8, 0xa5, HEADER - 8);
	table->kind = kind;
	table->size = HEADER;
	table_seal(table);
}

static void table_grow(struct table *table, unsigned int size)
{
	if (table->size + size > TABLE_MAX)
		abort(); /* a mistake of the test */
	table->size += size;
}

void table_put_length(const struct table *table, u8 *node, u16 length)
{
	put_le(node + table->kind->length_at, length, 2);
}

u8 *table_node(struct table *table, u8 type, u16 length)
{
	u8 *node = table->bytes + table->size;

	table_grow(table, length);
	memset(node, 0xa5, 4);
	node[0] = type;
	table_put_length(table, node, length);
	table->last = node;
	table->nodes++;
	table_seal(table);
	return node;
}

u16 viot_iommu_pci(struct table *table, u16 segment, u16 bdf)
{
	u8 *node = table_node(table, 3, 16);

	put_le(node + 4, segment, 2);
	put_le(node + 6, bdf, 2);
	memset(node + 8, 0xa5, 8);
	return node - table->bytes;
}

u16 viot_iommu_mmio(struct table *table, u64 base)
{
	u8 *node = table_node(table, 4, 16);

	memset(node + 4, 0xa5, 4);
	put_le(node + 8, base, 8);
	return node - table->bytes;
}

u16 viot_range(struct table *table, u32 endpoint, u16 segment_start, u16 segment_last,
	       u16 bdf_start, u16 bdf_last, u16 output)
{
	u8 *node = table_node(table, 1, 24);

	put_le(node + 4, endpoint, 4);
	put_le(node + 8, segment_start, 2);
	put_le(node + 10, segment_last, 2);
	put_le(node + 12, bdf_start, 2);
	put_le(node + 14, bdf_last, 2);
	put_le(node + 16, output, 2);
	memset(node + 18, 0xa5, 6);
	return node - table->bytes;
}

u16 viot_mmio(struct table *table, u32 endpoint, u64 base, u16 output)
{
	u8 *node = table_node(table, 2, 24);

	put_le(node + 4, endpoint, 4);
	put_le(node + 8, base, 8);
	put_le(node + 16, output, 2);
	memset(node + 18, 0xa5, 6);
	return node - table->bytes;
}

/* A node without mappings: where they would be is set, as hosts do. */
static u8 *iort_node(struct table *table, u8 type, u16 length)
{
	u8 *node = table_node(table, type, length);

	memset(node + 3, 0xa5, 5);
	put_le(node + 12, length, 4);
	memset(node + 16, 0xa5, length - 16);
	return node;
}

static u8 *iort_paravirt(struct table *table, u32 model)
{
	u8 *node = iort_node(table, 0x80, 56);

	put_le(node + 32, model, 4);
	return node;
}

u32 iort_paravirt_pci(struct table *table, u32 bdf)
{
	u8 *node = iort_paravirt(table, 1);

	put_le(node + 16, bdf, 4);
	return node - table->bytes;
}

u32 iort_paravirt_mmio(struct table *table, u64 base)
{
	u8 *node = iort_paravirt(table, 0);

	put_le(node + 16, base, 8);
	return node - table->bytes;
}

u32 iort_its(struct table *table)
{
	return iort_node(table, 0, 24) - table->bytes;
}

u32 iort_smmu(struct table *table)
{
	return iort_node(table, 4, 68) - table->bytes;
}

u32 iort_root_complex(struct table *table, u32 segment)
{
	u8 *node = iort_node(table, 2, 36);

	put_le(node + 28, segment, 4);
	return node - table->bytes;
}

u32 iort_mapping(struct table *table, u32 input, u32 count, u32 output, u32 reference, u32 flags)
{
	u8 *mapping = table->bytes + table->size;
	u8 *node = table->last;

	table_grow(table, 20);
	table_seal(table);
	table_put_length(table, node, get_le(node + 1, 2) + 20);
	put_le(node + 8, get_le(node + 8, 4) + 1, 4);
	put_le(mapping, input, 4);
	put_le(mapping + 4, count, 4);
	put_le(mapping + 8, output, 4);
	put_le(mapping + 12, reference, 4);
	put_le(mapping + 16, flags, 4);
	return mapping - table->bytes;
}

void viot_rich(struct table *table)
{
	u16 pci, mmio;

	table_begin(table, &viot_kind);
	pci = viot_iommu_pci(table, 1, 0x0208);
	viot_range(table, 0x100, 0, 0, 0, 0xffff, pci);
	viot_range(table, 0x10000000, 2, 5, 0x0100, 0x01ff, table->size + 24);
	mmio = viot_iommu_mmio(table, 0x0123456789abc000);
	viot_mmio(table, 0xfffffff0, 0xfedcba9876543000, mmio);
	table_node(table, 0x55, 12);
	viot_mmio(table, 3, 0xa0000, pci);
}

void iort_rich(struct table *table)
{
	u32 its, pci, smmu, mmio;

	table_begin(table, &iort_kind);
	its = iort_its(table);
	pci = iort_paravirt_pci(table, 0x0008);
	iort_mapping(table, 0, 0xffff, 0, its, 0);
	/* All functions but the virtio-iommu, the last mapping one too long. */
	iort_root_complex(table, 0);
	iort_mapping(table, 0, 7, 0, pci, 0);
	iort_mapping(table, 8, 0, 8, its, 0);
	iort_mapping(table, 9, 0xffff - 8, 9, pci, 0);
	smmu = iort_smmu(table);
	iort_mapping(table, 0, 0xffff, 0, its, 0);
	iort_root_complex(table, 2);
	iort_mapping(table, 0, 0xffff, 0, smmu, 0);
	/* A named component's are not read. */
	iort_node(table, 1, 32);
	iort_mapping(table, 0, 0, 5, pci, 0);
	iort_root_complex(table, 0xffff);
	mmio = table->size + 3 * 20;
	iort_mapping(table, 0x0200, 0xff, 0x12345600, mmio, 0);
	iort_mapping(table, 0x0300, 0, 0x300, smmu, 0);
	iort_mapping(table, 0x0100, 0x0f, 0xfffffff0, mmio, 0);
	iort_paravirt_mmio(table, 0x0123456789abc000);
}
