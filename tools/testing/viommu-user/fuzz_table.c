// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of viot.c, or with FUZZ_IORT of iort.c: the input is the table.
 */
#include "fuzz.h"

#ifdef FUZZ_IORT
#define reader_begin	viommu_iort_begin
#define reader_next	viommu_iort_next
#define READER_BYTES	20	/* that a range takes at least: an ID mapping */
#else
#define reader_begin	viommu_viot_begin
#define reader_next	viommu_viot_next
#define READER_BYTES	24
#endif

#define HEADER		48
#define BEHIND		64

static void check_iommu(const struct viommu_node *iommu)
{
	if (iommu->transport == VIOMMU_TRANSPORT_PCI) {
		MUST(!iommu->base);
#ifdef FUZZ_IORT
		MUST(!iommu->segment);
#endif
	} else {
		MUST(iommu->transport == VIOMMU_TRANSPORT_MMIO);
		MUST(!iommu->segment && !iommu->bdf);
	}
}

/* First and last function have the first and the last endpoint ID, in 32 bits. */
static void check_functions(const struct viommu_range *range)
{
	u64 segments, functions;
	u32 endpoint;

	MUST(range->segment_start <= range->segment_last);
	MUST(range->bdf_start <= range->bdf_last);
	MUST(!range->base);
	segments = range->segment_last - range->segment_start;
	functions = range->bdf_last - range->bdf_start;
#ifdef FUZZ_IORT
	MUST(!segments);
#endif
	MUST(viommu_range_pci_endpoint(range, range->segment_start, range->bdf_start, &endpoint));
	MUST(endpoint == range->endpoint_start);
	MUST(viommu_range_pci_endpoint(range, range->segment_last, range->bdf_last, &endpoint));
	MUST(endpoint == range->endpoint_start + segments * 0x10000 + functions);
}

static void check_range(const struct viommu_range *range)
{
	u32 endpoint;

	check_iommu(&range->iommu);
	if (range->transport == VIOMMU_TRANSPORT_PCI) {
		check_functions(range);
		return;
	}
	MUST(range->transport == VIOMMU_TRANSPORT_MMIO);
	MUST(!range->segment_start && !range->segment_last);
	MUST(!range->bdf_start && !range->bdf_last);
	MUST(!viommu_range_pci_endpoint(range, 0, 0, &endpoint));
#ifdef FUZZ_IORT
	MUST(!"a range of an IORT that is not of PCI functions");
#endif
}

#ifdef FUZZ_IORT
/* The range is that of the ID mapping that the walk says it comes from. */
static void check_origin(const struct viommu_range *range, const u8 *at)
{
	__le32 mapping[5]; /* input base, count less one, output base, reference, flags */
	u64 last;

	memcpy(mapping, at, sizeof(mapping));
	last = (u64)le32_to_cpu(mapping[0]) + le32_to_cpu(mapping[1]);
	MUST(range->bdf_start == le32_to_cpu(mapping[0]));
	MUST(range->bdf_last == (last > U16_MAX ? U16_MAX : last));
	MUST(range->endpoint_start == le32_to_cpu(mapping[2]));
	MUST(!(le32_to_cpu(mapping[4]) & 1));
}
#else
/* The node's type and length are those of such a range. */
static void check_origin(const struct viommu_range *range, const u8 *at)
{
	__le16 length;

	memcpy(&length, at + 2, sizeof(length));
	MUST(le16_to_cpu(length) >= READER_BYTES);
	MUST(at[0] == (range->transport == VIOMMU_TRANSPORT_PCI ? 1 : 2));
}
#endif

/* Both walks, over tables that differ only behind @limit, say the same. */
static void check_walks(struct viommu_table_cursor *a, struct viommu_table_cursor *b, size_t limit)
{
	struct viommu_range range, other;
	size_t before = HEADER - 1;
	int ret;

	do {
		memset(&range, 0, sizeof(range));
		memset(&other, 0, sizeof(other));
		ret = reader_next(a, &range);
		MUST(reader_next(b, &other) == ret);
		if (!ret)
			break;
		MUST(ret == 1 || ret == -EBADMSG || ret == -EINVAL);
		/* Onwards at each step: so there is an end. */
		MUST(a->at == b->at && a->at > before);
		before = a->at;
		/* A list may be broken by ending too late, but only by that. */
		MUST(ret == -EINVAL || a->at < limit);
		if (ret == 1) {
			MUST(a->at + READER_BYTES <= limit);
			MUST(!memcmp(&range, &other, sizeof(range)));
			check_range(&range);
			check_origin(&range, a->table + a->at);
		}
	} while (ret != -EINVAL);
	MUST(reader_next(a, &range) == 0);
}

/* A copy of the table with other bytes behind its end, more of them if may be. */
static u8 *copy_otherwise(const u8 *data, size_t size, size_t limit, size_t *copy_size)
{
	u8 *copy;
	size_t i;

	*copy_size = limit < size ? size + BEHIND : size;
	copy = malloc(*copy_size);
	memcpy(copy, data, limit);
	for (i = limit; i < *copy_size; i++)
		copy[i] = i < size ? ~data[i] : i;
	return copy;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct viommu_table_cursor a, b;
	size_t limit = size, copy_size;
	__le32 length;
	u8 *copy;
	int ret;

	if (size >= HEADER) {
		memcpy(&length, data + 4, sizeof(length));
		if (le32_to_cpu(length) < size)
			limit = le32_to_cpu(length);
	}
	ret = reader_begin(&a, data, size);
	MUST(ret == -EINVAL || (!ret && limit >= HEADER));
	if (ret)
		return 0;
	copy = copy_otherwise(data, size, limit, &copy_size);
	MUST(reader_begin(&b, copy, copy_size) == 0);
	check_walks(&a, &b, limit);
	free(copy);
	return 0;
}
