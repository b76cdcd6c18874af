// SPDX-License-Identifier: GPL-2.0
/*
 * mock/model.c, mock/space.c and mock/rules.c: the device does what the specification has
 * for devices, clause by clause (V1 to V49), and notices what a driver may not do. What is
 * the virtqueue's, the config space's or a test's own to say is not a model's: V1, V2, V3,
 * V41, V42, V49.
 *
 * Requests are bytes here, at the specification's offsets.
 */
#include "harness.h"
#include "model.h"
#include "rules.h"

#define ATTACH		1
#define DETACH		2
#define MAP		3
#define UNMAP		4
#define PROBE		5

#define OK		0
#define UNSUPP		2
#define INVAL		4
#define RANGE		5
#define NOENT		6

#define READ		1
#define WRITE		2

#define F(name)		(1ULL << VIRTIO_IOMMU_F_##name)
#define ALL		(F(INPUT_RANGE) | F(DOMAIN_RANGE) | F(MAP_UNMAP) | F(PROBE) | F(MMIO) | \
			 F(BYPASS_CONFIG))

#define PROBE_SIZE	64
#define PAGE		0x1000

static struct mock_model model;
static u8 readable[80], writable[PROBE_SIZE + 4];
static u32 used;

static void start(u64 features)
{
	model = (struct mock_model) { .features = features };
	mock_model_init(&model);
	put_le(&model.config.page_size_mask, ~0xfffULL, 8);
	put_le(&model.config.input_range.start, 0x10000, 8);
	put_le(&model.config.input_range.end, 0xffffffff, 8);
	put_le(&model.config.domain_range.start, 3, 4);
	put_le(&model.config.domain_range.end, 9, 4);
	put_le(&model.config.probe_size, PROBE_SIZE, 4);
	mock_model_accept(&model, features);
	mock_model_endpoint_add(&model, 1);
	mock_model_endpoint_add(&model, 2);
}

static void stop(void)
{
	mock_model_reset(&model);
	EXPECT_EQ(model.nr_mappings, 0);
	EXPECT(list_empty(&model.domains));
	mock_model_destroy(&model);
}

/* Return: the status, or -1 where nothing was written. */
static int send(u32 nr_readable, u32 nr_writable)
{
	u8 *in = test_exact(readable, nr_readable), *out;
	int status;

	memset(writable, 0xee, sizeof(writable));
	out = test_exact(writable, nr_writable);
	used = mock_model_request(&model, in, nr_readable, out, nr_writable);
	memcpy(writable, out, nr_writable);
	status = used ? out[nr_writable - 4] : -1;
	free(in);
	free(out);
	return status;
}

static void request(u8 type)
{
	memset(readable, 0, sizeof(readable));
	readable[0] = type;
}

static int attach(u32 domain, u32 endpoint, u32 flags)
{
	request(ATTACH);
	put_le(readable + 4, domain, 4);
	put_le(readable + 8, endpoint, 4);
	put_le(readable + 12, flags, 4);
	return send(20, 4);
}

static int detach(u32 domain, u32 endpoint)
{
	request(DETACH);
	put_le(readable + 4, domain, 4);
	put_le(readable + 8, endpoint, 4);
	return send(20, 4);
}

static int map(u32 domain, u64 first, u64 last, u64 phys, u32 flags)
{
	request(MAP);
	put_le(readable + 4, domain, 4);
	put_le(readable + 8, first, 8);
	put_le(readable + 16, last, 8);
	put_le(readable + 24, phys, 8);
	put_le(readable + 32, flags, 4);
	return send(36, 4);
}

static int unmap(u32 domain, u64 first, u64 last)
{
	request(UNMAP);
	put_le(readable + 4, domain, 4);
	put_le(readable + 8, first, 8);
	put_le(readable + 16, last, 8);
	return send(28, 4);
}

static int probe(u32 endpoint)
{
	request(PROBE);
	put_le(readable + 4, endpoint, 4);
	return send(72, PROBE_SIZE + 4);
}

