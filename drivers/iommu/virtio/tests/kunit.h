/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of tools/testing/viommu-user need to be suites of KUnit: a libc as far as
 * they use one, and TEST_SUITE(). The rest of their harness.h is the same for both.
 */
#ifndef _VIOMMU_KUNIT_H
#define _VIOMMU_KUNIT_H

#include <kunit/test.h>
#include <linux/bsearch.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/types.h>

/* The tests have their own. */
#undef READ
#undef WRITE

/* A test calls little, from the top of a stack of its own. */
#pragma GCC diagnostic ignored "-Wframe-larger-than="

#define malloc(size)		kmalloc(size, GFP_KERNEL)
#define calloc(nr, size)	kcalloc(nr, size, GFP_KERNEL)
#define free(object)		kfree(object)
#define abort()			BUG()
#define printf(...)		pr_cont(__VA_ARGS__)
#define qsort(array, nr, size, compare)	sort(array, nr, size, compare, NULL)

/**
 * struct slab_control - what a test sets and looks at
 * @fail_in: 1: the next allocation fails, 2: the one after it, ...; 0: none
 * @objects: objects that are not freed
 * @caches: caches that are not destroyed
 * @gfp: what the last allocation was asked for with
 */
struct slab_control {
	unsigned int fail_in;
	unsigned int objects;
	unsigned int caches;
	gfp_t gfp;
};

extern struct slab_control slab_control;

struct kmem_cache *test_cache_create(const char *name, unsigned int size, unsigned int align,
				     slab_flags_t flags, void (*ctor)(void *object));
void test_cache_destroy(struct kmem_cache *cache);
void *test_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void test_cache_free(struct kmem_cache *cache, void *object);
void test_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects);

void test_run(struct kunit *test);

#define TEST_SUITE(_name, _cases)				\
	KUNIT_ARRAY_PARAM_DESC(_name, _cases, name);		\
	static struct kunit_case kunit_##_name##_cases[] = {	\
		KUNIT_CASE_PARAM(test_run, _name##_gen_params),	\
		{}						\
	};							\
	static struct kunit_suite kunit_##_name##_suite = {	\
		.name = "viommu_" #_name,			\
		.test_cases = kunit_##_name##_cases,		\
	};							\
	kunit_test_suite(kunit_##_name##_suite)

#endif /* _VIOMMU_KUNIT_H */
