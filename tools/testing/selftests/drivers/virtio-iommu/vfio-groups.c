// SPDX-License-Identifier: GPL-2.0
/*
 * Two of QEMU's edu devices, each in a group of its own, by VFIO: in a container each they
 * have nothing in common, in one container they have all.
 *
 * Usage: vfio-groups CHECK BDF BDF. Prints "fault BDF IOVA" for what the host should have
 * stopped, and "fail WHY" for the first thing that does not hold.
 */
#include <sys/utsname.h>

#include "edu.h"

#define IOVA	0xa0000000ull
#define OTHER	0xc0000000ull

static void close_device(struct edu *edu)
{
	struct vfio_region_info region = region_info(&edu->vfio, VFIO_PCI_BAR0_REGION_INDEX);

	munmap((void *)edu->registers, region.size);
	close(edu->vfio.device);
}

/* Out of its container, which may have other groups and mappings. */
static void leave(struct edu *edu)
{
	close_device(edu);
	if (ioctl(edu->vfio.group, VFIO_GROUP_UNSET_CONTAINER))
		fail("%s stays in its container: %s", edu->vfio.bdf, strerror(errno));
	close(edu->vfio.group);
}

/* One IOVA, and memory of each container's own behind it. */
static void same_iova(struct edu *edus, uint8_t **memory)
{
	uint8_t copy[EDU_BYTES];
	int i;

	for (i = 0; i < 2; i++) {
		fill(memory[!i], EDU_BYTES);
		memcpy(copy, memory[!i], EDU_BYTES);
		edu_reaches(&edus[i], IOVA, memory[i]);
		if (memcmp(memory[!i], copy, EDU_BYTES))
			fail("%s wrote to the other container's memory", edus[i].vfio.bdf);
	}
	/* what each of them has read is its own */
	for (i = 0; i < 2; i++) {
		fill(memory[i], EDU_BYTES);
		edu_read(&edus[i], IOVA, EDU_BYTES);
	}
	memcpy(copy, memory[0], EDU_BYTES);
	edu_write(&edus[1], IOVA, EDU_BYTES);
	memset(memory[0], 0, EDU_BYTES);
	edu_write(&edus[0], IOVA, EDU_BYTES);
	if (memcmp(memory[0], copy, EDU_BYTES) || !memcmp(memory[1], copy, EDU_BYTES))
		fail("the devices read each other's memory");
}

/* What only one of them has mapped, and has unmapped, is a fault for the other. */
static void only_one(struct edu *has, struct edu *has_not, uint8_t *memory, uint8_t *scratch)
{
	must_map(has->vfio.container, OTHER, memory, PAGE);
	edu_write_stopped(has_not, OTHER, memory, PAGE);
	edu_read_stopped(has_not, OTHER, memory, IOVA, scratch);
	edu_reaches(has, OTHER, memory);
	must_unmap(has->vfio.container, OTHER, PAGE);
	edu_write_stopped(has, OTHER, memory, PAGE);
}

static void check_apart(const char *a, const char *b)
{
	uint8_t *memory[] = { allocate(PAGE), allocate(PAGE) }, *more = allocate(PAGE);
	struct edu edus[2];
	int i;

	edu_open(&edus[0], a);
	edu_open(&edus[1], b);
	for (i = 0; i < 2; i++)
		must_map(edus[i].vfio.container, IOVA, memory[i], PAGE);
	same_iova(edus, memory);
	for (i = 0; i < 2; i++)
		only_one(&edus[i], &edus[!i], more, memory[!i]);
	/* one ends, the other does not notice */
	must_unmap(edus[0].vfio.container, IOVA, PAGE);
	edu_write_stopped(&edus[0], IOVA, memory[1], PAGE);
	edu_reaches(&edus[1], IOVA, memory[1]);
	leave(&edus[0]);
	close(edus[0].vfio.container);
	edu_reaches(&edus[1], IOVA, memory[1]);
}

