// SPDX-License-Identifier: GPL-2.0
/*
 * The config space, checked: raw fields in, limits that the rest can rely on
 * out. Everything in the config space is the host's word. A value that makes
 * no sense ends the probe with a message that names it; a value that makes
 * sense but is not aligned to the granule is narrowed to one that is.
 *
 * Specification: "Device configuration layout", "Driver Requirements: Device
 * configuration layout".
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "pure.h"

#define has_feature(features, bit) ((features) & BIT_ULL(VIRTIO_IOMMU_F_##bit))

static int viommu_limits_input(struct viommu_limits *limits, u64 start, u64 last,
			       const char **why)
{
	u64 mask = limits->granule - 1;

	if (start > last) {
		*why = "input range is empty";
		return -EINVAL;
	}
	if (start > U64_MAX - mask || (last != U64_MAX && last + 1 < limits->granule)) {
		*why = "input range holds no whole page";
		return -EINVAL;
	}
	limits->input_start = (start + mask) & ~mask;
	/* The last byte of the last whole granule; 2^64-1 is one by itself. */
	limits->input_last = last == U64_MAX ? last : ((last + 1) & ~mask) - 1;
	if (limits->input_start >= limits->input_last) {
		*why = "input range holds no whole page";
		return -EINVAL;
	}
	return 0;
}

/**
 * viommu_limits_init() - check a config space
 * @limits: filled in, on success
 * @config: config space; fields of features that were not negotiated are ignored
 * @features: negotiated features
 * @why: what is wrong, on failure: a constant string
 *
 * Context: Any.
 * Return: 0; -EINVAL where the config space makes no sense, -E2BIG where a size
 * is above the driver's bound.
 */
int viommu_limits_init(struct viommu_limits *limits, const struct virtio_iommu_config *config,
		       u64 features, const char **why)
{
	u64 mask = le64_to_cpu(config->page_size_mask);
	int ret;

	*limits = (struct viommu_limits) {
		.input_last = U64_MAX,
		.domain_last = U32_MAX,
	};

	if (!mask) {
		*why = "page size mask is empty";
		return -EINVAL;
	}
	/*
	 * Any multiple of the lowest size is a mapping. Below 4 KiB nobody in
	 * Linux maps, and one byte could not even be expressed.
	 */
	limits->granule = max_t(u64, mask & -mask, SZ_4K);

	if (has_feature(features, INPUT_RANGE))
		ret = viommu_limits_input(limits, le64_to_cpu(config->input_range.start),
					  le64_to_cpu(config->input_range.end), why);
	else
		ret = viommu_limits_input(limits, 0, U64_MAX, why);
	if (ret)
		return ret;

	if (has_feature(features, DOMAIN_RANGE)) {
		limits->domain_start = le32_to_cpu(config->domain_range.start);
		limits->domain_last = le32_to_cpu(config->domain_range.end);
		if (limits->domain_start > limits->domain_last) {
			*why = "domain range is empty";
			return -EINVAL;
		}
	}

	if (has_feature(features, PROBE)) {
		limits->probe_size = le32_to_cpu(config->probe_size);
		if (limits->probe_size > VIOMMU_PROBE_SIZE_MAX) {
			*why = "probe size is above the bound of 64 KiB";
			return -E2BIG;
		}
	}
	return 0;
}

/**
 * viommu_limits_are() - are two limits the same?
 * @limits: the ones
 * @other: the others
 *
 * Context: Any.
 * Return: whether they are.
 */
bool viommu_limits_are(const struct viommu_limits *limits, const struct viommu_limits *other)
{
	return limits->granule == other->granule &&
	       limits->input_start == other->input_start &&
	       limits->input_last == other->input_last &&
	       limits->domain_start == other->domain_start &&
	       limits->domain_last == other->domain_last &&
	       limits->probe_size == other->probe_size;
}
