// SPDX-License-Identifier: GPL-2.0
/*
 * config.c: what makes sense, what is narrowed, what is refused. The config
 * space is 40 bytes at the offsets of the specification; the reference does its
 * arithmetic in 128 bits, where nothing wraps.
 */
#include "harness.h"
#include "pure.h"

#define F_INPUT		(1ULL << 0)
#define F_DOMAIN	(1ULL << 1)
#define F_PROBE		(1ULL << 4)
#define F_ALL		U64_MAX

struct fields {
	u64 mask;
	u64 input_start;
	u64 input_last;
	u32 domain_start;
	u32 domain_last;
	u32 probe_size;
};

/* What a plain host says. */
static const struct fields plain = {
	.mask = ~0xfffULL,
	.input_last = U64_MAX,
	.domain_last = U32_MAX,
	.probe_size = 512,
};

static int limits_init(struct viommu_limits *limits, const struct fields *fields, u64 features,
		       const char **why)
{
	u8 bytes[40];
	void *config;
	int ret;

	put_le(bytes, fields->mask, 8);
	put_le(bytes + 8, fields->input_start, 8);
	put_le(bytes + 16, fields->input_last, 8);
	put_le(bytes + 24, fields->domain_start, 4);
	put_le(bytes + 28, fields->domain_last, 4);
	put_le(bytes + 32, fields->probe_size, 4);
	/* bypass and reserved bytes are none of this file's business. */
	test_random_bytes(bytes + 36, 4);
	config = test_exact(bytes, sizeof(bytes));
	*why = NULL;
	ret = viommu_limits_init(limits, config, features, why);
	free(config);
	return ret;
}

static struct viommu_limits accepted(const struct fields *fields, u64 features)
{
	struct viommu_limits limits;
	const char *why;

	test_subject(fields, sizeof(*fields));
	ASSERT(limits_init(&limits, fields, features, &why) == 0);
	return limits;
}

static const char *refused(const struct fields *fields, u64 features, int want)
{
	struct viommu_limits limits;
	const char *why;

	test_subject(fields, sizeof(*fields));
	EXPECT_EQ(limits_init(&limits, fields, features, &why), want);
	ASSERT(why && *why);
	return why;
}

static void test_plain(void)
{
	struct viommu_limits limits = accepted(&plain, F_ALL);

	EXPECT_EQ(limits.granule, 0x1000);
	EXPECT_EQ(limits.input_start, 0);
	EXPECT_EQ(limits.input_last, U64_MAX);
	EXPECT_EQ(limits.domain_start, 0);
	EXPECT_EQ(limits.domain_last, U32_MAX);
	EXPECT_EQ(limits.probe_size, 512);
}

/* Each field has a place of its own: no two values are alike. */
static void test_distinct(void)
{
	static const struct fields fields = {
		.mask = 0x4000, .input_start = 0x1122334455660000,
		.input_last = 0x778899aabbccffff, .domain_start = 0x01020304,
		.domain_last = 0x0a0b0c0d, .probe_size = 0x1234,
	};
	struct viommu_limits limits = accepted(&fields, F_ALL);

	EXPECT_EQ(limits.granule, 0x4000);
	EXPECT_EQ(limits.input_start, 0x1122334455660000);
	EXPECT_EQ(limits.input_last, 0x778899aabbccffff);
	EXPECT_EQ(limits.domain_start, 0x01020304);
	EXPECT_EQ(limits.domain_last, 0x0a0b0c0d);
	EXPECT_EQ(limits.probe_size, 0x1234);
}

static void test_mask_empty(void)
{
	struct fields fields = plain;

	fields.mask = 0;
	EXPECT_STR(refused(&fields, F_ALL, -EINVAL), "page size mask is empty");
	EXPECT_STR(refused(&fields, 0, -EINVAL), "page size mask is empty");
}

/* Each bit alone and with all bits above it; below 4 KiB it is 4 KiB. */
static void test_mask_bits(void)
{
	struct fields fields = plain;
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		u64 want = 1ULL << (bit < 12 ? 12 : bit);

		fields.mask = 1ULL << bit;
		EXPECT_EQ(accepted(&fields, F_ALL).granule, want);
		fields.mask = -(1ULL << bit);
		EXPECT_EQ(accepted(&fields, F_ALL).granule, want);
	}
}

static void test_input_not_negotiated(void)
{
	struct fields fields = plain;
	struct viommu_limits limits;

	fields.input_start = 0x5000;
	fields.input_last = 0x1000;
	limits = accepted(&fields, F_ALL & ~F_INPUT);
	EXPECT_EQ(limits.input_start, 0);
	EXPECT_EQ(limits.input_last, U64_MAX);
}

struct input_case {
	u64 mask, start, last;
	u64 want_start, want_last;
	int ret;
};

