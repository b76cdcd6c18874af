/* SPDX-License-Identifier: GPL-2.0 */
/* The system's own copy of the kernel's header. */
#include <linux/virtio_iommu.h>
