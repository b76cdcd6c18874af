// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers for a person or a tool: /sys/class/iommu/<virtioN>/virtio-iommu/, as
 * described in Documentation/ABI/testing/sysfs-class-iommu-virtio-iommu.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "viommu.h"

static struct viommu_device *viommu_of_class_device(struct device *dev)
{
	return container_of(dev_to_iommu_device(dev), struct viommu_device, iommu);
}

static ssize_t devices_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct viommu_device *viommu = viommu_of_class_device(dev);

	guard(mutex)(&viommu->endpoints_lock);
	return sysfs_emit(buf, "%zu\n", list_count_nodes(&viommu->masters));
}
static DEVICE_ATTR_RO(devices);

static ssize_t endpoints_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct viommu_device *viommu = viommu_of_class_device(dev);
	struct viommu_endpoint *endpoint;
	unsigned int nr = 0;
	unsigned long id;

	guard(mutex)(&viommu->endpoints_lock);
	xa_for_each(&viommu->endpoints, id, endpoint)
		nr++;
	return sysfs_emit(buf, "%u\n", nr);
}
static DEVICE_ATTR_RO(endpoints);

static ssize_t domains_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&viommu_of_class_device(dev)->nr_domains));
}
static DEVICE_ATTR_RO(domains);

static ssize_t outside_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct viommu_device *viommu = viommu_of_class_device(dev);

	guard(mutex)(&viommu->endpoints_lock);
	return sysfs_emit(buf, "%zu\n", list_count_nodes(&viommu->outside));
}
static DEVICE_ATTR_RO(outside);

static struct attribute *viommu_stats_attrs[] = {
	&dev_attr_devices.attr,
	&dev_attr_endpoints.attr,
	&dev_attr_domains.attr,
	&dev_attr_outside.attr,
	NULL
};

static const struct attribute_group viommu_stats_group = {
	.name = "virtio-iommu",
	.attrs = viommu_stats_attrs,
};

const struct attribute_group *viommu_stats_groups[] = {
	&viommu_stats_group,
	NULL
};
