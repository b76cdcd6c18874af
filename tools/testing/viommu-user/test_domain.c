// SPDX-License-Identifier: GPL-2.0
/*
 * Domains over a device that refuses, or that cannot be told: what the random operations
 * of fuzz_domain.c came upon first. What the guests' tests see of domains is not
 * repeated here.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "fake_core.h"

#define PAGE	0x1000ULL
#define IOVA	0x100000ULL
#define PHYS	0x40000000ULL

static struct device devices[] = { { .name = "a" }, { .name = "b" } };
static struct viommu_master *a, *b;

/* Which of the next ATTACHes, MAPs and UNMAPs the device refuses, a bit for each; and how. */
static unsigned int refuse_attach, refuse_map, refuse_unmap;
static u8 refuse_status = VIRTIO_IOMMU_S_DEVERR;
static bool refuse_detaches;
static bool refuse_maps; /* it makes the mapping and gives no clear answer */

static bool take_bit(unsigned int *bits)
{
	bool bit = *bits & 1;

	*bits >>= 1;
	return bit;
}

static void refuse(const struct fake_request *request, struct fake_answer *answer)
{
	struct fake_endpoint *endpoint;

	if (request->type == VIRTIO_IOMMU_T_ATTACH && take_bit(&refuse_attach)) {
		endpoint = fake_iommu_endpoint(&iommu, get_le(request->copy + 8, 4));
		if (refuse_detaches && endpoint->attached)
			fake_iommu_detach(&iommu, endpoint);
		answer->status = refuse_status;
	} else if (request->type == VIRTIO_IOMMU_T_MAP && take_bit(&refuse_map)) {
		if (refuse_maps)
			fake_iommu_handle(&iommu, request);
		answer->status = refuse_status;
	} else if (request->type == VIRTIO_IOMMU_T_UNMAP && take_bit(&refuse_unmap)) {
		answer->status = refuse_status;
	} else {
		answer->status = fake_iommu_handle(&iommu, request);
	}
}

/* @ids: endpoint IDs of two devices. Domain IDs are 0 to @domain_last. */
static void begin(const u32 *ids_a, const u32 *ids_b, u32 domain_last)
{
	unsigned int i;

	iommu.granule = PAGE;
	iommu.input_last = U64_MAX;
	iommu.domain_last = domain_last;
	iommu.nr_endpoints = 4;
	for (i = 0; i < iommu.nr_endpoints; i++)
		iommu.endpoints[i].id = i + 1;
	fake.size = 64;
	core_begin();
	fake.script = refuse;
	a = core_plug(&devices[0], ids_a);
	b = core_plug(&devices[1], ids_b);
}

static void end(void)
{
	EXPECT(!iommu.complaint);
	if (a)
		core_unplug(a);
	core_unplug(b);
	core_end();
}

static struct viommu_domain *domain_of(struct viommu_master *master)
{
	struct iommu_domain *domain = viommu_domain_alloc_for(master, IOMMU_DOMAIN_UNMANAGED);

	ASSERT(!IS_ERR(domain));
	return to_viommu_domain(domain);
}

static void map(struct viommu_domain *domain)
{
	size_t mapped = 0;

	ASSERT(viommu_domain_map_pages(&domain->domain, IOVA, PHYS, PAGE, 1, IOMMU_READ,
				       GFP_KERNEL, &mapped) == 0);
	ASSERT(viommu_domain_sync_map(&domain->domain, IOVA, PAGE) == 0);
}

static void unmap(struct viommu_domain *domain)
{
	EXPECT_EQ(viommu_domain_unmap_pages(&domain->domain, IOVA, PAGE, 1, NULL), PAGE);
	viommu_domain_sync(&domain->domain, NULL);
}

static bool device_holds(u32 domain)
{
	return fake_iommu_find(&iommu, domain, IOVA);
}

