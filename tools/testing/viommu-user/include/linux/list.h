/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_LIST_H
#define _VIOMMU_USER_LIST_H

#include <linux/types.h>

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#define LIST_HEAD(name)	struct list_head name = { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	entry->next = head;
	entry->prev = head->prev;
	head->prev->next = entry;
	head->prev = entry;
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	list_add_tail(entry, head->next);
}

static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	entry->next = NULL;
	entry->prev = NULL;
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
	list_del(entry);
	list_add(entry, head);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
	list_del(entry);
	list_add_tail(entry, head);
}

#define list_first_entry_or_null(head, type, member)					\
	((head)->next == (head) ? NULL : container_of((head)->next, type, member))

#define list_for_each_entry(pos, head, member)						\
	for (pos = container_of((head)->next, typeof(*pos), member);			\
	     &pos->member != (head);							\
	     pos = container_of(pos->member.next, typeof(*pos), member))

#define list_for_each_entry_safe(pos, next_pos, head, member)				\
	for (pos = container_of((head)->next, typeof(*pos), member),			\
	     next_pos = container_of(pos->member.next, typeof(*pos), member);		\
	     &pos->member != (head);							\
	     pos = next_pos, next_pos = container_of(pos->member.next, typeof(*pos), member))

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

#endif /* _VIOMMU_USER_LIST_H */
