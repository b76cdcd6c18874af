// SPDX-License-Identifier: GPL-2.0
/*
 * Which of the kernel's structures suits a domain's live mappings?
 *
 * Every map and unmap goes through the store under the domain's lock, so what an
 * operation costs, how that grows with the mappings and whether it allocates decide
 * how the driver scales. Each candidate is first tried against an array, then
 * measured with 100, 10,000 and 1,000,000 live mappings.
 *
 * To be run as "run" does it: with QEMU's -icount shift=0 and one processor the TSC
 * counts guest instructions. Those repeat on any host, but a cache miss or a branch
 * predicted wrong costs nothing, and both are what a lookup in a big binary tree is
 * made of: figures say how much work is done, not how long it takes.
 *
 * IOVAs are as the DMA API's allocator gives them, downwards from the top of a window,
 * dense but for one in nine, in any order. That is kind to the arrays by page number,
 * so a page alone and a mapping of 2 MiB are measured as well.
 *
 * Prints "store-bench: STORE LIVE OPERATION VALUE UNIT" for each figure.
 */
#define pr_fmt(fmt) "store-bench: " fmt

#include <linux/interval_tree.h>
#include <linux/maple_tree.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timex.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>
#include <linux/xarray.h>
#include <trace/events/kmem.h>

#define WINDOW_PAGES	BIT(33 - PAGE_SHIFT)	/* IOVAs lie below 8 GiB */
#define MODEL_PAGES	1024
#define CHUNK		64			/* operations without interrupts */
#define PHYS_OFFSET	BIT_ULL(40)		/* phys is IOVA plus this */
#define NOWHERE		U64_MAX
#define MOST_LIVE	1000000

/* What every candidate keeps of a mapping. The range may be the structure's. */
struct mapping {
	u64 phys;
	int status;
	u16 flags;
	bool replayed;
	bool spare;
};

/**
 * struct store - a candidate; its one instance is empty between measurements
 * @name: in the output
 * @note: what no figure tells
 * @size: bytes of a mapping's object, which begins with the struct mapping
 * @insert: add a mapping of [@first, @last]: 0, -EEXIST or -ENOMEM
 * @lookup: what @iova translates to, or NOWHERE
 * @take: take the lowest mapping that overlaps [*@first, *@last] out, which then
 *	are that mapping's, and return it or NULL
 * @reset: forget what an empty store remembers, may be NULL
 */
struct store {
	const char *name;
	const char *note;
	size_t size;
	int (*insert)(struct mapping *mapping, u64 first, u64 last);
	u64 (*lookup)(u64 iova);
	struct mapping *(*take)(u64 *first, u64 *last);
	void (*reset)(void);
};

static u64 translate(const struct mapping *mapping, u64 offset)
{
	return mapping->status < 0 ? NOWHERE : mapping->phys + offset;
}

/* Interval tree. */

struct it_mapping {
	struct mapping mapping;
	struct interval_tree_node node;
};

static struct rb_root_cached it_tree = RB_ROOT_CACHED;

static struct it_mapping *it_first(u64 first, u64 last)
{
	struct interval_tree_node *node = interval_tree_iter_first(&it_tree, first, last);

	return node ? container_of(node, struct it_mapping, node) : NULL;
}

static int it_insert(struct mapping *mapping, u64 first, u64 last)
{
	struct it_mapping *new = container_of(mapping, struct it_mapping, mapping);

	if (it_first(first, last))
		return -EEXIST;
	new->node.start = first;
	new->node.last = last;
	interval_tree_insert(&new->node, &it_tree);
	return 0;
}

static u64 it_lookup(u64 iova)
{
	struct it_mapping *found = it_first(iova, iova);

	return found ? translate(&found->mapping, iova - found->node.start) : NOWHERE;
}

static struct mapping *it_take(u64 *first, u64 *last)
{
	struct it_mapping *found = it_first(*first, *last);

	if (!found)
		return NULL;
	interval_tree_remove(&found->node, &it_tree);
	*first = found->node.start;
	*last = found->node.last;
	return &found->mapping;
}

