// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the fuzzers' seeds: usage: seeds DIRECTORY. See "make seeds" in README.
 */
#include <unistd.h>

#include "tables.h"

static void viot_pci(struct table *table)
{
	u16 iommu;

	table_begin(table, &viot_kind);
	iommu = viot_iommu_pci(table, 0, 0x0010);
	viot_range(table, 0, 0, 0, 0, 0x000f, iommu);
	viot_range(table, 0x11, 0, 0, 0x0011, 0xffff, iommu);
}

static void viot_platform(struct table *table)
{
	u16 iommu;

	table_begin(table, &viot_kind);
	iommu = viot_iommu_mmio(table, 0x0a000000);
	viot_mmio(table, 1, 0x0a000200, iommu);
	viot_range(table, 0x10000, 1, 3, 0, 0xffff, iommu);
}

/* A list that ends before the nodes do, with bad nodes in it. */
static void viot_bad(struct table *table)
{
	table_begin(table, &viot_kind);
	viot_range(table, 0, 0, 0, 0, 0xffff, HEADER + 24);
	viot_iommu_pci(table, 0, 8);
	viot_range(table, 0, 0, 0, 8, 7, HEADER + 24);
	viot_range(table, 0xffffffff, 0, 0, 0, 1, HEADER + 24);
	table_node(table, 1, 12);
	viot_mmio(table, 0, 0x1000, HEADER);
	table_put_count(table, 9);
}

/* QEMU's proposal for x86: two mappings around the virtio-iommu, one ID too long. */
static void iort_x86(struct table *table)
{
	u32 iommu;

	table_begin(table, &iort_kind);
	iommu = iort_paravirt_pci(table, 0x0010);
	iort_root_complex(table, 0);
	iort_mapping(table, 0, 0x0010, 0, iommu, 0);
	iort_mapping(table, 0x0011, 0xffff - 0x0010, 0x0011, iommu, 0);
}

/* That for arm64: below all is the ITS. */
static void iort_arm64(struct table *table)
{
	u32 its, iommu;

	table_begin(table, &iort_kind);
	its = iort_its(table);
	iommu = iort_paravirt_pci(table, 0x0008);
	iort_mapping(table, 0, 0x0008, 0, its, 0);
	iort_mapping(table, 0x0009, 0xfff6, 0x0009, its, 0);
	iort_root_complex(table, 0);
	iort_mapping(table, 0, 0x0007, 0, iommu, 0);
	iort_mapping(table, 0x0008, 0, 0x0008, its, 0);
	iort_mapping(table, 0x0009, 0xfff6, 0x0009, iommu, 0);
}

/* A mapping for each function, as Cloud Hypervisor did. */
static void iort_functions(struct table *table)
{
	unsigned int device;
	u32 iommu;

	table_begin(table, &iort_kind);
	iommu = iort_paravirt_pci(table, 0x0008);
	iort_root_complex(table, 0);
	for (device = 2; device < 8; device++)
		iort_mapping(table, device << 3, 1, device << 3, iommu, 0);
}

static void iort_segments(struct table *table)
{
	u32 first, second;

	table_begin(table, &iort_kind);
	first = iort_paravirt_mmio(table, 0x0a000000);
	second = iort_paravirt_mmio(table, 0x10a000000);
	iort_root_complex(table, 0);
	iort_mapping(table, 0, 0xffff, 0, first, 0);
	iort_root_complex(table, 1);
	iort_mapping(table, 0, 0xff, 0x10000, second, 0);
	iort_mapping(table, 0, 0xffffffff, 0x20000, first, 0);
}

static void iort_bad(struct table *table)
{
	u32 iommu;

	table_begin(table, &iort_kind);
	iommu = iort_paravirt_pci(table, 0x10008);
	iort_root_complex(table, 0);
	iort_mapping(table, 0, 0xffff, 0, iommu, 0);
	iommu = iort_paravirt_mmio(table, 0x1000);
	iort_root_complex(table, 0);
	iort_mapping(table, 0, 0, 0, iommu, 1);
	iort_mapping(table, 0x10000, 0, 0, iommu, 0);
	iort_mapping(table, 0, 1, 0xffffffff, iommu, 0);
	iort_mapping(table, 0, 1, 0, HEADER - 1, 0);
	iort_root_complex(table, 0x10000);
	iort_mapping(table, 0, 0xff, 0, iommu, 0);
	table_node(table, 2, 20);
	table_put_count(table, 9);
}

