// SPDX-License-Identifier: GPL-2.0
/* HAVE_VIRTQUEUE_INFO: since 6.11 */
#include <linux/virtio_config.h>

struct virtqueue_info probe = { .name = "probe" };
