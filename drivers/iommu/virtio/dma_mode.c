// SPDX-License-Identifier: GPL-2.0
/*
 * Which devices have our DMA operations.
 *
 * A mode is wished for by the module's parameter, for all devices, or for one in sysfs,
 * and takes effect when a driver is bound: only then is nothing of the device's mapped. It
 * ends with the last of what the driver had managed (devres), since that may be memory of
 * ours. So a driver that manages its DMA itself, VFIO's, never sees it.
 *
 * Our operations and the kernel's each have an allocator of IOVAs, and a domain can have
 * but one. So all devices of a group have ours, or none: while one of them has a driver
 * and the kernel's the others must wait, and while one has ours the others get ours as
 * well, in the mode ordinary if nothing else was wished for.
 *
 * viommu_dma_lock guards which devices have ours and each domain's space.
 */
#include <linux/cc_platform.h>
#include <linux/iommu.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "dma.h"

static DEFINE_MUTEX(viommu_dma_lock);

static const char * const viommu_dma_modes[] = {
	[VIOMMU_DMA_ORDINARY] = "ordinary",
	[VIOMMU_DMA_BOUNCE] = "bounce",
	[VIOMMU_DMA_REUSE] = "reuse",
};

static char *dma_mode = "ordinary";
module_param(dma_mode, charp, 0444);
MODULE_PARM_DESC(dma_mode,
		 "How DMA of all devices is mapped: ordinary, each buffer by itself (default); bounce, copied through memory that stays mapped; reuse, with the memory around it");

/**
 * viommu_dma_init() - look at the parameter
 *
 * Context: Module init.
 * Return: 0 or -EINVAL.
 */
int viommu_dma_init(void)
{
	if (match_string(viommu_dma_modes, VIOMMU_DMA_MODES, dma_mode) >= 0)
		return 0;
	pr_err("virtio_iommu: dma_mode=%s is none of ordinary, bounce, reuse\n", dma_mode);
	return -EINVAL;
}

static struct viommu_master *viommu_dma_master(struct device *dev)
{
	struct dev_iommu *iommu = dev->iommu;

	return iommu && iommu->iommu_dev && iommu->iommu_dev->ops == &viommu_ops ?
	       dev_iommu_priv_get(dev) : NULL;
}

/* A driver that gives its device to somebody else: the group's domain is not its own. */
static bool viommu_dma_is_managed(const struct device *dev)
{
	if (!dev->driver)
		return false;
	if (dev_is_pci(dev))
		return to_pci_driver(dev->driver)->driver_managed_dma;
	return dev->bus == &platform_bus_type &&
	       to_platform_driver(dev->driver)->driver_managed_dma;
}

static bool viommu_dma_is_bridge(struct device *dev)
{
	return dev_is_pci(dev) && pci_is_bridge(to_pci_dev(dev));
}

/* Why a device cannot have our operations, whatever its group's others have, or NULL. */
static const char *viommu_dma_obstacle(struct device *dev)
{
	if (!viommu_dma_possible)
		return "this kernel lets no device have DMA operations of its own";
	if (IS_ENABLED(CONFIG_HIGHMEM))
		return "this kernel has memory without addresses of its own";
	if (cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))
		return "the guest's memory is encrypted, and the kernel has its own way with that";
	if (!dev_is_dma_coherent(dev))
		return "it does not see the processors' caches";
	if (dev_is_pci(dev) && to_pci_dev(dev)->untrusted)
		return "it is untrusted, and the kernel has its own way with such devices";
	return NULL;
}

/*
 * Whether a device has a driver and the kernel's operations. What cannot have ours, and has
 * no driver yet, gets the kernel's nevertheless when it has one: then their allocator and ours
 * may choose the same IOVA, and the second one to map it has an error.
 */
static int viommu_dma_uses_kernels(struct device *dev, void *data)
{
	struct viommu_master *master = viommu_dma_master(dev);

	return dev != data && master && dev->driver && master->kernels_ops;
}

