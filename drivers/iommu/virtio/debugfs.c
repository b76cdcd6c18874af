// SPDX-License-Identifier: GPL-2.0
/*
 * What a person looks at when something is wrong: /sys/kernel/debug/virtio-iommu/<virtioN>/.
 *
 *	endpoints	a line for each: its ID, domain ID, what kind of domain it is
 *			in, how many faults it had, and the devices that have it
 *	domains		a line for each that has an endpoint: what is mapped in it
 *	mappings	a line for each of their mappings
 *	requests	how many there were of kicks by their size, waits by their
 *			length, and answers that were no OK
 *	faults		the last ones, oldest first
 *
 * For people, and for the viommu command, not for other programs: it may change. What is
 * stable is in stats.c.
 */
#include <linux/debugfs.h>
#include <linux/math64.h>
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

/* Those that have an endpoint, of all devices that have it. */
static void viommu_debugfs_users(struct seq_file *file, struct viommu_device *viommu, u32 id)
{
	const struct viommu_endpoint *endpoint = xa_load(&viommu->endpoints, id);
	struct viommu_master *master;

	lockdep_assert_held(&viommu->endpoints_lock);
	list_for_each_entry(master, &viommu->masters, node)
		if (endpoint && viommu_master_has(master, endpoint))
			seq_printf(file, " %s", dev_name(master->dev));
	seq_puts(file, "\n");
}

