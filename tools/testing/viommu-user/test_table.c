// SPDX-License-Identifier: GPL-2.0
/*
 * table.c: what firmware could do to the header and to the list of nodes, to a
 * VIOT as to an IORT; and what is the same for ranges of both.
 */
#include "walk.h"

static const struct reader * const readers[] = { &viot_reader, &iort_reader };

#define for_each_reader(i)	for ((i) = 0; (i) < ARRAY_SIZE(readers); (i)++)

/* Both rich tables have four ranges, in so many nodes. */
static void expect_rich(void)
{
	EXPECT_STEPS(1, 1, 1, 1);
}

static void test_no_nodes(void)
{
	struct table table;
	unsigned int i;

	for_each_reader(i) {
		table_begin(&table, readers[i]->kind);
		walk_table(readers[i], &table);
		EXPECT_EQ(walk.begin, 0);
		EXPECT_EQ(walk.nr, 0);
	}
}

static void test_header_truncated(void)
{
	struct table table;
	unsigned int i;
	size_t size;

	for_each_reader(i) {
		readers[i]->rich(&table);
		for (size = 0; size < HEADER; size++) {
			walk_bytes(readers[i], table.bytes, size);
			EXPECT_EQ(walk.begin, -EINVAL);
		}
	}
}

static void test_header_length(void)
{
	struct table table;
	unsigned int i, length;

	for_each_reader(i) {
		readers[i]->rich(&table);
		for (length = 0; length < TABLE_MAX; length++) {
			put_le(table.bytes + 4, length, 4);
			walk_table(readers[i], &table);
			EXPECT_EQ(walk.begin, length < HEADER ? -EINVAL : 0);
			/* Less than there is: the rest does not exist. */
			if (length >= HEADER && length < table.size)
				EXPECT_EQ(walk.steps[walk.nr - 1].ret, -EINVAL);
			else if (length >= HEADER)
				expect_rich();
		}
		put_le(table.bytes + 4, U32_MAX, 4);
		walk_table(readers[i], &table);
		expect_rich();
	}
}

static void test_node_offset(void)
{
	static const u64 far[] = { 0xffff, 0x10000 + HEADER, 0x7fffffff, 0xffffffd0, 0xffffffff };
	struct table table;
	unsigned int i, j, offset;

	for_each_reader(i) {
		readers[i]->rich(&table);
		for (offset = 0; offset < 2 * TABLE_MAX; offset++) {
			table_put_offset(&table, offset);
			walk_table(readers[i], &table);
			EXPECT_EQ(walk.begin, offset < HEADER ? -EINVAL : 0);
		}
		for (j = 0; j < ARRAY_SIZE(far); j++) {
			if (far[j] >> (8 * readers[i]->kind->width))
				continue;
			table_put_offset(&table, far[j]);
			walk_table(readers[i], &table);
			EXPECT_STEPS(-EINVAL);
			EXPECT_EQ(walk.steps[0].at, far[j]);
		}
	}
}

/* The nodes begin where the header says, with anything between. */
static void test_gap(void)
{
	struct table table;
	unsigned int i;

	for_each_reader(i) {
		unsigned int size;

		readers[i]->rich(&table);
		size = table.size;
		/* All of them a second time, behind the first ones. */
		memcpy(table.bytes + size, table.bytes + HEADER, size - HEADER);
		table.size = 2 * size - HEADER;
		table_seal(&table);
		table_put_offset(&table, size);
		memset(table.bytes + HEADER, 0xff, 20);
		walk_table(readers[i], &table);
		EXPECT_EQ(walk.nr, 4);
		EXPECT(walk.nr && walk.steps[0].at >= size);
	}
}

static void test_truncated(void)
{
	struct table table;
	unsigned int i;
	size_t size;

	for_each_reader(i) {
		readers[i]->rich(&table);
		for (size = HEADER; size < table.size; size++) {
			walk_bytes(readers[i], table.bytes, size);
			EXPECT(walk.nr && walk.steps[walk.nr - 1].ret == -EINVAL);
		}
	}
}

static void test_count(void)
{
	struct table table;
	unsigned int i, count;

	for_each_reader(i) {
		readers[i]->rich(&table);
		for (count = 0; count < 70; count++) {
			table_put_count(&table, count);
			walk_table(readers[i], &table);
			/* Fewer: the rest is not looked at. More: the list is broken. */
			if (count <= table.nodes)
				EXPECT(!walk.nr || walk.steps[walk.nr - 1].ret == 1);
			else
				EXPECT_STEPS(1, 1, 1, 1, -EINVAL);
		}
		table_put_count(&table, U32_MAX);
		walk_table(readers[i], &table);
		EXPECT_STEPS(1, 1, 1, 1, -EINVAL);
	}
}

