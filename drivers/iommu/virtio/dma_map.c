// SPDX-License-Identifier: GPL-2.0
/*
 * What our DMA operations do with a buffer.
 *
 * Each tries the device's mode first (dma_pool.c, dma_warm.c). What that does not take,
 * since it is too large or there is no room, goes the ordinary way (dma_space.c). An address
 * tells which way it went.
 *
 * A scatterlist goes one way as a whole.
 */
#include <linux/memremap.h>
#include <linux/scatterlist.h>

#include "dma.h"

static struct viommu_dma *viommu_dma_of(struct device *dev)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);

	return master->dma;
}

/**
 * viommu_dma_prot() - what a device may do with a buffer
 * @dir: which way its data go
 *
 * Context: Any.
 * Return: IOMMU_*.
 */
int viommu_dma_prot(enum dma_data_direction dir)
{
	int prot = 0;

	if (dir != DMA_FROM_DEVICE)
		prot |= IOMMU_READ;
	if (dir != DMA_TO_DEVICE)
		prot |= IOMMU_WRITE;
	return prot;
}

/**
 * viommu_dma_mask() - the last address that a device can use for streaming DMA
 * @dev: the device
 *
 * Context: Any.
 * Return: the address.
 */
u64 viommu_dma_mask(struct device *dev)
{
	return min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

static dma_addr_t viommu_dma_map_cheaply(struct viommu_dma *dma, phys_addr_t phys, size_t size,
					 enum dma_data_direction dir, unsigned long attrs)
{
	switch (dma->mode) {
	case VIOMMU_DMA_BOUNCE:
		/* which both sides use at a time, without a sync */
		if (attrs & DMA_ATTR_REQUIRE_COHERENT)
			return DMA_MAPPING_ERROR;
		return viommu_pool_map(dma->pool, phys, size, dir);
	case VIOMMU_DMA_REUSE:
		return viommu_warm_map(dma->warm, phys, size, dir);
	default:
		return DMA_MAPPING_ERROR;
	}
}

/**
 * viommu_dma_map() - map a buffer
 * @dev: the device
 * @phys: where it is
 * @size: its bytes
 * @dir: which way its data go
 * @attrs: DMA_ATTR_*
 *
 * Context: Any.
 * Return: its IOVA, or DMA_MAPPING_ERROR.
 */
dma_addr_t viommu_dma_map(struct device *dev, phys_addr_t phys, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	struct viommu_dma *dma = viommu_dma_of(dev);
	dma_addr_t addr = viommu_dma_map_cheaply(dma, phys, size, dir, attrs);

	if (addr != DMA_MAPPING_ERROR)
		return addr;
	return viommu_space_map(dma->space, phys, size, viommu_dma_prot(dir),
				viommu_dma_mask(dev), GFP_ATOMIC);
}

/**
 * viommu_dma_map_mmio() - map registers of another device
 * @dev: the device
 * @phys: where they are
 * @size: their bytes
 * @dir: which way data go
 * @attrs: DMA_ATTR_*
 *
 * Context: Any.
 * Return: their IOVA, or DMA_MAPPING_ERROR.
 */
dma_addr_t viommu_dma_map_mmio(struct device *dev, phys_addr_t phys, size_t size,
			       enum dma_data_direction dir, unsigned long attrs)
{
	return viommu_space_map(viommu_dma_of(dev)->space, phys, size,
				viommu_dma_prot(dir) | IOMMU_MMIO, viommu_dma_mask(dev),
				GFP_ATOMIC);
}

static bool viommu_dma_unmap_cheaply(struct viommu_dma *dma, dma_addr_t addr,
				     enum dma_data_direction dir, unsigned long attrs)
{
	switch (dma->mode) {
	case VIOMMU_DMA_BOUNCE:
		return viommu_pool_unmap(dma->pool, addr, dir, attrs);
	case VIOMMU_DMA_REUSE:
		return viommu_warm_unmap(dma->warm, addr);
	default:
		return false;
	}
}

/**
 * viommu_dma_unmap() - unmap a buffer
 * @dev: the device
 * @addr: its IOVA
 * @size: its bytes
 * @dir: which way its data went
 * @attrs: DMA_ATTR_*
 *
 * Context: Any.
 */
void viommu_dma_unmap(struct device *dev, dma_addr_t addr, size_t size,
		      enum dma_data_direction dir, unsigned long attrs)
{
	struct viommu_dma *dma = viommu_dma_of(dev);

	if (!viommu_dma_unmap_cheaply(dma, addr, dir, attrs))
		viommu_space_unmap(dma->space, addr, size);
}

/* Each of them by itself, or none. Return: how many, or 0. */
static int viommu_dma_map_sg_cheaply(struct viommu_dma *dma, struct scatterlist *sg, int nents,
				     enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *s;
	int i, j;

	for_each_sg(sg, s, nents, i) {
		dma_addr_t addr = viommu_dma_map_cheaply(dma, sg_phys(s), s->length, dir,
							 attrs);

		if (addr == DMA_MAPPING_ERROR)
			break;
		sg_dma_address(s) = addr;
		sg_dma_len(s) = s->length;
	}
	if (i == nents)
		return nents;
	for_each_sg(sg, s, i, j)
		viommu_dma_unmap_cheaply(dma, sg_dma_address(s), dir, DMA_ATTR_SKIP_CPU_SYNC);
	return 0;
}

/* Whether the mode is to take a scatterlist of so many bytes. */
static bool viommu_dma_sg_is_small(struct viommu_dma *dma, struct scatterlist *sg, int nents)
{
	size_t size = 0;
	int i;

	if (dma->mode != VIOMMU_DMA_BOUNCE)
		return dma->mode != VIOMMU_DMA_ORDINARY;
	for_each_sg(sg, sg, nents, i)
		size += sg->length;
	return size <= viommu_pool_max(dma->pool);
}

/* What an entry of a scatterlist takes: whole pages, and none where it is empty. */
static size_t viommu_dma_entry_size(const struct scatterlist *s)
{
	return s->length ? PAGE_ALIGN(offset_in_page(s->offset) + s->length) : 0;
}

/* The same when the device's boundary is not to be crossed by it: where it begins, from @at. */
static size_t viommu_dma_entry_place(struct device *dev, const struct scatterlist *s, size_t at)
{
	unsigned long mask = dma_get_seg_boundary(dev);
	size_t room = (mask - at + 1) & mask;

	return room && room < viommu_dma_entry_size(s) ? at + room : at;
}

/* From the first entry's begin to the last one's end. */
static size_t viommu_dma_sg_bytes(struct device *dev, struct scatterlist *sg, int nents)
{
	size_t at = 0;
	int i;

	for_each_sg(sg, sg, nents, i)
		at = viommu_dma_entry_place(dev, sg, at) + viommu_dma_entry_size(sg);
	return at;
}

/* Entries behind each other become one, as far as the device can do it. Return: how many. */
static int viommu_dma_sg_merge(struct device *dev, struct scatterlist *sg, int nents,
			       dma_addr_t iova)
{
	unsigned long boundary = dma_get_seg_boundary(dev);
	unsigned int max = dma_get_max_seg_size(dev);
	struct scatterlist *s, *into = NULL;
	size_t at = 0;
	int i, nr = 0;

	for_each_sg(sg, s, nents, i) {
		unsigned int len = s->length;
		dma_addr_t addr;

		at = viommu_dma_entry_place(dev, s, at);
		addr = iova + at + offset_in_page(s->offset);
		at += viommu_dma_entry_size(s);
		if (!len)
			continue;
		if (into && addr == sg_dma_address(into) + sg_dma_len(into) &&
		    sg_dma_len(into) <= max && len <= max - sg_dma_len(into) &&
		    !((sg_dma_address(into) ^ (addr + len - 1)) & ~(u64)boundary)) {
			sg_dma_len(into) += len;
			continue;
		}
		into = into ? sg_next(into) : sg;
		sg_dma_address(into) = addr;
		sg_dma_len(into) = len;
		nr++;
	}
	/* nobody is to take what an earlier mapping has left there for addresses */
	for (i = nr; i < nents; i++) {
		into = sg_next(into);
		sg_dma_address(into) = DMA_MAPPING_ERROR;
		sg_dma_len(into) = 0;
	}
	return nr;
}

/**
 * viommu_dma_map_sg() - map a scatterlist
 * @dev: the device
 * @sg: the scatterlist
 * @nents: its entries
 * @dir: which way the data go
 * @attrs: DMA_ATTR_*
 *
 * The ordinary way its entries lie behind each other, for the device they are merged where
 * that leaves no gap, and the host is told of all at once.
 *
 * Context: Any.
 * Return: how many the device sees; -EINVAL where there is nothing in it; -ENOMEM, -EIO or
 * -EREMOTEIO.
 */
int viommu_dma_map_sg(struct device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, unsigned long attrs)
{
	struct viommu_dma *dma = viommu_dma_of(dev);
	int i, ret, prot = viommu_dma_prot(dir);
	size_t bytes, at = 0;
	struct scatterlist *s;
	dma_addr_t iova;

	/* Memory of another device, which only the kernel's operations know. */
	for_each_sg(sg, s, nents, i)
		if (is_pci_p2pdma_page(sg_page(s)))
			return -EREMOTEIO;
	if (viommu_dma_sg_is_small(dma, sg, nents) &&
	    viommu_dma_map_sg_cheaply(dma, sg, nents, dir, attrs))
		return nents;

	bytes = viommu_dma_sg_bytes(dev, sg, nents);
	if (!bytes)
		return -EINVAL;
	iova = viommu_space_take(dma->space, bytes, viommu_dma_mask(dev));
	if (iova == DMA_MAPPING_ERROR)
		return -ENOMEM;
	for_each_sg(sg, s, nents, i) {
		size_t size = viommu_dma_entry_size(s);

		at = viommu_dma_entry_place(dev, s, at);
		ret = size ? viommu_space_add(dma->space, iova + at, sg_phys(s) & PAGE_MASK, size,
					      prot, GFP_ATOMIC) : 0;
		if (ret) {
			viommu_space_undo(dma->space, iova, bytes, at, ret);
			return ret == -ENOMEM ? ret : -EIO;
		}
		at += size;
	}
	ret = viommu_space_sync(dma->space, iova, bytes);
	if (!ret)
		return viommu_dma_sg_merge(dev, sg, nents, iova);
	viommu_space_unmap_now(dma->space, iova, bytes);
	return ret == -ENOMEM ? ret : -EIO;
}

/**
 * viommu_dma_unmap_sg() - unmap a scatterlist
 * @dev: the device
 * @sg: the scatterlist
 * @nents: its entries, when it was mapped
 * @dir: which way the data went
 * @attrs: DMA_ATTR_*
 *
 * Context: Any.
 */
void viommu_dma_unmap_sg(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct viommu_dma *dma = viommu_dma_of(dev);
	dma_addr_t addr = sg_dma_address(sg), end = addr;
	struct scatterlist *s;
	int i;

	if (!viommu_dma_unmap_cheaply(dma, addr, dir, attrs)) {
		for_each_sg(sg, s, nents, i) {
			if (!sg_dma_len(s))
				break;
			end = sg_dma_address(s) + sg_dma_len(s);
		}
		viommu_space_unmap(dma->space, addr, end - addr);
		return;
	}
	for_each_sg(sg_next(sg), s, nents - 1, i)
		viommu_dma_unmap_cheaply(dma, sg_dma_address(s), dir, attrs);
}

/* Return: whether there was anything to be done. */
static bool viommu_dma_sync(struct device *dev, dma_addr_t addr, size_t size, bool for_device)
{
	struct viommu_dma *dma = viommu_dma_of(dev);

	return dma->mode == VIOMMU_DMA_BOUNCE &&
	       viommu_pool_sync(dma->pool, addr, size, for_device);
}

/* Entries that were merged have no address, but then the first one is not the pool's. */
static void viommu_dma_sync_sg(struct device *dev, struct scatterlist *sg, int nents,
			       bool for_device)
{
	int i;

	for_each_sg(sg, sg, nents, i)
		if (!viommu_dma_sync(dev, sg_dma_address(sg), sg->length, for_device))
			return;
}

/**
 * viommu_dma_sync_for_cpu() - let the CPU see what the device wrote
 * @dev: the device
 * @addr: an IOVA of a mapped buffer
 * @size: bytes
 * @dir: which way the data go
 *
 * Context: Any.
 */
void viommu_dma_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		viommu_dma_sync(dev, addr, size, false);
}

