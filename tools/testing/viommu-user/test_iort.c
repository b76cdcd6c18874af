// SPDX-License-Identifier: GPL-2.0
/*
 * iort.c: good tables, and what firmware could do to them. The reference is a
 * second reader, written from the tables in the specification. What does not
 * depend on the kinds of nodes is tested in test_table.c.
 */
#include "walk.h"

static bool reference_iommu(const u8 *all, u64 at, struct viommu_node *iommu)
{
	u64 model = get_le(all + at + 32, 4);

	memset(iommu, 0, sizeof(*iommu));
	if (model == 0) {
		iommu->transport = VIOMMU_TRANSPORT_MMIO;
		iommu->base = get_le(all + at + 16, 8);
		return true;
	}
	iommu->transport = VIOMMU_TRANSPORT_PCI;
	iommu->bdf = get_le(all + at + 16, 4);
	return model == 1 && get_le(all + at + 16, 4) < 65536;
}

/* Tries every requester ID there is, from the last to the first. */
static bool reference_functions(const u8 *mapping, struct viommu_range *range)
{
	u64 first = get_le(mapping, 4), count = get_le(mapping + 4, 4) + 1;
	u64 base = get_le(mapping + 8, 4);
	bool any = false;
	s64 rid;

	for (rid = 0xffff; rid >= 0; rid--) {
		if ((u64)rid < first || (u64)rid >= first + count)
			continue;
		if (!any)
			range->bdf_last = rid;
		any = true;
		range->bdf_start = rid;
		if (base + rid - first > U32_MAX)
			return false;
	}
	range->endpoint_start = base;
	return any;
}

/* Return: 1, 0 or -EBADMSG, as viommu_iort_next() has it. */
static int reference_mapping(const u8 *all, u64 size, u64 at, struct viommu_range *range)
{
	u64 to = get_le(all + at + 12, 4);

	if (to < HEADER || to + 16 > size || get_le(all + to + 1, 2) < 16)
		return -EBADMSG;
	if (all[to] != 0x80)
		return 0;
	if (get_le(all + at + 16, 4) % 2 || to + 56 > size || get_le(all + to + 1, 2) < 56)
		return -EBADMSG;
	return reference_iommu(all, to, &range->iommu) &&
	       reference_functions(all + at, range) ? 1 : -EBADMSG;
}

static void reference_root_complex(const u8 *all, u64 size, u64 at, struct walk *want)
{
	u64 length = get_le(all + at + 1, 2), count = get_le(all + at + 8, 4);
	u64 offset = get_le(all + at + 12, 4), segment = get_le(all + at + 28, 4), i;

	if (length < 32 || (count && (offset < 32 || offset + count * 20 > length ||
				      segment > 0xffff))) {
		walk_step(want, at, -EBADMSG);
		return;
	}
	for (i = 0; i < count; i++) {
		struct viommu_range range = {
			.transport = VIOMMU_TRANSPORT_PCI,
			.segment_start = segment, .segment_last = segment,
		};
		u64 mapping = at + offset + 20 * i;
		int ret = reference_mapping(all, size, mapping, &range);

		if (ret)
			walk_step(want, mapping, ret)->range = range;
	}
}

static void reference(const u8 *all, size_t size, size_t at, u32 left, struct walk *want)
{
	for (; left; left--, at += get_le(all + at + 1, 2)) {
		if (!walk_node(&iort_kind, all, size, at)) {
			walk_step(want, at, -EINVAL);
			return;
		}
		if (all[at] == 2)
			reference_root_complex(all, size, at, want);
	}
}

const struct reader iort_reader = {
	.kind = &iort_kind,
	.begin = viommu_iort_begin,
	.next = viommu_iort_next,
	.reference = reference,
	.rich = iort_rich,
};

static void table_check(const struct table *table)
{
	walk_table(&iort_reader, table);
}

/* The table to which the tests add what is of interest, and a good range last. */
static u32 simple_begin(struct table *table)
{
	u32 iommu;

	table_begin(table, &iort_kind);
	iommu = iort_paravirt_pci(table, 8);
	iort_root_complex(table, 3);
	return iommu;
}

static void simple_end(struct table *table, u32 iommu)
{
	iort_root_complex(table, 4);
	iort_mapping(table, 0x77, 0, 0x77, iommu, 0);
	table_check(table);
}

