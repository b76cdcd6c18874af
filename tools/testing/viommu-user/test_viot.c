// SPDX-License-Identifier: GPL-2.0
/*
 * viot.c: good tables, and what firmware could do to them. The reference is a
 * second reader, written from the table in the specification, over an array that
 * is larger than any offset of 16 bits and zero behind the table.
 */
#include "harness.h"
#include "pure.h"

#define HEADER		48
#define TABLE_MAX	1024

/* A table that is being written. */
struct table {
	u8 bytes[TABLE_MAX];
	unsigned int size;
	unsigned int nodes;
};

static void table_seal(struct table *table)
{
	memcpy(table->bytes, "VIOT", 4);
	put_le(table->bytes + 4, table->size, 4);
	put_le(table->bytes + 36, table->nodes, 2);
	put_le(table->bytes + 38, HEADER, 2);
}

static void table_begin(struct table *table)
{
	memset(table, 0, sizeof(*table));
	/* Neither checksum, names nor reserved bytes are this reader's business. */
	memset(table->bytes + 8, 0xa5, HEADER - 8);
	table->size = HEADER;
	table_seal(table);
}

static u8 *put_node(struct table *table, u8 type, u16 length)
{
	u8 *node = table->bytes + table->size;

	ASSERT(table->size + length <= TABLE_MAX);
	node[0] = type;
	node[1] = 0xa5;
	put_le(node + 2, length, 2);
	table->size += length;
	table->nodes++;
	table_seal(table);
	return node;
}

/* Each returns the offset of the node. */
static u16 put_iommu_pci(struct table *table, u16 segment, u16 bdf)
{
	u8 *node = put_node(table, 3, 16);

	put_le(node + 4, segment, 2);
	put_le(node + 6, bdf, 2);
	memset(node + 8, 0xa5, 8);
	return node - table->bytes;
}

static u16 put_iommu_mmio(struct table *table, u64 base)
{
	u8 *node = put_node(table, 4, 16);

	memset(node + 4, 0xa5, 4);
	put_le(node + 8, base, 8);
	return node - table->bytes;
}

static u16 put_range(struct table *table, u32 endpoint, u16 segment_start, u16 segment_last,
		     u16 bdf_start, u16 bdf_last, u16 output)
{
	u8 *node = put_node(table, 1, 24);

	put_le(node + 4, endpoint, 4);
	put_le(node + 8, segment_start, 2);
	put_le(node + 10, segment_last, 2);
	put_le(node + 12, bdf_start, 2);
	put_le(node + 14, bdf_last, 2);
	put_le(node + 16, output, 2);
	memset(node + 18, 0xa5, 6);
	return node - table->bytes;
}

static u16 put_mmio(struct table *table, u32 endpoint, u64 base, u16 output)
{
	u8 *node = put_node(table, 2, 24);

	put_le(node + 4, endpoint, 4);
	put_le(node + 8, base, 8);
	put_le(node + 16, output, 2);
	memset(node + 18, 0xa5, 6);
	return node - table->bytes;
}

/* What a walk says, from its first step to its last. */
struct step {
	int ret;
	size_t at;
	struct viommu_range range;
};

struct walk {
	int begin;
	unsigned int nr;
	struct step steps[TABLE_MAX / 4 + 2];
};

static void table_walk(const u8 *bytes, size_t size, struct walk *walk)
{
	struct viommu_table_cursor cursor;
	struct step *step;
	u8 *block = test_exact(bytes, size);

	walk->nr = 0;
	walk->begin = viommu_viot_begin(&cursor, block, size);
	while (!walk->begin) {
		/* A node takes four bytes at least, so there is an end. */
		ASSERT(walk->nr < ARRAY_SIZE(walk->steps));
		step = &walk->steps[walk->nr];
		/* Behind a bad node, the next one is not mixed with it. */
		memset(&step->range, 0x5a, sizeof(step->range));
		step->ret = viommu_viot_next(&cursor, &step->range);
		step->at = cursor.at;
		if (!step->ret)
			break;
		walk->nr++;
	}
	free(block);
}