/* Red-black tree by the first IOVA; by the last is the same, without overlaps. */

struct rb_mapping {
	struct mapping mapping;
	struct rb_node node;
	u64 first;
	u64 last;
};

static struct rb_root rb_tree = RB_ROOT;

static struct rb_mapping *rb_first_in(u64 first, u64 last)
{
	struct rb_node *node = rb_tree.rb_node;
	struct rb_mapping *above = NULL;

	while (node) {
		struct rb_mapping *this = rb_entry(node, struct rb_mapping, node);

		if (first > this->last) {
			node = node->rb_right;
		} else if (first < this->first) {
			above = this;
			node = node->rb_left;
		} else {
			return this;
		}
	}
	return above && above->first <= last ? above : NULL;
}

static int rb_insert(struct mapping *mapping, u64 first, u64 last)
{
	struct rb_mapping *new = container_of(mapping, struct rb_mapping, mapping);
	struct rb_node **link = &rb_tree.rb_node, *parent = NULL;

	while (*link) {
		struct rb_mapping *this = rb_entry(*link, struct rb_mapping, node);

		parent = *link;
		if (first > this->last)
			link = &parent->rb_right;
		else if (last < this->first)
			link = &parent->rb_left;
		else
			return -EEXIST;
	}
	new->first = first;
	new->last = last;
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &rb_tree);
	return 0;
}

static u64 rb_lookup(u64 iova)
{
	struct rb_mapping *found = rb_first_in(iova, iova);

	return found ? translate(&found->mapping, iova - found->first) : NOWHERE;
}

static struct mapping *rb_take(u64 *first, u64 *last)
{
	struct rb_mapping *found = rb_first_in(*first, *last);

	if (!found)
		return NULL;
	rb_erase(&found->node, &rb_tree);
	*first = found->first;
	*last = found->last;
	return &found->mapping;
}

/*
 * Maple tree, which keeps the ranges. Not mtree_erase() nor mas_erase(), which may
 * sleep: a removal allocates, and where that fails the mapping cannot be removed.
 */

static struct maple_tree mt_tree = MTREE_INIT(mt_tree, MT_FLAGS_LOCK_EXTERN);

static int mt_insert(struct mapping *mapping, u64 first, u64 last)
{
	MA_STATE(mas, &mt_tree, first, first);

	/* Where there is nothing, this finds how much of it there is. */
	if (mas_walk(&mas) || mas.last < last)
		return -EEXIST;
	__mas_set_range(&mas, first, last);
	return mas_store_gfp(&mas, mapping, GFP_ATOMIC);
}

static u64 mt_lookup(u64 iova)
{
	MA_STATE(mas, &mt_tree, iova, iova);
	struct mapping *found = mas_walk(&mas);

	return found ? translate(found, iova - mas.index) : NOWHERE;
}

static struct mapping *mt_take(u64 *first, u64 *last)
{
	MA_STATE(mas, &mt_tree, *first, *first);
	struct mapping *found = mas_find(&mas, *last);

	if (!found)
		return NULL;
	*first = mas.index;
	*last = mas.last;
	return mas_store_gfp(&mas, NULL, GFP_ATOMIC) ? NULL : found;
}

static void mt_reset(void)
{
	__mt_destroy(&mt_tree);
}

/*
 * XArray with an entry at a mapping's first page. Whether a page without one lies in
 * a mapping only a scan backwards tells, as far as the longest mapping reaches.
 */

struct xf_mapping {
	struct mapping mapping;
	u64 last;
};

static DEFINE_XARRAY(xf_array);
static unsigned long xf_longest = 1;

static struct xf_mapping *xf_at(u64 iova, unsigned long *index)
{
	XA_STATE(xas, &xf_array, iova >> PAGE_SHIFT);
	struct xf_mapping *found;
	unsigned long steps;

	rcu_read_lock();
	found = xas_load(&xas);
	steps = min(xf_longest - 1, xas.xa_index);
	while (!found && steps--)
		found = xas_prev(&xas);
	rcu_read_unlock();
	*index = xas.xa_index;
	return found && found->last >= iova ? found : NULL;
}

