/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writers of VIOT and IORT, for the tests and for the fuzzers' seeds. They write
 * byte by byte, share no struct with the readers, and fill what the readers must
 * not look at with 0xa5.
 */
#ifndef _TABLES_H
#define _TABLES_H

#include "harness.h"

#define HEADER		48
#define TABLE_MAX	2048

/**
 * struct table_kind - what is not the same in VIOT and IORT
 * @signature: the table's name
 * @width: bytes of the header's count of nodes, and of the first one's offset
 * @length_at: where in a node its length is
 * @head: bytes of the smallest node
 */
struct table_kind {
	const char *signature;
	unsigned int width;
	unsigned int length_at;
	unsigned int head;
};

extern const struct table_kind viot_kind, iort_kind;

/* A table that is being written. */
struct table {
	const struct table_kind *kind;
	u8 bytes[TABLE_MAX];
	unsigned int size;
	unsigned int nodes;
	u8 *last;
};

void table_begin(struct table *table, const struct table_kind *kind);
/* To be called after the size or the number of nodes was changed by hand. */
void table_seal(struct table *table);
void table_put_count(struct table *table, u64 count);
void table_put_offset(struct table *table, u64 offset);
/* Appends a node, zero behind its head. */
u8 *table_node(struct table *table, u8 type, u16 length);
void table_put_length(const struct table *table, u8 *node, u16 length);

/* Each appends a node and returns its offset. */
u16 viot_iommu_pci(struct table *table, u16 segment, u16 bdf);
u16 viot_iommu_mmio(struct table *table, u64 base);
u16 viot_range(struct table *table, u32 endpoint, u16 segment_start, u16 segment_last,
	       u16 bdf_start, u16 bdf_last, u16 output);
u16 viot_mmio(struct table *table, u32 endpoint, u64 base, u16 output);

u32 iort_paravirt_pci(struct table *table, u32 bdf);
u32 iort_paravirt_mmio(struct table *table, u64 base);
u32 iort_its(struct table *table);
u32 iort_smmu(struct table *table);
u32 iort_root_complex(struct table *table, u32 segment);
/* Appends an ID mapping to the last node, and returns its offset. */
u32 iort_mapping(struct table *table, u32 input, u32 count, u32 output, u32 reference, u32 flags);

/* Good tables with one of everything: VIOT of four ranges, IORT of four too. */
void viot_rich(struct table *table);
void iort_rich(struct table *table);

#endif /* _TABLES_H */