/* Shorter than its head, or longer than the table: there is no next node. */
static void test_node_length_broken(void)
{
	static const u16 long_ones[] = { 81, 0x7fff, 0xfff0, 0xffff };
	struct table table;
	unsigned int i, j, type;

	for_each_reader(i) {
		const struct table_kind *kind = readers[i]->kind;

		for (type = 0; type < 256; type++) {
			for (j = 0; j < kind->head + ARRAY_SIZE(long_ones); j++) {
				u8 *node;

				table_begin(&table, kind);
				table_node(&table, 0x55, 20);
				node = table_node(&table, type, 40);
				table_node(&table, 0x55, 40);
				table_put_length(&table, node, j < kind->head ? j :
						 long_ones[j - kind->head]);
				walk_table(readers[i], &table);
				EXPECT_STEPS(-EINVAL);
				EXPECT_EQ(walk.steps[0].at, HEADER + 20);
			}
		}
	}
}

/* A broken list ends the walk for good; so does its end. */
static void test_over(void)
{
	struct viommu_table_cursor cursor;
	struct viommu_range range;
	struct table table;
	unsigned int i, broken;

	for_each_reader(i) {
		for (broken = 0; broken < 2; broken++) {
			u8 *block;

			table_begin(&table, readers[i]->kind);
			table_node(&table, 0x55, 20);
			table_put_count(&table, 1 + broken);
			block = test_exact(table.bytes, table.size);
			ASSERT(readers[i]->begin(&cursor, block, table.size) == 0);
			if (broken) {
				EXPECT_EQ(readers[i]->next(&cursor, &range), -EINVAL);
				EXPECT_EQ(cursor.at, HEADER + 20);
			}
			EXPECT_EQ(readers[i]->next(&cursor, &range), 0);
			EXPECT_EQ(readers[i]->next(&cursor, &range), 0);
			free(block);
		}
	}
}

static void mutate(struct table *table)
{
	/* Half of them where the structure is. */
	size_t at = test_below(2) ? 36 + test_below(8) : HEADER + test_below(table->size - HEADER);
	unsigned int width = 1U << test_below(3);

	if (test_below(2))
		put_le(table->bytes + (at & ~(size_t)(width - 1)), test_below(table->size + 4),
		       width);
	else
		table->bytes[at] = test_below(2) ? test_below(6) : test_random();
}

static void test_random_mutations(void)
{
	unsigned long round, steps = 0;
	struct table table;
	unsigned int i, nr;

	for (round = 0; round < test_rounds(15000); round++) {
		for_each_reader(i) {
			size_t size;

			readers[i]->rich(&table);
			size = table.size;
			for (nr = 1 + test_below(4); nr; nr--)
				mutate(&table);
			if (!test_below(4))
				size = test_below(size + 1);
			walk_bytes(readers[i], table.bytes, size);
			steps += walk.nr;
		}
	}
	EXPECT(steps > 2 * round);
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
	unsigned long round, inside = 0, good = 0;

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
		u64 wide = (segment - range.segment_start) * 0x10000 + (bdf - range.bdf_start) +
			   range.endpoint_start;
		u32 endpoint;

		EXPECT_EQ(viommu_range_pci_endpoint(&range, segment, bdf, &endpoint), want);
		if (!want)
			continue;
		inside++;
		EXPECT_EQ(endpoint, (u32)wide);
		/* Of a range that was let through, no endpoint ID is wider. */
		if (viommu_range_check(&range))
			continue;
		good++;
		EXPECT_EQ(endpoint, wide);
	}
	EXPECT(inside > round / 20 && good > round / 50 && good < inside);
}

static const struct test_case cases[] = {
	{ "a table without nodes", test_no_nodes },
	{ "a truncated header", test_header_truncated },
	{ "the header's length is below, within and above the table", test_header_length },
	{ "every offset of the first node", test_node_offset },
	{ "a gap between header and nodes", test_gap },
	{ "truncation at every byte", test_truncated },
	{ "fewer and more nodes than the header says", test_count },
	{ "a node's length below its head and past the end breaks the list",
	  test_node_length_broken },
	{ "the walk stays at its end", test_over },
	{ "random mutations of a good table against a reference", test_random_mutations },
	{ "endpoint IDs of functions", test_endpoint },
	{ "endpoint IDs at the extremes", test_endpoint_edges },
	{ "an MMIO endpoint is no function", test_endpoint_mmio },
	{ "random endpoint IDs", test_random_endpoints },
};

TEST_SUITE(table, cases);
