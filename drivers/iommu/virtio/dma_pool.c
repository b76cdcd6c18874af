// SPDX-License-Identifier: GPL-2.0
/*
 * The mode bounce: small buffers are copied through memory that stays mapped.
 *
 * The memory is a device's own, and is mapped in chunks, each for one direction: the device
 * can read what it was given and write what it was asked for, and never sees what lies
 * beside a buffer, or what becomes of a buffer after it was unmapped: of its own old data it
 * may see the copy until another buffer takes that slot. No request is sent for a buffer. A
 * chunk has slots of one size, a power of two. A few free slots of each kind are kept by
 * each CPU, the others by their chunk.
 *
 * What is written only by the device is copied there as well, since the device may write
 * less than it was asked to: the rest must not become what another buffer had been.
 *
 * The pool grows when there is no free slot, up to a bound, and gives back chunks
 * that were not used for a second or two. Where it could not grow it is not tried again for
 * a tenth of a second, as it takes its time.
 *
 * Context of all but viommu_pool_alloc() and viommu_pool_free(): any.
 */
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "dma.h"

#define VIOMMU_CHUNK_SHIFT	20
#define VIOMMU_CHUNK_SIZE	BIT(VIOMMU_CHUNK_SHIFT)
#define VIOMMU_SLOT_SHIFT	12
#define VIOMMU_SLOT_SIZES	5
#define VIOMMU_SLOT_MAX		(BIT(VIOMMU_SLOT_SHIFT) << (VIOMMU_SLOT_SIZES - 1))

/* Free slots of a kind that a CPU keeps, and how many it takes or leaves at a time. */
#define VIOMMU_POOL_CPU_MAX	16
#define VIOMMU_POOL_BATCH	8

/* After a chunk that could not be had. */
#define VIOMMU_POOL_RETRY	(HZ / 10)

static unsigned int bounce_size = 65536;
module_param(bounce_size, uint, 0644);
MODULE_PARM_DESC(bounce_size,
		 "Up to how many bytes a buffer is copied in the mode bounce (default and most 65536)");

static unsigned int bounce_mib = 64;
module_param(bounce_mib, uint, 0644);
MODULE_PARM_DESC(bounce_mib,
		 "How much memory a device may have to copy through, in MiB (default 64)");

struct viommu_chunk;

/**
 * struct viommu_slot - memory for one buffer
 * @next: the next free one, of its chunk or of a CPU
 * @chunk: where it lies
 * @phys: the buffer
 * @size: its bytes; 0 while the slot is free
 * @offset: where in the slot it begins
 */
struct viommu_slot {
	struct viommu_slot *next;
	struct viommu_chunk *chunk;
	phys_addr_t phys;
	u32 size;
	u32 offset;
};

/**
 * struct viommu_chunk - memory that is mapped
 * @node: in the list of its kind
 * @vaddr: the memory
 * @iova: where the device sees it, aligned to its size
 * @dir: which way its data go
 * @shift: logarithm of its slots' size
 * @idle: it was wholly free when last looked at
 * @nr: its slots
 * @nr_free: how many of them are in @free
 * @free: free ones
 * @slots: all of them
 *
 * @node, @idle, @nr_free and @free are guarded by the pool's lock.
 */
struct viommu_chunk {
	struct list_head node;
	void *vaddr;
	dma_addr_t iova;
	enum dma_data_direction dir;
	unsigned int shift;
	bool idle;
	unsigned int nr;
	unsigned int nr_free;
	struct viommu_slot *free;
	struct viommu_slot slots[] __counted_by(nr);
};

/* Free slots of one kind, kept by one CPU. */
struct viommu_slot_stack {
	struct viommu_slot *top;
	unsigned int nr;
};

struct viommu_pool_cpu {
	spinlock_t lock; /* guards stacks */
	struct viommu_slot_stack stacks[VIOMMU_DIRECTIONS][VIOMMU_SLOT_SIZES];
};

/**
 * struct viommu_pool - a device's memory to copy through
 * @dev: the device
 * @space: its IOVAs
 * @lock: guards the chunks; taken inside a CPU's
 * @chunks: by their direction and their slots' size; those with free slots first
 * @by_iova: the same by their IOVA, divided by their size
 * @nr_chunks: how many there are, or are being made
 * @cpus: what each CPU keeps
 * @failed: jiffies when a chunk could not be had, 0 if never
 * @told: and so it was said
 * @trimmer: gives back what is not used
 */
