// SPDX-License-Identifier: GPL-2.0
/*
 * viot.c: good tables, and what firmware could do to them. The reference is a
 * second reader, written from the table in the specification. What does not
 * depend on the kinds of nodes is tested in test_table.c.
 */
#include "walk.h"

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

static void reference(const u8 *all, size_t size, size_t at, u32 left, struct walk *want)
{
	for (; left; left--, at += get_le(all + at + 2, 2)) {
		struct viommu_range range;

		if (!walk_node(&viot_kind, all, size, at)) {
			walk_step(want, at, -EINVAL);
			return;
		}
		if (all[at] != 1 && all[at] != 2)
			continue;
		if (reference_range(all, size, at, &range))
			walk_step(want, at, 1)->range = range;
		else
			walk_step(want, at, -EBADMSG);
	}
}

const struct reader viot_reader = {
	.kind = &viot_kind,
	.begin = viommu_viot_begin,
	.next = viommu_viot_next,
	.reference = reference,
	.rich = viot_rich,
};

static void table_check(const struct table *table)
{
	walk_table(&viot_reader, table);
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

	table_begin(&table, &viot_kind);
	EXPECT_EQ(viot_iommu_pci(&table, 1, 0x0208), 48);
	EXPECT_EQ(viot_range(&table, 0x11223344, 0x5566, 0x7788, 0x0102, 0x0304, 48), 64);
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
	expect_range(&walk.steps[0].range, &want);
}

static void test_rich(void)
{
	struct table table;

	viot_rich(&table);
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

/* A node that is too short for its type: that one is bad, the next one is not. */
static void test_node_length_short(void)
{
	struct table table;
	unsigned int type, length;

	for (type = 1; type <= 2; type++) {
		for (length = 4; length < 24; length++) {
			u16 iommu;
			u8 *node;

			table_begin(&table, &viot_kind);
			iommu = viot_iommu_pci(&table, 0, 8);
			node = table_node(&table, type, length);
			if (length >= 18)
				put_le(node + 16, iommu, 2);
			viot_range(&table, 6, 0, 0, 0, 7, iommu);
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

	table_begin(&table, &viot_kind);
	iommu = table_node(&table, 3, 20) - table.bytes;
	node = table_node(&table, 1, 31);
	put_le(node + 16, iommu, 2);
	viot_mmio(&table, 9, 0x1000, iommu);
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
			table_begin(&table, &viot_kind);
			viot_range(&table, 5, 0, 0, 0, 7, HEADER + 24);
			table_node(&table, type, 16);
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
			table_begin(&table, &viot_kind);
			viot_range(&table, 5, 0, 0, 0, 7, HEADER + 24);
			table_node(&table, type, 16);
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

			table_begin(&table, &viot_kind);
			iommu = viot_iommu_mmio(&table, 0x1000);
			/* The first one's reserved bytes could pass for a node. */
			memset(table.bytes + iommu + 4, 0, 4);
			if (kind)
				viot_mmio(&table, 5, 0x2000, output);
			else
				viot_range(&table, 5, 0, 0, 0, 7, output);
			viot_range(&table, 5, 0, 0, 0, 7, iommu);
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

		table_begin(&table, &viot_kind);
		iommu = viot_iommu_mmio(&table, 0x1000);
		viot_range(&table, 5, ranges[i].segment_start, ranges[i].segment_last,
			   ranges[i].bdf_start, ranges[i].bdf_last, iommu);
		viot_range(&table, 6, 0, 0, 0, 7, iommu);
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

		table_begin(&table, &viot_kind);
		iommu = viot_iommu_mmio(&table, 0x1000);
		viot_range(&table, ranges[i].endpoint, ranges[i].segment_start,
			   ranges[i].segment_last, ranges[i].bdf_start, ranges[i].bdf_last, iommu);
		viot_mmio(&table, 0xffffffff, 0x2000, iommu);
		table_check(&table);
		EXPECT_STEPS(ranges[i].ret, 1);
	}
}

static void test_random_tables(void)
{
	unsigned long round;

	for (round = 0; round < test_rounds(60000); round++) {
		size_t i, size = HEADER + test_below(128);
		struct table table;

		table_begin(&table, &viot_kind);
		for (i = HEADER; i < size; i++)
			table.bytes[i] = test_below(3) ? test_below(5) : test_below(96);
		put_le(table.bytes + 4, size, 4);
		put_le(table.bytes + 36, test_below(20), 2);
		walk_bytes(&viot_reader, table.bytes, size);
	}
}

static const struct test_case cases[] = {
	{ "a table, byte by byte", test_literal },
	{ "all kinds of nodes, several segments, references both ways", test_rich },
	{ "a node that is too short for its type is skipped", test_node_length_short },
	{ "a node that is longer than its type is read", test_node_length_long },
	{ "a virtio-iommu's node that is too short", test_iommu_short },
	{ "a virtio-iommu's node at the end of the table", test_iommu_at_end },
	{ "every reference: header, itself, another range, past the end", test_output_node },
	{ "inverted ranges are skipped", test_inverted },
	{ "endpoint IDs of more than 32 bits are skipped", test_endpoint_overflow },
	{ "random tables against a reference", test_random_tables },
};

TEST_SUITE(viot, cases);
