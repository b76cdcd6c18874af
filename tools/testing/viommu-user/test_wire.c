// SPDX-License-Identifier: GPL-2.0
/*
 * wire.h: the bytes of each request, compared with bytes written down here, and
 * the table of statuses. The numbers are the specification's, not the header's.
 */
#include "harness.h"
#include "wire.h"

struct layout {
	const char *name;
	size_t got;
	size_t want;
};

#define SIZE(type, want)	{ "size of " #type, sizeof(struct virtio_iommu_##type), want }
#define OFFSET(type, member, want)					\
	{ #type "." #member, offsetof(struct virtio_iommu_##type, member), want }

static void check_layouts(const struct layout *layouts, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (layouts[i].got != layouts[i].want)
			test_fail(__FILE__, __LINE__, false, "%s is %zu, not %zu",
				  layouts[i].name, layouts[i].got, layouts[i].want);
}

static void test_sizes(void)
{
	static const struct layout sizes[] = {
		SIZE(config, 40), SIZE(req_head, 4), SIZE(req_tail, 4),
		SIZE(req_attach, 24), SIZE(req_detach, 24), SIZE(req_map, 40),
		SIZE(req_unmap, 32), SIZE(req_probe, 72), SIZE(fault, 24),
		SIZE(probe_property, 4), SIZE(probe_resv_mem, 24),
	};

	check_layouts(sizes, ARRAY_SIZE(sizes));
}

static void test_offsets(void)
{
	static const struct layout offsets[] = {
		OFFSET(config, page_size_mask, 0),
		OFFSET(config, input_range.start, 8), OFFSET(config, input_range.end, 16),
		OFFSET(config, domain_range.start, 24), OFFSET(config, domain_range.end, 28),
		OFFSET(config, probe_size, 32), OFFSET(config, bypass, 36),
		OFFSET(config, reserved, 37),
		OFFSET(req_head, type, 0), OFFSET(req_head, reserved, 1),
		OFFSET(req_tail, status, 0), OFFSET(req_tail, reserved, 1),
		OFFSET(req_attach, domain, 4), OFFSET(req_attach, endpoint, 8),
		OFFSET(req_attach, flags, 12), OFFSET(req_attach, reserved, 16),
		OFFSET(req_attach, tail, 20),
		OFFSET(req_detach, domain, 4), OFFSET(req_detach, endpoint, 8),
		OFFSET(req_detach, reserved, 12), OFFSET(req_detach, tail, 20),
		OFFSET(req_map, domain, 4), OFFSET(req_map, virt_start, 8),
		OFFSET(req_map, virt_end, 16), OFFSET(req_map, phys_start, 24),
		OFFSET(req_map, flags, 32), OFFSET(req_map, tail, 36),
		OFFSET(req_unmap, domain, 4), OFFSET(req_unmap, virt_start, 8),
		OFFSET(req_unmap, virt_end, 16), OFFSET(req_unmap, reserved, 24),
		OFFSET(req_unmap, tail, 28),
		OFFSET(req_probe, endpoint, 4), OFFSET(req_probe, reserved, 8),
		OFFSET(req_probe, properties, 72),
		OFFSET(probe_property, type, 0), OFFSET(probe_property, length, 2),
		OFFSET(probe_resv_mem, subtype, 4), OFFSET(probe_resv_mem, reserved, 5),
		OFFSET(probe_resv_mem, start, 8), OFFSET(probe_resv_mem, end, 16),
		OFFSET(fault, reason, 0), OFFSET(fault, reserved, 1), OFFSET(fault, flags, 4),
		OFFSET(fault, endpoint, 8), OFFSET(fault, reserved2, 12),
		OFFSET(fault, address, 16),
	};

	check_layouts(offsets, ARRAY_SIZE(offsets));
}

static void test_numbers(void)
{
	EXPECT_EQ(VIRTIO_IOMMU_T_ATTACH, 1);
	EXPECT_EQ(VIRTIO_IOMMU_T_DETACH, 2);
	EXPECT_EQ(VIRTIO_IOMMU_T_MAP, 3);
	EXPECT_EQ(VIRTIO_IOMMU_T_UNMAP, 4);
	EXPECT_EQ(VIRTIO_IOMMU_T_PROBE, 5);
	EXPECT_EQ(VIRTIO_IOMMU_F_INPUT_RANGE, 0);
	EXPECT_EQ(VIRTIO_IOMMU_F_DOMAIN_RANGE, 1);
	EXPECT_EQ(VIRTIO_IOMMU_F_MAP_UNMAP, 2);
	EXPECT_EQ(VIRTIO_IOMMU_F_BYPASS, 3);
	EXPECT_EQ(VIRTIO_IOMMU_F_PROBE, 4);
	EXPECT_EQ(VIRTIO_IOMMU_F_MMIO, 5);
	EXPECT_EQ(VIRTIO_IOMMU_F_BYPASS_CONFIG, 6);
	EXPECT_EQ(VIRTIO_IOMMU_MAP_F_READ, 1);
	EXPECT_EQ(VIRTIO_IOMMU_MAP_F_WRITE, 2);
	EXPECT_EQ(VIRTIO_IOMMU_MAP_F_MMIO, 4);
	/* A status that no device writes, or an unwritten one would pass for it. */
	EXPECT(VIOMMU_STATUS_UNWRITTEN > 8);
	EXPECT(sizeof(struct virtio_iommu_req_map) <= sizeof(((struct viommu_wire *)0)->bytes));
}

/*
 * @bytes is what the device reads, little-endian; @fields the widths of its
 * fields, for the build in which each of them is the other way round.
 */
static void check_wire(const struct viommu_wire *wire, const u8 *bytes, const u8 *fields)
{
	u8 want[sizeof(((struct viommu_wire *)0)->bytes)];
	unsigned int at = 0, i;

	for (; *fields; at += *fields++)
		for (i = 0; i < *fields; i++)
			want[at + test_lane(i, *fields)] = bytes[at + i];

	test_subject(wire->bytes, at);
	EXPECT_EQ(wire->readable, at);
	EXPECT_EQ(wire->writable, 4);
	EXPECT(!wire->external);
	EXPECT(!memcmp(wire->bytes, want, at));
	test_subject(NULL, 0);
}

static const u8 attach_fields[] = { 1, 1, 1, 1, 4, 4, 4, 1, 1, 1, 1, 0 };
static const u8 detach_fields[] = { 1, 1, 1, 1, 4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 0 };
static const u8 map_fields[] = { 1, 1, 1, 1, 4, 8, 8, 8, 4, 0 };
static const u8 unmap_fields[] = { 1, 1, 1, 1, 4, 8, 8, 1, 1, 1, 1, 0 };

static void test_attach(void)
{
	static const u8 bytes[] = {
		0x01, 0, 0, 0,  0x44, 0x33, 0x22, 0x11,  0x88, 0x77, 0x66, 0x55,  0, 0, 0, 0,
		0, 0, 0, 0,
	};
	struct viommu_wire wire = WIRE(attach, 0x11223344, 0x55667788, false);

	check_wire(&wire, bytes, attach_fields);
}

static void test_attach_bypass(void)
{
	static const u8 bytes[] = {
		0x01, 0, 0, 0,  0xff, 0xff, 0xff, 0xff,  0, 0, 0, 0x80,  0x01, 0, 0, 0,
		0, 0, 0, 0,
	};
	struct viommu_wire wire = WIRE(attach, 0xffffffff, 0x80000000, true);

	check_wire(&wire, bytes, attach_fields);
}

static void test_detach(void)
{
	static const u8 bytes[] = {
		0x02, 0, 0, 0,  0x44, 0x33, 0x22, 0x11,  0x88, 0x77, 0x66, 0x55,
		0, 0, 0, 0, 0, 0, 0, 0,
	};
	struct viommu_wire wire = WIRE(detach, 0x11223344, 0x55667788);

	check_wire(&wire, bytes, detach_fields);
}

static void test_map(void)
{
	static const u8 bytes[] = {
		0x03, 0, 0, 0,  0x44, 0x33, 0x22, 0x11,
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
		0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
		0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21,
		0x05, 0, 0, 0,
	};
	struct viommu_wire wire = WIRE(map, 0x11223344, 0x0102030405060708,
						  0x1112131415161718, 0x2122232425262728,
						  VIRTIO_IOMMU_MAP_F_READ |
						  VIRTIO_IOMMU_MAP_F_MMIO);

	check_wire(&wire, bytes, map_fields);
}

/* D22: WRITE alone asks for no reads; nothing is added to what the caller says. */
static void test_map_flags(void)
{
	u32 flags;

	for (flags = 0; flags < 8; flags++) {
		struct viommu_wire wire = WIRE(map, 1, 0, 0xfff, 0, flags);

		EXPECT_EQ(get_le(wire.bytes + 32, 4), flags);
	}
}

static void test_unmap(void)
{
	static const u8 bytes[] = {
		0x04, 0, 0, 0,  0x44, 0x33, 0x22, 0x11,
		0, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0, 0, 0, 0,
	};
	struct viommu_wire wire = WIRE(unmap, 0x11223344, 0xfffffffffffff000, U64_MAX);

	check_wire(&wire, bytes, unmap_fields);
}

/* Every builder with any arguments: fields where they belong, all else zero. */
static void test_random_fields(void)
{
	unsigned long round;

	for (round = 0; round < test_rounds(20000); round++) {
		u32 domain = test_random(), id = test_random(), flags = test_random();
		u64 start = test_edge(), last = test_edge(), phys = test_edge();
		struct viommu_wire wire;
		u8 want[sizeof(((struct viommu_wire *)0)->bytes)] = { 1 + round % 4 };

		put_le(want + 4, domain, 4);
		switch (want[0]) {
		case 1:
			wire = WIRE(attach, domain, id, flags & 1);
			put_le(want + 8, id, 4);
			put_le(want + 12, flags & 1, 4);
			EXPECT_EQ(wire.readable, 20);
			break;
		case 2:
			wire = WIRE(detach, domain, id);
			put_le(want + 8, id, 4);
			EXPECT_EQ(wire.readable, 20);
			break;
		case 3:
			wire = WIRE(map, domain, start, last, phys, flags);
			put_le(want + 8, start, 8);
			put_le(want + 16, last, 8);
			put_le(want + 24, phys, 8);
			put_le(want + 32, flags, 4);
			EXPECT_EQ(wire.readable, 36);
			break;
		default:
			wire = WIRE(unmap, domain, start, last);
			put_le(want + 8, start, 8);
			put_le(want + 16, last, 8);
			EXPECT_EQ(wire.readable, 28);
		}
		EXPECT_EQ(wire.writable, 4);
		EXPECT(!wire.external);
		EXPECT(!memcmp(wire.bytes, want, wire.readable));
	}
}

static void test_probe(void)
{
	static const u32 sizes[] = { 1, 3, 4, 23, 24, 512, 65535, 65536 };
	unsigned int i;
	size_t at;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t size = viommu_wire_probe_size(sizes[i]);
		struct viommu_wire wire;
		u8 *buffer;

		EXPECT_EQ(size, 72 + sizes[i] + 4);
		buffer = calloc(1, size);
		wire = WIRE(probe, buffer, 0xa1b2c3d4, sizes[i]);

		EXPECT(wire.external == buffer);
		EXPECT_EQ(wire.readable, 72);
		EXPECT_EQ(wire.writable, sizes[i] + 4);
		EXPECT_EQ(buffer[0], 5);
		EXPECT_EQ(get_le(buffer + 4, 4), 0xa1b2c3d4);
		for (at = 1; at < size; at++)
			if (at < 4 || at >= 8)
				EXPECT_EQ(buffer[at], 0);
		free(buffer);
	}
}