struct viommu_pool {
	struct device *dev;
	struct viommu_space *space;
	spinlock_t lock; /* guards chunks */
	struct list_head chunks[VIOMMU_DIRECTIONS][VIOMMU_SLOT_SIZES];
	struct xarray by_iova;
	unsigned int nr_chunks;
	struct viommu_pool_cpu __percpu *cpus;
	unsigned long failed;
	bool told;
	struct delayed_work trimmer;
};

static struct viommu_slot *viommu_pool_find(struct viommu_pool *pool, dma_addr_t addr)
{
	struct viommu_chunk *chunk = xa_load(&pool->by_iova, addr >> VIOMMU_CHUNK_SHIFT);

	return chunk ? &chunk->slots[(addr - chunk->iova) >> chunk->shift] : NULL;
}

static void *viommu_slot_vaddr(const struct viommu_slot *slot)
{
	const struct viommu_chunk *chunk = slot->chunk;

	return chunk->vaddr + ((size_t)(slot - chunk->slots) << chunk->shift) + slot->offset;
}

static dma_addr_t viommu_slot_addr(const struct viommu_slot *slot)
{
	const struct viommu_chunk *chunk = slot->chunk;

	return chunk->iova + ((dma_addr_t)(slot - chunk->slots) << chunk->shift) + slot->offset;
}

static void viommu_stack_push(struct viommu_slot_stack *stack, struct viommu_slot *slot)
{
	slot->next = stack->top;
	stack->top = slot;
	stack->nr++;
}

static struct viommu_slot *viommu_stack_pop(struct viommu_slot_stack *stack)
{
	struct viommu_slot *slot = stack->top;

	if (slot) {
		stack->top = slot->next;
		stack->nr--;
	}
	return slot;
}

/* From the CPU to the chunks, until so many are left. */
static void viommu_stack_drain(struct viommu_pool *pool, struct viommu_slot_stack *stack,
			       unsigned int left)
{
	struct viommu_slot *slot;

	lockdep_assert_held(&pool->lock);
	while (stack->nr > left && (slot = viommu_stack_pop(stack))) {
		struct viommu_chunk *chunk = slot->chunk;

		slot->next = chunk->free;
		chunk->free = slot;
		if (!chunk->nr_free++)
			list_move(&chunk->node,
				  &pool->chunks[chunk->dir][chunk->shift - VIOMMU_SLOT_SHIFT]);
	}
}

/* From the chunks to the CPU. */
static void viommu_stack_fill(struct viommu_pool *pool, struct viommu_slot_stack *stack,
			      struct list_head *chunks)
{
	struct viommu_chunk *chunk;
	struct viommu_slot *slot;

	lockdep_assert_held(&pool->lock);
	while (stack->nr < VIOMMU_POOL_BATCH) {
		chunk = list_first_entry_or_null(chunks, struct viommu_chunk, node);
		if (!chunk || !chunk->free)
			break;
		slot = chunk->free;
		chunk->free = slot->next;
		chunk->idle = false;
		if (!--chunk->nr_free)
			list_move_tail(&chunk->node, chunks);
		viommu_stack_push(stack, slot);
	}
}

/* With one kick for all. */
static void viommu_chunks_free(struct viommu_pool *pool, struct list_head *chunks)
{
	struct viommu_chunk *chunk, *next;
	unsigned long flags;

	if (list_empty(chunks))
		return;
	list_for_each_entry(chunk, chunks, node) {
		xa_lock_irqsave(&pool->by_iova, flags);
		__xa_erase(&pool->by_iova, chunk->iova >> VIOMMU_CHUNK_SHIFT);
		xa_unlock_irqrestore(&pool->by_iova, flags);
		viommu_space_remove(pool->space, chunk->iova, VIOMMU_CHUNK_SIZE);
	}
	viommu_domain_drain(pool->space->domain);
	list_for_each_entry_safe(chunk, next, chunks, node) {
		viommu_space_give(pool->space, chunk->iova, VIOMMU_CHUNK_SIZE);
		free_pages((unsigned long)chunk->vaddr, get_order(VIOMMU_CHUNK_SIZE));
		kfree(chunk);
	}
}

static struct viommu_chunk *viommu_chunk_alloc(struct viommu_pool *pool,
					       enum dma_data_direction dir, unsigned int shift)
{
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	unsigned int i, nr = VIOMMU_CHUNK_SIZE >> shift;
	struct viommu_chunk *chunk;
	struct page *page;