static int xf_insert(struct mapping *mapping, u64 first, u64 last)
{
	struct xf_mapping *new = container_of(mapping, struct xf_mapping, mapping);
	unsigned long index = first >> PAGE_SHIFT, other;
	int ret;

	/* What xa_insert() does not see: mappings that begin below or above. */
	if (xf_longest > 1 && xf_at(first, &other))
		return -EEXIST;
	other = index + 1;
	if (last - first >= PAGE_SIZE &&
	    xa_find(&xf_array, &other, last >> PAGE_SHIFT, XA_PRESENT))
		return -EEXIST;
	xf_longest = max(xf_longest, (last - first + 1) >> PAGE_SHIFT);
	new->last = last;
	ret = xa_insert(&xf_array, index, new, GFP_ATOMIC);
	return ret == -EBUSY ? -EEXIST : ret;
}

static u64 xf_lookup(u64 iova)
{
	unsigned long index;
	struct xf_mapping *found = xf_at(iova, &index);

	return found ? translate(&found->mapping, iova - ((u64)index << PAGE_SHIFT)) : NOWHERE;
}

static struct mapping *xf_take(u64 *first, u64 *last)
{
	unsigned long index;
	struct xf_mapping *found = xf_at(*first, &index);

	if (!found) {
		index = *first >> PAGE_SHIFT;
		found = xa_find(&xf_array, &index, *last >> PAGE_SHIFT, XA_PRESENT);
	}
	if (!found)
		return NULL;
	xa_erase(&xf_array, index);
	*first = (u64)index << PAGE_SHIFT;
	*last = found->last;
	return &found->mapping;
}

static void xf_reset(void)
{
	xf_longest = 1;
}

/* XArray with an entry at each page, or at 64, 4096... where they are aligned. */

struct xp_mapping {
	struct mapping mapping;
	u64 first;
	u64 last;
};

static DEFINE_XARRAY(xp_array);

static int xp_store(u64 first, u64 last, struct xp_mapping *entry)
{
	return xa_err(xa_store_range(&xp_array, first >> PAGE_SHIFT, last >> PAGE_SHIFT, entry,
				     GFP_ATOMIC));
}

static int xp_insert(struct mapping *mapping, u64 first, u64 last)
{
	struct xp_mapping *new = container_of(mapping, struct xp_mapping, mapping);
	unsigned long index = first >> PAGE_SHIFT;
	int ret;

	new->first = first;
	new->last = last;
	if (index == last >> PAGE_SHIFT) {
		ret = xa_insert(&xp_array, index, new, GFP_ATOMIC);
		return ret == -EBUSY ? -EEXIST : ret;
	}
	if (xa_find(&xp_array, &index, last >> PAGE_SHIFT, XA_PRESENT))
		return -EEXIST;
	ret = xp_store(first, last, new);
	if (ret)
		xp_store(first, last, NULL);
	return ret;
}

static u64 xp_lookup(u64 iova)
{
	struct xp_mapping *found = xa_load(&xp_array, iova >> PAGE_SHIFT);

	return found ? translate(&found->mapping, iova - found->first) : NOWHERE;
}

static struct mapping *xp_take(u64 *first, u64 *last)
{
	unsigned long index = *first >> PAGE_SHIFT;
	struct xp_mapping *found;

	found = xa_find(&xp_array, &index, *last >> PAGE_SHIFT, XA_PRESENT);
	if (!found)
		return NULL;
	*first = found->first;
	*last = found->last;
	if (found->last - found->first < PAGE_SIZE)
		xa_erase(&xp_array, index);
	else
		xp_store(found->first, found->last, NULL);
	return &found->mapping;
}

