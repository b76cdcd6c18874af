// SPDX-License-Identifier: GPL-2.0
/*
 * A user-space driver of an NVMe disk, by VFIO: queues, lists of pages and data lie at
 * IOVAs of their own, each page mapped by itself, and none next to another.
 *
 * Usage: vfio-nvme CHECK BDF SERIAL [FILE]. FILE is to get what was written from block LBA
 * on. Prints "fault BDF IOVA" for what the host should have stopped, and "fail WHY" for the
 * first thing that does not hold. "loop" is no check: it reads until the process is killed,
 * and prints "ready" when it is at it.
 *
 * Specification: NVM Express, revision 1.4: 3 "Controller registers", 4 "Data
 * structures", 5 "Admin command set", 6 "NVM command set".
 */
#include <poll.h>
#include <sys/eventfd.h>

#include "vfio.h"

/* 3.1 */
#define NVME_CAP_HIGH	0x04	/* bits 0 to 3: the doorbells' stride */
#define NVME_CC		0x14
#define NVME_CSTS	0x1c
#define NVME_AQA	0x24
#define NVME_ASQ	0x28
#define NVME_ACQ	0x30
#define NVME_DOORBELLS	0x1000
#define NVME_CC_ENABLE	0x460001u	/* entries of 2^6 and 2^4 bytes */

/* 5 and 6 */
#define NVME_CREATE_SQ	0x01
#define NVME_CREATE_CQ	0x05
#define NVME_IDENTIFY	0x06
#define NVME_WRITE	0x01
#define NVME_READ	0x02

#define BLOCK		512ull
#define PAGE_BLOCKS	(PAGE / BLOCK)
#define LBA		(48ull << 20 >> 9)	/* at 48 MiB */
#define CHUNK		(128ull << 10)
#define CHUNKS		8
#define PAGES_MAX	(CHUNK / PAGE + 1)
#define DEPTH		16

struct queue {
	uint8_t *submissions;
	volatile uint8_t *completions;
	uint64_t submissions_iova, completions_iova;
	unsigned int id, tail, head, phase;
};

struct nvme {
	struct vfio vfio;
	volatile uint8_t *registers;
	struct queue admin, io;
	uint64_t next_iova;
	int events[2];
};

/* What a command's data are in, from @offset in the first page on; and the list of them. */
struct buffer {
	uint8_t *pages[PAGES_MAX];
	uint64_t iovas[PAGES_MAX];
	unsigned int offset;
	uint64_t *list;
	uint64_t list_iova;
};

static uint32_t read32(struct nvme *nvme, unsigned int offset)
{
	return *(volatile uint32_t *)(nvme->registers + offset);
}

static void write32(struct nvme *nvme, unsigned int offset, uint32_t value)
{
	__sync_synchronize();
	*(volatile uint32_t *)(nvme->registers + offset) = value;
}

static void write64(struct nvme *nvme, unsigned int offset, uint64_t value)
{
	write32(nvme, offset, value);
	write32(nvme, offset + 4, value >> 32);
}

/* A page of its own, at an IOVA that no other is next to. */
static uint8_t *new_page(struct nvme *nvme, uint64_t *iova)
{
	uint8_t *page = allocate(PAGE);

	*iova = nvme->next_iova;
	nvme->next_iova += 5 * PAGE;
	must_map(nvme->vfio.container, *iova, page, PAGE);
	return page;
}

static void new_queue(struct nvme *nvme, struct queue *queue, unsigned int id)
{
	*queue = (struct queue) { .id = id, .phase = 1 };
	queue->submissions = new_page(nvme, &queue->submissions_iova);
	queue->completions = new_page(nvme, &queue->completions_iova);
}

static void new_buffer(struct nvme *nvme, struct buffer *buffer, unsigned int offset)
{
	unsigned int i;

	buffer->offset = offset;
	for (i = 0; i < PAGES_MAX; i++)
		buffer->pages[i] = new_page(nvme, &buffer->iovas[i]);
	buffer->list = (uint64_t *)new_page(nvme, &buffer->list_iova);
}