static void test_literal(void)
{
	static const u8 little[] = {
		/* 48: a paravirtualised IOMMU */
		0x80, 0x38, 0, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,  0, 0, 0, 0,  0x38, 0, 0, 0,
		0x08, 0x02, 0, 0, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
		0xa5, 0xa5, 0xa5, 0xa5, 0x01, 0, 0, 0, 0xa5, 0xa5, 0xa5, 0xa5,
		0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
		0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
		/* 104: a root complex */
		0x02, 0x38, 0, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,  1, 0, 0, 0,  0x24, 0, 0, 0,
		0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5,
		0x66, 0x55, 0, 0,  0xa5, 0xa5, 0xa5, 0xa5,
		/* 140: its mapping */
		0x02, 0x01, 0, 0,  0x02, 0x02, 0, 0,  0x44, 0x33, 0x22, 0x11,
		0x30, 0, 0, 0,  0xfe, 0xff, 0xff, 0xff,
	};
	const struct viommu_range want = {
		.transport = VIOMMU_TRANSPORT_PCI,
		.segment_start = 0x5566, .segment_last = 0x5566,
		.bdf_start = 0x0102, .bdf_last = 0x0304, .endpoint_start = 0x11223344,
		.iommu = { .transport = VIOMMU_TRANSPORT_PCI, .bdf = 0x0208 },
	};
	struct table table;

	table_begin(&table, &iort_kind);
	EXPECT_EQ(iort_paravirt_pci(&table, 0x0208), 48);
	EXPECT_EQ(iort_root_complex(&table, 0x5566), 104);
	EXPECT_EQ(iort_mapping(&table, 0x0102, 0x0202, 0x11223344, 48, ~1U), 140);
#ifndef VIOMMU_SWAPPED
	EXPECT(!memcmp(table.bytes + HEADER, little, sizeof(little)));
	EXPECT(!memcmp(table.bytes + 36, "\2\0\0\0\60\0\0\0", 8));
	EXPECT(table.bytes[4] == 160 && !table.bytes[5] && !table.bytes[6] && !table.bytes[7]);
#else
	(void)little;
#endif
	table_check(&table);
	EXPECT_STEPS(1);
	EXPECT_EQ(walk.steps[0].at, 140);
	expect_range(&walk.steps[0].range, &want);
}

static void test_rich(void)
{
	struct table table;

	iort_rich(&table);
	table_check(&table);
	EXPECT_STEPS(1, 1, 1, 1);

	EXPECT_EQ(walk.steps[0].range.segment_last, 0);
	EXPECT_EQ(walk.steps[0].range.bdf_start, 0);
	EXPECT_EQ(walk.steps[0].range.bdf_last, 7);
	EXPECT_EQ(walk.steps[0].range.iommu.transport, VIOMMU_TRANSPORT_PCI);
	EXPECT_EQ(walk.steps[0].range.iommu.segment, 0);
	EXPECT_EQ(walk.steps[0].range.iommu.bdf, 8);

	EXPECT_EQ(walk.steps[1].range.bdf_start, 9);
	EXPECT_EQ(walk.steps[1].range.bdf_last, 0xffff);
	EXPECT_EQ(walk.steps[1].range.endpoint_start, 9);

	EXPECT_EQ(walk.steps[2].range.segment_start, 0xffff);
	EXPECT_EQ(walk.steps[2].range.bdf_start, 0x0200);
	EXPECT_EQ(walk.steps[2].range.bdf_last, 0x02ff);
	EXPECT_EQ(walk.steps[2].range.endpoint_start, 0x12345600);
	EXPECT_EQ(walk.steps[2].range.iommu.transport, VIOMMU_TRANSPORT_MMIO);
	EXPECT_EQ(walk.steps[2].range.iommu.base, 0x0123456789abc000);

	EXPECT_EQ(walk.steps[3].range.bdf_start, 0x0100);
	EXPECT_EQ(walk.steps[3].range.endpoint_start, 0xfffffff0);
}

/* Machines without a virtio-iommu have such tables: not a word about them. */
static void test_others(void)
{
	struct table table;
	u32 its, smmu;

	table_begin(&table, &iort_kind);
	its = iort_its(&table);
	smmu = iort_smmu(&table);
	iort_mapping(&table, 0, 0xffff, 0, its, 0);
	iort_root_complex(&table, 0);
	iort_mapping(&table, 0, 0xffff, 0, smmu, 0);
	iort_mapping(&table, 0, 0, 0, smmu, 1);
	iort_mapping(&table, 0x10000, U32_MAX, U32_MAX, its, 0);
	iort_root_complex(&table, 1);
	table_check(&table);
	EXPECT_STEPS();
}

