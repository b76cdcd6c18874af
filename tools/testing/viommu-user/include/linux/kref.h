/* SPDX-License-Identifier: GPL-2.0 */
/* A count: who has it in a test looks whether it is back to what it was. */
#ifndef _VIOMMU_USER_KREF_H
#define _VIOMMU_USER_KREF_H

struct kref {
	unsigned int count;
};

static inline void kref_get(struct kref *kref)
{
	kref->count++;
}

#endif /* _VIOMMU_USER_KREF_H */
