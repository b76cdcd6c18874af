// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio driver: what is negotiated, and in which order a virtio-iommu
 * comes up and goes down.
 *
 * Features are settled in the validate hook, before anything else of the config
 * space is read. Probe reads and checks the config space, sets the queues up,
 * makes the device ready, and only then tells the core, which at once probes the
 * devices behind it. Removal mirrors it: drivers of the devices, core, device
 * reset, queues, memory. The struct outlives the device while a domain needs it.
 *
 * viommu_devices_lock guards the list of all virtio-iommus.
 *
 * Specification: "IOMMU Device", from "Feature bits" to "Device initialization".
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/rcupdate.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/virtio_ids.h>
#include <uapi/linux/virtio_ring.h>

#include "viommu.h"

#define VIOMMU_VERSION	"0.1.0"

static DEFINE_MUTEX(viommu_devices_lock);
static LIST_HEAD(viommu_devices);

static void viommu_device_release(struct kref *kref)
{
	struct viommu_device *viommu = container_of(kref, struct viommu_device, kref);

	fwnode_remove_software_node(viommu->own_fwnode);
	ida_destroy(&viommu->domain_ids);
	put_device(&viommu->vdev->dev);
	kfree(viommu);
}

/**
 * viommu_device_put() - one user less
 * @viommu: the virtio-iommu
 *
 * Context: May sleep.
 */
void viommu_device_put(struct viommu_device *viommu)
{
	kref_put(&viommu->kref, viommu_device_release);
}

/**
 * viommu_device_by_fwnode() - the virtio-iommu that a fwspec names
 * @fwnode: the fwspec's iommu_fwnode
 *
 * Context: May sleep.
 * Return: the virtio-iommu, with a reference, or NULL.
 */
struct viommu_device *viommu_device_by_fwnode(const struct fwnode_handle *fwnode)
{
	struct viommu_device *viommu;

	guard(mutex)(&viommu_devices_lock);
	list_for_each_entry(viommu, &viommu_devices, node) {
		if (viommu->fwnode == fwnode) {
			kref_get(&viommu->kref);
			return viommu;
		}
	}
	return NULL;
}

static bool viommu_device_is(const struct viommu_device *viommu, const struct viommu_node *node)
{
	struct device *parent = viommu->hwdev;
	struct resource *mem;

	if (node->transport == VIOMMU_TRANSPORT_PCI)
		return dev_is_pci(parent) &&
		       pci_domain_nr(to_pci_dev(parent)->bus) == node->segment &&
		       pci_dev_id(to_pci_dev(parent)) == node->bdf;
	if (!dev_is_platform(parent))
		return false;
	mem = platform_get_resource(to_platform_device(parent), IORESOURCE_MEM, 0);
	return mem && mem->start == node->base;
}

/**
 * viommu_device_by_node() - the virtio-iommu that a table means
 * @node: what the table says
 *
 * Context: May sleep.
 * Return: the virtio-iommu, with a reference, or NULL.
 */
struct viommu_device *viommu_device_by_node(const struct viommu_node *node)
{
	struct viommu_device *viommu;

	guard(mutex)(&viommu_devices_lock);
	list_for_each_entry(viommu, &viommu_devices, node) {
		if (viommu_device_is(viommu, node)) {
			kref_get(&viommu->kref);
			return viommu;
		}
	}
	return NULL;
}

static int viommu_validate(struct virtio_device *vdev)
{
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1)) {
		dev_err(&vdev->dev, "legacy device: version 1 is needed\n");
		return -ENODEV;
	}
	if (!virtio_has_feature(vdev, VIRTIO_IOMMU_F_MAP_UNMAP)) {
		dev_err(&vdev->dev, "device offers no MAP and UNMAP: not supported\n");
		return -ENODEV;
	}
	/* An indirect table would be allocated for every request. */
	__virtio_clear_bit(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	return 0;
}

/**
 * viommu_device_read_limits() - read and check the config space
 * @viommu: the virtio-iommu, its features known
 * @limits: filled in, on success
 *
 * Fields of features that were not negotiated stay 0, and are not looked at.
 *
 * Context: May sleep.
 * Return: 0, or as viommu_limits_init(), which is logged.
 */
