// SPDX-License-Identifier: GPL-2.0
/*
 * See fake_core.h.
 */
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "fake_core.h"

struct fake_iommu iommu;
struct viommu_device viommu;

const struct iommu_domain_ops viommu_domain_ops;
struct resource iomem_resource = { .end = U64_MAX };
int fake_module_users;

void viommu_bypass_update(struct viommu_device *device)
{
	lockdep_assert_held(&device->endpoints_lock);
}

void viommu_device_put(struct viommu_device *device)
{
	device->kref.count--;
}

static void handle(const struct fake_request *request, struct fake_answer *answer)
{
	answer->status = fake_iommu_handle(&iommu, request);
}

void core_begin(void)
{
	static u8 probe_buffer[76 + CORE_PROBE_SIZE];

	memset(&viommu, 0, sizeof(viommu));
	fake.lock = &viommu.queue.lock;
	fake.script = handle;
	viommu.vdev = &fake.vq.vdev;
	viommu.limits = (struct viommu_limits){
		.granule = iommu.granule, .input_start = iommu.input_start,
		.input_last = iommu.input_last, .domain_start = iommu.domain_start,
		.domain_last = iommu.domain_last, .probe_size = CORE_PROBE_SIZE,
	};
	viommu.has_mmio = iommu.has_mmio;
	viommu.has_bypass_config = iommu.has_bypass_config;
	viommu.probe_buffer = probe_buffer;
	INIT_LIST_HEAD(&viommu.masters);
	ASSERT(!viommu_mapping_cache_create());
	ASSERT(!viommu_queue_init(&viommu.queue, &fake.vq.vdev, &fake.vq));
	ASSERT(!viommu_domains_init(&viommu));
}

void core_end(void)
{
	EXPECT(!viommu.endpoints.first);
	EXPECT_EQ(viommu.blocking.nr_endpoints, 0);
	EXPECT_EQ(atomic_read(&viommu.nr_domains), 0);
	EXPECT_EQ(viommu.kref.count, 0);
	EXPECT_EQ(fake_module_users, 0);
	EXPECT_EQ(fake.promised, 0);
	EXPECT(!fake_cpu->locks && !fake_cpu->irqs_off);
	viommu_queue_free(&viommu.queue);
	EXPECT_EQ(slab_control.objects, 0);
	viommu_mapping_cache_destroy();
}

/* Memory for this does not run out: that is not what a test is about. */
static void merge_regions(struct viommu_master *master)
{
	struct viommu_region entries[CORE_IDS * FAKE_REGIONS];
	struct viommu_regions from = { .entries = entries, .max = ARRAY_SIZE(entries) };
	unsigned int i, j;

	for (i = 0; i < master->nr_endpoints; i++)
		for (j = 0; j < master->endpoints[i]->regions.nr; j++)
			ASSERT(!viommu_regions_add(&from,
						   &master->endpoints[i]->regions.entries[j]));
	slab_control.fail_in = 0;
	ASSERT(!viommu_regions_alloc(&master->regions, 2 * ARRAY_SIZE(entries)));
	ASSERT(!viommu_regions_normalise(&master->regions, &from, viommu.limits.granule));
}

struct viommu_master *core_plug(struct device *dev, const u32 *ids)
{
	struct viommu_master *master = calloc(1, sizeof(*master) + CORE_IDS * sizeof(void *));
	struct viommu_endpoint *endpoint;
	unsigned int i;

	master->dev = dev;
	master->viommu = &viommu;
	guard(mutex)(&viommu.endpoints_lock);
	for (i = 0; i < CORE_IDS && ids[i]; i++) {
		endpoint = viommu_ids_get(&viommu, ids[i]);
		if (!IS_ERR(endpoint))
			master->endpoints[master->nr_endpoints++] = endpoint;
	}
	merge_regions(master);
	list_add_tail(&master->node, &viommu.masters);
	return master;
}

void core_unplug(struct viommu_master *master)
{
	scoped_guard(mutex, &viommu.endpoints_lock) {
		list_del(&master->node);
		while (master->nr_endpoints)
			viommu_ids_put(&viommu, master->endpoints[--master->nr_endpoints]);
	}
	viommu_regions_free(&master->regions);
	free(master);
}
