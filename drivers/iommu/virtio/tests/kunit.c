// SPDX-License-Identifier: GPL-2.0
/*
 * The harness of tools/testing/viommu-user in a kernel, on top of KUnit: see kunit.h. Its
 * tests run one at a time, and never beside another suite.
 */
#include <kunit/test-bug.h>
#include <linux/module.h>

#include "../../../../tools/testing/viommu-user/harness.h"

#define TEST_FAILURES	5	/* more of them in one test say nothing new */
#define TEST_DUMP	256	/* bytes */

struct slab_control slab_control;

/* Of the test that runs. */
static unsigned int failures;
static const void *subject;
static size_t subject_size;

/**
 * test_subject() - what the test is looking at
 * @bytes: to be printed with the first failure
 * @size: of @bytes
 *
 * Context: A test.
 */
void test_subject(const void *bytes, size_t size)
{
	subject = bytes;
	subject_size = size;
}

/**
 * test_fail() - the test has failed
 * @file: where
 * @line: where
 * @fatal: there is no sense in going on
 * @format: what is wrong
 *
 * Context: A test. Does not return if @fatal, and after some failures.
 */
void test_fail(const char *file, int line, bool fatal, const char *format, ...)
{
	struct kunit *test = kunit_get_current_test();
	struct va_format text = { .fmt = format };
	va_list args;

	va_start(args, format);
	text.va = &args;
	KUNIT_FAIL(test, "%s:%d: %pV", file, line, &text);
	va_end(args);
	if (!failures && subject)
		print_hex_dump(KERN_INFO, "# ", DUMP_PREFIX_OFFSET, 16, 1, subject,
			       min_t(size_t, subject_size, TEST_DUMP), false);
	if (++failures >= TEST_FAILURES || fatal)
		__kunit_abort(test);
}

/**
 * test_rounds() - how often to do what is worth doing often
 * @rounds: in user space, which is much faster
 *
 * Context: Any.
 * Return: how often.
 */
unsigned long test_rounds(unsigned long rounds)
{
	return DIV_ROUND_UP(rounds, 30);
}

/**
 * test_run() - run one test
 * @test: its parameter is the test
 *
 * Context: A test.
 */
void test_run(struct kunit *test)
{
	const struct test_case *this = test->param_value;

	failures = 0;
	subject = NULL;
	memset(&slab_control, 0, sizeof(slab_control));
	test_seed(1, this->name);
	this->run();
}

static bool slab_fails(void)
{
	return slab_control.fail_in && --slab_control.fail_in == 0;
}

/**
 * test_cache_create() - kmem_cache_create(), counted, and failing where a test wants it
 * @name: as there
 * @size: as there
 * @align: as there
 * @flags: as there
 * @ctor: as there
 *
 * Context: As there.
 * Return: as there.
 */
struct kmem_cache *test_cache_create(const char *name, unsigned int size, unsigned int align,
				     slab_flags_t flags, void (*ctor)(void *object))
{
	struct kmem_cache *cache = NULL;

	if (!slab_fails())
		cache = kmem_cache_create(name, size, align, flags, ctor);
	if (cache)
		slab_control.caches++;
	return cache;
}

/**
 * test_cache_destroy() - kmem_cache_destroy(), counted
 * @cache: as there
 *
 * Context: As there.
 */
void test_cache_destroy(struct kmem_cache *cache)
{
	if (cache)
		slab_control.caches--;
	kmem_cache_destroy(cache);
}

/**
 * test_cache_alloc() - kmem_cache_alloc(), counted, and failing where a test wants it
 * @cache: as there
 * @gfp: as there
 *
 * Context: As there.
 * Return: as there; the object is not zero.
 */
void *test_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object = NULL;

	slab_control.gfp = gfp;
	if (!slab_fails())
		object = kmem_cache_alloc(cache, gfp);
	if (object) {
		memset(object, 0x5a, kmem_cache_size(cache));
		slab_control.objects++;
	}
	return object;
}

/**
 * test_cache_free() - kmem_cache_free(), counted
 * @cache: as there
 * @object: as there
 *
 * Context: As there.
 */
void test_cache_free(struct kmem_cache *cache, void *object)
{
	slab_control.objects--;
	kmem_cache_free(cache, object);
}

/**
 * test_cache_free_bulk() - kmem_cache_free_bulk(), counted
 * @cache: as there
 * @nr: as there
 * @objects: as there
 *
 * Context: As there.
 */
void test_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects)
{
	slab_control.objects -= nr;
	kmem_cache_free_bulk(cache, nr, objects);
}

MODULE_DESCRIPTION("KUnit suites of the virtio-iommu driver");
MODULE_LICENSE("GPL");
