/* SPDX-License-Identifier: GPL-2.0 */
/*
 * viommu: a driver for the virtio-iommu device. What its files share.
 *
 * The road of a mapping: ops.c → paging.c → mapping.c (remembered) and wire.h
 * (encoded) → request.c → the device. The road of a device: topology.c (which
 * IDs) → endpoint.c → ids.c → reserve.c → attach.c. Faults come back through event.c.
 *
 * Locks, outermost first:
 *
 *	viommu_devices_lock	mutex; which virtio-iommus there are (main.c)
 *	viommu_dma_lock		mutex; which devices have our DMA operations, and the
 *				IOVAs of their domains (dma_mode.c)
 *	viommu->endpoints_lock	mutex; endpoint IDs, their users, and to which
 *				domain each is attached; devices left outside
 *	viommu->probe_lock	mutex; the one buffer for PROBE
 *	viommu_lost_lock	mutex; which endpoints are in no domain and should be
 *				in one (lost.c)
 *	cpu->lock, pool->lock	spinlocks, any context; a pool's free slots, its chunks
 *				(dma_pool.c)
 *	warm->lock		spinlock, any context; areas (dma_warm.c)
 *	space->lock		spinlock, any context; IOVAs that wait (dma_space.c)
 *	domain->lock		spinlock, any context; the mappings, and whether
 *				the device knows the domain
 *	queue->lock		spinlock, any context; the virtqueue and its slots
 *
 * Nobody waits for the device with a spinlock held or interrupts disabled by
 * this driver.
 */
#ifndef _VIOMMU_H
#define _VIOMMU_H

#include <linux/cleanup.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "counters.h"
#include "mapping.h"
#include "pure.h"
#include "wire.h"

struct dentry;
struct pci_dev;
struct viommu_domain;
struct viommu_device;
struct viommu_master;

/**
 * struct viommu_batch - requests that are waited for together
 * @last_seq: sequence number of the request that was added last
 * @pending: requests added and not complete
 * @failed: requests that failed and had a place for their result: how many of
 *	the results nobody has collected yet
 *
 * @last_seq and @pending are guarded by the queue's lock. A batch lives on the
 * stack of a caller, or in a domain; it may be freed once nothing is pending.
 */
struct viommu_batch {
	u64 last_seq;
	unsigned int pending;
	atomic_t failed;
};

#define VIOMMU_BATCH_INIT	{ .failed = ATOMIC_INIT(0) }

/**
 * struct viommu_request - a slot of the request queue
 * @next: the next free slot
 * @batch: who waits for it; NULL once that is over
 * @result: where the errno goes, NULL if nowhere
 * @buffer: what the device reads and writes: @wire, or an external buffer
 * @wire: the slot's own memory
 * @readable: the part of @buffer that the device reads
 * @writable: the part that the device writes, right behind
 * @seq: in which order requests were added
 * @type: VIRTIO_IOMMU_T_*; what @buffer says the device may have overwritten
 *
 * All of it is guarded by the queue's lock.
 */
struct viommu_request {
	struct viommu_request *next;
	struct viommu_batch *batch;
	int *result;
	u8 *buffer;
	struct viommu_wire *wire;
	struct scatterlist readable;
	struct scatterlist writable;
	u64 seq;
	u8 type;
};

/**
 * struct viommu_refusal - what the device refused, to be logged outside the lock
 * @wire: the request
 * @status: what the device answered
 * @count: refusals since the last message
 */
struct viommu_refusal {
	struct viommu_wire wire;
	u8 status;
	unsigned int count;
};