static void ring(struct nvme *nvme, unsigned int doorbell, uint32_t value)
{
	unsigned int stride = 4 << (read32(nvme, NVME_CAP_HIGH) & 0xf);

	write32(nvme, NVME_DOORBELLS + doorbell * stride, value);
}

static void submit(struct nvme *nvme, struct queue *queue, const uint32_t *command)
{
	memcpy(queue->submissions + queue->tail * 64, command, 64);
	queue->tail = (queue->tail + 1) % DEPTH;
	ring(nvme, queue->id * 2, queue->tail);
}

/* Return: the next completion's status (4.6.1), 0 for success, or -1 where none comes. */
static int complete(struct nvme *nvme, struct queue *queue)
{
	volatile uint32_t *entry = (volatile uint32_t *)(queue->completions + queue->head * 16);
	int tries, status;

	for (tries = 0; (entry[3] >> 16 & 1) != queue->phase; tries++) {
		if (tries == 3000)
			return -1;
		usleep(1000);
	}
	status = entry[3] >> 17;
	if (++queue->head == DEPTH) {
		queue->head = 0;
		queue->phase ^= 1;
	}
	ring(nvme, queue->id * 2 + 1, queue->head);
	return status;
}

static int admin(struct nvme *nvme, uint32_t opcode, uint32_t namespace, uint64_t prp,
		 uint32_t dword10, uint32_t dword11)
{
	uint32_t command[16] = {
		opcode, namespace, [6] = prp, prp >> 32, [10] = dword10, dword11,
	};

	submit(nvme, &nvme->admin, command);
	return complete(nvme, &nvme->admin);
}

static void must_admin(struct nvme *nvme, uint32_t opcode, uint32_t namespace, uint64_t prp,
		       uint32_t dword10, uint32_t dword11)
{
	int status = admin(nvme, opcode, namespace, prp, dword10, dword11);

	if (status)
		fail("admin command %#x: status %#x", opcode, status);
}

static void wait_ready(struct nvme *nvme, uint32_t ready)
{
	int tries;

	for (tries = 0; (read32(nvme, NVME_CSTS) & 1) != ready; tries++) {
		if (tries == 3000)
			fail("the controller does not become %s", ready ? "ready" : "idle");
		usleep(1000);
	}
}

static void reset(struct nvme *nvme)
{
	write32(nvme, NVME_CC, 0);
	wait_ready(nvme, 0);
	new_queue(nvme, &nvme->admin, 0);
	write32(nvme, NVME_AQA, (DEPTH - 1) << 16 | (DEPTH - 1));
	write64(nvme, NVME_ASQ, nvme->admin.submissions_iova);
	write64(nvme, NVME_ACQ, nvme->admin.completions_iova);
	write32(nvme, NVME_CC, NVME_CC_ENABLE);
	wait_ready(nvme, 1);
}

/* @flags: of the completion queue, 1 for one page; 2 and a vector << 16 for interrupts */
static void create_io_queues(struct nvme *nvme, uint32_t flags)
{
	uint32_t size = (DEPTH - 1) << 16 | 1;

	new_queue(nvme, &nvme->io, 1);
	must_admin(nvme, NVME_CREATE_CQ, 0, nvme->io.completions_iova, size, flags);
	must_admin(nvme, NVME_CREATE_SQ, 0, nvme->io.submissions_iova, size, 1 << 16 | 1);
}

static void identify(struct nvme *nvme, const char *serial)
{
	uint64_t iova;
	uint8_t *page = new_page(nvme, &iova);

	/* 5.15: 1 for the controller, with its serial number in bytes 4 to 23 */
	must_admin(nvme, NVME_IDENTIFY, 0, iova, 1, 0);
	if (memcmp(page + 4, serial, strlen(serial)) || page[4 + strlen(serial)] != ' ')
		fail("serial number %.20s instead of %s", page + 4, serial);
	/* and 0 for a namespace: its format's number in byte 26, formats from 128 on */
	must_admin(nvme, NVME_IDENTIFY, 1, iova, 0, 0);
	if (1ull << page[128 + (page[26] & 15) * 4 + 2] != BLOCK)
		fail("blocks of 2^%u bytes", page[128 + (page[26] & 15) * 4 + 2]);
}

