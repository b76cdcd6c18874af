// SPDX-License-Identifier: GPL-2.0
/*
 * User space drives QEMU's edu devices by IOMMUFD: address spaces (IOAS) that devices
 * come into and leave, and what their DMA reaches then.
 *
 * Usage: iommufd-dma CHECK BDF BDF. Prints "fault BDF IOVA" for each access that the
 * host has to stop, and "fail WHY" where the check does not hold.
 */
#include "edu.h"

#include <linux/iommufd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MIB	(1ull << 20)
#define IOVA	(16 * MIB)
#define HIGH	(1ull << 40)
#define SIZE	(4 * MIB)

static int iommufd;
static struct edu edus[2];
static uint32_t dev_ids[2];
static uint8_t *memory;

/* The ioctl's errno, negative, or 0. */
static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static void must(const char *what, int ret)
{
	if (ret)
		fail("%s: %s", what, strerror(-ret));
}

static void must_be(const char *what, int ret, int want)
{
	if (ret != want)
		fail("%s: %d instead of %d", what, ret, want);
}

static uint32_t ioas_alloc(void)
{
	struct iommu_ioas_alloc request = { .size = sizeof(request) };

	must("no IOAS", call(iommufd, IOMMU_IOAS_ALLOC, &request));
	return request.out_ioas_id;
}

static int destroy(uint32_t id)
{
	struct iommu_destroy request = { .size = sizeof(request), .id = id };

	return call(iommufd, IOMMU_DESTROY, &request);
}

static int ioas_map_flags(uint32_t ioas, uint64_t *iova, void *from, uint64_t length,
			  uint32_t flags)
{
	struct iommu_ioas_map request = {
		.size = sizeof(request),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)from,
		.length = length,
		.iova = *iova,
	};
	int ret = call(iommufd, IOMMU_IOAS_MAP, &request);

	*iova = request.iova;
	return ret;
}

static int ioas_map(uint32_t ioas, uint64_t iova, void *from, uint64_t length)
{
	return ioas_map_flags(ioas, &iova, from, length, IOMMU_IOAS_MAP_FIXED_IOVA |
			      IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE);
}

static int ioas_unmap(uint32_t ioas, uint64_t iova, uint64_t length, uint64_t *unmapped)
{
	struct iommu_ioas_unmap request = {
		.size = sizeof(request),
		.ioas_id = ioas,
		.iova = iova,
		.length = length,
	};
	int ret = call(iommufd, IOMMU_IOAS_UNMAP, &request);

	*unmapped = request.length;
	return ret;
}

static void must_ioas_unmap(uint32_t ioas, uint64_t iova, uint64_t length)
{
	uint64_t unmapped;

	must("unmap", ioas_unmap(ioas, iova, length, &unmapped));
	if (unmapped != length)
		fail("%llu bytes unmapped instead of %llu", (unsigned long long)unmapped,
		     (unsigned long long)length);
}

static int hwpt_alloc(int i, uint32_t ioas, uint32_t flags, uint32_t *id)
{
	struct iommu_hwpt_alloc request = {
		.size = sizeof(request),
		.flags = flags,
		.dev_id = dev_ids[i],
		.pt_id = ioas,
	};
	int ret = call(iommufd, IOMMU_HWPT_ALLOC, &request);

	*id = request.out_hwpt_id;
	return ret;
}

static int attach(int i, uint32_t pt)
{
	struct vfio_device_attach_iommufd_pt request = {
		.argsz = sizeof(request),
		.pt_id = pt,
	};

	return call(edus[i].vfio.device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &request);
}

static int detach(int i)
{
	struct vfio_device_detach_iommufd_pt request = { .argsz = sizeof(request) };

	return call(edus[i].vfio.device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &request);
}

/* /dev/vfio/devices/vfioN of a device, by its one subdirectory of that name. */
static void open_cdev(struct vfio *vfio)
{
	char path[64];
	int n;

	for (n = 0; n < 64; n++) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio%d",
			 vfio->bdf, n);
		if (access(path, F_OK))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/vfio%d", n);
		vfio->device = open(path, O_RDWR);
		if (vfio->device < 0)
			fail("cannot open %s: %s", path, strerror(errno));
		return;
	}
	fail("%s has no character device", vfio->bdf);
}