static bool reference_iommu(const u8 *all, size_t size, unsigned int at, struct viommu_node *iommu)
{
	if (at < HEADER || at + 16 > size || get_le(all + at + 2, 2) < 16)
		return false;
	memset(iommu, 0, sizeof(*iommu));
	if (all[at] == 3) {
		iommu->transport = VIOMMU_TRANSPORT_PCI;
		iommu->segment = get_le(all + at + 4, 2);
		iommu->bdf = get_le(all + at + 6, 2);
	} else if (all[at] == 4) {
		iommu->transport = VIOMMU_TRANSPORT_MMIO;
		iommu->base = get_le(all + at + 8, 8);
	} else {
		return false;
	}
	return true;
}

static bool reference_range(const u8 *all, size_t size, unsigned int at,
			    struct viommu_range *range)
{
	memset(range, 0, sizeof(*range));
	if (get_le(all + at + 2, 2) < 24)
		return false;
	range->endpoint_start = get_le(all + at + 4, 4);
	if (all[at] == 1) {
		range->transport = VIOMMU_TRANSPORT_PCI;
		range->segment_start = get_le(all + at + 8, 2);
		range->segment_last = get_le(all + at + 10, 2);
		range->bdf_start = get_le(all + at + 12, 2);
		range->bdf_last = get_le(all + at + 14, 2);
	} else {
		range->transport = VIOMMU_TRANSPORT_MMIO;
		range->base = get_le(all + at + 8, 8);
	}
	if (range->segment_start > range->segment_last || range->bdf_start > range->bdf_last)
		return false;
	return range->endpoint_start + 0x10000ULL * (range->segment_last - range->segment_start) +
	       (range->bdf_last - range->bdf_start) <= U32_MAX &&
	       reference_iommu(all, size, get_le(all + at + 16, 2), &range->iommu);
}

static void reference(const u8 *bytes, size_t size, struct walk *walk)
{
	static u8 all[3 * 65536];
	size_t at, length;
	unsigned int left;

	memset(all, 0, sizeof(all));
	memcpy(all, bytes, size);
	walk->nr = 0;
	walk->begin = -EINVAL;
	if (size < HEADER || get_le(all + 4, 4) < HEADER || get_le(all + 38, 2) < HEADER)
		return;
	walk->begin = 0;
	if (size > get_le(all + 4, 4)) {
		size = get_le(all + 4, 4);
		memset(all + size, 0, sizeof(all) - size);
	}
	at = get_le(all + 38, 2);
	for (left = get_le(all + 36, 2); left; left--, at += length) {
		struct step *step = &walk->steps[walk->nr];

		length = get_le(all + at + 2, 2);
		if (at + 4 > size || length < 4 || at + length > size) {
			step->at = at;
			step->ret = -EINVAL;
			walk->nr++;
			return;
		}
		if (all[at] != 1 && all[at] != 2)
			continue;
		step->at = at;
		step->ret = reference_range(all, size, at, &step->range) ? 1 : -EBADMSG;
		walk->nr++;
	}
}

static void compare_ranges(const struct viommu_range *got,
			   const struct viommu_range *want)
{
	EXPECT_EQ(got->transport, want->transport);
	EXPECT_EQ(got->segment_start, want->segment_start);
	EXPECT_EQ(got->segment_last, want->segment_last);
	EXPECT_EQ(got->bdf_start, want->bdf_start);
	EXPECT_EQ(got->bdf_last, want->bdf_last);
	EXPECT_EQ(got->base, want->base);
	EXPECT_EQ(got->endpoint_start, want->endpoint_start);
	EXPECT_EQ(got->iommu.transport, want->iommu.transport);
	EXPECT_EQ(got->iommu.segment, want->iommu.segment);
	EXPECT_EQ(got->iommu.bdf, want->iommu.bdf);
	EXPECT_EQ(got->iommu.base, want->iommu.base);
}

