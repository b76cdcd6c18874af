// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's API of the day calls a virtio transport's operations: thin adapters,
 * nothing else. A module for an older kernel is built with another file in the place of
 * this one.
 */
#include <linux/iommu.h>
#include <linux/lockdep.h>

#include "mock.h"

static int mock_ops_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			     struct virtqueue *vqs[], struct virtqueue_info infos[],
			     struct irq_affinity *desc)
{
	return mock_transport_find_vqs(vdev, nvqs, vqs, infos);
}

const struct virtio_config_ops mock_config_ops = {
	.get			= mock_transport_get,
	.set			= mock_transport_set,
	.get_status		= mock_transport_get_status,
	.set_status		= mock_transport_set_status,
	.reset			= mock_transport_reset,
	.find_vqs		= mock_ops_find_vqs,
	.del_vqs		= mock_transport_del_vqs,
	.get_features		= mock_transport_get_features,
	.finalize_features	= mock_transport_finalize_features,
	.bus_name		= mock_transport_bus_name,
};

/**
 * mock_fwspec_init() - give a device a fwspec
 * @dev: the device, of the platform bus
 * @fwnode: of the transport that it stands behind
 *
 * Context: May sleep.
 * Return: 0; the core's errno, -EPROBE_DEFER where the IOMMU has no driver.
 */
int mock_fwspec_init(struct device *dev, struct fwnode_handle *fwnode)
{
	int ret;

	/* The core wants a lock held that is its own. Nobody else knows the device yet. */
	lockdep_off();
	ret = iommu_fwspec_init(dev, fwnode);
	lockdep_on();
	return ret;
}
