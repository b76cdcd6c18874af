// SPDX-License-Identifier: GPL-2.0
/*
 * Which endpoint is attached to which domain.
 *
 * An endpoint moves from domain to domain by ATTACH alone, which detaches it
 * from the old one. Attaching a device moves all its endpoints, or, where one is
 * refused, none: those that have moved go back.
 *
 * The device creates a domain with its first endpoint and forgets it, with all
 * its mappings, when the last one leaves. The driver remembers the mappings and
 * sends them again when an endpoint arrives (the replay), in one batch.
 *
 * All of it happens under the virtio-iommu's endpoints_lock, a mutex. The
 * domain's spinlock is taken where its mappings are looked at, for a few of them
 * at a time, since mapping goes on meanwhile.
 *
 * Specification: "ATTACH request", "DETACH request".
 */
#include "trace.h"
#include "viommu.h"

/* Mappings looked at in one go with the domain's lock held. */
#define VIOMMU_WALK_CHUNK	64

/**
 * viommu_domain_walk() - walk over a domain's mappings but for stale ones
 * @domain: the domain
 * @cursor: first IOVA to look at; moves on
 * @visit: looks at one mapping, with domain->lock held; what it returns ends the walk,
 *	if it is not 0, with @cursor in the mapping
 *
 * Context: Any. Takes domain->lock, for some mappings at a time.
 * Return: what @visit returned, or 0 at the end.
 */
int viommu_domain_walk(struct viommu_domain *domain, u64 *cursor,
		       int (*visit)(struct viommu_domain *domain, struct viommu_mapping *mapping))
{
	struct viommu_mapping *mapping;
	unsigned long flags;
	int i, ret;

	do {
		spin_lock_irqsave(&domain->lock, flags);
		for (i = 0, ret = 0; i < VIOMMU_WALK_CHUNK && !ret; i++) {
			mapping = viommu_store_first(&domain->store, *cursor, U64_MAX);
			if (!mapping)
				break;
			*cursor = max(*cursor, mapping->start);
			ret = mapping->stale ? 0 : visit(domain, mapping);
			if (ret || mapping->last == U64_MAX)
				break;
			*cursor = mapping->last + 1;
		}
		spin_unlock_irqrestore(&domain->lock, flags);
	} while (i == VIOMMU_WALK_CHUNK);
	return ret;
}

/* The device has forgotten the mapping with its domain. */
static int viommu_mapping_forget(struct viommu_domain *domain, struct viommu_mapping *mapping)
{
	if (!mapping->status)
		mapping->status = VIOMMU_MAPPING_UNSENT;
	return 0;
}

static int viommu_mapping_replay(struct viommu_domain *domain, struct viommu_mapping *mapping)
{
	struct viommu_queue *queue = &domain->viommu->queue;
	int ret;

	if (mapping->status != VIOMMU_MAPPING_UNSENT)
		return 0;
	mapping->replayed = true;
	spin_lock(&queue->lock);
	ret = viommu_mapping_send(domain, mapping, queue);
	spin_unlock(&queue->lock);
	return ret;
}

/*
 * A mapping that the replay sent and the device refused is as if never sent. Who syncs
 * it meanwhile must see that: he looks at @failed first, then at @nr_taken_back.
 */
static int viommu_mapping_collect(struct viommu_domain *domain, struct viommu_mapping *mapping)
{
	int status = mapping->status;

	if (!mapping->replayed || status >= 0)
		return 0;
	mapping->status = VIOMMU_MAPPING_UNSENT;
	mapping->unclear |= status == -EIO;
	WRITE_ONCE(domain->nr_taken_back, domain->nr_taken_back + 1);
	/* who sees no failure left sees that it was taken back */
	smp_mb__before_atomic();
	atomic_dec(&domain->batch.failed);
	return status;
}

