/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: nodes and edges of a picture, and what is made of them. */
#ifndef _VIOMMU_GRAPH_H
#define _VIOMMU_GRAPH_H

#include "viommu.h"

enum graph_kind { GRAPH_TABLE, GRAPH_IOMMU, GRAPH_ENDPOINT, GRAPH_DEVICE, GRAPH_GROUP,
		  GRAPH_DOMAIN, GRAPH_MEMORY, GRAPH_KINDS };

struct graph_node {
	enum graph_kind kind;
	bool bad;
	char *id;
	char *label;
};

struct graph_edge {
	size_t from, to;
	bool bad;
};

struct graph {
	struct graph_node *nodes;
	size_t nr_nodes;
	struct graph_edge *edges;
	size_t nr_edges;
};

/*
 * The node of that kind and name, which is added if it is not there yet; then @label is
 * taken over, else freed. Return: its index.
 */
size_t graph_node(struct graph *graph, enum graph_kind kind, const char *name, bool bad,
		  char *label);
/* Once, however often it is asked for. */
void graph_edge(struct graph *graph, size_t from, size_t to, bool bad);

void graph_write_dot(const struct graph *graph, FILE *file);
struct json_object *graph_json(const struct graph *graph);

#endif /* _VIOMMU_GRAPH_H */
