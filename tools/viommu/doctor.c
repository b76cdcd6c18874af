// SPDX-License-Identifier: GPL-2.0
/*
 * viommu doctor: is all well, and if not, what to do.
 *
 * Checks look at one thing each and leave findings, good ones too, so that one sees what
 * was looked at. The worst finding decides about the exit status. A finding has an ID
 * that stays, for scripts; its words may change.
 */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

static const char *table_file;
static bool decode;

struct finding *finding_add(struct findings *findings, enum severity severity, const char *id,
			    const char *format, ...)
{
	struct finding *finding;
	va_list arguments;

	findings->list = resize(findings->list, (findings->nr + 1) * sizeof(*finding));
	finding = &findings->list[findings->nr++];
	*finding = (struct finding) { .severity = severity, .id = id };
	va_start(arguments, format);
	if (vasprintf(&finding->text, format, arguments) < 0)
		fail(EXIT_FAILED, "no memory");
	va_end(arguments);
	make_printable(finding->text);
	return finding;
}

void finding_advise(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	free(finding->advice);
	va_start(arguments, format);
	if (vasprintf(&finding->advice, format, arguments) < 0)
		fail(EXIT_FAILED, "no memory");
	va_end(arguments);
}

void finding_add_device(struct finding *finding, const char *device)
{
	finding->devices = resize(finding->devices,
				  (finding->nr_devices + 1) * sizeof(*finding->devices));
	finding->devices[finding->nr_devices++] = device;
}

static const struct {
	const char *name;
	const char *word;
	enum colour colour;
} severities[] = {
	[SEVERITY_OK] = { "ok", "OK  ", GREEN },
	[SEVERITY_WARN] = { "warn", "WARN", YELLOW },
	[SEVERITY_BAD] = { "bad", "BAD ", RED },
};

static void print_finding(const struct finding *finding)
{
	size_t i;

	printf("%s%s%s  %s  %s[%s]%s\n", colour(severities[finding->severity].colour),
	       severities[finding->severity].word, colour(PLAIN), finding->text, colour(DIM),
	       finding->id, colour(PLAIN));
	for (i = 0; i < finding->nr_devices; i++)
		printf("%s%s%s", i % 6 ? " " : "      ", finding->devices[i],
		       i % 6 == 5 || i + 1 == finding->nr_devices ? "\n" : "");
	if (finding->advice)
		printf("      %s-> %s%s\n", colour(BOLD), finding->advice, colour(PLAIN));
}

static struct json_object *finding_json(const struct finding *finding)
{
	struct json_object *json = json_object_new_object();
	struct json_object *devices = json_object_new_array();
	size_t i;

	for (i = 0; i < finding->nr_devices; i++)
		json_object_array_add(devices, json_text(finding->devices[i]));
	json_object_object_add(json, "id", json_text(finding->id));
	json_object_object_add(json, "severity", json_text(severities[finding->severity].name));
	json_object_object_add(json, "text", json_text(finding->text));
	json_object_object_add(json, "advice", json_text(finding->advice));
	json_object_object_add(json, "devices", devices);
	return json;
}

static struct json_object *tables_json(const struct firmware *firmware)
{
	struct json_object *json = json_object_new_array();
	struct json_object *node;
	size_t i;

	for (i = 0; i < firmware->nr_nodes; i++) {
		node = json_object_new_object();
		json_object_object_add(node, "table",
				       json_text(description_names[firmware->nodes[i].by]));
		json_object_object_add(node, "offset", json_hex(firmware->nodes[i].offset));
		json_object_object_add(node, "bad",
				       json_object_new_boolean(firmware->nodes[i].bad));
		json_object_object_add(node, "text", json_text(firmware->nodes[i].text));
		json_object_array_add(json, node);
	}
	return json;
}

static void print_tables(const struct firmware *firmware)
{
	static const char *const headings[] = { "table", "offset", "what" };
	struct table *table = table_new(headings, ARRAY_SIZE(headings));
	size_t i;

	for (i = 0; i < firmware->nr_nodes; i++) {
		const struct firmware_node *node = &firmware->nodes[i];

		table_cell(table, PLAIN, "%s", description_names[node->by]);
		if (node->by == BY_DT)
			table_cell(table, PLAIN, "%s", "");
		else
			table_cell(table, PLAIN, "0x%04x", node->offset);
		table_cell(table, node->bad ? RED : PLAIN, "%s%s", node->bad ? "BAD: " : "",
			   node->text);
	}
	table_print(table);
}