/**
 * viommu_dma_sync_for_device() - let the device see what the CPU wrote
 * @dev: the device
 * @addr: an IOVA of a mapped buffer
 * @size: bytes
 * @dir: which way the data go
 *
 * Context: Any.
 */
void viommu_dma_sync_for_device(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	if (dir != DMA_FROM_DEVICE)
		viommu_dma_sync(dev, addr, size, true);
}

/**
 * viommu_dma_sync_sg_for_cpu() - the same for a scatterlist
 * @dev: the device
 * @sg: the scatterlist
 * @nents: its entries, when it was mapped
 * @dir: which way the data go
 *
 * Context: Any.
 */
void viommu_dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
				enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		viommu_dma_sync_sg(dev, sg, nents, false);
}

/**
 * viommu_dma_sync_sg_for_device() - the same for a scatterlist
 * @dev: the device
 * @sg: the scatterlist
 * @nents: its entries, when it was mapped
 * @dir: which way the data go
 *
 * Context: Any.
 */
void viommu_dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
				   enum dma_data_direction dir)
{
	if (dir != DMA_FROM_DEVICE)
		viommu_dma_sync_sg(dev, sg, nents, true);
}

/**
 * viommu_dma_max_mapping_size() - how large a buffer may be
 * @dev: the device
 *
 * Context: Any.
 * Return: no bound: what is too large for the mode goes the ordinary way.
 */
size_t viommu_dma_max_mapping_size(struct device *dev)
{
	return SIZE_MAX;
}

/**
 * viommu_dma_opt_mapping_size() - up to where the allocator of IOVAs is fast
 *
 * Context: Any.
 * Return: bytes.
 */
size_t viommu_dma_opt_mapping_size(void)
{
	/* what its caches have, for each CPU */
	return PAGE_SIZE << 5;
}
