/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_MEMORY_HOTPLUG_H
#define _VIOMMU_USER_MEMORY_HOTPLUG_H

#include <linux/mm.h>

static inline struct page *pfn_to_online_page(unsigned long pfn)
{
	return pfn_valid(pfn) && !pfn_to_page(pfn)->offline ? pfn_to_page(pfn) : NULL;
}

#endif /* _VIOMMU_USER_MEMORY_HOTPLUG_H */
