/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wire format: how a request is laid out, and what a status means.
 *
 * A request is one device-readable part followed by one device-writable part,
 * each in a single descriptor, because there are devices that take nothing
 * else. The layouts come from the uapi header; this file only fills them in
 * and converts endianness, so that no other file of the driver has to. It is
 * plain data in, plain data out, and is built in user space for tests.
 */
#ifndef _VIOMMU_WIRE_H
#define _VIOMMU_WIRE_H

#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>
#include <uapi/linux/virtio_iommu.h>

/* What an unwritten status reads as: no status of the specification. */
#define VIOMMU_STATUS_UNWRITTEN		0xff

/**
 * struct viommu_wire - one request, ready to be sent, and the memory to send it from
 * @attach: layout of ATTACH
 * @detach: layout of DETACH
 * @map: layout of MAP
 * @unmap: layout of UNMAP
 * @head: what every request begins with
 * @bytes: the same memory as bytes
 * @external: the buffer to send instead of this one, for PROBE, whose size the
 *	device chooses; it belongs to the device until the request is complete
 * @type: VIRTIO_IOMMU_T_*
 * @readable: bytes that the device reads, from the start of the buffer
 * @writable: bytes that the device writes, right behind; the tail is the last
 *	four of them
 *
 * Once the device has it, nothing of it but the status is looked at: it may be changed.
 */
struct viommu_wire {
	union {
		struct virtio_iommu_req_attach attach;
		struct virtio_iommu_req_detach detach;
		struct virtio_iommu_req_map map;
		struct virtio_iommu_req_unmap unmap;
		struct virtio_iommu_req_head head;
		u8 bytes[sizeof(struct virtio_iommu_req_map)];
	};
	void *external;
	u8 type;
	u32 readable;
	u32 writable;
};

/* A request of which only its type and sizes are known; the tail is last in each. */
static inline void viommu_wire_begin(struct viommu_wire *wire, u8 type, u32 size)
{
	memset(wire->bytes, 0, sizeof(wire->bytes));
	wire->head.type = type;
	wire->type = type;
	wire->external = NULL;
	wire->readable = size - sizeof(struct virtio_iommu_req_tail);
	wire->writable = sizeof(struct virtio_iommu_req_tail);
}

/**
 * viommu_wire_attach() - make a ATTACH request ("ATTACH request" in the specification)
 * @wire: the request
 * @domain: domain ID
 * @endpoint: endpoint ID
 * @bypass: whether the domain is a bypass domain
 */
static inline void viommu_wire_attach(struct viommu_wire *wire, u32 domain, u32 endpoint,
				      bool bypass)
{
	viommu_wire_begin(wire, VIRTIO_IOMMU_T_ATTACH, sizeof(wire->attach));
	wire->attach.domain = cpu_to_le32(domain);
	wire->attach.endpoint = cpu_to_le32(endpoint);
	wire->attach.flags = cpu_to_le32(bypass ? VIRTIO_IOMMU_ATTACH_F_BYPASS : 0);
}

/**
 * viommu_wire_detach() - make a DETACH request ("DETACH request" in the specification)
 * @wire: the request
 * @domain: domain ID
 * @endpoint: endpoint ID
 */
static inline void viommu_wire_detach(struct viommu_wire *wire, u32 domain, u32 endpoint)
{
	viommu_wire_begin(wire, VIRTIO_IOMMU_T_DETACH, sizeof(wire->detach));
	wire->detach.domain = cpu_to_le32(domain);
	wire->detach.endpoint = cpu_to_le32(endpoint);
}

/**
 * viommu_wire_map() - make a MAP request ("MAP request" in the specification)
 * @wire: the request
 * @domain: domain ID
 * @start: first IOVA
 * @last: last IOVA, above @start
 * @phys: physical address that @start translates to
 * @flags: VIRTIO_IOMMU_MAP_F_*
 */
static inline void viommu_wire_map(struct viommu_wire *wire, u32 domain, u64 start, u64 last,
				   u64 phys, u32 flags)
{
	viommu_wire_begin(wire, VIRTIO_IOMMU_T_MAP, sizeof(wire->map));
	wire->map.domain = cpu_to_le32(domain);
	wire->map.virt_start = cpu_to_le64(start);
	wire->map.virt_end = cpu_to_le64(last);
	wire->map.phys_start = cpu_to_le64(phys);
	wire->map.flags = cpu_to_le32(flags);
}

/**
 * viommu_wire_unmap() - make a UNMAP request ("UNMAP request" in the specification)
 * @wire: the request
 * @domain: domain ID
 * @start: first IOVA: first of a mapping, or outside any
 * @last: last IOVA: last of a mapping, or outside any
 */
static inline void viommu_wire_unmap(struct viommu_wire *wire, u32 domain, u64 start, u64 last)
{
	viommu_wire_begin(wire, VIRTIO_IOMMU_T_UNMAP, sizeof(wire->unmap));
	wire->unmap.domain = cpu_to_le32(domain);
	wire->unmap.virt_start = cpu_to_le64(start);
	wire->unmap.virt_end = cpu_to_le64(last);
}

/**
 * viommu_wire_probe() - make a PROBE request ("PROBE request" in the specification)
 * @wire: the request
 * @buffer: memory for the whole request, viommu_wire_probe_size() bytes, zeroed
 * @endpoint: endpoint ID
 * @probe_size: size of the properties, in bytes, as the device's config says
 */
