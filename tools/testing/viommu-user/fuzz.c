// SPDX-License-Identifier: GPL-2.0
/*
 * What harness.c has for tests, for fuzzers on the fake machine: a failure ends the
 * fuzzer, and chance is what the input made of it.
 */
#include <stdarg.h>

#include <linux/rbtree.h>
#include <linux/slab.h>

#include "fuzz.h"
#include "harness.h"

struct slab_control slab_control;
unsigned int rb_die;

static u64 chance;

void fuzz_begin(u64 seed)
{
	chance = 0;
	rb_die = 1;
	fuzz_chance(seed);
}

void fuzz_chance(u64 seed)
{
	chance = (chance + seed + 1) * 0x9e3779b97f4a7c15ULL;
}

void test_fail(const char *file, int line, bool fatal, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: %s", file, line, fatal ? "" : "expected: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}

void fuzz_trace(const char *format, ...)
{
	static int wanted = -1;
	va_list args;

	if (wanted < 0)
		wanted = !!getenv("VIOMMU_TRACE");
	if (!wanted)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
}

/* xorshift */
u64 test_random(void)
{
	chance = chance ?: 1;
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return chance >> 11;
}

u64 test_below(u64 bound)
{
	return test_random() % bound;
}
