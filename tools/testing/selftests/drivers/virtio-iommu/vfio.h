/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device in user space, by VFIO and its type 1 IOMMU: what the programs here share.
 */
#ifndef _VFIO_H
#define _VFIO_H

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE		4096ull
#define READ_WRITE	(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

/* The window that the host reports, on arm64 that of QEMU's GICv2m. */
#ifdef __aarch64__
#define MSI_START	0x08020000ull
#define MSI_LAST	0x08020fffull
#else
#define MSI_START	0xfee00000ull
#define MSI_LAST	0xfeefffffull
#endif

#define LENGTH(array)	(sizeof(array) / sizeof((array)[0]))

struct vfio {
	const char *bdf;
	int container;
	int group;
	int device;
};

static inline void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list args;

	printf("fail ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(1);
}

static inline void *allocate(uint64_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("no memory: %s", strerror(errno));
	return memory;
}

/* Bytes that no earlier call wrote, nor this one elsewhere. */
static inline void fill(uint8_t *memory, uint64_t size)
{
	static uint64_t state = 1;
	uint64_t i;

	for (i = 0; i < size; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		memory[i] = state >> 56;
	}
}

static inline int map(int container, uint64_t iova, void *memory, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map request = {
		.argsz = sizeof(request),
		.flags = flags,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &request) ? -errno : 0;
}

static inline void must_map(int container, uint64_t iova, void *memory, uint64_t size)
{
	int ret = map(container, iova, memory, size, READ_WRITE);

	if (ret)
		fail("cannot map %#llx bytes at %#llx: %s", (unsigned long long)size,
		     (unsigned long long)iova, strerror(-ret));
}

/* Bytes that were unmapped, or a negative errno. @flags: VFIO_DMA_UNMAP_FLAG_* */
static inline long long unmap_flags(int container, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap request = {
		.argsz = sizeof(request),
		.flags = flags,
		.iova = iova,
		.size = size,
	};

	return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &request) ? -errno : (long long)request.size;
}

static inline long long unmap(int container, uint64_t iova, uint64_t size)
{
	return unmap_flags(container, iova, size, 0);
}

static inline void must_unmap(int container, uint64_t iova, uint64_t size)
{
	long long ret = unmap(container, iova, size);

	if (ret != (long long)size)
		fail("unmap of %#llx bytes at %#llx: %lld", (unsigned long long)size,
		     (unsigned long long)iova, ret);
}

static inline int open_container(void)
{
	int container = open("/dev/vfio/vfio", O_RDWR);

	if (container < 0)
		fail("no container: %s", strerror(errno));
	return container;
}

/* /dev/vfio/NUMBER of a device's group */
static inline void group_path(const char *bdf, char *path, size_t size)
{
	char link[128], target[128];
	ssize_t len;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		fail("%s has no group", bdf);
	target[len] = 0;
	snprintf(path, size, "/dev/vfio/%s", strrchr(target, '/') + 1);
}

static inline int open_group(const char *bdf)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[64];
	int group;

	group_path(bdf, path, sizeof(path));
	group = open(path, O_RDWR);
	if (group < 0)
		fail("cannot open %s: %s", path, strerror(errno));
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) ||
	    !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		fail("%s is not viable", path);
	return group;
}

/* The container's IOMMU comes with its first group. */
static inline void open_in_container(struct vfio *vfio, const char *bdf, int container)
{
	vfio->bdf = bdf;
	vfio->container = container;
	vfio->group = open_group(bdf);
	if (ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &container))
		fail("%s does not go into the container: %s", bdf, strerror(errno));
	if (ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
		fail("no version 2 of type 1");
	/* EINVAL: it has its IOMMU already */
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) && errno != EINVAL)
		fail("no type 1 IOMMU: %s", strerror(errno));
	vfio->device = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (vfio->device < 0)
		fail("no device %s: %s", bdf, strerror(errno));
}

static inline void open_device(struct vfio *vfio, const char *bdf)
{
	open_in_container(vfio, bdf, open_container());
}

static inline struct vfio_region_info region_info(const struct vfio *vfio, uint32_t index)
{
	struct vfio_region_info region = { .argsz = sizeof(region), .index = index };

	if (ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &region))
		fail("%s has no region %u: %s", vfio->bdf, index, strerror(errno));
	return region;
}

static inline uint32_t config_read(const struct vfio *vfio, unsigned int offset,
				   unsigned int bytes)
{
	struct vfio_region_info region = region_info(vfio, VFIO_PCI_CONFIG_REGION_INDEX);
	uint32_t value = 0;

	if (pread(vfio->device, &value, bytes, region.offset + offset) != bytes)
		fail("cannot read config space: %s", strerror(errno));
	return value;
}

/* BAR 0, with memory and bus mastering on (6 in the command register). */
static inline volatile uint8_t *open_registers(const struct vfio *vfio)
{
	struct vfio_region_info region = region_info(vfio, VFIO_PCI_CONFIG_REGION_INDEX);
	uint16_t command = 6;
	void *registers;

	if (pwrite(vfio->device, &command, sizeof(command), region.offset + 4) != sizeof(command))
		fail("cannot write config space: %s", strerror(errno));
	region = region_info(vfio, VFIO_PCI_BAR0_REGION_INDEX);
	registers = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED, vfio->device,
			 region.offset);
	if (registers == MAP_FAILED)
		fail("BAR 0 cannot be mapped: %s", strerror(errno));
	return registers;
}

/* The capability of the container with that ID, in memory that is not freed. */
static inline void *container_capability(int container, uint16_t id, uint64_t *page_sizes)
{
	struct vfio_iommu_type1_info *info = calloc(1, 4096);
	struct vfio_info_cap_header *cap;
	uint32_t offset;

	info->argsz = 4096;
	if (ioctl(container, VFIO_IOMMU_GET_INFO, info))
		fail("no information: %s", strerror(errno));
	*page_sizes = info->flags & VFIO_IOMMU_INFO_PGSIZES ? info->iova_pgsizes : 0;
	for (offset = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0; offset;
	     offset = cap->next) {
		cap = (void *)((char *)info + offset);
		if (cap->id == id)
			return cap;
	}
	fail("the container has no capability %u", id);
}

/* To the host, which compares with the faults that it saw. */
static inline void expect_fault(const struct vfio *vfio, uint64_t iova)
{
	printf("fault %s %#llx\n", vfio->bdf, (unsigned long long)iova);
}

#endif /* _VFIO_H */