/* A dump of a table, which need not be this system's. */
static int examine_file(void)
{
	struct firmware *firmware = firmware_read_file(table_file);
	int status = EXIT_OK;
	struct json_object *json;
	size_t i;

	for (i = 0; i < firmware->nr_nodes; i++) {
		if (firmware->nodes[i].bad)
			status = EXIT_FAILED;
	}
	if (options.json) {
		json = json_object_new_object();
		json_object_object_add(json, "tables", tables_json(firmware));
		json_print(json);
	} else {
		print_tables(firmware);
	}
	firmware_free(firmware);
	return status;
}

static void print_verdict(const struct findings *findings, const char *verdict)
{
	size_t i, bad = 0, warn = 0;

	for (i = 0; i < findings->nr; i++) {
		bad += findings->list[i].severity == SEVERITY_BAD;
		warn += findings->list[i].severity == SEVERITY_WARN;
	}
	printf("\n%s", colour(BOLD));
	if (!strcmp(verdict, "no-iommu"))
		printf("There is no virtio-iommu: nothing is protected by one.");
	else if (bad)
		printf("Not well: %zu bad, %zu to look at.", bad, warn);
	else if (warn)
		printf("Well, with %zu to look at.", warn);
	else
		printf("All is well.");
	printf("%s\n", colour(PLAIN));
}

static void print_all(const struct findings *findings, const struct system *system,
		      const char *verdict)
{
	struct json_object *json, *list;
	size_t i;

	if (!options.json) {
		for (i = 0; i < findings->nr; i++)
			print_finding(&findings->list[i]);
		if (decode) {
			putchar('\n');
			print_tables(system->firmware);
		}
		print_verdict(findings, verdict);
		return;
	}
	json = json_object_new_object();
	list = json_object_new_array();
	for (i = 0; i < findings->nr; i++)
		json_object_array_add(list, finding_json(&findings->list[i]));
	json_object_object_add(json, "verdict", json_text(verdict));
	json_object_object_add(json, "findings", list);
	json_object_object_add(json, "tables", tables_json(system->firmware));
	json_print(json);
}

static void handle(int val, const char *arg)
{
	switch (val) {
	case 't':
		table_file = arg;
		break;
	case 'd':
		decode = true;
		break;
	}
}

static int run(int argc, char **argv)
{
	static const struct option own[] = {
		{ "decode", no_argument, NULL, 'd' },
		{ "table", required_argument, NULL, 't' },
		{ }
	};
	enum severity worst = SEVERITY_OK;
	struct findings findings = { };
	struct system *system;
	bool present;
	size_t i;

	if (options_parse(argc, argv, &command_doctor, own, handle) < argc)
		fail(EXIT_USAGE, "doctor takes no arguments");
	if (table_file)
		return examine_file();

	system = system_read();
	present = iommu_is_present(system);
	check_presence(&findings, system);
	check_module(&findings, system);
	check_tables(&findings, system);
	if (present) {
		check_devices(&findings, system);
		check_modes(&findings, system);
		check_counters(&findings, system);
	}
	check_kernel(&findings, system);
	for (i = 0; i < findings.nr; i++) {
		if (findings.list[i].severity > worst)
			worst = findings.list[i].severity;
	}
	if (!present) {
		print_all(&findings, system, "no-iommu");
		return EXIT_NO_IOMMU;
	}
	print_all(&findings, system, severities[worst].name);
	return worst == SEVERITY_BAD ? EXIT_FAILED : EXIT_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "Say whether all is well, and if not, what to do",
	.help = "  -d, --decode      print what firmware tables say, node by node\n"
		"  -t, --table FILE  decode a dump of a VIOT or IORT, and nothing else\n"
		"\n"
		"Exit status: 0 where nothing is bad, 1 where something is, 3 without a\n"
		"virtio-iommu. With --table, 1 where something in it is bad.\n",
	.run = run,
};
