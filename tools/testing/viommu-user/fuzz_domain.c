// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of what makes up a domain: paging.c, mapping.c, attach.c, domain.c, reserve.c and
 * ids.c, over request.c. The input is a device and what up to two CPUs do with a few
 * domains and devices, as the core would: eight bytes, then four for each operation.
 *
 * The device does as the specification says (fake_iommu.h), or refuses where the input
 * says so. The reference is an array for each domain, with an element for each of a
 * few units of the address space: what its owner has mapped. Each CPU maps in a part of
 * its own. Whenever no operation is under way, the device must hold what is mapped, and
 * nothing of what was unmapped and synced, unless it refused.
 */
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "domain_model.h"

#define CPUS		2
#define OPERATIONS	48
#define GROUPS		3
#define MASTERS		4
#define PHYS		0x10000000000ULL

struct operation {
	u8 kind; /* the CPU in its upper two bits */
	u8 a;
	u8 b;
	u8 seed;
};

static const u32 endpoint_ids[] = { 1, 2, 3, 4, 5 };

/* Devices; those of one group follow each other. An endpoint may have two of them. */
static const struct {
	const char *name;
	unsigned int group;
	u32 ids[2];
} devices[MASTERS] = {
	{ "a", 0, { 1 } }, { "b", 1, { 2, 3 } }, { "c", 1, { 3, 4 } }, { "d", 2, { 5 } },
};

static struct device master_devices[MASTERS];
static struct viommu_master *masters[MASTERS];
static struct viommu_domain *group_domains[GROUPS]; /* where the core thinks that it is */
static struct mutex core_lock;
static unsigned int nr_cpus, nr_operations;
static const struct operation *operations;

/* Who maps and unmaps */

static void units_set(struct space *space, unsigned int first, unsigned int last,
		      const struct unit *unit)
{
	while (first <= last)
		space->units[first++] = *unit;
}

static bool any_identity(void)
{
	unsigned int i;

	for (i = 0; i < iommu.nr_endpoints; i++)
		if (iommu.endpoints[i].nr_regions && iommu.endpoints[i].regions[0].subtype == 2)
			return *param_identity_regions;
	return false;
}

static bool any_live(const struct space *space, unsigned int first, unsigned int last)
{
	for (; first <= last; first++)
		if (space->units[first].live)
			return true;
	return false;
}

/* The input's failures of memory, which are spent once. */
static unsigned int failures_left(void)
{
	/* Another CPU's come at any time. */
	return nr_cpus > 1 ? failures_wanted : !!slab_control.fail_in + !!fake.add_error;
}

static void sync(struct space *space, unsigned int first, unsigned int last)
{
	bool failing = fake.add_error;

	viommu_domain_sync(&space->domain->domain, NULL);
	if (nr_cpus > 1 ? failures_wanted : failing && !fake.add_error)
		return;
	for (; first <= last && !viommu.queue.dead; first++)
		space->units[first].stale = false;
}

/* As iommu_unmap() does: what a range ends in goes with it, what it starts in refuses. */
static void unmap(struct space *space, unsigned int first, unsigned int nr, bool now)
{
	unsigned int last = first + nr - 1, unit = first, part = UNITS / nr_cpus;
	size_t size;

	while (unit <= last && !space->units[unit].live)
		unit++;
	size = viommu_domain_unmap_pages(&space->domain->domain, unit_start(first), unit_size, nr,
					 NULL);
	if (unit > last || space->units[unit].first < first) {
		MUST(!size || viommu.queue.dead || nr_cpus > 1);
	} else {
		for (; unit <= last; unit++) {
			if (!space->units[unit].live)
				continue;
			last = max_t(unsigned int, last, space->units[unit].last);
			space->units[unit].live = false;
			space->units[unit].stale = true;
		}
		fuzz_trace("  unmapped %zu of %llu\n", size, (last - first + 1) * unit_size);
		MUST(size == (last - first + 1) * unit_size || viommu.queue.dead);
	}
	first -= first % part;
	if (now)
		sync(space, first, first + part - 1);
}

