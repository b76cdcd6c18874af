/* SPDX-License-Identifier: GPL-2.0 */
/* Users of the module: a test looks whether they are as many as there were. */
#ifndef _VIOMMU_USER_MODULE_H
#define _VIOMMU_USER_MODULE_H

extern int fake_module_users;

#define THIS_MODULE		(&fake_module_users)
#define __module_get(module)	((void)++*(module))
#define module_put(module)	((void)--*(module))

#endif /* _VIOMMU_USER_MODULE_H */