/* From here on the device is its user's: blocked, until it is attached. */
static void open_edu(int i)
{
	struct vfio_device_bind_iommufd request = {
		.argsz = sizeof(request),
		.iommufd = iommufd,
	};

	open_cdev(&edus[i].vfio);
	must("bind", call(edus[i].vfio.device, VFIO_DEVICE_BIND_IOMMUFD, &request));
	dev_ids[i] = request.out_devid;
	edus[i].registers = open_registers(&edus[i].vfio);
}

static void open_iommufd(void)
{
	iommufd = open("/dev/iommu", O_RDWR);
	if (iommufd < 0)
		fail("cannot open /dev/iommu: %s", strerror(errno));
}

static void open_all(void)
{
	open_iommufd();
	open_edu(0);
	open_edu(1);
}

/* The kernel asks the IOMMU's driver, which has nothing of its own to tell. */
static void check_info(void)
{
	uint8_t data[16] = { 1 };
	struct iommu_hw_info request = {
		.size = sizeof(request),
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)data,
	};

	open_all();
	request.dev_id = dev_ids[0];
	must("IOMMU_GET_HW_INFO", call(iommufd, IOMMU_GET_HW_INFO, &request));
	if (request.out_data_type != IOMMU_HW_INFO_TYPE_NONE || data[0])
		fail("data of type %u", request.out_data_type);
	if (request.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING)
		fail("dirty tracking is promised");
	request.dev_id = 12345;
	must_be("info of no device", call(iommufd, IOMMU_GET_HW_INFO, &request), -ENOENT);
}

/* Is it within one of the ranges that may be mapped? */
static int in_ranges(uint32_t ioas, uint64_t start, uint64_t last)
{
	struct iommu_iova_range ranges[16];
	struct iommu_ioas_iova_ranges request = {
		.size = sizeof(request),
		.ioas_id = ioas,
		.num_iovas = LENGTH(ranges),
		.allowed_iovas = (uintptr_t)ranges,
	};
	uint32_t i;

	must("ranges", call(iommufd, IOMMU_IOAS_IOVA_RANGES, &request));
	if (request.out_iova_alignment > PAGE)
		fail("an alignment of %llu", (unsigned long long)request.out_iova_alignment);
	for (i = 0; i < request.num_iovas; i++)
		if (ranges[i].start <= start && ranges[i].last >= last)
			return 1;
	return 0;
}

/* A device makes its IOAS narrower, and wider when it goes. */
static void check_ranges(void)
{
	uint32_t ioas;

	open_all();
	ioas = ioas_alloc();
	if (!in_ranges(ioas, 0, UINT64_MAX))
		fail("an IOAS without devices has limits");
	must("attach", attach(0, ioas));
	if (in_ranges(ioas, MSI_START, MSI_START) || in_ranges(ioas, MSI_LAST, MSI_LAST))
		fail("the MSI window is offered for mappings");
	if (!in_ranges(ioas, IOVA, IOVA + SIZE - 1) || !in_ranges(ioas, HIGH, HIGH + SIZE - 1))
		fail("too little is offered for mappings");
	must("detach", detach(0));
	if (!in_ranges(ioas, MSI_START, MSI_LAST))
		fail("the MSI window is kept after the device has gone");

	/* The other way round: the mapping is there first. */
	must("map in the MSI window of no device", ioas_map(ioas, MSI_START, memory, PAGE));
	must_be("attach over a mapping", attach(0, ioas), -EADDRINUSE);
	must_ioas_unmap(ioas, MSI_START, PAGE);
	must("attach", attach(0, ioas));
	edu_stopped(&edus[0], IOVA);
}

static const struct {
	uint64_t iova;
	uint64_t offset;
	uint64_t size;
} maps[] = {
	{ IOVA, 0, PAGE },
	{ IOVA + 2 * MIB, 2 * MIB, 2 * MIB },		/* aligned on both sides */
	{ IOVA + 5 * MIB + PAGE, PAGE, 2 * MIB },	/* on neither */
	{ IOVA + 8 * MIB, 5 * PAGE, 7 * PAGE },
	{ HIGH, 0, SIZE },
	{ MSI_START - PAGE, 3 * PAGE, PAGE },
	{ MSI_LAST + 1, 9 * PAGE, 3 * PAGE },
};

