/* SPDX-License-Identifier: GPL-2.0 */
/* A virtqueue, and the device behind it: fake_virtqueue.c. */
#ifndef _VIOMMU_USER_VIRTIO_H
#define _VIOMMU_USER_VIRTIO_H

#include <linux/device.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

struct virtqueue;

struct virtio_device {
	int index;
	struct device dev;
};

unsigned int virtqueue_get_vring_size(const struct virtqueue *vq);
int virtqueue_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[], unsigned int out_sgs,
		      unsigned int in_sgs, void *data, gfp_t gfp);
bool virtqueue_kick_prepare(struct virtqueue *vq);
bool virtqueue_notify(struct virtqueue *vq);
void *virtqueue_get_buf(struct virtqueue *vq, unsigned int *len);
bool virtqueue_is_broken(const struct virtqueue *vq);

#endif /* _VIOMMU_USER_VIRTIO_H */