/* Send all mappings that the device does not hold. Return: the first refusal. */
static int viommu_domain_replay(struct viommu_domain *domain)
{
	struct viommu_queue *queue = &domain->viommu->queue;
	int status, ret;
	u64 cursor = 0;

	while ((ret = viommu_domain_walk(domain, &cursor, viommu_mapping_replay)) == -EAGAIN)
		viommu_queue_make_room(queue);
	viommu_queue_wait(queue, &domain->batch);
	if (!atomic_read(&domain->batch.failed))
		return ret;

	cursor = 0;
	while ((status = viommu_domain_walk(domain, &cursor, viommu_mapping_collect)))
		ret = ret ?: status;
	return ret;
}

/* While the device is asleep it knows no domain: endpoints are counted afterwards. */
static void viommu_domain_count(struct viommu_domain *domain, int endpoints)
{
	unsigned long flags;

	if (domain->viommu->asleep)
		return;
	spin_lock_irqsave(&domain->lock, flags);
	domain->nr_endpoints += endpoints;
	spin_unlock_irqrestore(&domain->lock, flags);
}

/*
 * One endpoint more, which the device has already attached. @forgotten: of a domain
 * without any other the device holds no mappings.
 */
static int viommu_domain_gain(struct viommu_domain *domain, bool forgotten)
{
	bool first = !domain->nr_endpoints;
	u64 cursor = 0;

	if (first && forgotten) {
		viommu_domain_drain(domain);
		viommu_domain_walk(domain, &cursor, viommu_mapping_forget);
	}
	viommu_domain_count(domain, 1);
	return first ? viommu_domain_replay(domain) : 0;
}

/* Have the device forget all mappings of a domain whose endpoints are gone. */
static int viommu_domain_wipe(struct viommu_domain *domain)
{
	const struct viommu_limits *limits = &domain->viommu->limits;
	struct viommu_wire wire;

	/* Blocking has no mappings, and where it owns no ID the number is another domain's. */
	if (domain->nr_endpoints || domain->bypass || domain == &domain->viommu->blocking)
		return 0;
	/* A MAP that is under way could be carried out after the UNMAP. */
	viommu_queue_wait(&domain->viommu->queue, &domain->batch);
	viommu_wire_unmap(&wire, domain->id, limits->input_start, limits->input_last);
	return viommu_queue_send(&domain->viommu->queue, &wire);
}

/**
 * viommu_endpoint_forget() - count an endpoint out of its domain
 * @endpoint: the endpoint; the device is not told
 *
 * Context: endpoints_lock held.
 */
void viommu_endpoint_forget(struct viommu_endpoint *endpoint)
{
	if (!endpoint->domain)
		return;
	viommu_domain_count(endpoint->domain, -1);
	endpoint->domain = NULL;
}

static int viommu_endpoint_tell(struct viommu_device *viommu, struct viommu_endpoint *endpoint,
				struct viommu_domain *domain)
{
	struct viommu_wire wire;
	int ret;

	if (domain && (domain != &viommu->blocking || domain->owns_id)) {
		viommu_wire_attach(&wire, domain->id, endpoint->id, domain->bypass);
		ret = viommu_queue_send(&viommu->queue, &wire);
		trace_viommu_attach(viommu, domain->id, endpoint->id, ret);
		return ret;
	}
	if (!endpoint->domain)
		return 0;
	viommu_wire_detach(&wire, endpoint->domain->id, endpoint->id);
	ret = viommu_queue_send(&viommu->queue, &wire);
	trace_viommu_detach(viommu, endpoint->domain->id, endpoint->id, ret);
	return ret;
}

/*
 * An ATTACH failed, and the device may have detached the endpoint first. Attach
 * it to its domain again, and make the device's mappings those of the driver.
 */
static void viommu_endpoint_recover(struct viommu_device *viommu,
				    struct viommu_endpoint *endpoint)
{
	struct viommu_domain *domain = endpoint->domain;
	int ret, wiped;

	viommu_endpoint_forget(endpoint);
	ret = viommu_endpoint_tell(viommu, endpoint, domain);
	domain->stuck |= ret != 0;
	/* Or it had not, and still holds what was unmapped or is about to be sent. */
	wiped = viommu_domain_wipe(domain);
	if (!ret) {
		endpoint->domain = domain;
		ret = viommu_domain_gain(domain, !wiped) ?: wiped;
	}
	if (ret)
		dev_err(&viommu->vdev->dev, "endpoint %#x could not be returned to domain %u: %pe\n",
			endpoint->id, domain->id, ERR_PTR(ret));
}