/* Which errors may be: those that have a reason. */
static void check_map(const struct space *space, unsigned int first, unsigned int last, int prot,
		      int ret, bool may_fail)
{
	const struct viommu_limits *limits = &viommu.limits;
	bool in_range = !space->domain->viommu || (unit_start(first) >= limits->input_start &&
						   unit_last(last) <= limits->input_last);

	may_fail |= failures_left();
	switch (ret) {
	case 0:
		MUST(!any_live(space, first, last) && in_range);
		MUST(prot & (IOMMU_READ | IOMMU_WRITE));
		break;
	case -EINVAL:
		MUST(!(prot & (IOMMU_READ | IOMMU_WRITE)));
		break;
	case -ERANGE:
		MUST(!in_range);
		break;
	case -EEXIST:
		MUST(any_live(space, first, last) || space->domain->has_identity);
		break;
	case -EADDRNOTAVAIL:
		MUST(space->domain->regions.nr || nr_cpus > 1);
		break;
	case -EIO:
		MUST(space->domain->nr_lost);
		break;
	case -EBUSY:
		MUST(refusals || failures_wanted || may_fail || viommu.queue.dead);
		break;
	default:
		MUST(ret == -ENOMEM && may_fail);
	}
}

/* Nothing is mapped over what the device has refused to unmap. */
static void check_kept(const struct space *space, unsigned int first, unsigned int last)
{
	const struct viommu_domain *domain = space->domain;
	unsigned int i;

	if (nr_cpus > 1 || !domain->nr_endpoints || domain->stuck || failures_wanted)
		return;
	for (i = 0; i < iommu.nr_mappings; i++)
		MUST(iommu.mappings[i].domain != domain->id || iommu.mappings[i].lost ||
		     !fake_overlaps(iommu.mappings[i].start, iommu.mappings[i].last,
				    unit_start(first), unit_last(last)));
}

static int map_piece(struct space *space, unsigned int first, unsigned int nr, int prot, u8 b)
{
	struct unit unit = { .live = true, .first = first, .last = first + nr - 1 };
	bool may_fail = failures_left();
	size_t mapped = 0;
	int ret;

	unit.phys = PHYS + (b + first) * unit_size;
	unit.flags = !!(prot & IOMMU_READ) * VIRTIO_IOMMU_MAP_F_READ |
		     !!(prot & IOMMU_WRITE) * VIRTIO_IOMMU_MAP_F_WRITE |
		     !!(prot & IOMMU_MMIO) * VIRTIO_IOMMU_MAP_F_MMIO;
	ret = viommu_domain_map_pages(&space->domain->domain, unit_start(first), unit.phys,
				      unit_size, nr, prot, GFP_ATOMIC, &mapped);
	fuzz_trace("  map %u to %u: %d\n", first, unit.last, ret);
	check_map(space, first, unit.last, prot, ret, may_fail);
	MUST(mapped == (ret ? 0 : nr * unit_size));
	if (!ret) {
		check_kept(space, first, unit.last);
		units_set(space, first, unit.last, &unit);
	}
	return ret;
}

/*
 * What a failed sync has taken out again is not there any more. One that a replay could not
 * have mapped has no translation until the replay has looked after it, and is there.
 */
static void collect(struct space *space, unsigned int first, unsigned int nr)
{
	const struct viommu_mapping *mapping;
	u64 start;

	guard(spinlock_irqsave)(&space->domain->lock);
	for (; nr--; first++) {
		start = unit_start(first);
		mapping = viommu_store_first(&space->domain->store, start, start);
		space->units[first].live &= mapping && !mapping->stale &&
			mapping->phys + (start - mapping->start) == unit_phys(space, first);
	}
}

/* Nobody would, but he may: those that a replay could not have mapped are tried again. */
static void sync_again(struct space *space, unsigned int first, unsigned int nr)
{
	bool any_refused = refusals || nr_cpus > 1 || failures_wanted;

	if (viommu_domain_sync_map(&space->domain->domain, unit_start(first), nr * unit_size)) {
		MUST(any_refused || refusals || viommu.queue.dead);
		collect(space, first, nr);
	}
}

