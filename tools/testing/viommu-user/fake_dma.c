// SPDX-License-Identifier: GPL-2.0
/*
 * See fake_dma.h.
 */
#include <linux/err.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>

#include "fake_dma.h"

struct pci_dev fake_pci;
struct viommu_domain *fake_domain;
struct viommu_space *fake_space;
struct viommu_dma fake_dma;
unsigned int fake_warnings;

static struct viommu_master *master;
static unsigned int refuse_in;
static u8 refuse_status;

/* Time. It soon is back at 0. */
unsigned long jiffies = -7UL;
static struct delayed_work *works;

bool fake_queue_work(struct delayed_work *dwork, unsigned long delay)
{
	ASSERT(dwork->work.func);
	if (dwork->pending)
		return false;
	dwork->pending = true;
	dwork->when = jiffies + delay;
	dwork->next = works;
	works = dwork;
	return true;
}

bool cancel_delayed_work_sync(struct delayed_work *dwork)
{
	struct delayed_work **link = &works;
	bool pending = dwork->pending;

	might_sleep();
	while (*link && *link != dwork)
		link = &(*link)->next;
	ASSERT(pending == !!*link);
	if (pending)
		*link = dwork->next;
	dwork->pending = false;
	return pending;
}

static struct delayed_work *work_due(void)
{
	struct delayed_work *dwork = works;

	while (dwork && time_before(jiffies, dwork->when))
		dwork = dwork->next;
	return dwork;
}

unsigned int dma_pass(unsigned long nr)
{
	struct delayed_work *dwork;
	unsigned int done = 0;

	while (nr--) {
		jiffies++;
		while ((dwork = work_due())) {
			cancel_delayed_work_sync(dwork);
			dwork->work.func(&dwork->work);
			done++;
		}
	}
	return done;
}

/* RCU */

static unsigned int rcu_readers;
static struct rcu_head *rcu_waiting;

void rcu_read_lock(void)
{
	rcu_readers++;
}

static void rcu_free(void)
{
	struct rcu_head *head;

	while (!rcu_readers && (head = rcu_waiting)) {
		rcu_waiting = head->next;
		kfree(head->object);
	}
}

void rcu_read_unlock(void)
{
	ASSERT(rcu_readers);
	rcu_readers--;
	rcu_free();
}

void fake_free_rcu(struct rcu_head *head, void *object)
{
	head->object = object;
	head->next = rcu_waiting;
	rcu_waiting = head;
	rcu_free();
}

/* IOVAs */

static unsigned int iova_caches;

int iova_cache_get(void)
{
	might_sleep();
	if (slab_fails(GFP_KERNEL))
		return -ENOMEM;
	iova_caches++;
	return 0;
}

void iova_cache_put(void)
{
	ASSERT(iova_caches);
	iova_caches--;
}

void init_iova_domain(struct iova_domain *iovad, unsigned long granule, unsigned long start_pfn)
{
	ASSERT(granule == PAGE);
	*iovad = (struct iova_domain){ .start_pfn = start_pfn };
}

int iova_domain_init_rcaches(struct iova_domain *iovad)
{
	if (slab_fails(GFP_KERNEL))
		return -ENOMEM;
	iovad->has_caches = true;
	return 0;
}

void put_iova_domain(struct iova_domain *iovad)
{
	struct iova *iova;

	while ((iova = iovad->first)) {
		iovad->first = iova->next;
		kfree(iova);
	}
}

static struct iova *iova_add(struct iova_domain *iovad, struct iova iova)
{
	struct iova *added = kzalloc(sizeof(*added), GFP_ATOMIC);

	if (!added)
		return NULL;
	iova.next = iovad->first;
	*added = iova;
	iovad->first = added;
	return added;
}

struct iova *reserve_iova(struct iova_domain *iovad, unsigned long pfn_lo, unsigned long pfn_hi)
{
	ASSERT(pfn_lo <= pfn_hi);
	return iova_add(iovad, (struct iova){ .pfn_lo = pfn_lo, .pfn_hi = pfn_hi,
					      .reserved = true });
}

/* One that is in the way. */
static const struct iova *iova_find(const struct iova_domain *iovad, unsigned long pfn_lo,
				    unsigned long pfn_hi)
{
	const struct iova *iova = iovad->first;

	while (iova && (iova->pfn_lo > pfn_hi || pfn_lo > iova->pfn_hi))
		iova = iova->next;
	return iova;
}

static struct iova *iova_take(struct iova_domain *iovad, unsigned long size,
			      unsigned long limit_pfn, unsigned long align, bool reserved)
{
	unsigned long end = limit_pfn + 1, pfn;
	const struct iova *other;

	ASSERT(size);
	while (end >= size) {
		pfn = (end - size) & -align;
		if (pfn < iovad->start_pfn)
			break;
		other = iova_find(iovad, pfn, pfn + size - 1);
		if (!other)
			return iova_add(iovad, (struct iova){ .pfn_lo = pfn, .reserved = reserved,
							      .pfn_hi = pfn + size - 1 });
		end = other->pfn_lo;
	}
	return NULL;
}

