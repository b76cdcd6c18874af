// SPDX-License-Identifier: GPL-2.0
/*
 * See device.h.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/virtio_ring.h>

#include "device.h"

struct test_device device;
struct viommu_device *viommu;

const struct iommu_domain_ops viommu_domain_ops;

/**
 * viommu_bypass_update() - the driver's own is not of interest here
 * @viommu: the virtio-iommu
 *
 * Context: endpoints_lock held.
 */
void viommu_bypass_update(struct viommu_device *viommu)
{
	lockdep_assert_held(&viommu->endpoints_lock);
}

static void device_release(struct kref *kref)
{
}

/**
 * viommu_device_put() - one user less; the last one is device_end()
 * @viommu: the virtio-iommu
 *
 * Context: Any.
 */
void viommu_device_put(struct viommu_device *viommu)
{
	kref_put(&viommu->kref, device_release);
}

static void device_answer(const struct mock_buffer *buffer)
{
	const struct virtio_iommu_req_head *head = buffer->readable;
	struct virtio_iommu_req_tail *tail;
	u32 len = buffer->nr_writable;

	device.answered++;
	if (head->type == device.refuse) {
		tail = buffer->writable + len - sizeof(*tail);
		memset(buffer->writable, 0, len);
		tail->status = device.status;
	} else {
		len = mock_model_request(&device.model, buffer->readable, buffer->nr_readable,
					 buffer->writable, len);
	}
	mock_queue_push(&device.queue, device.bogus ? 4 * DEVICE_SLOTS : buffer->head, len);
}

static bool device_notify(struct virtqueue *vq)
{
	struct mock_buffer buffer;
	unsigned long flags;

	spin_lock_irqsave(&device.lock, flags);
	device.kicks++;
	while (!device.silent) {
		if (!mock_queue_pop(&device.queue, &buffer)) {
			mock_queue_rearm(&device.queue);
			if (!mock_queue_pop(&device.queue, &buffer))
				break;
		}
		device_answer(&buffer);
	}
	spin_unlock_irqrestore(&device.lock, flags);
	return true;
}

static void device_init(void)
{
	struct virtio_iommu_config *config = &device.model.config;
	unsigned int i;

	memset(&device, 0, sizeof(device));
	spin_lock_init(&device.lock);
	device.vdev.dev.init_name = "viommu-test";
	device.vdev.features = BIT_ULL(VIRTIO_F_VERSION_1);
	INIT_LIST_HEAD(&device.vdev.vqs);
	spin_lock_init(&device.vdev.vqs_list_lock);
	mock_model_init(&device.model);
	device.model.features = BIT_ULL(VIRTIO_IOMMU_F_INPUT_RANGE) |
				BIT_ULL(VIRTIO_IOMMU_F_DOMAIN_RANGE) |
				BIT_ULL(VIRTIO_IOMMU_F_MAP_UNMAP) |
				BIT_ULL(VIRTIO_IOMMU_F_BYPASS_CONFIG) |
				BIT_ULL(VIRTIO_IOMMU_F_MMIO);
	config->page_size_mask = cpu_to_le64(PAGE_SIZE);
	config->input_range.end = cpu_to_le64(U64_MAX);
	config->domain_range.end = cpu_to_le32(99);
	mock_model_accept(&device.model, device.model.features);
	for (i = 1; i <= DEVICE_ENDPOINTS; i++)
		ASSERT(mock_model_endpoint_add(&device.model, i));
	device.queue.vq = vring_create_virtqueue(0, 2 * DEVICE_SLOTS, PAGE_SIZE, &device.vdev, true,
						 false, false, device_notify, NULL, "requests");
	ASSERT(device.queue.vq);
}

/**
 * device_begin() - a device, and a driver for it
 *
 * Context: A test.
 */
void device_begin(void)
{
	device_init();
	viommu = kzalloc_obj(*viommu, GFP_KERNEL);
	ASSERT(viommu);
	viommu->vdev = &device.vdev;
	viommu->limits = (struct viommu_limits) {
		.granule = PAGE_SIZE, .input_last = U64_MAX, .domain_last = 99,
	};
	viommu->has_mmio = true;
	viommu->has_bypass_config = true;
	kref_init(&viommu->kref);
	ida_init(&viommu->domain_ids);
	xa_init(&viommu->endpoints);
	mutex_init(&viommu->endpoints_lock);
	mutex_init(&viommu->probe_lock);
	INIT_LIST_HEAD(&viommu->masters);
	ASSERT(!viommu_mapping_cache_create());
	ASSERT(!viommu_queue_init(&viommu->queue, &device.vdev, device.queue.vq));
	ASSERT(!viommu_domains_init(viommu));
}