static void test_unsent(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain;

	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	map(domain);
	EXPECT(device_holds(domain->id));
	unmap(domain);
	EXPECT(!device_holds(domain->id));
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	viommu_domain_free(&domain->domain);
	end();
}

/* Both lists of regions, the second one and the first one. */
static void test_reserve_no_memory(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain;
	unsigned int i;

	iommu.endpoints[0].nr_regions = 1;
	iommu.endpoints[0].regions[0] = (struct fake_region){ .start = 0, .last = PAGE - 1 };
	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	for (i = 2; i; i--) {
		slab_control.fail_in = i;
		EXPECT_EQ(viommu_domain_attach(domain, a), -ENOMEM);
		EXPECT(!a->endpoints[0]->domain);
	}
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	viommu_domain_free(&domain->domain);
	end();
}

/* Where blocking has no domain ID, its number is that of a domain which has. */
static void test_blocking_without_id(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain;

	begin(ids_a, ids_b, 0);
	domain = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	map(domain);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, b), 0);
	refuse_attach = 1;
	EXPECT_EQ(viommu_domain_attach(domain, b), -ENODEV);
	EXPECT(device_holds(domain->id));
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	viommu_domain_free(&domain->domain);
	end();
}

/* It neither lets the endpoint go nor takes it back. */
static void test_refuses_to_move(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain, *other;
	u32 id;

	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	id = domain->id;
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	map(domain);
	refuse_status = VIRTIO_IOMMU_S_NOMEM;
	refuse_attach = 0xff;
	other = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(other, a), -ENOMEM);
	unmap(domain);
	EXPECT(!device_holds(id));
	viommu_domain_free(&domain->domain);
	viommu_domain_free(&other->domain);

	/* It is in there still: nobody else may come in. */
	refuse_attach = 0;
	other = domain_of(b);
	EXPECT(other->id != id);
	EXPECT_EQ(viommu_domain_attach(other, b), 0);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, b), 0);
	viommu_domain_free(&other->domain);
	end();
}

/* The same with another endpoint in the domain, which goes later. */
static void test_left_behind(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain;

	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	EXPECT_EQ(viommu_domain_attach(domain, b), 0);
	map(domain);
	refuse_attach = 0xff;
	core_unplug(a);
	a = NULL;
	EXPECT(device_holds(domain->id));
	refuse_attach = 0;
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, b), 0);
	unmap(domain);
	EXPECT(!device_holds(domain->id));
	viommu_domain_free(&domain->domain);
	end();
}

/* It has refused to let go of the endpoint, and of its mappings: it still has both. */
static void test_not_wiped(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain, *other;

	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	map(domain);
	refuse_attach = 1;
	refuse_unmap = 1;
	other = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(other, a), -ENODEV);
	EXPECT(a->endpoints[0]->domain == domain);
	EXPECT(device_holds(domain->id));
	unmap(domain);
	EXPECT(!device_holds(domain->id));
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	viommu_domain_free(&domain->domain);
	viommu_domain_free(&other->domain);
	end();
}

/* It has refused all of that, and has the mappings when another endpoint comes in. */
static void test_left_with_mappings(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain;

	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	map(domain);
	refuse_status = VIRTIO_IOMMU_S_UNSUPP;
	refuse_attach = 1;
	refuse_unmap = 1;
	core_unplug(a);
	a = NULL;
	EXPECT(device_holds(domain->id));
	EXPECT_EQ(viommu_domain_attach(domain, b), 0);
	EXPECT(device_holds(domain->id));
	unmap(domain);
	EXPECT(!device_holds(domain->id));
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, b), 0);
	viommu_domain_free(&domain->domain);
	end();
}

/* It let go of the endpoint before it refused, and takes it back: with all mappings. */
static void test_taken_back(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain, *other;

	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	map(domain);
	refuse_attach = 1;
	refuse_detaches = true;
	other = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(other, a), -ENODEV);
	EXPECT(device_holds(domain->id));
	unmap(domain);
	EXPECT(!device_holds(domain->id));
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	viommu_domain_free(&domain->domain);
	viommu_domain_free(&other->domain);
	end();
}

