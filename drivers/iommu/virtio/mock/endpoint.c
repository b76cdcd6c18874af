// SPDX-License-Identifier: GPL-2.0
/*
 * Devices behind the mock IOMMU: platform devices with endpoint IDs, a driver that
 * binds to them, and DMA that goes through the model's translations.
 *
 * Specification: "Device operations".
 */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mock.h"

#define MOCK_ENDPOINT		"viommu-mock-ep"
#define MOCK_IDS_MAX		8

/**
 * struct mock_plugged - a device behind the IOMMU
 * @node: in the IOMMU's list
 * @pdev: the device
 * @id: the first of its endpoint IDs, which its DMA comes from
 */
struct mock_plugged {
	struct list_head node;
	struct platform_device *pdev;
	u32 id;
};

static int mock_endpoint_probe(struct platform_device *pdev)
{
	return dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
}

static struct platform_driver mock_endpoint_driver = {
	.driver.name	= MOCK_ENDPOINT,
	.probe		= mock_endpoint_probe,
};

/**
 * mock_endpoints_init() - have a driver for the devices
 *
 * Context: May sleep.
 * Return: 0 or the core's errno.
 */
int mock_endpoints_init(void)
{
	return platform_driver_register(&mock_endpoint_driver);
}

/**
 * mock_endpoints_exit() - have none any more
 *
 * Context: May sleep.
 */
void mock_endpoints_exit(void)
{
	platform_driver_unregister(&mock_endpoint_driver);
}

static int mock_endpoint_add_ids(struct device *dev, const char *ids)
{
	unsigned int n = 0;
	int skip, ret;
	u32 id;

	while (n++ < MOCK_IDS_MAX && sscanf(ids, "%i%n", &id, &skip) == 1) {
		ret = iommu_fwspec_add_ids(dev, &id, 1);
		if (ret)
			return ret;
		ids += skip;
		if (!*ids)
			return 0;
		if (*ids++ != ',')
			break;
	}
	return -EINVAL;
}

/* What the core does for a device that it has seen. */
static void mock_endpoint_drop_fwspec(struct device *dev)
{
	struct dev_iommu *param = dev->iommu;

	if (!param)
		return;
	if (param->fwspec)
		fwnode_handle_put(param->fwspec->iommu_fwnode);
	kfree(param->fwspec);
	kfree(param);
	dev->iommu = NULL;
}

/**
 * mock_endpoint_plug() - put a device behind the IOMMU
 * @mock: the IOMMU, which must have a driver
 * @ids: its endpoint IDs, separated by commas
 *
 * Context: Takes endpoints_lock, may sleep.
 * Return: 0 or an errno.
 */
int mock_endpoint_plug(struct mock_device *mock, const char *ids)
{
	struct mock_plugged *plugged = kzalloc_obj(*plugged, GFP_KERNEL);
	int ret = -ENOMEM;

	if (!plugged)
		return -ENOMEM;
	plugged->pdev = platform_device_alloc(MOCK_ENDPOINT, PLATFORM_DEVID_AUTO);
	if (!plugged->pdev)
		goto err_free;
	ret = mock_fwspec_init(&plugged->pdev->dev, dev_fwnode(&mock->pdev->dev));
	if (!ret)
		ret = mock_endpoint_add_ids(&plugged->pdev->dev, ids);
	if (!ret) {
		plugged->id = dev_iommu_fwspec_get(&plugged->pdev->dev)->ids[0];
		ret = platform_device_add(plugged->pdev);
	}
	if (ret)
		goto err_put;
	down_write(&mock->endpoints_lock);
	list_add_tail(&plugged->node, &mock->endpoints);
	up_write(&mock->endpoints_lock);
	return 0;

err_put:
	mock_endpoint_drop_fwspec(&plugged->pdev->dev);
	platform_device_put(plugged->pdev);
err_free:
	kfree(plugged);
	return ret;
}

static void mock_endpoint_remove(struct mock_device *mock, struct mock_plugged *plugged)
{
	lockdep_assert_held_write(&mock->endpoints_lock);
	list_del(&plugged->node);
	platform_device_unregister(plugged->pdev);
	kfree(plugged);
}

static struct mock_plugged *mock_endpoint_find(struct mock_device *mock, const char *name)
{
	struct mock_plugged *plugged;

	list_for_each_entry(plugged, &mock->endpoints, node)
		if (!strcmp(dev_name(&plugged->pdev->dev), name))
			return plugged;
	return NULL;
}

/**
 * mock_endpoint_unplug() - take a device away
 * @mock: the IOMMU
 * @name: the device's name
 *
 * Context: Takes endpoints_lock, may sleep.
 * Return: 0 or -ENODEV.
 */
int mock_endpoint_unplug(struct mock_device *mock, const char *name)
{
	struct mock_plugged *plugged;

	down_write(&mock->endpoints_lock);
	plugged = mock_endpoint_find(mock, name);
	if (plugged)
		mock_endpoint_remove(mock, plugged);
	up_write(&mock->endpoints_lock);
	return plugged ? 0 : -ENODEV;
}