/*
 * 4.3: the first page, and the second or a list of all others. The list may start anywhere;
 * here it ends with its page.
 */
static void start_transfer(struct nvme *nvme, uint32_t opcode, struct buffer *buffer,
			   uint64_t lba, uint64_t bytes)
{
	unsigned int i, pages = (buffer->offset + bytes + PAGE - 1) / PAGE;
	unsigned int first = PAGE / 8 - (pages - 1);
	uint64_t prp1 = buffer->iovas[0] + buffer->offset, prp2 = 0;

	if (pages == 2)
		prp2 = buffer->iovas[1];
	if (pages > 2) {
		prp2 = buffer->list_iova + first * 8;
		for (i = 1; i < pages; i++)
			buffer->list[first + i - 1] = buffer->iovas[i];
	}
	submit(nvme, &nvme->io, (uint32_t [16]) {
		opcode, 1, [6] = prp1, prp1 >> 32, prp2, prp2 >> 32,
		lba, lba >> 32, bytes / BLOCK - 1,
	});
}

static int transfer(struct nvme *nvme, uint32_t opcode, struct buffer *buffer, uint64_t lba,
		    uint64_t bytes)
{
	start_transfer(nvme, opcode, buffer, lba, bytes);
	return complete(nvme, &nvme->io);
}

static void must_transfer(struct nvme *nvme, uint32_t opcode, struct buffer *buffer,
			  uint64_t lba, uint64_t bytes)
{
	int status = transfer(nvme, opcode, buffer, lba, bytes);

	if (status)
		fail("I/O command %#x: status %#x", opcode, status);
}

/* Between a buffer's pages and memory in one piece. */
static void copy(struct buffer *buffer, uint8_t *memory, int to_buffer)
{
	uint64_t at = 0, skip = buffer->offset, bytes;
	unsigned int i;

	for (i = 0; at < CHUNK; i++, at += bytes, skip = 0) {
		bytes = PAGE - skip < CHUNK - at ? PAGE - skip : CHUNK - at;
		if (to_buffer)
			memcpy(buffer->pages[i] + skip, memory + at, bytes);
		else
			memcpy(memory + at, buffer->pages[i] + skip, bytes);
	}
}