/**
 * struct viommu_queue - the request queue
 * @vq: the virtqueue
 * @vdev: the virtio device, for messages
 * @lock: guards the queue and all its requests
 * @requests: the slots
 * @wires: memory of all slots
 * @nr_slots: their number
 * @free: slots that nobody uses; those that a dead device has are never free again
 * @seq: sequence number of the newest request
 * @kicked_seq: sequence number of the newest request that the device was told of
 * @done_seq: all requests up to this one are complete
 * @done: and these after it, by their number modulo VIOMMU_SLOTS_MAX
 * @nr_sent: requests that are not complete
 * @in_flight: those of them that the device was told of
 * @gathered: CPUs that the next kick will serve, a bit for each, modulo 64
 * @flying: those that the last one served
 * @crowd: how many there were, of both, when the device was last done
 * @counters: what it has done
 * @refusal: a refused request that is to be logged
 * @epitaph: why the device is dead, if that is to be logged
 * @dead: the device did not answer, or broke the queue: nothing is sent any more
 */
struct viommu_queue {
	struct virtqueue *vq;
	struct virtio_device *vdev;
	spinlock_t lock; /* guards all of it */
	struct viommu_request *requests;
	struct viommu_wire *wires;
	unsigned int nr_slots;
	struct viommu_request *free;
	u64 seq;
	u64 kicked_seq;
	u64 done_seq;
	DECLARE_BITMAP(done, VIOMMU_SLOTS_MAX);
	unsigned int nr_sent;
	unsigned int in_flight;
	u64 gathered;
	u64 flying;
	unsigned int crowd;
	struct viommu_counters counters;
	struct viommu_refusal refusal;
	const char *epitaph;
	bool dead;
};

int viommu_queue_init(struct viommu_queue *queue, struct virtio_device *vdev,
		      struct virtqueue *vq);
int viommu_queue_restart(struct viommu_queue *queue, struct virtqueue *vq);
void viommu_queue_stop(struct viommu_queue *queue);
void viommu_queue_free(struct viommu_queue *queue);
struct viommu_wire *viommu_queue_slot(struct viommu_queue *queue);
int viommu_queue_add(struct viommu_queue *queue, struct viommu_batch *batch, int *result);
bool viommu_queue_commit(struct viommu_queue *queue);
void viommu_queue_make_room(struct viommu_queue *queue);
void viommu_queue_wait(struct viommu_queue *queue, struct viommu_batch *batch);
int viommu_queue_send(struct viommu_queue *queue, const struct viommu_wire *wire);

/**
 * viommu_queue_counters() - what the queue has done so far
 * @queue: the queue
 *
 * Context: Any.
 * Return: a copy.
 */
static inline struct viommu_counters viommu_queue_counters(struct viommu_queue *queue)
{
	struct viommu_counters counters;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	counters = queue->counters;
	spin_unlock_irqrestore(&queue->lock, flags);
	return counters;
}

/* The virtqueues, as the specification numbers them. */
enum viommu_vq {
	VIOMMU_VQ_REQUEST,
	VIOMMU_VQ_EVENT,
	VIOMMU_NR_VQS,
};

/**
 * struct viommu_event - memory for one event, which shares its cache line with none
 * @fault: what the device writes
 */
struct viommu_event {
	struct virtio_iommu_fault fault;
} ____cacheline_aligned;

/**
 * struct viommu_events - the event queue
 * @vq: the virtqueue; once started, the work item's
 * @buffers: memory of all events
 * @nr: events that fit
 * @started: the device is ready, so callbacks count
 * @work: handles events, with sleeping allowed
 */
struct viommu_events {
	struct virtqueue *vq;
	struct viommu_event *buffers;
	unsigned int nr;
	bool started;
	struct work_struct work;
};

int viommu_events_init(struct viommu_device *viommu, struct virtqueue *vq);
int viommu_events_refill(struct viommu_device *viommu, struct virtqueue *vq);
void viommu_events_start(struct viommu_device *viommu);
void viommu_events_flush(struct viommu_device *viommu);
void viommu_events_stop(struct viommu_device *viommu);
void viommu_events_free(struct viommu_device *viommu);
void viommu_events_callback(struct virtqueue *vq);