	chunk = kzalloc_node(struct_size(chunk, slots, nr), gfp, dev_to_node(pool->dev));
	if (!chunk)
		return NULL;
	page = alloc_pages_node(dev_to_node(pool->dev), gfp | __GFP_ZERO,
				get_order(VIOMMU_CHUNK_SIZE));
	if (!page)
		goto err_free;
	chunk->vaddr = page_address(page);
	chunk->dir = dir;
	chunk->shift = shift;
	chunk->nr = nr;
	for (i = nr; i-- > 0; ) {
		chunk->slots[i].chunk = chunk;
		chunk->slots[i].next = chunk->free;
		chunk->free = &chunk->slots[i];
	}
	chunk->nr_free = nr;
	chunk->iova = viommu_space_map(pool->space, page_to_phys(page), VIOMMU_CHUNK_SIZE,
				       viommu_dma_prot(dir), viommu_dma_mask(pool->dev),
				       GFP_ATOMIC);
	if (chunk->iova != DMA_MAPPING_ERROR)
		return chunk;

	__free_pages(page, get_order(VIOMMU_CHUNK_SIZE));
err_free:
	kfree(chunk);
	return NULL;
}

/* Once: how it goes on is for bounce_mib and the machine's memory to say. */
static void viommu_pool_tell(struct viommu_pool *pool)
{
	if (READ_ONCE(pool->told))
		return;
	WRITE_ONCE(pool->told, true);
	dev_warn(pool->dev, "DMA mode bounce: no room, %u MiB are in use: mapped as in ordinary\n",
		 READ_ONCE(pool->nr_chunks));
}

/* One chunk more of a kind. Return: whether there is. */
static bool viommu_pool_grow(struct viommu_pool *pool, enum dma_data_direction dir,
			     unsigned int shift)
{
	struct viommu_chunk *chunk = NULL;
	unsigned long flags;
	LIST_HEAD(unused);
	void *old;
	bool room;

	spin_lock_irqsave(&pool->lock, flags);
	room = pool->nr_chunks < READ_ONCE(bounce_mib) &&
	       (!pool->failed || time_after(jiffies, pool->failed + VIOMMU_POOL_RETRY));
	pool->nr_chunks += room;
	spin_unlock_irqrestore(&pool->lock, flags);
	if (!room) {
		viommu_pool_tell(pool);
		return false;
	}

	chunk = viommu_chunk_alloc(pool, dir, shift);
	if (chunk) {
		xa_lock_irqsave(&pool->by_iova, flags);
		old = __xa_store(&pool->by_iova, chunk->iova >> VIOMMU_CHUNK_SHIFT, chunk,
				 GFP_ATOMIC);
		xa_unlock_irqrestore(&pool->by_iova, flags);
		if (xa_is_err(old)) {
			list_add(&chunk->node, &unused);
			viommu_chunks_free(pool, &unused);
			chunk = NULL;
		}
	}
	spin_lock_irqsave(&pool->lock, flags);
	if (chunk)
		list_add(&chunk->node, &pool->chunks[dir][shift - VIOMMU_SLOT_SHIFT]);
	else
		pool->nr_chunks--;
	/* 0 is for never */
	pool->failed = chunk ? 0 : jiffies | 1;
	spin_unlock_irqrestore(&pool->lock, flags);
	if (chunk)
		schedule_delayed_work(&pool->trimmer, HZ);
	else
		viommu_pool_tell(pool);
	return chunk;
}

static struct viommu_slot *viommu_pool_take_kept(struct viommu_pool *pool,
						 enum dma_data_direction dir, unsigned int shift)
{
	unsigned int size = shift - VIOMMU_SLOT_SHIFT;
	struct viommu_pool_cpu *cpu = raw_cpu_ptr(pool->cpus);
	struct viommu_slot_stack *stack = &cpu->stacks[dir][size];
	struct viommu_slot *slot;
	unsigned long flags;

	spin_lock_irqsave(&cpu->lock, flags);
	if (!stack->nr) {
		spin_lock(&pool->lock);
		viommu_stack_fill(pool, stack, &pool->chunks[dir][size]);
		spin_unlock(&pool->lock);
	}
	slot = viommu_stack_pop(stack);
	spin_unlock_irqrestore(&cpu->lock, flags);
	return slot;
}