/* The driver has these for nobody. */
struct iova *alloc_iova(struct iova_domain *iovad, unsigned long size, unsigned long limit_pfn,
			bool size_aligned)
{
	ASSERT(!size_aligned);
	return iova_take(iovad, size, limit_pfn, 1, true);
}

unsigned long alloc_iova_fast(struct iova_domain *iovad, unsigned long size,
			      unsigned long limit_pfn, bool flush_rcache)
{
	unsigned long align = 1;
	struct iova *iova;

	ASSERT(iovad->has_caches);
	while (align < size)
		align <<= 1;
	iova = iova_take(iovad, size, limit_pfn, align, false);
	return iova ? iova->pfn_lo : 0;
}

void free_iova_fast(struct iova_domain *iovad, unsigned long pfn, unsigned long size)
{
	struct iova *iova, **link = &iovad->first;

	while (*link && (*link)->pfn_lo != pfn)
		link = &(*link)->next;
	iova = *link;
	ASSERT(iova && !iova->reserved && iova->pfn_hi - pfn + 1 == size);
	/* Somebody else may have them now. */
	EXPECT(!dma_translate((dma_addr_t)pfn << PAGE_SHIFT));
	*link = iova->next;
	kfree(iova);
}

unsigned long dma_iovas(void)
{
	const struct iova *iova;
	unsigned long nr = 0;

	for (iova = fake_space->iovad.first; iova; iova = iova->next)
		if (!iova->reserved)
			nr += iova->pfn_hi - iova->pfn_lo + 1;
	return nr;
}

dma_addr_t dma_next_iova(size_t size)
{
	dma_addr_t iova = viommu_space_take(fake_space, size, U64_MAX);

	ASSERT(iova != DMA_MAPPING_ERROR);
	viommu_space_give(fake_space, iova, size);
	return iova;
}

bool dma_is_reserved(dma_addr_t addr)
{
	const struct iova *iova = iova_find(&fake_space->iovad, PHYS_PFN(addr), PHYS_PFN(addr));

	return (iova && iova->reserved) || PHYS_PFN(addr) < fake_space->iovad.start_pfn;
}

/* The machine */

/* Memory that is somebody else's next must be out of the device's reach. */
static void expect_out_of_reach(phys_addr_t phys, size_t size)
{
	unsigned int i;

	for (i = 0; i < iommu.nr_mappings; i++) {
		const struct fake_mapping *mapping = &iommu.mappings[i];

		EXPECT(!fake_overlaps(phys, phys + size - 1, mapping->phys,
				      mapping->phys + (mapping->last - mapping->start)));
	}
}

static void refuse(const struct fake_request *request, struct fake_answer *answer)
{
	if (request->type == VIRTIO_IOMMU_T_MAP && refuse_in && !--refuse_in)
		answer->status = refuse_status;
	else
		answer->status = fake_iommu_handle(&iommu, request);
}

void dma_refuse_map(unsigned int behind, u8 status)
{
	refuse_in = behind + 1;
	refuse_status = status;
}

void dma_map_at(dma_addr_t iova, size_t size, int prot)
{
	size_t mapped = 0;

	ASSERT(!viommu_domain_map_pages(&fake_domain->domain, iova, MEMORY_START, PAGE,
					size / PAGE, prot, GFP_KERNEL, &mapped));
	ASSERT(!viommu_domain_sync_map(&fake_domain->domain, iova, size));
}

void dma_unmap_at(dma_addr_t iova, size_t size)
{
	EXPECT_EQ(viommu_domain_unmap_pages(&fake_domain->domain, iova, PAGE, size / PAGE, NULL),
		  size);
	viommu_domain_drain(fake_domain);
}

void dma_begin_domain(unsigned int type)
{
	static const u32 ids[CORE_IDS] = { 1 };
	struct device *dev = fake_device();
	struct iommu_domain *domain;

	iommu.granule = PAGE;
	if (!iommu.input_last)
		iommu.input_last = DMA_BIT_MASK(40);
	iommu.domain_last = 99;
	iommu.has_mmio = true;
	iommu.nr_endpoints = 1;
	iommu.endpoints[0].id = 1;
	fake.size = 64;
	core_begin();
	fake.script = refuse;
	memory_on_free = expect_out_of_reach;

	dev->name = "device";
	dev->dma_mask = DMA_BIT_MASK(64);
	dev->coherent_dma_mask = DMA_BIT_MASK(64);
	dev->max_seg_size = 65536;
	dev->seg_boundary = -1UL;
	master = core_plug(dev, ids);
	dev->iommu_priv = master;
	domain = viommu_domain_alloc_for(master, type);
	ASSERT(!IS_ERR(domain));
	fake_domain = to_viommu_domain(domain);
	ASSERT(!viommu_domain_attach(fake_domain, master));
}

