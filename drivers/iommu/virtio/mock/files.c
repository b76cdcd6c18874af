// SPDX-License-Identifier: GPL-2.0
/*
 * A mock device by hand: its files, in /sys/kernel/debug/virtio-iommu-mock/NAME/.
 * Documentation/mock.rst has what to write and what is read. debugfs lets no file go while
 * it is in use, so the device is there.
 */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/property.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mock.h"

#define MOCK_ACCESS_MAX		SZ_64K
#define MOCK_LINE_MAX		SZ_256K

static int mock_ids_change(struct mock_device *mock, const char *range, bool known)
{
	struct mock_endpoint *endpoint;
	unsigned long flags;
	u32 id, last;
	int fields, ret = 0;

	fields = sscanf(range, "%i-%i", &id, &last);
	if (fields < 1 || (fields == 2 && (last < id || last - id > 1000)))
		return -EINVAL;
	if (fields == 1)
		last = id;
	spin_lock_irqsave(&mock->lock, flags);
	for (last++; id != last && !ret; id++) {
		endpoint = mock_model_endpoint(&mock->model, id);
		if (known && !mock_model_endpoint_add(&mock->model, id))
			ret = -ENOMEM;
		else if (!known && endpoint)
			mock_model_endpoint_del(&mock->model, endpoint);
	}
	spin_unlock_irqrestore(&mock->lock, flags);
	return ret;
}

/* Little-endian all of it, whatever this machine is. */
static void mock_config_field(struct mock_device *mock, const char *key, u64 value, bool *known)
{
	struct virtio_iommu_config *config = &mock->model.config;

	*known = true;
	if (!strcmp(key, "features"))
		mock->model.features = value;
	else if (!strcmp(key, "quirks"))
		mock->model.quirks = value;
	else if (!strcmp(key, "max_mappings"))
		mock->model.max_mappings = value;
	else if (!strcmp(key, "queue_size"))
		mock->queue_size = value;
	else if (!strcmp(key, "async"))
		mock->async = value;
	else if (!strcmp(key, "page_size_mask"))
		config->page_size_mask = cpu_to_le64(value);
	else if (!strcmp(key, "input_start"))
		config->input_range.start = cpu_to_le64(value);
	else if (!strcmp(key, "input_last"))
		config->input_range.end = cpu_to_le64(value);
	else if (!strcmp(key, "domain_start"))
		config->domain_range.start = cpu_to_le32(value);
	else if (!strcmp(key, "domain_last"))
		config->domain_range.end = cpu_to_le32(value);
	else if (!strcmp(key, "probe_size"))
		config->probe_size = cpu_to_le32(value);
	else if (!strcmp(key, "bypass"))
		config->bypass = value;
	else
		*known = false;
}

/* KEY=VALUE */
static int mock_config_set(struct mock_device *mock, char *word)
{
	char *key = strsep(&word, "=");
	unsigned long flags;
	bool known;
	u64 value;

	if (!word)
		return -EINVAL;
	if (!strcmp(key, "profile"))
		return mock_profile_set(mock, word);
	if (!strcmp(key, "ids"))
		return mock_ids_change(mock, word, true);
	if (kstrtou64(word, 0, &value))
		return -EINVAL;
	spin_lock_irqsave(&mock->lock, flags);
	mock_config_field(mock, key, value, &known);
	spin_unlock_irqrestore(&mock->lock, flags);
	return known ? 0 : -EINVAL;
}

/**
 * mock_config_write() - set some of what a device is like
 * @mock: the device
 * @line: words KEY=VALUE
 *
 * Context: May sleep.
 * Return: 0 or -EINVAL at the first that makes no sense.
 */
int mock_config_write(struct mock_device *mock, char *line)
{
	char *word;
	int ret = 0;

	while (!ret && (word = strsep(&line, " ")))
		if (*word)
			ret = mock_config_set(mock, word);
	return ret;
}

static int mock_config_change(struct mock_device *mock, char *line)
{
	int ret = mock_config_write(mock, line);

	if (!ret)
		virtio_config_changed(&mock->vdev);
	return ret;
}