/* The second joins what there is; both see what comes and goes; one of them leaves. */
static void check_together(const char *stays, const char *goes)
{
	uint8_t *memory = allocate(PAGE), *more = allocate(PAGE);
	struct edu first, second, again;
	int container;

	edu_open(&first, stays);
	container = first.vfio.container;
	must_map(container, IOVA, memory, PAGE);
	edu_open_in_container(&second, goes, container);
	must_map(container, OTHER, more, PAGE);
	edu_reaches(&second, IOVA, memory);
	edu_reaches(&first, OTHER, more);
	edu_reaches(&second, OTHER, more);
	must_unmap(container, OTHER, PAGE);
	edu_write_stopped(&first, OTHER, more, PAGE);
	edu_write_stopped(&second, OTHER, more, PAGE);

	leave(&second);
	edu_reaches(&first, IOVA, memory);
	edu_open(&again, goes);
	edu_write_stopped(&again, IOVA, memory, PAGE);
	must_map(container, OTHER, more, PAGE);
	edu_reaches(&first, OTHER, more);
	edu_write_stopped(&again, OTHER, more, PAGE);
}

/* The first one leaves, and the container is the second's. */
static void check_inherited(const char *goes, const char *stays)
{
	uint8_t *memory = allocate(PAGE), *more = allocate(PAGE);
	struct edu first, second, again;
	int container;

	edu_open(&first, goes);
	container = first.vfio.container;
	edu_open_in_container(&second, stays, container);
	must_map(container, IOVA, memory, PAGE);
	leave(&first);
	edu_reaches(&second, IOVA, memory);
	edu_open(&again, goes);
	edu_write_stopped(&again, IOVA, memory, PAGE);
	must_map(container, OTHER, more, PAGE);
	edu_reaches(&second, OTHER, more);
	must_unmap(container, IOVA, PAGE);
	edu_write_stopped(&second, IOVA, memory, PAGE);
}

/* With its last group a container loses all mappings. */
static void check_last(const char *a, const char *b)
{
	uint8_t *memory = allocate(PAGE);
	struct edu edu, other;

	edu_open(&edu, a);
	must_map(edu.vfio.container, IOVA, memory, PAGE);
	leave(&edu);
	edu_open_in_container(&other, b, edu.vfio.container);
	edu_write_stopped(&other, IOVA, memory, PAGE);
	if (unmap(other.vfio.container, IOVA, PAGE))
		fail("a mapping outlived the container's last group");
	must_map(other.vfio.container, IOVA, memory, PAGE);
	edu_reaches(&other, IOVA, memory);
}

static void expect_errno(const char *what, int ret, int want)
{
	if (ret >= 0 || errno != want)
		fail("%s: %s instead of errno %d", what, ret >= 0 ? "success" : strerror(errno),
		     want);
}

/*
 * A group has one user: EBUSY for a second one, and while its device is open; EINVAL for a
 * second container. For something that is no container 6.1 has EINVAL as well, but 6.12,
 * where it might have been an iommufd, EBADFD.
 */
static void check_owner(const char *a, const char *b)
{
	int container = open_container(), null = open("/dev/null", O_RDWR), major, minor, group;
	uint8_t *memory = allocate(PAGE);
	struct utsname name;
	struct edu edu;
	char path[64];

	edu_open(&edu, a);
	group_path(a, path, sizeof(path));
	expect_errno("second open", open(path, O_RDWR), EBUSY);
	expect_errno("second container",
		     ioctl(edu.vfio.group, VFIO_GROUP_SET_CONTAINER, &container), EINVAL);
	expect_errno("leave with the device open",
		     ioctl(edu.vfio.group, VFIO_GROUP_UNSET_CONTAINER), EBUSY);
	expect_errno("IOMMU without a group",
		     ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), EINVAL);

	group = open_group(b);
	expect_errno("device without a container",
		     ioctl(group, VFIO_GROUP_GET_DEVICE_FD, b), EINVAL);
	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		fail("what kernel is this?");
	expect_errno("no container", ioctl(group, VFIO_GROUP_SET_CONTAINER, &null),
		     major == 6 && minor < 2 ? EINVAL : EBADFD);
	must_map(edu.vfio.container, IOVA, memory, PAGE);
	edu_reaches(&edu, IOVA, memory);
}

static const struct {
	const char *name;
	void (*run)(const char *a, const char *b);
} checks[] = {
	{ "apart", check_apart },
	{ "together", check_together },
	{ "inherited", check_inherited },
	{ "last", check_last },
	{ "owner", check_owner },
};

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc != 4) {
		fprintf(stderr, "Usage: vfio-groups CHECK BDF BDF\n");
		return 2;
	}
	setbuf(stdout, NULL);
	for (i = 0; i < LENGTH(checks); i++) {
		if (strcmp(checks[i].name, argv[1]))
			continue;
		checks[i].run(argv[2], argv[3]);
		return 0;
	}
	fail("no check named %s", argv[1]);
}
