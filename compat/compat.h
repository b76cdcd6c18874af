/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What older kernels lack and the driver uses. Included before every file of the
 * driver by the build outside of a kernel tree, and by nothing else. The HAVE_
 * defines come from the compile probes in compat/probes/.
 */
#ifndef _VIOMMU_COMPAT_H
#define _VIOMMU_COMPAT_H

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/of.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

/*
 * 6.11, "virtio: introduce virtqueue_info": one array of structs in the place of
 * two of pointers. Can go with kernels before 6.11.
 */
#ifndef HAVE_VIRTQUEUE_INFO
struct virtqueue_info {
	const char *name;
	vq_callback_t *callback;
};

static inline int viommu_compat_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
					 struct virtqueue *vqs[], struct virtqueue_info infos[],
					 struct irq_affinity *desc)
{
	vq_callback_t *callbacks[4] = {};
	const char *names[4] = {};
	unsigned int i;

	if (nvqs > ARRAY_SIZE(names))
		return -EINVAL;
	for (i = 0; i < nvqs; i++) {
		callbacks[i] = infos[i].callback;
		names[i] = infos[i].name;
	}
	return virtio_find_vqs(vdev, nvqs, vqs, callbacks, names, desc);
}

#define virtio_find_vqs	viommu_compat_find_vqs
#endif

/* 6.4, device_is_bound() is exported. Can go with kernels before. */
#ifndef HAVE_EXPORT_DEVICE_IS_BOUND
static inline bool viommu_compat_is_bound(struct device *dev)
{
	return dev->links.status == DL_DEV_DRIVER_BOUND;
}

#define device_is_bound(dev)	viommu_compat_is_bound(dev)
#endif

/*
 * 7.2, of_map_id() takes a struct for its answer, with "of: Respect #{iommu,msi}-cells in
 * maps", and has wrappers. Can go with kernels before.
 */
#ifndef HAVE_OF_MAP_IOMMU_ID
static inline int of_map_iommu_id(struct device_node *np, u32 id, struct of_phandle_args *args)
{
	args->np = NULL;
	args->args_count = 1;
	return of_map_id(np, id, "iommu-map", "iommu-map-mask", &args->np, args->args);
}
#endif

/* 7.2, these bits of struct device are flags with functions. Can go with kernels before. */
#ifndef HAVE_DEV_FLAGS
#ifdef HAVE_DMA_IOMMU
static inline void dev_set_dma_iommu(struct device *dev)
{
	dev->dma_iommu = true;
}

static inline void dev_clear_dma_iommu(struct device *dev)
{
	dev->dma_iommu = false;
}
#endif

static inline void dev_clear_dma_skip_sync(struct device *dev)
{
#ifdef CONFIG_DMA_NEED_SYNC
	dev->dma_skip_sync = false;
#endif
}
#endif

/* 7.0, "slab: Introduce kmalloc_obj() and family". Can go with kernels before. */
#ifndef kzalloc_obj
#define kzalloc_obj(object, gfp)	kzalloc(sizeof(object), gfp)
#endif

/* Some release from 6.13 to 7.2; before it no driver says so. Can go with those. */
#ifndef DMA_ATTR_REQUIRE_COHERENT
#define DMA_ATTR_REQUIRE_COHERENT	0
#endif

void viommu_compat_count_driver(struct device *dev);

#endif /* _VIOMMU_COMPAT_H */