/**
 * enum viommu_dma_mode - how a device's DMA is mapped
 * @VIOMMU_DMA_ORDINARY: each buffer when it is mapped, as the kernel does it
 * @VIOMMU_DMA_BOUNCE: small buffers are copied through memory that stays mapped
 * @VIOMMU_DMA_REUSE: with the memory around it, which stays mapped while it is in use
 * @VIOMMU_DMA_MODES: how many there are
 */
enum viommu_dma_mode {
	VIOMMU_DMA_ORDINARY,
	VIOMMU_DMA_BOUNCE,
	VIOMMU_DMA_REUSE,
	VIOMMU_DMA_MODES,
};

struct viommu_space;
struct viommu_dma;

/**
 * struct viommu_domain - an address space
 * @domain: the core's view
 * @viommu: the device; NULL until the domain is finalised by its first attach or
 *	by an allocation that names a device
 * @id: domain ID
 * @owns_id: @id goes back to the device's pool with the domain
 * @bypass: a bypass domain: DMA untranslated, no mappings
 * @stuck: the device may have an endpoint in it that it refused to let go; guarded by
 *	endpoints_lock
 * @lock: guards @store and @nr_endpoints
 * @store: its mappings
 * @nr_endpoints: endpoints attached; while 0 the device does not know the domain,
 *	and mappings are only remembered: so it is while the system is suspended.
 *	Written with endpoints_lock held too
 * @nr_lost: endpoints that should be attached and could not be: nothing can be mapped;
 *	see lost.c
 * @nr_taken_back: refused MAPs of replays, whose mappings count as never sent; written
 *	with @lock held
 * @batch: the MAP and UNMAP requests under way
 * @regions: what its endpoints reserve, combined: see reserve.c
 * @has_identity: there is, or was, an identity mapping in @store
 * @space: IOVAs for devices with our DMA operations; see dma_mode.c
 */
struct viommu_domain {
	struct iommu_domain domain;
	struct viommu_device *viommu;
	u32 id;
	bool owns_id;
	bool bypass;
	bool stuck;
	spinlock_t lock; /* guards store and nr_endpoints */
	struct viommu_store store;
	unsigned int nr_endpoints;
	unsigned int nr_lost;
	unsigned int nr_taken_back;
	struct viommu_batch batch;
	struct viommu_regions regions;
	bool has_identity;
	struct viommu_space *space;
};

/**
 * struct viommu_endpoint - what the device sees as one DMA master
 * @id: endpoint ID
 * @users: devices that have it; several where a bridge or a quirk aliases them
 * @known: the device knows the ID
 * @domain: where it is attached, NULL for nowhere
 * @previous: where it was before the attach under way
 * @lost: where it should be and could not be attached, NULL for nowhere; see lost.c
 * @lost_node: in the list of those for whom @lost is somewhere
 * @faults: how many it had
 * @regions: its reserved regions, as its PROBE reported them, but for identity regions
 *	that were refused
 *
 * Guarded by endpoints_lock, but for @lost and @lost_node.
 */
struct viommu_endpoint {
	u32 id;
	unsigned int users;
	bool known;
	struct viommu_domain *domain;
	struct viommu_domain *previous;
	struct viommu_domain *lost;
	struct list_head lost_node;
	u64 faults;
	struct viommu_regions regions;
};

struct viommu_endpoint *viommu_ids_get(struct viommu_device *viommu, u32 id);
void viommu_ids_put(struct viommu_device *viommu, struct viommu_endpoint *endpoint);