static const struct store stores[] = {
	{
		.name = "interval-tree",
		.note = "finds overlaps among its own mappings, of which a domain has none",
		.size = sizeof(struct it_mapping),
		.insert = it_insert,
		.lookup = it_lookup,
		.take = it_take,
	},
	{
		.name = "rbtree",
		.note = "a level, and with many mappings a cache miss, for each doubling",
		.size = sizeof(struct rb_mapping),
		.insert = rb_insert,
		.lookup = rb_lookup,
		.take = rb_take,
	},
	{
		.name = "maple-tree",
		.note = "a removal may allocate, and fail",
		.size = sizeof(struct mapping),
		.insert = mt_insert,
		.lookup = mt_lookup,
		.take = mt_take,
		.reset = mt_reset,
	},
	{
		.name = "xarray-first",
		.note = "within a mapping a scan backwards, as far as the longest mapping reaches",
		.size = sizeof(struct xf_mapping),
		.insert = xf_insert,
		.lookup = xf_lookup,
		.take = xf_take,
		.reset = xf_reset,
	},
	{
		.name = "xarray-pages",
		.note = "576 bytes or more for a page that is alone, as xarray-first",
		.size = sizeof(struct xp_mapping),
		.insert = xp_insert,
		.lookup = xp_lookup,
		.take = xp_take,
	},
};

/* What follows tries and measures a store. */

static struct kmem_cache *cache;
static struct rnd_state rnd_state;
static DEFINE_SPINLOCK(lock);	/* in the place of the domain's */

/* Pages, counted from the window's top: the first @live are in the store. */
static u32 *pages;
static u32 live, span;

/* What measuring itself takes, and choosing what to measure. */
static u64 nothing_cycles, pick_cycles;

/* Whether a slab object was allocated, while tracing. */
static bool allocated;

/* Of an operation: instructions, and how many times it allocated while tracing. */
struct figure {
	u64 sum;
	u64 max;
	u32 count;
	u32 allocating;
};

enum { INSERT, LOOKUP, REMOVE, NR_OPERATIONS };

static void figure_add(struct figure *figure, u64 cycles)
{
	cycles -= min(cycles, nothing_cycles);
	figure->sum += cycles;
	figure->max = max(figure->max, cycles);
	figure->count++;
	figure->allocating += allocated;
	allocated = false;
}

static u32 rnd(u32 below)
{
	return (u64)prandom_u32_state(&rnd_state) * below >> 32;
}

static u64 iova_of(u32 page)
{
	return (u64)(WINDOW_PAGES - 1 - page) << PAGE_SHIFT;
}

static struct mapping *mapping_alloc(u64 iova)
{
	struct mapping *mapping = kmem_cache_alloc(cache, GFP_ATOMIC);

	if (!mapping)
		return NULL;
	mapping->phys = iova + PHYS_OFFSET;
	mapping->status = 0;
	mapping->flags = 3;
	mapping->replayed = false;
	mapping->spare = false;
	return mapping;
}

/* Try a store against an array: the mapping that each of some pages belongs to. */

static struct mapping *model[MODEL_PAGES];

static u64 model_iova(u32 page)
{
	return iova_of(MODEL_PAGES - 1 - page);
}

/* The lowest mapping that overlaps pages *@lo to *@hi, which then are its own. */
static struct mapping *model_first(u32 *lo, u32 *hi)
{
	u32 first = *lo, last;

	while (first <= *hi && !model[first])
		first++;
	if (first > *hi)
		return NULL;
	last = first;
	while (first && model[first - 1] == model[first])
		first--;
	while (last < MODEL_PAGES - 1 && model[last + 1] == model[last])
		last++;
	*lo = first;
	*hi = last;
	return model[first];
}

static bool try_insert(const struct store *store, u32 lo, u32 hi)
{
	struct mapping *mapping = mapping_alloc(model_iova(lo));
	u32 first = lo, last = hi;
	int ret;

	if (!mapping)
		return false;
	ret = store->insert(mapping, model_iova(lo), model_iova(hi) + PAGE_SIZE - 1);
	if (model_first(&first, &last)) {
		kmem_cache_free(cache, mapping);
		return ret == -EEXIST;
	}
	for (; lo <= hi; lo++)
		model[lo] = mapping;
	return !ret;
}

