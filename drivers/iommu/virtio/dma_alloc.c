// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a driver and its device share: coherent, and by the page.
 *
 * It is mapped as long as it exists, so no mode makes a difference to it. In one piece
 * where there is one, else out of single pages, with addresses of their own for the CPU.
 * All devices that have our operations see the processors' caches.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "dma.h"

static struct viommu_space *viommu_dma_space(struct device *dev)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);

	return master->dma->space;
}

static u64 viommu_dma_coherent_mask(struct device *dev)
{
	return min_not_zero(dev->coherent_dma_mask, dev->bus_dma_limit);
}

static void viommu_pages_free(struct page **pages, unsigned int nr)
{
	while (nr-- > 0)
		__free_page(pages[nr]);
	kvfree(pages);
}

static struct page **viommu_pages_alloc(struct device *dev, unsigned int nr, gfp_t gfp)
{
	struct page **pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL);
	unsigned int i;

	for (i = 0; pages && i < nr; i++) {
		pages[i] = alloc_pages_node(dev_to_node(dev), gfp, 0);
		if (!pages[i]) {
			viommu_pages_free(pages, i);
			return NULL;
		}
	}
	return pages;
}

static dma_addr_t viommu_pages_map(struct device *dev, struct page **pages, unsigned int nr,
				   int prot)
{
	struct viommu_space *space = viommu_dma_space(dev);
	size_t size = (size_t)nr << PAGE_SHIFT;
	dma_addr_t iova = viommu_space_take(space, size, viommu_dma_coherent_mask(dev));
	unsigned int i;
	int ret;

	if (iova == DMA_MAPPING_ERROR)
		return iova;
	for (i = 0; i < nr; i++) {
		size_t added = (size_t)i << PAGE_SHIFT;

		ret = viommu_space_add(space, iova + added, page_to_phys(pages[i]), PAGE_SIZE,
				       prot, GFP_KERNEL);
		if (ret) {
			viommu_space_undo(space, iova, size, added, ret);
			return DMA_MAPPING_ERROR;
		}
	}
	if (!viommu_space_sync(space, iova, size))
		return iova;
	viommu_space_unmap_now(space, iova, size);
	return DMA_MAPPING_ERROR;
}

