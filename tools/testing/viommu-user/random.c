// SPDX-License-Identifier: GPL-2.0
/*
 * Random numbers for the tests.
 */
#include "harness.h"

static u64 random_state;

void test_seed(u64 seed, const char *name)
{
	random_state = seed;
	for (; *name; name++)
		random_state = random_state * 31 + *name;
}

/* splitmix64 */
u64 test_random(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

u64 test_below(u64 bound)
{
	return test_random() % bound;
}

u64 test_edge(void)
{
	u64 near = test_below(5) - 2;

	switch (test_below(6)) {
	case 0:
		return near;
	case 1:
		return (1ULL << test_below(64)) + near;
	case 2:
		return -(1ULL << test_below(64)) + near;
	case 3:
		return (test_below(16) << 12) + near;
	case 4:
		return test_random() >> test_below(64);
	default:
		return test_random();
	}
}
