// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the tracepoints that trace.h declares. Nothing else: the macros want a file that
 * includes everything they need before.
 */
#include "viommu.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