/* Out of single pages. */
static void *viommu_dma_alloc_scattered(struct device *dev, size_t size, dma_addr_t *addr,
					gfp_t gfp, int prot)
{
	unsigned int nr = size >> PAGE_SHIFT;
	struct page **pages = viommu_pages_alloc(dev, nr, gfp);
	void *vaddr;

	if (!pages)
		return NULL;
	*addr = viommu_pages_map(dev, pages, nr, prot);
	if (*addr == DMA_MAPPING_ERROR)
		goto err_free;
	/* which takes the pages, for vfree() */
	vaddr = vmap(pages, nr, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
	if (!vaddr)
		goto err_unmap;
	return vaddr;

err_unmap:
	viommu_space_unmap_now(viommu_dma_space(dev), *addr, size);
err_free:
	viommu_pages_free(pages, nr);
	return NULL;
}

/**
 * viommu_dma_alloc() - allocate coherent memory
 * @dev: the device
 * @size: bytes
 * @addr: where its IOVA goes
 * @gfp: how to allocate
 * @attrs: DMA_ATTR_*
 *
 * Context: As @gfp says.
 * Return: the memory, zeroed, or NULL.
 */
void *viommu_dma_alloc(struct device *dev, size_t size, dma_addr_t *addr, gfp_t gfp,
		       unsigned long attrs)
{
	int prot = viommu_dma_prot(DMA_BIDIRECTIONAL);
	bool scattered;
	void *vaddr;

	size = PAGE_ALIGN(size);
	/* Any memory will do, since it is translated. */
	gfp &= ~(__GFP_COMP | __GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM);
	gfp |= __GFP_ZERO;
	scattered = gfpflags_allow_blocking(gfp) && size > PAGE_SIZE &&
		    !(attrs & DMA_ATTR_FORCE_CONTIGUOUS);
	vaddr = alloc_pages_exact(size, scattered ? gfp | __GFP_NOWARN | __GFP_NORETRY : gfp);
	if (!vaddr)
		return scattered ? viommu_dma_alloc_scattered(dev, size, addr, gfp, prot) : NULL;
	*addr = viommu_space_map(viommu_dma_space(dev), virt_to_phys(vaddr), size, prot,
				 viommu_dma_coherent_mask(dev), gfp);
	if (*addr != DMA_MAPPING_ERROR)
		return vaddr;
	free_pages_exact(vaddr, size);
	return NULL;
}

/**
 * viommu_dma_free() - free coherent memory
 * @dev: the device
 * @size: bytes
 * @vaddr: the memory
 * @addr: its IOVA
 * @attrs: DMA_ATTR_*
 *
 * Context: Any, as long as it is in one piece; what was allocated where the caller may
 * sleep is freed there.
 */
void viommu_dma_free(struct device *dev, size_t size, void *vaddr, dma_addr_t addr,
		     unsigned long attrs)
{
	size = PAGE_ALIGN(size);
	viommu_space_unmap_now(viommu_dma_space(dev), addr, size);
	if (is_vmalloc_addr(vaddr))
		vfree(vaddr);
	else
		free_pages_exact(vaddr, size);
}

/**
 * viommu_dma_alloc_pages() - allocate pages that are mapped
 * @dev: the device
 * @size: bytes
 * @addr: where their IOVA goes
 * @dir: which way their data go
 * @gfp: how to allocate
 *
 * Context: As @gfp says.
 * Return: the first page, or NULL.
 */
struct page *viommu_dma_alloc_pages(struct device *dev, size_t size, dma_addr_t *addr,
				    enum dma_data_direction dir, gfp_t gfp)
{
	struct page *page = alloc_pages_node(dev_to_node(dev), gfp | __GFP_ZERO,
					     get_order(size));

	if (!page)
		return NULL;
	*addr = viommu_space_map(viommu_dma_space(dev), page_to_phys(page), size,
				 viommu_dma_prot(dir), viommu_dma_coherent_mask(dev), gfp);
	if (*addr != DMA_MAPPING_ERROR)
		return page;
	__free_pages(page, get_order(size));
	return NULL;
}

/**
 * viommu_dma_free_pages() - free them
 * @dev: the device
 * @size: bytes
 * @page: the first page
 * @addr: their IOVA
 * @dir: which way their data went
 *
 * Context: Any.
 */
void viommu_dma_free_pages(struct device *dev, size_t size, struct page *page, dma_addr_t addr,
			   enum dma_data_direction dir)
{
	viommu_space_unmap_now(viommu_dma_space(dev), addr, size);
	__free_pages(page, get_order(size));
}

static struct page *viommu_dma_page(void *vaddr)
{
	return is_vmalloc_addr(vaddr) ? vmalloc_to_page(vaddr) : virt_to_page(vaddr);
}

/**
 * viommu_dma_mmap() - map coherent memory into a process
 * @dev: the device
 * @vma: where
 * @vaddr: the memory
 * @addr: its IOVA
 * @size: bytes
 * @attrs: DMA_ATTR_*
 *
 * Context: May sleep.
 * Return: 0; -ENXIO where it is too small; an errno of remap_pfn_range().
 */
int viommu_dma_mmap(struct device *dev, struct vm_area_struct *vma, void *vaddr,
		    dma_addr_t addr, size_t size, unsigned long attrs)
{
	unsigned long i, nr = vma_pages(vma), all = PAGE_ALIGN(size) >> PAGE_SHIFT;
	int ret = 0;

	if (vma->vm_pgoff >= all || nr > all - vma->vm_pgoff)
		return -ENXIO;
	vaddr += vma->vm_pgoff << PAGE_SHIFT;
	if (!is_vmalloc_addr(vaddr))
		return remap_pfn_range(vma, vma->vm_start, page_to_pfn(virt_to_page(vaddr)),
				       nr << PAGE_SHIFT, vma->vm_page_prot);
	for (i = 0; i < nr && !ret; i++)
		ret = remap_pfn_range(vma, vma->vm_start + (i << PAGE_SHIFT),
				      page_to_pfn(viommu_dma_page(vaddr + (i << PAGE_SHIFT))),
				      PAGE_SIZE, vma->vm_page_prot);
	return ret;
}

/**
 * viommu_dma_get_sgtable() - coherent memory as a scatterlist
 * @dev: the device
 * @table: where it goes
 * @vaddr: the memory
 * @addr: its IOVA
 * @size: bytes
 * @attrs: DMA_ATTR_*
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int viommu_dma_get_sgtable(struct device *dev, struct sg_table *table, void *vaddr,
			   dma_addr_t addr, size_t size, unsigned long attrs)
{
	unsigned int i, nr = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct page **pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL);
	int ret;

	if (!pages)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		pages[i] = viommu_dma_page(vaddr + ((size_t)i << PAGE_SHIFT));
	ret = sg_alloc_table_from_pages(table, pages, nr, 0, size, GFP_KERNEL);
	kvfree(pages);
	return ret;
}