static void mock_config_show(struct mock_device *mock, struct seq_file *seq)
{
	const struct virtio_iommu_config *config = &mock->model.config;

	seq_printf(seq, "features=%#llx\naccepted=%#llx\nquirks=%#x\nmax_mappings=%u\n",
		   mock->model.features, mock->model.accepted, mock->model.quirks,
		   mock->model.max_mappings);
	seq_printf(seq, "queue_size=%u\nasync=%d\nstatus=%#x\n", mock->queue_size, mock->async,
		   mock->status);
	seq_printf(seq, "page_size_mask=%#llx\ninput_start=%#llx\ninput_last=%#llx\n",
		   le64_to_cpu(config->page_size_mask), le64_to_cpu(config->input_range.start),
		   le64_to_cpu(config->input_range.end));
	seq_printf(seq, "domain_start=%u\ndomain_last=%u\nprobe_size=%u\nbypass=%u\n",
		   le32_to_cpu(config->domain_range.start), le32_to_cpu(config->domain_range.end),
		   le32_to_cpu(config->probe_size), config->bypass);
}

static int mock_rules_write(struct mock_device *mock, char *line)
{
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&mock->lock, flags);
	if (!strcmp(line, "clear"))
		mock->rules.nr = 0;
	else
		ret = mock_rules_add(&mock->rules, line);
	spin_unlock_irqrestore(&mock->lock, flags);
	return ret;
}

static void mock_rules_show(struct mock_device *mock, struct seq_file *seq)
{
	const struct mock_rule *rule = mock->rules.rules;

	for (; rule < mock->rules.rules + mock->rules.nr; rule++)
		seq_printf(seq, "%s %u-%u %s %u seen=%u hits=%u\n", mock_request_name(rule->type),
			   rule->first, rule->last, mock_action_name(rule->action), rule->value,
			   rule->seen, rule->hits);
}

static int mock_ids_write(struct mock_device *mock, char *line)
{
	switch (*line) {
	case '+':
		return mock_ids_change(mock, line + 1, true);
	case '-':
		return mock_ids_change(mock, line + 1, false);
	default:
		return -EINVAL;
	}
}

static void mock_ids_show(struct mock_device *mock, struct seq_file *seq)
{
	struct mock_endpoint *endpoint;
	unsigned long flags;

	spin_lock_irqsave(&mock->lock, flags);
	list_for_each_entry(endpoint, &mock->model.endpoints, node) {
		seq_printf(seq, "%u probed=%d properties=%u domain=", endpoint->id,
			   endpoint->probed, endpoint->nr_properties);
		if (endpoint->domain)
			seq_printf(seq, "%u%s\n", endpoint->domain->id,
				   endpoint->domain->bypass ? " bypass" : "");
		else
			seq_puts(seq, "-\n");
	}
	spin_unlock_irqrestore(&mock->lock, flags);
}

static int mock_hex_parse(u8 *bytes, const char *hex, size_t nr)
{
	for (; nr--; hex += 2, bytes++)
		if (!isxdigit(hex[0]) || !isxdigit(hex[1]) || sscanf(hex, "%2hhx", bytes) != 1)
			return -EINVAL;
	return 0;
}

/* ID HEX: what PROBE answers for it */
static int mock_probe_write(struct mock_device *mock, char *line)
{
	struct mock_endpoint *endpoint;
	size_t nr;
	unsigned long flags;
	u8 *bytes = NULL;
	char *hex;
	u32 id;

	hex = line;
	if (kstrtou32(strsep(&hex, " "), 0, &id))
		return -EINVAL;
	hex = skip_spaces(hex ?: "");
	nr = strlen(hex) / 2;
	if (nr) {
		bytes = kmalloc(nr, GFP_KERNEL);
		if (!bytes)
			return -ENOMEM;
		if (mock_hex_parse(bytes, hex, nr)) {
			kfree(bytes);
			return -EINVAL;
		}
	}
	spin_lock_irqsave(&mock->lock, flags);
	endpoint = mock_model_endpoint(&mock->model, id);
	if (endpoint) {
		swap(endpoint->properties, bytes);
		endpoint->nr_properties = nr;
	}
	spin_unlock_irqrestore(&mock->lock, flags);
	kfree(bytes);
	return endpoint ? 0 : -ENOENT;
}