/* Walks, compares with the reference, and leaves the steps in @got. */
static void compare(const u8 *bytes, size_t size, struct walk *got)
{
	static struct walk want;
	unsigned int i;

	test_subject(bytes, size);
	table_walk(bytes, size, got);
	reference(bytes, size, &want);
	EXPECT_EQ(got->begin, want.begin);
	EXPECT_EQ(got->nr, want.nr);
	for (i = 0; i < got->nr && i < want.nr; i++) {
		EXPECT_EQ(got->steps[i].ret, want.steps[i].ret);
		EXPECT_EQ(got->steps[i].at, want.steps[i].at);
		if (got->steps[i].ret == 1 && want.steps[i].ret == 1)
			compare_ranges(&got->steps[i].range, &want.steps[i].range);
	}
}

static struct walk walk;

static void table_check(const struct table *table)
{
	compare(table->bytes, table->size, &walk);
}

/* The steps' results, in order; @nr of them. */
static void expect_steps(const int *rets, unsigned int nr)
{
	unsigned int i;

	EXPECT_EQ(walk.begin, 0);
	EXPECT_EQ(walk.nr, nr);
	for (i = 0; i < nr && i < walk.nr; i++)
		EXPECT_EQ(walk.steps[i].ret, rets[i]);
}

#define EXPECT_STEPS(...)						\
	expect_steps((const int[]) { __VA_ARGS__ },			\
		     ARRAY_SIZE(((const int[]) { __VA_ARGS__ })))

/* A virtio-iommu of each kind, before and behind what refers to them. */
static void table_rich(struct table *table)
{
	u16 pci, mmio;

	table_begin(table);
	pci = put_iommu_pci(table, 1, 0x0208);
	put_range(table, 0x100, 0, 0, 0, 0xffff, pci);
	put_range(table, 0x10000000, 2, 5, 0x0100, 0x01ff, table->size + 24);
	mmio = put_iommu_mmio(table, 0x0123456789abc000);
	put_mmio(table, 0xfffffff0, 0xfedcba9876543000, mmio);
	put_node(table, 0x55, 12);
	put_mmio(table, 3, 0xa0000, pci);
}

static void test_literal(void)
{
	static const u8 little[] = {
		0x03, 0xa5, 0x10, 0,  0x01, 0, 0x08, 0x02,
		0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
		0x01, 0xa5, 0x18, 0,  0x44, 0x33, 0x22, 0x11,  0x66, 0x55, 0x88, 0x77,
		0x02, 0x01, 0x04, 0x03,  0x30, 0,  0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
	};
	const struct viommu_range want = {
		.transport = VIOMMU_TRANSPORT_PCI,
		.segment_start = 0x5566, .segment_last = 0x7788,
		.bdf_start = 0x0102, .bdf_last = 0x0304, .endpoint_start = 0x11223344,
		.iommu = { .transport = VIOMMU_TRANSPORT_PCI, .segment = 1, .bdf = 0x0208 },
	};
	struct table table;

	table_begin(&table);
	EXPECT_EQ(put_iommu_pci(&table, 1, 0x0208), 48);
	EXPECT_EQ(put_range(&table, 0x11223344, 0x5566, 0x7788, 0x0102, 0x0304, 48), 64);
#ifndef VIOMMU_SWAPPED
	EXPECT(!memcmp(table.bytes + HEADER, little, sizeof(little)));
	EXPECT(table.bytes[36] == 2 && !table.bytes[37]);
	EXPECT(table.bytes[38] == 48 && !table.bytes[39]);
	EXPECT(table.bytes[4] == 88 && !table.bytes[5] && !table.bytes[6] && !table.bytes[7]);
#else
	(void)little;
#endif
	table_check(&table);
	EXPECT_STEPS(1);
	EXPECT_EQ(walk.steps[0].at, 64);
	compare_ranges(&walk.steps[0].range, &want);
}

