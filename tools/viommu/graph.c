// SPDX-License-Identifier: GPL-2.0
/*
 * viommu graph: who is behind what, as a picture.
 *
 * From left to right: firmware's tables, the virtio-iommus that they mention, endpoint
 * IDs, the devices that have them, groups, domains. What reaches all memory leads there,
 * in red.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph.h"
#include "system.h"

static const char *format = "dot";
static const char *output;

static size_t add_iommu(struct graph *graph, const struct system *system, size_t index)
{
	const struct iommu *iommu = &system->iommus[index];

	return graph_node(graph, GRAPH_IOMMU, iommu->name,
			  !iommu->driver || system->states[index].dead,
			  text("%s\nvirtio-iommu at %s\ndriver: %s\nbypass: %s", iommu->name,
			       iommu->parent, !iommu->driver ? "none" :
			       iommu->ours ? "viommu" : "stock",
			       bypass_name(system->states[index].bypass)));
}

static void add_tables(struct graph *graph, const struct system *system)
{
	enum description by;
	size_t i, table;

	for (i = 0; i < system->nr_iommus; i++) {
		add_iommu(graph, system, i);
		for (by = 0; by < DESCRIPTIONS; by++) {
			if (!(system->states[i].described & 1U << by))
				continue;
			table = graph_node(graph, GRAPH_TABLE, description_names[by], false,
					   text("%s", description_names[by]));
			graph_edge(graph, table, add_iommu(graph, system, i), false);
		}
	}
}

/* An endpoint ID is one of its virtio-iommu. */
static void add_endpoints(struct graph *graph, const struct system *system,
			  const struct device *device, size_t node)
{
	const char *iommu = system->iommus[device->iommu].name;
	bool bad = !device->attached;
	size_t i, endpoint;
	char *name;

	for (i = 0; i < device->nr_endpoints; i++) {
		name = text("%s/0x%x", iommu, device->endpoints[i]);
		endpoint = graph_node(graph, GRAPH_ENDPOINT, name, false,
				      text("0x%x", device->endpoints[i]));
		free(name);
		graph_edge(graph, add_iommu(graph, system, device->iommu), endpoint, bad);
		graph_edge(graph, endpoint, node, bad);
	}
	if (!device->nr_endpoints)
		graph_edge(graph, add_iommu(graph, system, device->iommu), node, bad);
}

static size_t add_domain(struct graph *graph, const struct system *system,
			 const struct device *device)
{
	size_t node;
	char *name;

	if (reach_is_bad(device->reach))
		return graph_node(graph, GRAPH_MEMORY, "all", true, text("all memory"));
	if (device->domain >= 0) {
		name = text("%s/%" PRIi64, system->iommus[device->iommu].name, device->domain);
		node = graph_node(graph, GRAPH_DOMAIN, name, false,
				  text("domain %" PRIi64 "\n%s", device->domain, device->kind));
	} else {
		/* By the stock driver, or without root: a group has one. */
		name = text("of group %d", device->group);
		node = graph_node(graph, GRAPH_DOMAIN, name, false,
				  text("domain\n%s", device->type ? device->type : "unknown"));
	}
	free(name);
	return node;
}

static void add_device(struct graph *graph, const struct system *system,
		       const struct device *device)
{
	bool bad = reach_is_bad(device->reach);
	const char *driver = device->virtio_driver ? device->virtio_driver : device->driver;
	size_t node, group;
	char *name;

	node = graph_node(graph, GRAPH_DEVICE, device->name, bad,
			  text("%s%s%s%s%s", device->name, driver ? "  " : "", driver ? driver : "",
			       *device->label ? "\n" : "", device->label));
	if (device->iommu >= 0)
		add_endpoints(graph, system, device, node);
	if (device->group >= 0 && device->iommu >= 0) {
		name = text("%d", device->group);
		group = graph_node(graph, GRAPH_GROUP, name, false,
				   text("group %d\n%s", device->group,
					device->type ? device->type : "unknown"));
		free(name);
		graph_edge(graph, node, group, bad);
		/* A virtio device that goes past the IOMMU is not what its group is. */
		graph_edge(graph, device->reach == REACH_PAST ? node : group,
			   add_domain(graph, system, device), bad);
	} else if (bad) {
		graph_edge(graph, node, add_domain(graph, system, device), true);
	}
}

static void write_all(const struct graph *graph, FILE *file)
{
	if (options.json)
		json_print(graph_json(graph));
	else
		graph_write_dot(graph, file);
}

/* Graphviz reads from us, and writes to stdout, which may be a file by now. */
static int run_graphviz(const struct graph *graph)
{
	char *type = text("-T%s", format);
	int ends[2], how = 0;
	FILE *file;
	pid_t pid;

	if (pipe(ends))
		fail(EXIT_FAILED, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fail(EXIT_FAILED, "fork: %s", strerror(errno));
	if (!pid) {
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		execlp("dot", "dot", type, NULL);
		_exit(127);
	}
	close(ends[0]);
	/* Where it is not there nobody reads, which the exit status says better. */
	signal(SIGPIPE, SIG_IGN);
	file = fdopen(ends[1], "w");
	if (file) {
		graph_write_dot(graph, file);
		fclose(file);
	}
	free(type);
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(how) && WEXITSTATUS(how) == 127)
		fail(EXIT_FAILED, "no dot: for -T %s install Graphviz (apt install graphviz)",
		     format);
	return WIFEXITED(how) && !WEXITSTATUS(how) ? EXIT_OK : EXIT_FAILED;
}

static void handle(int val, const char *arg)
{
	switch (val) {
	case 'T':
		if (strcmp(arg, "dot") && strcmp(arg, "svg") && strcmp(arg, "png"))
			fail(EXIT_USAGE, "-T: dot, svg or png, not %s", arg);
		format = arg;
		break;
	case 'o':
		output = arg;
		break;
	}
}

static int run(int argc, char **argv)
{
	static const struct option own[] = {
		{ "type", required_argument, NULL, 'T' },
		{ "output", required_argument, NULL, 'o' },
		{ }
	};
	struct graph graph = { };
	struct system *system;
	size_t i;

	if (options_parse(argc, argv, &command_graph, own, handle) < argc)
		fail(EXIT_USAGE, "graph takes no arguments");
	if (options.json && strcmp(format, "dot"))
		fail(EXIT_USAGE, "--json or -T %s, not both", format);
	iommus_need();
	if (!output && !strcmp(format, "png") && isatty(STDOUT_FILENO))
		fail(EXIT_USAGE, "a PNG is nothing for a terminal: say -o FILE");
	system = system_read();
	add_tables(&graph, system);
	for (i = 0; i < system->nr_devices; i++) {
		if (system->devices[i].reach != REACH_IOMMU &&
		    system->devices[i].reach != REACH_OTHER)
			add_device(&graph, system, &system->devices[i]);
	}
	if (output && !freopen(output, "w", stdout))
		fail(EXIT_FAILED, "%s: %s", output, strerror(errno));
	if (strcmp(format, "dot"))
		return run_graphviz(&graph);
	write_all(&graph, stdout);
	return EXIT_OK;
}

const struct command command_graph = {
	.name = "graph",
	.arguments = "",
	.summary = "Draw who is behind what, for Graphviz",
	.help = "  -o, --output FILE  write to FILE, not to stdout\n"
		"  -T, --type TYPE    dot (the default), svg or png; the last two by Graphviz\n",
	.run = run,
};
