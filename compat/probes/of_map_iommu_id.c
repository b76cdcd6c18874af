// SPDX-License-Identifier: GPL-2.0
/* HAVE_OF_MAP_IOMMU_ID: since 7.2 */
#include <linux/of.h>

int probe(struct device_node *np, struct of_phandle_args *args);

int probe(struct device_node *np, struct of_phandle_args *args)
{
	return of_map_iommu_id(np, 0, args);
}
