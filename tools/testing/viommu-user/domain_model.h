/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What fuzz_domain.c, which does things, and domain_model.c, which knows what must come of
 * them, have in common.
 */
#ifndef _DOMAIN_MODEL_H
#define _DOMAIN_MODEL_H

#include "fake_core.h"
#include "fuzz.h"

#define UNITS		24
#define SPACES		4

/**
 * struct unit - a unit of a domain's address space
 * @live: it is mapped
 * @stale: it was, and that was not synced
 * @refused: the device has refused the last MAP of it
 * @first: first unit of the mapping
 * @last: last one
 * @phys: what the mapping's first IOVA translates to
 * @flags: VIRTIO_IOMMU_MAP_F_*
 */
struct unit {
	bool live;
	bool stale;
	bool refused;
	u8 first;
	u8 last;
	u64 phys;
	u32 flags;
};

/**
 * struct space - a domain, and what is known of it
 * @domain: the domain, or NULL
 * @users: CPUs that use it
 * @going: it is about to be freed
 * @units: its address space
 */
struct space {
	struct viommu_domain *domain;
	unsigned int users;
	bool going;
	struct unit units[UNITS];
};

/**
 * struct refuse - what the device refuses, without a reason
 * @every: one request of so many; 0: none
 * @type: of this type; 0: of any
 * @status: how
 * @detaches: an ATTACH that it refuses has detached the endpoint
 * @unwritten: it writes no status
 * @count: requests so far
 */
struct refuse {
	unsigned int every;
	u8 type;
	u8 status;
	bool detaches;
	bool unwritten;
	unsigned int count;
};

extern struct space spaces[SPACES];
extern struct refuse refuse;

/* Where the units are. */
extern u64 base, unit_size;

/* Operations under way. */
extern unsigned int busy;

/* What the device refused, and how often memory was to run out, by the input's will. */
extern unsigned int refusals, failures_wanted;

/* Endpoints of which the device has not done as it was told, by their index. */
extern unsigned int unsure;

static inline u64 unit_start(unsigned int unit)
{
	return base + unit * unit_size;
}

static inline u64 unit_last(unsigned int unit)
{
	return unit_start(unit) + unit_size - 1;
}

static inline u64 unit_phys(const struct space *space, unsigned int unit)
{
	return space->units[unit].phys + (unit - space->units[unit].first) * unit_size;
}

static inline bool is_paging(const struct space *space)
{
	return space->domain && space->domain->domain.type != IOMMU_DOMAIN_IDENTITY;
}

/* The device's answer: see struct fake's @script. */
void model_answer(const struct fake_request *request, struct fake_answer *answer);

/* Whether all is as it must be, if no operation is under way. */
void model_check(void);

#endif /* _DOMAIN_MODEL_H */
