/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: the devices of a system, and what the virtio-iommus do for them. */
#ifndef _VIOMMU_SYSTEM_H
#define _VIOMMU_SYSTEM_H

#include "firmware.h"

/* What a device's DMA reaches. */
enum reach {
	REACH_MAPPED,	/* what is mapped for it */
	REACH_BLOCKED,	/* nothing: it is in a domain that blocks */
	REACH_CLOSED,	/* nothing: it is attached nowhere, and bypass is closed */
	REACH_IDENTITY,	/* all memory: it is in an identity domain */
	REACH_PAST,	/* all memory: a virtio device that goes past the IOMMU */
	REACH_BYPASS,	/* all memory: it is attached nowhere, and bypass is open */
	REACH_UNKNOWN,	/* attached nowhere, and what bypass is set to is not shown */
	REACH_IOMMU,	/* it is a virtio-iommu */
	REACH_OTHER,	/* it is another IOMMU's */
};

/**
 * struct device - a device that does DMA, or could
 * @name: "0000:00:03.0"
 * @bus: "pci", "platform"...
 * @path: its folder, with options.root in front
 * @label: what pci.ids calls it, or ""
 * @driver: or NULL
 * @virtio: it carries a virtio device
 * @virtio_driver: the driver of that, or NULL
 * @group: its IOMMU group, or -1
 * @type: that of the group's default domain: "DMA", "DMA-FQ", "identity"..., or NULL
 * @iommu: index of the virtio-iommu that it is behind, by a table or in fact, or -1
 * @range: what firmware says of it, or NULL
 * @attached: its virtio-iommu's driver, or kernel, has taken it in
 * @endpoints: its endpoint IDs, its own and aliases
 * @endpoints_are_tables: @endpoints is what tables say, not the driver
 * @domain: ID of its domain, or -1 where there is none or it is not known
 * @kind: of domain, by the driver, or NULL
 * @faults: how many its endpoints had, by the driver
 * @bridge: a PCI bridge, whose only DMA are interrupts
 * @mode: how its DMA is mapped, by the driver: "ordinary", "bounce", "reuse"; or NULL
 * @wish: how it is to be, from the next bind of its driver on; or NULL
 */
struct device {
	char *name;
	char *bus;
	char *path;
	char *label;
	char *driver;
	bool virtio;
	char *virtio_driver;
	int group;
	char *type;
	int iommu;
	const struct firmware_range *range;
	bool attached;
	uint32_t *endpoints;
	size_t nr_endpoints;
	bool endpoints_are_tables;
	int64_t domain;
	char *kind;
	uint64_t faults;
	bool bridge;
	char *mode;
	char *wish;
	enum reach reach;
};

struct region {
	uint64_t first, last;
	char *type;
};

/**
 * struct group - an IOMMU group with a device of a virtio-iommu
 * @regions: reserved
 */
struct group {
	int number;
	char *type;
	size_t nr_devices;
	struct region *regions;
	size_t nr_regions;
};

enum bypass { BYPASS_UNKNOWN, BYPASS_NONE, BYPASS_CLOSED, BYPASS_OPEN };

/**
 * struct iommu_state - what is known of a virtio-iommu beyond struct iommu
 * @described: bits of enum description, by what mentions it
 * @debugfs: its debugfs could be read
 * @dead: the driver has given it up
 */
struct iommu_state {
	enum bypass bypass;
	unsigned int described;
	bool debugfs;
	bool dead;
};

struct system {
	struct iommu *iommus;
	struct iommu_state *states;	/* of each iommu */
	size_t nr_iommus;
	struct firmware *firmware;
	struct device *devices;
	size_t nr_devices;
	struct group *groups;
	size_t nr_groups;
};

struct system *system_read(void);

/* A word for @reach, the same in text and JSON; what it means, for people. */
const char *reach_name(enum reach reach);
const char *reach_text(enum reach reach);
enum colour reach_colour(enum reach reach);
/* DMA of the device reaches all memory, or may. */
bool reach_is_bad(enum reach reach);

const char *bypass_name(enum bypass bypass);

/* The virtio-iommu that a table means, as an index, or -1. */
int system_find_iommu(const struct system *system, const struct firmware_iommu *iommu);
/* The device that a range without PCI functions means, or NULL. */
char *platform_find(uint64_t base, const char *path);

/* What pci.ids calls a PCI device, or its two numbers. */
char *pci_label(uint16_t vendor, uint16_t device);

/* Steps of system_read(), in their order. */
void devices_read(struct system *system);
void device_add(struct system *system, const char *bus, const char *name);
struct device *device_find(const struct system *system, const char *name);
/* The kernel does DMA for its driver, which a mode could be for: not so with VFIO. */
bool device_has_mode(const struct device *device);
/* It should have another mode than it has. */
bool device_mode_waits(const struct device *device);
void attachments_read(struct system *system);
void groups_read(struct system *system);

#endif /* _VIOMMU_SYSTEM_H */