/* The request that was just made, with one byte changed. */
static int again(unsigned int offset, u8 value, u32 nr_readable, u32 nr_writable)
{
	readable[offset] = value;
	return send(nr_readable, nr_writable);
}

static unsigned int broken(unsigned int clause)
{
	unsigned int count = model.broken[clause];

	memset(model.broken, 0, sizeof(model.broken));
	return count;
}

static struct mock_access reach(u32 endpoint, u64 address, bool write)
{
	struct mock_access access = {
		.endpoint = endpoint,
		.address = address,
		.size = 8,
		.write = write,
	};

	if (mock_model_translate(&model, &access))
		access.phys = ~0ULL;
	return access;
}

/* A RESV_MEM property of endpoint 1. */
static void reserve(u64 first, u64 last)
{
	struct mock_endpoint *endpoint = mock_model_endpoint(&model, 1);

	endpoint->nr_properties = 24;
	endpoint->properties = calloc(1, 24);
	put_le(endpoint->properties, 1, 2);
	put_le(endpoint->properties + 2, 20, 2);
	put_le(endpoint->properties + 8, first, 8);
	put_le(endpoint->properties + 16, last, 8);
}

/* V4: bypass is the driver's to set to 0 or 1, and a reset does not change it. */
static void test_bypass(void)
{
	u8 byte = 1, config[48];

	start(ALL);
	EXPECT(reach(1, 0x5000, true).phys == ~0ULL);
	mock_model_config_write(&model, 36, &byte, 1);
	EXPECT_EQ(reach(1, 0x5000, true).phys, 0x5000);
	mock_model_reset(&model);
	EXPECT_EQ(model.config.bypass, 1);
	mock_model_accept(&model, ALL);
	byte = 2;
	mock_model_config_write(&model, 36, &byte, 1);
	EXPECT_EQ(model.config.bypass, 1);
	EXPECT_EQ(broken(4), 1);
	mock_model_config_write(&model, 37, &byte, 1);
	mock_model_config_write(&model, 35, &byte, 2);
	EXPECT_EQ(broken(3), 2);
	mock_model_accept(&model, ALL & ~F(BYPASS_CONFIG));
	mock_model_config_write(&model, 36, &byte, 1);
	EXPECT_EQ(broken(2), 1);
	mock_model_config_read(&model, 8, config, sizeof(config));
	EXPECT_EQ(get_le(config, 8), 0x10000);
	EXPECT_EQ(config[28], 1);
	EXPECT_EQ(config[32], 0);
	stop();
}

/* D1 */
static void test_accept(void)
{
	start(ALL);
	EXPECT_EQ(broken(1), 0);
	mock_model_accept(&model, ALL & ~F(PROBE));
	EXPECT_EQ(broken(1), 1);
	stop();
}

/* V5 to V7: what a request must look like. */
static void test_requests(void)
{
	start(ALL);
	EXPECT_EQ(probe(1), OK);
	EXPECT_EQ(attach(3, 1, 0), OK);
	EXPECT_EQ(used, 4);
	EXPECT_EQ(again(1, 1, 20, 4), OK);
	EXPECT_EQ(broken(8), 1);
	request(9);
	EXPECT_EQ(send(20, 4), -1);
	EXPECT_EQ(writable[0], 0xee);
	request(ATTACH);
	EXPECT_EQ(send(16, 4), -1);
	EXPECT_EQ(send(24, 4), -1);
	EXPECT_EQ(send(20, 0), -1);
	EXPECT_EQ(send(0, 4), -1);
	EXPECT_EQ(broken(0), 5);
	EXPECT_EQ(get_le(writable + 1, 2), 0xeeee);
	EXPECT_EQ(map(3, 0x20000, 0x20fff, 0, READ), OK);
	EXPECT(!writable[1] && !writable[2] && !writable[3]);
	mock_model_accept(&model, ALL & ~F(MAP_UNMAP));
	EXPECT_EQ(map(3, 0x30000, 0x30fff, 0, READ), -1);
	EXPECT_EQ(broken(6), 1);
	stop();
}

