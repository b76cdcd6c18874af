/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_MEMREMAP_H
#define _VIOMMU_USER_MEMREMAP_H

#include <linux/mm.h>

static inline bool is_pci_p2pdma_page(const struct page *page)
{
	return page->p2p;
}

#endif /* _VIOMMU_USER_MEMREMAP_H */
