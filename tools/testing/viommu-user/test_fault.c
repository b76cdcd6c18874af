// SPDX-License-Identifier: GPL-2.0
/*
 * fault.c: reports of 24 bytes, at the offsets of the specification.
 */
#include "harness.h"
#include "pure.h"

#define FAULT_SIZE	24

static void fault_bytes(u8 *bytes, u8 reason, u32 flags, u32 endpoint, u64 address)
{
	memset(bytes, 0, FAULT_SIZE);
	bytes[0] = reason;
	put_le(bytes + 4, flags, 4);
	put_le(bytes + 8, endpoint, 4);
	put_le(bytes + 16, address, 8);
}

static int fault_decode(struct viommu_fault *fault, const u8 *bytes, size_t size)
{
	void *block = test_exact(bytes, size);
	int ret = viommu_fault_decode(fault, block, size);

	free(block);
	return ret;
}

static void check_fault(const u8 *bytes, size_t size)
{
	u32 flags = get_le(bytes + 4, 4);
	struct viommu_fault fault;

	test_subject(bytes, size);
	ASSERT(fault_decode(&fault, bytes, size) == 0);
	EXPECT_EQ(fault.reason, bytes[0] == 1 || bytes[0] == 2 ? bytes[0] : 0);
	EXPECT_EQ(fault.endpoint, get_le(bytes + 8, 4));
	EXPECT_EQ(fault.read, flags & 1);
	EXPECT_EQ(fault.write, flags >> 1 & 1);
	EXPECT_EQ(fault.exec, flags >> 2 & 1);
	EXPECT_EQ(fault.has_address, flags >> 8 & 1);
	EXPECT_EQ(fault.address, flags >> 8 & 1 ? get_le(bytes + 16, 8) : 0);
}

static void test_literal(void)
{
	static const u8 little[FAULT_SIZE] = {
		0x02, 0, 0, 0,  0x02, 0x01, 0, 0,  0x44, 0x33, 0x22, 0x11,  0, 0, 0, 0,
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
	};
	u8 bytes[FAULT_SIZE];
	struct viommu_fault fault;

	fault_bytes(bytes, 2, 0x102, 0x11223344, 0x0102030405060708);
#ifndef VIOMMU_SWAPPED
	EXPECT(!memcmp(bytes, little, sizeof(little)));
#else
	(void)little;
#endif
	ASSERT(fault_decode(&fault, bytes, sizeof(bytes)) == 0);
	EXPECT_EQ(fault.reason, 2);
	EXPECT_EQ(fault.endpoint, 0x11223344);
	EXPECT_EQ(fault.address, 0x0102030405060708);
	EXPECT(fault.has_address && fault.write && !fault.read && !fault.exec);
}

static void test_sizes(void)
{
	struct viommu_fault fault;
	u8 bytes[64] = { 0 };
	size_t size;

	fault_bytes(bytes, 1, 0x107, 42, U64_MAX);
	for (size = 0; size < FAULT_SIZE; size++)
		EXPECT_EQ(fault_decode(&fault, bytes, size), -EINVAL);
	/* A device of a later version may write more. */
	for (size = FAULT_SIZE; size <= sizeof(bytes); size++)
		check_fault(bytes, size);
}

static void test_reserved(void)
{
	struct viommu_fault fault;
	u8 bytes[FAULT_SIZE];
	unsigned int at, value;

	fault_bytes(bytes, 1, 0x101, 42, 0x1000);
	for (at = 1; at <= 3; at++) {
		for (value = 1; value < 256; value++) {
			bytes[at] = value;
			EXPECT_EQ(fault_decode(&fault, bytes, sizeof(bytes)), -EINVAL);
		}
		bytes[at] = 0;
	}
	check_fault(bytes, sizeof(bytes));
}

