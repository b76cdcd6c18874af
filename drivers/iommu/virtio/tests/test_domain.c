// SPDX-License-Identifier: GPL-2.0
/*
 * Domains over the kernel's own virtqueue, with its locks, trees and threads. The reference
 * is an array with an element for each page. What a device can refuse, test_domain.c of
 * tools/testing/viommu-user has.
 */
#include "device.h"

#define UNITS	64
#define PHYS	0x40000000ULL
#define ROUNDS	400

static struct device devices[] = { { .init_name = "a" }, { .init_name = "b" } };
static struct viommu_master *a, *b;
static struct viommu_domain *domain;
static bool mapped[UNITS];

static void begin(void)
{
	struct iommu_domain *new;

	device_begin();
	a = device_plug(&devices[0], 1);
	b = device_plug(&devices[1], 2);
	new = viommu_domain_alloc_for(a, IOMMU_DOMAIN_UNMANAGED);
	ASSERT(!IS_ERR(new));
	domain = to_viommu_domain(new);
	memset(mapped, 0, sizeof(mapped));
	EXPECT_EQ(viommu_domain_attach(domain, a), 0);
}

static void end(void)
{
	EXPECT_EQ(viommu_domain_attach(&viommu->blocking, a), 0);
	device_unplug(a);
	device_unplug(b);
	viommu_domain_free(&domain->domain);
	device_end();
}

static int map(unsigned int unit)
{
	u64 iova = unit * PAGE_SIZE;
	size_t size = 0;
	int ret;

	ret = viommu_domain_map_pages(&domain->domain, iova, PHYS + iova, PAGE_SIZE, 1,
				      IOMMU_READ | IOMMU_WRITE, GFP_KERNEL, &size);
	return ret ?: viommu_domain_sync_map(&domain->domain, iova, PAGE_SIZE);
}

static bool unmap(unsigned int unit)
{
	size_t size = viommu_domain_unmap_pages(&domain->domain, unit * PAGE_SIZE, PAGE_SIZE, 1,
						NULL);

	viommu_domain_sync(&domain->domain, NULL);
	return size == PAGE_SIZE;
}

/* Driver and device both have what is mapped, and no more. */
static void check_all(bool there)
{
	unsigned int unit, nr = 0;

	for (unit = 0; unit < UNITS; unit++) {
		u64 iova = unit * PAGE_SIZE;

		EXPECT_EQ(viommu_domain_iova_to_phys(&domain->domain, iova + 5),
			  mapped[unit] ? PHYS + iova + 5 : 0);
		EXPECT_EQ(device_holds(domain->id, iova, iova + PAGE_SIZE - 1, PHYS + iova),
			  there && mapped[unit]);
		nr += there && mapped[unit];
	}
	EXPECT_EQ(device.model.nr_mappings, nr);
}

static void test_random_pages(void)
{
	unsigned int i, unit;

	begin();
	for (i = 0; i < ROUNDS; i++) {
		unit = test_below(UNITS);
		if (test_below(2)) {
			EXPECT_EQ(map(unit), mapped[unit] ? -EEXIST : 0);
			mapped[unit] = true;
		} else {
			EXPECT_EQ(unmap(unit), mapped[unit]);
			mapped[unit] = false;
		}
	}
	check_all(true);
	end();
}

/* The device forgets a domain with its last endpoint; the driver does not. */
static void test_replay(void)
{
	unsigned int unit;

	begin();
	for (unit = 0; unit < UNITS; unit += 3) {
		EXPECT_EQ(map(unit), 0);
		mapped[unit] = true;
	}
	check_all(true);
	EXPECT_EQ(viommu_domain_attach(domain, b), 0);
	EXPECT_EQ(viommu_domain_attach(&viommu->blocking, a), 0);
	check_all(true);
	EXPECT_EQ(viommu_domain_attach(&viommu->blocking, b), 0);
	check_all(false);
	EXPECT(unmap(3));
	mapped[3] = false;
	EXPECT_EQ(viommu_domain_attach(domain, b), 0);
	check_all(true);
	EXPECT_EQ(viommu_domain_attach(&viommu->blocking, b), 0);
	end();
}

static void test_refused(void)
{
	begin();
	device.refuse = VIRTIO_IOMMU_T_MAP;
	device.status = VIRTIO_IOMMU_S_NOMEM;
	EXPECT_EQ(map(1), -ENOMEM);
	check_all(true);
	device.refuse = 0;
	EXPECT_EQ(map(1), 0);
	mapped[1] = true;
	check_all(true);
	/* What it refuses to unmap nothing is mapped over. */
	device.refuse = VIRTIO_IOMMU_T_UNMAP;
	device.status = VIRTIO_IOMMU_S_DEVERR;
	EXPECT(unmap(1));
	EXPECT_EQ(map(1), -EBUSY);
	device.refuse = 0;
	EXPECT_EQ(map(1), 0);
	check_all(true);
	end();
}

static atomic_t errors;

/* Two threads map and unmap, each in its half; the third one moves another device. */
static void map_or_move(unsigned int half)
{
	unsigned int i, unit;

	for (i = 0; i < ROUNDS; i++) {
		unit = half * UNITS / 2 + i * 7 % (UNITS / 2);
		if (half == 2) {
			if (viommu_domain_attach(i % 2 ? &viommu->blocking : domain, b))
				atomic_inc(&errors);
		} else if (mapped[unit]) {
			mapped[unit] = !unmap(unit);
			atomic_add(mapped[unit], &errors);
		} else {
			mapped[unit] = !map(unit);
			atomic_add(!mapped[unit], &errors);
		}
	}
}

static void test_threads(void)
{
	begin();
	atomic_set(&errors, 0);
	device_threads(3, map_or_move);
	EXPECT_EQ(atomic_read(&errors), 0);
	check_all(true);
	end();
}

static const struct test_case cases[] = {
	{ "pages at random, against an array", test_random_pages },
	{ "a domain keeps its mappings without an endpoint", test_replay },
	{ "a refused MAP is not there, a refused UNMAP is", test_refused },
	{ "mapping goes on while another endpoint comes and goes", test_threads },
};

TEST_SUITE(domain, cases);