/* Written out of one buffer, read into another that is cut into pages elsewhere. */
static void check_io(struct nvme *nvme, const char *serial, const char *file)
{
	uint8_t *data = allocate(CHUNKS * CHUNK), *got = allocate(CHUNK);
	struct buffer out, in;
	int i, fd;

	reset(nvme);
	identify(nvme, serial);
	create_io_queues(nvme, 1);
	new_buffer(nvme, &out, 3 * BLOCK);
	new_buffer(nvme, &in, 0);
	fill(data, CHUNKS * CHUNK);
	for (i = 0; i < CHUNKS; i++) {
		copy(&out, data + i * CHUNK, 1);
		must_transfer(nvme, NVME_WRITE, &out, LBA + i * CHUNK / BLOCK, CHUNK);
	}
	for (i = 0; i < CHUNKS; i++) {
		must_transfer(nvme, NVME_READ, &in, LBA + i * CHUNK / BLOCK, CHUNK);
		copy(&in, got, 0);
		if (memcmp(got, data + i * CHUNK, CHUNK))
			fail("chunk %d was read back as something else", i);
	}
	fd = open(file ?: "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (write(fd, data, CHUNKS * CHUNK) != CHUNKS * CHUNK)
		fail("cannot write %s: %s", file, strerror(errno));
}

/* VFIO says that BAR 0 can be mapped with the MSI-X table in it. */
static void check_mappable(struct nvme *nvme)
{
	struct {
		struct vfio_region_info info;
		uint8_t capabilities[512];
	} region = { .info = { .argsz = sizeof(region), .index = VFIO_PCI_BAR0_REGION_INDEX } };
	struct vfio_info_cap_header *cap;
	uint32_t offset;

	if (ioctl(nvme->vfio.device, VFIO_DEVICE_GET_REGION_INFO, &region))
		fail("no BAR 0: %s", strerror(errno));
	if (!(region.info.flags & VFIO_REGION_INFO_FLAG_MMAP) ||
	    !(region.info.flags & VFIO_REGION_INFO_FLAG_CAPS))
		fail("BAR 0 has flags %#x", region.info.flags);
	for (offset = region.info.cap_offset; offset; offset = cap->next) {
		cap = (void *)((char *)&region + offset);
		if (cap->id == VFIO_REGION_INFO_CAP_MSIX_MAPPABLE)
			return;
	}
	fail("the page of the MSI-X table cannot be mapped");
}

/* Offset of the MSI-X table in BAR 0. */
static uint32_t msix_table(struct nvme *nvme)
{
	uint32_t at = config_read(&nvme->vfio, 0x34, 1), table;

	/* capability 17 */
	while (at && config_read(&nvme->vfio, at, 1) != 17)
		at = config_read(&nvme->vfio, at + 1, 1);
	table = at ? config_read(&nvme->vfio, at + 4, 4) : 1;
	if (table & 7)
		fail("no MSI-X table in BAR 0");
	return table;
}

static void set_events(struct nvme *nvme)
{
	struct {
		struct vfio_irq_set set;
		int events[2];
	} request = {
		.set = {
			.argsz = sizeof(request),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_MSIX_IRQ_INDEX,
			.count = 2,
		},
	};
	int i;

	for (i = 0; i < 2; i++) {
		nvme->events[i] = eventfd(0, EFD_NONBLOCK);
		request.events[i] = nvme->events[i];
	}
	if (ioctl(nvme->vfio.device, VFIO_DEVICE_SET_IRQS, &request))
		fail("no interrupts: %s", strerror(errno));
}

/* How many there were, within 3 seconds for the first one. */
static uint64_t interrupts(struct nvme *nvme, int vector)
{
	struct pollfd poll_fd = { .fd = nvme->events[vector], .events = POLLIN };
	uint64_t count = 0;

	if (poll(&poll_fd, 1, 3000) == 1 && read(poll_fd.fd, &count, 8) != 8)
		fail("cannot read an eventfd");
	return count;
}

/* In the window that the host reports, which has a place of its own with arm64's ITS. */
static int is_doorbell(uint32_t address)
{
	return (address >= MSI_START && address <= MSI_LAST) || address == 0x08090040;
}

/* The table is read where the disk has it, and the disk's interrupts arrive. */
static void check_msix(struct nvme *nvme, const char *serial, const char *file)
{
	volatile uint32_t *entry;
	struct buffer buffer;
	uint64_t count;

	check_mappable(nvme);
	/* an entry: address, its upper half, data, control with bit 0 to mask it */
	entry = (volatile uint32_t *)(nvme->registers + msix_table(nvme)) + 4;
	set_events(nvme);
	if (entry[3] & 1 || entry[1] || !is_doorbell(entry[0]))
		fail("MSI-X entry 1: address %#x %08x, control %#x", entry[1], entry[0], entry[3]);
	reset(nvme);
	create_io_queues(nvme, 1 << 16 | 3);
	if (!interrupts(nvme, 0))
		fail("no interrupt of the admin queue");
	new_buffer(nvme, &buffer, 0);
	must_transfer(nvme, NVME_READ, &buffer, LBA, PAGE);
	count = interrupts(nvme, 1);
	if (count != 1)
		fail("%llu interrupts of the I/O queue", (unsigned long long)count);
	identify(nvme, serial);
}

/*
 * A transfer that goes astray at an IOVA that is not mapped any more. It takes more faults
 * than the event queue has room for: wait until that is empty again. Return: the status
 */
static int stray(struct nvme *nvme, uint64_t iova, uint32_t opcode, struct buffer *buffer,
		 uint64_t lba, uint64_t bytes)
{
	int status;

	expect_fault(&nvme->vfio, iova);
	status = transfer(nvme, opcode, buffer, lba, bytes);
	usleep(500000);
	return status;
}

static void stray_read(struct nvme *nvme, struct buffer *buffer, unsigned int page,
		       uint64_t bytes)
{
	uint8_t *memory = buffer->pages[page];

	memset(memory, 0x5a, PAGE);
	stray(nvme, buffer->iovas[page], NVME_READ, buffer, LBA, bytes);
	if (memory[0] != 0x5a || memcmp(memory, memory + 1, PAGE - 1))
		fail("the disk wrote to memory that is not mapped any more");
}

/* What must not get to the disk: see what is there instead. */
static void stray_write(struct nvme *nvme, struct buffer *buffer, struct buffer *good)
{
	uint64_t lba = LBA + CHUNKS * CHUNK / BLOCK;
	unsigned int i;

	fill(buffer->pages[0], PAGE);
	stray(nvme, buffer->iovas[0], NVME_WRITE, buffer, lba, PAGE);
	must_transfer(nvme, NVME_READ, good, lba, PAGE);
	for (i = 0; i < PAGE; i += 8)
		if (!memcmp(good->pages[0] + i, buffer->pages[0] + i, 8))
			fail("the disk read memory that is not mapped any more");
}

/*
 * The status of data that went astray does not matter: QEMU's disk takes them by way of
 * a buffer of its own, and says that all is well. What it looks at itself, a list of
 * pages, is an error.
 */
static void check_unmapped(struct nvme *nvme, const char *serial, const char *file)
{
	int container = nvme->vfio.container;
	struct buffer buffer, good;

	reset(nvme);
	create_io_queues(nvme, 1);
	new_buffer(nvme, &good, 0);
	new_buffer(nvme, &buffer, 0);
	must_unmap(container, buffer.iovas[0], PAGE);
	stray_read(nvme, &buffer, 0, PAGE);
	stray_write(nvme, &buffer, &good);
	must_map(container, buffer.iovas[0], buffer.pages[0], PAGE);
	must_unmap(container, buffer.iovas[2], PAGE);
	stray_read(nvme, &buffer, 2, 5 * PAGE);

	must_unmap(container, buffer.list_iova, PAGE);
	if (stray(nvme, buffer.list_iova + PAGE - 4 * 8, NVME_READ, &buffer, LBA, 5 * PAGE) <= 0)
		fail("the disk followed a list of pages that is not mapped any more");
	must_transfer(nvme, NVME_READ, &good, LBA, CHUNK);
	reset(nvme);
	identify(nvme, serial);
}

static void __attribute__((noreturn)) run_loop(struct nvme *nvme, const char *serial,
					       const char *file)
{
	struct buffer buffers[8];
	int i;

	reset(nvme);
	create_io_queues(nvme, 1);
	for (i = 0; i < 8; i++) {
		new_buffer(nvme, &buffers[i], 0);
		start_transfer(nvme, NVME_READ, &buffers[i], LBA, CHUNK);
	}
	/* any buffer that is not under way would do; all read the same */
	for (i = 0; ; i++) {
		if (complete(nvme, &nvme->io))
			fail("a read failed");
		start_transfer(nvme, NVME_READ, &buffers[i % 8], LBA, CHUNK);
		if (i == 8)
			printf("ready\n");
	}
}

static const struct {
	const char *name;
	void (*run)(struct nvme *nvme, const char *serial, const char *file);
} checks[] = {
	{ "io", check_io },
	{ "msix", check_msix },
	{ "unmapped", check_unmapped },
	{ "loop", run_loop },
};

int main(int argc, char **argv)
{
	struct nvme nvme = { .next_iova = 0x123457000ull };
	unsigned int i;

	if (argc < 4) {
		fprintf(stderr, "Usage: vfio-nvme CHECK BDF SERIAL [FILE]\n");
		return 2;
	}
	setbuf(stdout, NULL);
	open_device(&nvme.vfio, argv[2]);
	nvme.registers = open_registers(&nvme.vfio);
	for (i = 0; i < LENGTH(checks); i++) {
		if (strcmp(checks[i].name, argv[1]))
			continue;
		checks[i].run(&nvme, argv[3], argv[4]);
		return 0;
	}
	fail("no check named %s", argv[1]);
}
