// SPDX-License-Identifier: GPL-2.0
/*
 * The device and the reference behind fuzz_domain.c.
 *
 * What was refused, or not sent for want of memory, excuses what follows from it, and no
 * more, as far as that can be told. Nothing excuses that the device holds what the driver
 * has not mapped, unless it was told to give that up and refused.
 */
#include "domain_model.h"

struct space spaces[SPACES];
struct refuse refuse;
u64 base, unit_size;
unsigned int busy;
unsigned int refusals, failures_wanted;
unsigned int unsure;

static struct unit *unit_of(u32 domain, u64 iova)
{
	unsigned int i;

	for (i = 0; i < SPACES; i++)
		if (is_paging(&spaces[i]) && spaces[i].domain->viommu &&
		    spaces[i].domain->id == domain && iova >= base && iova <= unit_last(UNITS - 1))
			return &spaces[i].units[(iova - base) / unit_size];
	return NULL;
}

/* The driver cannot know what there is now. */
static void lose_domain(u32 domain)
{
	unsigned int i;

	for (i = 0; i < UNITS; i++)
		if (unit_of(domain, unit_start(i)))
			unit_of(domain, unit_start(i))->refused = true;
}

/* UNSUPP is a plain no, which changes nothing. NOENT is an endpoint that was unplugged. */
static void refuse_attach(struct fake_endpoint *endpoint)
{
	if (!endpoint || !endpoint->attached || refuse.status == VIRTIO_IOMMU_S_UNSUPP)
		return;
	if (refuse.status == VIRTIO_IOMMU_S_NOENT)
		lose_domain(endpoint->domain);
	else if (!refuse.detaches)
		return;
	fake_iommu_detach(&iommu, endpoint);
}

static void note_refusal(const struct fake_request *request)
{
	u64 start = get_le(request->copy + 8, 8), last = get_le(request->copy + 16, 8);
	bool all = start == iommu.input_start && last == iommu.input_last;
	u32 domain = get_le(request->copy + 4, 4);
	unsigned int i;

	refusals++;
	if (request->type != VIRTIO_IOMMU_T_UNMAP)
		return;
	for (i = 0; i < iommu.nr_mappings; i++)
		if (iommu.mappings[i].domain == domain &&
		    fake_overlaps(start, last, iommu.mappings[i].start, iommu.mappings[i].last))
			iommu.mappings[i].kept = true;
	if (!all)
		return;
	lose_domain(domain);
	for (i = 0; i < iommu.nr_mappings; i++)
		iommu.mappings[i].lost |= iommu.mappings[i].domain == domain;
}

static bool is_refused(const struct fake_request *request)
{
	return refuse.every && (!refuse.type || refuse.type == request->type) &&
	       ++refuse.count % refuse.every == 0;
}

void model_answer(const struct fake_request *request, struct fake_answer *answer)
{
	struct fake_endpoint *endpoint = NULL;
	struct unit *unit = NULL;

	if (request->type == VIRTIO_IOMMU_T_ATTACH || request->type == VIRTIO_IOMMU_T_DETACH)
		endpoint = fake_iommu_endpoint(&iommu, get_le(request->copy + 8, 4));
	if (request->type == VIRTIO_IOMMU_T_MAP)
		unit = unit_of(get_le(request->copy + 4, 4), get_le(request->copy + 8, 8));
	if (is_refused(request)) {
		answer->status = refuse.status;
		if (refuse.unwritten)
			answer->used = 0;
		refuse_attach(endpoint);
	} else {
		answer->status = fake_iommu_handle(&iommu, request);
		if (iommu.complaint)
			fprintf(stderr, "the device complains: %s\n", iommu.complaint);
		MUST(!iommu.complaint);
	}
	fuzz_trace("  request %u of %llu: %#llx %#llx %#llx: status %u\n", request->type,
		   get_le(request->copy + 4, 4), get_le(request->copy + 8, 8),
		   get_le(request->copy + 16, 4), get_le(request->copy + 24, 4), answer->status);
	if (answer->status)
		note_refusal(request);
	if (unit)
		unit->refused = answer->status;
	if (endpoint && answer->status)
		unsure |= 1u << (endpoint - iommu.endpoints);
	else if (endpoint)
		unsure &= ~(1u << (endpoint - iommu.endpoints));
}

/* The reference */

static const struct space *space_of(u32 domain)
{
	unsigned int i;

	for (i = 0; i < SPACES; i++)
		if (spaces[i].domain && spaces[i].domain->viommu && spaces[i].domain->id == domain)
			return &spaces[i];
	return NULL;
}

static bool is_unit(const struct fake_mapping *mapping, const struct unit *unit)
{
	return mapping->start == unit_start(unit->first) &&
	       mapping->last == unit_last(unit->last) && mapping->phys == unit->phys &&
	       mapping->flags == (unit->flags & ~(iommu.has_mmio ? 0 : VIRTIO_IOMMU_MAP_F_MMIO));
}

