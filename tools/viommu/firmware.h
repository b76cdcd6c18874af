/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: what firmware says about who stands behind which virtio-iommu. */
#ifndef _VIOMMU_FIRMWARE_H
#define _VIOMMU_FIRMWARE_H

#include "viommu.h"

enum description { BY_VIOT, BY_IORT, BY_DT, DESCRIPTIONS };

extern const char *const description_names[DESCRIPTIONS];	/* "VIOT" ... */

/**
 * struct firmware_iommu - a virtio-iommu that firmware mentions
 * @by: what mentions it
 * @offset: of its node, in an ACPI table
 * @path: its node, in a device tree, or NULL
 * @pci: it is a PCI function; otherwise it is on virtio-mmio
 * @segment: its PCI segment
 * @bdf: its bus, device and function, as 16 bits
 * @base: its first address, on virtio-mmio
 */
struct firmware_iommu {
	enum description by;
	uint32_t offset;
	char *path;
	bool pci;
	uint16_t segment, bdf;
	uint64_t base;
};

/**
 * struct firmware_range - PCI functions, or another device, behind a virtio-iommu
 * @by: what says so
 * @offset: of the node or ID mapping, in an ACPI table
 * @path: a device's node, in a device tree, or that of its PCI host bridge, or NULL
 * @iommu: index in struct firmware's iommus
 * @pci: it is about PCI functions
 * @segment_first: of PCI functions; all @bdf_first to @bdf_last in each segment
 * @mask: bits of a BDF that count
 * @base: where the registers of another device begin, 0 where @path says which it is
 * @endpoint: ID of the first
 */
struct firmware_range {
	enum description by;
	uint32_t offset;
	char *path;
	size_t iommu;
	bool pci;
	uint16_t segment_first, segment_last;
	uint16_t bdf_first, bdf_last;
	uint16_t mask;
	uint64_t base;
	uint32_t endpoint;
};

/**
 * struct firmware_node - a node of a table, for people
 * @by: the table
 * @offset: in it
 * @bad: it is ignored, and @text says why
 */
struct firmware_node {
	enum description by;
	uint32_t offset;
	bool bad;
	char *text;
};

/**
 * struct firmware - all that firmware says
 * @present: there is such a table; a device tree counts where it has a virtio-iommu
 * @unreadable: there is a table that needs root
 */
struct firmware {
	bool present[DESCRIPTIONS];
	bool unreadable[DESCRIPTIONS];
	struct firmware_iommu *iommus;
	size_t nr_iommus;
	struct firmware_range *ranges;
	size_t nr_ranges;
	struct firmware_node *nodes;
	size_t nr_nodes;
};

/* What the system's firmware says. */
struct firmware *firmware_read(void);
/* What a dump of one ACPI table says. It ends the program where @path is none. */
struct firmware *firmware_read_file(const char *path);
void firmware_free(struct firmware *firmware);
/* There is a table that only root can read: what is in no other may be in that one. */
bool firmware_is_hidden(const struct firmware *firmware);

/* The range that a PCI function is in, or NULL; if it is in one, its endpoint ID. */
const struct firmware_range *firmware_find_pci(const struct firmware *firmware, uint16_t segment,
					       uint16_t bdf, uint32_t *endpoint);

/* "0000:00:01.0", as text and back. */
char *pci_text(uint16_t segment, uint16_t bdf);
bool pci_parse(const char *name, uint16_t *segment, uint16_t *bdf);
/* "0000:00:00.0-0000:ff:1f.7", "device at 0xa000000"; "0000:00:01.0", "virtio-mmio at ..." */
char *firmware_range_text(const struct firmware_range *range);
char *firmware_iommu_text(const struct firmware_iommu *iommu);
/* The last endpoint ID of a range. */
uint32_t firmware_range_last(const struct firmware_range *range);

/* For readers of tables. What is handed in is copied, but for a path, which is kept. */
size_t firmware_add_iommu(struct firmware *firmware, const struct firmware_iommu *iommu);
/* Return: NULL, or why the range is none. */
const char *firmware_add_range(struct firmware *firmware, const struct firmware_range *range);
void firmware_add_node(struct firmware *firmware, enum description by, uint32_t offset, bool bad,
		       const char *format, ...) __attribute__((format(printf, 5, 6)));

/**
 * struct acpi_table - bytes of a table
 * @size: how many may be read: the least of what the file and what the header has
 */
struct acpi_table {
	const uint8_t *data;
	size_t size;
};

/* Little-endian numbers. The caller has seen that they are within the table. */
uint16_t acpi_16(const struct acpi_table *table, size_t offset);
uint32_t acpi_32(const struct acpi_table *table, size_t offset);
uint64_t acpi_64(const struct acpi_table *table, size_t offset);
/* Whether @size bytes at @offset are within the table. */
bool acpi_has(const struct acpi_table *table, size_t offset, size_t size);
#define ACPI_HEADER_SIZE	36

void viot_decode(struct firmware *firmware, const struct acpi_table *table);
void iort_decode(struct firmware *firmware, const struct acpi_table *table);
void dt_decode(struct firmware *firmware);

#endif /* _VIOMMU_FIRMWARE_H */
