// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes and edges, in the language of Graphviz and as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "graph.h"

static const struct {
	const char *name;
	const char *style;
} kinds[GRAPH_KINDS] = {
	[GRAPH_TABLE] = { "table", "shape=note, fillcolor=\"#fff3cd\"" },
	[GRAPH_IOMMU] = { "iommu", "shape=box3d, fillcolor=\"#cfe2ff\"" },
	[GRAPH_ENDPOINT] = { "endpoint", "shape=ellipse, fillcolor=\"#ffffff\"" },
	[GRAPH_DEVICE] = { "device", "shape=box, fillcolor=\"#f8f9fa\"" },
	[GRAPH_GROUP] = { "group", "shape=folder, fillcolor=\"#e2e3e5\"" },
	[GRAPH_DOMAIN] = { "domain", "shape=cylinder, fillcolor=\"#d1e7dd\"" },
	[GRAPH_MEMORY] = { "memory", "shape=octagon, fillcolor=\"#f8d7da\"" },
};

size_t graph_node(struct graph *graph, enum graph_kind kind, const char *name, bool bad,
		  char *label)
{
	char *id = text("%s %s", kinds[kind].name, name);
	size_t i;

	for (i = 0; i < graph->nr_nodes; i++) {
		if (!strcmp(graph->nodes[i].id, id)) {
			free(label);
			free(id);
			return i;
		}
	}
	make_printable(id);
	graph->nodes = resize(graph->nodes, (i + 1) * sizeof(*graph->nodes));
	graph->nodes[i] = (struct graph_node) {
		.kind = kind, .bad = bad, .id = id, .label = label,
	};
	graph->nr_nodes++;
	return i;
}

void graph_edge(struct graph *graph, size_t from, size_t to, bool bad)
{
	size_t i;

	for (i = 0; i < graph->nr_edges; i++) {
		if (graph->edges[i].from == from && graph->edges[i].to == to)
			return;
	}
	graph->edges = resize(graph->edges, (i + 1) * sizeof(*graph->edges));
	graph->edges[i] = (struct graph_edge) { .from = from, .to = to, .bad = bad };
	graph->nr_edges++;
}

/* Quotes and backslashes mean something in a quoted string, and so do ends of lines. */
static void write_quoted(FILE *file, const char *string)
{
	fputc('"', file);
	for (; *string; string++) {
		if (*string == '\n') {
			fputs("\\n", file);
			continue;
		}
		if (*string == '"' || *string == '\\')
			fputc('\\', file);
		fputc((unsigned char)*string < ' ' || *string == 0x7f ? '?' : *string, file);
	}
	fputc('"', file);
}

void graph_write_dot(const struct graph *graph, FILE *file)
{
	size_t i;

	fprintf(file, "digraph viommu {\n"
		"\tgraph [rankdir=LR, nodesep=0.15, ranksep=0.6];\n"
		"\tnode [fontname=\"sans-serif\", fontsize=10, style=filled, height=0.3];\n"
		"\tedge [color=\"#6c757d\", arrowsize=0.6];\n\n");
	for (i = 0; i < graph->nr_nodes; i++) {
		const struct graph_node *node = &graph->nodes[i];

		fprintf(file, "\tn%zu [label=", i);
		write_quoted(file, node->label);
		fprintf(file, ", tooltip=");
		write_quoted(file, node->id);
		fprintf(file, ", %s%s];\n", kinds[node->kind].style,
			node->bad ? ", color=\"#dc3545\", fontcolor=\"#dc3545\", penwidth=2" : "");
	}
	fputc('\n', file);
	for (i = 0; i < graph->nr_edges; i++)
		fprintf(file, "\tn%zu -> n%zu%s;\n", graph->edges[i].from, graph->edges[i].to,
			graph->edges[i].bad ? " [color=\"#dc3545\", style=dashed]" : "");
	fprintf(file, "}\n");
}

struct json_object *graph_json(const struct graph *graph)
{
	struct json_object *json = json_object_new_object();
	struct json_object *nodes = json_object_new_array();
	struct json_object *edges = json_object_new_array();
	struct json_object *item;
	size_t i;

	for (i = 0; i < graph->nr_nodes; i++) {
		item = json_object_new_object();
		json_object_object_add(item, "id", json_text(graph->nodes[i].id));
		json_object_object_add(item, "kind", json_text(kinds[graph->nodes[i].kind].name));
		json_object_object_add(item, "label", json_text(graph->nodes[i].label));
		json_object_object_add(item, "bad", json_object_new_boolean(graph->nodes[i].bad));
		json_object_array_add(nodes, item);
	}
	for (i = 0; i < graph->nr_edges; i++) {
		item = json_object_new_object();
		json_object_object_add(item, "from",
				       json_text(graph->nodes[graph->edges[i].from].id));
		json_object_object_add(item, "to", json_text(graph->nodes[graph->edges[i].to].id));
		json_object_object_add(item, "bad", json_object_new_boolean(graph->edges[i].bad));
		json_object_array_add(edges, item);
	}
	json_object_object_add(json, "nodes", nodes);
	json_object_object_add(json, "edges", edges);
	return json;
}