/* As iommu_map_sg() does: some runs, a sync for all, and all is undone where that fails. */
static void map(unsigned int cpu, struct space *space, const struct operation *operation)
{
	unsigned int part = UNITS / nr_cpus, first = operation->b % part, unit;
	unsigned int nr = 1 + operation->b / part % 8, piece = 1 + operation->a / 64;
	int prot = (operation->a >> 2 & 3) | (operation->a & 0x10), ret = 0;
	unsigned int before = refusals, failing = failures_left(), size;

	if (operation->a & 0x20)
		prot |= IOMMU_READ | IOMMU_WRITE;
	nr = min(nr, part - first);
	first += cpu * part;
	for (unit = first; unit < first + nr; unit += size) {
		size = min(piece, first + nr - unit);
		ret = map_piece(space, unit, size, prot, operation->seed);
		if (ret)
			break;
	}
	if (unit == first)
		return;
	if (!ret) {
		ret = viommu_domain_sync_map(&space->domain->domain, unit_start(first),
					     nr * unit_size);
		fuzz_trace("  sync: %d\n", ret);
		MUST(!ret || refusals != before || failing || viommu.queue.dead || nr_cpus > 1);
		if (!ret)
			return;
		collect(space, first, nr);
	}
	nr = unit - first;
	unmap(space, first, nr, true);
	MUST(!any_live(space, first, first + nr - 1));
}

/* What the core does with domains and devices, with a lock of its own held */

static struct viommu_domain *domain_by(u8 number)
{
	return number % (SPACES + 1) < SPACES ? spaces[number % (SPACES + 1)].domain :
						&viommu.blocking;
}

/* Of a device that is in a domain, with one of its endpoints at least, or is about to be. */
static bool is_reserved(const struct viommu_domain *domain, const struct viommu_master *newcomer,
			unsigned int unit)
{
	unsigned int i, j;
	bool there;

	for (i = 0; i < MASTERS; i++) {
		there = masters[i] && masters[i] == newcomer;
		for (j = 0; masters[i] && j < masters[i]->nr_endpoints; j++)
			there |= masters[i]->endpoints[j]->domain == domain;
		if (there && viommu_regions_first(&masters[i]->regions, unit_start(unit),
						  unit_last(unit)))
			return true;
	}
	return false;
}

/* Whether something that is mapped may be in the way of a device. */
static bool may_conflict(const struct viommu_domain *domain, const struct viommu_master *master)
{
	const struct viommu_limits *limits = &viommu.limits;
	const struct space *space = spaces;
	unsigned int i;

	/* Whom an identity region is open to, and what a domain of such has, regions.c knows. */
	if (any_identity() || domain->domain.type == IOMMU_DOMAIN_IDENTITY)
		return true;
	while (space < spaces + SPACES - 1 && space->domain != domain)
		space++;
	for (i = 0; i < UNITS; i++)
		if (space->units[i].live &&
		    (unit_start(i) < limits->input_start || unit_last(i) > limits->input_last ||
		     is_reserved(domain, master, i)))
			return true;
	for (i = 0; i < iommu.nr_mappings; i++)
		if (iommu.mappings[i].domain == domain->id && iommu.mappings[i].kept)
			return true;
	return false;
}

/* A device that shares an endpoint comes with it. */
static bool any_may_conflict(const struct viommu_domain *domain)
{
	unsigned int i;

	for (i = 0; i < MASTERS; i++)
		if (masters[i] && may_conflict(domain, masters[i]))
			return true;
	return false;
}

