// SPDX-License-Identifier: GPL-2.0
/*
 * property.c: the walk over a PROBE reply. The reference is a second reader,
 * written from the specification, that looks at single bytes of an array which
 * is zero behind the reply and so cannot overrun anything.
 */
#include "harness.h"
#include "pure.h"

#define REPLY_MAX	512
#define REGIONS_MAX	(REPLY_MAX / 4)

/* A reply that is being written. */
struct reply {
	u8 bytes[REPLY_MAX];
	size_t size;
};

static void put_head(struct reply *reply, u16 type, u16 length)
{
	put_le(reply->bytes + reply->size, type, 2);
	put_le(reply->bytes + reply->size + 2, length, 2);
	reply->size += 4;
}

static void put_filler(struct reply *reply, u8 value, size_t size)
{
	memset(reply->bytes + reply->size, value, size);
	reply->size += size;
}

static void put_resv(struct reply *reply, u8 subtype, u64 start, u64 last)
{
	put_head(reply, 1, 20);
	put_filler(reply, subtype, 1);
	put_filler(reply, 0, 3);
	put_le(reply->bytes + reply->size, start, 8);
	put_le(reply->bytes + reply->size + 8, last, 8);
	reply->size += 16;
}

/* As a draft has it, with @size bytes behind the end: flags, and what is to be zero. */
static void put_identity(struct reply *reply, u8 subtype, u64 start, u64 last, u32 flags,
			 size_t size)
{
	u8 *head = reply->bytes + reply->size;

	put_resv(reply, subtype, start, last);
	put_le(head + 2, 20 + size, 2);
	put_le(head + 24, flags, 4);
	reply->size += size < 4 ? size : 4;
	if (size > 4)
		put_filler(reply, 0xff, size - 4);
}

struct result {
	int ret;
	unsigned int nr;
	struct viommu_region regions[REGIONS_MAX];
};

static void reply_parse(const u8 *bytes, size_t size, unsigned int max, struct result *result)
{
	struct viommu_regions regions = {
		.entries = malloc(max * sizeof(*regions.entries)),
		.max = max,
	};
	u8 *block = test_exact(bytes, size);

	result->ret = viommu_property_regions(block, size, &regions);
	ASSERT(regions.nr <= max && regions.max == max);
	result->nr = regions.nr;
	memcpy(result->regions, regions.entries, regions.nr * sizeof(*regions.entries));
	free(block);
	free(regions.entries);
}

static void reference(const u8 *bytes, size_t size, unsigned int max, struct result *result)
{
	/* too much for a kernel's stack */
	static u8 all[REPLY_MAX + 65536 + 64];
	size_t at = 0;

	memset(all, 0, sizeof(all));
	memcpy(all, bytes, size);
	result->nr = 0;
	result->ret = 0;
	while (at + 4 <= size) {
		unsigned int type = get_le(all + at, 2), length = get_le(all + at + 2, 2);
		const u8 *value = all + at + 4;

		if (type == 0)
			return;
		at += 4 + length;
		if (at > size) {
			result->ret++;
			return;
		}
		if (type != 1)
			continue;
		if (length < 20 || get_le(value + 4, 8) > get_le(value + 12, 8)) {
			result->ret++;
			continue;
		}
		if (result->nr == max) {
			result->ret = -ENOSPC;
			return;
		}
		result->regions[result->nr] = (struct viommu_region) {
			.start = get_le(value + 4, 8),
			.last = get_le(value + 12, 8),
			.type = value[0] == 1 ? VIOMMU_REGION_MSI : VIOMMU_REGION_RESERVED,
		};
		/* Flags 1 and 2 are READ and WRITE, 4 is MMIO. */
		if (value[0] == 2 && length >= 28 && get_le(value + 20, 4) & 3) {
			result->regions[result->nr].type = VIOMMU_REGION_IDENTITY;
			result->regions[result->nr].flags = get_le(value + 20, 4) & 7;
		}
		result->nr++;
	}
}

static struct result compare(const u8 *bytes, size_t size, unsigned int max)
{
	struct result got, want;
	unsigned int i;