static void must_map_all(uint32_t ioas)
{
	unsigned int i;

	for (i = 0; i < LENGTH(maps); i++)
		must("map", ioas_map(ioas, maps[i].iova, memory + maps[i].offset, maps[i].size));
}

/* Both ends of each. */
static void all_reached(struct edu *edu)
{
	unsigned int i;

	for (i = 0; i < LENGTH(maps); i++) {
		edu_reaches(edu, maps[i].iova, memory + maps[i].offset);
		edu_reaches(edu, maps[i].iova + maps[i].size - EDU_BYTES,
			    memory + maps[i].offset + maps[i].size - EDU_BYTES);
	}
}

/* Mapped with the device there, and mapped before it came. */
static void check_dma(void)
{
	uint32_t ioas;
	unsigned int i;

	open_all();
	ioas = ioas_alloc();
	must("attach", attach(0, ioas));
	must_map_all(ioas);
	all_reached(&edus[0]);
	must("attach the second", attach(1, ioas));
	all_reached(&edus[1]);
	must("detach", detach(0));
	all_reached(&edus[1]);
	must("attach again", attach(0, ioas));
	all_reached(&edus[0]);
	for (i = 0; i < LENGTH(maps); i++) {
		must_ioas_unmap(ioas, maps[i].iova, maps[i].size);
		edu_write_stopped(&edus[i % 2], maps[i].iova, memory, SIZE);
	}
}

/* Addresses that the kernel chooses are such that the device can use. */
static void check_chosen(void)
{
	uint64_t iova = 0, second = 0;
	uint32_t ioas, flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;

	open_all();
	ioas = ioas_alloc();
	must("attach", attach(0, ioas));
	must("map anywhere", ioas_map_flags(ioas, &iova, memory, 2 * MIB, flags));
	must("map anywhere", ioas_map_flags(ioas, &second, memory + 2 * MIB, 2 * MIB, flags));
	if (!in_ranges(ioas, iova, iova + 2 * MIB - 1) ||
	    !in_ranges(ioas, second, second + 2 * MIB - 1))
		fail("outside of the ranges");
	edu_reaches(&edus[0], iova, memory);
	edu_reaches(&edus[0], second + 2 * MIB - EDU_BYTES, memory + SIZE - EDU_BYTES);
}

/* Each errno as iommufd.h or the code that it documents has it. */
static void check_refusals(void)
{
	uint64_t iova = IOVA, unmapped;
	uint32_t ioas, hwpt;

	open_all();
	ioas = ioas_alloc();
	must("attach", attach(0, ioas));
	must("map", ioas_map(ioas, IOVA, memory, 3 * PAGE));
	must_be("map over the start", ioas_map(ioas, IOVA, memory, PAGE), -EEXIST);
	must_be("map over the end", ioas_map(ioas, IOVA + 2 * PAGE, memory, 2 * PAGE), -EEXIST);
	must_be("map in the MSI window", ioas_map(ioas, MSI_START, memory, PAGE), -EINVAL);
	must_be("map into the MSI window", ioas_map(ioas, MSI_START - PAGE, memory, 2 * PAGE),
		-EINVAL);
	must_be("map out of the MSI window", ioas_map(ioas, MSI_LAST + 1 - PAGE, memory, 2 * PAGE),
		-EINVAL);
	must_be("map half a page", ioas_map(ioas, HIGH, memory, PAGE / 2), -EINVAL);
	must_be("map at half a page", ioas_map(ioas, HIGH + PAGE / 2, memory, PAGE), -EINVAL);
	must_be("map nothing", ioas_map(ioas, HIGH, memory, 0), -EINVAL);
	must_be("map across the end", ioas_map(ioas, -PAGE, memory, 2 * PAGE), -EOVERFLOW);
	must_be("unmap a part", ioas_unmap(ioas, IOVA, PAGE, &unmapped), -ENOENT);
	must_be("unmap nothing", ioas_unmap(ioas, HIGH, PAGE, &unmapped), -ENOENT);
	must_be("destroy an IOAS in use", destroy(ioas), -EBUSY);
	must_be("dirty tracking", hwpt_alloc(0, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt),
		-EOPNOTSUPP);
	must_be("a parent of nested tables",
		hwpt_alloc(0, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &hwpt), -EOPNOTSUPP);

	/* None of that took anything away, or left a thing. */
	edu_reaches(&edus[0], IOVA, memory);
	edu_reaches(&edus[0], IOVA + 3 * PAGE - EDU_BYTES, memory + 3 * PAGE - EDU_BYTES);
	edu_stopped(&edus[0], IOVA + 3 * PAGE);
	edu_stopped(&edus[0], HIGH);

	must("map for reads", ioas_map_flags(ioas, &(uint64_t){ HIGH }, memory, PAGE,
					     IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE));
	edu_read(&edus[0], HIGH, EDU_BYTES);
	edu_write_stopped(&edus[0], HIGH, memory, SIZE);
	must("unmap all", ioas_unmap(ioas, 0, UINT64_MAX, &unmapped));
	if (unmapped != 4 * PAGE)
		fail("%llu bytes unmapped of 4 pages", (unsigned long long)unmapped);
	edu_write_stopped(&edus[0], iova, memory, SIZE);
}