int viommu_device_read_limits(struct viommu_device *viommu, struct viommu_limits *limits)
{
	struct virtio_device *vdev = viommu->vdev;
	struct virtio_iommu_config config = {};
	const char *why;
	u64 u64_field;
	u32 u32_field;
	int ret;

	virtio_cread_le(vdev, struct virtio_iommu_config, page_size_mask, &u64_field);
	config.page_size_mask = cpu_to_le64(u64_field);
	if (virtio_has_feature(vdev, VIRTIO_IOMMU_F_INPUT_RANGE)) {
		virtio_cread_le(vdev, struct virtio_iommu_config, input_range.start, &u64_field);
		config.input_range.start = cpu_to_le64(u64_field);
		virtio_cread_le(vdev, struct virtio_iommu_config, input_range.end, &u64_field);
		config.input_range.end = cpu_to_le64(u64_field);
	}
	if (virtio_has_feature(vdev, VIRTIO_IOMMU_F_DOMAIN_RANGE)) {
		virtio_cread_le(vdev, struct virtio_iommu_config, domain_range.start, &u32_field);
		config.domain_range.start = cpu_to_le32(u32_field);
		virtio_cread_le(vdev, struct virtio_iommu_config, domain_range.end, &u32_field);
		config.domain_range.end = cpu_to_le32(u32_field);
	}
	if (virtio_has_feature(vdev, VIRTIO_IOMMU_F_PROBE)) {
		virtio_cread_le(vdev, struct virtio_iommu_config, probe_size, &u32_field);
		config.probe_size = cpu_to_le32(u32_field);
	}

	ret = viommu_limits_init(limits, &config, vdev->features, &why);
	if (ret)
		dev_err(&vdev->dev, "config space refused: %s\n", why);
	return ret;
}

static int viommu_alloc_probe_buffer(struct viommu_device *viommu)
{
	if (!viommu->limits.probe_size)
		return 0;
	viommu->probe_buffer = kzalloc(viommu_wire_probe_size(viommu->limits.probe_size),
				       GFP_KERNEL);
	return viommu->probe_buffer ? 0 : -ENOMEM;
}

/**
 * viommu_device_find_queues() - create the virtqueues
 * @viommu: the virtio-iommu
 * @vqs: VIOMMU_NR_VQS of them
 *
 * Context: May sleep.
 * Return: 0, or the transport's errno, which is logged.
 */
int viommu_device_find_queues(struct viommu_device *viommu, struct virtqueue *vqs[])
{
	/* The request queue is polled: it needs no interrupt, hence no vector. */
	struct virtqueue_info infos[VIOMMU_NR_VQS] = {
		[VIOMMU_VQ_REQUEST] = { .name = "request" },
		[VIOMMU_VQ_EVENT] = { .name = "event", .callback = viommu_events_callback },
	};
	int ret;

	ret = virtio_find_vqs(viommu->vdev, VIOMMU_NR_VQS, vqs, infos, NULL);
	if (ret)
		dev_err(&viommu->vdev->dev, "no virtqueues: %pe\n", ERR_PTR(ret));
	viommu->has_queues = !ret;
	return ret;
}

static int viommu_init_queues(struct viommu_device *viommu)
{
	struct virtqueue *vqs[VIOMMU_NR_VQS];
	int ret;

	ret = viommu_device_find_queues(viommu, vqs);
	if (ret)
		return ret;
	ret = viommu_queue_init(&viommu->queue, viommu->vdev, vqs[VIOMMU_VQ_REQUEST]);
	if (!ret)
		ret = viommu_events_init(viommu, vqs[VIOMMU_VQ_EVENT]);
	if (ret) {
		virtio_reset_device(viommu->vdev);
		viommu->vdev->config->del_vqs(viommu->vdev);
	}
	return ret;
}

static struct viommu_device *viommu_device_alloc(struct virtio_device *vdev)
{
	struct viommu_device *viommu = kzalloc_obj(*viommu, GFP_KERNEL);

	if (!viommu)
		return NULL;
	viommu->vdev = vdev;
	viommu->hwdev = vdev->dev.parent;
	get_device(&vdev->dev);
	ida_init(&viommu->domain_ids);
	viommu->has_mmio = virtio_has_feature(vdev, VIRTIO_IOMMU_F_MMIO);
	viommu->has_bypass_config = virtio_has_feature(vdev, VIRTIO_IOMMU_F_BYPASS_CONFIG);
	kref_init(&viommu->kref);
	mutex_init(&viommu->endpoints_lock);
	mutex_init(&viommu->probe_lock);
	xa_init(&viommu->endpoints);
	INIT_LIST_HEAD(&viommu->masters);
	INIT_LIST_HEAD(&viommu->outside);
	return viommu;
}

/* What fwspecs name the IOMMU by: a firmware's node, or where it has none our own. */
static int viommu_find_fwnode(struct viommu_device *viommu)
{
	struct fwnode_handle *own;

	viommu->fwnode = dev_fwnode(viommu->hwdev);
	if (viommu->fwnode)
		return 0;
	own = fwnode_create_software_node(NULL, NULL);
	if (IS_ERR(own))
		return PTR_ERR(own);
	viommu->own_fwnode = own;
	viommu->fwnode = own;
	return 0;
}