static bool try_lookup(const struct store *store, u32 page)
{
	u64 iova = model_iova(page) + rnd(PAGE_SIZE);

	return store->lookup(iova) == (model[page] ? iova + PHYS_OFFSET : NOWHERE);
}

static bool try_take(const struct store *store, u32 lo, u32 hi)
{
	u64 first = model_iova(lo), last = model_iova(hi) + PAGE_SIZE - 1;
	struct mapping *mapping = model_first(&lo, &hi);

	if (store->take(&first, &last) != mapping)
		return false;
	if (!mapping)
		return true;
	kmem_cache_free(cache, mapping);
	for (u32 page = lo; page <= hi; page++)
		model[page] = NULL;
	return first == model_iova(lo) && last == model_iova(hi) + PAGE_SIZE - 1;
}

static bool try_any(const struct store *store)
{
	u32 lo = rnd(MODEL_PAGES);
	u32 hi = min(lo + rnd(rnd(8) ? 4 : 200), MODEL_PAGES - 1);

	switch (rnd(4)) {
	case 0:
		return try_take(store, lo, hi);
	case 1:
		return try_lookup(store, lo);
	default:
		return try_insert(store, lo, hi);
	}
}

static bool model_empty(void)
{
	return !memchr_inv(model, 0, sizeof(model));
}

static int verify(const struct store *store)
{
	unsigned long flags;
	bool right = true;

	for (int i = 0; right && i < 50000; i++) {
		spin_lock_irqsave(&lock, flags);
		right = try_any(store);
		spin_unlock_irqrestore(&lock, flags);
		cond_resched();
	}
	while (right && !model_empty())
		right = try_take(store, 0, MODEL_PAGES - 1);
	if (!right) {
		pr_err("%s failed: it does not do what an array does\n", store->name);
		return -EINVAL;
	}
	pr_info("%s verified\n", store->name);
	return 0;
}

static void print(const struct store *store, const char *operation, const char *suffix, u64 value,
		  const char *unit)
{
	pr_info("%s %u %s%s %llu %s\n", store->name, live, operation, suffix, value, unit);
}

static int insert_page(const struct store *store, u64 iova)
{
	struct mapping *mapping = mapping_alloc(iova);
	unsigned long flags;
	int ret;

	if (!mapping)
		return -ENOMEM;
	spin_lock_irqsave(&lock, flags);
	ret = store->insert(mapping, iova, iova + PAGE_SIZE - 1);
	spin_unlock_irqrestore(&lock, flags);
	if (ret)
		kmem_cache_free(cache, mapping);
	return ret;
}

static int remove_page(const struct store *store, u64 iova)
{
	u64 first = iova, last = iova + PAGE_SIZE - 1;
	struct mapping *mapping;
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	mapping = store->take(&first, &last);
	spin_unlock_irqrestore(&lock, flags);
	if (!mapping)
		return -ENOENT;
	kmem_cache_free(cache, mapping);
	return 0;
}

static int fill(const struct store *store)
{
	int ret = 0;

	for (u32 i = 0; i < span; i++)
		pages[i] = i;
	for (u32 i = span - 1; i; i--) {
		u32 other = rnd(i + 1);

		swap(pages[i], pages[other]);
	}
	for (u32 i = 0; !ret && i < live; i++) {
		ret = insert_page(store, iova_of(pages[i]));
		cond_resched();
	}
	return ret;
}

static int empty(const struct store *store)
{
	int ret = 0;

	for (u32 i = 0; !ret && i < live; i++) {
		ret = remove_page(store, iova_of(pages[i]));
		cond_resched();
	}
	return ret;
}

/* A page to insert and one to remove, which trade places in pages[]. */
static noinline void pick(u64 *in, u64 *out)
{
	u32 i = live + rnd(span - live), o = rnd(live);

	*in = iova_of(pages[i]);
	*out = iova_of(pages[o]);
	swap(pages[i], pages[o]);
}

