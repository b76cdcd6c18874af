// SPDX-License-Identifier: GPL-2.0
/*
 * What a device tree says about who stands behind which virtio-iommu.
 *
 * A virtio-iommu is a node with #iommu-cells: one on virtio-mmio, or a PCI function below
 * its host bridge. Others name it by its phandle, which may stand further below in the
 * tree: so the tree is walked twice, first for virtio-iommus, then for the "iommu-map" of
 * PCI host bridges and the "iommus" of other devices.
 *
 * Specification: Devicetree bindings, iommu/iommu.txt, pci/pci-iommu.txt, virtio/iommu.txt.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "firmware.h"

#define DT_ROOT		"/sys/firmware/devicetree/base"
#define DT_MAX_DEPTH	32
#define DT_MAX_NODES	100000

struct property {
	uint8_t *data;
	size_t size;
};

/**
 * struct node - where the walk is
 * @path: below the root, "" for that
 * @address_cells: of the parent
 * @segment: PCI domain of the host bridge that this is, or is below
 */
struct node {
	const char *path;
	unsigned int depth;
	uint32_t address_cells;
	uint32_t segment;
};

/**
 * struct walk - one of the two walks
 * @phandles: of firmware->iommus[i]
 */
struct walk {
	struct firmware *firmware;
	void (*visit)(struct walk *walk, const struct node *node);
	uint32_t *phandles;
	size_t nr_nodes;
};

static struct property property_read(const char *node, const char *name)
{
	char *path = file_path(DT_ROOT "%s/%s", node, name);
	struct property property = { };

	property.data = file_read(path, &property.size);
	free(path);
	return property;
}

static size_t property_cells(const struct property *property)
{
	return property->data ? property->size / 4 : 0;
}

