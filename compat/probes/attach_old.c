// SPDX-License-Identifier: GPL-2.0
/* HAVE_ATTACH_OLD: since 6.19, attach_dev is told the old domain; ops.c fits */
#include <linux/iommu.h>

static int probe(struct iommu_domain *domain, struct device *dev, struct iommu_domain *old)
{
	return 0;
}

const struct iommu_domain_ops probe_ops = { .attach_dev = probe };
