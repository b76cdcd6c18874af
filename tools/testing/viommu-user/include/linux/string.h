/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_STRING_H
#define _VIOMMU_USER_STRING_H

#include <string.h>

#endif /* _VIOMMU_USER_STRING_H */
