// SPDX-License-Identifier: GPL-2.0
/*
 * What a person looks at when something is wrong: /sys/kernel/debug/virtio-iommu/<virtioN>/.
 *
 *	endpoints	a line for each: its ID, domain ID, what kind of domain it is
 *			in, how many faults it had, and the devices that have it
 *
 * For people, not for programs: it may change. What is stable is in stats.c.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "viommu.h"

static struct dentry *viommu_debugfs_root;

static const char *viommu_domain_kind(const struct viommu_domain *domain)
{
	if (!domain)
		return "none";
	if (domain == &domain->viommu->blocking)
		return "blocked";
	if (domain->domain.type == IOMMU_DOMAIN_IDENTITY)
		return "identity";
	return domain->domain.type == IOMMU_DOMAIN_UNMANAGED ? "unmanaged" : "DMA";
}

static int viommu_debugfs_endpoints_show(struct seq_file *file, void *unused)
{
	struct viommu_device *viommu = file->private;
	struct viommu_endpoint *endpoint;
	struct viommu_master *master;
	unsigned long id;

	guard(mutex)(&viommu->endpoints_lock);
	seq_puts(file, "endpoint domain kind faults devices\n");
	xa_for_each(&viommu->endpoints, id, endpoint) {
		seq_printf(file, "%#lx ", id);
		if (endpoint->domain)
			seq_printf(file, "%u", endpoint->domain->id);
		else
			seq_puts(file, "-");
		seq_printf(file, " %s %llu", viommu_domain_kind(endpoint->domain),
			   endpoint->faults);
		list_for_each_entry(master, &viommu->masters, node)
			if (viommu_master_has(master, endpoint))
				seq_printf(file, " %s", dev_name(master->dev));
		seq_puts(file, "\n");
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(viommu_debugfs_endpoints);

/**
 * viommu_debugfs_add() - show a virtio-iommu
 * @viommu: the virtio-iommu
 *
 * Context: May sleep.
 */
void viommu_debugfs_add(struct viommu_device *viommu)
{
	viommu->debugfs = debugfs_create_dir(dev_name(&viommu->vdev->dev), viommu_debugfs_root);
	debugfs_create_file("endpoints", 0400, viommu->debugfs, viommu,
			    &viommu_debugfs_endpoints_fops);
}

/**
 * viommu_debugfs_remove() - show it no longer
 * @viommu: the virtio-iommu
 *
 * Context: May sleep. Waits for readers.
 */
void viommu_debugfs_remove(struct viommu_device *viommu)
{
	debugfs_remove(viommu->debugfs);
}

/**
 * viommu_debugfs_init() - make the folder
 *
 * Context: Module initialisation, may sleep.
 */
void viommu_debugfs_init(void)
{
	viommu_debugfs_root = debugfs_create_dir("virtio-iommu", NULL);
}

/**
 * viommu_debugfs_exit() - remove it
 *
 * Context: Module exit, may sleep.
 */
void viommu_debugfs_exit(void)
{
	debugfs_remove(viommu_debugfs_root);
}
