// SPDX-License-Identifier: GPL-2.0
/*
 * request.c over the kernel's own virtqueue, with its locks, its clock and its threads. What
 * a device can do to it, test_request.c of tools/testing/viommu-user has.
 */
#include "device.h"

#define BATCH	100
#define ROUNDS	200

static int send_unmap(void)
{
	struct viommu_wire wire = WIRE(unmap, 7, 0, PAGE_SIZE - 1);

	return viommu_queue_send(&viommu->queue, &wire);
}

static void test_statuses(void)
{
	static const struct {
		u8 status;
		int ret;
	} statuses[] = {
		{ 1, -EIO }, { 2, -EOPNOTSUPP }, { 3, -EIO }, { 4, -EINVAL }, { 5, -ERANGE },
		{ 6, -ENOENT }, { 7, -EFAULT }, { 8, -ENOMEM }, { 9, -EIO }, { 0xff, -EIO },
	};
	unsigned int i;

	device_begin();
	/* The device knows no such domain. */
	EXPECT_EQ(send_unmap(), -ENOENT);
	device.refuse = VIRTIO_IOMMU_T_UNMAP;
	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		device.status = statuses[i].status;
		EXPECT_EQ(send_unmap(), statuses[i].ret);
	}
	device.status = 0;
	EXPECT_EQ(send_unmap(), 0);
	EXPECT(!viommu->queue.dead);
	device_end();
}

/* More than there are slots; nobody waits before the end. */
static void test_batch(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	static int results[BATCH];
	unsigned int added = 0, i;
	struct viommu_wire *wire;
	unsigned long flags;

	device_begin();
	device.refuse = VIRTIO_IOMMU_T_UNMAP;
	while (added < BATCH) {
		spin_lock_irqsave(&viommu->queue.lock, flags);
		wire = viommu_queue_slot(&viommu->queue);
		if (!IS_ERR(wire)) {
			viommu_wire_unmap(wire, 7, 0, PAGE_SIZE - 1);
			results[added] = 1;
			EXPECT_EQ(viommu_queue_add(&viommu->queue, &batch, &results[added++]), 0);
		}
		spin_unlock_irqrestore(&viommu->queue.lock, flags);
		if (IS_ERR(wire)) {
			ASSERT(wire == ERR_PTR(-EAGAIN));
			viommu_queue_make_room(&viommu->queue);
		}
	}
	viommu_queue_wait(&viommu->queue, &batch);
	for (i = 0; i < BATCH; i++)
		EXPECT_EQ(results[i], 0);
	EXPECT_EQ(device.answered, BATCH);
	EXPECT_EQ(device.kicks, DIV_ROUND_UP(BATCH, DEVICE_SLOTS));
	EXPECT_EQ(viommu_queue_counters(&viommu->queue).kicks, device.kicks);
	device_end();
}

static void test_silent(void)
{
	unsigned int before = *param_timeout_ms;

	device_begin();
	*param_timeout_ms = 20;
	device.silent = true;
	EXPECT_EQ(send_unmap(), -ETIMEDOUT);
	device.silent = false;
	/* For all, and at once. */
	EXPECT_EQ(send_unmap(), -EIO);
	EXPECT_EQ(device.kicks, 1);
	*param_timeout_ms = before;
	device_end();
}

static void test_bogus(void)
{
	device_begin();
	device.bogus = true;
	EXPECT_EQ(send_unmap(), -EIO);
	EXPECT(viommu->queue.dead);
	device_end();
}

static atomic_t errors;

static void send_many(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++)
		if (send_unmap())
			atomic_inc(&errors);
}

static void test_threads(void)
{
	device_begin();
	atomic_set(&errors, 0);
	device.refuse = VIRTIO_IOMMU_T_UNMAP;
	device_threads(DEVICE_THREADS, send_many);
	EXPECT_EQ(atomic_read(&errors), 0);
	EXPECT_EQ(device.answered, DEVICE_THREADS * ROUNDS);
	EXPECT(device.kicks <= device.answered);
	device_end();
}

static const struct test_case cases[] = {
	{ "each status becomes an errno", test_statuses },
	{ "a batch of more requests than slots takes a kick for each queue full", test_batch },
	{ "a device that never answers is dead after its time", test_silent },
	{ "a device that answers for no descriptor is dead", test_bogus },
	{ "several threads send at a time", test_threads },
};

TEST_SUITE(queue, cases);
