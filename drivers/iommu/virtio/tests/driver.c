// SPDX-License-Identifier: GPL-2.0
/*
 * The queue and the domains of the driver once more, for the suites alone, and the model of
 * the mock device. What they need of the rest of the driver is device.c's.
 */
#define NOTRACE /* the tracepoints are the driver's */
#include "kunit.h"

#include "../request.c"
#include "../domain.c"
#include "../paging.c"
#include "../attach.c"
#include "../lost.c"
#include "../reserve.c"
#include "../ids.c"

#include "../mock/model.c"
#include "../mock/space.c"
#include "../mock/ring.c"

unsigned int * const param_timeout_ms = &timeout_ms;