/* V8: what is attached nowhere. */
static void test_unattached(void)
{
	struct mock_access access;

	start(ALL);
	access = reach(2, 0x1000, false);
	EXPECT(access.phys == ~0ULL);
	EXPECT_EQ(access.fault.reason, VIRTIO_IOMMU_FAULT_R_DOMAIN);
	mock_model_accept(&model, F(BYPASS));
	EXPECT_EQ(reach(2, 0x1000, false).phys, 0x1000);
	stop();
}

/* V9 to V16 */
static void test_attach(void)
{
	start(ALL);
	EXPECT_EQ(attach(3, 1, 0), OK);
	EXPECT_EQ(broken(7), 1);
	probe(1);
	probe(2);
	EXPECT_EQ(attach(3, 1, 0), OK);
	EXPECT_EQ(broken(7), 0);
	attach(4, 2, 0);
	EXPECT_EQ(again(16, 1, 20, 4), INVAL);			/* V9 */
	EXPECT_EQ(broken(13), 1);
	EXPECT_EQ(attach(4, 2, 2), INVAL);			/* V10 */
	EXPECT_EQ(attach(4, 7, 0), NOENT);			/* V11 */
	EXPECT_EQ(attach(3, 2, 0), OK);				/* V12 */
	EXPECT_EQ(mock_domain_find(&model, 3)->nr_endpoints, 2);
	EXPECT(!mock_domain_find(&model, 4));
	EXPECT_EQ(attach(3, 2, 1), INVAL);			/* V13 */
	EXPECT_EQ(broken(15), 1);
	EXPECT_EQ(attach(5, 2, 1), OK);				/* V14 */
	EXPECT_EQ(reach(2, 0x7000, true).phys, 0x7000);
	EXPECT_EQ(attach(2, 2, 0), RANGE);
	EXPECT_EQ(attach(10, 2, 0), RANGE);
	EXPECT_EQ(broken(12), 2);
	/* V15: and the other way round nothing has changed */
	reserve(0x20000, 0x2ffff);
	EXPECT_EQ(attach(6, 2, 0), OK);
	EXPECT_EQ(map(6, 0x2f000, 0x2ffff, 0, READ), OK);
	EXPECT_EQ(attach(6, 1, 0), UNSUPP);
	EXPECT_EQ(mock_model_endpoint(&model, 1)->domain->id, 3);
	/* the last one's mappings go with it */
	EXPECT_EQ(attach(3, 2, 0), OK);
	EXPECT_EQ(model.nr_mappings, 0);
	model.quirks = MOCK_NO_MOVE;
	EXPECT_EQ(attach(6, 2, 0), UNSUPP);
	stop();
}

/* V17 to V20 */
static void test_detach(void)
{
	start(ALL);
	probe(1);
	attach(3, 1, 0);
	map(3, 0x20000, 0x20fff, 0x8000, READ);
	EXPECT_EQ(reach(1, 0x20010, false).phys, 0x8010);
	EXPECT_EQ(detach(3, 7), NOENT);				/* V18 */
	EXPECT_EQ(detach(4, 1), INVAL);				/* V19 */
	EXPECT_EQ(detach(3, 2), INVAL);
	EXPECT_EQ(reach(1, 0x20010, false).phys, 0x8010);
	detach(9, 7);
	put_le(readable + 4, 3, 4);
	put_le(readable + 8, 1, 4);
	EXPECT_EQ(again(12, 1, 20, 4), OK);			/* V17 */
	EXPECT_EQ(broken(16), 1);
	EXPECT(reach(1, 0x20010, false).phys == ~0ULL);		/* V20 */
	stop();
}

static bool all_but_registers(u64 phys)
{
	return phys < 0x10000000;
}