/* Bring it up to where requests can be sent. */
static int viommu_device_start(struct viommu_device *viommu)
{
	int ret;

	ret = viommu_find_fwnode(viommu);
	if (ret)
		return ret;
	ret = viommu_device_read_limits(viommu, &viommu->limits);
	if (ret)
		return ret;
	ret = viommu_domains_init(viommu);
	if (ret)
		return ret;
	ret = viommu_alloc_probe_buffer(viommu);
	if (ret)
		return ret;
	viommu->vdev->priv = viommu;
	ret = viommu_init_queues(viommu);
	if (ret)
		return ret;
	viommu_bypass_init(viommu);
	virtio_device_ready(viommu->vdev);
	viommu_events_start(viommu);
	return 0;
}

/**
 * viommu_device_stop() - reset the device, and delete its virtqueues
 * @viommu: the virtio-iommu
 *
 * Reset first: what the device may write to is freed only then.
 *
 * Context: May sleep. Others may try to send requests, and fail.
 */
void viommu_device_stop(struct viommu_device *viommu)
{
	viommu_queue_stop(&viommu->queue);
	virtio_break_device(viommu->vdev);
	virtio_reset_device(viommu->vdev);
	viommu_events_stop(viommu);
	if (!viommu->has_queues)
		return;
	viommu->has_queues = false;
	/* Who was about to notify the device has done so: interrupts are off until then. */
	synchronize_rcu();
	viommu->vdev->config->del_vqs(viommu->vdev);
}

static void viommu_device_free(struct viommu_device *viommu)
{
	viommu_events_free(viommu);
	viommu_queue_free(&viommu->queue);
	kfree(viommu->probe_buffer);
	viommu->probe_buffer = NULL;
	xa_destroy(&viommu->endpoints);
	viommu_device_put(viommu);
}

static void viommu_device_list(struct viommu_device *viommu)
{
	guard(mutex)(&viommu_devices_lock);
	list_add_tail(&viommu->node, &viommu_devices);
}

static void viommu_device_unlist(struct viommu_device *viommu)
{
	guard(mutex)(&viommu_devices_lock);
	list_del(&viommu->node);
}

/*
 * Make the IOMMU known to the core, which probes the devices behind it at once:
 * those that it knows to be behind it, then those whose IOMMU it does not know.
 */
static int viommu_register(struct viommu_device *viommu)
{
	int ret;

	/* Not for viommu->hwdev: that may have no fwnode, and one is needed. */
	viommu->iommu.fwnode = viommu->fwnode;
	ret = iommu_device_register(&viommu->iommu, &viommu_ops, NULL);
	if (ret)
		return ret;
	ret = iommu_device_register(&viommu->passed_by, &viommu_ops, NULL);
	if (ret)
		iommu_device_unregister(&viommu->iommu);
	return ret;
}

static void viommu_unregister(struct viommu_device *viommu)
{
	iommu_device_unregister(&viommu->passed_by);
	iommu_device_unregister(&viommu->iommu);
}

static int viommu_probe(struct virtio_device *vdev)
{
	struct viommu_device *viommu;
	int ret;

	viommu = viommu_device_alloc(vdev);
	if (!viommu)
		return -ENOMEM;
	ret = viommu_device_start(viommu);
	if (ret)
		goto err_free;
	ret = iommu_device_sysfs_add(&viommu->iommu, &vdev->dev, viommu_stats_groups, "%s",
				     dev_name(&vdev->dev));
	if (ret)
		goto err_stop;

	viommu_debugfs_add(viommu);
	/* Listed before the core hears of it: its probes look the device up. */
	viommu_device_list(viommu);
	ret = viommu_register(viommu);
	if (ret) {
		dev_err(&vdev->dev, "the IOMMU core refused it: %pe\n", ERR_PTR(ret));
		goto err_unlist;
	}
	dev_info(&vdev->dev,
		 "viommu " VIOMMU_VERSION ": IOVAs %#llx-%#llx, granule %llu, domain IDs %u-%u\n",
		 viommu->limits.input_start, viommu->limits.input_last, viommu->limits.granule,
		 viommu->limits.domain_start, viommu->limits.domain_last);
	if (viommu->limits.granule > PAGE_SIZE)
		dev_warn(&vdev->dev, "granule of %llu bytes is larger than a page: only identity domains work\n",
			 viommu->limits.granule);
	viommu_bypass_begin(viommu);
	return 0;

err_unlist:
	viommu_device_unlist(viommu);
	viommu_outside_clear(viommu);
	viommu_debugfs_remove(viommu);
	iommu_device_sysfs_remove(&viommu->iommu);
err_stop:
	viommu_device_stop(viommu);
err_free:
	viommu_device_free(viommu);
	return ret;
}

static void viommu_remove(struct virtio_device *vdev)
{
	struct viommu_device *viommu = vdev->priv;

	viommu_device_unlist(viommu);
	viommu_masters_evict(viommu);
	viommu_unregister(viommu);
	viommu_outside_clear(viommu);
	viommu_debugfs_remove(viommu);
	iommu_device_sysfs_remove(&viommu->iommu);
	viommu_bypass_restore(viommu);
	viommu_device_stop(viommu);
	viommu_device_free(viommu);
}