/* The whole of a request is behind one size: it must not wrap at 32 bits. */
static void test_probe_size_wide(void)
{
	EXPECT_EQ(viommu_wire_probe_size(0), 76);
	if (sizeof(size_t) > 4)
		EXPECT(viommu_wire_probe_size(U32_MAX) == (size_t)U32_MAX + 76);
}

static int status_errno(unsigned int status)
{
	static const int errnos[] = {
		0, -EIO, -EOPNOTSUPP, -EIO, -EINVAL, -ERANGE, -ENOENT, -EFAULT, -ENOMEM,
	};

	return status < ARRAY_SIZE(errnos) ? errnos[status] : -EIO;
}

static void test_status_errno(void)
{
	unsigned int status;

	for (status = 0; status < 256; status++)
		EXPECT_EQ(viommu_status_errno(status), status_errno(status));
}

static void test_status_name(void)
{
	static const char * const names[] = {
		"OK", "IOERR", "UNSUPP", "DEVERR", "INVAL", "RANGE", "NOENT", "FAULT", "NOMEM",
	};
	unsigned int status;

	for (status = 0; status < 256; status++)
		EXPECT_STR(viommu_status_name(status),
			   status < ARRAY_SIZE(names) ? names[status] :
			   status == 255 ? "unwritten" : "unknown status");
}

