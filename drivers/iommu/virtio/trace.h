/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: /sys/kernel/tracing/events/virtio_iommu/, for perf, trace-cmd, bpftrace and
 * "viommu trace".
 *
 * viommu_map and viommu_unmap are what the core asked for, the requests what became of
 * it: a request has the same @device and @seq when it is queued and when it is complete.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM virtio_iommu

#if !defined(_VIOMMU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VIOMMU_TRACE_H

#include <linux/tracepoint.h>

#include "viommu.h"

#define viommu_trace_type(type)						\
	__print_symbolic(type,						\
			 { VIRTIO_IOMMU_T_ATTACH, "ATTACH" },		\
			 { VIRTIO_IOMMU_T_DETACH, "DETACH" },		\
			 { VIRTIO_IOMMU_T_MAP, "MAP" },			\
			 { VIRTIO_IOMMU_T_UNMAP, "UNMAP" },		\
			 { VIRTIO_IOMMU_T_PROBE, "PROBE" })

#define viommu_trace_status(status)					\
	__print_symbolic(status,					\
			 { VIRTIO_IOMMU_S_OK, "OK" },			\
			 { VIRTIO_IOMMU_S_IOERR, "IOERR" },		\
			 { VIRTIO_IOMMU_S_UNSUPP, "UNSUPP" },		\
			 { VIRTIO_IOMMU_S_DEVERR, "DEVERR" },		\
			 { VIRTIO_IOMMU_S_INVAL, "INVAL" },		\
			 { VIRTIO_IOMMU_S_RANGE, "RANGE" },		\
			 { VIRTIO_IOMMU_S_NOENT, "NOENT" },		\
			 { VIRTIO_IOMMU_S_FAULT, "FAULT" },		\
			 { VIRTIO_IOMMU_S_NOMEM, "NOMEM" },		\
			 { VIOMMU_STATUS_UNWRITTEN, "unwritten" })

#define viommu_trace_access(flags)					\
	__print_flags(flags, "|",					\
		      { VIRTIO_IOMMU_MAP_F_READ, "READ" },		\
		      { VIRTIO_IOMMU_MAP_F_WRITE, "WRITE" },		\
		      { VIRTIO_IOMMU_MAP_F_MMIO, "MMIO" })

TRACE_EVENT(viommu_request_queued,

	TP_PROTO(const struct viommu_queue *queue, const struct viommu_request *request),

	TP_ARGS(queue, request),

	TP_STRUCT__entry(
		__field(int, device)
		__field(u64, seq)
		__field(u8, type)
		__field(u32, domain)
		__field(u32, endpoint)
		__field(u64, start)
		__field(u64, last)
	),

	TP_fast_assign(
		struct viommu_target target = viommu_wire_target(request->wire);

		__entry->device = queue->vdev->index;
		__entry->seq = request->seq;
		__entry->type = request->type;
		__entry->domain = target.domain;
		__entry->endpoint = target.endpoint;
		__entry->start = target.start;
		__entry->last = target.last;
	),

	TP_printk("virtio%d seq=%llu %s domain=%u endpoint=%#x range=%#llx-%#llx",
		  __entry->device, __entry->seq, viommu_trace_type(__entry->type),
		  __entry->domain, __entry->endpoint, __entry->start, __entry->last)
);

TRACE_EVENT(viommu_request_completed,

	TP_PROTO(const struct viommu_queue *queue, const struct viommu_request *request,
		 u8 status, int error),

	TP_ARGS(queue, request, status, error),

	TP_STRUCT__entry(
		__field(int, device)
		__field(u64, seq)
		__field(u8, type)
		__field(u8, status)
		__field(int, error)
	),

	TP_fast_assign(
		__entry->device = queue->vdev->index;
		__entry->seq = request->seq;
		__entry->type = request->type;
		__entry->status = status;
		__entry->error = error;
	),

	TP_printk("virtio%d seq=%llu %s status=%s error=%d", __entry->device, __entry->seq,
		  viommu_trace_type(__entry->type), viommu_trace_status(__entry->status),
		  __entry->error)
);

TRACE_EVENT(viommu_kick,

	TP_PROTO(const struct viommu_queue *queue),

	TP_ARGS(queue),

	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, requests)
	),

	TP_fast_assign(
		__entry->device = queue->vdev->index;
		__entry->requests = queue->in_flight;
	),

	TP_printk("virtio%d requests=%u", __entry->device, __entry->requests)
);

TRACE_EVENT(viommu_dead,

	TP_PROTO(const struct viommu_queue *queue, int error, const char *why),

	TP_ARGS(queue, error, why),

	TP_STRUCT__entry(
		__field(int, device)
		__field(int, error)
		__array(char, why, 48)
	),

	TP_fast_assign(
		__entry->device = queue->vdev->index;
		__entry->error = error;
		strscpy(__entry->why, why, sizeof(__entry->why));
	),

	TP_printk("virtio%d error=%d: %s", __entry->device, __entry->error, __entry->why)
);

