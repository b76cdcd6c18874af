// SPDX-License-Identifier: GPL-2.0
/*
 * The mode reuse: memory around a buffer is mapped with it, and stays mapped.
 *
 * Memory is divided into areas of one size. The first buffer in an area has the whole area
 * mapped, for its direction; while it is mapped, other buffers in it need no request. An
 * area without a buffer stays warm, which is mapped, for 10 ms, as what is unmapped lazily
 * does, and is unmapped together with others, by one kick. So a device reaches more than it
 * was given, and longer.
 *
 * A slow device comes back to its buffers later than that. When an area is mapped again that
 * was unmapped within a second, the time doubles, up to a bound, and it halves with each
 * second in which none was.
 *
 * Memory that the kernel has set aside for itself, its own code among it, is never mapped
 * so: for an area that has such pages, smaller ones take its place, in the end pages. A
 * buffer across a border is not for this mode.
 *
 * Areas are looked up without a lock. Their table has one reference to each, which only
 * the reaper gives up, where it is the last.
 *
 * Context of all but viommu_warm_alloc() and viommu_warm_free(): any.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>

#include "dma.h"

/* Areas of reuse_kib, smaller ones, and pages. */
#define VIOMMU_AREA_SIZES	3
#define VIOMMU_AREA_SMALL_SHIFT	16

/* Areas that were unmapped last, of which is known when. */
#define VIOMMU_WARM_RECENT	64

/* In a table, for an area that is not to be mapped as a whole. */
#define VIOMMU_AREA_NEVER	xa_mk_value(0)

static unsigned int reuse_kib = 2048;
module_param(reuse_kib, uint, 0444);
MODULE_PARM_DESC(reuse_kib,
		 "Size of the areas that are mapped as a whole in the mode reuse, in KiB, a power of two (default 2048)");

static unsigned int reuse_areas = 1024;
module_param(reuse_areas, uint, 0644);
MODULE_PARM_DESC(reuse_areas, "How many of them a device may have mapped (default 1024)");

/* As long as what is unmapped lazily, and the kernel's own bound for it. */
static unsigned int reuse_ms = 10;
module_param(reuse_ms, uint, 0644);
MODULE_PARM_DESC(reuse_ms,
		 "How long they stay mapped when nothing in them is used, in milliseconds (default 10)");

static unsigned int reuse_max_ms = 160;
module_param(reuse_max_ms, uint, 0644);
MODULE_PARM_DESC(reuse_max_ms,
		 "Up to how long, where a device comes back to them later than that (default 160)");

/**
 * struct viommu_areas - those of one size
 * @shift: logarithm of their size
 * @by_phys: by direction, and their address divided by their size; a value for one that is
 *	not to be mapped
 * @by_iova: by their IOVA divided by their size
 */
struct viommu_areas {
	unsigned int shift;
	struct xarray by_phys[VIOMMU_DIRECTIONS];
	struct xarray by_iova;
};

/**
 * struct viommu_area - memory that is mapped as a whole
 * @areas: those of its size
 * @node: in the list of all, guarded by the lock
 * @users: buffers that are mapped in it, and one for the table
 * @phys: where it is
 * @iova: where the device sees it
 * @dir: what for
 * @used: jiffies when a buffer was unmapped last
 * @rcu: for who has just looked it up
 */
struct viommu_area {
	struct viommu_areas *areas;
	struct list_head node;
	refcount_t users;
	phys_addr_t phys;
	dma_addr_t iova;
	enum dma_data_direction dir;
	unsigned long used;
	struct rcu_head rcu;
};

/**
 * struct viommu_gone - an area that was unmapped
 * @areas: those of its size, NULL for none
 * @index: its address divided by its size
 * @dir: what it was mapped for
 * @when: jiffies
 */
struct viommu_gone {
	const struct viommu_areas *areas;
	unsigned long index;
	enum dma_data_direction dir;
	unsigned long when;
};

/**
 * struct viommu_warm - what a device has mapped
 * @dev: the device
 * @space: its IOVAs
 * @sizes: areas, the large ones first; the last are pages
 * @lock: guards what follows, and changes of the tables
 * @all: all areas
 * @nr: how many there are, or are being made
 * @stay: jiffies that one stays mapped unused
 * @changed: jiffies when @stay was last made longer or shorter
 * @recent: areas that were unmapped last
 * @nr_gone: how many were unmapped
 * @reaper: unmaps what is not used
 */