/*
 * The device is dead, or asleep, and nobody can be told. The core cannot take a no when it
 * returns a device to its own domain, so that happens in the books alone; who
 * brings a domain of his own must know.
 */
static int viommu_endpoint_move_dead(struct viommu_endpoint *endpoint,
				     struct viommu_domain *domain)
{
	if (domain && domain->domain.type == IOMMU_DOMAIN_UNMANAGED)
		return -EIO;
	viommu_endpoint_forget(endpoint);
	endpoint->domain = domain;
	if (domain)
		viommu_domain_count(domain, 1);
	return 0;
}

/**
 * viommu_endpoint_move() - attach an endpoint to a domain, and to no other
 * @viommu: the virtio-iommu
 * @endpoint: the endpoint
 * @domain: a domain of @viommu; NULL to detach
 *
 * Where the device refuses, the endpoint stays where it was. Where it accepts,
 * but refuses a mapping of the domain, the endpoint has moved all the same.
 *
 * Context: Process context, endpoints_lock held. May sleep.
 * Return: 0 or what the device answered, as an errno.
 */
int viommu_endpoint_move(struct viommu_device *viommu, struct viommu_endpoint *endpoint,
			 struct viommu_domain *domain)
{
	struct viommu_domain *previous = endpoint->domain;
	int ret;

	lockdep_assert_held(&viommu->endpoints_lock);
	if (previous == domain)
		return 0;
	ret = viommu_endpoint_tell(viommu, endpoint, domain);
	if (READ_ONCE(viommu->queue.dead))
		return viommu_endpoint_move_dead(endpoint, domain);
	if (ret) {
		/* UNSUPP is a plain no, and for NOENT there is no endpoint. */
		if (previous && ret != -EOPNOTSUPP && ret != -ENOENT)
			viommu_endpoint_recover(viommu, endpoint);
		return ret;
	}
	viommu_endpoint_forget(endpoint);
	/* Another endpoint, of which nobody takes care any more, may be in it still. */
	if (previous && previous->stuck)
		viommu_domain_wipe(previous);
	endpoint->domain = domain;
	if (!domain)
		return 0;
	/* What it refused to forget with its last endpoint it has still. */
	return viommu_domain_gain(domain, !domain->stuck || !viommu_domain_wipe(domain));
}

/**
 * viommu_endpoint_block() - leave an endpoint where it can reach nothing
 * @viommu: the virtio-iommu
 * @endpoint: the endpoint; its domain is not to be used for it any more
 *
 * Where the device refuses that, its domain is emptied, if no other endpoint is in
 * it. There is nothing more to try: DETACH could let the endpoint reach everything.
 *
 * Context: Process context, endpoints_lock held. May sleep.
 */
void viommu_endpoint_block(struct viommu_device *viommu, struct viommu_endpoint *endpoint)
{
	struct viommu_domain *domain = endpoint->domain;
	int ret = viommu_endpoint_move(viommu, endpoint, &viommu->blocking);

	if (!ret)
		return;
	/* NOENT: the device was unplugged, and its ID with it. */
	if (ret != -ENOENT)
		dev_warn(&viommu->vdev->dev, "endpoint %#x could not be blocked: %pe\n",
			 endpoint->id, ERR_PTR(ret));
	if (!domain)
		return;
	domain->stuck |= ret != -ENOENT;
	viommu_endpoint_forget(endpoint);
	if (domain->stuck)
		viommu_domain_wipe(domain);
}

/**
 * viommu_endpoints_park() - have no requests sent for any domain
 * @viommu: the virtio-iommu, about to be reset
 *
 * Mapping and unmapping go on in the store alone, as in domains without endpoints. What is
 * under way is waited for.
 *
 * Context: Process context, endpoints_lock held. May sleep.
 */