/* A page table that is asked for, beside the one that an IOAS makes of itself. */
static void check_hwpt(void)
{
	uint32_t ioas, hwpt, second;

	open_all();
	ioas = ioas_alloc();
	must("map", ioas_map(ioas, IOVA, memory, PAGE));
	must("page table", hwpt_alloc(0, ioas, 0, &hwpt));
	must("attach", attach(0, hwpt));
	must("map", ioas_map(ioas, IOVA + 2 * MIB, memory + 2 * MIB, 2 * MIB));
	edu_reaches(&edus[0], IOVA, memory);
	edu_reaches(&edus[0], IOVA + 2 * MIB, memory + 2 * MIB);

	/* Another of the same IOAS, in its place and at the same time. */
	must("second page table", hwpt_alloc(1, ioas, 0, &second));
	must("attach to it", attach(1, second));
	edu_reaches(&edus[1], IOVA, memory);
	must("replace it", attach(0, second));
	edu_reaches(&edus[0], IOVA + 2 * MIB, memory + 2 * MIB);
	must("destroy the first", destroy(hwpt));
	edu_reaches(&edus[0], IOVA, memory);
	must_be("destroy one in use", destroy(second), -EBUSY);
	must_ioas_unmap(ioas, IOVA, PAGE);
	edu_write_stopped(&edus[0], IOVA, memory, SIZE);
	edu_write_stopped(&edus[1], IOVA, memory, SIZE);
	must("detach", detach(0));
	must("detach", detach(1));
	must("destroy", destroy(second));
	must("destroy", destroy(ioas));
}

/* Two address spaces: one address, other memory, and nothing of each other's. */
static void check_apart(void)
{
	uint32_t first, second;
	uint8_t *other = memory + 2 * MIB;

	open_all();
	first = ioas_alloc();
	second = ioas_alloc();
	must("attach", attach(0, first));
	must("attach", attach(1, second));
	must("map", ioas_map(first, IOVA, memory, PAGE));
	must("map", ioas_map(second, IOVA, other, PAGE));
	must("map", ioas_map(second, HIGH, other + PAGE, PAGE));
	memset(other, CANARY, PAGE);
	edu_reaches(&edus[0], IOVA, memory);
	if (other[0] != CANARY || memcmp(other, other + 1, PAGE - 1))
		fail("a write in one address space changed memory of the other");
	memset(memory, CANARY, PAGE);
	edu_reaches(&edus[1], IOVA, other);
	if (memory[0] != CANARY || memcmp(memory, memory + 1, PAGE - 1))
		fail("a write in the other address space changed memory of the first");
	edu_reaches(&edus[1], HIGH, other + PAGE);
	edu_write_stopped(&edus[0], HIGH, other, 2 * PAGE);
	must_ioas_unmap(first, IOVA, PAGE);
	edu_write_stopped(&edus[0], IOVA, memory, SIZE);
	edu_reaches(&edus[1], IOVA, other);
}

