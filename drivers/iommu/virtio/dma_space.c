// SPDX-License-Identifier: GPL-2.0
/*
 * The IOVAs of a domain whose devices have our DMA operations.
 *
 * What the kernel's own operations do for a domain: an IOVA for each buffer, from the
 * kernel's allocator, a MAP, an UNMAP, and in a lazy domain one flush for many UNMAPs.
 * While a space exists no device of the domain's group has the kernel's operations. What
 * the kernel maps in it all the same are pages for interrupts to be written to, on
 * architectures that have them translated: what it has mapped is left alone, and it takes
 * more from the top of what it thinks is empty, where some pages stay free. Where both
 * choose the same IOVA all the same, the second one has an error, and we never try that
 * one again.
 *
 * Context of all but viommu_space_alloc() and viommu_space_free(): any.
 */
#include <linux/pci.h>
#include <linux/slab.h>

#include "dma.h"

/* As the kernel does it. */
#define VIOMMU_SPACE_LAZY_MS	10

/* Pages at the top that the kernel's operations may want, for interrupts. */
#define VIOMMU_SPACE_TOP	16

static unsigned long viommu_space_pages(dma_addr_t addr, size_t size)
{
	return (offset_in_page(addr) + size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* Free what was flushed. */
static void viommu_space_retire(struct viommu_space *space)
{
	lockdep_assert_held(&space->lock);
	while (space->head != space->tail) {
		unsigned int i = space->head % VIOMMU_SPACE_LAZY;

		if (space->ring[i].started >= space->done)
			return;
		free_iova_fast(&space->iovad, space->ring[i].pfn, space->ring[i].nr);
		space->head++;
	}
}

/* Return: whether something waits still, which was unmapped meanwhile. */
static bool viommu_space_flush(struct viommu_space *space)
{
	unsigned long flags;
	u64 number;
	bool more;

	spin_lock_irqsave(&space->lock, flags);
	number = ++space->started;
	spin_unlock_irqrestore(&space->lock, flags);
	viommu_domain_drain(space->domain);
	spin_lock_irqsave(&space->lock, flags);
	space->done = max(space->done, number);
	viommu_space_retire(space);
	more = space->head != space->tail;
	spin_unlock_irqrestore(&space->lock, flags);
	return more;
}

static void viommu_space_flush_later(struct viommu_space *space)
{
	schedule_delayed_work(&space->flusher, msecs_to_jiffies(VIOMMU_SPACE_LAZY_MS));
}

static void viommu_space_flusher(struct work_struct *work)
{
	struct viommu_space *space = container_of(to_delayed_work(work), struct viommu_space,
						  flusher);

	if (viommu_space_flush(space))
		viommu_space_flush_later(space);
}

/* Return: whether there was room. */
static bool viommu_space_defer(struct viommu_space *space, unsigned long pfn, unsigned long nr)
{
	bool first, room;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&space->lock, flags);
	first = space->head == space->tail;
	room = space->tail - space->head < VIOMMU_SPACE_LAZY;
	if (room) {
		i = space->tail++ % VIOMMU_SPACE_LAZY;
		space->ring[i].pfn = pfn;
		space->ring[i].nr = nr;
		space->ring[i].started = space->started;
	}
	spin_unlock_irqrestore(&space->lock, flags);
	if (first)
		viommu_space_flush_later(space);
	return room;
}

/**
 * viommu_space_take() - IOVAs for a mapping
 * @space: the space
 * @size: how many, a multiple of PAGE_SIZE
 * @mask: the last one that the device can use
 *
 * They are aligned to their number, rounded up to a power of two.
 *
 * Return: the first, or DMA_MAPPING_ERROR.
 */
dma_addr_t viommu_space_take(struct viommu_space *space, size_t size, u64 mask)
{
	unsigned long nr = size >> PAGE_SHIFT, pfn = 0;

	mask = min_t(u64, mask, space->limit);
	/* Most devices can use these, and some say wrongly that they can use more. */
	if (mask > DMA_BIT_MASK(32))
		pfn = alloc_iova_fast(&space->iovad, nr, DMA_BIT_MASK(32) >> PAGE_SHIFT, false);
	if (!pfn)
		pfn = alloc_iova_fast(&space->iovad, nr, mask >> PAGE_SHIFT, true);
	return pfn ? (dma_addr_t)pfn << PAGE_SHIFT : DMA_MAPPING_ERROR;
}

/**
 * viommu_space_give() - give IOVAs back, of which nothing is mapped
 * @space: the space
 * @iova: what viommu_space_take() returned
 * @size: how many
 */
void viommu_space_give(struct viommu_space *space, dma_addr_t iova, size_t size)
{
	free_iova_fast(&space->iovad, iova >> PAGE_SHIFT, size >> PAGE_SHIFT);
}

/**
 * viommu_space_add() - add a mapping, for viommu_space_sync() to put into effect
 * @space: the space
 * @iova: first IOVA
 * @phys: physical address
 * @size: bytes; a multiple of PAGE_SIZE like both
 * @prot: IOMMU_*
 * @gfp: how to allocate
 *
 * Return: 0, or an errno of viommu_domain_map_pages().
 */
int viommu_space_add(struct viommu_space *space, dma_addr_t iova, phys_addr_t phys, size_t size,
		     int prot, gfp_t gfp)
{
	size_t mapped = 0;

	return viommu_domain_map_pages(&space->domain->domain, iova, phys, PAGE_SIZE,
				       size >> PAGE_SHIFT, prot, gfp, &mapped);
}

/**
 * viommu_space_sync() - have the host make the mappings of a range
 * @space: the space
 * @iova: first IOVA
 * @size: bytes
 *
 * Return: 0, or an errno of viommu_domain_sync_map(): then some may be mapped.
 */
int viommu_space_sync(struct viommu_space *space, dma_addr_t iova, size_t size)
{
	return viommu_domain_sync_map(&space->domain->domain, iova, size);
}

/**
 * viommu_space_undo() - after a viommu_space_add() that failed
 * @space: the space
 * @iova: what viommu_space_take() returned
 * @size: how many
 * @added: how many of them, from the first on, were added before
 * @ret: why it failed
 *
 * What somebody else has mapped there stays, and its IOVAs are not given out again.
 */
void viommu_space_undo(struct viommu_space *space, dma_addr_t iova, size_t size, size_t added,
		       int ret)
{
	if (added) {
		viommu_space_remove(space, iova, added);
		viommu_domain_drain(space->domain);
	}
	if (ret != -EEXIST && ret != -EBUSY && ret != -EADDRNOTAVAIL)
		viommu_space_give(space, iova, size);
}

/**
 * viommu_space_map() - map a buffer
 * @space: the space
 * @phys: where it is
 * @size: its bytes, at least one
 * @prot: IOMMU_*
 * @mask: the last IOVA that the device can use
 * @gfp: how to allocate
 *
 * Return: its IOVA, at the same offset in a page, or DMA_MAPPING_ERROR.
 */
dma_addr_t viommu_space_map(struct viommu_space *space, phys_addr_t phys, size_t size, int prot,
			    u64 mask, gfp_t gfp)
{
	size_t bytes = viommu_space_pages(phys, size) << PAGE_SHIFT;
	dma_addr_t iova = viommu_space_take(space, bytes, mask);
	int ret;

	if (iova == DMA_MAPPING_ERROR)
		return iova;
	ret = viommu_space_add(space, iova, phys & PAGE_MASK, bytes, prot, gfp);
	if (ret) {
		viommu_space_undo(space, iova, bytes, 0, ret);
		return DMA_MAPPING_ERROR;
	}
	if (viommu_space_sync(space, iova, bytes)) {
		viommu_space_unmap_now(space, iova, bytes);
		return DMA_MAPPING_ERROR;
	}
	return iova + offset_in_page(phys);
}

/**
 * viommu_space_remove() - unmap, for viommu_domain_drain() to put into effect
 * @space: the space
 * @iova: first IOVA
 * @size: bytes; a multiple of PAGE_SIZE like it
 */
void viommu_space_remove(struct viommu_space *space, dma_addr_t iova, size_t size)
{
	viommu_domain_unmap_pages(&space->domain->domain, iova, PAGE_SIZE, size >> PAGE_SHIFT,
				  NULL);
}

/**
 * viommu_space_unmap_now() - unmap a buffer, out of reach when this returns
 * @space: the space
 * @addr: its IOVA
 * @size: its bytes
 */
void viommu_space_unmap_now(struct viommu_space *space, dma_addr_t addr, size_t size)
{
	unsigned long nr = viommu_space_pages(addr, size), pfn = addr >> PAGE_SHIFT;

	viommu_space_remove(space, (dma_addr_t)pfn << PAGE_SHIFT, nr << PAGE_SHIFT);
	viommu_domain_drain(space->domain);
	free_iova_fast(&space->iovad, pfn, nr);
}

/**
 * viommu_space_unmap() - unmap a buffer, as strictly or lazily as the domain is
 * @space: the space
 * @addr: its IOVA
 * @size: its bytes
 */
void viommu_space_unmap(struct viommu_space *space, dma_addr_t addr, size_t size)
{
	unsigned long nr = viommu_space_pages(addr, size), pfn = addr >> PAGE_SHIFT;

	if (space->domain->domain.type != IOMMU_DOMAIN_DMA_FQ) {
		viommu_space_unmap_now(space, addr, size);
		return;
	}
	viommu_space_remove(space, (dma_addr_t)pfn << PAGE_SHIFT, nr << PAGE_SHIFT);
	if (viommu_space_defer(space, pfn, nr))
		return;
	viommu_space_flush(space);
	free_iova_fast(&space->iovad, pfn, nr);
}

/* That it is not for buffers is known when the space is freed as well. */
static int viommu_space_keep(struct viommu_space *space, u64 start, u64 last)
{
	struct viommu_kept *kept;

	kept = krealloc(space->kept, (space->nr_kept + 1) * sizeof(*kept), GFP_KERNEL);
	if (!kept)
		return -ENOMEM;
	space->kept = kept;
	kept[space->nr_kept].start = start;
	kept[space->nr_kept++].last = last;
	return 0;
}

/* Whether all from one IOVA to another is. */
static bool viommu_space_is_kept(const struct viommu_space *space, u64 start, u64 last)
{
	unsigned int i;

	for (i = 0; i < space->nr_kept; i++)
		if (space->kept[i].start <= start && last <= space->kept[i].last)
			return true;
	return false;
}

static int viommu_space_reserve(struct viommu_space *space, u64 start, u64 last)
{
	unsigned long first = start >> PAGE_SHIFT;

	last = min_t(u64, last, space->limit);
	start = (u64)first << PAGE_SHIFT;
	if (start > last)
		return 0;
	last |= PAGE_SIZE - 1;
	if (viommu_space_is_kept(space, start, last))
		return 0;
	if (!reserve_iova(&space->iovad, first, last >> PAGE_SHIFT))
		return -ENOMEM;
	return viommu_space_keep(space, start, last);
}

/* The first mapping from an IOVA on, and VIRTIO_IOMMU_MAP_F_*. Return: whether there is one. */
static bool viommu_space_next(struct viommu_space *space, u64 *start, u64 *last, u32 *access)
{
	struct viommu_domain *domain = space->domain;
	struct viommu_mapping *mapping;
	unsigned long flags;

	spin_lock_irqsave(&domain->lock, flags);
	mapping = viommu_store_first(&domain->store, *start, U64_MAX);
	if (mapping) {
		*start = mapping->start;
		*last = mapping->last;
		*access = mapping->flags;
	}
	spin_unlock_irqrestore(&domain->lock, flags);
	return mapping;
}

/* What somebody has mapped there: the kernel, for interrupts, or the driver. */
static int viommu_space_reserve_mapped(struct viommu_space *space)
{
	u64 start = 0, last = 0;
	int ret = 0;
	u32 access;

	while (!ret && viommu_space_next(space, &start, &last, &access)) {
		ret = viommu_space_reserve(space, start, last);
		start = last + 1;
		if (!start)
			break;
	}
	return ret;
}

/*
 * What drivers have forgotten to unmap, but registers that are only written: those may be the
 * kernel's, for interrupts. Return: how many mappings.
 */
static unsigned int viommu_space_sweep(struct viommu_space *space)
{
	const u32 interrupts = VIRTIO_IOMMU_MAP_F_WRITE | VIRTIO_IOMMU_MAP_F_MMIO;
	u64 start = 0, last = 0;
	unsigned int nr = 0;
	u32 access;

	while (viommu_space_next(space, &start, &last, &access)) {
		if (access != interrupts && !viommu_space_is_kept(space, start, last)) {
			viommu_space_remove(space, start, last - start + 1);
			nr++;
		}
		start = last + 1;
		if (!start)
			break;
	}
	if (nr)
		viommu_domain_drain(space->domain);
	return nr;
}

/* The highest pages that are free, up to a limit; fewer where there are no more. */
static int viommu_space_reserve_top(struct viommu_space *space, u64 limit)
{
	struct iova *iova;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < VIOMMU_SPACE_TOP && !ret; i++) {
		u64 start;

		iova = alloc_iova(&space->iovad, 1, limit >> PAGE_SHIFT, false);
		if (!iova)
			continue;
		start = (u64)iova->pfn_lo << PAGE_SHIFT;
		ret = viommu_space_keep(space, start, start + PAGE_SIZE - 1);
	}
	return ret;
}