void viommu_endpoints_park(struct viommu_device *viommu)
{
	struct viommu_endpoint *endpoint;
	unsigned long id;

	lockdep_assert_held(&viommu->endpoints_lock);
	xa_for_each(&viommu->endpoints, id, endpoint)
		if (endpoint->domain)
			viommu_domain_count(endpoint->domain, -1);
	viommu->asleep = true;
	xa_for_each(&viommu->endpoints, id, endpoint)
		if (endpoint->domain)
			viommu_domain_drain(endpoint->domain);
}

/**
 * viommu_endpoints_return() - attach all endpoints again to what they were attached to
 * @viommu: the virtio-iommu, after a reset
 *
 * Context: Process context, endpoints_lock held. May sleep.
 * Return: 0, or what went wrong first, which is logged: such an endpoint reaches nothing,
 * or not all that it should.
 */
int viommu_endpoints_return(struct viommu_device *viommu)
{
	struct viommu_endpoint *endpoint;
	struct viommu_domain *domain;
	unsigned long id;
	int err, ret = 0;

	lockdep_assert_held(&viommu->endpoints_lock);
	viommu->asleep = false;
	xa_for_each(&viommu->endpoints, id, endpoint) {
		domain = endpoint->domain;
		if (!domain)
			continue;
		endpoint->domain = NULL;
		err = viommu_endpoint_move(viommu, endpoint, domain);
		if (!err)
			continue;
		dev_err(&viommu->vdev->dev, "endpoint %#x could not be returned to domain %u: %pe\n",
			endpoint->id, domain->id, ERR_PTR(err));
		viommu_endpoint_lose(endpoint, domain);
		ret = ret ?: err;
	}
	return ret;
}

/* What fails here fails before anything has changed. */
static int viommu_domain_prepare(struct viommu_domain *domain, struct viommu_master *master)
{
	int ret;

	if (!domain->viommu) {
		ret = viommu_domain_finalise(domain, master->viommu, &master->regions);
		if (ret)
			return ret;
	}
	if (domain->viommu != master->viommu)
		return -EINVAL;
	/* A range of one domain ID has none to spare: DETACH does, if nothing passes by. */
	if (domain == &domain->viommu->blocking && !domain->owns_id &&
	    domain->viommu->bypass_open)
		return -ENODEV;
	/* The DMA API needs no mapping that ends at 2^64-1, which there are hosts to trip over. */
	if (iommu_is_dma_domain(&domain->domain))
		domain->domain.geometry.aperture_end = min_t(u64, domain->viommu->limits.input_last,
							     -domain->viommu->limits.granule - 1);
	viommu_domain_drain(domain);
	return viommu_domain_reserve(domain, master);
}

static void viommu_domain_rollback(struct viommu_master *master, unsigned int nr)
{
	struct viommu_device *viommu = master->viommu;

	while (nr--) {
		struct viommu_endpoint *endpoint = master->endpoints[nr];

		if (viommu_endpoint_move(viommu, endpoint, endpoint->previous) &&
		    viommu_endpoint_move(viommu, endpoint, &viommu->blocking))
			dev_err(master->dev, "endpoint %#x could neither go back nor be blocked\n",
				endpoint->id);
	}
}

/* The domains that its endpoints came from have regions less. */
static void viommu_master_moved(struct viommu_master *master)
{
	struct viommu_domain *previous;
	unsigned int i;

	for (i = 0; i < master->nr_endpoints; i++) {
		previous = master->endpoints[i]->previous;
		if (previous && previous != master->endpoints[i]->domain)
			viommu_domain_unreserve(previous);
	}
}

/*
 * Where the core does not take no for an answer, but warns: a device's first attach, and its
 * return from blocking or from a user's domain, which is freed all the same.
 */
static bool viommu_attach_must_succeed(const struct viommu_domain *domain,
				       const struct viommu_master *master)
{
	const struct viommu_domain *previous = master->endpoints[0]->domain;

	return domain->domain.type != IOMMU_DOMAIN_UNMANAGED &&
	       (!previous || previous == &master->viommu->blocking ||
		previous->domain.type == IOMMU_DOMAIN_UNMANAGED);
}

