// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-iommu-mock: a virtio-iommu device in the guest's own kernel, for tests and for
 * who wants to see what the driver does.
 *
 * It does what the specification says, what known hosts do, or what no host should: see
 * Documentation/mock.rst. Devices are made and deleted through one file:
 *
 *	echo new a profile=qemu ids=1-8 >/sys/kernel/debug/virtio-iommu-mock/control
 *	echo delete a >/sys/kernel/debug/virtio-iommu-mock/control
 *
 * mock_devices_lock, a mutex, guards the list of devices and is outermost. It is not held
 * where files go, since who has one open may wait for it.
 */
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/property.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mock.h"

#define MOCK_QUEUE_SIZE	256

static DEFINE_MUTEX(mock_devices_lock);
static LIST_HEAD(mock_devices);
static struct dentry *mock_root, *mock_control;

static struct mock_device *mock_device_find(const char *name)
{
	struct mock_device *mock;

	list_for_each_entry(mock, &mock_devices, node)
		if (!strcmp(mock->name, name))
			return mock;
	return NULL;
}

/* The transport, which endpoints name as their IOMMU. */
static int mock_device_add_transport(struct mock_device *mock)
{
	struct platform_device_info info = {
		.name = KBUILD_MODNAME,
		.id = PLATFORM_DEVID_AUTO,
		.dma_mask = DMA_BIT_MASK(64),
	};

	info.fwnode = fwnode_create_software_node(NULL, NULL);
	if (IS_ERR(info.fwnode))
		return PTR_ERR(info.fwnode);
	mock->pdev = platform_device_register_full(&info);
	if (IS_ERR(mock->pdev)) {
		fwnode_remove_software_node(info.fwnode);
		return PTR_ERR(mock->pdev);
	}
	return 0;
}

static void mock_device_del_transport(struct mock_device *mock)
{
	struct fwnode_handle *fwnode = dev_fwnode(&mock->pdev->dev);

	platform_device_unregister(mock->pdev);
	fwnode_remove_software_node(fwnode);
}

static bool mock_is_ram(u64 phys)
{
	return pfn_valid(PHYS_PFN(phys));
}

static struct mock_device *mock_device_alloc(const char *name, char *words)
{
	struct mock_device *mock = kzalloc_obj(*mock, GFP_KERNEL);
	int ret;

	if (!mock)
		return ERR_PTR(-ENOMEM);
	strscpy(mock->name, name, sizeof(mock->name));
	spin_lock_init(&mock->lock);
	init_rwsem(&mock->endpoints_lock);
	INIT_LIST_HEAD(&mock->endpoints);
	mock_model_init(&mock->model);
	mock->model.is_ram = mock_is_ram;
	mock->queue_size = MOCK_QUEUE_SIZE;
	mock_profile_set(mock, "spec");
	ret = words ? mock_config_write(mock, words) : 0;
	if (ret) {
		mock_model_destroy(&mock->model);
		kfree(mock);
		return ERR_PTR(ret);
	}
	return mock;
}

/* It is in no list any more. */
static void mock_device_destroy(struct mock_device *mock)
{
	debugfs_remove(mock->debugfs);
	mock_endpoints_clear(mock);
	mock_transport_unregister(mock);
	mock_device_del_transport(mock);
	mock_model_destroy(&mock->model);
	kfree(mock);
}

/* NAME [KEY=VALUE...] */
static int mock_device_new(char *words)
{
	char *name = strsep(&words, " ");
	struct mock_device *mock;
	int ret;

	if (!*name || strlen(name) >= sizeof(mock->name) || strchr(name, '/') ||
	    !strcmp(name, "control"))
		return -EINVAL;
	if (mock_device_find(name))
		return -EEXIST;
	mock = mock_device_alloc(name, words);
	if (IS_ERR(mock))
		return PTR_ERR(mock);
	ret = mock_device_add_transport(mock);
	if (ret)
		goto err_free;
	ret = mock_transport_register(mock);
	if (ret)
		goto err_transport;
	mock_files_add(mock, mock_root);
	list_add_tail(&mock->node, &mock_devices);
	return 0;

err_transport:
	mock_device_del_transport(mock);
err_free:
	mock_model_destroy(&mock->model);
	kfree(mock);
	return ret;
}

static int mock_device_delete(const char *name)
{
	struct mock_device *mock;

	mutex_lock(&mock_devices_lock);
	mock = mock_device_find(name);
	if (mock)
		list_del(&mock->node);
	mutex_unlock(&mock_devices_lock);
	if (!mock)
		return -ENOENT;
	mock_device_destroy(mock);
	return 0;
}

static int mock_control_line(void *data, char *line)
{
	char *command = strsep(&line, " ");
	int ret;

	if (line && !strcmp(command, "delete"))
		return mock_device_delete(line);
	if (!line || strcmp(command, "new"))
		return -EINVAL;
	mutex_lock(&mock_devices_lock);
	ret = mock_device_new(line);
	mutex_unlock(&mock_devices_lock);
	return ret;
}

static ssize_t mock_control_write(struct file *file, const char __user *from, size_t size,
				  loff_t *pos)
{
	return mock_line_write(from, size, mock_control_line, NULL);
}

static int mock_control_show(struct seq_file *seq, void *unused)
{
	struct mock_device *mock;

	mutex_lock(&mock_devices_lock);
	list_for_each_entry(mock, &mock_devices, node)
		seq_printf(seq, "%s %s driver=%s\n", mock->name, dev_name(&mock->vdev.dev),
			   mock->vdev.dev.driver ? mock->vdev.dev.driver->name : "-");
	mutex_unlock(&mock_devices_lock);
	return 0;
}

static int mock_control_open(struct inode *inode, struct file *file)
{
	return single_open(file, mock_control_show, NULL);
}

static const struct file_operations mock_control_fops = {
	.owner		= THIS_MODULE,
	.open		= mock_control_open,
	.read		= seq_read,
	.write		= mock_control_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int __init mock_init(void)
{
	int ret = mock_endpoints_init();

	if (ret)
		return ret;
	mock_root = debugfs_create_dir("virtio-iommu-mock", NULL);
	mock_control = debugfs_create_file("control", 0600, mock_root, NULL,
					   &mock_control_fops);
	return 0;
}

/* Nobody has a file open: that holds the module. */
static void __exit mock_exit(void)
{
	struct mock_device *mock, *next;

	debugfs_remove(mock_control);
	list_for_each_entry_safe(mock, next, &mock_devices, node)
		mock_device_destroy(mock);
	debugfs_remove(mock_root);
	mock_endpoints_exit();
}

module_init(mock_init);
module_exit(mock_exit);

MODULE_DESCRIPTION("A virtio-iommu device in the guest's own kernel, for tests");
MODULE_LICENSE("GPL");
