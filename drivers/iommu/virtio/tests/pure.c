// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's pure files once more, for the suites alone, so that the driver need not
 * export what is its own. mapping.c has its memory counted.
 */
#include "kunit.h"

#include "../config.c"
#include "../property.c"
#include "../regions.c"
#include "../fault.c"
#include "../table.c"
#include "../viot.c"
#include "../iort.c"

#undef kmem_cache_create
#undef kmem_cache_alloc
#define kmem_cache_create	test_cache_create
#define kmem_cache_destroy	test_cache_destroy
#define kmem_cache_alloc	test_cache_alloc
#define kmem_cache_free		test_cache_free
#define kmem_cache_free_bulk	test_cache_free_bulk
#include "../mapping.c"