static int mock_endpoints_write(struct mock_device *mock, char *line)
{
	char *command = strsep(&line, " ");

	if (line && !strcmp(command, "plug"))
		return mock_endpoint_plug(mock, line);
	if (line && !strcmp(command, "unplug"))
		return mock_endpoint_unplug(mock, line);
	return -EINVAL;
}

static void mock_mappings_show(struct mock_device *mock, struct seq_file *seq)
{
	struct mock_mapping *mapping;
	struct mock_domain *domain;
	unsigned long flags;

	spin_lock_irqsave(&mock->lock, flags);
	list_for_each_entry(domain, &mock->model.domains, node)
		for (mapping = mock_mapping_first(domain); mapping;
		     mapping = mock_mapping_next(mapping))
			seq_printf(seq, "%u %#llx-%#llx %#llx flags=%#x\n", domain->id,
				   mapping->start, mapping->last, mapping->phys, mapping->flags);
	spin_unlock_irqrestore(&mock->lock, flags);
}

static void mock_broken_show(struct mock_device *mock, struct seq_file *seq)
{
	unsigned int i;

	for (i = 0; i < MOCK_CLAUSES; i++)
		if (mock->model.broken[i])
			seq_printf(seq, "D%u %u\n", i, mock->model.broken[i]);
	if (mock->model.complaint)
		seq_printf(seq, "%s\n", mock->model.complaint);
}

static int mock_broken_clear(struct mock_device *mock, char *line)
{
	memset(mock->model.broken, 0, sizeof(mock->model.broken));
	mock->model.complaint = NULL;
	return 0;
}

static void mock_counts_show(struct mock_device *mock, struct seq_file *seq)
{
	u8 type;

	seq_printf(seq, "kicks %llu\nmappings %u\ndropped %llu\n", mock->kicks,
		   mock->model.nr_mappings, mock->dropped);
	seq_printf(seq, "unknown %llu\n", mock->model.counts[0]);
	for (type = VIRTIO_IOMMU_T_ATTACH; type <= VIRTIO_IOMMU_T_PROBE; type++)
		seq_printf(seq, "%s %llu refused %llu\n", mock_request_name(type),
			   mock->model.counts[type], mock->model.refused[type]);
}