/**
 * device_end() - nothing is left of either
 *
 * Context: A test, after all devices and domains are gone.
 */
void device_end(void)
{
	unsigned int i;

	EXPECT(xa_empty(&viommu->endpoints));
	EXPECT_EQ(atomic_read(&viommu->nr_domains), 0);
	EXPECT_EQ(kref_read(&viommu->kref), 1);
	for (i = 0; i < ARRAY_SIZE(device.model.broken); i++)
		EXPECT_EQ(device.model.broken[i], 0);
	vring_del_virtqueue(device.queue.vq);
	viommu_queue_free(&viommu->queue);
	viommu_mapping_cache_destroy();
	mock_model_destroy(&device.model);
	ida_destroy(&viommu->domain_ids);
	kfree(viommu);
}

/**
 * device_holds() - does the device hold just this mapping there?
 * @domain: domain ID
 * @start: first IOVA
 * @last: last IOVA
 * @phys: where it leads
 *
 * Context: A test, with no request under way.
 * Return: whether it does.
 */
bool device_holds(u32 domain, u64 start, u64 last, u64 phys)
{
	struct mock_domain *there = mock_domain_find(&device.model, domain);
	struct mock_mapping *mapping = there ? mock_mapping_find(there, start) : NULL;

	return mapping && mapping->start == start && mapping->last == last &&
	       mapping->phys == phys;
}

/**
 * device_plug() - put something behind the IOMMU
 * @dev: what
 * @id: its endpoint ID
 *
 * Context: A test.
 * Return: what the driver knows of it.
 */
struct viommu_master *device_plug(struct device *dev, u32 id)
{
	struct viommu_master *master = kzalloc(struct_size(master, endpoints, 1), GFP_KERNEL);

	ASSERT(master);
	master->dev = dev;
	master->viommu = viommu;
	mutex_lock(&viommu->endpoints_lock);
	master->endpoints[master->nr_endpoints++] = viommu_ids_get(viommu, id);
	list_add_tail(&master->node, &viommu->masters);
	mutex_unlock(&viommu->endpoints_lock);
	ASSERT(!IS_ERR(master->endpoints[0]));
	return master;
}

/**
 * device_unplug() - take it away
 * @master: what device_plug() returned
 *
 * Context: A test.
 */
void device_unplug(struct viommu_master *master)
{
	mutex_lock(&viommu->endpoints_lock);
	list_del(&master->node);
	viommu_ids_put(viommu, master->endpoints[0]);
	mutex_unlock(&viommu->endpoints_lock);
	kfree(master);
}

struct device_thread {
	void (*run)(unsigned int number);
	unsigned int number;
	struct completion done;
	struct task_struct *task;
};

static int device_thread(void *data)
{
	struct device_thread *thread = data;

	thread->run(thread->number);
	complete(&thread->done);
	/* Not gone before it is stopped, nor is this code. */
	while (!kthread_should_stop())
		fsleep(1000);
	return 0;
}

/**
 * device_threads() - several threads at a time
 * @nr: how many, at most DEVICE_THREADS
 * @run: what each does, with its number from 0
 *
 * Context: A test. Returns when all of them have; EXPECT() is not for them.
 */
void device_threads(unsigned int nr, void (*run)(unsigned int number))
{
	struct device_thread threads[DEVICE_THREADS] = {}, *thread;

	for (thread = threads; thread < threads + nr; thread++) {
		thread->run = run;
		thread->number = thread - threads;
		init_completion(&thread->done);
		thread->task = kthread_create(device_thread, thread, "viommu-test/%u",
					      thread->number);
		ASSERT(!IS_ERR(thread->task));
	}
	for (thread = threads; thread < threads + nr; thread++)
		wake_up_process(thread->task);
	for (thread = threads; thread < threads + nr; thread++) {
		wait_for_completion(&thread->done);
		kthread_stop(thread->task);
	}
}