struct viommu_warm {
	struct device *dev;
	struct viommu_space *space;
	struct viommu_areas sizes[VIOMMU_AREA_SIZES];
	spinlock_t lock; /* guards areas */
	struct list_head all;
	unsigned int nr;
	unsigned long stay;
	unsigned long changed;
	struct viommu_gone recent[VIOMMU_WARM_RECENT];
	unsigned int nr_gone;
	struct delayed_work reaper;
};

/* At least, and how often the reaper comes. */
static unsigned long viommu_warm_jiffies(void)
{
	return max(1UL, msecs_to_jiffies(READ_ONCE(reuse_ms)));
}

/* An area is mapped: too soon after it was unmapped? */
static void viommu_warm_lengthen(struct viommu_warm *warm, const struct viommu_area *area)
{
	unsigned long most = max(msecs_to_jiffies(READ_ONCE(reuse_max_ms)), viommu_warm_jiffies());
	unsigned int i;

	lockdep_assert_held(&warm->lock);
	for (i = 0; i < VIOMMU_WARM_RECENT; i++) {
		struct viommu_gone *gone = &warm->recent[i];

		if (gone->areas != area->areas || gone->dir != area->dir ||
		    gone->index != area->phys >> area->areas->shift)
			continue;
		gone->areas = NULL;
		if (time_after(jiffies, gone->when + HZ))
			continue;
		warm->stay = min(2 * max(warm->stay, viommu_warm_jiffies()), most);
		warm->changed = jiffies;
		return;
	}
}

/* Whether it is time for that, too, and so long an area stays. */
static unsigned long viommu_warm_shorten(struct viommu_warm *warm)
{
	unsigned long seconds = (jiffies - warm->changed) / HZ;

	lockdep_assert_held(&warm->lock);
	warm->stay >>= min(seconds, BITS_PER_LONG - 1UL);
	warm->changed += seconds * HZ;
	return max(warm->stay, viommu_warm_jiffies());
}

static void viommu_warm_remember(struct viommu_warm *warm, const struct viommu_area *area)
{
	lockdep_assert_held(&warm->lock);
	warm->recent[warm->nr_gone++ % VIOMMU_WARM_RECENT] = (struct viommu_gone) {
		.areas = area->areas, .index = area->phys >> area->areas->shift,
		.dir = area->dir, .when = jiffies,
	};
}

static size_t viommu_area_size(const struct viommu_area *area)
{
	return BIT(area->areas->shift);
}

/* Return: an area, with one user more; NULL; or VIOMMU_AREA_NEVER. */
static struct viommu_area *viommu_area_get(struct viommu_areas *areas, unsigned long index,
					   enum dma_data_direction dir)
{
	struct viommu_area *area;

	rcu_read_lock();
	area = xa_load(&areas->by_phys[dir], index);
	if (area && area != VIOMMU_AREA_NEVER && !refcount_inc_not_zero(&area->users))
		area = NULL;
	rcu_read_unlock();
	return area;
}

static bool viommu_area_is_memory(phys_addr_t phys, size_t size)
{
	unsigned long pfn = PHYS_PFN(phys), last = PHYS_PFN(phys + size - 1);

	for (; pfn <= last; pfn++)
		if (!pfn_to_online_page(pfn) || PageReserved(pfn_to_page(pfn)))
			return false;
	return true;
}

/* In both tables, or in none. Return: 0, -EBUSY where another one is there, -ENOMEM. */
static int viommu_area_insert(struct viommu_warm *warm, struct viommu_area *area)
{
	struct viommu_areas *areas = area->areas;
	struct xarray *by_phys = &areas->by_phys[area->dir];
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&warm->lock, flags);
	/* Once it is in @by_phys others use it, and must find it again. */
	ret = xa_insert(&areas->by_iova, area->iova >> areas->shift, area, GFP_ATOMIC);
	if (!ret) {
		ret = xa_insert(by_phys, area->phys >> areas->shift, area, GFP_ATOMIC);
		if (ret)
			xa_erase(&areas->by_iova, area->iova >> areas->shift);
		else
			list_add_tail(&area->node, &warm->all);
	}
	if (!ret)
		viommu_warm_lengthen(warm, area);
	spin_unlock_irqrestore(&warm->lock, flags);
	return ret;
}

/* That an area is not to be mapped need not be found out again. */
static void viommu_area_rule_out(struct viommu_warm *warm, struct viommu_areas *areas,
				 unsigned long index, enum dma_data_direction dir)
{
	unsigned long flags;

	spin_lock_irqsave(&warm->lock, flags);
	/* where there is no memory it is found out again */
	xa_store(&areas->by_phys[dir], index, VIOMMU_AREA_NEVER, GFP_ATOMIC);
	spin_unlock_irqrestore(&warm->lock, flags);
}