static void test_input_edges(void)
{
	static const struct input_case inputs[] = {
		/* exactly one granule, at both ends and between */
		{ 0x1000, 0, 0xfff, 0, 0xfff, 0 },
		{ 0x1000, 0x1000, 0x1fff, 0x1000, 0x1fff, 0 },
		{ 0x1000, -0x1000ULL, U64_MAX, -0x1000ULL, U64_MAX, 0 },
		{ 1ULL << 63, 0, U64_MAX >> 1, 0, U64_MAX >> 1, 0 },
		{ 1ULL << 63, 1ULL << 63, U64_MAX, 1ULL << 63, U64_MAX, 0 },
		/* narrowed on one side, or both */
		{ 0x1000, 1, U64_MAX, 0x1000, U64_MAX, 0 },
		{ 0x1000, 0, U64_MAX - 1, 0, U64_MAX - 0x1000, 0 },
		{ 0x1000, 0xfff, 0x2000, 0x1000, 0x1fff, 0 },
		{ 0x1000, 0x1001, 0x3ffe, 0x2000, 0x2fff, 0 },
		{ 0x10000, 0x1000, 0x2ffff, 0x10000, 0x2ffff, 0 },
		{ 1ULL << 63, 1, U64_MAX, 1ULL << 63, U64_MAX, 0 },
		{ 1ULL << 63, 0, U64_MAX - 1, 0, U64_MAX >> 1, 0 },
		/* one byte short of a granule */
		{ 0x1000, 0, 0xffe, 0, 0, -EINVAL },
		{ 0x1000, 1, 0xfff, 0, 0, -EINVAL },
		{ 0x1000, 1, 0x1ffe, 0, 0, -EINVAL },
		{ 0x1000, 0x1001, 0x2ffe, 0, 0, -EINVAL },
		{ 0x1000, -0xfffULL, U64_MAX, 0, 0, -EINVAL },
		{ 0x1000, -0x1000ULL, U64_MAX - 1, 0, 0, -EINVAL },
		{ 0x1000, U64_MAX - 1, U64_MAX, 0, 0, -EINVAL },
		{ 1ULL << 63, 1, U64_MAX - 1, 0, 0, -EINVAL },
		{ 1ULL << 63, (1ULL << 63) + 1, U64_MAX, 0, 0, -EINVAL },
		/* empty, or a single address */
		{ 0x1000, 0, 0, 0, 0, -EINVAL },
		{ 0x1000, 0x1000, 0x1000, 0, 0, -EINVAL },
		{ 0x1000, U64_MAX, U64_MAX, 0, 0, -EINVAL },
		{ 0x1000, 0x2000, 0x1fff, 0, 0, -EINVAL },
		{ 0x1000, 0x8000, 0x1000, 0, 0, -EINVAL },
		{ 0x1000, U64_MAX, 0, 0, 0, -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(inputs); i++) {
		struct fields fields = plain;
		struct viommu_limits limits;

		fields.mask = inputs[i].mask;
		fields.input_start = inputs[i].start;
		fields.input_last = inputs[i].last;
		if (inputs[i].ret) {
			refused(&fields, F_INPUT, inputs[i].ret);
			continue;
		}
		limits = accepted(&fields, F_INPUT);
		EXPECT_EQ(limits.input_start, inputs[i].want_start);
		EXPECT_EQ(limits.input_last, inputs[i].want_last);
	}
}

static void test_input_why(void)
{
	struct fields fields = plain;

	fields.input_start = 0x2000;
	fields.input_last = 0x1fff;
	EXPECT_STR(refused(&fields, F_ALL, -EINVAL), "input range is empty");
	fields.input_last = 0x2ffe;
	EXPECT_STR(refused(&fields, F_ALL, -EINVAL), "input range holds no whole page");
	fields.input_start = -0xfffULL;
	fields.input_last = U64_MAX;
	EXPECT_STR(refused(&fields, F_ALL, -EINVAL), "input range holds no whole page");
}

static void test_domain_range(void)
{
	struct fields fields = plain;
	struct viommu_limits limits;

	fields.domain_start = 7;
	fields.domain_last = 7;
	limits = accepted(&fields, F_ALL);
	EXPECT_EQ(limits.domain_start, 7);
	EXPECT_EQ(limits.domain_last, 7);

	fields.domain_start = U32_MAX;
	fields.domain_last = U32_MAX;
	EXPECT_EQ(accepted(&fields, F_ALL).domain_start, U32_MAX);

	fields.domain_start = 0;
	fields.domain_last = 0;
	EXPECT_EQ(accepted(&fields, F_ALL).domain_last, 0);

	fields.domain_start = 8;
	fields.domain_last = 7;
	EXPECT_STR(refused(&fields, F_ALL, -EINVAL), "domain range is empty");
	EXPECT_STR(refused(&fields, F_DOMAIN, -EINVAL), "domain range is empty");

	limits = accepted(&fields, F_ALL & ~F_DOMAIN);
	EXPECT_EQ(limits.domain_start, 0);
	EXPECT_EQ(limits.domain_last, U32_MAX);
}

static void test_probe_size(void)
{
	static const u32 good[] = { 0, 1, 3, 4, 512, 65535, 65536 };
	static const u32 bad[] = { 65537, 0x80000000, 0xfffffffc, U32_MAX };
	struct fields fields = plain;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		fields.probe_size = good[i];
		EXPECT_EQ(accepted(&fields, F_ALL).probe_size, good[i]);
		EXPECT_EQ(accepted(&fields, F_ALL & ~F_PROBE).probe_size, 0);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fields.probe_size = bad[i];
		EXPECT_STR(refused(&fields, F_PROBE, -E2BIG),
			   "probe size is above the bound of 64 KiB");
		EXPECT_EQ(accepted(&fields, F_ALL & ~F_PROBE).probe_size, 0);
	}
}