/* The address space of a device is replaced, and that of its neighbour stays. */
static void check_replace(void)
{
	uint32_t first, second, third;
	int i;

	open_all();
	first = ioas_alloc();
	second = ioas_alloc();
	third = ioas_alloc();
	must("map", ioas_map(first, IOVA, memory, 2 * PAGE));
	must("map", ioas_map(second, IOVA, memory + MIB, PAGE));
	must("map in what will be the MSI window", ioas_map(third, MSI_START, memory, PAGE));
	must("attach", attach(0, first));
	must("attach", attach(1, first));
	for (i = 0; i < 3; i++) {
		edu_reaches(&edus[0], IOVA, memory);
		must("replace", attach(0, second));
		edu_reaches(&edus[0], IOVA, memory + MIB);
		edu_write_stopped(&edus[0], IOVA + PAGE, memory, SIZE);
		edu_reaches(&edus[1], IOVA + PAGE, memory + PAGE);
		must_be("replace by one that does not fit", attach(0, third), -EADDRINUSE);
		edu_reaches(&edus[0], IOVA, memory + MIB);
		must("replace back", attach(0, first));
	}
	must("replace", attach(0, second));
	must("detach the neighbour", detach(1));
	must("destroy the first", destroy(first));
	edu_reaches(&edus[0], IOVA, memory + MIB);
}

/* A device reaches nothing before it is attached and after it is detached. */
static void check_detach(void)
{
	uint32_t ioas;

	open_all();
	ioas = ioas_alloc();
	must("map", ioas_map(ioas, IOVA, memory, PAGE));
	edu_write_stopped(&edus[0], IOVA, memory, SIZE);
	must("attach", attach(0, ioas));
	must("attach", attach(1, ioas));
	edu_reaches(&edus[0], IOVA, memory);
	must("detach", detach(0));
	edu_write_stopped(&edus[0], IOVA, memory, SIZE);
	edu_reaches(&edus[1], IOVA, memory);
	must("detach", detach(1));
	edu_write_stopped(&edus[1], IOVA, memory, SIZE);
	must("attach again", attach(0, ioas));
	edu_reaches(&edus[0], IOVA, memory);
}

/* In the middle of its DMA, and of all that it had mapped. */
static void run_until_killed(int ready)
{
	uint32_t ioas;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_all();
	ioas = ioas_alloc();
	must("attach", attach(0, ioas));
	must("attach", attach(1, ioas));
	must_map_all(ioas);
	edu_reaches(&edus[0], IOVA, memory);
	if (write(ready, "", 1) != 1)
		fail("nobody listens");
	for (;;)
		edu_write(&edus[0], IOVA, EDU_BYTES);
}

/* The next user finds the device blocked, and nothing that was mapped before. */
static void check_killed(void)
{
	int ready[2], status;
	uint32_t ioas;
	pid_t pid;
	char byte;

	if (pipe(ready))
		fail("no pipe");
	pid = fork();
	if (!pid)
		run_until_killed(ready[1]);
	close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		fail("the other process has ended");
	usleep(50000);
	if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		fail("the other process was not killed");

	open_all();
	edu_write_stopped(&edus[0], IOVA, memory, SIZE);
	edu_write_stopped(&edus[1], HIGH, memory, SIZE);
	ioas = ioas_alloc();
	must("map", ioas_map(ioas, IOVA, memory + PAGE, PAGE));
	must("attach", attach(0, ioas));
	edu_reaches(&edus[0], IOVA, memory + PAGE);
	edu_write_stopped(&edus[0], HIGH, memory, SIZE);
}

static const struct {
	const char *name;
	void (*run)(void);
} checks[] = {
	{ "info", check_info },
	{ "ranges", check_ranges },
	{ "dma", check_dma },
	{ "chosen", check_chosen },
	{ "refusals", check_refusals },
	{ "hwpt", check_hwpt },
	{ "apart", check_apart },
	{ "replace", check_replace },
	{ "detach", check_detach },
	{ "killed", check_killed },
};

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc != 4) {
		fprintf(stderr, "Usage: iommufd-dma CHECK BDF BDF\n");
		return 2;
	}
	setbuf(stdout, NULL);
	/* shared, for the check with two processes */
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("no memory: %s", strerror(errno));
	edus[0].vfio.bdf = argv[2];
	edus[1].vfio.bdf = argv[3];
	for (i = 0; i < LENGTH(checks); i++) {
		if (!strcmp(checks[i].name, argv[1])) {
			checks[i].run();
			return 0;
		}
	}
	fail("no check named %s", argv[1]);
}