static bool viommu_warm_reserve(struct viommu_warm *warm)
{
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&warm->lock, flags);
	room = warm->nr < READ_ONCE(reuse_areas);
	warm->nr += room;
	spin_unlock_irqrestore(&warm->lock, flags);
	return room;
}

static void viommu_warm_unreserve(struct viommu_warm *warm, unsigned int nr)
{
	unsigned long flags;

	spin_lock_irqsave(&warm->lock, flags);
	warm->nr -= nr;
	spin_unlock_irqrestore(&warm->lock, flags);
}

/* A new area, with a user, mapped. Return: also NULL. */
static struct viommu_area *viommu_area_make(struct viommu_warm *warm, struct viommu_areas *areas,
					    unsigned long index, enum dma_data_direction dir)
{
	struct viommu_area *area = kzalloc_obj(*area, GFP_ATOMIC);
	size_t size = BIT(areas->shift);

	if (!area)
		return NULL;
	refcount_set(&area->users, 2);
	area->areas = areas;
	area->phys = (phys_addr_t)index << areas->shift;
	area->dir = dir;
	area->iova = viommu_space_map(warm->space, area->phys, size, viommu_dma_prot(dir),
				      viommu_dma_mask(warm->dev), GFP_ATOMIC);
	if (area->iova == DMA_MAPPING_ERROR)
		goto err_free;
	if (!viommu_area_insert(warm, area))
		return area;

	viommu_space_unmap_now(warm->space, area->iova, size);
err_free:
	kfree(area);
	return NULL;
}

/* Return: an area with a user; NULL; or VIOMMU_AREA_NEVER. */
static struct viommu_area *viommu_area_add(struct viommu_warm *warm, struct viommu_areas *areas,
					   unsigned long index, enum dma_data_direction dir)
{
	struct viommu_area *area;

	if (!viommu_area_is_memory((phys_addr_t)index << areas->shift, BIT(areas->shift))) {
		/* of pages there may be too many for that */
		if (areas->shift > PAGE_SHIFT)
			viommu_area_rule_out(warm, areas, index, dir);
		return VIOMMU_AREA_NEVER;
	}
	if (!viommu_warm_reserve(warm))
		return NULL;
	area = viommu_area_make(warm, areas, index, dir);
	if (area) {
		schedule_delayed_work(&warm->reaper, viommu_warm_jiffies());
		return area;
	}
	viommu_warm_unreserve(warm, 1);
	/* Another CPU may have been first. */
	return viommu_area_get(areas, index, dir);
}

/**
 * viommu_warm_map() - a buffer in an area that is mapped
 * @warm: the device's areas
 * @phys: the buffer
 * @size: its bytes
 * @dir: which way its data go
 *
 * Return: its IOVA, or DMA_MAPPING_ERROR where it is not for this mode.
 */
dma_addr_t viommu_warm_map(struct viommu_warm *warm, phys_addr_t phys, size_t size,
			   enum dma_data_direction dir)
{
	struct viommu_area *area = VIOMMU_AREA_NEVER;
	unsigned int i;
	dma_addr_t addr;

	for (i = 0; i < ARRAY_SIZE(warm->sizes) && area == VIOMMU_AREA_NEVER; i++) {
		struct viommu_areas *areas = &warm->sizes[i];
		unsigned long index = phys >> areas->shift;

		if (!size || (phys + size - 1) >> areas->shift != index)
			return DMA_MAPPING_ERROR;
		area = viommu_area_get(areas, index, dir) ?:
		       viommu_area_add(warm, areas, index, dir);
	}
	if (!area || area == VIOMMU_AREA_NEVER)
		return DMA_MAPPING_ERROR;
	addr = area->iova + (phys - area->phys);
	/* It may have been lowered since the area was mapped. */
	if (unlikely(addr + size - 1 > viommu_dma_mask(warm->dev))) {
		refcount_dec(&area->users);
		return DMA_MAPPING_ERROR;
	}
	return addr;
}

/**
 * viommu_warm_unmap() - a buffer is not used any more
 * @warm: the device's areas
 * @addr: its IOVA
 *
 * Return: whether it was in one of them.
 */
bool viommu_warm_unmap(struct viommu_warm *warm, dma_addr_t addr)
{
	struct viommu_area *area = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(warm->sizes) && !area; i++)
		area = xa_load(&warm->sizes[i].by_iova, addr >> warm->sizes[i].shift);
	if (!area)
		return false;
	WRITE_ONCE(area->used, jiffies);
	refcount_dec(&area->users);
	return true;
}