/*
 * Where the bus sends what a device does to another device, or nowhere: past the IOMMU, as
 * some hosts have it, which refuse such an address.
 */
static int viommu_space_reserve_windows(struct viommu_space *space, struct pci_dev *pdev)
{
	struct pci_host_bridge *bridge = pci_find_host_bridge(pdev->bus);
	struct resource_entry *window;
	u64 next = 0;
	int ret = 0;

	resource_list_for_each_entry(window, &bridge->windows)
		if (!ret && resource_type(window->res) == IORESOURCE_MEM)
			ret = viommu_space_reserve(space, window->res->start - window->offset,
						   window->res->end - window->offset);
	if (ret || list_empty(&bridge->dma_ranges))
		return ret;
	/* They are in order: what is between them the bridge does not take. */
	resource_list_for_each_entry(window, &bridge->dma_ranges) {
		u64 start = window->res->start - window->offset;

		if (start > next)
			ret = ret ?: viommu_space_reserve(space, next, start - 1);
		next = window->res->end - window->offset + 1;
		if (!next)
			return ret;
	}
	return ret ?: viommu_space_reserve(space, next, U64_MAX);
}

/**
 * viommu_space_admit() - leave out what a device cannot use
 * @space: the space
 * @dev: the device, of the domain's group
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int viommu_space_admit(struct viommu_space *space, struct device *dev)
{
	struct viommu_regions *regions = &space->domain->regions;
	unsigned int i;
	int ret = 0;

	scoped_guard(mutex, &space->domain->viommu->endpoints_lock)
		for (i = 0; i < regions->nr && !ret; i++)
			ret = viommu_space_reserve(space, regions->entries[i].start,
						   regions->entries[i].last);
	if (!ret && dev_is_pci(dev))
		ret = viommu_space_reserve_windows(space, to_pci_dev(dev));
	return ret;
}

/* Before the kernel may take its own from the top: what it leaves out as well. */
static int viommu_space_reserve_all(struct viommu_space *space, struct device *dev)
{
	int ret = viommu_space_admit(space, dev);

	if (IS_ENABLED(CONFIG_X86))
		ret = ret ?: viommu_space_reserve(space, VIOMMU_X86_MSI_START,
						  VIOMMU_X86_MSI_LAST);
	ret = ret ?: viommu_space_reserve_mapped(space);
	ret = ret ?: viommu_space_reserve_top(space, min_t(u64, space->limit, DMA_BIT_MASK(32)));
	return ret ?: viommu_space_reserve_top(space, space->limit);
}