static const unsigned int viommu_features[] = {
	VIRTIO_IOMMU_F_INPUT_RANGE,
	VIRTIO_IOMMU_F_DOMAIN_RANGE,
	VIRTIO_IOMMU_F_MAP_UNMAP,
	VIRTIO_IOMMU_F_PROBE,
	VIRTIO_IOMMU_F_MMIO,
	VIRTIO_IOMMU_F_BYPASS_CONFIG,
};

static const struct virtio_device_id viommu_ids[] = {
	{ VIRTIO_ID_IOMMU, VIRTIO_DEV_ANY_ID },
	{}
};
MODULE_DEVICE_TABLE(virtio, viommu_ids);

static struct virtio_driver viommu_driver = {
	.driver.name		= KBUILD_MODNAME,
	.driver.owner		= THIS_MODULE,
	.id_table		= viommu_ids,
	.feature_table		= viommu_features,
	.feature_table_size	= ARRAY_SIZE(viommu_features),
	.validate		= viommu_validate,
	.probe			= viommu_probe,
	.remove			= viommu_remove,
	.freeze			= viommu_pm_freeze,
	.restore		= viommu_pm_restore,
};

static int viommu_bus_notify(struct notifier_block *block, unsigned long action, void *data)
{
	struct viommu_device *viommu;

	if (action == BUS_NOTIFY_BIND_DRIVER)
		viommu_dma_begin(data);
	if (action != BUS_NOTIFY_REMOVED_DEVICE && action != BUS_NOTIFY_UNBOUND_DRIVER)
		return NOTIFY_DONE;
	guard(mutex)(&viommu_devices_lock);
	list_for_each_entry(viommu, &viommu_devices, node) {
		if (action == BUS_NOTIFY_REMOVED_DEVICE)
			viommu_outside_drop(viommu, data);
		else
			viommu_outside_unbound(viommu, data);
	}
	return NOTIFY_OK;
}

static struct notifier_block viommu_pci_notifier = { .notifier_call = viommu_bus_notify };
static struct notifier_block viommu_platform_notifier = { .notifier_call = viommu_bus_notify };

static int viommu_reboot_notify(struct notifier_block *block, unsigned long action, void *data)
{
	struct viommu_device *viommu;

	guard(mutex)(&viommu_devices_lock);
	list_for_each_entry(viommu, &viommu_devices, node)
		viommu_bypass_shut(viommu);
	return NOTIFY_OK;
}

static struct notifier_block viommu_reboot_notifier = { .notifier_call = viommu_reboot_notify };

static int __init viommu_init(void)
{
	int ret;

	ret = viommu_dma_init();
	if (ret)
		return ret;
	ret = viommu_mapping_cache_create();
	if (ret)
		return ret;
	ret = viommu_topology_init();
	if (ret)
		goto err_cache;
	ret = bus_register_notifier(&pci_bus_type, &viommu_pci_notifier);
	if (ret)
		goto err_topology;
	ret = bus_register_notifier(&platform_bus_type, &viommu_platform_notifier);
	if (ret)
		goto err_pci_notifier;
	ret = register_reboot_notifier(&viommu_reboot_notifier);
	if (ret)
		goto err_platform_notifier;
	viommu_debugfs_init();
	ret = register_virtio_driver(&viommu_driver);
	if (ret)
		goto err_debugfs;
	return 0;

err_debugfs:
	viommu_debugfs_exit();
	unregister_reboot_notifier(&viommu_reboot_notifier);
err_platform_notifier:
	bus_unregister_notifier(&platform_bus_type, &viommu_platform_notifier);
err_pci_notifier:
	bus_unregister_notifier(&pci_bus_type, &viommu_pci_notifier);
err_topology:
	viommu_topology_exit();
err_cache:
	viommu_mapping_cache_destroy();
	return ret;
}

static void __exit viommu_exit(void)
{
	unregister_virtio_driver(&viommu_driver);
	viommu_debugfs_exit();
	unregister_reboot_notifier(&viommu_reboot_notifier);
	bus_unregister_notifier(&platform_bus_type, &viommu_platform_notifier);
	bus_unregister_notifier(&pci_bus_type, &viommu_pci_notifier);
	viommu_ops_exit();
	viommu_topology_exit();
	viommu_mapping_cache_destroy();
}

module_init(viommu_init);
module_exit(viommu_exit);

MODULE_DESCRIPTION("Driver for the virtio-iommu device");
MODULE_AUTHOR("viommu maintainers");
MODULE_VERSION(VIOMMU_VERSION);
MODULE_LICENSE("GPL");