/* Insert @size bytes at @in, look @at up, remove what is at @out. */
static int measure(const struct store *store, struct figure *figures, u64 in, u64 at, u64 out,
		   u64 size)
{
	struct mapping *new = mapping_alloc(in), *old;
	u64 first = out, last = out + size - 1;
	u64 begin, phys;
	int ret;

	if (!new)
		return -ENOMEM;
	allocated = false;
	begin = get_cycles();
	ret = store->insert(new, in, in + size - 1);
	figure_add(&figures[INSERT], get_cycles() - begin);
	if (ret) {
		kmem_cache_free(cache, new);
		return ret;
	}

	begin = get_cycles();
	phys = store->lookup(at);
	figure_add(&figures[LOOKUP], get_cycles() - begin);

	begin = get_cycles();
	old = store->take(&first, &last);
	figure_add(&figures[REMOVE], get_cycles() - begin);
	if (!old)
		return -ENOENT;
	kmem_cache_free(cache, old);
	return phys == at + PHYS_OFFSET ? 0 : -EINVAL;
}

/**
 * struct workload - what is inserted, looked up and removed
 * @suffix: of the operations' names
 * @iova: always the same, or 0 for pages at random
 * @size: bytes of a mapping
 * @count: of each operation, a multiple of CHUNK
 */
struct workload {
	const char *suffix;
	u64 iova;
	u64 size;
	int count;
};

static int measure_many(const struct store *store, const struct workload *work,
			struct figure *figures)
{
	unsigned long flags;
	u64 in, at, out;
	int ret = 0;

	for (int left = work->count; !ret && left > 0; left -= CHUNK) {
		local_irq_save(flags);
		for (int i = 0; !ret && i < CHUNK; i++) {
			if (work->iova) {
				in = work->iova;
				out = in;
				at = in + rnd(work->size);
			} else {
				at = iova_of(pages[rnd(live)]);
				pick(&in, &out);
			}
			ret = measure(store, figures, in, at, out, work->size);
		}
		local_irq_restore(flags);
		cond_resched();
	}
	return ret;
}

/*
 * Map and unmap a page, all included: the object, the lock, the interrupts, and what
 * RCU frees later.
 */
static int measure_pair(const struct store *store, u64 *cycles)
{
	const int count = 100000;
	u64 in, out, begin = get_cycles();
	int ret = 0;

	for (int i = 0; !ret && i < count; i++) {
		pick(&in, &out);
		ret = insert_page(store, in) ?: remove_page(store, out);
		if (i % CHUNK == 0)
			cond_resched();
	}
	*cycles = div_u64(get_cycles() - begin, count) - pick_cycles;
	return ret;
}

static void see_alloc(void *data, unsigned long site, const void *object, struct kmem_cache *from,
		      gfp_t gfp, int node)
{
	allocated = true;
}

/* The operations one by one; then again, to see which allocate. */
static int measure_operations(const struct store *store, const struct workload *work)
{
	static const char * const names[NR_OPERATIONS] = { "insert", "lookup", "remove" };
	struct figure figures[NR_OPERATIONS] = {}, traced[NR_OPERATIONS] = {};
	int ret;

	ret = measure_many(store, work, figures);
	if (ret)
		return ret;
	ret = register_trace_kmem_cache_alloc(see_alloc, NULL);
	if (ret)
		return ret;
	ret = measure_many(store, work, traced);
	unregister_trace_kmem_cache_alloc(see_alloc, NULL);
	tracepoint_synchronize_unregister();
	for (int i = 0; !ret && i < NR_OPERATIONS; i++) {
		print(store, names[i], work->suffix,
		      DIV_ROUND_CLOSEST_ULL(figures[i].sum, figures[i].count), "instructions");
		print(store, names[i], work->suffix, figures[i].max, "instructions-max");
		print(store, names[i], work->suffix,
		      1000 * traced[i].allocating / traced[i].count, "allocating-per-1000");
	}
	return ret;
}

/* Objects and nodes are all in slabs. Free memory also knows pages kept for reuse. */
static unsigned long slab_bytes(void)
{
	rcu_barrier();
	return (global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
		global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B)) << PAGE_SHIFT;
}