/* V21 to V26, V43 */
static void test_map(void)
{
	start(ALL);
	probe(1);
	EXPECT_EQ(map(3, 0x20000, 0x20fff, 0, READ), NOENT);	/* V24 */
	attach(3, 1, 0);
	EXPECT_EQ(map(3, 0x20800, 0x20fff, 0, READ), RANGE);	/* V21 */
	EXPECT_EQ(map(3, 0x20000, 0x20ffe, 0, READ), RANGE);
	EXPECT_EQ(map(3, 0x20000, 0x20fff, 0x800, READ), RANGE);
	EXPECT_EQ(map(3, 0x20000, 0x22fff, 0x8000, READ), OK);
	EXPECT_EQ(map(3, 0x22000, 0x23fff, 0, READ), INVAL);	/* V22 */
	EXPECT_EQ(map(3, 0x1f000, 0x20fff, 0, READ), INVAL);
	EXPECT_EQ(map(3, 0x21000, 0x21fff, 0, READ), INVAL);
	EXPECT_EQ(map(3, 0x30000, 0x30fff, 0, 8), INVAL);	/* V23 */
	EXPECT_EQ(broken(17), 1);
	EXPECT_EQ(map(3, 0x30000, 0x30000, 0, READ), INVAL);
	EXPECT_EQ(broken(19), 1);
	EXPECT_EQ(map(3, 0xf000, 0x10fff, 0, READ), RANGE);
	EXPECT_EQ(map(3, 0xfffff000, 0x100000fffULL, 0, READ), RANGE);
	EXPECT_EQ(broken(11), 2);
	EXPECT_EQ(reach(1, 0x22ff0, false).phys, 0xaff0);
	EXPECT(reach(1, 0x22ff0, true).phys == ~0ULL);		/* V26 */
	EXPECT_EQ(map(3, 0x40000, 0x40fff, 0, WRITE), OK);
	EXPECT(reach(1, 0x40000, false).phys == ~0ULL);
	attach(4, 2, 1);
	EXPECT_EQ(map(4, 0x20000, 0x20fff, 0, READ), INVAL);	/* V25 */
	EXPECT_EQ(broken(18), 1);
	reserve(0x50800, 0x50900);
	EXPECT_EQ(map(3, 0x50000, 0x50fff, 0, READ), INVAL);	/* V43 */
	EXPECT_EQ(broken(35), 1);
	model.max_mappings = 2;
	EXPECT_EQ(map(3, 0x60000, 0x60fff, 0, READ), 8);
	stop();
}

/* D20, D21, D23 */
static void test_registers(void)
{
	start(ALL);
	model.is_ram = all_but_registers;
	probe(1);
	attach(3, 1, 0);
	EXPECT_EQ(map(3, 0x20000, 0x20fff, 0x10000000, READ | 4), OK);
	EXPECT_EQ(map(3, 0x30000, 0x30fff, 0xffff000, READ), OK);
	EXPECT_EQ(broken(20) + broken(21), 0);
	EXPECT_EQ(map(3, 0x40000, 0x40fff, 0x10000000, READ), OK);
	EXPECT_EQ(broken(20), 1);
	EXPECT_EQ(map(3, 0x50000, 0x51fff, 0xffff000, READ), OK);
	EXPECT_EQ(broken(21), 1);
	mock_model_accept(&model, ALL & ~F(MMIO));
	EXPECT_EQ(map(3, 0x60000, 0x60fff, 0x10000000, READ | 4), INVAL);
	EXPECT_EQ(broken(23), 1);
	stop();
}