/* Every length of a root complex's node without mappings, then with one. */
static void test_root_complex_length(void)
{
	struct table table;
	unsigned int length;

	for (length = 16; length < 100; length++) {
		u32 iommu;
		u8 *node;

		table_begin(&table, &iort_kind);
		iommu = iort_paravirt_pci(&table, 8);
		node = table_node(&table, 2, length);
		simple_end(&table, iommu);
		if (length < 32)
			EXPECT_STEPS(-EBADMSG, 1);
		else
			EXPECT_STEPS(1);

		put_le(node + 8, 1, 4);
		put_le(node + 12, length - 20, 4);
		if (length >= 32)
			put_le(node + length - 20 + 12, iommu, 4);
		table_check(&table);
		EXPECT_STEPS(length < 52 ? -EBADMSG : 1, 1);
		EXPECT_EQ(walk.steps[0].at, node - table.bytes + (length < 52 ? 0 : length - 20));
	}
}

/* Every place of the mappings: before them, within them, past the node. */
static void test_mapping_offset(void)
{
	static const u32 far[] = { 0x7fff, 0xffff, 0x10000 + 36, 0x7fffffff, 0x80000000,
				   0xfffffff0, 0xffffffff };
	struct table table;
	unsigned int i;

	for (i = 0; i < 200 + ARRAY_SIZE(far); i++) {
		u32 offset = i < 200 ? i : far[i - 200], iommu = simple_begin(&table);
		u8 *node = table.last;

		iort_mapping(&table, 0, 0, 0, iommu, 0);
		iort_mapping(&table, 1, 0, 1, iommu, 0);
		put_le(node + 12, offset, 4);
		simple_end(&table, iommu);
		EXPECT_EQ(walk.steps[walk.nr - 1].ret, 1);
		if (offset < 32 || offset > 36) {
			EXPECT_STEPS(-EBADMSG, 1);
			EXPECT_EQ(walk.steps[0].at, node - table.bytes);
		} else if (offset == 36) {
			EXPECT_STEPS(1, 1, 1);
		}
	}
}

/* More mappings than the node has room for; fewer. */
static void test_mapping_count(void)
{
	static const u32 counts[] = { 0, 1, 2, 3, 4, 0xffff, 0x10000, 214748365, 0x0ccccccd,
				      0x33333334, 0x66666667, 0x7fffffff, 0x80000000,
				      0xcccccccd, 0xffffffff };
	struct table table;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		u32 iommu = simple_begin(&table);
		u8 *node = table.last;

		iort_mapping(&table, 0, 0, 0, iommu, 0);
		iort_mapping(&table, 1, 0, 1, iommu, 0);
		put_le(node + 8, counts[i], 4);
		simple_end(&table, iommu);
		if (counts[i] == 0)
			EXPECT_STEPS(1);
		else if (counts[i] == 1)
			EXPECT_STEPS(1, 1);
		else if (counts[i] == 2)
			EXPECT_STEPS(1, 1, 1);
		else
			EXPECT_STEPS(-EBADMSG, 1);
	}
}

/* Nodes without mappings: where those would be does not matter, nor the segment. */
static void test_no_mappings(void)
{
	struct table table;
	u32 iommu = simple_begin(&table);

	put_le(table.last + 12, 0xffffffff, 4);
	put_le(table.last + 28, 0xffffffff, 4);
	simple_end(&table, iommu);
	EXPECT_STEPS(1);
}

static void test_segment(void)
{
	static const u32 segments[] = { 0, 1, 0xff, 0xffff, 0x10000, 0x10003, 0xffffffff };
	struct table table;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		u32 iommu = simple_begin(&table);

		put_le(table.last + 28, segments[i], 4);
		iort_mapping(&table, 0, 0, 0, iommu, 0);
		iort_mapping(&table, 1, 0, 1, iommu, 0);
		simple_end(&table, iommu);
		if (segments[i] > 0xffff)
			EXPECT_STEPS(-EBADMSG, 1);
		else
			EXPECT_STEPS(1, 1, 1);
	}
}

/* Every reference there can be; the good one works, what hits other nodes is skipped. */
static void test_output_reference(void)
{
	static const u32 far[] = { 0xffff, 0x10000 + HEADER, 0x7fffffff, 0xffffffd0, 0xfffffff0,
				   0xffffffff };
	struct table table;
	unsigned int i;

	for (i = 0; i < 2 * TABLE_MAX + ARRAY_SIZE(far); i++) {
		u32 to = i < 2 * TABLE_MAX ? i : far[i - 2 * TABLE_MAX];
		u32 iommu = simple_begin(&table);
		u32 mapping = iort_mapping(&table, 0, 0, 0, to, 0);

		simple_end(&table, iommu);
		EXPECT_EQ(walk.steps[walk.nr - 1].ret, 1);
		EXPECT_EQ(walk.steps[walk.nr - 1].range.segment_start, 4);
		if (to < HEADER || to + 16ULL > table.size) {
			EXPECT_STEPS(-EBADMSG, 1);
			EXPECT_EQ(walk.steps[0].at, mapping);
		} else if (to == iommu) {
			EXPECT_STEPS(1, 1);
		} else {
			EXPECT(walk.nr == 1 || walk.steps[0].ret == -EBADMSG);
		}
	}
}

