/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio-iommu-mock: a virtio-iommu device in the guest's own kernel. What its files
 * share.
 *
 * The road of a request: transport.c (the driver's kick) → ring.c (off the virtqueue)
 * → rules.c (a fault wanted?) → model.c (carried out) → ring.c (answered). files.c is what
 * a person or a test has in hand.
 *
 * mock->lock, a spinlock, guards the model, the rules and the queues. The kick comes
 * from any context, so nothing under it sleeps.
 */
#ifndef _VIOMMU_MOCK_H
#define _VIOMMU_MOCK_H

#include <linux/completion.h>
#include <linux/platform_device.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>

#include "model.h"
#include "rules.h"

#define MOCK_QUEUES	2
#define MOCK_REQUESTS	0
#define MOCK_EVENTS	1

#define MOCK_FILES	13

/**
 * struct mock_buffer - a buffer that the driver has offered
 * @head: its first descriptor
 * @readable: what the device may read, or NULL
 * @writable: what it may write, or NULL
 * @nr_readable: bytes
 * @nr_writable: bytes
 */
struct mock_buffer {
	u16 head;
	const void *readable;
	void *writable;
	u32 nr_readable;
	u32 nr_writable;
};

/**
 * struct mock_queue - the device's side of a virtqueue
 * @vq: the driver's side; NULL while there is none
 * @next: index of the next buffer in the available ring
 */
struct mock_queue {
	struct virtqueue *vq;
	u16 next;
};

/**
 * struct mock_late - an answer that is yet to be given
 * @node: in the device's list
 * @due: in jiffies
 * @head: the buffer's first descriptor
 * @len: the used length
 */
struct mock_late {
	struct list_head node;
	ktime_t due;
	u16 head;
	u32 len;
};

struct mock_file;

/**
 * struct mock_handle - a file of a device, for debugfs
 * @mock: the device
 * @file: which
 */
struct mock_handle {
	struct mock_device *mock;
	const struct mock_file *file;
};

/**
 * struct mock_device - a device
 * @node: in the list of all
 * @name: its folder's in debugfs
 * @vdev: as the virtio core knows it
 * @pdev: its transport, which endpoints' fwspecs name
 * @released: nobody has @vdev any more
 * @lock: guards what follows, to @dropped, and @result
 * @model: what it does
 * @rules: what it does instead
 * @queue_size: descriptors of a virtqueue
 * @status: virtio's device status
 * @queues: the virtqueues
 * @workers: run @late_work and @work
 * @late: answers that are due later
 * @late_work: gives them
 * @async: requests are carried out by @work, and not within the kick
 * @work: does that
 * @kicks: of the request queue
 * @dropped: events for which the driver had no buffer
 * @endpoints_lock: guards @endpoints; held for reading while one of them is used
 * @endpoints: the devices behind it
 * @debugfs: its folder
 * @handles: its files
 * @result: of the last access, for reading
 */
struct mock_device {
	struct list_head node;
	char name[32];
	struct virtio_device vdev;
	struct platform_device *pdev;
	struct completion released;
	spinlock_t lock; /* guards the model, the rules and the queues */
	struct mock_model model;
	struct mock_rules rules;
	unsigned int queue_size;
	u8 status;
	struct mock_queue queues[MOCK_QUEUES];
	struct workqueue_struct *workers;
	struct list_head late;
	struct work_struct late_work;
	bool async;
	struct work_struct work;
	u64 kicks;
	u64 dropped;
	struct rw_semaphore endpoints_lock; /* guards endpoints */
	struct list_head endpoints;
	struct dentry *debugfs;
	struct mock_handle handles[MOCK_FILES];
	char result[96];
};

static inline struct mock_device *to_mock_device(struct virtio_device *vdev)
{
	return container_of(vdev, struct mock_device, vdev);
}

bool mock_queue_pop(struct mock_queue *queue, struct mock_buffer *buffer);
void mock_queue_push(struct mock_queue *queue, u32 head, u32 len);
void mock_queue_rearm(struct mock_queue *queue);

void mock_requests_run(struct mock_device *mock);
void mock_event_post(struct mock_device *mock, const void *event, u32 size);
void mock_event_spurious(struct mock_device *mock);
void mock_needs_reset(struct mock_device *mock);

extern const struct virtio_config_ops mock_config_ops;
int mock_fwspec_init(struct device *dev, struct fwnode_handle *fwnode);
void mock_transport_get(struct virtio_device *vdev, unsigned int offset, void *to,
			unsigned int size);
void mock_transport_set(struct virtio_device *vdev, unsigned int offset, const void *from,
			unsigned int size);
u8 mock_transport_get_status(struct virtio_device *vdev);
void mock_transport_set_status(struct virtio_device *vdev, u8 status);
void mock_transport_reset(struct virtio_device *vdev);
int mock_transport_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			    struct virtqueue *vqs[], struct virtqueue_info infos[]);
void mock_transport_del_vqs(struct virtio_device *vdev);
u64 mock_transport_get_features(struct virtio_device *vdev);
int mock_transport_finalize_features(struct virtio_device *vdev);
const char *mock_transport_bus_name(struct virtio_device *vdev);
int mock_transport_register(struct mock_device *mock);
void mock_transport_unregister(struct mock_device *mock);

int mock_profile_set(struct mock_device *mock, const char *name);

void mock_files_add(struct mock_device *mock, struct dentry *root);
int mock_config_write(struct mock_device *mock, char *line);
ssize_t mock_line_write(const char __user *from, size_t size,
			int (*write)(void *data, char *line), void *data);

int mock_endpoints_init(void);
void mock_endpoints_exit(void);
int mock_endpoint_plug(struct mock_device *mock, const char *ids);
int mock_endpoint_unplug(struct mock_device *mock, const char *name);
void mock_endpoints_clear(struct mock_device *mock);
void mock_endpoints_show(struct mock_device *mock, struct seq_file *seq);
int mock_endpoint_access(struct mock_device *mock, struct mock_access *access, void *buffer);
int mock_endpoint_test(struct mock_device *mock, const char *name, size_t size,
		       unsigned int rounds);

#endif /* _VIOMMU_MOCK_H */