/* ID read|write IOVA SIZE [BYTE] */
static int mock_access_write(struct mock_device *mock, char *line)
{
	struct mock_access access = {};
	unsigned int byte = 0;
	char direction[6];
	u8 *buffer;
	u32 size;
	unsigned long flags;
	int ret;

	if (sscanf(line, "%i %5s %lli %i %i", &access.endpoint, direction, &access.address, &size,
		   &byte) < 4 || !size || size > MOCK_ACCESS_MAX)
		return -EINVAL;
	access.size = size;
	access.write = !strcmp(direction, "write");
	if (!access.write && strcmp(direction, "read"))
		return -EINVAL;
	buffer = kmalloc(size, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	memset(buffer, byte, size);
	ret = mock_endpoint_access(mock, &access, buffer);
	spin_lock_irqsave(&mock->lock, flags);
	if (!ret)
		snprintf(mock->result, sizeof(mock->result), "ok %#llx %*phN", access.phys,
			 (int)min(size, 16u), buffer);
	else
		snprintf(mock->result, sizeof(mock->result), "fault reason=%u address=%#llx",
			 access.fault.reason, access.address);
	spin_unlock_irqrestore(&mock->lock, flags);
	kfree(buffer);
	return ret;
}

static void mock_access_show(struct mock_device *mock, struct seq_file *seq)
{
	seq_printf(seq, "%s\n", mock->result);
}

/* HEX, as the device's memory has it; or "spurious" */
static int mock_event_write(struct mock_device *mock, char *line)
{
	u8 bytes[64];
	size_t nr = strlen(line) / 2;

	if (!strcmp(line, "spurious")) {
		mock_event_spurious(mock);
		return 0;
	}
	if (nr > sizeof(bytes) || mock_hex_parse(bytes, line, nr))
		return -EINVAL;
	mock_event_post(mock, bytes, nr);
	return 0;
}

static int mock_reset_write(struct mock_device *mock, char *line)
{
	mock_needs_reset(mock);
	return 0;
}

/* DEVICE SIZE ROUNDS */
static int mock_test_write(struct mock_device *mock, char *line)
{
	unsigned int size, rounds;
	char name[32];

	if (sscanf(line, "%31s %i %u", name, &size, &rounds) != 3 || !size || size > SZ_4M)
		return -EINVAL;
	return mock_endpoint_test(mock, name, size, rounds);
}

/* The system goes to sleep and wakes up again, as far as this device is concerned. */
static int mock_sleep_write(struct mock_device *mock, char *line)
{
#ifdef CONFIG_PM_SLEEP
	return virtio_device_freeze(&mock->vdev) ?: virtio_device_restore(&mock->vdev);
#else
	return -EOPNOTSUPP;
#endif
}

/* The files of a device. */
static const struct mock_file {
	const char *name;
	void (*show)(struct mock_device *mock, struct seq_file *seq);
	int (*write)(struct mock_device *mock, char *line);
} mock_files[] = {
	{ "config", mock_config_show, mock_config_change },
	{ "rules", mock_rules_show, mock_rules_write },
	{ "ids", mock_ids_show, mock_ids_write },
	{ "probe", NULL, mock_probe_write },
	{ "endpoints", mock_endpoints_show, mock_endpoints_write },
	{ "mappings", mock_mappings_show, NULL },
	{ "broken", mock_broken_show, mock_broken_clear },
	{ "counts", mock_counts_show, NULL },
	{ "access", mock_access_show, mock_access_write },
	{ "event", NULL, mock_event_write },
	{ "needs_reset", NULL, mock_reset_write },
	{ "test", NULL, mock_test_write },
	{ "sleep", NULL, mock_sleep_write },
};

/**
 * mock_line_write() - hand a line from user space on
 * @from: the line
 * @size: bytes
 * @write: takes it, without spaces around it
 * @data: for @write
 *
 * Context: May sleep.
 * Return: @size, or the errno of @write or of the copy.
 */
ssize_t mock_line_write(const char __user *from, size_t size,
			int (*write)(void *data, char *line), void *data)
{
	char *line;
	int ret;

	if (size > MOCK_LINE_MAX)
		return -E2BIG;
	line = memdup_user_nul(from, size);
	if (IS_ERR(line))
		return PTR_ERR(line);
	ret = write(data, strim(line));
	kfree(line);
	return ret ?: size;
}

static int mock_file_seq(struct seq_file *seq, void *unused)
{
	struct mock_handle *handle = seq->private;

	if (!handle->file->show)
		return -EINVAL;
	handle->file->show(handle->mock, seq);
	return 0;
}

static int mock_file_open(struct inode *inode, struct file *file)
{
	return single_open(file, mock_file_seq, inode->i_private);
}

static int mock_file_line(void *data, char *line)
{
	struct mock_handle *handle = data;

	return handle->file->write ? handle->file->write(handle->mock, line) : -EINVAL;
}

static ssize_t mock_file_write(struct file *file, const char __user *from, size_t size,
			       loff_t *pos)
{
	struct seq_file *seq = file->private_data;

	return mock_line_write(from, size, mock_file_line, seq->private);
}

static const struct file_operations mock_file_fops = {
	.owner		= THIS_MODULE,
	.open		= mock_file_open,
	.read		= seq_read,
	.write		= mock_file_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/**
 * mock_files_add() - make the files of a device
 * @mock: the device
 * @root: the folder of all devices
 *
 * Context: May sleep.
 */
void mock_files_add(struct mock_device *mock, struct dentry *root)
{
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(mock_files) != MOCK_FILES);
	mock->debugfs = debugfs_create_dir(mock->name, root);
	for (i = 0; i < ARRAY_SIZE(mock_files); i++) {
		mock->handles[i] = (struct mock_handle) { mock, &mock_files[i] };
		debugfs_create_file(mock_files[i].name, 0600, mock->debugfs, &mock->handles[i],
				    &mock_file_fops);
	}
}
