/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints that nobody looks at. */
#ifndef _VIOMMU_USER_TRACEPOINT_H
#define _VIOMMU_USER_TRACEPOINT_H

#define TP_PROTO(args...)	args
#define TP_ARGS(args...)	args

#define TRACE_EVENT(name, proto, args, ...)				\
	static inline void trace_##name(proto) {}
#define DECLARE_EVENT_CLASS(name, ...)
#define DEFINE_EVENT(class, name, proto, args)				\
	static inline void trace_##name(proto) {}

#endif /* _VIOMMU_USER_TRACEPOINT_H */