static void test_rich(void)
{
	struct table table;

	table_rich(&table);
	table_check(&table);
	EXPECT_STEPS(1, 1, 1, 1);

	EXPECT_EQ(walk.steps[0].range.endpoint_start, 0x100);
	EXPECT_EQ(walk.steps[0].range.bdf_last, 0xffff);
	EXPECT_EQ(walk.steps[0].range.iommu.transport, VIOMMU_TRANSPORT_PCI);
	EXPECT_EQ(walk.steps[0].range.iommu.segment, 1);
	EXPECT_EQ(walk.steps[0].range.iommu.bdf, 0x0208);

	EXPECT_EQ(walk.steps[1].range.segment_start, 2);
	EXPECT_EQ(walk.steps[1].range.segment_last, 5);
	EXPECT_EQ(walk.steps[1].range.iommu.transport, VIOMMU_TRANSPORT_MMIO);
	EXPECT_EQ(walk.steps[1].range.iommu.base, 0x0123456789abc000);

	EXPECT_EQ(walk.steps[2].range.transport, VIOMMU_TRANSPORT_MMIO);
	EXPECT_EQ(walk.steps[2].range.base, 0xfedcba9876543000);
	EXPECT_EQ(walk.steps[2].range.endpoint_start, 0xfffffff0);
	EXPECT_EQ(walk.steps[2].range.iommu.transport, VIOMMU_TRANSPORT_MMIO);

	EXPECT_EQ(walk.steps[3].range.base, 0xa0000);
	EXPECT_EQ(walk.steps[3].range.iommu.transport, VIOMMU_TRANSPORT_PCI);
}

static void test_no_nodes(void)
{
	struct table table;

	table_begin(&table);
	table_check(&table);
	EXPECT_EQ(walk.begin, 0);
	EXPECT_EQ(walk.nr, 0);
}

static void test_header_truncated(void)
{
	struct table table;
	size_t size;

	table_rich(&table);
	for (size = 0; size < HEADER; size++) {
		compare(table.bytes, size, &walk);
		EXPECT_EQ(walk.begin, -EINVAL);
	}
}

static void test_header_length(void)
{
	struct table table;
	unsigned int length;

	for (length = 0; length < HEADER; length++) {
		table_rich(&table);
		put_le(table.bytes + 4, length, 4);
		table_check(&table);
		EXPECT_EQ(walk.begin, -EINVAL);
	}
	/* Less than there is: the rest does not exist. More: neither. */
	for (length = HEADER; length < TABLE_MAX; length++) {
		table_rich(&table);
		put_le(table.bytes + 4, length, 4);
		table_check(&table);
	}
	table_rich(&table);
	put_le(table.bytes + 4, U32_MAX, 4);
	table_check(&table);
	EXPECT_STEPS(1, 1, 1, 1);
}

static void test_node_offset(void)
{
	struct table table;
	unsigned int offset;

	for (offset = 0; offset < 2 * TABLE_MAX; offset++) {
		table_rich(&table);
		put_le(table.bytes + 38, offset, 2);
		table_check(&table);
		EXPECT_EQ(walk.begin, offset < HEADER ? -EINVAL : 0);
	}
	table_rich(&table);
	put_le(table.bytes + 38, 0xffff, 2);
	table_check(&table);
	EXPECT_STEPS(-EINVAL);
}

/* The nodes begin where the header says, with anything between. */
static void test_gap(void)
{
	struct table table;
	u16 iommu;

	table_begin(&table);
	memset(table.bytes + HEADER, 0xff, 20);
	table.size += 20;
	iommu = put_iommu_mmio(&table, 0x1000);
	put_range(&table, 5, 0, 0, 0, 7, iommu);
	put_le(table.bytes + 38, HEADER + 20, 2);
	table_check(&table);
	EXPECT_STEPS(1);
	EXPECT_EQ(walk.steps[0].range.bdf_last, 7);
}