/**
 * struct viommu_master - what the driver knows of a struct device
 * @dev: the device
 * @viommu: the virtio-iommu that it stands behind
 * @node: in the list of the virtio-iommu's masters; guarded by endpoints_lock
 * @regions: reserved regions of all its endpoints, normalised
 * @bound_first: its driver was there before its IOMMU
 * @live: and may have DMA under way
 * @evicted: it was already told to go, with its driver
 * @leads: it was the first of its group
 * @wish: how its DMA is to be mapped, from the next bind on
 * @in_use: how it is mapped now
 * @dma: our DMA operations' state while it has a driver, NULL where it has the kernel's
 * @kernels_ops: its driver, if it has one, uses the kernel's; guarded by viommu_dma_lock
 * @stays_in: the domain that it must not leave, for ours; NULL where it may
 * @nr_endpoints: number of @endpoints
 * @endpoints: its endpoints, each once
 */
struct viommu_master {
	struct device *dev;
	struct viommu_device *viommu;
	struct list_head node;
	struct viommu_regions regions;
	bool bound_first;
	bool live;
	bool evicted;
	bool leads;
	enum viommu_dma_mode wish;
	enum viommu_dma_mode in_use;
	struct viommu_dma *dma;
	bool kernels_ops;
	struct viommu_domain *stays_in;
	unsigned int nr_endpoints;
	struct viommu_endpoint *endpoints[];
};

struct iommu_device *viommu_master_probe(struct device *dev);
struct iommu_group *viommu_master_group(struct device *dev);
void viommu_master_release(struct device *dev);
void viommu_master_resv_regions(struct device *dev, struct list_head *head);
int viommu_master_default_domain(struct device *dev);
bool viommu_master_is_coherent(struct device *dev);
bool viommu_master_has(const struct viommu_master *master,
		       const struct viommu_endpoint *endpoint);
void viommu_masters_evict(struct viommu_device *viommu);

bool viommu_outside_has(struct viommu_device *viommu, const struct device *dev);
void viommu_outside_add(struct viommu_device *viommu, struct device *dev, const char *why,
			int error);
void viommu_outside_drop(struct viommu_device *viommu, const struct device *dev);
void viommu_outside_clear(struct viommu_device *viommu);
void viommu_outside_unbound(struct viommu_device *viommu, const struct device *dev);
bool viommu_outside_is_live(struct viommu_device *viommu, bool for_interrupts);
ssize_t viommu_outside_names(struct viommu_device *viommu, char *buf);

void viommu_bypass_init(struct viommu_device *viommu);
void viommu_bypass_begin(struct viommu_device *viommu);
void viommu_bypass_update(struct viommu_device *viommu);
void viommu_bypass_restore(struct viommu_device *viommu);
void viommu_bypass_shut(struct viommu_device *viommu);
void viommu_bypass_hold(struct viommu_device *viommu);
void viommu_bypass_settle(struct viommu_device *viommu, bool all_attached);
const char *viommu_bypass_state(const struct viommu_device *viommu);

/* Where x86's interrupts are written to, whatever the host says. */
#define VIOMMU_X86_MSI_START	0xfee00000
#define VIOMMU_X86_MSI_LAST	0xfeefffff

/* Faults that are remembered. */
#define VIOMMU_FAULT_RECORDS	64

/**
 * struct viommu_fault_record - a fault, remembered for a person
 * @time: when it was reported, in nanoseconds since boot
 * @fault: what was reported
 */
struct viommu_fault_record {
	u64 time;
	struct viommu_fault fault;
};