static int bench(const struct store *store, u32 count)
{
	struct workload any = { "", 0, PAGE_SIZE, 1600 * CHUNK };
	/* Nothing else is within 1 GiB. */
	struct workload alone = { "-alone", SZ_1G, PAGE_SIZE, 16 * CHUNK };
	/* Below all others, aligned, as the allocator would place it. */
	struct workload wide = { "-2m", 0, SZ_2M, 16 * CHUNK };
	unsigned long before = slab_bytes();
	u64 pair;
	int ret;

	live = count;
	span = live + live / 8 + 8;
	ret = fill(store) ?: measure_operations(store, &any) ?: measure_pair(store, &pair);
	if (ret)
		return ret;
	print(store, "pair", "", pair, "instructions");
	/* With fewer, what else happens in the guest would show. */
	if (live == MOST_LIVE)
		print(store, "memory", "", DIV_ROUND_CLOSEST(slab_bytes() - before, live),
		      "bytes");

	wide.iova = round_down(iova_of(span) - SZ_2M, SZ_2M);
	return measure_operations(store, &alone) ?: measure_operations(store, &wide) ?:
		empty(store);
}

static int bench_store(const struct store *store)
{
	static const u32 counts[] = { 100, 10000, MOST_LIVE };
	int ret;

	cache = kmem_cache_create(store->name, store->size, 0, 0, NULL);
	if (!cache)
		return -ENOMEM;
	ret = verify(store);
	for (int i = 0; !ret && i < ARRAY_SIZE(counts); i++) {
		if (store->reset)
			store->reset();
		ret = bench(store, counts[i]);
	}
	if (store->reset)
		store->reset();
	pr_info("%s note: %s\n", store->name, store->note);
	if (ret)
		pr_err("%s failed: %pe\n", store->name, ERR_PTR(ret));
	kmem_cache_destroy(cache);
	return ret;
}

static u64 nothing(u64 iova)
{
	return iova;
}

/* What is not the store's: see figure_add() and measure_pair(). */
static void calibrate(void)
{
	const struct store none = { .lookup = nothing };
	const struct store *store = &none;
	unsigned long flags;
	u64 in, out, begin;

	OPTIMIZER_HIDE_VAR(store);
	local_irq_save(flags);
	begin = get_cycles();
	store->lookup(begin);
	nothing_cycles = get_cycles() - begin;

	live = 100;
	span = 120;
	begin = get_cycles();
	for (int i = 0; i < 1000; i++)
		pick(&in, &out);
	pick_cycles = div_u64(get_cycles() - begin, 1000);
	local_irq_restore(flags);
}

/* Whether get_cycles() counts instructions: a loop of two, a million times. */
static int verify_clock(void)
{
	unsigned long flags, count = 1000000;
	u64 cycles, ns;

	local_irq_save(flags);
	ns = ktime_get_ns();
	cycles = get_cycles();
	asm volatile("1: dec %0; jnz 1b" : "+r" (count));
	cycles = get_cycles() - cycles;
	ns = ktime_get_ns() - ns;
	local_irq_restore(flags);
	pr_info("clock: 2000000 instructions are %llu cycles and %llu ns\n", cycles, ns);
	return cycles >= 2000000 && cycles < 2000100 ? 0 : -EINVAL;
}

static int __init store_bench_init(void)
{
	int ret = verify_clock();

	if (ret) {
		pr_err("clock failed: without -icount shift=0 it does not count instructions\n");
		return ret;
	}
	pages = vmalloc_array(MOST_LIVE + MOST_LIVE / 8 + 8, sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	prandom_seed_state(&rnd_state, 1);
	calibrate();
	for (int i = 0; !ret && i < ARRAY_SIZE(stores); i++)
		ret = bench_store(&stores[i]);
	vfree(pages);
	return ret;
}

static void __exit store_bench_exit(void)
{
}

module_init(store_bench_init);
module_exit(store_bench_exit);

MODULE_DESCRIPTION("Measure structures for the store of an IOMMU domain's mappings");
MODULE_LICENSE("GPL");
