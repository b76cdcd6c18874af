/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a test is made of.
 *
 * A test is a function in a suite, a suite is a file. Each test runs in a child
 * of its own, so that a crash, a sanitizer's report, a leak or an endless loop is
 * that test's failure and no other's. A failed EXPECT() prints and goes on, up to
 * a bound; what must hold for a test to make sense goes through ASSERT().
 *
 * In a kernel a test is a parameter of its suite's one KUnit case: see tests/kunit.h of
 * the driver.
 */
#ifndef _HARNESS_H
#define _HARNESS_H

#ifdef __KERNEL__
#include "kunit.h"
#else
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/types.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif

struct test_case {
	const char *name;
	void (*run)(void);
};

struct test_suite {
	const char *name;
	const struct test_case *cases;
	unsigned int nr;
};

#ifndef __KERNEL__
#define TEST_SUITE(_name, _cases)				\
	const struct test_suite suite_##_name = {		\
		.name = #_name,					\
		.cases = _cases,				\
		.nr = ARRAY_SIZE(_cases),			\
	}

extern const struct test_suite suite_wire, suite_config, suite_property, suite_regions,
			       suite_fault, suite_table, suite_viot, suite_iort, suite_mapping,
			       suite_request, suite_domain, suite_model, suite_space,
			       suite_pool, suite_chunks, suite_warm, suite_dma, suite_sg,
			       suite_alloc;
#endif

/* Prints a failure with the subject in bytes; ends the test at a bound, or if @fatal. */
void test_fail(const char *file, int line, bool fatal, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* What the test is looking at: printed, in bytes, with the first failure. */
void test_subject(const void *bytes, size_t size);

/* Random numbers, the same ones each time for a test. */
void test_seed(u64 seed, const char *name);
u64 test_random(void);
u64 test_below(u64 bound);
/* An address at which arithmetic goes wrong: around 0, 2^64, powers of two. */
u64 test_edge(void);
/* How often to do what is worth doing @rounds times. */
unsigned long test_rounds(unsigned long rounds);

#define EXPECT(condition)						\
	do {								\
		if (!(condition))					\
			test_fail(__FILE__, __LINE__, false, "%s", #condition); \
	} while (0)

#define ASSERT(condition)						\
	do {								\
		if (!(condition))					\
			test_fail(__FILE__, __LINE__, true, "%s", #condition); \
	} while (0)

#define EXPECT_EQ(got, want)						\
	do {								\
		long long __got = (long long)(got), __want = (long long)(want); \
									\
		if (__got != __want)					\
			test_fail(__FILE__, __LINE__, false,		\
				  "%s is %lld (%#llx), not %lld (%#llx)", #got, \
				  __got, __got, __want, __want);	\
	} while (0)

#define EXPECT_STR(got, want)						\
	do {								\
		const char *__got = (got), *__want = (want);		\
									\
		if (strcmp(__got, __want))				\
			test_fail(__FILE__, __LINE__, false, "%s is \"%s\", not \"%s\"", \
				  #got, __got, __want);			\
	} while (0)

/* The wire, byte by byte: little-endian, or the reverse (see asm/byteorder.h). */
static inline unsigned int test_lane(unsigned int byte, unsigned int width)
{
#ifdef VIOMMU_SWAPPED
	return width - 1 - byte;
#else
	(void)width;
	return byte;
#endif
}

static inline void put_le(void *to, u64 value, unsigned int width)
{
	unsigned int i;

	for (i = 0; i < width; i++)
		((u8 *)to)[test_lane(i, width)] = value >> (8 * i);
}

static inline u64 get_le(const void *from, unsigned int width)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < width; i++)
		value |= (u64)((const u8 *)from)[test_lane(i, width)] << (8 * i);
	return value;
}

/* A copy in a block of its own, of exactly this size: a read past it is seen. */
static inline void *test_exact(const void *bytes, size_t size)
{
	void *block = malloc(size);

	if (size)
		memcpy(block, bytes, size);
	return block;
}

static inline void test_random_bytes(void *to, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		((u8 *)to)[i] = test_random();
}

/* A request as a value: WIRE(map, ...) is what viommu_wire_map() makes. */
#define WIRE(_type, ...)						\
	({								\
		struct viommu_wire __wire;				\
									\
		viommu_wire_##_type(&__wire, __VA_ARGS__);		\
		__wire;							\
	})

#endif /* _HARNESS_H */