TRACE_EVENT(viommu_map,

	TP_PROTO(const struct viommu_domain *domain, u64 start, u64 last, u64 phys, u32 flags,
		 int error),

	TP_ARGS(domain, start, last, phys, flags, error),

	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, domain)
		__field(u64, start)
		__field(u64, last)
		__field(u64, phys)
		__field(u32, flags)
		__field(int, error)
	),

	TP_fast_assign(
		__entry->device = viommu_domain_index(domain);
		__entry->domain = domain->id;
		__entry->start = start;
		__entry->last = last;
		__entry->phys = phys;
		__entry->flags = flags;
		__entry->error = error;
	),

	TP_printk("virtio%d domain=%u range=%#llx-%#llx phys=%#llx flags=%s error=%d",
		  __entry->device, __entry->domain, __entry->start, __entry->last, __entry->phys,
		  viommu_trace_access(__entry->flags), __entry->error)
);

TRACE_EVENT(viommu_unmap,

	TP_PROTO(const struct viommu_domain *domain, u64 start, u64 last),

	TP_ARGS(domain, start, last),

	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, domain)
		__field(u64, start)
		__field(u64, last)
	),

	TP_fast_assign(
		__entry->device = viommu_domain_index(domain);
		__entry->domain = domain->id;
		__entry->start = start;
		__entry->last = last;
	),

	TP_printk("virtio%d domain=%u range=%#llx-%#llx", __entry->device, __entry->domain,
		  __entry->start, __entry->last)
);

DECLARE_EVENT_CLASS(viommu_attachment,

	TP_PROTO(const struct viommu_device *viommu, u32 domain, u32 endpoint, int error),

	TP_ARGS(viommu, domain, endpoint, error),

	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, domain)
		__field(u32, endpoint)
		__field(int, error)
	),

	TP_fast_assign(
		__entry->device = viommu->vdev->index;
		__entry->domain = domain;
		__entry->endpoint = endpoint;
		__entry->error = error;
	),

	TP_printk("virtio%d domain=%u endpoint=%#x error=%d", __entry->device, __entry->domain,
		  __entry->endpoint, __entry->error)
);

DEFINE_EVENT(viommu_attachment, viommu_attach,

	TP_PROTO(const struct viommu_device *viommu, u32 domain, u32 endpoint, int error),

	TP_ARGS(viommu, domain, endpoint, error)
);

DEFINE_EVENT(viommu_attachment, viommu_detach,

	TP_PROTO(const struct viommu_device *viommu, u32 domain, u32 endpoint, int error),

	TP_ARGS(viommu, domain, endpoint, error)
);

TRACE_EVENT(viommu_probe,

	TP_PROTO(const struct viommu_device *viommu, u32 endpoint, int error),

	TP_ARGS(viommu, endpoint, error),

	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, endpoint)
		__field(int, error)
	),

	TP_fast_assign(
		__entry->device = viommu->vdev->index;
		__entry->endpoint = endpoint;
		__entry->error = error;
	),

	TP_printk("virtio%d endpoint=%#x error=%d", __entry->device, __entry->endpoint,
		  __entry->error)
);

TRACE_EVENT(viommu_fault,

	TP_PROTO(const struct viommu_device *viommu, const struct viommu_fault *fault),

	TP_ARGS(viommu, fault),

	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, endpoint)
		__field(u64, address)
		__field(u32, flags)
		__field(u8, reason)
	),

	TP_fast_assign(
		__entry->device = viommu->vdev->index;
		__entry->endpoint = fault->endpoint;
		__entry->address = fault->address;
		__entry->flags = (fault->read ? VIRTIO_IOMMU_FAULT_F_READ : 0) |
				 (fault->write ? VIRTIO_IOMMU_FAULT_F_WRITE : 0) |
				 (fault->exec ? VIRTIO_IOMMU_FAULT_F_EXEC : 0) |
				 (fault->has_address ? VIRTIO_IOMMU_FAULT_F_ADDRESS : 0);
		__entry->reason = fault->reason;
	),

	TP_printk("virtio%d endpoint=%#x address=%#llx flags=%s reason=%s", __entry->device,
		  __entry->endpoint, __entry->address,
		  __print_flags(__entry->flags, "|",
				{ VIRTIO_IOMMU_FAULT_F_READ, "READ" },
				{ VIRTIO_IOMMU_FAULT_F_WRITE, "WRITE" },
				{ VIRTIO_IOMMU_FAULT_F_EXEC, "EXEC" },
				{ VIRTIO_IOMMU_FAULT_F_ADDRESS, "ADDRESS" }),
		  __print_symbolic(__entry->reason,
				   { VIRTIO_IOMMU_FAULT_R_UNKNOWN, "UNKNOWN" },
				   { VIRTIO_IOMMU_FAULT_R_DOMAIN, "DOMAIN" },
				   { VIRTIO_IOMMU_FAULT_R_MAPPING, "MAPPING" }))
);

#endif /* _VIOMMU_TRACE_H */

/* Not in include/trace/events/: that is for the whole kernel. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
