/* SPDX-License-Identifier: GPL-2.0 */
/* Messages go to the fake log, where a test counts and reads them: fake_virtqueue.c. */
#ifndef _VIOMMU_USER_DEVICE_H
#define _VIOMMU_USER_DEVICE_H

#include <linux/types.h>

struct device {
	const char *name;
};

void fake_log(const struct device *dev, bool ratelimited, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define dev_err(dev, ...)		fake_log(dev, false, __VA_ARGS__)
#define dev_warn(dev, ...)		fake_log(dev, false, __VA_ARGS__)
#define dev_err_ratelimited(dev, ...)	fake_log(dev, true, __VA_ARGS__)

static inline const char *dev_name(const struct device *dev)
{
	return dev->name;
}

#endif /* _VIOMMU_USER_DEVICE_H */