static int attach_master(struct viommu_domain *domain, struct viommu_master *master)
{
	unsigned int i, before = refusals, failing = failures_left();
	struct viommu_domain *domains[2] = {};
	int ret;

	for (i = 0; i < master->nr_endpoints; i++)
		domains[i] = master->endpoints[i]->domain;
	ret = viommu_domain_attach(domain, master);
	fuzz_trace("  attach of %s to %u (type %u): %d, lost %u\n", master->dev->name, domain->id,
		   domain->domain.type, ret, domain->nr_lost);
	failing = nr_cpus > 1 ? failures_wanted : failing != failures_left();
	for (i = 0; i < master->nr_endpoints; i++) {
		if (!ret && master->endpoints[i]->lost == domain)
			MUST(!master->endpoints[i]->domain &&
			     domain->domain.type != IOMMU_DOMAIN_UNMANAGED);
		else if (!ret)
			MUST(master->endpoints[i]->domain == domain);
		else if (refusals <= before + 1 && !failing && !viommu.queue.dead)
			MUST(master->endpoints[i]->domain == domains[i]);
	}
	if (!ret && refusals == before && !failing && !viommu.queue.dead && nr_cpus == 1)
		MUST(!master->nr_endpoints || master->endpoints[0]->lost != domain ||
		     any_may_conflict(domain) || !domain->owns_id);
	if (!ret || refusals != before || failing || viommu.queue.dead || nr_cpus > 1)
		return ret;
	if (ret == -ENODEV)
		MUST(domain == &viommu.blocking && !domain->owns_id && viommu.bypass_open);
	else if (ret == -ENOSPC)
		MUST(!domain->viommu && !viommu_domains_left(&viommu));
	else
		MUST(ret == -EINVAL && may_conflict(domain, master));
	return ret;
}

/* All of its devices, or, as far as they may go back, none. */
static int attach_group(unsigned int group, struct viommu_domain *domain)
{
	unsigned int i, done;
	int ret = 0;

	for (i = 0; i < MASTERS && !ret; i++)
		if (masters[i] && devices[i].group == group)
			ret = attach_master(domain, masters[i]);
	if (!ret) {
		group_domains[group] = domain;
		return 0;
	}
	for (done = 0; done + 1 < i; done++)
		if (masters[done] && devices[done].group == group &&
		    (!group_domains[group] ||
		     attach_master(group_domains[group], masters[done])))
			attach_master(&viommu.blocking, masters[done]);
	return ret;
}

static void domain_alloc(struct space *space, u8 a)
{
	static const unsigned int types[] = { IOMMU_DOMAIN_UNMANAGED, IOMMU_DOMAIN_DMA,
					      IOMMU_DOMAIN_IDENTITY };
	unsigned int type = types[a / SPACES % 3], failing = failures_left();
	struct viommu_master *master = masters[a / 16 % MASTERS];
	struct iommu_domain *domain;

	if (space->domain)
		return;
	memset(space->units, 0, sizeof(space->units));
	if (!master || a & 0x80) {
		space->domain = viommu_domain_alloc(type);
		MUST(space->domain || failing || failures_left());
		return;
	}
	domain = viommu_domain_alloc_for(master, type);
	failing |= failures_left();
	if (!IS_ERR(domain))
		space->domain = to_viommu_domain(domain);
	else if (PTR_ERR(domain) == -ENOSPC)
		MUST(!viommu_domains_left(&viommu) || failing);
	else
		MUST(PTR_ERR(domain) == -ENOMEM && failing);
}

static void domain_free(struct space *space)
{
	struct viommu_domain *domain = space->domain;
	unsigned int i;

	if (!domain || space->users)
		return;
	space->going = true;
	for (i = 0; i < GROUPS; i++)
		if (group_domains[i] == domain && attach_group(i, &viommu.blocking))
			group_domains[i] = NULL;
	space->domain = NULL;
	space->going = false;
	viommu_domain_free(&domain->domain);
}

static void unplug(unsigned int index)
{
	struct viommu_master *master = masters[index];

	masters[index] = NULL;
	core_unplug(master);
}

/* A device comes, into its group's domain, or goes. */
static void plug(unsigned int index)
{
	unsigned int i, group = devices[index].group;

	if (!masters[index]) {
		masters[index] = core_plug(&master_devices[index], devices[index].ids);
		if (!masters[index]->nr_endpoints)
			unplug(index);
		else if (group_domains[group])
			attach_master(group_domains[group], masters[index]);
		return;
	}
	unplug(index);
	for (i = 0; i < MASTERS; i++)
		if (masters[i] && devices[i].group == group)
			return;
	group_domains[group] = NULL;
}