static bool viommu_dma_group_is_free(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	int used;

	if (!group)
		return false;
	used = iommu_group_for_each_dev(group, dev, viommu_dma_uses_kernels);
	iommu_group_put(group);
	return !used;
}

/* Why a device is not to have our operations, or NULL. */
static const char *viommu_dma_why_not(struct device *dev, const struct viommu_domain *domain)
{
	if (!(domain->domain.type & __IOMMU_DOMAIN_DMA_API))
		return "its DMA is not translated";
	if (!domain->space && !viommu_dma_group_is_free(dev))
		return "another device of its group is in the mode ordinary";
	return viommu_dma_obstacle(dev);
}

static void viommu_dma_free_state(struct viommu_dma *dma, struct viommu_domain *domain)
{
	unsigned int forgotten = 0;

	if (dma->pool)
		forgotten += viommu_pool_free(dma->pool);
	if (dma->warm)
		forgotten += viommu_warm_free(dma->warm);
	if (dma->space && !--dma->space->users) {
		forgotten += viommu_space_free(dma->space);
		domain->space = NULL;
	}
	if (forgotten)
		dev_warn(dma->dev, "its driver left %u buffers mapped: unmapped\n", forgotten);
	kfree(dma);
}

static struct viommu_dma *viommu_dma_alloc_state(struct device *dev, struct viommu_domain *domain,
						 enum viommu_dma_mode mode)
{
	struct viommu_dma *dma = kzalloc_obj(*dma, GFP_KERNEL);

	if (!dma)
		return NULL;
	dma->dev = dev;
	dma->mode = mode;
	if (!domain->space)
		domain->space = viommu_space_alloc(domain, dev);
	else if (viommu_space_admit(domain->space, dev))
		goto err_free;
	if (!domain->space)
		goto err_free;
	dma->space = domain->space;
	dma->space->users++;
	if (mode == VIOMMU_DMA_BOUNCE)
		dma->pool = viommu_pool_alloc(dev, dma->space);
	if (mode == VIOMMU_DMA_REUSE)
		dma->warm = viommu_warm_alloc(dev, dma->space);
	/* with our operations all the same, if its group's others have them */
	if (!dma->pool && !dma->warm)
		dma->mode = VIOMMU_DMA_ORDINARY;
	return dma;

err_free:
	viommu_dma_free_state(dma, domain);
	return NULL;
}

/* Where its DMA goes when it has a driver. */
static struct viommu_domain *viommu_dma_domain(struct viommu_master *master)
{
	guard(mutex)(&master->viommu->endpoints_lock);
	return master->endpoints[0]->domain;
}

/* A driver is gone, or was not bound after all, and what it had managed has been freed. */
static void viommu_dma_end(void *data)
{
	struct device *dev = data;
	struct viommu_master *master = dev_iommu_priv_get(dev);
	struct viommu_dma *dma;

	guard(mutex)(&viommu_dma_lock);
	dma = master->dma;
	if (!dma)
		return;
	viommu_dma_ops_restore(dev, dma->before);
	master->dma = NULL;
	WRITE_ONCE(master->in_use, VIOMMU_DMA_ORDINARY);
	viommu_dma_free_state(dma, dma->space->domain);
	WRITE_ONCE(master->stays_in, NULL);
}

/* Return: why the mode is not in use, or NULL. */
static const char *viommu_dma_start(struct viommu_master *master, struct viommu_domain *domain,
				    enum viommu_dma_mode mode)
{
	struct device *dev = master->dev;
	struct viommu_dma *dma = viommu_dma_alloc_state(dev, domain, mode);

	/* Before the driver has anything managed, so it is the last to be undone. */
	if (!dma || devm_add_action(dev, viommu_dma_end, dev)) {
		if (dma)
			viommu_dma_free_state(dma, domain);
		return "no memory";
	}
	master->dma = dma;
	if (viommu_dma_ops_set(dev, &dma->before)) {
		master->dma = NULL;
		viommu_dma_free_state(dma, domain);
		return "it has other DMA operations";
	}
	master->kernels_ops = false;
	WRITE_ONCE(master->stays_in, domain);
	WRITE_ONCE(master->in_use, dma->mode);
	return dma->mode == mode ? NULL : "no memory";
}

