// SPDX-License-Identifier: GPL-2.0
/* HAVE_DOMAIN_ALLOC_PAGING: since 6.6; ops-6.12.c fits */
#include <linux/iommu.h>

static struct iommu_domain *probe(struct device *dev)
{
	return NULL;
}

const struct iommu_ops probe_ops = { .domain_alloc_paging = probe };
