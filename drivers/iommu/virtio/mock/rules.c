// SPDX-License-Identifier: GPL-2.0
/*
 * Fault rules. One is a line: a type of request, which of them, and what the device
 * does in the place of an honest answer:
 *
 *	map 3 status 5		the third MAP from now on is refused with RANGE
 *	any 1- silent		nothing is answered any more
 *	unmap 2-4 late 50	these are answered 50 ms later
 *
 * Of several that hold the first one does. The caller serialises.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <uapi/linux/virtio_iommu.h>

#include "rules.h"

static const char * const mock_request_names[] = {
	[0] = "any",
	[VIRTIO_IOMMU_T_ATTACH] = "attach",
	[VIRTIO_IOMMU_T_DETACH] = "detach",
	[VIRTIO_IOMMU_T_MAP] = "map",
	[VIRTIO_IOMMU_T_UNMAP] = "unmap",
	[VIRTIO_IOMMU_T_PROBE] = "probe",
};

static const struct {
	const char *name;
	bool has_value;
} mock_actions[] = {
	[MOCK_STATUS] = { "status", true },
	[MOCK_USED] = { "used", true },
	[MOCK_SILENT] = { "silent", false },
	[MOCK_LATE] = { "late", true },
	[MOCK_TWICE] = { "twice", false },
	[MOCK_BOGUS] = { "bogus", true },
	[MOCK_RESET] = { "reset", false },
};

/**
 * mock_request_name() - a type of request in a word
 * @type: VIRTIO_IOMMU_T_*, or 0
 *
 * Return: a constant string.
 */
const char *mock_request_name(u8 type)
{
	return mock_request_names[type];
}

/**
 * mock_action_name() - an action in a word
 * @action: the action
 *
 * Return: a constant string.
 */
const char *mock_action_name(enum mock_action action)
{
	return mock_actions[action].name;
}

static int mock_rule_parse(struct mock_rule *rule, const char *line)
{
	char type[8], which[24], action[8], rest;
	int fields, i;

	fields = sscanf(line, "%7s %23s %7s %u %c", type, which, action, &rule->value, &rest);
	if (fields < 3 || fields > 4)
		return -EINVAL;

	for (i = 0; strcmp(type, mock_request_names[i]); i++)
		if (i == ARRAY_SIZE(mock_request_names) - 1)
			return -EINVAL;
	rule->type = i;

	for (i = 0; strcmp(action, mock_actions[i].name); i++)
		if (i == ARRAY_SIZE(mock_actions) - 1)
			return -EINVAL;
	rule->action = i;
	if (fields != (mock_actions[i].has_value ? 4 : 3))
		return -EINVAL;

	fields = sscanf(which, "%u-%u", &rule->first, &rule->last);
	if (fields < 1)
		return -EINVAL;
	if (fields == 1)
		rule->last = strchr(which, '-') ? U32_MAX : rule->first;
	return rule->first && rule->first <= rule->last ? 0 : -EINVAL;
}

/**
 * mock_rules_add() - make a rule
 * @rules: the rules
 * @line: as above
 *
 * Return: 0, -EINVAL where it makes no sense, -ENOSPC.
 */
int mock_rules_add(struct mock_rules *rules, const char *line)
{
	struct mock_rule rule = {};
	int ret = mock_rule_parse(&rule, line);

	if (ret)
		return ret;
	if (rules->nr == MOCK_RULES_MAX)
		return -ENOSPC;
	rules->rules[rules->nr++] = rule;
	return 0;
}

/**
 * mock_rules_match() - a request has come
 * @rules: the rules
 * @type: of the request
 *
 * Return: the rule that holds for it, or NULL.
 */
const struct mock_rule *mock_rules_match(struct mock_rules *rules, u8 type)
{
	struct mock_rule *rule, *found = NULL;

	for (rule = rules->rules; rule < rules->rules + rules->nr; rule++) {
		if (rule->type && rule->type != type)
			continue;
		rule->seen++;
		if (found || rule->seen < rule->first || rule->seen > rule->last)
			continue;
		rule->hits++;
		found = rule;
	}
	return found;
}
