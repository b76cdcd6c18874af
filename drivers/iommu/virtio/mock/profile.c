// SPDX-License-Identifier: GPL-2.0
/*
 * What known hosts are like, as far as a driver notices. "spec" is none of them: it does
 * all that the specification asks of a device.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include "mock.h"

#define MOCK_F(feature)		BIT_ULL(VIRTIO_IOMMU_F_##feature)
#define MOCK_F_BASE		(BIT_ULL(VIRTIO_F_VERSION_1) | MOCK_F(MAP_UNMAP))
#define MOCK_F_RANGES		(MOCK_F(INPUT_RANGE) | MOCK_F(DOMAIN_RANGE))
#define MOCK_F_EVENT_IDX	BIT_ULL(VIRTIO_RING_F_EVENT_IDX)
/* VIRTIO_F_SUSPEND of version 1.4; no kernel has a name for it yet. */
#define MOCK_F_SUSPEND		BIT_ULL(43)

static const struct {
	const char *name;
	u64 features;
	u64 page_size_mask;
	u64 input_last;
	u32 probe_size;
	u8 bypass;
	u32 quirks;
} mock_profiles[] = {
	{
		.name = "spec",
		.features = MOCK_F_BASE | MOCK_F_RANGES | MOCK_F_EVENT_IDX | MOCK_F(PROBE) |
			    MOCK_F(MMIO) | MOCK_F(BYPASS_CONFIG),
		.page_size_mask = ~0xfffULL,
		.input_last = ~0ULL,
		.probe_size = 512,
		.bypass = 1,
	}, {
		.name = "qemu",
		.features = MOCK_F_BASE | MOCK_F_RANGES | MOCK_F_EVENT_IDX | MOCK_F(PROBE) |
			    MOCK_F(MMIO) | MOCK_F(BYPASS_CONFIG),
		.page_size_mask = ~0xfffULL,
		.input_last = ~0ULL,
		.probe_size = 512,
		.bypass = 1,
		.quirks = MOCK_UNCHECKED,
	}, {
		.name = "cloud-hypervisor",
		.features = MOCK_F_BASE | MOCK_F(INPUT_RANGE) | MOCK_F(PROBE) |
			    MOCK_F(BYPASS_CONFIG),
		.page_size_mask = 0x201000,
		.input_last = BIT_ULL(46) - 1,
		.probe_size = 24,
		.bypass = 1,
		.quirks = MOCK_ANY_ENDPOINT | MOCK_NO_EVENTS | MOCK_MUTE | MOCK_NO_CROSSING |
			  MOCK_BYPASS_HIDDEN,
	}, {
		.name = "crosvm",
		.features = MOCK_F_BASE | MOCK_F(INPUT_RANGE) | MOCK_F_EVENT_IDX |
			    MOCK_F_SUSPEND | MOCK_F(PROBE) | MOCK_F(MMIO),
		.page_size_mask = ~0xfffULL,
		.input_last = ~0ULL,
		.probe_size = 24,
		.quirks = MOCK_NO_MOVE | MOCK_NO_EVENTS | MOCK_NO_TOP,
	}, {
		/* The guest would have to write page tables, which no driver of today can. */
		.name = "attach-table",
		.features = BIT_ULL(VIRTIO_F_VERSION_1) | MOCK_F(PROBE),
		.page_size_mask = ~0xfffULL,
		.input_last = ~0ULL,
		.probe_size = 512,
	},
};

/**
 * mock_profile_set() - make a device like some host's
 * @mock: the device, not yet registered
 * @name: the host's name
 *
 * Context: Any.
 * Return: 0 or -EINVAL.
 */
int mock_profile_set(struct mock_device *mock, const char *name)
{
	struct mock_model *model = &mock->model;
	unsigned int i;

	for (i = 0; strcmp(name, mock_profiles[i].name); i++)
		if (i == ARRAY_SIZE(mock_profiles) - 1)
			return -EINVAL;
	model->features = mock_profiles[i].features;
	model->quirks = mock_profiles[i].quirks;
	model->config = (struct virtio_iommu_config) {
		.page_size_mask = cpu_to_le64(mock_profiles[i].page_size_mask),
		.input_range.end = cpu_to_le64(mock_profiles[i].input_last),
		.domain_range.end = cpu_to_le32(U32_MAX),
		.probe_size = cpu_to_le32(mock_profiles[i].probe_size),
		.bypass = mock_profiles[i].bypass,
	};
	return 0;
}
