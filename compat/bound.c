// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers that were bound before the IOMMU was there.
 *
 * The bus counts a driver as a user of its device's group when it binds it, and
 * counts it out when it unbinds it. One that was bound when the device had no
 * group was never counted in, and the core warns when it goes. Newer kernels do
 * not take such devices in at all.
 *
 * Can go with ops-6.12.c.
 */
#include "viommu.h"

/**
 * viommu_compat_count_driver() - have the bus count a driver in, as at its bind
 * @dev: a device that the core has taken in
 *
 * Context: The core's probe_finalize. Takes the device's lock, may sleep.
 */
void viommu_compat_count_driver(struct device *dev)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);

	if (!master->bound_first)
		return;
	master->bound_first = false;
	device_lock(dev);
	if (device_is_bound(dev) && dev->bus->dma_configure)
		dev->bus->dma_configure(dev);
	device_unlock(dev);
}