static int viommu_debugfs_endpoints_show(struct seq_file *file, void *unused)
{
	struct viommu_device *viommu = file->private;
	struct viommu_endpoint *endpoint;
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
		viommu_debugfs_users(file, viommu, id);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(viommu_debugfs_endpoints);

/* The bytes that are mapped, by how many mappings, and how many the device did not unmap. */
static u64 viommu_domain_bytes(struct viommu_domain *domain, unsigned long *nr,
			       unsigned long *kept)
{
	struct viommu_mapping *mapping;
	u64 cursor = 0, bytes = 0;
	unsigned long flags;

	*nr = *kept = 0;
	do {
		spin_lock_irqsave(&domain->lock, flags);
		mapping = viommu_store_first(&domain->store, cursor, U64_MAX);
		if (mapping) {
			cursor = mapping->last + 1;
			bytes += mapping->stale ? 0 : mapping->last - mapping->start + 1;
			*nr += !mapping->stale;
			*kept += mapping->kept;
		}
		spin_unlock_irqrestore(&domain->lock, flags);
	} while (mapping && cursor);
	return bytes;
}

static int viommu_debugfs_domains_show(struct seq_file *file, void *unused)
{
	struct viommu_device *viommu = file->private;
	struct viommu_endpoint *endpoint;
	struct viommu_domain *domain;
	unsigned long id, nr, kept;
	u64 bytes;

	guard(mutex)(&viommu->endpoints_lock);
	seq_puts(file, "domain kind endpoints mappings bytes stale lost\n");
	xa_for_each(&viommu->endpoints, id, endpoint) {
		if (!viommu_endpoint_is_first(viommu, endpoint))
			continue;
		domain = endpoint->domain;
		bytes = viommu_domain_bytes(domain, &nr, &kept);
		seq_printf(file, "%u %s %u %lu %llu %lu %u\n", domain->id,
			   viommu_domain_kind(domain), domain->nr_endpoints, nr, bytes, kept,
			   READ_ONCE(domain->nr_lost));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(viommu_debugfs_domains);

/**
 * struct viommu_mappings_file - where a reader of the mappings is
 * @viommu: the virtio-iommu
 * @nr: the number of @mapping among all
 * @id: of the endpoint whose domain it is in
 * @next: first IOVA to look at behind it, in @past_last another endpoint's
 * @past_last: there is no IOVA behind it
 * @domain: the domain's ID
 * @mapping: a copy
 */
struct viommu_mappings_file {
	struct viommu_device *viommu;
	loff_t nr;
	unsigned long id;
	u64 next;
	bool past_last;
	u32 domain;
	struct viommu_mapping mapping;
};

static bool viommu_mappings_copy(struct viommu_mappings_file *file, struct viommu_domain *domain)
{
	struct viommu_mapping *mapping;
	unsigned long flags;

	spin_lock_irqsave(&domain->lock, flags);
	mapping = viommu_store_first(&domain->store, file->next, U64_MAX);
	if (mapping)
		file->mapping = *mapping;
	spin_unlock_irqrestore(&domain->lock, flags);
	return mapping;
}

/* Go on to the next one, of this domain or another. Return: NULL where there is none. */
static void *viommu_mappings_advance(struct viommu_mappings_file *file)
{
	struct viommu_endpoint *endpoint;

	for (; (endpoint = xa_find(&file->viommu->endpoints, &file->id, ULONG_MAX, XA_PRESENT));
	     file->id++, file->next = 0, file->past_last = false) {
		if (file->past_last || !viommu_endpoint_is_first(file->viommu, endpoint) ||
		    !viommu_mappings_copy(file, endpoint->domain))
			continue;
		file->domain = endpoint->domain->id;
		file->next = file->mapping.last + 1;
		file->past_last = !file->next;
		file->nr++;
		return file;
	}
	return NULL;
}

static void *viommu_mappings_start(struct seq_file *seq, loff_t *pos)
{
	struct viommu_mappings_file *file = seq->private;
	void *at = file;

	mutex_lock(&file->viommu->endpoints_lock);
	if (!*pos) {
		*file = (struct viommu_mappings_file){ .viommu = file->viommu };
		return SEQ_START_TOKEN;
	}
	/* The one that did not fit comes again, as it was. */
	while (at && file->nr < *pos)
		at = viommu_mappings_advance(file);
	return at;
}

static void *viommu_mappings_next(struct seq_file *seq, void *unused, loff_t *pos)
{
	++*pos;
	return viommu_mappings_advance(seq->private);
}

static void viommu_mappings_stop(struct seq_file *seq, void *unused)
{
	struct viommu_mappings_file *file = seq->private;

	mutex_unlock(&file->viommu->endpoints_lock);
}

static const char *viommu_mapping_state(const struct viommu_mapping *mapping)
{
	if (mapping->stale)
		return mapping->kept ? "stale" : "unmapping";
	switch (mapping->status) {
	case 0:
		return "mapped";
	case VIOMMU_MAPPING_PENDING:
		return "pending";
	case VIOMMU_MAPPING_UNSENT:
		return "unsent";
	default:
		return "refused";
	}
}

static int viommu_mappings_show(struct seq_file *seq, void *at)
{
	struct viommu_mappings_file *file = seq->private;
	const struct viommu_mapping *mapping = &file->mapping;

	if (at == SEQ_START_TOKEN) {
		seq_puts(seq, "domain start last phys access state\n");
		return 0;
	}
	seq_printf(seq, "%u %#llx %#llx ", file->domain, mapping->start, mapping->last);
	if (mapping->stale)
		seq_puts(seq, "-");
	else
		seq_printf(seq, "%#llx", mapping->phys);
	seq_printf(seq, " %c%c%c %s\n", mapping->flags & VIRTIO_IOMMU_MAP_F_READ ? 'r' : '-',
		   mapping->flags & VIRTIO_IOMMU_MAP_F_WRITE ? 'w' : '-',
		   mapping->flags & VIRTIO_IOMMU_MAP_F_MMIO ? 'm' : '-',
		   viommu_mapping_state(mapping));
	return 0;
}

static const struct seq_operations viommu_mappings_ops = {
	.start = viommu_mappings_start,
	.next = viommu_mappings_next,
	.stop = viommu_mappings_stop,
	.show = viommu_mappings_show,
};

static int viommu_debugfs_mappings_open(struct inode *inode, struct file *file)
{
	struct viommu_mappings_file *state;

	state = __seq_open_private(file, &viommu_mappings_ops, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->viommu = inode->i_private;
	return 0;
}

static const struct file_operations viommu_debugfs_mappings_fops = {
	.owner = THIS_MODULE,
	.open = viommu_debugfs_mappings_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static int viommu_debugfs_requests_show(struct seq_file *file, void *unused)
{
	struct viommu_device *viommu = file->private;
	struct viommu_counters counters = viommu_queue_counters(&viommu->queue);
	u64 bound = VIOMMU_WAIT_NS;
	unsigned int i;

	seq_puts(file, "what bucket count\n");
	for (i = 0; i < VIOMMU_KICK_BUCKETS; i++)
		seq_printf(file, "kick %u %llu\n", 1U << i, counters.kick_sizes[i]);
	seq_printf(file, "wait 0 %llu\n", counters.waits[0]);
	for (i = 1; i < VIOMMU_WAIT_BUCKETS; i++, bound *= 10)
		seq_printf(file, "wait %llu %llu\n", bound, counters.waits[i]);
	for (i = 1; i <= VIRTIO_IOMMU_S_NOMEM; i++)
		seq_printf(file, "status %s %llu\n", viommu_status_name(i), counters.statuses[i]);
	seq_printf(file, "status unwritten %llu\n", counters.statuses[VIRTIO_IOMMU_S_NOMEM + 1]);
	seq_printf(file, "status other %llu\n", counters.statuses[VIRTIO_IOMMU_S_NOMEM + 2]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(viommu_debugfs_requests);

static void viommu_debugfs_fault_show(struct seq_file *file,
				      const struct viommu_fault_record *record)
{
	static const char * const reasons[] = {
		[VIRTIO_IOMMU_FAULT_R_UNKNOWN] = "unknown",
		[VIRTIO_IOMMU_FAULT_R_DOMAIN] = "domain",
		[VIRTIO_IOMMU_FAULT_R_MAPPING] = "mapping",
	};
	const struct viommu_fault *fault = &record->fault;
	u32 nanoseconds;
	u64 seconds = div_u64_rem(record->time, NSEC_PER_SEC, &nanoseconds);

	seq_printf(file, "%llu.%06u %#x ", seconds, nanoseconds / 1000, fault->endpoint);
	if (fault->has_address)
		seq_printf(file, "%#llx", fault->address);
	else
		seq_puts(file, "-");
	seq_printf(file, " %c%c%c %s", fault->read ? 'r' : '-', fault->write ? 'w' : '-',
		   fault->exec ? 'x' : '-', reasons[fault->reason]);
}

static int viommu_debugfs_faults_show(struct seq_file *file, void *unused)
{
	struct viommu_device *viommu = file->private;
	const struct viommu_fault_record *record;
	u64 nr;

	guard(mutex)(&viommu->endpoints_lock);
	seq_puts(file, "number seconds endpoint address access reason devices\n");
	nr = viommu->faults - min_t(u64, viommu->faults, VIOMMU_FAULT_RECORDS);
	for (; nr < viommu->faults; nr++) {
		record = &viommu->fault_records[nr % VIOMMU_FAULT_RECORDS];
		seq_printf(file, "%llu ", nr + 1);
		viommu_debugfs_fault_show(file, record);
		viommu_debugfs_users(file, viommu, record->fault.endpoint);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(viommu_debugfs_faults);

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
	debugfs_create_file("domains", 0400, viommu->debugfs, viommu,
			    &viommu_debugfs_domains_fops);
	debugfs_create_file("mappings", 0400, viommu->debugfs, viommu,
			    &viommu_debugfs_mappings_fops);
	debugfs_create_file("requests", 0400, viommu->debugfs, viommu,
			    &viommu_debugfs_requests_fops);
	debugfs_create_file("faults", 0400, viommu->debugfs, viommu,
			    &viommu_debugfs_faults_fops);
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