static void test_truncated(void)
{
	struct table table;
	size_t size;

	table_rich(&table);
	for (size = 0; size <= table.size; size++) {
		compare(table.bytes, size, &walk);
		if (size >= HEADER && size < table.size)
			EXPECT_EQ(walk.steps[walk.nr - 1].ret, -EINVAL);
	}
}

static void test_count(void)
{
	struct table table;
	unsigned int count;

	table_rich(&table);
	for (count = 0; count < 70; count++) {
		put_le(table.bytes + 36, count, 2);
		table_check(&table);
		/* Fewer: the rest is not looked at. More: the list is broken. */
		if (count <= table.nodes)
			EXPECT(!walk.nr || walk.steps[walk.nr - 1].ret == 1);
		else
			EXPECT_STEPS(1, 1, 1, 1, -EINVAL);
	}
	put_le(table.bytes + 36, 0xffff, 2);
	table_check(&table);
	EXPECT_STEPS(1, 1, 1, 1, -EINVAL);
}

static void test_node_length_broken(void)
{
	static const u16 lengths[] = { 0, 1, 2, 3, 25 + 24, 0x7fff, 0xfffe, 0xffff };
	struct table table;
	unsigned int i, type;

	for (type = 0; type < 6; type++) {
		for (i = 0; i < ARRAY_SIZE(lengths); i++) {
			u8 *node;
			u16 iommu;

			table_begin(&table);
			iommu = put_iommu_pci(&table, 0, 8);
			put_range(&table, 5, 0, 0, 0, 7, iommu);
			node = table.bytes + put_range(&table, 5, 0, 0, 0, 7, iommu);
			node[0] = type;
			put_le(node + 2, lengths[i], 2);
			put_range(&table, 6, 0, 0, 0, 7, iommu);
			table_check(&table);
			EXPECT_STEPS(1, -EINVAL);
			EXPECT_EQ(walk.steps[1].at, node - table.bytes);
		}
	}
}

/* A node that is too short for its type: that one is bad, the next one is not. */
static void test_node_length_short(void)
{
	struct table table;
	unsigned int type, length;

	for (type = 1; type <= 2; type++) {
		for (length = 4; length < 24; length++) {
			u16 iommu;
			u8 *node;

			table_begin(&table);
			iommu = put_iommu_pci(&table, 0, 8);
			node = put_node(&table, type, length);
			if (length >= 18)
				put_le(node + 16, iommu, 2);
			put_range(&table, 6, 0, 0, 0, 7, iommu);
			table_check(&table);
			EXPECT_STEPS(-EBADMSG, 1);
			EXPECT_EQ(walk.steps[1].range.endpoint_start, 6);
		}
	}
}

/* A later version's node may be longer. */
static void test_node_length_long(void)
{
	struct table table;
	u16 iommu;
	u8 *node;

	table_begin(&table);
	iommu = put_node(&table, 3, 20) - table.bytes;
	node = put_node(&table, 1, 31);
	put_le(node + 16, iommu, 2);
	put_mmio(&table, 9, 0x1000, iommu);
	table_check(&table);
	EXPECT_STEPS(1, 1);
	EXPECT_EQ(walk.steps[1].range.endpoint_start, 9);
}

static void test_iommu_short(void)
{
	struct table table;
	unsigned int type, length;

	for (type = 3; type <= 4; type++) {
		for (length = 0; length <= 17; length++) {
			table_begin(&table);
			put_range(&table, 5, 0, 0, 0, 7, HEADER + 24);
			put_node(&table, type, 16);
			put_le(table.bytes + HEADER + 24 + 2, length, 2);
			table.nodes = 1;
			table_seal(&table);
			table_check(&table);
			EXPECT_STEPS(length < 16 ? -EBADMSG : 1);
		}
	}
}

/* A virtio-iommu at the very end: read if whole, never past the end. */
static void test_iommu_at_end(void)
{
	struct table table;
	unsigned int type, cut;

	for (type = 3; type <= 4; type++) {
		for (cut = 0; cut <= 16; cut++) {
			table_begin(&table);
			put_range(&table, 5, 0, 0, 0, 7, HEADER + 24);
			put_node(&table, type, 16);
			table.size -= cut;
			table.nodes = 1;
			table_seal(&table);
			table_check(&table);
			EXPECT_STEPS(cut ? -EBADMSG : 1);
		}
	}
}

