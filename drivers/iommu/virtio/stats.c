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

static ssize_t mappings_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct viommu_device *viommu = viommu_of_class_device(dev);
	struct viommu_endpoint *endpoint;
	unsigned long id, nr = 0;

	guard(mutex)(&viommu->endpoints_lock);
	xa_for_each(&viommu->endpoints, id, endpoint)
		if (viommu_endpoint_is_first(viommu, endpoint))
			nr += READ_ONCE(endpoint->domain->store.nr);
	return sysfs_emit(buf, "%lu\n", nr);
}
static DEVICE_ATTR_RO(mappings);

static ssize_t dead_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(viommu_of_class_device(dev)->queue.dead));
}
static DEVICE_ATTR_RO(dead);

static ssize_t outside_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct viommu_device *viommu = viommu_of_class_device(dev);

	guard(mutex)(&viommu->endpoints_lock);
	return sysfs_emit(buf, "%zu\n", list_count_nodes(&viommu->outside));
}
static DEVICE_ATTR_RO(outside);

static ssize_t outside_devices_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return viommu_outside_names(viommu_of_class_device(dev), buf);
}
static DEVICE_ATTR_RO(outside_devices);

static ssize_t bypass_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", viommu_bypass_state(viommu_of_class_device(dev)));
}
static DEVICE_ATTR_RO(bypass);

static ssize_t faults_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct viommu_device *viommu = viommu_of_class_device(dev);

	guard(mutex)(&viommu->endpoints_lock);
	return sysfs_emit(buf, "%llu\n", viommu->faults);
}
static DEVICE_ATTR_RO(faults);

static ssize_t kicks_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct viommu_device *viommu = viommu_of_class_device(dev);

	return sysfs_emit(buf, "%llu\n", viommu_queue_counters(&viommu->queue).kicks);
}
static DEVICE_ATTR_RO(kicks);

/* Two files for a type of requests, which @var is the number of. */
static ssize_t viommu_requests_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	unsigned long type = (unsigned long)container_of(attr, struct dev_ext_attribute, attr)->var;
	struct viommu_device *viommu = viommu_of_class_device(dev);

	return sysfs_emit(buf, "%llu\n", viommu_queue_counters(&viommu->queue).requests[type]);
}

static ssize_t viommu_failures_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	unsigned long type = (unsigned long)container_of(attr, struct dev_ext_attribute, attr)->var;
	struct viommu_device *viommu = viommu_of_class_device(dev);

	return sysfs_emit(buf, "%llu\n", viommu_queue_counters(&viommu->queue).failures[type]);
}

#define VIOMMU_REQUEST_ATTR(_name, _what, _type)						\
	static struct dev_ext_attribute dev_attr_##_name##_##_what = {			\
		__ATTR(_name##_##_what, 0444, viommu_##_what##_show, NULL), (void *)(_type) \
	}

VIOMMU_REQUEST_ATTR(attach, requests, VIRTIO_IOMMU_T_ATTACH);
VIOMMU_REQUEST_ATTR(attach, failures, VIRTIO_IOMMU_T_ATTACH);
VIOMMU_REQUEST_ATTR(detach, requests, VIRTIO_IOMMU_T_DETACH);
VIOMMU_REQUEST_ATTR(detach, failures, VIRTIO_IOMMU_T_DETACH);
VIOMMU_REQUEST_ATTR(map, requests, VIRTIO_IOMMU_T_MAP);
VIOMMU_REQUEST_ATTR(map, failures, VIRTIO_IOMMU_T_MAP);
VIOMMU_REQUEST_ATTR(unmap, requests, VIRTIO_IOMMU_T_UNMAP);
VIOMMU_REQUEST_ATTR(unmap, failures, VIRTIO_IOMMU_T_UNMAP);
VIOMMU_REQUEST_ATTR(probe, requests, VIRTIO_IOMMU_T_PROBE);
VIOMMU_REQUEST_ATTR(probe, failures, VIRTIO_IOMMU_T_PROBE);

static struct attribute *viommu_stats_attrs[] = {
	&dev_attr_devices.attr,
	&dev_attr_endpoints.attr,
	&dev_attr_domains.attr,
	&dev_attr_mappings.attr,
	&dev_attr_dead.attr,
	&dev_attr_outside.attr,
	&dev_attr_outside_devices.attr,
	&dev_attr_bypass.attr,
	&dev_attr_faults.attr,
	&dev_attr_kicks.attr,
	&dev_attr_attach_requests.attr.attr,
	&dev_attr_attach_failures.attr.attr,
	&dev_attr_detach_requests.attr.attr,
	&dev_attr_detach_failures.attr.attr,
	&dev_attr_map_requests.attr.attr,
	&dev_attr_map_failures.attr.attr,
	&dev_attr_unmap_requests.attr.attr,
	&dev_attr_unmap_failures.attr.attr,
	&dev_attr_probe_requests.attr.attr,
	&dev_attr_probe_failures.attr.attr,
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
