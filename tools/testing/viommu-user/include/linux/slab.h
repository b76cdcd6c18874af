/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slab cache, and kcalloc() and its like, over malloc(), so that AddressSanitizer
 * sees every object. What a cache hands out is not zero, as a slab's is not.
 */
#ifndef _VIOMMU_USER_SLAB_H
#define _VIOMMU_USER_SLAB_H

#include <stdlib.h>
#include <string.h>

#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/types.h>

#define GFP_KERNEL	0x1u
#define GFP_ATOMIC	0x2u
#define GFP_NOWAIT	0x4u
#define __GFP_NOWARN	0x8u
#define __GFP_ZERO	0x10u
#define __GFP_NORETRY	0x20u
#define __GFP_COMP	0x40u
#define __GFP_DMA	0x80u
#define __GFP_DMA32	0x100u
#define __GFP_HIGHMEM	0x200u

/**
 * struct slab_control - what a test sets and looks at
 * @fail_in: 1: the next allocation fails, 2: the one after it, ...; 0: none
 * @objects: objects that are not freed
 * @caches: caches that are not destroyed
 * @bytes: what kcalloc() was asked for in all
 * @gfp: what the last allocation was asked for with
 */
struct slab_control {
	unsigned int fail_in;
	unsigned int objects;
	unsigned int caches;
	size_t bytes;
	gfp_t gfp;
};

extern struct slab_control slab_control;

struct kmem_cache {
	size_t size;
};

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return gfp & GFP_KERNEL;
}

/* Who may not sleep may not ask for memory in this way. */
static inline bool slab_fails(gfp_t gfp)
{
	slab_control.gfp = gfp;
	if (gfpflags_allow_blocking(gfp))
		might_sleep();
	return slab_control.fail_in && --slab_control.fail_in == 0;
}

static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
						   unsigned int align, unsigned int flags,
						   void (*ctor)(void *))
{
	struct kmem_cache *cache;

	if (!name || align || flags || ctor)
		abort(); /* nothing here needs them */
	if (slab_fails(GFP_KERNEL))
		return NULL;
	cache = malloc(sizeof(*cache));
	cache->size = size;
	slab_control.caches++;
	return cache;
}

/* The kernel takes NULL, and warns of objects that are left. */
static inline void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (!cache)
		return;
	if (slab_control.objects)
		abort();
	slab_control.caches--;
	free(cache);
}

static inline void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *object;

	if (slab_fails(gfp))
		return NULL;
	object = malloc(cache->size);
	memset(object, 0x5a, cache->size);
	slab_control.objects++;
	return object;
}

static inline void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	if (!cache || !object)
		abort();
	slab_control.objects--;
	free(object);
}

/* The kernel warns of none. */
static inline void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects)
{
	if (!nr)
		abort();
	while (nr--)
		kmem_cache_free(cache, objects[nr]);
}

static inline void *kcalloc(size_t nr, size_t size, gfp_t gfp)
{
	slab_control.bytes += nr * size;
	if (slab_fails(gfp))
		return NULL;
	slab_control.objects++;
	return calloc(nr, size);
}

#define kzalloc_obj(object, gfp)	kzalloc(sizeof(object), gfp)
#define kzalloc_node(size, gfp, node)	kzalloc(size, gfp)
#define struct_size(object, member, nr)	(sizeof(*(object)) + (nr) * sizeof(*(object)->member))

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return kcalloc(1, size, gfp);
}

static inline void *krealloc(void *object, size_t size, gfp_t gfp)
{
	if (slab_fails(gfp))
		return NULL;
	slab_control.objects += !object;
	return realloc(object, size);
}

static inline void *kvcalloc(size_t nr, size_t size, gfp_t gfp)
{
	return kcalloc(nr, size, gfp);
}

static inline void kfree(void *object)
{
	if (!object)
		return;
	slab_control.objects--;
	free(object);
}

static inline void kvfree(void *object)
{
	kfree(object);
}

#endif /* _VIOMMU_USER_SLAB_H */