static void test_status_index(void)
{
	unsigned int status;

	for (status = 0; status < 256; status++)
		EXPECT_EQ(viommu_status_index(status),
			  status <= 8 ? status : status == 255 ? 9 : 10);
	EXPECT_EQ(VIOMMU_NR_STATUSES, 11);
}

static void expect_target(const struct viommu_wire *wire, u32 domain, u32 endpoint, u64 start,
			  u64 last)
{
	struct viommu_target target = viommu_wire_target(wire);

	EXPECT_EQ(target.domain, domain);
	EXPECT_EQ(target.endpoint, endpoint);
	EXPECT_EQ(target.start, start);
	EXPECT_EQ(target.last, last);
}

static void test_target(void)
{
	u8 *probe = calloc(1, viommu_wire_probe_size(64));
	struct viommu_wire wire = WIRE(attach, 0x11223344, 0x55667788, true);

	expect_target(&wire, 0x11223344, 0x55667788, 0, 0);
	wire = WIRE(detach, 0x22334455, 0x66778899);
	expect_target(&wire, 0x22334455, 0x66778899, 0, 0);
	wire = WIRE(map, 0x33445566, 0x1020304050607000, 0x1020304050607fff, 0x99000, 3);
	expect_target(&wire, 0x33445566, 0, 0x1020304050607000, 0x1020304050607fff);
	wire = WIRE(unmap, 0x44556677, 0x2030405060708000, U64_MAX);
	expect_target(&wire, 0x44556677, 0, 0x2030405060708000, U64_MAX);
	wire = WIRE(probe, probe, 0x778899aa, 64);
	expect_target(&wire, 0, 0x778899aa, 0, 0);
	free(probe);
}

static const struct test_case cases[] = {
	{ "sizes of everything on the wire", test_sizes },
	{ "offsets of everything on the wire", test_offsets },
	{ "numbers of requests, features and flags", test_numbers },
	{ "D8 D13 ATTACH, byte by byte, reserved bytes zero", test_attach },
	{ "D15 ATTACH of a bypass domain has F_BYPASS", test_attach_bypass },
	{ "D8 D16 DETACH, byte by byte, reserved bytes zero", test_detach },
	{ "D8 MAP, byte by byte, reserved bytes zero", test_map },
	{ "D17 D22 MAP has the flags that it is given and no others", test_map_flags },
	{ "D8 D24 UNMAP, byte by byte, reserved bytes zero", test_unmap },
	{ "D8 D13 D16 D24 random fields", test_random_fields },
	{ "D8 D29 D30 PROBE of several sizes, reserved bytes zero", test_probe },
	{ "D29 size of a PROBE request does not wrap", test_probe_size_wide },
	{ "errno of all 256 statuses", test_status_errno },
	{ "D10 name of all 256 statuses, the unwritten one included", test_status_name },
	{ "where each of all 256 statuses is counted", test_status_index },
	{ "what a request is about", test_target },
};

TEST_SUITE(wire, cases);