/* V27 to V31 */
static void test_unmap(void)
{
	u64 at;

	start(ALL);
	probe(1);
	EXPECT_EQ(unmap(3, 0x20000, 0x20fff), NOENT);		/* V28 */
	attach(3, 1, 0);
	for (at = 0x20000; at < 0x28000; at += 2 * PAGE)
		map(3, at, at + PAGE - 1, at, READ);
	map(3, 0x30000, 0x33fff, 0, READ);
	EXPECT_EQ(unmap(3, 0x31000, 0x33fff), RANGE);		/* V30 */
	EXPECT_EQ(broken(26), 1);
	EXPECT_EQ(unmap(3, 0x20000, 0x30fff), RANGE);
	EXPECT_EQ(broken(27), 1);
	EXPECT_EQ(model.nr_mappings, 5);
	unmap(4, 0, 0);
	put_le(readable + 4, 3, 4);
	put_le(readable + 8, 0x20000, 8);
	put_le(readable + 16, 0x27fff, 8);
	EXPECT_EQ(again(24, 1, 28, 4), INVAL);			/* V27 */
	EXPECT_EQ(broken(24), 1);
	EXPECT_EQ(model.nr_mappings, 5);
	EXPECT_EQ(unmap(3, 0x1f000, 0x2ffff), OK);		/* V31 */
	EXPECT_EQ(model.nr_mappings, 1);
	EXPECT_EQ(broken(25), 0);
	EXPECT_EQ(unmap(3, 0x1f000, 0x2ffff), OK);
	EXPECT_EQ(broken(25), 1);
	EXPECT_EQ(unmap(3, 0x33000, 0x100000000ULL), RANGE);
	attach(4, 2, 1);
	EXPECT_EQ(unmap(4, 0x20000, 0x20fff), INVAL);		/* V29 */
	EXPECT_EQ(broken(28), 1);
	stop();
}

/* V32 to V40 */
static void test_probe(void)
{
	struct mock_endpoint *endpoint;

	start(ALL);
	reserve(0x50000, 0x50fff);
	EXPECT_EQ(probe(1), OK);
	EXPECT_EQ(used, PROBE_SIZE + 4);
	EXPECT_EQ(get_le(writable, 2), 1);
	EXPECT_EQ(get_le(writable + 2, 2), 20);			/* V36 */
	EXPECT_EQ(get_le(writable + 4, 4), 0);			/* V35, V40 */
	EXPECT_EQ(get_le(writable + 16, 8), 0x50fff);
	EXPECT_EQ(get_le(writable + 24, 8), 0);			/* V37, V39 */
	EXPECT_EQ(get_le(writable + PROBE_SIZE - 8, 8), 0);
	EXPECT_EQ(again(8, 1, 72, PROBE_SIZE + 4), OK);		/* V32 */
	EXPECT_EQ(broken(30), 1);
	EXPECT_EQ(send(72, PROBE_SIZE), -1);
	EXPECT_EQ(broken(29), 1);
	EXPECT_EQ(probe(7), NOENT);				/* V33 */
	endpoint = mock_model_endpoint(&model, 1);
	endpoint->properties = realloc(endpoint->properties, PROBE_SIZE + 24);
	memset(endpoint->properties + 24, 0, PROBE_SIZE);
	endpoint->nr_properties = PROBE_SIZE + 24;
	EXPECT_EQ(probe(1), INVAL);				/* V38 */
	EXPECT_EQ(get_le(writable, 8), 0);
	model.quirks = MOCK_ANY_ENDPOINT;
	EXPECT_EQ(probe(7), OK);
	mock_model_accept(&model, ALL & ~F(PROBE));
	EXPECT_EQ(probe(1), -1);				/* V34 */
	stop();
}

/* V44 to V48, and accesses that go from one mapping into the next. */
static void test_access(void)
{
	struct mock_access access;

	start(ALL);
	probe(1);
	attach(3, 1, 0);
	map(3, 0x20000, 0x20fff, 0x8000, READ | WRITE);
	map(3, 0x21000, 0x21fff, 0xf000, READ);
	access = reach(1, 0x20ffc, false);
	EXPECT_EQ(access.phys, 0x8ffc);
	EXPECT_EQ(access.run, 4);
	access = reach(1, 0x21000, true);
	EXPECT(access.phys == ~0ULL);
	EXPECT_EQ(access.run, 0);
	EXPECT_EQ(access.fault.reason, VIRTIO_IOMMU_FAULT_R_MAPPING);
	EXPECT(!access.fault.reserved[0] && !access.fault.reserved2[0]);	/* V45 */
	EXPECT_EQ(get_le(&access.fault.flags, 4), 0x102);		/* V46 */
	EXPECT_EQ(get_le(&access.fault.endpoint, 4), 1);		/* V47 */
	EXPECT_EQ(get_le(&access.fault.address, 8), 0x21000);		/* V48 */
	EXPECT(reach(2, 0x20000, false).phys == ~0ULL);			/* V44 */
	model.quirks = MOCK_NO_CROSSING;
	EXPECT(reach(1, 0x20ffc, false).phys == ~0ULL);
	stop();
}

