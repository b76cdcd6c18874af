// SPDX-License-Identifier: GPL-2.0
/*
 * drivers/iommu/virtio/mock/ops.c for kernels before 6.11: find_vqs takes two arrays of
 * pointers ("virtio: introduce virtqueue_info"), and a fwspec is made with the operations
 * of its IOMMU. Can go with those kernels.
 */
#include <linux/iommu.h>

#include "mock.h"

static int mock_ops_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			     struct virtqueue *vqs[], vq_callback_t *callbacks[],
			     const char * const names[], const bool *ctx,
			     struct irq_affinity *desc)
{
	struct virtqueue_info infos[MOCK_QUEUES] = {};
	unsigned int i;

	if (nvqs > MOCK_QUEUES)
		return -EINVAL;
	for (i = 0; i < nvqs; i++) {
		infos[i].callback = callbacks[i];
		infos[i].name = names[i];
	}
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

int mock_fwspec_init(struct device *dev, struct fwnode_handle *fwnode)
{
	int ret = -EPROBE_DEFER;

	if (platform_bus_type.iommu_ops)
		ret = iommu_fwspec_init(dev, fwnode, platform_bus_type.iommu_ops);
	/* See ops-6.1.c. */
	if (!ret)
		fwnode_handle_get(fwnode);
	return ret;
}
