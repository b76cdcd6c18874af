// SPDX-License-Identifier: GPL-2.0
/*
 * Have QEMU's virtio-iommu answer PROBE with properties of our choice.
 *
 * QEMU's own are few: on x86 the MSI window and nothing else. It makes an answer in zeroed
 * memory, of 512 bytes and four for the tail, and copies that into the guest's buffer, right
 * behind what it has read there. Loaded into QEMU by LD_PRELOAD, this changes it on the way.
 *
 * VIOMMU_PROBE_REPLY names a file with a property a line:
 *	ENDPOINT region SUBTYPE FIRST LAST [FLAGS]	RESV_MEM; with FLAGS, that of a draft
 *	ENDPOINT bytes HEX...				any other
 * ENDPOINT is an ID, or * for all that have no lines of their own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_SIZE	512
#define TAIL_SIZE	4
/* What the guest wrote before: a head of four bytes, the endpoint ID, and zeroes. */
#define REQUEST_SIZE	72

void *g_malloc0(size_t size);

static void *answer;

struct reply {
	uint8_t bytes[REPLY_SIZE];
	size_t used;
};

static void put(struct reply *reply, const void *bytes, size_t size)
{
	if (reply->used + size > sizeof(reply->bytes)) {
		fprintf(stderr, "probe-reply: too many properties\n");
		abort();
	}
	for (size_t i = 0; i < size; i++)
		reply->bytes[reply->used++] = ((const uint8_t *)bytes)[i];
}

static void put_region(struct reply *reply, const char *values)
{
	unsigned long long first, last;
	unsigned int subtype, flags;
	int n = sscanf(values, "%u %llx %llx %x", &subtype, &first, &last, &flags);
	uint16_t head[2] = { htole16(1), htole16(n == 4 ? 28 : 20) };
	uint32_t head2 = htole32(subtype), tail[2] = { htole32(flags), 0 };
	uint64_t range[2] = { htole64(first), htole64(last) };

	if (n < 3) {
		fprintf(stderr, "probe-reply: no region: %s\n", values);
		abort();
	}
	put(reply, head, sizeof(head));
	put(reply, &head2, sizeof(head2));
	put(reply, range, sizeof(range));
	if (n == 4)
		put(reply, tail, sizeof(tail));
}

static void put_bytes(struct reply *reply, const char *values)
{
	unsigned int byte;
	uint8_t value;
	int used;

	for (; sscanf(values, "%2x%n", &byte, &used) == 1; values += used) {
		value = byte;
		put(reply, &value, 1);
	}
}

/* The lines for an ID, or for *. Return: whether there are any. */
static bool make_reply(struct reply *reply, const char *file, const char *id)
{
	char line[2048], who[16], what[16];
	FILE *lines = fopen(file, "re");
	bool found = false;
	int used;

	if (!lines) {
		fprintf(stderr, "probe-reply: cannot open %s\n", file);
		abort();
	}
	memset(reply, 0, sizeof(*reply));
	while (fgets(line, sizeof(line), lines)) {
		if (sscanf(line, "%15s %15s%n", who, what, &used) != 2 || strcmp(who, id))
			continue;
		found = true;
		if (!strcmp(what, "region"))
			put_region(reply, line + used);
		else
			put_bytes(reply, line + used);
	}
	fclose(lines);
	return found;
}

void *g_malloc0(size_t size)
{
	static void *(*next)(size_t size);
	void *memory;

	if (!next)
		next = dlsym(RTLD_NEXT, "g_malloc0");
	memory = next(size);
	if (size == REPLY_SIZE + TAIL_SIZE)
		answer = memory;
	return memory;
}

static void change(const uint8_t *request, uint8_t *to)
{
	const char *file = getenv("VIOMMU_PROBE_REPLY");
	struct reply reply;
	char id[16];

	snprintf(id, sizeof(id), "%u", request[4] | request[5] << 8 | request[6] << 16 |
		 (unsigned int)request[7] << 24);
	if (file && (make_reply(&reply, file, id) || make_reply(&reply, file, "*")))
		for (size_t i = 0; i < REPLY_SIZE; i++)
			to[i] = reply.bytes[i];
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	uint8_t *bytes = to;

	/* not with memcpy(), which a compiler would make of a loop */
	for (size_t i = 0; i < size; i++)
		((volatile uint8_t *)bytes)[i] = ((const uint8_t *)from)[i];
	if (from == answer && size == REPLY_SIZE + TAIL_SIZE) {
		answer = NULL;
		change(bytes - REQUEST_SIZE, bytes);
	}
	return to;
}