/**
 * viommu_space_alloc() - a space for a domain
 * @domain: the domain, of a group of whose devices none has a driver that does DMA yet
 * @dev: the first one that is to have a driver
 *
 * Context: May sleep.
 * Return: the space, or NULL.
 */
struct viommu_space *viommu_space_alloc(struct viommu_domain *domain, struct device *dev)
{
	struct viommu_space *space = kzalloc_obj(*space, GFP_KERNEL);
	const struct viommu_limits *limits = &domain->viommu->limits;

	if (!space)
		return NULL;
	space->domain = domain;
	space->limit = limits->input_last;
	spin_lock_init(&space->lock);
	INIT_DELAYED_WORK(&space->flusher, viommu_space_flusher);
	if (iova_cache_get())
		goto err_free;
	/* 0 is no address, for some drivers. */
	init_iova_domain(&space->iovad, PAGE_SIZE,
			 max(limits->input_start >> PAGE_SHIFT, 1UL));
	if (iova_domain_init_rcaches(&space->iovad))
		goto err_iovad;
	if (viommu_space_reserve_all(space, dev))
		goto err_iovad;
	return space;

err_iovad:
	put_iova_domain(&space->iovad);
	iova_cache_put();
	kfree(space->kept);
err_free:
	kfree(space);
	return NULL;
}

/**
 * viommu_space_free() - free a space
 * @space: the space; no device of its domain does DMA any more
 *
 * What is still mapped, as its driver has forgotten it, is unmapped: the kernel's operations
 * know nothing of it.
 *
 * Context: May sleep.
 * Return: how many mappings that were.
 */
unsigned int viommu_space_free(struct viommu_space *space)
{
	unsigned int forgotten;

	cancel_delayed_work_sync(&space->flusher);
	viommu_space_flush(space);
	forgotten = viommu_space_sweep(space);
	put_iova_domain(&space->iovad);
	iova_cache_put();
	kfree(space->kept);
	kfree(space);
	return forgotten;
}