/*
 * While it has our DMA operations, also when its driver is gone and what that had managed is
 * being freed: for the core nobody uses the device then. Blocking is for a while only.
 */
static bool viommu_attach_is_barred(const struct viommu_domain *domain,
				    const struct viommu_master *master)
{
	const struct viommu_domain *stays_in = READ_ONCE(master->stays_in);

	return stays_in && domain != stays_in && domain != &master->viommu->blocking;
}

static void viommu_endpoint_cut_off(struct viommu_master *master, struct viommu_endpoint *endpoint,
				    struct viommu_domain *domain)
{
	viommu_endpoint_block(master->viommu, endpoint);
	viommu_endpoint_forget(endpoint);
	viommu_endpoint_lose(endpoint, domain);
	dev_err(master->dev, "endpoint %#x is cut off: no DMA is possible\n", endpoint->id);
}

/* Attach all endpoints, or those that the device lets if @must. */
static int viommu_master_move(struct viommu_master *master, struct viommu_domain *domain, bool must)
{
	struct viommu_endpoint *endpoint;
	unsigned int i;
	int ret;

	for (i = 0; i < master->nr_endpoints; i++) {
		endpoint = master->endpoints[i];
		ret = viommu_endpoint_move(master->viommu, endpoint, domain);
		if (!ret) {
			viommu_endpoint_found(endpoint);
			continue;
		}
		dev_err(master->dev, "attach of endpoint %#x to domain %u failed: %pe\n",
			endpoint->id, domain->id, ERR_PTR(ret));
		if (!must) {
			viommu_domain_rollback(master, i + 1);
			return ret;
		}
		viommu_endpoint_cut_off(master, endpoint, domain);
	}
	return 0;
}

/* The core documents what an attach may return, and what it makes of it. */
static int viommu_attach_errno(int ret)
{
	switch (ret) {
	case -ENOMEM:
	case -ENOSPC:
	case -EINVAL:
		return ret;
	case -EOPNOTSUPP:
		return -EBUSY;
	default:
		return -ENODEV;
	}
}

/**
 * viommu_domain_attach() - attach a device to a domain
 * @domain: the domain
 * @master: the device
 *
 * Either all endpoints of the device are attached, or all are where they were. Where the
 * core cannot take an error, one that the host refuses is cut off instead.
 *
 * Context: Process context. Takes endpoints_lock, may sleep.
 * Return: 0; -EINVAL where device and domain do not go together; -EBUSY where
 * the host refuses to move an endpoint, or its driver's DMA has not ended yet; -ENOMEM,
 * -ENOSPC, -ENODEV.
 */
int viommu_domain_attach(struct viommu_domain *domain, struct viommu_master *master)
{
	struct viommu_device *viommu = master->viommu;
	unsigned int i;
	bool must;
	int ret;

	if (viommu_attach_is_barred(domain, master))
		return -EBUSY;
	guard(mutex)(&viommu->endpoints_lock);
	must = viommu_attach_must_succeed(domain, master);
	for (i = 0; i < master->nr_endpoints; i++)
		master->endpoints[i]->previous = master->endpoints[i]->domain;

	ret = viommu_domain_prepare(domain, master);
	if (ret && !must)
		return ret;
	for (i = 0; ret && i < master->nr_endpoints; i++)
		viommu_endpoint_cut_off(master, master->endpoints[i], domain);
	if (!ret)
		ret = viommu_master_move(master, domain, must);
	if (!ret || must) {
		viommu_master_moved(master);
		/* It reserved for all endpoints what is for those that are in it. */
		if (domain->viommu && domain->nr_lost)
			viommu_domain_unreserve(domain);
		viommu_bypass_update(viommu);
		return 0;
	}
	viommu_domain_unreserve(domain);
	/* For those that could not go back. */
	viommu_master_moved(master);
	return ret == -EINVAL ? -ENODEV : viommu_attach_errno(ret);
}