/*
 * The core takes no error for a first attach, nor for a return to blocking: who is refused
 * is attached nowhere, and nothing is mapped where it should be.
 */
static void test_cut_off(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain;
	size_t mapped = 0;

	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	domain->domain.type = IOMMU_DOMAIN_DMA;
	refuse_attach = 0xff;
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	EXPECT(!a->endpoints[0]->domain);
	EXPECT_EQ(viommu_domain_map_pages(&domain->domain, IOVA, PHYS, PAGE, 1, IOMMU_READ,
					  GFP_KERNEL, &mapped), -EIO);
	refuse_attach = 0;
	EXPECT_EQ(viommu_domain_attach(domain, b), 0);
	EXPECT_EQ(viommu_domain_map_pages(&domain->domain, IOVA, PHYS, PAGE, 1, IOMMU_READ,
					  GFP_KERNEL, &mapped), -EIO);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	map(domain);
	EXPECT(device_holds(domain->id));
	domain->domain.type = IOMMU_DOMAIN_UNMANAGED;
	refuse_attach = 0xff;
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	EXPECT(!a->endpoints[0]->domain);
	refuse_attach = 0;
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, b), 0);
	viommu_domain_free(&domain->domain);
	end();
}

/* The endpoint goes, or the domain does, before they are together. */
static void test_lost(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain;

	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	domain->domain.type = IOMMU_DOMAIN_DMA;
	refuse_attach = 0xff;
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	EXPECT_EQ(viommu_domain_attach(domain, b), 0);
	EXPECT_EQ(domain->nr_lost, 2);
	core_unplug(a);
	a = NULL;
	EXPECT_EQ(domain->nr_lost, 1);
	viommu_domain_free(&domain->domain);
	EXPECT(!b->endpoints[0]->lost);
	end();
}

/* The same with a domain that got no ID, and so belongs to no virtio-iommu. */
static void test_lost_without_id(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain, *other;
	size_t mapped = 0;

	begin(ids_a, ids_b, 1);
	other = domain_of(b);
	domain = viommu_domain_alloc(IOMMU_DOMAIN_DMA);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	EXPECT(!a->endpoints[0]->domain && !domain->viommu);
	EXPECT_EQ(viommu_domain_map_pages(&domain->domain, IOVA, PHYS, PAGE, 1, IOMMU_READ,
					  GFP_KERNEL, &mapped), -EIO);
	viommu_domain_free(&domain->domain);
	EXPECT(!a->endpoints[0]->lost);
	viommu_domain_free(&other->domain);
	end();
}

/* Two devices share an endpoint that stays; what only one of them reserves goes with it. */
static void test_shared_endpoint(void)
{
	static const u32 ids_a[CORE_IDS] = { 1, 2 }, ids_b[CORE_IDS] = { 1 };
	struct viommu_domain *domain;

	iommu.endpoints[1].nr_regions = 1;
	iommu.endpoints[1].regions[0] = (struct fake_region){
		.subtype = 2, .start = IOVA, .last = IOVA + PAGE - 1, .flags = 3,
	};
	*param_identity_regions = true;
	*param_identity_holes = true;
	begin(ids_a, ids_b, 99);
	domain = domain_of(b);
	EXPECT_EQ(viommu_domain_attach(domain, b), 0);
	/* Its second endpoint is refused; the one that was there stays. */
	refuse_attach = 1;
	EXPECT_EQ(viommu_domain_attach(domain, a), -ENODEV);
	core_unplug(a);
	a = NULL;
	EXPECT(!device_holds(domain->id));
	map(domain);
	unmap(domain);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, b), 0);
	viommu_domain_free(&domain->domain);
	end();
}

