// SPDX-License-Identifier: GPL-2.0
/*
 * See walk.h.
 */
#include "walk.h"

struct walk walk;

static void walk_read(const struct reader *reader, const u8 *bytes, size_t size)
{
	struct viommu_table_cursor cursor;
	struct step *step;
	u8 *block = test_exact(bytes, size);

	walk.nr = 0;
	walk.begin = reader->begin(&cursor, block, size);
	while (!walk.begin) {
		/* A node takes four bytes at least, so there is an end. */
		ASSERT(walk.nr < ARRAY_SIZE(walk.steps));
		step = &walk.steps[walk.nr];
		/* Behind a bad node, the next one is not mixed with it. */
		memset(&step->range, 0x5a, sizeof(step->range));
		step->ret = reader->next(&cursor, &step->range);
		step->at = cursor.at;
		if (!step->ret)
			break;
		walk.nr++;
	}
	free(block);
}

struct step *walk_step(struct walk *want, size_t at, int ret)
{
	struct step *step = &want->steps[want->nr++];

	memset(step, 0, sizeof(*step));
	step->at = at;
	step->ret = ret;
	return step;
}

bool walk_node(const struct table_kind *kind, const u8 *all, size_t size, size_t at)
{
	size_t length;

	if (at + kind->head > size)
		return false;
	length = get_le(all + at + kind->length_at, 2);
	return length >= kind->head && at + length <= size;
}

static void walk_reference(const struct reader *reader, const u8 *bytes, size_t size,
			   struct walk *want)
{
	unsigned int width = reader->kind->width;
	static u8 all[2 * TABLE_MAX];
	size_t length, at;

	memset(all, 0, sizeof(all));
	memcpy(all, bytes, size);
	want->nr = 0;
	want->begin = -EINVAL;
	length = get_le(all + 4, 4);
	at = get_le(all + 36 + width, width);
	if (size < HEADER || length < HEADER || at < HEADER)
		return;
	want->begin = 0;
	if (size > length) {
		size = length;
		memset(all + size, 0, sizeof(all) - size);
	}
	reader->reference(all, size, at, get_le(all + 36, width), want);
}

void expect_range(const struct viommu_range *got, const struct viommu_range *want)
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

void walk_bytes(const struct reader *reader, const u8 *bytes, size_t size)
{
	static struct walk want;
	unsigned int i;

	test_subject(bytes, size);
	walk_read(reader, bytes, size);
	walk_reference(reader, bytes, size, &want);
	EXPECT_EQ(walk.begin, want.begin);
	EXPECT_EQ(walk.nr, want.nr);
	for (i = 0; i < walk.nr && i < want.nr; i++) {
		EXPECT_EQ(walk.steps[i].ret, want.steps[i].ret);
		EXPECT_EQ(walk.steps[i].at, want.steps[i].at);
		if (walk.steps[i].ret == 1 && want.steps[i].ret == 1)
			expect_range(&walk.steps[i].range, &want.steps[i].range);
	}
}

void walk_table(const struct reader *reader, const struct table *table)
{
	walk_bytes(reader, table->bytes, table->size);
}

void expect_steps(const int *rets, unsigned int nr)
{
	unsigned int i;

	EXPECT_EQ(walk.begin, 0);
	EXPECT_EQ(walk.nr, nr);
	for (i = 0; i < nr && i < walk.nr; i++)
		EXPECT_EQ(walk.steps[i].ret, rets[i]);
}