/**
 * viommu_dma_begin() - a driver is about to be bound
 * @dev: the device, maybe not one of ours
 *
 * Context: The bus's notifier, with the device's lock held. May sleep.
 */
void viommu_dma_begin(struct device *dev)
{
	struct viommu_master *master = viommu_dma_master(dev);
	struct viommu_domain *domain;
	enum viommu_dma_mode wish;
	const char *why;

	/* A bridge's only DMA are interrupts. */
	if (!master || viommu_dma_is_bridge(dev))
		return;
	guard(mutex)(&viommu_dma_lock);
	domain = viommu_dma_domain(master);
	wish = READ_ONCE(master->wish);
	master->kernels_ops = !viommu_dma_is_managed(dev);
	if (!domain || master->dma || !master->kernels_ops ||
	    (!domain->space && wish == VIOMMU_DMA_ORDINARY))
		return;
	why = viommu_dma_why_not(dev, domain);
	if (why) {
		dev_warn(dev, "DMA mode %s: not used, since %s\n", viommu_dma_modes[wish], why);
		return;
	}
	why = viommu_dma_start(master, domain, wish);
	if (why)
		dev_warn(dev, "DMA mode %s: not used: %s\n", viommu_dma_modes[wish], why);
	else
		dev_info(dev, "DMA mode %s\n", viommu_dma_modes[wish]);
}

static ssize_t dma_mode_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);

	return sysfs_emit(buf, "%s\n", viommu_dma_modes[READ_ONCE(master->wish)]);
}

static ssize_t dma_mode_store(struct device *dev, struct device_attribute *attr, const char *buf,
			      size_t size)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);
	int mode = __sysfs_match_string(viommu_dma_modes, VIOMMU_DMA_MODES, buf);

	if (mode < 0)
		return mode;
	WRITE_ONCE(master->wish, mode);
	return size;
}
static DEVICE_ATTR_RW(dma_mode);

static ssize_t dma_mode_in_use_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);

	/* Without a lock: the core may hold that of the device's group when it removes this. */
	return sysfs_emit(buf, "%s\n", viommu_dma_modes[READ_ONCE(master->in_use)]);
}
static DEVICE_ATTR_RO(dma_mode_in_use);

static struct attribute *viommu_dma_attrs[] = {
	&dev_attr_dma_mode.attr,
	&dev_attr_dma_mode_in_use.attr,
	NULL
};

static const struct attribute_group viommu_dma_group = {
	.name = "viommu",
	.attrs = viommu_dma_attrs,
};

/**
 * viommu_dma_add() - a device comes in
 * @master: the device
 *
 * Context: May sleep.
 */
void viommu_dma_add(struct viommu_master *master)
{
	struct device *dev = master->dev;

	master->wish = max(match_string(viommu_dma_modes, VIOMMU_DMA_MODES, dma_mode), 0);
	master->kernels_ops = master->bound_first;
	/* A driver that is on its way, because it has waited for us, is bound with the mode. */
	if (master->wish != VIOMMU_DMA_ORDINARY && master->bound_first &&
	    !viommu_dma_is_bridge(dev))
		dev_warn(dev, "DMA mode %s: not used until its driver is bound again\n",
			 viommu_dma_modes[master->wish]);
	if (sysfs_create_group(&dev->kobj, &viommu_dma_group))
		dev_warn(dev, "its DMA mode cannot be shown\n");
}

/**
 * viommu_dma_remove() - a device goes
 * @master: the device, without a driver
 *
 * Context: May sleep.
 */
void viommu_dma_remove(struct viommu_master *master)
{
	sysfs_remove_group(&master->dev->kobj, &viommu_dma_group);
}
