/* SPDX-License-Identifier: GPL-2.0 */
/* Fault rules: which requests the device answers otherwise than it should. See rules.c. */
#ifndef _VIOMMU_MOCK_RULES_H
#define _VIOMMU_MOCK_RULES_H

#include <linux/types.h>

#define MOCK_RULES_MAX	16

enum mock_action {
	MOCK_STATUS,	/* refuse with this status */
	MOCK_USED,	/* do it, with this used length */
	MOCK_SILENT,	/* take it, and never answer */
	MOCK_LATE,	/* do it, and answer so many milliseconds later */
	MOCK_TWICE,	/* do it, and answer twice */
	MOCK_BOGUS,	/* do it, and answer for this descriptor */
	MOCK_RESET,	/* take it, and ask for a reset */
};

/**
 * struct mock_rule - a rule
 * @type: of request, VIRTIO_IOMMU_T_*; 0: any
 * @first: it holds from the so manieth of them on, counted from 1
 * @last: to this one
 * @action: what the device does
 * @value: of the action
 * @seen: requests of the type so far
 * @hits: how often it held
 */
struct mock_rule {
	u8 type;
	u32 first;
	u32 last;
	enum mock_action action;
	u32 value;
	u32 seen;
	u32 hits;
};

/**
 * struct mock_rules - the rules of a device
 * @nr: how many
 * @rules: in the order in which they were made
 */
struct mock_rules {
	unsigned int nr;
	struct mock_rule rules[MOCK_RULES_MAX];
};

int mock_rules_add(struct mock_rules *rules, const char *line);
const struct mock_rule *mock_rules_match(struct mock_rules *rules, u8 type);
const char *mock_request_name(u8 type);
const char *mock_action_name(enum mock_action action);

#endif /* _VIOMMU_MOCK_RULES_H */