/* What the input wants of the device */

static void device_refuses(const struct operation *operation)
{
	static const u8 statuses[] = { 1, 2, 3, 4, 5, 6, 7, 8, 0xff };

	refuse.every = operation->a % 8;
	refuse.type = operation->a / 8 % 6;
	refuse.status = statuses[operation->b % ARRAY_SIZE(statuses)];
	refuse.detaches = operation->a & 0x40;
	refuse.unwritten = operation->a & 0x80;
	if (refuse.unwritten)
		refuse.status = VIRTIO_IOMMU_S_DEVERR;
	refuse.count = operation->seed;
}

static void device_works(const struct operation *operation)
{
	static const unsigned int numbers[] = { 0, 1, 2, FAKE_ALL };

	fake.at_once = numbers[operation->a % 4];
	fake.per_poll = numbers[1 + operation->a / 4 % 3];
	fake.delay = operation->a / 32;
	fake.greedy = operation->b & 1;
	fake.wants_no_kick = operation->b & 2;
}

static void device_fails(const struct operation *operation)
{
	failures_wanted++;
	if (operation->b < 0x60) {
		slab_control.fail_in = 1 + operation->a % 4;
	} else if (operation->b < 0xf0) {
		fake.add_error = -ENOMEM;
	} else if (operation->b < 0xf4) {
		fake.at_once = 0;
		fake.per_poll = 0;
	} else if (operation->b < 0xf8) {
		fake.broken = true;
	}
}

/* Nobody unmaps what he did not map, at least while identity mappings come and go. */
static bool may_unmap(const struct space *space, unsigned int first, unsigned int nr)
{
	bool all_live = true;

	for (; nr--; first++)
		all_live &= space->units[first].live;
	return all_live || nr_cpus == 1 || !any_identity();
}

static void use_space(unsigned int cpu, const struct operation *operation)
{
	struct space *space = &spaces[operation->a % SPACES];
	unsigned int part = UNITS / nr_cpus, first = operation->b % part;
	unsigned int nr = min(1 + operation->b / part, part - first);

	/* The core knows nobody who maps while a domain's first device is attached. */
	if (!is_paging(space) || space->going || (nr_cpus > 1 && !space->domain->viommu))
		return;
	space->users++;
	if (operation->kind % 16 < 4)
		map(cpu, space, operation);
	else if (operation->kind % 16 < 7 && may_unmap(space, cpu * part + first, nr))
		unmap(space, cpu * part + first, nr, operation->kind % 16 < 6);
	else if (operation->kind % 16 == 7 && operation->b & 1)
		sync_again(space, cpu * part, part);
	else
		sync(space, cpu * part, cpu * part + part - 1);
	space->users--;
}

static void change_domains(const struct operation *operation)
{
	struct viommu_domain *domain;

	mutex_lock(&core_lock);
	domain = domain_by(operation->b);
	if (operation->kind % 16 < 11) {
		if (domain)
			attach_group(operation->a % GROUPS, domain);
	} else if (operation->kind % 16 == 11) {
		domain_alloc(&spaces[operation->a % SPACES], operation->a);
	} else if (operation->kind % 16 == 12) {
		domain_free(&spaces[operation->a % SPACES]);
	} else {
		plug(operation->a % MASTERS);
	}
	mutex_unlock(&core_lock);
}

static void operate(unsigned int cpu, const struct operation *operation)
{
	fuzz_trace("%u: operation %u %#x %#x %#x\n", cpu, operation->kind % 16, operation->a,
		   operation->b, operation->seed);
	fuzz_chance(operation->seed);
	busy++;
	if (operation->kind % 16 < 8)
		use_space(cpu, operation);
	else if (operation->kind % 16 < 14)
		change_domains(operation);
	else if (operation->kind % 16 == 15)
		device_refuses(operation);
	else if (operation->seed & 1)
		device_works(operation);
	else
		device_fails(operation);
	busy--;
	model_check();
}