	test_subject(bytes, size);
	reply_parse(bytes, size, max, &got);
	reference(bytes, size, max, &want);
	EXPECT_EQ(got.ret, want.ret);
	EXPECT_EQ(got.nr, want.nr);
	for (i = 0; i < got.nr && i < want.nr; i++) {
		EXPECT_EQ(got.regions[i].start, want.regions[i].start);
		EXPECT_EQ(got.regions[i].last, want.regions[i].last);
		EXPECT_EQ(got.regions[i].type, want.regions[i].type);
		EXPECT_EQ(got.regions[i].flags, want.regions[i].flags);
	}
	return got;
}

static struct result parse(const struct reply *reply)
{
	return compare(reply->bytes, reply->size, REGIONS_MAX);
}

#define EXPECT_REGION(result, index, _start, _last, _type)		\
	EXPECT_FLAGS(result, index, _start, _last, _type, 0)

#define EXPECT_FLAGS(result, index, _start, _last, _type, _flags)	\
	do {								\
		ASSERT((result)->nr > (index));				\
		EXPECT_EQ((result)->regions[index].start, _start);	\
		EXPECT_EQ((result)->regions[index].last, _last);	\
		EXPECT_EQ((result)->regions[index].type, VIOMMU_REGION_##_type); \
		EXPECT_EQ((result)->regions[index].flags, _flags);	\
	} while (0)

static void test_literal(void)
{
	static const u8 little[] = {
		0x01, 0, 0x14, 0,  0x01, 0, 0, 0,
		0, 0, 0xe0, 0xfe, 0, 0, 0, 0,  0xff, 0xff, 0xef, 0xfe, 0, 0, 0, 0,
		0x01, 0, 0x14, 0,  0x00, 0, 0, 0,
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
		0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
		0x01, 0, 0x1c, 0,  0x02, 0, 0, 0,
		0, 0x50, 0xc5, 0x4a, 0, 0, 0, 0,  0xff, 0x5f, 0xc5, 0x4a, 0, 0, 0, 0,
		0x03, 0, 0, 0,  0xff, 0xff, 0xff, 0xff,
		0, 0, 0, 0,
	};
	struct reply reply = { 0 };
	struct result result;

	put_resv(&reply, 1, 0xfee00000, 0xfeefffff);
	put_resv(&reply, 0, 0x0102030405060708, 0x1112131415161718);
	put_identity(&reply, 2, 0x4ac55000, 0x4ac55fff, 3, 8);
	put_filler(&reply, 0, 4);
#ifndef VIOMMU_SWAPPED
	EXPECT_EQ(reply.size, sizeof(little));
	EXPECT(!memcmp(reply.bytes, little, sizeof(little)));
#else
	(void)little;
#endif
	result = parse(&reply);
	EXPECT_EQ(result.ret, 0);
	EXPECT_EQ(result.nr, 3);
	EXPECT_REGION(&result, 0, 0xfee00000, 0xfeefffff, MSI);
	EXPECT_REGION(&result, 1, 0x0102030405060708, 0x1112131415161718, RESERVED);
	EXPECT_FLAGS(&result, 2, 0x4ac55000, 0x4ac55fff, IDENTITY,
		     VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE);
}

/* Buffers too small for a head, and full of what would be one. */
static void test_tiny(void)
{
	static const u8 ones[4] = { 1, 1, 1, 1 };
	size_t size;

	for (size = 0; size < 4; size++) {
		struct result result = compare(ones, size, REGIONS_MAX);

		EXPECT_EQ(result.ret, 0);
		EXPECT_EQ(result.nr, 0);
	}
}

static void test_none_ends(void)
{
	struct reply reply = { 0 };
	struct result result;

	put_resv(&reply, 0, 1, 2);
	put_head(&reply, 0, 0);
	put_resv(&reply, 0, 3, 4);
	result = parse(&reply);
	EXPECT_EQ(result.nr, 1);

	/* The length of what ends the list means nothing. */
	reply.size = 0;
	put_head(&reply, 0, 65535);
	put_resv(&reply, 0, 3, 4);
	result = parse(&reply);
	EXPECT_EQ(result.nr, 0);
	EXPECT_EQ(result.ret, 0);
}

static void test_end_of_buffer_ends(void)
{
	struct reply reply = { 0 };
	struct result result;

	put_resv(&reply, 0, 1, 2);
	put_resv(&reply, 1, 3, 4);
	result = parse(&reply);
	EXPECT_EQ(result.ret, 0);
	EXPECT_EQ(result.nr, 2);
	EXPECT_REGION(&result, 1, 3, 4, MSI);
}

static void test_unknown_type(void)
{
	static const u16 types[] = { 2, 3, 0x7f, 0x100, 0x101, 0x800, 0x801, 0xfff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct reply reply = { 0 };
		struct result result;

		/* What could be taken for a region, if the type were not looked at. */
		put_resv(&reply, 0, 1, 2);
		put_le(reply.bytes, types[i], 2);
		put_resv(&reply, 1, 3, 4);
		result = parse(&reply);
		EXPECT_EQ(result.ret, 0);
		EXPECT_EQ(result.nr, 1);
		EXPECT_REGION(&result, 0, 3, 4, MSI);
	}
}

static void test_length_from_field(void)
{
	struct reply reply = { 0 };
	struct result result;

	/* What follows is where the length says, not where a region could end. */
	put_identity(&reply, 0, 0x1000, 0x1fff, 7, 8);
	put_head(&reply, 0x123, 5);
	put_filler(&reply, 0xff, 5);
	put_resv(&reply, 1, 3, 4);
	result = parse(&reply);
	EXPECT_EQ(result.ret, 0);
	EXPECT_EQ(result.nr, 2);
	EXPECT_REGION(&result, 0, 0x1000, 0x1fff, RESERVED);
	EXPECT_REGION(&result, 1, 3, 4, MSI);
}

static void test_reserved_type_bits(void)
{
	unsigned int bits;

	for (bits = 1; bits < 16; bits++) {
		struct reply reply = { 0 };
		struct result result;

		put_resv(&reply, 0, 1, 2);
		put_le(reply.bytes, bits << 12 | 1, 2);
		/* Not NONE either: the list goes on behind it. */
		put_head(&reply, bits << 12, 3);
		put_filler(&reply, 0xff, 3);
		put_resv(&reply, 1, 3, 4);
		result = parse(&reply);
		EXPECT_EQ(result.ret, 0);
		EXPECT_EQ(result.nr, 1);
		EXPECT_REGION(&result, 0, 3, 4, MSI);
	}
}

static void test_zero_length(void)
{
	struct reply reply = { 0 };
	struct result result;

	put_head(&reply, 5, 0);
	put_head(&reply, 1, 0);
	put_head(&reply, 0x2001, 0);
	put_resv(&reply, 0, 3, 4);
	put_head(&reply, 1, 0);
	result = parse(&reply);
	EXPECT_EQ(result.ret, 2);
	EXPECT_EQ(result.nr, 1);
	EXPECT_REGION(&result, 0, 3, 4, RESERVED);
}

/* Shorter than a region: skipped, not read from what lies behind. */
static void test_short_region(void)
{
	unsigned int length;

	for (length = 0; length < 20; length++) {
		struct reply reply = { 0 };
		struct result result;

		put_head(&reply, 1, length);
		put_filler(&reply, 0, length);
		put_resv(&reply, 1, 3, 4);
		result = parse(&reply);
		EXPECT_EQ(result.ret, 1);
		EXPECT_EQ(result.nr, 1);
		EXPECT_REGION(&result, 0, 3, 4, MSI);
	}
}

static void test_region_reserved(void)
{
	struct reply reply = { 0 };
	struct result result;

	put_resv(&reply, 1, 3, 4);
	memset(reply.bytes + 5, 0xff, 3);
	result = parse(&reply);
	EXPECT_EQ(result.ret, 0);
	EXPECT_REGION(&result, 0, 3, 4, MSI);
}

/* Of all lengths and with what would be flags: but for two subtypes, that is nothing. */
static void test_subtypes(void)
{
	unsigned int subtype, more;

	for (subtype = 0; subtype < 256; subtype++) {
		for (more = 0; more <= 12; more++) {
			struct reply reply = { 0 };
			struct result result;

			put_identity(&reply, subtype, 3, 4, 0xffffffff, more);
			result = parse(&reply);
			EXPECT_EQ(result.ret, 0);
			EXPECT_EQ(result.nr, 1);
			if (subtype == 1)
				EXPECT_REGION(&result, 0, 3, 4, MSI);
			else if (subtype == 2 && more >= 8)
				EXPECT_FLAGS(&result, 0, 3, 4, IDENTITY, 7);
			else
				EXPECT_REGION(&result, 0, 3, 4, RESERVED);
		}
	}
}

/* The three flags that mappings have, with every other bit, and with all. */
static void test_identity_flags(void)
{
	unsigned int flags, bit;

	for (flags = 0; flags < 8; flags++) {
		for (bit = 3; bit <= 32; bit++) {
			u32 others = bit < 32 ? 1U << bit : 0xfffffff8;
			struct reply reply = { 0 };
			struct result result;

			put_identity(&reply, 2, 3, 4, flags | others, 8);
			put_identity(&reply, 2, 5, 6, flags, 8);
			result = parse(&reply);
			EXPECT_EQ(result.ret, 0);
			EXPECT_EQ(result.nr, 2);
			if (flags & (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)) {
				EXPECT_FLAGS(&result, 0, 3, 4, IDENTITY, flags);
				EXPECT_FLAGS(&result, 1, 5, 6, IDENTITY, flags);
			} else {
				EXPECT_REGION(&result, 0, 3, 4, RESERVED);
				EXPECT_REGION(&result, 1, 5, 6, RESERVED);
			}
		}
	}
}

/* Too short for its flags: they are not read from what lies behind. */
static void test_identity_length(void)
{
	unsigned int more;

	for (more = 0; more < 40; more++) {
		struct reply reply = { 0 };
		struct result result;

		put_identity(&reply, 2, 3, 4, 1, more);
		put_resv(&reply, 1, 5, 6);
		result = parse(&reply);
		EXPECT_EQ(result.ret, 0);
		EXPECT_EQ(result.nr, 2);
		if (more < 8)
			EXPECT_REGION(&result, 0, 3, 4, RESERVED);
		else
			EXPECT_FLAGS(&result, 0, 3, 4, IDENTITY, VIRTIO_IOMMU_MAP_F_READ);
		EXPECT_REGION(&result, 1, 5, 6, MSI);
	}
}

static void test_region_edges(void)
{
	static const u64 good[][2] = {
		{ 0, 0 }, { 0, U64_MAX }, { U64_MAX, U64_MAX }, { 5, 5 }, { 1, 1ULL << 63 },
	};
	static const u64 bad[][2] = {
		{ 1, 0 }, { U64_MAX, 0 }, { U64_MAX, U64_MAX - 1 }, { 1ULL << 32, 5 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		struct reply reply = { 0 };
		struct result result;

		put_resv(&reply, 0, good[i][0], good[i][1]);
		put_identity(&reply, 2, good[i][0], good[i][1], 6, 8);
		result = parse(&reply);
		EXPECT_EQ(result.ret, 0);
		EXPECT_REGION(&result, 0, good[i][0], good[i][1], RESERVED);
		EXPECT_FLAGS(&result, 1, good[i][0], good[i][1], IDENTITY, 6);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct reply reply = { 0 };
		struct result result;

		put_resv(&reply, 0, bad[i][0], bad[i][1]);
		put_identity(&reply, 2, bad[i][0], bad[i][1], 1, 8);
		put_resv(&reply, 1, 3, 4);
		result = parse(&reply);
		EXPECT_EQ(result.ret, 2);
		EXPECT_EQ(result.nr, 1);
		EXPECT_REGION(&result, 0, 3, 4, MSI);
	}
}

/* One reply with a bit of everything, for what cuts and moves it. */
static void reply_rich(struct reply *reply)
{
	reply->size = 0;
	put_resv(reply, 1, 0xfee00000, 0xfeefffff);
	put_head(reply, 0x77, 3);
	put_filler(reply, 0xee, 3);
	put_resv(reply, 0, 0, 0xfff);
	put_head(reply, 0x8001, 20);
	put_filler(reply, 0x11, 20);
	put_resv(reply, 9, 0x1000, 0x0);
	put_head(reply, 1, 24);
	put_filler(reply, 0, 24);
	put_identity(reply, 2, 0x4ac55000, 0x4ac55fff, 3, 8);
	put_identity(reply, 2, 0x5000, 0x5fff, 1, 7);
	put_identity(reply, 3, 0x6000, 0x6fff, 1, 8);
	put_resv(reply, 0, U64_MAX, U64_MAX);
	put_identity(reply, 2, 0, 0, 5, 8);
}

static void test_truncated(void)
{
	struct reply reply;
	size_t size, whole;

	reply_rich(&reply);
	whole = reply.size;
	for (size = 0; size <= whole; size++)
		compare(reply.bytes, size, REGIONS_MAX);
}

static void test_too_long(void)
{
	static const u16 types[] = { 1, 2, 0x1001 };
	static const u16 excess[] = { 1, 2, 3, 4, 24, 256, 32768, 65515 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (j = 0; j < ARRAY_SIZE(excess); j++) {
			struct reply reply = { 0 };
			struct result result;

			put_resv(&reply, 1, 1, 2);
			put_resv(&reply, 0, 3, 4);
			put_le(reply.bytes + 24, types[i], 2);
			put_le(reply.bytes + 26, 20 + excess[j], 2);
			result = parse(&reply);
			/* Nothing of it counts, but what came before does. */
			EXPECT_EQ(result.ret, 1);
			EXPECT_EQ(result.nr, 1);
			EXPECT_REGION(&result, 0, 1, 2, MSI);
		}
	}
}

static void test_list_full(void)
{
	struct reply reply;
	unsigned int max;

	reply_rich(&reply);
	for (max = 0; max < 10; max++) {
		struct result result = compare(reply.bytes, reply.size, max);

		if (max < 8)
			EXPECT_EQ(result.ret, -ENOSPC);
		else
			EXPECT_EQ(result.ret, 1);
		EXPECT_EQ(result.nr, max < 8 ? max : 8);
	}
}

/* The walk by itself: properties in order, offsets behind each, no value outside. */
static void check_walk(const u8 *bytes, size_t size)
{
	u8 *block = test_exact(bytes, size);
	struct viommu_property property;
	size_t offset = 0, at = 0;
	int ret;

	test_subject(bytes, size);
	for (;;) {
		ret = viommu_property_next(block, size, &offset, &property);
		if (ret <= 0)
			break;
		EXPECT_EQ(property.type, get_le(bytes + at, 2));
		EXPECT_EQ(property.length, get_le(bytes + at + 2, 2));
		EXPECT(property.type);
		EXPECT(property.value == block + at + 4);
		at += 4 + property.length;
		EXPECT_EQ(offset, at);
		ASSERT(at <= size);
	}
	if (ret == 0)
		EXPECT(at + 4 > size || get_le(bytes + at, 2) == 0);
	else
		EXPECT(ret == -EINVAL && at + 4 + get_le(bytes + at + 2, 2) > size);
	free(block);
}

static void test_walk(void)
{
	struct reply reply;
	size_t size;

	reply_rich(&reply);
	for (size = 0; size <= reply.size; size++)
		check_walk(reply.bytes, size);
}

/* At the end the walk stays: nobody gets further by asking again. */
static void test_walk_end(void)
{
	static const u8 none[4] = { 0 };
	struct viommu_property property;
	u8 *block = test_exact(none, sizeof(none));
	size_t offset = 0;

	EXPECT_EQ(viommu_property_next(block, 4, &offset, &property), 0);
	EXPECT_EQ(viommu_property_next(block, 4, &offset, &property), 0);
	EXPECT_EQ(offset, 0);
	offset = 4;
	EXPECT_EQ(viommu_property_next(block, 4, &offset, &property), 0);
	EXPECT_EQ(offset, 4);
	free(block);
}

static void reply_random(struct reply *reply)
{
	u64 start;

	reply->size = 0;
	while (reply->size < REPLY_MAX - 72 && test_below(12)) {
		switch (test_below(10)) {
		case 0:
			put_head(reply, test_random(), test_below(30));
			break;
		case 1:
			put_head(reply, test_below(4), test_below(40));
			put_filler(reply, test_random(), test_below(40));
			break;
		case 2:
			put_head(reply, test_random() & 0xf001, 20);
			test_random_bytes(reply->bytes + reply->size, 20);
			reply->size += 20;
			break;
		case 3:
			put_resv(reply, test_below(4), test_edge(), test_edge());
			break;
		case 4:
		case 5:
		case 6:
			start = test_edge();
			put_identity(reply, test_below(4) ? 2 : test_random(), start,
				     start + test_below(1 << 20),
				     test_random() << (test_below(3) ? 0 : test_below(4)),
				     test_below(4) ? 8 : test_below(24));
			break;
		default:
			start = test_edge();
			put_resv(reply, test_below(3), start, start + test_below(1 << 20));
		}
	}
	if (reply->size && !test_below(3))
		reply->bytes[test_below(reply->size)] = test_random();
	if (!test_below(3))
		reply->size = test_below(reply->size + 1);
}

static void test_random_replies(void)
{
	unsigned long round, types[3] = { 0 };
	struct reply reply;
	unsigned int i;

	for (round = 0; round < test_rounds(60000); round++) {
		struct result result;

		reply_random(&reply);
		result = compare(reply.bytes, reply.size,
				 test_below(8) ? REGIONS_MAX : test_below(5));
		for (i = 0; i < result.nr; i++)
			types[result.regions[i].type]++;
		check_walk(reply.bytes, reply.size);
	}
	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT(types[i] > round / 8);
}

static void test_random_bytes_only(void)
{
	u8 bytes[64];
	unsigned long round;

	for (round = 0; round < test_rounds(200000); round++) {
		size_t i, size = test_below(sizeof(bytes) + 1);

		/* Small numbers, or the first length would end nearly every walk. */
		for (i = 0; i < size; i++)
			bytes[i] = test_below(4) ? test_below(3) : test_random();
		check_walk(bytes, size);
		if (round % 4 == 0)
			compare(bytes, size, REGIONS_MAX);
	}
}

/* A list with a region for every 24 bytes is never too small. */
static void test_room(void)
{
	unsigned long round;
	struct reply reply;

	for (round = 0; round < test_rounds(20000); round++) {
		reply_random(&reply);
		EXPECT(compare(reply.bytes, reply.size, reply.size / 24).ret >= 0);
	}
}

static const struct test_case cases[] = {
	{ "a reply, byte by byte", test_literal },
	{ "buffers smaller than a head hold nothing", test_tiny },
	{ "D34 type 0 ends the list", test_none_ends },
	{ "D34 the end of the buffer ends the list", test_end_of_buffer_ends },
	{ "D31 D34 unknown types are skipped, the list goes on", test_unknown_type },
	{ "D32 the length is the one in the field", test_length_from_field },
	{ "D33 D34 a property with reserved type bits is skipped", test_reserved_type_bits },
	{ "D32 properties of length zero", test_zero_length },
	{ "D32 D34 RESV_MEM that is too short is skipped", test_short_region },
	{ "D36 reserved bytes of RESV_MEM are ignored", test_region_reserved },
	{ "D37 all 256 subtypes: what is not known, or not whole, is RESERVED", test_subtypes },
	{ "IDENTITY: of all flags those of a mapping; RESERVED without READ and WRITE",
	  test_identity_flags },
	{ "D32 IDENTITY that is too short is RESERVED", test_identity_length },
	{ "D35 regions at 0 and 2^64-1; what ends before it starts is skipped",
	  test_region_edges },
	{ "truncation at every byte", test_truncated },
	{ "D32 a length past the end ends the list", test_too_long },
	{ "D35 a list of regions that is too small is an error", test_list_full },
	{ "the walk, at every size", test_walk },
	{ "the walk stays at the end", test_walk_end },
	{ "D31 D32 D33 D34 D35 D36 D37 random replies against a reference", test_random_replies },
	{ "D31 D32 D33 D34 random bytes against a reference", test_random_bytes_only },
	{ "D35 there is room for a region every 24 bytes", test_room },
};

TEST_SUITE(property, cases);
