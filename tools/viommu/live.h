/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: what the commands share that go on until they are told to stop. */
#ifndef _VIOMMU_LIVE_H
#define _VIOMMU_LIVE_H

#include "viommu.h"

/* From here on a signal that would end the program has live_stopped() say so instead. */
void live_begin(void);
bool live_stopped(void);

/* When all is left in order: where nobody reads on, the program ends in silence, as others do. */
void live_end(void);

/* Sleep. Return: false if the program is to stop. */
bool live_sleep(double seconds);

/* What an option gave as a number of seconds, or as a count; it ends the program otherwise. */
double live_seconds(const char *arg);
unsigned long live_count(const char *arg);

/* Seconds since some time, which no change of the clock moves. */
double live_now(void);

/* Print @json on one line of stdout, at once, and free it. */
void live_json(struct json_object *json);

#endif /* _VIOMMU_LIVE_H */