static void run(unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < nr_operations; i++)
		if (nr_cpus == 1 || (operations[i].kind >> 6) % nr_cpus == cpu)
			operate(cpu, &operations[i]);
}

/* From nothing to devices in their own domains, and back */

static void device_init(const u8 *data)
{
	static const u64 sizes[] = { 0x1000, 0x80000, 0x200000 };
	unsigned int i, regions = data[2];

	unit_size = sizes[data[0] % 3];
	base = (data[0] / 4 % 4 == 0) ? 0 : data[0] / 4 % 4 == 1 ? -UNITS * unit_size : 0x40000000;
	memset(&iommu, 0, offsetof(struct fake_iommu, mappings));
	iommu.granule = 4096;
	iommu.input_start = data[0] & 0x40 ? unit_start(2) : 0;
	iommu.input_last = data[0] & 0x80 ? unit_last(UNITS - 3) : U64_MAX;
	iommu.domain_start = data[1] & 1 ? 100 : 0;
	iommu.domain_last = iommu.domain_start + (data[1] & 2 ? 20 : data[1] / 4 % 4);
	iommu.has_mmio = data[1] & 0x10;
	iommu.has_bypass_config = data[1] & 0x20;
	iommu.no_move = (data[1] & 0xc0) == 0x40;
	iommu.no_share = (data[1] & 0xc0) == 0x80;
	iommu.complaint = NULL;
	iommu.nr_endpoints = ARRAY_SIZE(endpoint_ids);
	for (i = 0; i < iommu.nr_endpoints; i++) {
		struct fake_endpoint *endpoint = &iommu.endpoints[i];

		endpoint->id = endpoint_ids[i];
		endpoint->nr_regions = regions >> i & 1;
		endpoint->regions[0] = (struct fake_region){
			.subtype = data[3] >> i & 1 ? 2 : i & 1, .flags = 3,
			.start = unit_start(4 + 3 * i), .last = unit_last(4 + 3 * i + i % 2),
		};
	}
}

static void begin(const u8 *data)
{
	unsigned int i;

	fake_reset();
	fake.tick = 50 * NSEC_PER_USEC;
	fake.size = data[6] & 4 ? 8 : 64;
	fake.per_poll = FAKE_ALL;
	device_init(data);
	memset(spaces, 0, sizeof(spaces));
	memset(group_domains, 0, sizeof(group_domains));
	memset(&refuse, 0, sizeof(refuse));
	refusals = 0;
	failures_wanted = 0;
	unsure = 0;
	busy = 0;
	nr_cpus = 1 + data[4] % CPUS;
	fuzz_begin(data[5]);
	*param_timeout_ms = 1;
	*param_identity_regions = data[6] & 1;
	*param_identity_holes = data[6] & 2;
	iomem_resource.end = unit_last(UNITS - 1);

	core_begin();
	fake.script = model_answer;
	viommu.bypass_open = data[6] & 8;
	for (i = 0; i < MASTERS; i++) {
		master_devices[i].name = devices[i].name;
		masters[i] = core_plug(&master_devices[i], devices[i].ids);
	}
	/* The first group's own. */
	domain_alloc(&spaces[0], SPACES);
	if (spaces[0].domain)
		attach_group(0, spaces[0].domain);
}

static void end(void)
{
	unsigned int i;

	slab_control.fail_in = 0;
	fake.add_error = 0;
	for (i = 0; i < SPACES; i++)
		domain_free(&spaces[i]);
	model_check();
	for (i = 0; i < MASTERS; i++)
		if (masters[i])
			unplug(i);
	model_check();
	core_end();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (size < 8)
		return 0;
	operations = (const struct operation *)(data + 8);
	nr_operations = min_t(size_t, (size - 8) / sizeof(struct operation), OPERATIONS);
	begin(data);
	model_check();
	if (nr_cpus == 1)
		run(0);
	else
		fake_cpus(nr_cpus, run);
	end();
	return 0;
}