/* Every reference there can be, the header, the node itself and others included. */
static void test_output_node(void)
{
	struct table table;
	unsigned int output, kind;

	for (kind = 0; kind < 2; kind++) {
		for (output = 0; output < 65536; output += output < 2 * TABLE_MAX ? 1 : 97) {
			u16 iommu;

			table_begin(&table);
			iommu = put_iommu_mmio(&table, 0x1000);
			/* The first one's reserved bytes could pass for a node. */
			memset(table.bytes + iommu + 4, 0, 4);
			if (kind)
				put_mmio(&table, 5, 0x2000, output);
			else
				put_range(&table, 5, 0, 0, 0, 7, output);
			put_range(&table, 5, 0, 0, 0, 7, iommu);
			table_check(&table);
			EXPECT_STEPS(output == iommu ? 1 : -EBADMSG, 1);
		}
	}
}

static void test_inverted(void)
{
	static const struct {
		u16 segment_start, segment_last, bdf_start, bdf_last;
		int ret;
	} ranges[] = {
		{ 0, 0, 0, 0, 1 }, { 0, 0xfffe, 0, 0xffff, 1 },
		{ 0xffff, 0xffff, 0xffff, 0xffff, 1 },
		{ 0, 0, 1, 0, -EBADMSG }, { 0, 0, 0xffff, 0xfffe, -EBADMSG },
		{ 1, 0, 0, 0, -EBADMSG }, { 0xffff, 0, 0, 0xffff, -EBADMSG },
		{ 0, 5, 8, 7, -EBADMSG },
	};
	struct table table;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		u16 iommu;

		table_begin(&table);
		iommu = put_iommu_mmio(&table, 0x1000);
		put_range(&table, 5, ranges[i].segment_start, ranges[i].segment_last,
			  ranges[i].bdf_start, ranges[i].bdf_last, iommu);
		put_range(&table, 6, 0, 0, 0, 7, iommu);
		table_check(&table);
		EXPECT_STEPS(ranges[i].ret, 1);
	}
}

/* The last endpoint ID of a range has 32 bits, or the node is bad. */
static void test_endpoint_overflow(void)
{
	static const struct {
		u32 endpoint;
		u16 segment_start, segment_last, bdf_start, bdf_last;
		int ret;
	} ranges[] = {
		{ 0, 0, 0xffff, 0, 0xffff, 1 }, { 1, 0, 0xffff, 0, 0xffff, -EBADMSG },
		{ 1, 0, 0xffff, 0, 0xfffe, 1 }, { 1, 0, 0xffff, 1, 0xffff, 1 },
		{ 0xffffffff, 7, 7, 9, 9, 1 }, { 0xffffffff, 7, 7, 9, 10, -EBADMSG },
		{ 0xffffffff, 7, 8, 9, 9, -EBADMSG }, { 0xfffeffff, 7, 8, 9, 9, 1 },
		{ 0xffff0000, 0, 0, 0, 0xffff, 1 }, { 0xffff0001, 0, 0, 0, 0xffff, -EBADMSG },
		{ 0x80000000, 0, 0x8000, 0, 0, -EBADMSG },
	};
	struct table table;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		u16 iommu;

		table_begin(&table);
		iommu = put_iommu_mmio(&table, 0x1000);
		put_range(&table, ranges[i].endpoint, ranges[i].segment_start,
			  ranges[i].segment_last, ranges[i].bdf_start, ranges[i].bdf_last, iommu);
		put_mmio(&table, 0xffffffff, 0x2000, iommu);
		table_check(&table);
		EXPECT_STEPS(ranges[i].ret, 1);
	}
}

