// SPDX-License-Identifier: GPL-2.0
/*
 * Have QEMU's virtio-iommu refuse requests.
 *
 * QEMU looks a MAP's or an UNMAP's range up in a tree of glib's. Loaded into QEMU by
 * LD_PRELOAD, this finds something for some ranges that is not there: a mapping in the
 * way of every MAP of VIOMMU_REFUSE_MAP pages, for which QEMU answers INVAL; a larger
 * mapping around an UNMAP of VIOMMU_REFUSE_UNMAP pages, RANGE, but only the first time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What QEMU's keys are. */
struct interval {
	uint64_t low;
	uint64_t high;
};

static bool has_pages(const void *key, const char *variable)
{
	const struct interval *interval = key;
	const char *pages = getenv(variable);

	/* other trees have numbers for keys */
	return pages && (uintptr_t)key > 65536 &&
	       interval->high - interval->low == strtoull(pages, NULL, 0) * 4096 - 1;
}

void *g_tree_lookup(void *tree, const void *key)
{
	static void *(*next)(void *tree, const void *key);

	if (!next)
		next = dlsym(RTLD_NEXT, "g_tree_lookup");
	return has_pages(key, "VIOMMU_REFUSE_MAP") ? (void *)key : next(tree, key);
}

int g_tree_lookup_extended(void *tree, const void *key, void **found, void **value)
{
	static int (*next)(void *tree, const void *key, void **found, void **value);
	static struct interval all = { 0, UINT64_MAX };
	static bool refused;

	if (!next)
		next = dlsym(RTLD_NEXT, "g_tree_lookup_extended");
	if (refused || !has_pages(key, "VIOMMU_REFUSE_UNMAP"))
		return next(tree, key, found, value);
	refused = true;
	*found = &all;
	*value = NULL;
	return true;
}