static void viommu_pool_give(struct viommu_pool *pool, struct viommu_slot *slot)
{
	const struct viommu_chunk *chunk = slot->chunk;
	unsigned int size = chunk->shift - VIOMMU_SLOT_SHIFT;
	struct viommu_pool_cpu *cpu = raw_cpu_ptr(pool->cpus);
	struct viommu_slot_stack *stack = &cpu->stacks[chunk->dir][size];
	unsigned long flags;

	spin_lock_irqsave(&cpu->lock, flags);
	viommu_stack_push(stack, slot);
	if (stack->nr >= VIOMMU_POOL_CPU_MAX) {
		spin_lock(&pool->lock);
		viommu_stack_drain(pool, stack, VIOMMU_POOL_CPU_MAX - VIOMMU_POOL_BATCH);
		spin_unlock(&pool->lock);
	}
	spin_unlock_irqrestore(&cpu->lock, flags);
}

/**
 * viommu_pool_max() - up to how many bytes are copied
 * @pool: the pool
 *
 * Return: bytes.
 */
size_t viommu_pool_max(const struct viommu_pool *pool)
{
	return min_t(size_t, READ_ONCE(bounce_size), VIOMMU_SLOT_MAX);
}

/**
 * viommu_pool_map() - have a slot take the place of a buffer
 * @pool: the pool
 * @phys: the buffer
 * @size: its bytes
 * @dir: which way its data go
 *
 * Return: its IOVA, or DMA_MAPPING_ERROR where it is too large or there is no room.
 */
dma_addr_t viommu_pool_map(struct viommu_pool *pool, phys_addr_t phys, size_t size,
			   enum dma_data_direction dir)
{
	u32 mask = dma_get_min_align_mask(pool->dev), offset = phys & mask;
	unsigned int shift = VIOMMU_SLOT_SHIFT;
	struct viommu_slot *slot;
	dma_addr_t addr;

	if (!size || size > viommu_pool_max(pool))
		return DMA_MAPPING_ERROR;
	/* which is aligned to its size, as the offset is to be */
	while (BIT(shift) < max_t(size_t, offset + size, mask + 1UL))
		shift++;
	if (BIT(shift) > VIOMMU_SLOT_MAX)
		return DMA_MAPPING_ERROR;
	do {
		slot = viommu_pool_take_kept(pool, dir, shift);
	} while (!slot && viommu_pool_grow(pool, dir, shift));
	if (!slot)
		return DMA_MAPPING_ERROR;

	slot->offset = offset;
	addr = viommu_slot_addr(slot);
	/* It may have been lowered since the chunk was mapped. */
	if (unlikely(addr + size - 1 > viommu_dma_mask(pool->dev))) {
		viommu_pool_give(pool, slot);
		return DMA_MAPPING_ERROR;
	}
	slot->phys = phys;
	slot->size = size;
	memcpy(viommu_slot_vaddr(slot), phys_to_virt(phys), size);
	return addr;
}

/**
 * viommu_pool_unmap() - a buffer is not mapped any more
 * @pool: the pool
 * @addr: its IOVA
 * @dir: which way its data went
 * @attrs: DMA_ATTR_*
 *
 * Return: whether it was one of the pool's.
 */