/* What the device holds has a reason. */
static void check_held(const struct fake_mapping *mapping)
{
	const struct space *space = space_of(mapping->domain);
	unsigned int i;

	if (mapping->kept)
		return;
	/* Left behind, with nobody who could have told the device. */
	if (failures_wanted && (!space || space->domain->stuck))
		return;
	MUST(space);
	for (i = 0; is_paging(space) && i < UNITS; i++) {
		const struct unit *unit = &space->units[i];

		if (!fake_overlaps(mapping->start, mapping->last, unit_start(i), unit_last(i)))
			continue;
		if (unit->live)
			MUST(is_unit(mapping, unit));
		else if (!unit->stale)
			MUST(mapping->phys == mapping->start);
	}
	/* One to one is what the driver itself maps, for devices that are there. */
	if (mapping->phys == mapping->start && is_paging(space)) {
		const struct viommu_region *region =
			viommu_regions_first(&space->domain->regions, mapping->start,
					     mapping->last);

		MUST((region && region->type == VIOMMU_REGION_IDENTITY) ||
		     space->domain->stuck || failures_wanted);
	}
}

/* What is mapped is there, and translates to what it was mapped to. */
static void check_space(const struct space *space)
{
	struct viommu_domain *domain = space->domain;
	bool known = domain->nr_endpoints && fake_iommu_has_domain(&iommu, domain->id);
	unsigned int i;

	for (i = 0; i < UNITS; i++) {
		const struct unit *unit = &space->units[i];
		u64 middle = unit_start(i) + unit_size / 2, phys;
		const struct fake_mapping *mapping = NULL;

		phys = viommu_domain_iova_to_phys(&domain->domain, middle);
		MUST(phys == (unit->live ? unit_phys(space, i) + unit_size / 2 : 0) ||
		     (!unit->live && phys == middle));
		if (known)
			mapping = fake_iommu_find(&iommu, domain->id, middle);
		if (known && unit->live && !space->units[unit->first].refused && !failures_wanted)
			MUST(mapping && is_unit(mapping, unit));
	}
}

/* Reserved is reserved; what must be mapped is, unless that was refused. */
static void check_regions(const struct fake_endpoint *endpoint)
{
	const struct space *space = endpoint->attached ? space_of(endpoint->domain) : NULL;
	unsigned int i, j;

	for (i = 0; space && !space->domain->bypass && i < endpoint->nr_regions; i++) {
		const struct fake_region *region = &endpoint->regions[i];
		const struct fake_mapping *mapping;

		if (region->subtype == 2 && *param_identity_regions &&
		    region->last <= iommu.input_last && region->start >= iommu.input_start) {
			mapping = fake_iommu_find(&iommu, endpoint->domain, region->start);
			MUST(refusals || failures_wanted ||
			     (mapping && mapping->phys == mapping->start));
			continue;
		}
		for (j = 0; j < iommu.nr_mappings; j++)
			MUST(iommu.mappings[j].domain != endpoint->domain ||
			     iommu.mappings[j].kept ||
			     !fake_overlaps(region->start, region->last, iommu.mappings[j].start,
					    iommu.mappings[j].last));
	}
}

/* Driver and device agree on where an endpoint is. */
static void check_endpoint(unsigned int index, unsigned int *members)
{
	const struct fake_endpoint *there = &iommu.endpoints[index];
	const struct viommu_endpoint *here = xa_load(&viommu.endpoints, there->id);
	const struct viommu_domain *domain = here ? here->domain : NULL;
	unsigned int i;

	for (i = 0; i < SPACES; i++)
		members[i] += domain && domain == spaces[i].domain;
	if (unsure & 1u << index || !here)
		return;
	if (!domain) {
		/* A device that came back was left blocked, if that was possible. */
		MUST(!there->attached || there->domain == viommu.blocking.id ||
		     refusals || failures_wanted);
		return;
	}
	if (domain == &viommu.blocking && !domain->owns_id) {
		MUST(!there->attached || refusals || failures_wanted);
		return;
	}
	MUST(there->attached && there->domain == domain->id);
	MUST(there->bypass == domain->bypass);
	/* Where PROBE was refused nobody knows what is reserved. */
	if (here->known)
		check_regions(there);
}

void model_check(void)
{
	unsigned int i, members[SPACES] = {};

	MUST(fake.relaxes < 1000000);
	if (busy || viommu.queue.dead)
		return;
	MUST(!viommu.queue.nr_sent && !fake.pending.nr && !fake.used.nr && !fake.hasty);
	fake.still = true;
	for (i = 0; i < iommu.nr_endpoints; i++)
		check_endpoint(i, members);
	for (i = 0; i < iommu.nr_mappings; i++)
		check_held(&iommu.mappings[i]);
	for (i = 0; i < SPACES; i++) {
		if (!spaces[i].domain)
			continue;
		MUST(spaces[i].domain->nr_endpoints == members[i]);
		MUST(!spaces[i].domain->batch.pending);
		if (is_paging(&spaces[i]))
			check_space(&spaces[i]);
	}
	fake.still = false;
}