/* A broken list ends the walk for good; so does its end. */
static void test_over(void)
{
	struct viommu_table_cursor cursor;
	struct viommu_range range;
	struct table table;
	u8 *block;

	table_begin(&table);
	put_node(&table, 1, 4);
	put_le(table.bytes + HEADER + 2, 3, 2);
	block = test_exact(table.bytes, table.size);
	ASSERT(viommu_viot_begin(&cursor, block, table.size) == 0);
	EXPECT_EQ(viommu_viot_next(&cursor, &range), -EINVAL);
	EXPECT_EQ(cursor.at, HEADER);
	EXPECT_EQ(viommu_viot_next(&cursor, &range), 0);
	EXPECT_EQ(viommu_viot_next(&cursor, &range), 0);
	free(block);

	table_begin(&table);
	put_range(&table, 6, 0, 0, 0, 7, 0);
	block = test_exact(table.bytes, table.size);
	ASSERT(viommu_viot_begin(&cursor, block, table.size) == 0);
	EXPECT_EQ(viommu_viot_next(&cursor, &range), -EBADMSG);
	EXPECT_EQ(viommu_viot_next(&cursor, &range), 0);
	EXPECT_EQ(viommu_viot_next(&cursor, &range), 0);
	free(block);
}

static void test_random_mutations(void)
{
	unsigned long round, steps = 0;
	struct table table;

	for (round = 0; round < test_rounds(60000); round++) {
		unsigned int i, nr = 1 + test_below(4);
		size_t size;

		table_rich(&table);
		size = table.size;
		for (i = 0; i < nr; i++) {
			/* Half of them where the structure is. */
			size_t at = test_below(2) ? 36 + test_below(4) :
				    HEADER + test_below(size - HEADER);

			if (!test_below(3))
				put_le(table.bytes + (at & ~1UL), test_below(size + 4), 2);
			else
				table.bytes[at] = test_below(2) ? test_below(6) : test_random();
		}
		if (!test_below(4))
			size = test_below(size + 1);
		compare(table.bytes, size, &walk);
		steps += walk.nr;
	}
	EXPECT(steps > round);
}

static void test_random_tables(void)
{
	unsigned long round;

	for (round = 0; round < test_rounds(60000); round++) {
		size_t i, size = HEADER + test_below(128);
		struct table table;

		table_begin(&table);
		for (i = HEADER; i < size; i++)
			table.bytes[i] = test_below(3) ? test_below(5) : test_below(96);
		put_le(table.bytes + 4, size, 4);
		put_le(table.bytes + 36, test_below(20), 2);
		compare(table.bytes, size, &walk);
	}
}

static void test_endpoint(void)
{
	const struct viommu_range range = {
		.transport = VIOMMU_TRANSPORT_PCI,
		.segment_start = 2, .segment_last = 4, .bdf_start = 0x10, .bdf_last = 0x1f,
		.endpoint_start = 0x1000,
	};
	u32 endpoint;

	EXPECT(viommu_range_pci_endpoint(&range, 2, 0x10, &endpoint));
	EXPECT_EQ(endpoint, 0x1000);
	EXPECT(viommu_range_pci_endpoint(&range, 2, 0x1f, &endpoint));
	EXPECT_EQ(endpoint, 0x100f);
	EXPECT(viommu_range_pci_endpoint(&range, 4, 0x1f, &endpoint));
	EXPECT_EQ(endpoint, 0x2100f);
	EXPECT(viommu_range_pci_endpoint(&range, 3, 0x10, &endpoint));
	EXPECT_EQ(endpoint, 0x11000);

	endpoint = 77;
	EXPECT(!viommu_range_pci_endpoint(&range, 1, 0x10, &endpoint));
	EXPECT(!viommu_range_pci_endpoint(&range, 5, 0x10, &endpoint));
	EXPECT(!viommu_range_pci_endpoint(&range, 2, 0x0f, &endpoint));
	EXPECT(!viommu_range_pci_endpoint(&range, 2, 0x20, &endpoint));
	EXPECT_EQ(endpoint, 77);
}