static void test_quirks(void)
{
	u8 byte;

	start(ALL);
	probe(1);
	attach(3, 1, 0);
	model.quirks = MOCK_UNCHECKED;
	EXPECT_EQ(map(3, 0x800, 0x17ff, 0, READ), OK);
	EXPECT_EQ(broken(11), 1);
	model.quirks = MOCK_MUTE;
	EXPECT_EQ(attach(3, 7, 0), -1);
	model.quirks = MOCK_NO_TOP;
	put_le(&model.config.input_range.end, ~0ULL, 8);
	EXPECT_EQ(map(3, 0xfffffffffffff000ULL, ~0ULL, 0, READ), 3);
	model.quirks = MOCK_TAIL_DIRTY;
	EXPECT_EQ(attach(3, 1, 0), OK);
	EXPECT_EQ(writable[1], 0xff);
	model.quirks = MOCK_BYPASS_DIRTY;
	model.config.bypass = 0;
	mock_model_config_read(&model, 36, &byte, 1);
	EXPECT_EQ(byte, 0xfe);
	model.config.bypass = 1;
	model.quirks = MOCK_BYPASS_HIDDEN;
	mock_model_config_read(&model, 36, &byte, 1);
	EXPECT_EQ(byte, 0);
	stop();
}

static void test_rules(void)
{
	static const char * const nonsense[] = {
		"", "map", "map 1", "map 0 silent", "map 2-1 silent", "map 1 status",
		"map 1 silent 3", "mop 1 silent", "map 1 shout", "map x silent",
		"map 1 status 3 4", "map 1 status x",
	};
	struct mock_rules rules = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nonsense); i++)
		EXPECT_EQ(mock_rules_add(&rules, nonsense[i]), -EINVAL);
	EXPECT_EQ(rules.nr, 0);
	ASSERT(!mock_rules_add(&rules, "map 2-3 status 5"));
	ASSERT(!mock_rules_add(&rules, "any 4- silent"));
	EXPECT(!mock_rules_match(&rules, MAP));
	EXPECT_EQ(mock_rules_match(&rules, MAP)->value, 5);
	EXPECT(!mock_rules_match(&rules, UNMAP));
	/* the fourth of all, and the third MAP: the first rule counts */
	EXPECT_EQ(mock_rules_match(&rules, MAP)->action, MOCK_STATUS);
	EXPECT_EQ(mock_rules_match(&rules, MAP)->action, MOCK_SILENT);
	EXPECT_EQ(rules.rules[0].hits, 2);
	EXPECT_EQ(rules.rules[1].hits, 1);
	while (!mock_rules_add(&rules, "probe 1 twice"))
		;
	EXPECT_EQ(rules.nr, MOCK_RULES_MAX);
	EXPECT_EQ(mock_rules_add(&rules, "probe 1 twice"), -ENOSPC);
}

static const struct test_case cases[] = {
	{ "bypass: V4, D2 to D4", test_bypass },
	{ "features: D1", test_accept },
	{ "requests: V5 to V7, D6, D8", test_requests },
	{ "unattached endpoints: V8", test_unattached },
	{ "ATTACH: V9 to V16, D7, D12, D13, D15", test_attach },
	{ "DETACH: V17 to V20, D16", test_detach },
	{ "MAP: V21 to V26, V43, D11, D17 to D19, D35", test_map },
	{ "registers: D20, D21, D23", test_registers },
	{ "UNMAP: V27 to V31, D24 to D28", test_unmap },
	{ "PROBE: V32 to V40, D29, D30", test_probe },
	{ "accesses: V44 to V48", test_access },
	{ "quirks", test_quirks },
	{ "rules", test_rules },
};

TEST_SUITE(model, cases);