/* A mapping is refused, and so is the way back, and blocking: it stays in the new domain. */
static void test_no_way_back(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *old, *new;

	iommu.endpoints[0].nr_regions = 1;
	iommu.endpoints[0].regions[0] = (struct fake_region){
		.subtype = 2, .start = 2 * IOVA, .last = 2 * IOVA + PAGE - 1, .flags = 3,
	};
	*param_identity_regions = true;
	*param_identity_holes = true;
	begin(ids_a, ids_b, 99);
	old = domain_of(a);
	new = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(old, a), 0);
	EXPECT_EQ(viommu_domain_attach(old, b), 0);
	EXPECT(fake_iommu_find(&iommu, old->id, 2 * IOVA));
	map(new);
	refuse_map = 1;
	refuse_attach = 0xa;
	EXPECT_EQ(viommu_domain_attach(new, a), -ENODEV);
	EXPECT(a->endpoints[0]->domain == new);
	EXPECT(device_holds(new->id));
	/* It has taken its region with it. */
	EXPECT(fake_iommu_find(&iommu, new->id, 2 * IOVA));
	EXPECT(!fake_iommu_find(&iommu, old->id, 2 * IOVA));
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, b), 0);
	viommu_domain_free(&old->domain);
	viommu_domain_free(&new->domain);
	end();
}

static struct viommu_domain *race_domain, *race_other;
static int race_map;
static bool race_is_known; /* the refusal was before the sync */

static void race(unsigned int cpu)
{
	unsigned int i = test_random() % 16;
	size_t mapped = 0;

	if (!cpu) {
		EXPECT_EQ(viommu_domain_attach(race_other, a), -ENODEV);
		return;
	}
	EXPECT_EQ(viommu_domain_map_pages(&race_domain->domain, IOVA, PHYS, PAGE, 1, IOMMU_READ,
					  GFP_ATOMIC, &mapped), 0);
	while (i--)
		fake_yield();
	race_is_known = !refuse_map;
	race_map = viommu_domain_sync_map(&race_domain->domain, IOVA, PAGE);
}

/* A new mapping is sent by a replay, which is refused: who syncs it is told, or sends it again. */
static void test_refused_in_replay(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	unsigned int i, failed = 0, held = 0;

	begin(ids_a, ids_b, 99);
	race_domain = domain_of(a);
	race_other = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(race_domain, a), 0);
	refuse_detaches = true;
	fake.at_once = 0;
	fake.per_poll = 1;
	for (i = 0; i < 500; i++) {
		refuse_attach = 1;
		refuse_map = 1;
		fake_cpus(2, race);
		refuse_map = 0;
		EXPECT(a->endpoints[0]->domain == race_domain);
		if (race_is_known)
			EXPECT_EQ(device_holds(race_domain->id), !race_map);
		failed += race_is_known && race_map;
		held += race_is_known && !race_map;
		if (!race_map)
			unmap(race_domain);
		EXPECT(!device_holds(race_domain->id));
	}
	EXPECT(failed && held);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	viommu_domain_free(&race_domain->domain);
	viommu_domain_free(&race_other->domain);
	end();
}

/* The replay's MAP had no clear answer, and the device has the mapping: it is unmapped. */
static void test_unclear_in_replay(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };
	struct viommu_domain *domain, *other;

	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	other = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	map(domain);
	refuse_attach = 1;
	refuse_detaches = true;
	refuse_map = 1;
	refuse_maps = true;
	EXPECT_EQ(viommu_domain_attach(other, a), -ENODEV);
	EXPECT(device_holds(domain->id));
	unmap(domain);
	EXPECT(!device_holds(domain->id));
	map(domain);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	viommu_domain_free(&domain->domain);
	viommu_domain_free(&other->domain);
	end();
}