void dma_begin(unsigned int type)
{
	dma_begin_domain(type);
	fake_space = viommu_space_alloc(fake_domain, fake_device());
	ASSERT(fake_space);
	dma_maps();
	dma_unmaps();
	dma_kicks();
}

void dma_begin_mode(enum viommu_dma_mode mode, unsigned int type)
{
	dma_begin(type);
	fake_dma = (struct viommu_dma){ .dev = fake_device(), .space = fake_space, .mode = mode };
	if (mode == VIOMMU_DMA_BOUNCE)
		fake_dma.pool = viommu_pool_alloc(fake_device(), fake_space);
	if (mode == VIOMMU_DMA_REUSE)
		fake_dma.warm = viommu_warm_alloc(fake_device(), fake_space);
	ASSERT(mode == VIOMMU_DMA_ORDINARY || fake_dma.pool || fake_dma.warm);
	master->dma = &fake_dma;
}

void dma_begin_bounce(unsigned int mib)
{
	*param_bounce_mib = mib;
	dma_begin_mode(VIOMMU_DMA_BOUNCE, IOMMU_DOMAIN_DMA_FQ);
}

void dma_end(void)
{
	if (fake_dma.pool)
		viommu_pool_free(fake_dma.pool);
	if (fake_dma.warm)
		viommu_warm_free(fake_dma.warm);
	fake_dma = (struct viommu_dma){};
	if (fake_space) {
		EXPECT_EQ(dma_iovas(), 0);
		EXPECT_EQ(viommu_space_free(fake_space), 0);
		fake_space = NULL;
	}
	EXPECT_EQ(iova_caches, 0);
	EXPECT(!works);
	EXPECT(!rcu_waiting && !rcu_readers);
	EXPECT_EQ(memory_pages, 0);
	EXPECT_EQ(fake_warnings, 0);
	EXPECT_EQ(iommu.nr_mappings, 0);
	EXPECT(!iommu.complaint);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, master), 0);
	viommu_domain_free(&fake_domain->domain);
	core_unplug(master);
	core_end();
}

static unsigned int since(unsigned int now, unsigned int *before)
{
	unsigned int nr = now - *before;

	*before = now;
	return nr;
}

unsigned int dma_maps(void)
{
	static unsigned int seen;

	return since(fake.types[VIRTIO_IOMMU_T_MAP], &seen);
}

unsigned int dma_unmaps(void)
{
	static unsigned int seen;

	return since(fake.types[VIRTIO_IOMMU_T_UNMAP], &seen);
}

unsigned int dma_kicks(void)
{
	static unsigned int seen;

	return since(fake.kicks, &seen);
}

/* DMA */

phys_addr_t dma_translate(dma_addr_t addr)
{
	const struct fake_mapping *mapping = fake_iommu_find(&iommu, fake_domain->id, addr);

	return mapping ? mapping->phys + (addr - mapping->start) : 0;
}

static bool dma_may(dma_addr_t addr, size_t size, u32 flag)
{
	const struct fake_mapping *mapping;

	ASSERT(size);
	for (; size; addr++, size--) {
		mapping = fake_iommu_find(&iommu, fake_domain->id, addr);
		if (!mapping || !(mapping->flags & flag))
			return false;
	}
	return true;
}

bool dma_readable(dma_addr_t addr, size_t size)
{
	return dma_may(addr, size, VIRTIO_IOMMU_MAP_F_READ);
}

bool dma_writable(dma_addr_t addr, size_t size)
{
	return dma_may(addr, size, VIRTIO_IOMMU_MAP_F_WRITE);
}

u8 dma_read(dma_addr_t addr)
{
	ASSERT(dma_readable(addr, 1));
	return memory_read(dma_translate(addr));
}

void dma_write(dma_addr_t addr, u8 byte, size_t size)
{
	ASSERT(dma_writable(addr, size));
	while (size--)
		memory_write(dma_translate(addr++), byte);
}

bool device_sees(dma_addr_t addr, u8 byte, size_t size)
{
	while (size && dma_read(addr + size - 1) == byte)
		size--;
	return !size;
}

bool cpu_sees(const u8 *buffer, u8 byte, size_t size)
{
	while (size && buffer[size - 1] == byte)
		size--;
	return !size;
}

/* Buffers */

dma_addr_t buffer_map(phys_addr_t phys, size_t size, enum dma_data_direction dir)
{
	return viommu_dma_map(fake_device(), phys, size, dir, 0);
}

void buffer_unmap(dma_addr_t addr, size_t size, enum dma_data_direction dir)
{
	viommu_dma_unmap(fake_device(), addr, size, dir, 0);
}

dma_addr_t slot_map(phys_addr_t phys, size_t size, enum dma_data_direction dir)
{
	return viommu_pool_map(fake_dma.pool, phys, size, dir);
}

void slot_unmap(dma_addr_t addr, enum dma_data_direction dir)
{
	EXPECT(viommu_pool_unmap(fake_dma.pool, addr, dir, 0));
}
