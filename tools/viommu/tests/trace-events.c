// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that the test of "viommu trace" puts probes on, so that they give the events
 * that the driver gives: a kernel of any kind is enough. Not part of the command.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All fields of all events; the first argument of each function, where probes read it. */
struct fields {
	int32_t device, error;
	uint32_t domain, endpoint, flags, requests;
	uint64_t seq, start, last, phys, address;
	uint8_t type, status, reason;
	char why[48];
};

/* What is said of memory keeps the function, and its argument, where they are. */
#define EVENT(name)							\
	static __attribute__((noipa)) void viommu_##name(const struct fields *fields)	\
	{								\
		asm volatile("" : : "r" (fields) : "memory");		\
	}

EVENT(request_queued)
EVENT(request_completed)
EVENT(kick)
EVENT(map)
EVENT(unmap)
EVENT(attach)
EVENT(detach)
EVENT(probe)
EVENT(fault)
EVENT(dead)

#define FIELD(name, type)	{ #name, offsetof(struct fields, name), type }

/* Lines for tracefs's uprobe_events, but for where the function is in this file. */
static void print_probes(void)
{
	static const struct {
		const char *name;
		size_t offset;
		const char *type;
	} list[] = {
		FIELD(device, "s32"), FIELD(error, "s32"), FIELD(domain, "u32"),
		FIELD(endpoint, "u32"), FIELD(flags, "u32"), FIELD(requests, "u32"),
		FIELD(seq, "u64"), FIELD(start, "u64"), FIELD(last, "u64"), FIELD(phys, "u64"),
		FIELD(address, "u64"), FIELD(type, "u8"), FIELD(status, "u8"),
		FIELD(reason, "u8"), FIELD(why, "string"), { },
	};
	size_t i;

	for (i = 0; list[i].name; i++)
#ifdef __aarch64__
		printf(" %s=+%zu(%%x0):%s", list[i].name, list[i].offset, list[i].type);
#else
		printf(" %s=+%zu(%%di):%s", list[i].name, list[i].offset, list[i].type);
#endif
	printf("\n");
}

static void hit_once(void)
{
	struct fields f = {
		.domain = 1, .endpoint = 8, .seq = 17, .start = 0xfffff000, .last = 0xffffffff,
		.phys = 0x1234000, .type = 3, .flags = 3,
	};

	viommu_probe(&f);
	viommu_attach(&f);
	viommu_request_queued(&f);
	f.requests = 1;
	viommu_kick(&f);
	usleep(1000);
	viommu_request_completed(&f);
	viommu_map(&f);
	viommu_unmap(&f);
	f.seq = 18;
	f.type = 4;
	viommu_request_queued(&f);
	f.status = 4;
	f.error = -22;
	viommu_request_completed(&f);
	f.seq = 19;
	f.type = 1;
	viommu_request_queued(&f);
	f.error = 0;
	viommu_detach(&f);
	f.address = 0xdead000;
	f.flags = 0x102;
	f.reason = 2;
	viommu_fault(&f);
	f.device = 1;
	f.endpoint = 9;
	f.flags = 1;
	f.reason = 1;
	viommu_fault(&f);
	f.device = 0;
	f.error = -110;
	snprintf(f.why, sizeof(f.why), "no answer\033[2J");
	viommu_dead(&f);
}

int main(int argc, char **argv)
{
	struct fields many = { .domain = 7 };
	long i;

	if (argc > 1 && !strcmp(argv[1], "probes")) {
		print_probes();
		return 0;
	}
	hit_once();
	for (i = 0; argc > 1 && i < atol(argv[1]); i++)
		viommu_unmap(&many);
	return 3;
}