/* The device has the one buffer for PROBE still when another endpoint is to be probed. */
static void test_probe_unanswered(void)
{
	static const u32 ids_a[CORE_IDS] = { 1 }, ids_b[CORE_IDS] = { 2 };

	begin(ids_a, ids_b, 99);
	core_unplug(a);
	fake.at_once = 0;
	fake.per_poll = 0;
	fake.tick = 1000000;
	a = core_plug(&devices[0], ids_a);
	EXPECT(viommu.queue.dead);
	EXPECT_EQ(fake.pending.nr, 1);
	core_unplug(b);
	b = core_plug(&devices[1], ids_b);
	/* It looks whether the request is what it was. */
	fake_answer_all();
	end();
}

/* While its driver's DMA has not ended a device leaves its domain for blocking only. */
static void test_stays(void)
{
	static const u32 ids_a[CORE_IDS] = { 1, 2 }, ids_b[CORE_IDS] = { 3 };
	struct viommu_domain *domain, *other;
	unsigned int i, requests;

	iommu.endpoints[0].nr_regions = 1;
	iommu.endpoints[0].regions[0] = (struct fake_region){ .start = 0, .last = PAGE - 1 };
	begin(ids_a, ids_b, 99);
	domain = domain_of(a);
	other = domain_of(a);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	map(domain);
	a->stays_in = domain;
	requests = fake.types[VIRTIO_IOMMU_T_ATTACH];
	EXPECT_EQ(viommu_domain_attach(other, a), -EBUSY);
	EXPECT_EQ(fake.types[VIRTIO_IOMMU_T_ATTACH], requests);
	EXPECT_EQ(fake.types[VIRTIO_IOMMU_T_DETACH], 0);
	for (i = 0; i < a->nr_endpoints; i++) {
		EXPECT(a->endpoints[i]->domain == domain);
		EXPECT_EQ(iommu.endpoints[i].domain, domain->id);
	}
	EXPECT_EQ(domain->nr_endpoints, 2);
	EXPECT_EQ(other->nr_endpoints, 0);
	/* nor is anything reserved there for it */
	EXPECT_EQ(other->regions.nr, 0);
	EXPECT(device_holds(domain->id));
	/* Another device may go there, and this one where it is, and back. */
	EXPECT_EQ(viommu_domain_attach(other, b), 0);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	EXPECT_EQ(viommu_domain_attach(other, a), -EBUSY);
	EXPECT(a->endpoints[0]->domain == &viommu.blocking);
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
	EXPECT(device_holds(domain->id));
	a->stays_in = NULL;
	EXPECT_EQ(viommu_domain_attach(other, a), 0);
	EXPECT_EQ(other->nr_endpoints, 3);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, a), 0);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, b), 0);
	viommu_domain_free(&domain->domain);
	viommu_domain_free(&other->domain);
	end();
}

static const struct test_case cases[] = {
	{ "what is mapped the device holds, what is unmapped it does not", test_unsent },
	{ "an attach without memory changes nothing", test_reserve_no_memory },
	{ "a refused attach from blocking without a domain ID", test_blocking_without_id },
	{ "an endpoint that the device neither moves nor takes back", test_refuses_to_move },
	{ "an endpoint that was left behind in a domain", test_left_behind },
	{ "an endpoint that was left behind with its mappings", test_left_with_mappings },
	{ "a device that refuses to forget mappings is told again", test_not_wiped },
	{ "a device that forgot mappings is told again", test_taken_back },
	{ "an endpoint that cannot go back takes its regions with it", test_no_way_back },
	{ "a mapping that is synced while a replay sends it, and refused", test_refused_in_replay },
	{ "a mapping whose replay has no clear answer can be unmapped", test_unclear_in_replay },
	{ "a device that is to stay does not move", test_stays },
	{ "regions go with their device, if not with its last endpoint", test_shared_endpoint },
	{ "a device that is refused where the core takes no error is cut off", test_cut_off },
	{ "a PROBE that is never answered keeps its buffer", test_probe_unanswered },
	{ "an endpoint or a domain that goes while they should be together", test_lost },
	{ "an endpoint that is lost to a domain without an ID", test_lost_without_id },
};

TEST_SUITE(domain, cases);