/* Garbage in every field whose feature is not there changes nothing. */
static void test_only_mask(void)
{
	static const struct fields fields = {
		.mask = 0x10000, .input_start = 5, .input_last = 4,
		.domain_start = 3, .domain_last = 2, .probe_size = U32_MAX,
	};
	struct viommu_limits limits = accepted(&fields, F_ALL & ~(F_INPUT | F_DOMAIN | F_PROBE));

	EXPECT_EQ(limits.granule, 0x10000);
	EXPECT_EQ(limits.input_start, 0);
	EXPECT_EQ(limits.input_last, U64_MAX);
	EXPECT_EQ(limits.domain_start, 0);
	EXPECT_EQ(limits.domain_last, U32_MAX);
	EXPECT_EQ(limits.probe_size, 0);
}

static int reference(struct viommu_limits *limits, const struct fields *fields, u64 features)
{
	unsigned int bit = 12;
	u128 granule, start, end;

	if (!fields->mask)
		return -EINVAL;
	while (bit < 63 && !(fields->mask << (63 - bit)))
		bit++;
	granule = (u128)1 << bit;

	start = features & F_INPUT ? fields->input_start : 0;
	end = (u128)(features & F_INPUT ? fields->input_last : U64_MAX) + 1;
	if (start + 1 >= end)
		return -EINVAL;
	start = (start + granule - 1) / granule * granule;
	end = end / granule * granule;
	if (start >= end)
		return -EINVAL;

	*limits = (struct viommu_limits) {
		.granule = granule,
		.input_start = start,
		.input_last = end - 1,
		.domain_start = features & F_DOMAIN ? fields->domain_start : 0,
		.domain_last = features & F_DOMAIN ? fields->domain_last : U32_MAX,
		.probe_size = features & F_PROBE ? fields->probe_size : 0,
	};
	if (limits->domain_start > limits->domain_last)
		return -EINVAL;
	return limits->probe_size > 65536 ? -E2BIG : 0;
}

static void test_random_config(void)
{
	unsigned long round, good = 0;

	for (round = 0; round < test_rounds(200000); round++) {
		u64 features = test_random();
		struct fields fields = {
			.mask = test_below(8) ? test_random() << test_below(64) : test_edge(),
			.input_start = test_edge(),
			.input_last = test_edge(),
			.domain_start = test_edge(),
			.domain_last = test_edge(),
			.probe_size = test_below(4) ? test_below(70000) : test_edge(),
		};
		struct viommu_limits got, want;
		const char *why;
		int ret;

		test_subject(&fields, sizeof(fields));
		ret = reference(&want, &fields, features);
		EXPECT_EQ(limits_init(&got, &fields, features, &why), ret);
		if (ret) {
			EXPECT(why && *why);
			continue;
		}
		good++;
		EXPECT_EQ(got.granule, want.granule);
		EXPECT_EQ(got.input_start, want.input_start);
		EXPECT_EQ(got.input_last, want.input_last);
		EXPECT_EQ(got.domain_start, want.domain_start);
		EXPECT_EQ(got.domain_last, want.domain_last);
		EXPECT_EQ(got.probe_size, want.probe_size);
	}
	/* Or there was nothing to compare. */
	EXPECT(good > round / 10);
}

/* Each field by itself makes them others. */
static void test_same(void)
{
	const struct viommu_limits limits = accepted(&plain, F_ALL);
	struct viommu_limits others[] = { limits, limits, limits, limits, limits, limits };
	struct viommu_limits same = limits;
	unsigned int i;

	others[0].granule <<= 1;
	others[1].input_start++;
	others[2].input_last--;
	others[3].domain_start++;
	others[4].domain_last--;
	others[5].probe_size++;
	EXPECT(viommu_limits_are(&limits, &same));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT(!viommu_limits_are(&limits, &others[i]));
}

static const struct test_case cases[] = {
	{ "a plain config space", test_plain },
	{ "every field is read from its place", test_distinct },
	{ "an empty page size mask is refused", test_mask_empty },
	{ "granule of every page size mask of one bit and of all bits above", test_mask_bits },
	{ "D11 input range is ignored where it was not negotiated", test_input_not_negotiated },
	{ "D11 input range: narrowed to whole granules, or refused", test_input_edges },
	{ "input range: what is wrong is said", test_input_why },
	{ "D12 domain range", test_domain_range },
	{ "D29 probe size: 0, the bound, above it", test_probe_size },
	{ "limits that are the same, and others", test_same },
	{ "fields without their features are ignored", test_only_mask },
	{ "D11 D12 random config spaces against 128-bit arithmetic", test_random_config },
};

TEST_SUITE(config, cases);