/* Take those out of the tables that nobody uses, or all. */
static void viommu_warm_collect(struct viommu_warm *warm, struct list_head *unused, bool all)
{
	struct viommu_area *area, *next;
	unsigned long flags, stay;

	spin_lock_irqsave(&warm->lock, flags);
	stay = viommu_warm_shorten(warm);
	list_for_each_entry_safe(area, next, &warm->all, node) {
		if (!all && time_before(jiffies, READ_ONCE(area->used) + stay))
			continue;
		if (!refcount_dec_if_one(&area->users) && !all)
			continue;
		xa_erase(&area->areas->by_phys[area->dir], area->phys >> area->areas->shift);
		xa_erase(&area->areas->by_iova, area->iova >> area->areas->shift);
		list_move_tail(&area->node, unused);
		viommu_warm_remember(warm, area);
	}
	spin_unlock_irqrestore(&warm->lock, flags);
}

static void viommu_warm_reap(struct viommu_warm *warm, bool all)
{
	struct viommu_area *area, *next;
	unsigned int nr = 0;
	LIST_HEAD(unused);

	viommu_warm_collect(warm, &unused, all);
	if (list_empty(&unused))
		return;
	list_for_each_entry(area, &unused, node)
		viommu_space_remove(warm->space, area->iova, viommu_area_size(area));
	viommu_domain_drain(warm->space->domain);
	list_for_each_entry_safe(area, next, &unused, node) {
		viommu_space_give(warm->space, area->iova, viommu_area_size(area));
		kfree_rcu(area, rcu);
		nr++;
	}
	viommu_warm_unreserve(warm, nr);
}

static void viommu_warm_reaper(struct work_struct *work)
{
	struct viommu_warm *warm = container_of(to_delayed_work(work), struct viommu_warm,
						reaper);

	viommu_warm_reap(warm, false);
	if (READ_ONCE(warm->nr))
		schedule_delayed_work(&warm->reaper, viommu_warm_jiffies());
}

/**
 * viommu_warm_alloc() - begin with a device
 * @dev: the device
 * @space: its IOVAs
 *
 * Context: May sleep.
 * Return: its areas, of which there are none yet, or NULL.
 */
struct viommu_warm *viommu_warm_alloc(struct device *dev, struct viommu_space *space)
{
	struct viommu_warm *warm = kzalloc_obj(*warm, GFP_KERNEL);
	unsigned int kib = clamp_t(unsigned int, reuse_kib, PAGE_SIZE >> 10, 1U << 20);
	unsigned int i, dir;

	if (!warm)
		return NULL;
	warm->dev = dev;
	warm->space = space;
	warm->sizes[0].shift = ilog2(kib) + 10;
	warm->sizes[1].shift = clamp_t(unsigned int, VIOMMU_AREA_SMALL_SHIFT, PAGE_SHIFT,
				       warm->sizes[0].shift);
	warm->sizes[2].shift = PAGE_SHIFT;
	spin_lock_init(&warm->lock);
	INIT_LIST_HEAD(&warm->all);
	for (i = 0; i < ARRAY_SIZE(warm->sizes); i++) {
		for (dir = 0; dir < VIOMMU_DIRECTIONS; dir++)
			xa_init_flags(&warm->sizes[i].by_phys[dir], XA_FLAGS_LOCK_IRQ);
		xa_init_flags(&warm->sizes[i].by_iova, XA_FLAGS_LOCK_IRQ);
	}
	INIT_DELAYED_WORK(&warm->reaper, viommu_warm_reaper);
	return warm;
}

/**
 * viommu_warm_free() - end with a device
 * @warm: its areas; it does no DMA any more
 *
 * Context: May sleep.
 * Return: how many buffers its driver has forgotten to unmap.
 */
unsigned int viommu_warm_free(struct viommu_warm *warm)
{
	unsigned int i, dir, forgotten = 0;
	struct viommu_area *area;

	cancel_delayed_work_sync(&warm->reaper);
	list_for_each_entry(area, &warm->all, node)
		forgotten += refcount_read(&area->users) - 1;
	viommu_warm_reap(warm, true);
	for (i = 0; i < ARRAY_SIZE(warm->sizes); i++) {
		for (dir = 0; dir < VIOMMU_DIRECTIONS; dir++)
			xa_destroy(&warm->sizes[i].by_phys[dir]);
		xa_destroy(&warm->sizes[i].by_iova);
	}
	kfree(warm);
	return forgotten;
}