/* A node of our type that is no virtio-iommu that can be found. */
static void test_paravirt_bad(void)
{
	static const struct {
		unsigned int at, width;
		u64 value;
		int ret;
	} changes[] = {
		{ 1, 2, 55, -EBADMSG }, { 1, 2, 16, -EBADMSG }, { 1, 2, 15, -EBADMSG },
		{ 1, 2, 0, -EBADMSG }, { 1, 2, 57, 1 }, { 1, 2, 0xffff, 1 },
		{ 32, 4, 2, -EBADMSG }, { 32, 4, 0x101, -EBADMSG },
		{ 32, 4, 0x80000001, -EBADMSG }, { 32, 4, 0xffffffff, -EBADMSG },
		{ 16, 4, 0xffff, 1 }, { 16, 4, 0x10000, -EBADMSG },
		{ 16, 4, 0x10008, -EBADMSG }, { 16, 4, 0xffffffff, -EBADMSG },
		{ 8, 4, 0xffffffff, 1 }, { 12, 4, 0xffffffff, 1 }, { 36, 4, 0, 1 },
	};
	struct table table;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		u32 good, iommu;

		good = simple_begin(&table);
		iommu = table.size + 20 + 36 + 20;
		iort_mapping(&table, 0, 0, 0, iommu, 0);
		simple_end(&table, good);
		iort_paravirt_pci(&table, 16);
		put_le(table.bytes + iommu + changes[i].at, changes[i].value, changes[i].width);
		/* The list need not mention it. */
		table.nodes--;
		table_seal(&table);
		table_check(&table);
		EXPECT_STEPS(changes[i].ret, 1);
	}
}

/* A virtio-iommu at the very end: read if whole, never past the end. */
static void test_paravirt_at_end(void)
{
	struct table table;
	unsigned int cut;

	for (cut = 0; cut <= 56; cut++) {
		table_begin(&table, &iort_kind);
		iort_root_complex(&table, 0);
		iort_mapping(&table, 0, 0, 0, table.size + 20, 0);
		iort_paravirt_mmio(&table, 0x1000);
		table.nodes--;
		table.size -= cut;
		table_seal(&table);
		table_check(&table);
		EXPECT_STEPS(cut ? -EBADMSG : 1);
	}
}

/* Only the one bit that is defined counts. */
static void test_single_mapping(void)
{
	struct table table;
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		u32 iommu = simple_begin(&table);

		iort_mapping(&table, 0, 0, 0, iommu, 1U << bit);
		simple_end(&table, iommu);
		EXPECT_STEPS(bit ? 1 : -EBADMSG, 1);
	}
}

static void test_requester_ids(void)
{
	static const struct {
		u32 input, count, output;
		int ret;
		u16 last;
	} mappings[] = {
		{ 0, 0, 0, 1, 0 }, { 0, 0xffff, 0, 1, 0xffff },
		{ 0, 0x10000, 0, 1, 0xffff }, { 0, 0xffffffff, 0, 1, 0xffff },
		{ 9, 0xfff6, 9, 1, 0xffff }, { 9, 0xfff7, 9, 1, 0xffff },
		{ 0xffff, 0, 0, 1, 0xffff }, { 0xffff, 0xffffffff, 0, 1, 0xffff },
		{ 0x1234, 0xffffedcb, 0, 1, 0xffff }, { 0x1234, 0xffffedcc, 0, 1, 0xffff },
		{ 0x10000, 0, 0, -EBADMSG, 0 }, { 0x10000, 0xffffffff, 0, -EBADMSG, 0 },
		{ 0xffffffff, 0, 0, -EBADMSG, 0 }, { 0xffffffff, 1, 0, -EBADMSG, 0 },
		{ 0xffffffff, 0xffffffff, 0, -EBADMSG, 0 },
		/* The endpoint IDs' 32 bits: what was clipped has none. */
		{ 0, 0, 0xffffffff, 1, 0 }, { 0, 1, 0xffffffff, -EBADMSG, 0 },
		{ 7, 1, 0xfffffffe, 1, 8 }, { 7, 2, 0xfffffffe, -EBADMSG, 0 },
		{ 0, 0xffffffff, 0xffff0000, 1, 0xffff },
		{ 0, 0xffffffff, 0xffff0001, -EBADMSG, 0 },
		{ 0xfff0, 0xffff, 0xfffffff0, 1, 0xffff },
		{ 0xffef, 0xffff, 0xfffffff0, -EBADMSG, 0 },
	};
	struct table table;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mappings); i++) {
		u32 iommu = simple_begin(&table);

		iort_mapping(&table, mappings[i].input, mappings[i].count, mappings[i].output,
			     iommu, 0);
		simple_end(&table, iommu);
		EXPECT_STEPS(mappings[i].ret, 1);
		if (mappings[i].ret != 1)
			continue;
		EXPECT_EQ(walk.steps[0].range.bdf_start, mappings[i].input);
		EXPECT_EQ(walk.steps[0].range.bdf_last, mappings[i].last);
		EXPECT_EQ(walk.steps[0].range.endpoint_start, mappings[i].output);
	}
}