/* What fuzz_property.c has before the reply: see struct head there. */
static void property_begin(struct table *table, u8 granule, u8 cut, u8 size, u64 wanted,
			   u64 input_last)
{
	const u8 head[] = { 255, granule, cut, 3, size };

	memset(table->bytes, 0, sizeof(table->bytes));
	memcpy(table->bytes, head, sizeof(head));
	put_le(table->bytes + 8, wanted, 8);
	put_le(table->bytes + 24, input_last, 8);
	table->size = 32;
}

static u8 *property(struct table *table, u16 type, u16 length)
{
	u8 *value = table->bytes + table->size + 4;

	put_le(value - 4, type, 2);
	put_le(value - 2, length, 2);
	table->size += 4 + length;
	return value;
}

static void resv_mem(struct table *table, u8 subtype, u64 start, u64 last, u16 length, u32 flags)
{
	u8 *value = property(table, 1, length);

	value[0] = subtype;
	put_le(value + 4, start, 8);
	put_le(value + 12, last, 8);
	if (length >= 24)
		put_le(value + 20, flags, 4);
}

/* QEMU's on x86. */
static void property_msi(struct table *table)
{
	property_begin(table, 0, 1, 20, 0x8000000, U64_MAX);
	resv_mem(table, 1, 0xfee00000, 0xfeefffff, 20, 0);
	table->size = 32 + 512;
}

/* Both endpoints need memory mapped, and not the same of it. The last says not how. */
static void property_identity(struct table *table)
{
	property_begin(table, 0, 2, 20, 0x8000000, (1ULL << 48) - 1);
	resv_mem(table, 1, 0xfee00000, 0xfeefffff, 20, 0);
	resv_mem(table, 2, 0x4ac55000, 0x4ac74fff, 28, 3);
	resv_mem(table, 2, 0x4ac70000, 0x4ac7ffff, 28, 1);
	resv_mem(table, 0, 0x4ac55000, 0x4ac6ffff, 20, 0);
	resv_mem(table, 2, 0x8000000, 0x80fffff, 28, 6);
	resv_mem(table, 2, 0x9000000, 0x90fffff, 20, 0);
}

/* Types and subtypes that nobody knows, and regions that are none or do not count. */
static void property_bad(struct table *table)
{
	property_begin(table, 4, 3, 12, -4096ULL, U64_MAX);
	memset(property(table, 0x77, 3), 0xa5, 3);
	resv_mem(table, 2, 0x1000, 0x1fff, 28, 4);
	resv_mem(table, 2, 0x10000, 0x1ffff, 28, 3);
	resv_mem(table, 0, 0x1f000, 0x1ffff, 20, 0);
	resv_mem(table, 2, 0x2000, 0x2fff, 24, 3);
	resv_mem(table, 9, 0, U64_MAX, 28, 3);
	resv_mem(table, 0, 1, 0, 20, 0);
	property(table, 0x1001, 20);
	resv_mem(table, 2, U64_MAX, U64_MAX, 36, 0xffffffff);
	property(table, 1, 19);
	table->size -= 4;
}

/* Each within the one before: MSI, RESERVED, and what needs mapping. */
static void property_nested(struct table *table)
{
	unsigned int i;

	property_begin(table, 0, 6, 30, 0, U64_MAX);
	for (i = 0; i < 12; i++)
		resv_mem(table, i / 3 == 0 ? 1 : i / 3 == 1 ? 0 : 2, (u64)i << 30,
			 U64_MAX - ((u64)i << 30), i < 6 ? 20 : 28, 1 + i % 7);
}

static const struct {
	const char *name;
	void (*write)(struct table *table);
} seeds[] = {
	{ "viot/rich", viot_rich },
	{ "viot/pci", viot_pci },
	{ "viot/platform", viot_platform },
	{ "viot/bad", viot_bad },
	{ "iort/rich", iort_rich },
	{ "iort/x86", iort_x86 },
	{ "iort/arm64", iort_arm64 },
	{ "iort/functions", iort_functions },
	{ "iort/segments", iort_segments },
	{ "iort/bad", iort_bad },
	{ "property/msi", property_msi },
	{ "property/identity", property_identity },
	{ "property/bad", property_bad },
	{ "property/nested", property_nested },
};

int main(int argc, char **argv)
{
	static struct table table;
	unsigned int i;
	FILE *file;

	if (argc != 2 || chdir(argv[1])) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	for (i = 0; i < ARRAY_SIZE(seeds); i++) {
		seeds[i].write(&table);
		file = fopen(seeds[i].name, "wb");
		if (!file || fwrite(table.bytes, table.size, 1, file) != 1 || fclose(file)) {
			perror(seeds[i].name);
			return 1;
		}
	}
	return 0;
}