/**
 * mock_endpoints_clear() - take all devices away
 * @mock: the IOMMU
 *
 * Context: Takes endpoints_lock, may sleep.
 */
void mock_endpoints_clear(struct mock_device *mock)
{
	struct mock_plugged *plugged, *next;

	down_write(&mock->endpoints_lock);
	list_for_each_entry_safe(plugged, next, &mock->endpoints, node)
		mock_endpoint_remove(mock, plugged);
	up_write(&mock->endpoints_lock);
}

/**
 * mock_endpoints_show() - list the devices
 * @mock: the IOMMU
 * @seq: where to
 *
 * Context: Takes endpoints_lock, may sleep.
 */
void mock_endpoints_show(struct mock_device *mock, struct seq_file *seq)
{
	struct mock_plugged *plugged;
	struct device *dev;

	down_read(&mock->endpoints_lock);
	list_for_each_entry(plugged, &mock->endpoints, node) {
		dev = &plugged->pdev->dev;
		seq_printf(seq, "%s id=%u driver=%s group=%d\n", dev_name(dev), plugged->id,
			   dev->driver ? dev->driver->name : "-",
			   dev->iommu_group ? iommu_group_id(dev->iommu_group) : -1);
	}
	up_read(&mock->endpoints_lock);
}

static int mock_copy(const struct mock_access *access, void *buffer)
{
	void *at = memremap(access->phys, access->run, MEMREMAP_WB);

	if (!at)
		return -EIO;
	if (access->write)
		memcpy(at, buffer, access->run);
	else
		memcpy(buffer, at, access->run);
	memunmap(at);
	return 0;
}

/**
 * mock_endpoint_access() - an endpoint does DMA
 * @mock: the IOMMU
 * @access: the access; changed, with the fault filled in where there is one
 * @buffer: what is written, or read
 *
 * A fault is reported to the driver.
 *
 * Context: May sleep.
 * Return: 0; -EFAULT; -EIO where there is no such memory.
 */
int mock_endpoint_access(struct mock_device *mock, struct mock_access *access, void *buffer)
{
	unsigned long flags;
	int ret = 0;

	while (access->size && !ret) {
		spin_lock_irqsave(&mock->lock, flags);
		ret = mock_model_translate(&mock->model, access);
		spin_unlock_irqrestore(&mock->lock, flags);
		if (ret && !(mock->model.quirks & MOCK_NO_EVENTS))
			mock_event_post(mock, &access->fault, sizeof(access->fault));
		if (!ret)
			ret = mock_copy(access, buffer);
		access->address += access->run;
		access->size -= access->run;
		buffer += access->run;
	}
	return ret;
}

/* One way: what was in memory is what the device read, or the other way round. */
static int mock_test_transfer(struct mock_device *mock, struct mock_plugged *plugged, void *buffer,
			      void *copy, size_t size, bool write)
{
	enum dma_data_direction direction = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	struct device *dev = &plugged->pdev->dev;
	struct mock_access access = {
		.endpoint = plugged->id,
		.size = size,
		.write = write,
	};
	dma_addr_t iova;
	int ret;

	get_random_bytes(write ? copy : buffer, size);
	iova = dma_map_single(dev, buffer, size, direction);
	if (dma_mapping_error(dev, iova))
		return -ENOMEM;
	access.address = iova;
	ret = mock_endpoint_access(mock, &access, copy);
	dma_unmap_single(dev, iova, size, direction);
	if (ret)
		return ret;
	return memcmp(buffer, copy, size) ? -EILSEQ : 0;
}

/**
 * mock_endpoint_test() - DMA by a device, both ways, with the data compared
 * @mock: the IOMMU
 * @name: the device's name
 * @size: bytes at a time
 * @rounds: how often
 *
 * Context: Takes endpoints_lock, may sleep.
 * Return: 0; -EILSEQ where data differ; -EFAULT where the IOMMU let nothing through;
 * -ENOMEM where nothing could be mapped.
 */
int mock_endpoint_test(struct mock_device *mock, const char *name, size_t size,
		       unsigned int rounds)
{
	struct mock_plugged *plugged;
	void *buffer, *copy;
	int ret = 0;

	buffer = kmalloc(size, GFP_KERNEL);
	copy = kmalloc(size, GFP_KERNEL);
	down_read(&mock->endpoints_lock);
	plugged = mock_endpoint_find(mock, name);
	if (!plugged)
		ret = -ENODEV;
	else if (!buffer || !copy)
		ret = -ENOMEM;
	for (; rounds && !ret; rounds--) {
		ret = mock_test_transfer(mock, plugged, buffer, copy, size, false);
		if (!ret)
			ret = mock_test_transfer(mock, plugged, buffer, copy, size, true);
	}
	up_read(&mock->endpoints_lock);
	kfree(copy);
	kfree(buffer);
	return ret;
}
