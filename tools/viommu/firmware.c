// SPDX-License-Identifier: GPL-2.0
/*
 * What firmware says about who stands behind which virtio-iommu, whatever it says it in.
 *
 * A VIOT, an IORT and a device tree come to the same: ranges of PCI functions, and
 * single other devices, each with the ID of its first endpoint and its virtio-iommu.
 * Where several mention a device the first counts: a VIOT before an IORT before a
 * device tree.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "firmware.h"

const char *const description_names[DESCRIPTIONS] = {
	[BY_VIOT] = "VIOT",
	[BY_IORT] = "IORT",
	[BY_DT] = "DT",
};

char *pci_text(uint16_t segment, uint16_t bdf)
{
	return text("%04x:%02x:%02x.%x", segment, bdf >> 8, bdf >> 3 & 0x1f, bdf & 7);
}

bool pci_parse(const char *name, uint16_t *segment, uint16_t *bdf)
{
	unsigned int words[4];
	int length = 0;

	/* Domains of more than 16 bits are the kernel's own invention: no table has them. */
	if (sscanf(name, "%4x:%2x:%2x.%1x%n", &words[0], &words[1], &words[2], &words[3],
		   &length) != 4 || name[length] || words[2] > 0x1f || words[3] > 7)
		return false;
	*segment = words[0];
	*bdf = words[1] << 8 | words[2] << 3 | words[3];
	return true;
}

/* Endpoints in the range beyond its first. */
static uint64_t range_extent(const struct firmware_range *range)
{
	if (!range->pci)
		return 0;
	return ((uint64_t)(range->segment_last - range->segment_first) << 16) +
	       range->bdf_last - range->bdf_first;
}

uint32_t firmware_range_last(const struct firmware_range *range)
{
	return range->endpoint + range_extent(range);
}

char *firmware_range_text(const struct firmware_range *range)
{
	char *first, *last, *both;

	if (!range->pci)
		return range->path ? text("%s", range->path) :
				     text("device at 0x%" PRIx64, range->base);
	first = pci_text(range->segment_first, range->bdf_first);
	last = pci_text(range->segment_last, range->bdf_last);
	both = text("%s%s%s", first, strcmp(first, last) ? "-" : "",
		    strcmp(first, last) ? last : "");
	free(first);
	free(last);
	return both;
}

char *firmware_iommu_text(const struct firmware_iommu *iommu)
{
	if (iommu->pci)
		return pci_text(iommu->segment, iommu->bdf);
	return text("virtio-mmio at 0x%" PRIx64, iommu->base);
}

const struct firmware_range *firmware_find_pci(const struct firmware *firmware, uint16_t segment,
					       uint16_t bdf, uint32_t *endpoint)
{
	const struct firmware_range *range;
	uint16_t id;

	for (range = firmware->ranges; range < firmware->ranges + firmware->nr_ranges; range++) {
		id = bdf & range->mask;
		if (!range->pci || segment < range->segment_first ||
		    segment > range->segment_last || id < range->bdf_first || id > range->bdf_last)
			continue;
		*endpoint = range->endpoint + ((uint32_t)(segment - range->segment_first) << 16) +
			    id - range->bdf_first;
		return range;
	}
	return NULL;
}

bool firmware_is_hidden(const struct firmware *firmware)
{
	enum description by;

	for (by = 0; by < DESCRIPTIONS; by++) {
		if (firmware->unreadable[by])
			return true;
	}
	return false;
}

size_t firmware_add_iommu(struct firmware *firmware, const struct firmware_iommu *iommu)
{
	size_t i;

	/* Many ranges refer to one. */
	for (i = 0; i < firmware->nr_iommus; i++) {
		const struct firmware_iommu *known = &firmware->iommus[i];

		if (known->by == iommu->by && known->offset == iommu->offset &&
		    known->by != BY_DT)
			return i;
	}
	firmware->iommus = resize(firmware->iommus, (i + 1) * sizeof(*iommu));
	firmware->iommus[i] = *iommu;
	firmware->nr_iommus++;
	return i;
}

const char *firmware_add_range(struct firmware *firmware, const struct firmware_range *range)
{
	if (range->pci && (range->segment_first > range->segment_last ||
			   range->bdf_first > range->bdf_last))
		return "it ends before it begins";
	if (range_extent(range) > UINT32_MAX - range->endpoint)
		return "its endpoint IDs have more than 32 bits";
	firmware->ranges = resize(firmware->ranges,
				  (firmware->nr_ranges + 1) * sizeof(*range));
	firmware->ranges[firmware->nr_ranges++] = *range;
	return NULL;
}

void firmware_add_node(struct firmware *firmware, enum description by, uint32_t offset, bool bad,
		       const char *format, ...)
{
	struct firmware_node *node;
	va_list arguments;

	firmware->nodes = resize(firmware->nodes, (firmware->nr_nodes + 1) * sizeof(*node));
	node = &firmware->nodes[firmware->nr_nodes++];
	*node = (struct firmware_node) { .by = by, .offset = offset, .bad = bad };
	va_start(arguments, format);
	if (vasprintf(&node->text, format, arguments) < 0)
		fail(EXIT_FAILED, "no memory");
	va_end(arguments);
}

void firmware_free(struct firmware *firmware)
{
	size_t i;

	for (i = 0; i < firmware->nr_iommus; i++)
		free(firmware->iommus[i].path);
	for (i = 0; i < firmware->nr_ranges; i++)
		free(firmware->ranges[i].path);
	for (i = 0; i < firmware->nr_nodes; i++)
		free(firmware->nodes[i].text);
	free(firmware->iommus);
	free(firmware->ranges);
	free(firmware->nodes);
	free(firmware);
}