static void test_endpoint_edges(void)
{
	struct viommu_range range = {
		.transport = VIOMMU_TRANSPORT_PCI,
		.segment_last = 0xffff, .bdf_last = 0xffff,
	};
	u32 endpoint;

	EXPECT(viommu_range_pci_endpoint(&range, 0, 0, &endpoint));
	EXPECT_EQ(endpoint, 0);
	EXPECT(viommu_range_pci_endpoint(&range, 0x8000, 0, &endpoint));
	EXPECT_EQ(endpoint, 0x80000000);
	EXPECT(viommu_range_pci_endpoint(&range, 0xffff, 0xffff, &endpoint));
	EXPECT_EQ(endpoint, U32_MAX);
	range.bdf_start = 0xffff;
	EXPECT(viommu_range_pci_endpoint(&range, 1, 0xffff, &endpoint));
	EXPECT_EQ(endpoint, 0x10000);
}

/* An MMIO endpoint's range has zeroes for segments and functions. */
static void test_endpoint_mmio(void)
{
	const struct viommu_range range = {
		.transport = VIOMMU_TRANSPORT_MMIO, .base = 0x1000, .endpoint_start = 3,
	};
	u32 endpoint;

	EXPECT(!viommu_range_pci_endpoint(&range, 0, 0, &endpoint));
}

static void test_random_endpoints(void)
{
	unsigned long round, inside = 0;

	for (round = 0; round < test_rounds(200000); round++) {
		const struct viommu_range range = {
			.transport = VIOMMU_TRANSPORT_PCI,
			.segment_start = test_edge(), .segment_last = test_edge(),
			.bdf_start = test_edge(), .bdf_last = test_edge(),
			.endpoint_start = test_edge(),
		};
		u64 segment = (u16)(range.segment_start + test_edge());
		u64 bdf = (u16)(range.bdf_start + test_edge());
		bool want = segment >= range.segment_start && segment <= range.segment_last &&
			    bdf >= range.bdf_start && bdf <= range.bdf_last;
		u32 endpoint;

		EXPECT_EQ(viommu_range_pci_endpoint(&range, segment, bdf, &endpoint), want);
		if (!want)
			continue;
		inside++;
		EXPECT_EQ(endpoint, (u32)((segment - range.segment_start) * 0x10000 +
					  (bdf - range.bdf_start) + range.endpoint_start));
	}
	EXPECT(inside > round / 20);
}

static const struct test_case cases[] = {
	{ "a table, byte by byte", test_literal },
	{ "all kinds of nodes, several segments, references both ways", test_rich },
	{ "a table without nodes", test_no_nodes },
	{ "a truncated header", test_header_truncated },
	{ "the header's length is below, within and above the table", test_header_length },
	{ "every offset of the first node", test_node_offset },
	{ "a gap between header and nodes", test_gap },
	{ "truncation at every byte", test_truncated },
	{ "fewer and more nodes than the header says", test_count },
	{ "node lengths 0 to 3 and past the end break the list", test_node_length_broken },
	{ "a node that is too short for its type is skipped", test_node_length_short },
	{ "a node that is longer than its type is read", test_node_length_long },
	{ "a virtio-iommu's node that is too short", test_iommu_short },
	{ "a virtio-iommu's node at the end of the table", test_iommu_at_end },
	{ "every reference: header, itself, another range, past the end", test_output_node },
	{ "inverted ranges are skipped", test_inverted },
	{ "endpoint IDs of more than 32 bits are skipped", test_endpoint_overflow },
	{ "the walk stays at its end", test_over },
	{ "random mutations of a good table against a reference", test_random_mutations },
	{ "random tables against a reference", test_random_tables },
	{ "endpoint IDs of functions", test_endpoint },
	{ "endpoint IDs at the extremes", test_endpoint_edges },
	{ "an MMIO endpoint is no function", test_endpoint_mmio },
	{ "random endpoint IDs", test_random_endpoints },
};

TEST_SUITE(viot, cases);