static void test_reserved1(void)
{
	u8 bytes[FAULT_SIZE];
	unsigned int at, value;

	fault_bytes(bytes, 2, 0x101, 42, 0x1000);
	for (at = 12; at < 16; at++) {
		for (value = 1; value < 256; value++) {
			bytes[at] = value;
			check_fault(bytes, sizeof(bytes));
		}
	}
}

static void test_flags(void)
{
	u8 bytes[FAULT_SIZE];
	u32 flags;

	for (flags = 0; flags < 0x1000; flags++) {
		fault_bytes(bytes, 2, flags, 42, 0x1234567890);
		check_fault(bytes, sizeof(bytes));
	}
}

static void test_undefined_flags(void)
{
	u8 bytes[FAULT_SIZE];
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		fault_bytes(bytes, 1, 1U << bit, 42, 0x1234567890);
		check_fault(bytes, sizeof(bytes));
		fault_bytes(bytes, 1, ~(1U << bit), 42, 0x1234567890);
		check_fault(bytes, sizeof(bytes));
	}
}

static void test_reasons(void)
{
	struct viommu_fault fault;
	u8 bytes[FAULT_SIZE];
	unsigned int reason;

	for (reason = 0; reason < 256; reason++) {
		fault_bytes(bytes, reason, 0x100, 42, 0);
		check_fault(bytes, sizeof(bytes));
		ASSERT(fault_decode(&fault, bytes, sizeof(bytes)) == 0);
		EXPECT_STR(viommu_fault_reason(&fault),
			   reason == 1 ? "endpoint is not attached to a domain" :
			   reason == 2 ? "no mapping allows the access" : "unknown reason");
	}
}

static void test_edges(void)
{
	static const u64 addresses[] = { 0, 1, U32_MAX, 1ULL << 32, 1ULL << 63, U64_MAX };
	u8 bytes[FAULT_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		fault_bytes(bytes, 2, 0x102, U32_MAX, addresses[i]);
		check_fault(bytes, sizeof(bytes));
	}
}

/* Nothing of the last fault is left in the struct. */
static void test_overwrites(void)
{
	static const u8 zero[FAULT_SIZE];
	struct viommu_fault fault;

	/* true, where it is a bool: another value would be undefined to read */
	memset(&fault, 1, sizeof(fault));
	ASSERT(fault_decode(&fault, zero, sizeof(zero)) == 0);
	EXPECT_EQ(fault.endpoint, 0);
	EXPECT_EQ(fault.address, 0);
	EXPECT_EQ(fault.reason, 0);
	EXPECT(!fault.has_address && !fault.read && !fault.write && !fault.exec);
}

static void test_random_events(void)
{
	unsigned long round;
	u8 bytes[FAULT_SIZE + 8];

	for (round = 0; round < test_rounds(200000); round++) {
		size_t size = test_below(sizeof(bytes) + 1);
		struct viommu_fault fault;

		test_random_bytes(bytes, sizeof(bytes));
		if (test_below(4))
			memset(bytes + 1, 0, 3);
		test_subject(bytes, size);
		if (size >= FAULT_SIZE && !bytes[1] && !bytes[2] && !bytes[3])
			check_fault(bytes, size);
		else
			EXPECT_EQ(fault_decode(&fault, bytes, size), -EINVAL);
	}
}

static const struct test_case cases[] = {
	{ "a report, byte by byte", test_literal },
	{ "short events are dropped, longer ones are read", test_sizes },
	{ "D38 a report with any reserved bit set is dropped whole", test_reserved },
	{ "D39 reserved1 is ignored", test_reserved1 },
	{ "D40 all combinations of the flags, defined or not", test_flags },
	{ "D40 each flag alone and each flag missing", test_undefined_flags },
	{ "D41 all 256 reasons: what is not known is unknown", test_reasons },
	{ "extreme addresses and endpoints", test_edges },
	{ "a report replaces the one before it", test_overwrites },
	{ "D38 D39 D40 D41 random events", test_random_events },
};

TEST_SUITE(fault, cases);
