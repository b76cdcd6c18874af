/* SPDX-License-Identifier: GPL-2.0 */
/* A list without chains. Entries of requests have a buffer, those of DMA pages. */
#ifndef _VIOMMU_USER_SCATTERLIST_H
#define _VIOMMU_USER_SCATTERLIST_H

#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <string.h>

struct scatterlist {
	void *buffer;
	struct page *page;
	unsigned int offset;
	unsigned int length;
	bool last;
	dma_addr_t dma_address;
	unsigned int dma_length;
};

#define sg_dma_address(sg)	((sg)->dma_address)
#define sg_dma_len(sg)		((sg)->dma_length)

#define for_each_sg(list, sg, nr, i)					\
	for ((i) = 0, (sg) = (list); (i) < (nr); (i)++, (sg) = sg_next(sg))

static inline void sg_init_table(struct scatterlist *sg, unsigned int nr)
{
	memset(sg, 0, nr * sizeof(*sg));
	sg[nr - 1].last = true;
}

static inline void sg_set_buf(struct scatterlist *sg, const void *buffer, unsigned int length)
{
	sg->buffer = (void *)buffer;
	sg->length = length;
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int length,
			       unsigned int offset)
{
	sg->page = page;
	sg->length = length;
	sg->offset = offset;
}

static inline struct page *sg_page(const struct scatterlist *sg)
{
	return sg->page;
}

static inline phys_addr_t sg_phys(const struct scatterlist *sg)
{
	return page_to_phys(sg->page) + sg->offset;
}

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	return sg->last ? NULL : sg + 1;
}

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;
	unsigned int orig_nents;
};

/* The kernel has one entry for pages that follow each other. */
static inline int sg_alloc_table_from_pages(struct sg_table *table, struct page **pages,
					    unsigned int nr, unsigned int offset, size_t size,
					    gfp_t gfp)
{
	unsigned int i;

	table->sgl = kcalloc(nr, sizeof(*table->sgl), gfp);
	if (!table->sgl)
		return -ENOMEM;
	table->nents = nr;
	table->orig_nents = nr;
	sg_init_table(table->sgl, nr);
	for (i = 0; i < nr; i++) {
		size_t length = size < PAGE_SIZE - offset ? size : PAGE_SIZE - offset;

		sg_set_page(&table->sgl[i], pages[i], length, offset);
		size -= length;
		offset = 0;
	}
	return 0;
}

static inline void sg_free_table(struct sg_table *table)
{
	kfree(table->sgl);
	table->sgl = NULL;
}

#endif /* _VIOMMU_USER_SCATTERLIST_H */
