/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a fuzzer is made of: one function, which libFuzzer calls with inputs of
 * its own making, in blocks of exactly their size. What must hold for any input
 * goes through MUST().
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/errno.h>
#include <linux/limits.h>

#include "pure.h"

#define MUST(condition)							\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();					\
		}							\
	} while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* A new input: nothing is as the last one left it. */
void fuzz_begin(u64 seed);

/* What is left to chance from now on depends on all seeds up to this one: fuzz.c. */
void fuzz_chance(u64 seed);

/* What happens, for a person to read: printed with VIOMMU_TRACE=1. */
void fuzz_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* _FUZZ_H */
