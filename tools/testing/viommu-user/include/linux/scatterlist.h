/* SPDX-License-Identifier: GPL-2.0 */
/* A list of one: nothing here has more. */
#ifndef _VIOMMU_USER_SCATTERLIST_H
#define _VIOMMU_USER_SCATTERLIST_H

#include <linux/types.h>

struct scatterlist {
	void *buffer;
	unsigned int length;
	bool last;
};

static inline void sg_init_table(struct scatterlist *sg, unsigned int nr)
{
	if (nr != 1)
		__builtin_trap();
	*sg = (struct scatterlist){ .last = true };
}

static inline void sg_set_buf(struct scatterlist *sg, const void *buffer, unsigned int length)
{
	sg->buffer = (void *)buffer;
	sg->length = length;
}

#endif /* _VIOMMU_USER_SCATTERLIST_H */