/* Bad mappings between good ones, and behind them other nodes. */
static void test_mixed(void)
{
	struct table table;
	u32 iommu = simple_begin(&table);

	iort_mapping(&table, 0, 7, 0, iommu, 1);
	iort_mapping(&table, 0, 7, 0x10, iommu, 0);
	iort_mapping(&table, 0, 7, 0x20, 0, 0);
	iort_mapping(&table, 0, 7, 0x30, table.last - table.bytes, 0);
	iort_mapping(&table, 4, 7, 0x40, iommu, 0);
	iort_mapping(&table, 0, 7, 0xffffffff, iommu, 0);
	simple_end(&table, iommu);
	EXPECT_STEPS(-EBADMSG, 1, -EBADMSG, 1, -EBADMSG, 1);
	/* Overlapping ranges come in the table's order. */
	EXPECT_EQ(walk.steps[1].range.endpoint_start, 0x10);
	EXPECT_EQ(walk.steps[3].range.endpoint_start, 0x40);
	EXPECT_EQ(walk.steps[5].range.segment_start, 4);
}

static u32 random_id(void)
{
	return test_below(3) ? test_below(0x20000) : test_edge();
}

static u32 random_node(struct table *table)
{
	switch (test_below(5)) {
	case 0:
		return iort_its(table);
	case 1:
		return iort_paravirt_pci(table, random_id());
	case 2:
		return iort_paravirt_mmio(table, test_edge());
	default:
		return iort_root_complex(table, test_below(8) ? test_below(4) : random_id());
	}
}

/* Good nodes in any order, with any mappings to any of them and to other places. */
static void random_table(struct table *table)
{
	unsigned int i, nr = 2 + test_below(6);
	u32 nodes[8];

	table_begin(table, &iort_kind);
	for (i = 0; i < nr; i++) {
		unsigned int mappings = test_below(4);

		nodes[i] = random_node(table);
		while (mappings--)
			iort_mapping(table, random_id(), random_id(), random_id(),
				     test_below(4) ? nodes[test_below(i + 1)] :
				     HEADER + 4 * test_below(64), test_below(5) == 0);
	}
}

static void test_random_tables(void)
{
	unsigned long round, good = 0;
	struct table table;
	unsigned int i;

	for (round = 0; round < test_rounds(60000); round++) {
		random_table(&table);
		table_check(&table);
		for (i = 0; i < walk.nr; i++)
			good += walk.steps[i].ret == 1;
	}
	EXPECT(good > round / 20);
}

static const struct test_case cases[] = {
	{ "a table, byte by byte", test_literal },
	{ "all kinds of nodes, several segments, references both ways", test_rich },
	{ "interrupt controllers and other IOMMUs are skipped", test_others },
	{ "every length of a root complex's node", test_root_complex_length },
	{ "mappings before, within and past their node", test_mapping_offset },
	{ "more and fewer mappings than a node has room for", test_mapping_count },
	{ "a root complex without mappings", test_no_mappings },
	{ "a segment of more than 16 bits is skipped", test_segment },
	{ "every reference: header, itself, other nodes, past the end", test_output_reference },
	{ "a virtio-iommu's node that is short, of no known model, or no function",
	  test_paravirt_bad },
	{ "a virtio-iommu's node at the end of the table", test_paravirt_at_end },
	{ "a single mapping is skipped", test_single_mapping },
	{ "requester IDs above 0xffff are cut off, endpoint IDs of more than 32 bits skipped",
	  test_requester_ids },
	{ "bad mappings between good ones", test_mixed },
	{ "random tables against a reference", test_random_tables },
};

TEST_SUITE(iort, cases);