static inline void viommu_wire_probe(struct viommu_wire *wire, void *buffer, u32 endpoint,
				     u32 probe_size)
{
	struct virtio_iommu_req_probe *probe = buffer;

	probe->head.type = VIRTIO_IOMMU_T_PROBE;
	probe->endpoint = cpu_to_le32(endpoint);
	wire->external = buffer;
	wire->type = VIRTIO_IOMMU_T_PROBE;
	wire->readable = sizeof(*probe);
	wire->writable = probe_size + sizeof(struct virtio_iommu_req_tail);
}

/**
 * viommu_wire_probe_size() - memory that a PROBE request takes
 * @probe_size: size of the properties, in bytes
 *
 * Return: bytes.
 */
static inline size_t viommu_wire_probe_size(u32 probe_size)
{
	return sizeof(struct virtio_iommu_req_probe) + probe_size +
	       sizeof(struct virtio_iommu_req_tail);
}

/**
 * struct viommu_target - what a request is about, for a person
 * @domain: domain ID, 0 in a PROBE
 * @endpoint: endpoint ID, 0 in MAP and UNMAP
 * @start: first IOVA of MAP and UNMAP, else 0
 * @last: last IOVA of MAP and UNMAP, else 0
 */
struct viommu_target {
	u32 domain;
	u32 endpoint;
	u64 start;
	u64 last;
};

/**
 * viommu_wire_target() - what a request is about
 * @wire: the request
 *
 * Return: its addresses and IDs.
 */
static inline struct viommu_target viommu_wire_target(const struct viommu_wire *wire)
{
	const struct virtio_iommu_req_probe *probe = wire->external;

	switch (wire->type) {
	case VIRTIO_IOMMU_T_ATTACH:
		return (struct viommu_target){
			.domain = le32_to_cpu(wire->attach.domain),
			.endpoint = le32_to_cpu(wire->attach.endpoint),
		};
	case VIRTIO_IOMMU_T_DETACH:
		return (struct viommu_target){
			.domain = le32_to_cpu(wire->detach.domain),
			.endpoint = le32_to_cpu(wire->detach.endpoint),
		};
	case VIRTIO_IOMMU_T_MAP:
		return (struct viommu_target){
			.domain = le32_to_cpu(wire->map.domain),
			.start = le64_to_cpu(wire->map.virt_start),
			.last = le64_to_cpu(wire->map.virt_end),
		};
	case VIRTIO_IOMMU_T_UNMAP:
		return (struct viommu_target){
			.domain = le32_to_cpu(wire->unmap.domain),
			.start = le64_to_cpu(wire->unmap.virt_start),
			.last = le64_to_cpu(wire->unmap.virt_end),
		};
	default:
		return (struct viommu_target){ .endpoint = le32_to_cpu(probe->endpoint) };
	}
}

/**
 * viommu_status_errno() - what a status means to a caller
 * @status: status of a request, as the device wrote it
 *
 * Return: 0 for success, else the negative errno; -EIO for a status that the
 * specification does not know.
 */
static inline int viommu_status_errno(u8 status)
{
	switch (status) {
	case VIRTIO_IOMMU_S_OK:
		return 0;
	case VIRTIO_IOMMU_S_UNSUPP:
		return -EOPNOTSUPP;
	case VIRTIO_IOMMU_S_INVAL:
		return -EINVAL;
	case VIRTIO_IOMMU_S_RANGE:
		return -ERANGE;
	case VIRTIO_IOMMU_S_NOENT:
		return -ENOENT;
	case VIRTIO_IOMMU_S_FAULT:
		return -EFAULT;
	case VIRTIO_IOMMU_S_NOMEM:
		return -ENOMEM;
	default: /* IOERR, DEVERR, and what is none of them */
		return -EIO;
	}
}

/* As many as there are, and one each for an unwritten one and for all others. */
#define VIOMMU_NR_STATUSES	(VIRTIO_IOMMU_S_NOMEM + 3)

/**
 * viommu_status_index() - where to count a status
 * @status: status of a request, as the device wrote it
 *
 * Return: less than VIOMMU_NR_STATUSES; the status itself where the specification has it.
 */
static inline unsigned int viommu_status_index(u8 status)
{
	if (status <= VIRTIO_IOMMU_S_NOMEM)
		return status;
	return VIRTIO_IOMMU_S_NOMEM + (status == VIOMMU_STATUS_UNWRITTEN ? 1 : 2);
}

/**
 * viommu_status_name() - a status as the specification calls it
 * @status: status of a request, as the device wrote it
 *
 * Return: a constant string.
 */
static inline const char *viommu_status_name(u8 status)
{
	static const char * const names[] = {
		[VIRTIO_IOMMU_S_OK]	= "OK",
		[VIRTIO_IOMMU_S_IOERR]	= "IOERR",
		[VIRTIO_IOMMU_S_UNSUPP]	= "UNSUPP",
		[VIRTIO_IOMMU_S_DEVERR]	= "DEVERR",
		[VIRTIO_IOMMU_S_INVAL]	= "INVAL",
		[VIRTIO_IOMMU_S_RANGE]	= "RANGE",
		[VIRTIO_IOMMU_S_NOENT]	= "NOENT",
		[VIRTIO_IOMMU_S_FAULT]	= "FAULT",
		[VIRTIO_IOMMU_S_NOMEM]	= "NOMEM",
	};

	if (status <= VIRTIO_IOMMU_S_NOMEM)
		return names[status];
	return status == VIOMMU_STATUS_UNWRITTEN ? "unwritten" : "unknown status";
}

#endif /* _VIOMMU_WIRE_H */