/**
 * struct viommu_device - one virtio-iommu
 * @iommu: the core's view
 * @passed_by: a second one, without a fwnode: makes the core offer the devices that it
 *	knows no IOMMU of
 * @vdev: the virtio device
 * @hwdev: the device that firmware knows it by: its transport
 * @kref: users: the driver, every finalised domain, every master
 * @node: in the list of all virtio-iommus
 * @fwnode: what a fwspec names it by: the transport's node, or @own_fwnode
 * @own_fwnode: where firmware gave the transport none; NULL elsewhere
 * @limits: the config space, checked
 * @has_mmio: MAP takes the MMIO flag
 * @has_bypass_config: there is a switch for bypass, and ATTACH takes the bypass flag
 * @bypass_offered: what the switch was at first
 * @bypass_open: what it is: DMA of what is attached nowhere passes by
 * @registered: the core has taken in all devices that were there
 * @queue: the request queue
 * @events: the event queue
 * @nr_domains: finalised domains, @blocking apart
 * @domain_ids: domain IDs in use, counted from the first of the domain range
 * @nr_ids: how many
 * @has_identity_id: all bypass domains share @identity_id
 * @identity_id: domain ID set aside for them
 * @blocking: the domain where nothing is mapped, for endpoints without any other;
 *	exists for the device if it owns an ID
 * @endpoints_lock: guards @endpoints, @masters, @outside, @faults, @fault_records, @asleep,
 *	the switch for bypass, and what each endpoint is attached to
 * @endpoints: endpoints by their ID
 * @masters: the devices
 * @outside: devices that should be among them, and are not
 * @faults: faults that the device reported
 * @fault_records: the last of them; number N, counted from 0, is at N modulo their number
 * @gone: it is being removed, and takes no more devices in
 * @asleep: the system is suspended: the device knows no domain, and cannot be told of
 *	any; what the endpoints' @domain says is for afterwards
 * @has_queues: the virtqueues exist
 * @debugfs: its folder in debugfs
 * @probe_lock: guards @probe_buffer
 * @probe_buffer: a PROBE request; NULL where there is no PROBE
 */
struct viommu_device {
	struct iommu_device iommu;
	struct iommu_device passed_by;
	struct virtio_device *vdev;
	struct device *hwdev;
	struct kref kref;
	struct list_head node;
	struct fwnode_handle *fwnode;
	struct fwnode_handle *own_fwnode;
	struct viommu_limits limits;
	bool has_mmio;
	bool has_bypass_config;
	bool bypass_offered;
	bool bypass_open;
	bool registered;
	struct viommu_queue queue;
	struct viommu_events events;
	atomic_t nr_domains;
	struct ida domain_ids;
	atomic_t nr_ids;
	bool has_identity_id;
	u32 identity_id;
	struct viommu_domain blocking;
	struct mutex endpoints_lock; /* guards endpoints, masters, outside, attachments */
	struct xarray endpoints;
	struct list_head masters;
	struct list_head outside;
	u64 faults;
	struct viommu_fault_record fault_records[VIOMMU_FAULT_RECORDS];
	bool gone;
	bool asleep;
	bool has_queues;
	struct dentry *debugfs;
	struct mutex probe_lock; /* guards probe_buffer */
	void *probe_buffer;
};

struct viommu_device *viommu_device_by_fwnode(const struct fwnode_handle *fwnode);
struct viommu_device *viommu_device_by_node(const struct viommu_node *node);
void viommu_device_put(struct viommu_device *viommu);
int viommu_device_read_limits(struct viommu_device *viommu, struct viommu_limits *limits);
int viommu_device_find_queues(struct viommu_device *viommu, struct virtqueue *vqs[]);
void viommu_device_stop(struct viommu_device *viommu);

int viommu_pm_freeze(struct virtio_device *vdev);
int viommu_pm_restore(struct virtio_device *vdev);

struct viommu_domain *viommu_domain_alloc(unsigned int type);
struct iommu_domain *viommu_domain_alloc_for(struct viommu_master *master, unsigned int type);
int viommu_domain_finalise(struct viommu_domain *domain, struct viommu_device *viommu,
			   const struct viommu_regions *regions);
int viommu_domains_init(struct viommu_device *viommu);
u64 viommu_domains_left(const struct viommu_device *viommu);
void viommu_domain_drain(struct viommu_domain *domain);
int viommu_mapping_send(struct viommu_domain *domain, struct viommu_mapping *mapping,
			struct viommu_queue *queue);

