// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of config.c: the input is the features and the config space.
 */
#include "fuzz.h"

#define FEATURE(bit)	(1ULL << VIRTIO_IOMMU_F_##bit)

static void check_limits(const struct viommu_limits *limits,
			 const struct virtio_iommu_config *config, u64 features)
{
	u64 granule = limits->granule;

	MUST(granule >= 4096 && !(granule & (granule - 1)));
	MUST(limits->input_start < limits->input_last);
	MUST(limits->input_start % granule == 0);
	MUST(limits->input_last % granule == granule - 1);
	if (features & FEATURE(INPUT_RANGE)) {
		MUST(limits->input_start >= le64_to_cpu(config->input_range.start));
		MUST(limits->input_last <= le64_to_cpu(config->input_range.end));
	}
	MUST(limits->domain_start <= limits->domain_last);
	MUST(limits->probe_size <= VIOMMU_PROBE_SIZE_MAX);
	MUST(features & FEATURE(PROBE) || !limits->probe_size);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct virtio_iommu_config config;
	struct viommu_limits limits;
	const char *why = NULL;
	u64 features;
	int ret;

	if (size < sizeof(features) + sizeof(config))
		return 0;
	memcpy(&features, data, sizeof(features));
	memcpy(&config, data + sizeof(features), sizeof(config));

	ret = viommu_limits_init(&limits, &config, features, &why);
	if (ret)
		MUST((ret == -EINVAL || ret == -E2BIG) && why && strlen(why));
	else
		check_limits(&limits, &config, features);
	return 0;
}