bool viommu_pool_unmap(struct viommu_pool *pool, dma_addr_t addr, enum dma_data_direction dir,
		       unsigned long attrs)
{
	struct viommu_slot *slot = viommu_pool_find(pool, addr);

	if (!slot)
		return false;
	if (WARN_ON_ONCE(!slot->size))
		return true;
	if (dir != DMA_TO_DEVICE && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		memcpy(phys_to_virt(slot->phys), viommu_slot_vaddr(slot), slot->size);
	slot->size = 0;
	viommu_pool_give(pool, slot);
	return true;
}

/**
 * viommu_pool_sync() - copy a part of a buffer
 * @pool: the pool
 * @addr: an IOVA in it
 * @size: bytes
 * @for_device: from the buffer to the slot, not back
 *
 * Return: whether it was one of the pool's.
 */
bool viommu_pool_sync(struct viommu_pool *pool, dma_addr_t addr, size_t size, bool for_device)
{
	struct viommu_slot *slot = viommu_pool_find(pool, addr);
	void *buffer, *copy;
	size_t at;

	if (!slot)
		return false;
	at = addr - viommu_slot_addr(slot);
	if (WARN_ON_ONCE(at > slot->size || size > slot->size - at))
		return true;
	buffer = phys_to_virt(slot->phys) + at;
	copy = viommu_slot_vaddr(slot) + at;
	if (for_device)
		memcpy(copy, buffer, size);
	else
		memcpy(buffer, copy, size);
	return true;
}

/* What the CPUs keep goes back to its chunks. */
static void viommu_pool_gather(struct viommu_pool *pool)
{
	unsigned int cpu, dir, size;
	unsigned long flags;

	for_each_possible_cpu(cpu) {
		struct viommu_pool_cpu *kept = per_cpu_ptr(pool->cpus, cpu);

		spin_lock_irqsave(&kept->lock, flags);
		spin_lock(&pool->lock);
		for (dir = 0; dir < VIOMMU_DIRECTIONS; dir++)
			for (size = 0; size < VIOMMU_SLOT_SIZES; size++)
				viommu_stack_drain(pool, &kept->stacks[dir][size], 0);
		spin_unlock(&pool->lock);
		spin_unlock_irqrestore(&kept->lock, flags);
	}
}

/* Chunks that nobody uses and nobody used when this was last looked at, or all free ones. */
static void viommu_pool_trim(struct viommu_pool *pool, bool all)
{
	struct viommu_chunk *chunk, *next;
	unsigned int dir, size;
	LIST_HEAD(unused);

	viommu_pool_gather(pool);
	spin_lock_irq(&pool->lock);
	for (dir = 0; dir < VIOMMU_DIRECTIONS; dir++)
		for (size = 0; size < VIOMMU_SLOT_SIZES; size++)
			list_for_each_entry_safe(chunk, next, &pool->chunks[dir][size], node) {
				if (chunk->nr_free < chunk->nr)
					continue;
				if (!chunk->idle && !all) {
					chunk->idle = true;
					continue;
				}
				list_move(&chunk->node, &unused);
				pool->nr_chunks--;
			}
	spin_unlock_irq(&pool->lock);
	viommu_chunks_free(pool, &unused);
}

static void viommu_pool_trimmer(struct work_struct *work)
{
	struct viommu_pool *pool = container_of(to_delayed_work(work), struct viommu_pool,
						trimmer);

	viommu_pool_trim(pool, false);
	if (READ_ONCE(pool->nr_chunks))
		schedule_delayed_work(&pool->trimmer, HZ);
}

/**
 * viommu_pool_alloc() - a pool for a device
 * @dev: the device
 * @space: its IOVAs
 *
 * Context: May sleep.
 * Return: the pool, without any memory yet, or NULL.
 */
struct viommu_pool *viommu_pool_alloc(struct device *dev, struct viommu_space *space)
{
	struct viommu_pool *pool = kzalloc_obj(*pool, GFP_KERNEL);
	unsigned int cpu, dir, size;

	if (!pool)
		return NULL;
	pool->cpus = alloc_percpu(struct viommu_pool_cpu);
	if (!pool->cpus) {
		kfree(pool);
		return NULL;
	}
	pool->dev = dev;
	pool->space = space;
	spin_lock_init(&pool->lock);
	xa_init_flags(&pool->by_iova, XA_FLAGS_LOCK_IRQ);
	INIT_DELAYED_WORK(&pool->trimmer, viommu_pool_trimmer);
	for (dir = 0; dir < VIOMMU_DIRECTIONS; dir++)
		for (size = 0; size < VIOMMU_SLOT_SIZES; size++)
			INIT_LIST_HEAD(&pool->chunks[dir][size]);
	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(pool->cpus, cpu)->lock);
	return pool;
}

/**
 * viommu_pool_free() - free a device's pool
 * @pool: the pool; the device does no DMA any more
 *
 * Context: May sleep.
 * Return: how many buffers its driver has forgotten to unmap.
 */
unsigned int viommu_pool_free(struct viommu_pool *pool)
{
	struct viommu_chunk *chunk;
	unsigned int forgotten = 0;
	unsigned long index;
	LIST_HEAD(used);

	cancel_delayed_work_sync(&pool->trimmer);
	viommu_pool_trim(pool, true);
	xa_for_each(&pool->by_iova, index, chunk) {
		forgotten += chunk->nr - chunk->nr_free;
		list_move(&chunk->node, &used);
	}
	viommu_chunks_free(pool, &used);
	xa_destroy(&pool->by_iova);
	free_percpu(pool->cpus);
	kfree(pool);
	return forgotten;
}