int viommu_regions_alloc(struct viommu_regions *regions, unsigned int max);
void viommu_regions_free(struct viommu_regions *regions);
int viommu_domain_reserve(struct viommu_domain *domain, const struct viommu_master *newcomer);
void viommu_domain_unreserve(struct viommu_domain *domain);
bool viommu_domain_reserves(const struct viommu_domain *domain, u64 start, u64 last, u64 phys,
			    u32 map_flags);

int viommu_domain_walk(struct viommu_domain *domain, u64 *cursor,
		       int (*visit)(struct viommu_domain *domain,
				    struct viommu_mapping *mapping));
int viommu_domain_attach(struct viommu_domain *domain, struct viommu_master *master);
int viommu_endpoint_move(struct viommu_device *viommu, struct viommu_endpoint *endpoint,
			 struct viommu_domain *domain);
void viommu_endpoint_forget(struct viommu_endpoint *endpoint);
void viommu_endpoint_block(struct viommu_device *viommu, struct viommu_endpoint *endpoint);
bool viommu_endpoint_is_first(struct viommu_device *viommu,
			      const struct viommu_endpoint *endpoint);
void viommu_endpoints_park(struct viommu_device *viommu);
int viommu_endpoints_return(struct viommu_device *viommu);

void viommu_endpoint_lose(struct viommu_endpoint *endpoint, struct viommu_domain *domain);
void viommu_endpoint_found(struct viommu_endpoint *endpoint);
void viommu_domain_forget_lost(struct viommu_domain *domain);

/* With the signatures of the core's table of domain operations. */
int viommu_domain_map_pages(struct iommu_domain *iommu_domain, unsigned long iova,
			    phys_addr_t phys, size_t pgsize, size_t pgcount, int prot, gfp_t gfp,
			    size_t *mapped);
int viommu_domain_sync_map(struct iommu_domain *iommu_domain, unsigned long iova, size_t size);
size_t viommu_domain_unmap_pages(struct iommu_domain *iommu_domain, unsigned long iova,
				 size_t pgsize, size_t pgcount, struct iommu_iotlb_gather *gather);
void viommu_domain_sync(struct iommu_domain *iommu_domain, struct iommu_iotlb_gather *gather);
void viommu_domain_flush(struct iommu_domain *iommu_domain);
phys_addr_t viommu_domain_iova_to_phys(struct iommu_domain *iommu_domain, dma_addr_t iova);
void viommu_domain_free(struct iommu_domain *iommu_domain);

int viommu_pci_walk_aliases(struct pci_dev *pdev,
			    int (*fn)(struct pci_dev *pdev, u16 rid, void *data), void *data);
bool viommu_pci_is_behind_alias(struct pci_dev *pdev);

int viommu_topology_init(void);
void viommu_topology_exit(void);
int viommu_topology_configure(struct device *dev, bool *core_waits);

int viommu_dma_init(void);
void viommu_dma_add(struct viommu_master *master);
void viommu_dma_remove(struct viommu_master *master);
void viommu_dma_begin(struct device *dev);

extern const struct attribute_group *viommu_stats_groups[];

void viommu_debugfs_init(void);
void viommu_debugfs_exit(void);
void viommu_debugfs_add(struct viommu_device *viommu);
void viommu_debugfs_remove(struct viommu_device *viommu);

/* What ops.c offers, or the seam file of compat/ in its place. */
extern const struct iommu_ops viommu_ops;
extern const struct iommu_domain_ops viommu_domain_ops;
extern const bool viommu_ops_takes_bound;
int viommu_ops_fwspec_init(struct device *dev, struct fwnode_handle *fwnode);
void viommu_ops_exit(void);

/* The N of virtioN, -1 before the domain is finalised. */
static inline int viommu_domain_index(const struct viommu_domain *domain)
{
	return domain->viommu ? domain->viommu->vdev->index : -1;
}

static inline struct viommu_domain *to_viommu_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct viommu_domain, domain);
}

#endif /* _VIOMMU_H */