static uint32_t property_cell(const struct property *property, size_t index)
{
	const uint8_t *bytes = property->data + 4 * index;

	return (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static uint32_t node_number(const char *node, const char *name, uint32_t missing)
{
	struct property property = property_read(node, name);
	uint32_t number = property_cells(&property) ? property_cell(&property, 0) : missing;

	free(property.data);
	return number;
}

static bool node_is_compatible(const char *node, const char *with)
{
	struct property property = property_read(node, "compatible");
	bool found = false;
	const char *string = (const char *)property.data;

	/* Strings, each ended by a NUL; file_read() has put one behind the last. */
	for (; string && string < (const char *)property.data + property.size;
	     string += strlen(string) + 1)
		found |= !strcmp(string, with);
	free(property.data);
	return found;
}

static bool node_is_there(const char *node, const char *property)
{
	char *path = file_path(DT_ROOT "%s/%s", node, property);
	bool there = file_exists(path);

	free(path);
	return there;
}

/* Return: false where the node does not say where it is. */
static bool read_address(const struct node *node, struct firmware_iommu *iommu)
{
	struct property reg = property_read(node->path, "reg");
	size_t cells = property_cells(&reg);

	if (iommu->pci && cells >= 1)
		/* phys.hi of a PCI address */
		iommu->bdf = property_cell(&reg, 0) >> 8;
	else if (!iommu->pci && node->address_cells == 2 && cells >= 2)
		iommu->base = (uint64_t)property_cell(&reg, 0) << 32 | property_cell(&reg, 1);
	else if (!iommu->pci && node->address_cells == 1 && cells >= 1)
		iommu->base = property_cell(&reg, 0);
	else
		cells = 0;
	free(reg.data);
	return cells;
}

static void visit_iommu(struct walk *walk, const struct node *node)
{
	struct firmware_iommu iommu = { .by = BY_DT, .segment = node->segment };
	struct firmware *firmware = walk->firmware;
	size_t index;
	char *name;

	if (!node_is_there(node->path, "#iommu-cells"))
		return;
	iommu.pci = node_is_compatible(node->path, "virtio,pci-iommu") ||
		    node_is_compatible(node->path, "pci1af4,1057");
	if (!iommu.pci && !node_is_compatible(node->path, "virtio,mmio"))
		return;
	firmware->present[BY_DT] = true;
	if (!read_address(node, &iommu)) {
		firmware_add_node(firmware, BY_DT, 0, true, "%s: virtio-iommu ignored: no address",
				  node->path);
		return;
	}

	iommu.path = text("%s", node->path);
	index = firmware_add_iommu(firmware, &iommu);
	walk->phandles = resize(walk->phandles, (index + 1) * sizeof(*walk->phandles));
	walk->phandles[index] = node_number(node->path, "phandle", 0);
	name = firmware_iommu_text(&iommu);
	firmware_add_node(firmware, BY_DT, 0, false, "%s: virtio-iommu: %s", node->path, name);
	free(name);
}

/* The virtio-iommu of that phandle. Zero is none's. */
static bool find_iommu(const struct walk *walk, uint32_t phandle, size_t *index)
{
	for (*index = 0; *index < walk->firmware->nr_iommus; ++*index) {
		if (walk->firmware->iommus[*index].by == BY_DT && phandle &&
		    walk->phandles[*index] == phandle)
			return true;
	}
	return false;
}

static void add_range(struct walk *walk, const struct node *node, struct firmware_range *range)
{
	const char *wrong;
	char *name;

	range->by = BY_DT;
	range->path = text("%s", node->path);
	name = firmware_range_text(range);
	wrong = firmware_add_range(walk->firmware, range);
	if (wrong)
		firmware_add_node(walk->firmware, BY_DT, 0, true, "%s: %s: ignored, %s",
				  node->path, name, wrong);
	else
		firmware_add_node(walk->firmware, BY_DT, 0, false, "%s: %s: endpoint 0x%x-0x%x",
				  node->path, range->pci ? name : "device", range->endpoint,
				  firmware_range_last(range));
	if (wrong)
		free(range->path);
	free(name);
}

/* Entries of four cells: the first BDF, a phandle, the first endpoint ID, how many. */
static void read_map(struct walk *walk, const struct node *node, const struct property *map)
{
	uint16_t mask = node_number(node->path, "iommu-map-mask", 0xffff);
	size_t i;

	if (map->size % 16)
		firmware_add_node(walk->firmware, BY_DT, 0, true,
				  "%s: iommu-map has %zu bytes: not a multiple of 16", node->path,
				  map->size);
	for (i = 0; i + 4 <= property_cells(map); i += 4) {
		uint32_t first = property_cell(map, i), count = property_cell(map, i + 3);
		uint64_t last = (uint64_t)first + count - 1;
		struct firmware_range range = {
			.pci = true,
			.mask = mask,
			.segment_first = node->segment,
			.segment_last = node->segment,
			.bdf_first = first,
			.bdf_last = last > UINT16_MAX ? UINT16_MAX : last,
			.endpoint = property_cell(map, i + 2),
		};

		/* It may lead to an IOMMU of another kind. */
		if (!find_iommu(walk, property_cell(map, i + 1), &range.iommu))
			continue;
		if (!count || first > UINT16_MAX)
			firmware_add_node(walk->firmware, BY_DT, 0, true,
					  "%s: iommu-map: entry %zu ignored: no PCI functions",
					  node->path, i / 4);
		else
			add_range(walk, node, &range);
	}
}

static void visit_device(struct walk *walk, const struct node *node)
{
	struct property property = property_read(node->path, "iommu-map");
	struct firmware_range range = { };
	size_t i;

	if (property.data)
		read_map(walk, node, &property);
	free(property.data);

	/*
	 * A phandle and one ID each, as a virtio-iommu has it. What another IOMMU's IDs are
	 * made of is not known, so that nothing can be said about what follows one.
	 */
	property = property_read(node->path, "iommus");
	for (i = 0; i + 2 <= property_cells(&property); i += 2) {
		if (!find_iommu(walk, property_cell(&property, i), &range.iommu))
			break;
		range.endpoint = property_cell(&property, i + 1);
		add_range(walk, node, &range);
	}
	free(property.data);
}

static void walk_node(struct walk *walk, const struct node *node)
{
	char *folder = file_path(DT_ROOT "%s", node->path);
	char **names = folder_names(folder);
	struct node child = { .depth = node->depth + 1 };
	struct stat stat;
	size_t i;

	walk->visit(walk, node);
	child.address_cells = node_number(node->path, "#address-cells", 2);
	for (i = 0; names[i] && child.depth < DT_MAX_DEPTH; i++) {
		char *real = text("%s/%s", folder, names[i]);
		char *path = text("%s/%s", node->path, names[i]);

		if (!lstat(real, &stat) && S_ISDIR(stat.st_mode) &&
		    walk->nr_nodes++ < DT_MAX_NODES) {
			child.path = path;
			child.segment = node_number(path, "linux,pci-domain", node->segment);
			walk_node(walk, &child);
		}
		free(path);
		free(real);
	}
	names_free(names);
	free(folder);
}

void dt_decode(struct firmware *firmware)
{
	struct walk walk = { .firmware = firmware, .visit = visit_iommu };
	struct node top = { .path = "", .address_cells = 2 };

	/* Phandles are by index, and tables before this may have had virtio-iommus. */
	walk.phandles = allocate((firmware->nr_iommus + 1) * sizeof(*walk.phandles));
	walk_node(&walk, &top);
	if (firmware->present[BY_DT]) {
		walk.visit = visit_device;
		walk.nr_nodes = 0;
		walk_node(&walk, &top);
	}
	free(walk.phandles);
}
