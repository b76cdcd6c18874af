// SPDX-License-Identifier: GPL-2.0
/*
 * Does the DMA API keep its word? QEMU's edu device moves data both ways through each of
 * its calls, and tries to reach what it was not given. For guests under test only.
 *
 * A line with the name of a check, written to /sys/kernel/debug/dma-check/<device>, has it
 * done: the write fails where the check does, and the log says what was wrong.
 *
 * What only some modes promise:
 *	beside		what lies beside a buffer, in its page, cannot be read or written
 *	after		nor a buffer right after it was unmapped
 *
 * "forget" leaves buffers mapped, for what happens then to be seen. With refuse=1 the probe
 * fails in the end, when it has allocated what it wants.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_DMA_START	1
#define EDU_DMA_TO_RAM	2
#define EDU_BUFFER	0x40000
#define SHARED		SZ_64K
#define EDU_BYTES	2048	/* of 4096; QEMU dies of a DMA of the whole buffer */

struct check {
	struct device *dev;
	void __iomem *regs;
	struct dentry *file;
	/* for edu's own buffer to be filled from, and looked into */
	u8 *window;
	dma_addr_t window_addr;
	struct miscdevice misc;
	char name[32];
	u8 *shared;
	dma_addr_t shared_addr;
};

static struct dentry *check_dir;

static bool refuse;
module_param(refuse, bool, 0444);

static int edu_wait(struct check *check)
{
	unsigned int tries;

	for (tries = 0; tries < 5000; tries++) {
		if (!(readq(check->regs + EDU_DMA_CMD) & EDU_DMA_START))
			return 0;
		usleep_range(1000, 2000);
	}
	dev_err(check->dev, "edu's DMA does not end\n");
	return -ETIMEDOUT;
}

static int edu_move(struct check *check, dma_addr_t addr, size_t size, bool to_ram)
{
	writeq(to_ram ? EDU_BUFFER : addr, check->regs + EDU_DMA_SRC);
	writeq(to_ram ? addr : EDU_BUFFER, check->regs + EDU_DMA_DST);
	writeq(size, check->regs + EDU_DMA_COUNT);
	writeq(EDU_DMA_START | (to_ram ? EDU_DMA_TO_RAM : 0), check->regs + EDU_DMA_CMD);
	return edu_wait(check);
}

/* Bytes into edu's buffer. */
static int edu_fill(struct check *check, const void *data, size_t size)
{
	memcpy(check->window, data, size);
	return edu_move(check, check->window_addr, size, false);
}

/* What is in edu's buffer comes into the window. */
static int edu_show(struct check *check, size_t size)
{
	memset(check->window, 0, size);
	return edu_move(check, check->window_addr, size, true);
}

static void pattern(u8 *buffer, size_t size, u8 seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		buffer[i] = i * 7 + (i >> 8) + seed;
}

static int same(struct check *check, const char *what, const u8 *want, const u8 *got, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (want[i] != got[i]) {
			dev_err(check->dev, "%s: byte %zu is %#x, not %#x\n", what, i, got[i],
				want[i]);
			return -EIO;
		}
	}
	return 0;
}

/* To the device and back, at an offset in a page, and nothing beside it changes. */
static int roundtrip_at(struct check *check, u8 *from, u8 *to, size_t offset, size_t size)
{
	dma_addr_t addr;
	int ret;

	pattern(from, SZ_8K, offset + size);
	memset(to, 0xa5, SZ_8K);
	addr = dma_map_single(check->dev, from + offset, size, DMA_TO_DEVICE);
	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	ret = edu_move(check, addr, size, false);
	dma_unmap_single(check->dev, addr, size, DMA_TO_DEVICE);
	if (ret)
		return ret;
	addr = dma_map_single(check->dev, to + offset, size, DMA_FROM_DEVICE);
	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	ret = edu_move(check, addr, size, true);
	dma_unmap_single(check->dev, addr, size, DMA_FROM_DEVICE);
	ret = ret ?: same(check, "data", from + offset, to + offset, size);
	memset(from, 0xa5, SZ_8K);
	ret = ret ?: same(check, "before the buffer", from, to, offset);
	return ret ?: same(check, "behind the buffer", from, to + offset + size,
			   SZ_8K - offset - size);
}

static int check_roundtrip(struct check *check, u8 *from, u8 *to)
{
	/*
	 * None begins with the last byte of a mapping: QEMU may take that for one of the next
	 * mapping, if that lies right behind.
	 */
	static const struct { size_t offset, size; } cases[] = {
		{ 0, 1 }, { 0, 64 }, { 64, 64 }, { 4094, 2 }, { 4095, 2 }, { 100, 1500 },
		{ 3000, 2048 }, { 0, 2048 }, { 4096, 2048 }, { 1, 2047 },
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(cases) && !ret; i++)
		ret = roundtrip_at(check, from, to, cases[i].offset, cases[i].size);
	return ret;
}

/* The device writes a part of what it was asked for: the rest is as it was. */
static int check_partial(struct check *check, u8 *from, u8 *to)
{
	dma_addr_t addr;
	int ret;

	pattern(from, 64, 3);
	ret = edu_fill(check, from, 64);
	if (ret)
		return ret;
	pattern(to, 1024, 77);
	pattern(from + 64, 1024, 77);
	memcpy(from + 64, from, 64);
	addr = dma_map_single(check->dev, to, 1024, DMA_FROM_DEVICE);
	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	ret = edu_move(check, addr, 64, true);
	dma_unmap_single(check->dev, addr, 1024, DMA_FROM_DEVICE);
	return ret ?: same(check, "a part", from + 64, to, 1024);
}

/* Both sides write, each when it is its turn. */
static int check_sync(struct check *check, u8 *from, u8 *to)
{
	dma_addr_t addr = dma_map_single(check->dev, to, 512, DMA_BIDIRECTIONAL);
	int ret, round;

	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	for (round = 0, ret = 0; round < 3 && !ret; round++) {
		dma_sync_single_for_cpu(check->dev, addr, 512, DMA_BIDIRECTIONAL);
		pattern(to, 512, round);
		dma_sync_single_for_device(check->dev, addr, 512, DMA_BIDIRECTIONAL);
		ret = edu_move(check, addr + 128, 256, false) ?: edu_show(check, 256);
		pattern(from, 512, round);
		ret = ret ?: same(check, "for the device", from + 128, check->window, 256);
		pattern(from, 64, 100 + round);
		ret = ret ?: edu_fill(check, from, 64) ?: edu_move(check, addr + 32, 64, true);
		dma_sync_single_for_cpu(check->dev, addr + 32, 64, DMA_BIDIRECTIONAL);
		ret = ret ?: same(check, "for the CPU", from, to + 32, 64);
	}
	dma_unmap_single(check->dev, addr, 512, DMA_BIDIRECTIONAL);
	return ret;
}

static int check_sg(struct check *check, u8 *from, u8 *to)
{
	static const struct { size_t offset, size; } entries[] = {
		{ 16, 100 }, { 1000, 7 }, { 2048, 512 }, { 4000, 96 }, { 4096, 300 },
	};
	struct scatterlist list[ARRAY_SIZE(entries)], *sg;
	size_t at = 0;
	int i, nr, ret = 0;

	pattern(from, SZ_4K, 9);
	memset(to, 0, SZ_8K);
	sg_init_table(list, ARRAY_SIZE(entries));
	for (i = 0; i < ARRAY_SIZE(entries); i++)
		sg_set_buf(&list[i], to + entries[i].offset, entries[i].size);
	nr = dma_map_sg(check->dev, list, ARRAY_SIZE(entries), DMA_FROM_DEVICE);
	if (nr <= 0)
		return -ENOMEM;
	/* they may have become fewer, and are as long */
	for_each_sg(list, sg, nr, i) {
		ret = ret ?: edu_fill(check, from + at, sg_dma_len(sg));
		ret = ret ?: edu_move(check, sg_dma_address(sg), sg_dma_len(sg), true);
		at += sg_dma_len(sg);
	}
	dma_unmap_sg(check->dev, list, ARRAY_SIZE(entries), DMA_FROM_DEVICE);
	for (i = 0, at = 0; i < ARRAY_SIZE(entries); at += entries[i++].size)
		ret = ret ?: same(check, "an entry", from + at, to + entries[i].offset,
				  entries[i].size);
	return ret;
}

static int check_coherent(struct check *check, u8 *from, u8 *to)
{
	static const size_t sizes[] = { 64, SZ_4K, SZ_64K, SZ_4M };
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(sizes) && !ret; i++) {
		size_t size = min_t(size_t, sizes[i], EDU_BYTES), at = sizes[i] - size;
		dma_addr_t addr;
		u8 *memory;

		memory = dma_alloc_coherent(check->dev, sizes[i], &addr, GFP_KERNEL);
		if (!memory)
			return -ENOMEM;
		memset(from, 0, size);
		ret = same(check, "new memory", from, memory + at, size);
		pattern(memory + at, size, i);
		pattern(from, size, i);
		ret = ret ?: edu_move(check, addr + at, size, false) ?: edu_show(check, size);
		ret = ret ?: same(check, "coherent, read", from, check->window, size);
		pattern(from, size, 200);
		ret = ret ?: edu_fill(check, from, size) ?:
		      edu_move(check, addr + at, size, true);
		ret = ret ?: same(check, "coherent, written", from, memory + at, size);
		dma_free_coherent(check->dev, sizes[i], memory, addr);
	}
	return ret;
}

/* What is in a buffer's page besides it is not the device's: both are tried. */
static int check_beside(struct check *check, u8 *from, u8 *to)
{
	int ret, reached = 0;
	dma_addr_t addr;

	memset(check->window, 0x11, 64);
	ret = edu_move(check, check->window_addr, 64, false);
	pattern(from, SZ_4K, 42);
	addr = dma_map_single(check->dev, from + 1024, 64, DMA_TO_DEVICE);
	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	ret = ret ?: edu_move(check, addr + 64, 64, false) ?: edu_show(check, 64);
	dma_unmap_single(check->dev, addr, 64, DMA_TO_DEVICE);
	if (!ret && !memcmp(check->window, from + 1024 + 64, 64)) {
		dev_err(check->dev, "what lies beside the buffer was read\n");
		reached = -EPERM;
	}
	memset(to, 0x5a, SZ_4K);
	memset(from, 0xc3, 64);
	ret = ret ?: edu_fill(check, from, 64);
	addr = dma_map_single(check->dev, to + 1024, 64, DMA_FROM_DEVICE);
	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	ret = ret ?: edu_move(check, addr + 64, 64, true);
	dma_unmap_single(check->dev, addr, 64, DMA_FROM_DEVICE);
	if (!ret && memchr_inv(to + 1024 + 64, 0x5a, 64)) {
		dev_err(check->dev, "what lies beside the buffer was written\n");
		reached = -EPERM;
	}
	return ret ?: reached;
}

/* A buffer that was unmapped is not the device's any more. */
static int check_after(struct check *check, u8 *from, u8 *to)
{
	dma_addr_t addr = dma_map_single(check->dev, from, 64, DMA_TO_DEVICE);
	int ret;

	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	dma_unmap_single(check->dev, addr, 64, DMA_TO_DEVICE);
	pattern(from, 64, 23);
	memset(check->window, 0x11, 64);
	ret = edu_move(check, check->window_addr, 64, false) ?:
	      edu_move(check, addr, 64, false) ?: edu_show(check, 64);
	if (!ret && !memcmp(check->window, from, 64)) {
		dev_err(check->dev, "a buffer was read after it was unmapped\n");
		ret = -EPERM;
	}
	addr = dma_map_single(check->dev, to, 64, DMA_FROM_DEVICE);
	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	dma_unmap_single(check->dev, addr, 64, DMA_FROM_DEVICE);
	memset(to, 0x5a, 64);
	memset(from, 0xc3, 64);
	ret = ret ?: edu_fill(check, from, 64) ?: edu_move(check, addr, 64, true);
	if (!ret && memchr_inv(to, 0x5a, 64)) {
		dev_err(check->dev, "a buffer was written after it was unmapped\n");
		ret = -EPERM;
	}
	return ret;
}

/* What every mode promises: not for long. */
static int check_later(struct check *check, u8 *from, u8 *to)
{
	dma_addr_t addr = dma_map_single(check->dev, from, 64, DMA_TO_DEVICE);
	unsigned int tries;
	int ret;

	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	dma_unmap_single(check->dev, addr, 64, DMA_TO_DEVICE);
	pattern(from, 64, 29);
	/* a machine that is busy takes longer */
	for (tries = 0; tries < 50; tries++) {
		msleep(200);
		memset(check->window, 0x11, 64);
		ret = edu_move(check, check->window_addr, 64, false) ?:
		      edu_move(check, addr, 64, false) ?: edu_show(check, 64);
		if (ret || memcmp(check->window, from, 64))
			return ret;
	}
	dev_err(check->dev, "a buffer was read long after it was unmapped\n");
	return -EPERM;
}

/* What is the device's to read is not its to write, nor is a copy of it. */
static int check_readonly(struct check *check, u8 *from, u8 *to)
{
	dma_addr_t addr;
	int ret;

	memset(from, 0xc3, 64);
	ret = edu_fill(check, from, 64);
	memset(from, 0x5a, 64);
	addr = dma_map_single(check->dev, from, 64, DMA_TO_DEVICE);
	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	ret = ret ?: edu_move(check, addr, 64, true) ?: edu_move(check, addr, 64, false) ?:
	      edu_show(check, 64);
	dma_unmap_single(check->dev, addr, 64, DMA_TO_DEVICE);
	ret = ret ?: same(check, "what the device may read", from, check->window, 64);
	if (!ret && memchr_inv(from, 0x5a, 64)) {
		dev_err(check->dev, "what the device may read was written\n");
		ret = -EPERM;
	}
	return ret;
}

/* Without a sync of its own, unmapping changes nothing that the CPU has taken over. */
static int check_skipsync(struct check *check, u8 *from, u8 *to)
{
	dma_addr_t addr;
	int ret;

	pattern(from, 128, 55);
	memset(to, 0x5a, 128);
	addr = dma_map_single_attrs(check->dev, to, 128, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	if (dma_mapping_error(check->dev, addr))
		return -ENOMEM;
	dma_sync_single_for_device(check->dev, addr, 128, DMA_FROM_DEVICE);
	ret = edu_fill(check, from, 128) ?: edu_move(check, addr, 128, true);
	dma_sync_single_for_cpu(check->dev, addr, 128, DMA_FROM_DEVICE);
	ret = ret ?: same(check, "synced", from, to, 128);
	memset(to, 0x77, 64);
	memset(from, 0x77, 64);
	dma_unmap_single_attrs(check->dev, addr, 128, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	return ret ?: same(check, "the CPU's", from, to, 128);
}

/* Fewer address bits than before, for both kinds of memory. */
static int check_masks(struct check *check, u8 *from, u8 *to)
{
	dma_addr_t addr;
	void *memory;
	int ret;

	ret = dma_set_mask_and_coherent(check->dev, DMA_BIT_MASK(24));
	if (ret)
		return ret;
	addr = dma_map_single(check->dev, from, SZ_8K, DMA_TO_DEVICE);
	if (dma_mapping_error(check->dev, addr)) {
		ret = -ENOMEM;
		goto out;
	}
	dma_unmap_single(check->dev, addr, SZ_8K, DMA_TO_DEVICE);
	if (addr + SZ_8K > SZ_16M)
		ret = -ERANGE;
	memory = dma_alloc_coherent(check->dev, SZ_8K, &addr, GFP_KERNEL);
	if (!memory) {
		ret = -ENOMEM;
		goto out;
	}
	dma_free_coherent(check->dev, SZ_8K, memory, addr);
	if (addr + SZ_8K > SZ_16M)
		ret = -ERANGE;
	if (ret == -ERANGE)
		dev_err(check->dev, "an address of more than 24 bits\n");
	ret = ret ?: roundtrip_at(check, from, to, 100, 1500);
out:
	return dma_set_mask_and_coherent(check->dev, DMA_BIT_MASK(28)) ?: ret;
}

/* Larger than what is copied. */
static int check_large(struct check *check, u8 *from, u8 *to)
{
	size_t size = SZ_1M, at = size - EDU_BYTES;
	u8 *memory = kmalloc(size, GFP_KERNEL);
	dma_addr_t addr;
	int ret;

	if (!memory)
		return -ENOMEM;
	pattern(memory, size, 61);
	addr = dma_map_single(check->dev, memory, size, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(check->dev, addr)) {
		kfree(memory);
		return -ENOMEM;
	}
	ret = edu_move(check, addr + at, EDU_BYTES, false) ?:
	      edu_move(check, addr, EDU_BYTES, true);
	dma_unmap_single(check->dev, addr, size, DMA_BIDIRECTIONAL);
	ret = ret ?: same(check, "the end, at the begin", memory + at, memory, EDU_BYTES);
	kfree(memory);
	return ret;
}

#define MANY	1200

/* More than any pool holds: each has an address of its own, and the last one works. */
static int check_many(struct check *check, u8 *from, u8 *to)
{
	u8 *memory = kmalloc(SZ_64K, GFP_KERNEL);
	dma_addr_t *addrs = kcalloc(MANY, sizeof(*addrs), GFP_KERNEL);
	unsigned int i, nr = 0;
	int ret = -ENOMEM;

	if (!memory || !addrs)
		goto out;
	pattern(memory, SZ_64K, 81);
	for (; nr < MANY; nr++) {
		addrs[nr] = dma_map_single(check->dev, memory, SZ_64K, DMA_TO_DEVICE);
		if (dma_mapping_error(check->dev, addrs[nr])) {
			dev_err(check->dev, "only %u of %u buffers\n", nr, MANY);
			goto out;
		}
	}
	for (i = 0, ret = 0; i < MANY && !ret; i += MANY - 1)
		ret = edu_move(check, addrs[i] + SZ_32K, EDU_BYTES, false) ?:
		      edu_show(check, EDU_BYTES) ?:
		      same(check, "one of many", memory + SZ_32K, check->window, EDU_BYTES);
out:
	while (nr-- > 0)
		dma_unmap_single(check->dev, addrs[nr], SZ_64K, DMA_TO_DEVICE);
	kfree(addrs);
	kfree(memory);
	return ret;
}

/* A page of memory that the device and the CPU take turns with. */
static int take_turns(struct check *check, struct page *page, dma_addr_t addr, u8 *from)
{
	u8 *memory = page_address(page);
	int ret;

	pattern(memory, SZ_2K, 17);
	pattern(from, SZ_2K, 17);
	dma_sync_single_for_device(check->dev, addr, PAGE_SIZE, DMA_BIDIRECTIONAL);
	ret = edu_move(check, addr, EDU_BYTES, false) ?: edu_show(check, EDU_BYTES) ?:
	      same(check, "pages, read", from, check->window, EDU_BYTES);
	pattern(from, 256, 18);
	ret = ret ?: edu_fill(check, from, 256) ?: edu_move(check, addr, 256, true);
	dma_sync_single_for_cpu(check->dev, addr, PAGE_SIZE, DMA_BIDIRECTIONAL);
	return ret ?: same(check, "pages, written", from, memory, 256);
}

/* Pages of the API's own, in one piece and in several. */
static int check_pages(struct check *check, u8 *from, u8 *to)
{
	struct sg_table *table;
	dma_addr_t addr;
	void *memory;
	int ret;

	memory = dma_alloc_noncoherent(check->dev, SZ_16K, &addr, DMA_BIDIRECTIONAL, GFP_KERNEL);
	if (!memory)
		return -ENOMEM;
	ret = take_turns(check, virt_to_page(memory), addr, from);
	dma_free_noncoherent(check->dev, SZ_16K, memory, addr, DMA_BIDIRECTIONAL);
	if (ret)
		return ret;
	table = dma_alloc_noncontiguous(check->dev, SZ_64K, DMA_BIDIRECTIONAL, GFP_KERNEL, 0);
	if (!table)
		return -ENOMEM;
	ret = take_turns(check, sg_page(table->sgl), sg_dma_address(table->sgl), from);
	dma_free_noncontiguous(check->dev, SZ_64K, table, DMA_BIDIRECTIONAL);
	return ret;
}

/* As a scatterlist coherent memory is the same pages in the same order. */
static int check_sgtable(struct check *check, u8 *from, u8 *to)
{
	struct sg_table table;
	struct sg_page_iter iter;
	dma_addr_t addr;
	size_t at = 0;
	u8 *memory;
	int ret;

	memory = dma_alloc_coherent(check->dev, SZ_64K, &addr, GFP_KERNEL);
	if (!memory)
		return -ENOMEM;
	pattern(memory, SZ_64K, 91);
	ret = dma_get_sgtable(check->dev, &table, memory, addr, SZ_64K);
	if (ret)
		goto out;
	for_each_sgtable_page(&table, &iter, 0) {
		ret = ret ?: same(check, "a page of the table", memory + at,
				  page_address(sg_page_iter_page(&iter)), PAGE_SIZE);
		at += PAGE_SIZE;
	}
	if (!ret && at != SZ_64K) {
		dev_err(check->dev, "the table has %zu bytes\n", at);
		ret = -EIO;
	}
	sg_free_table(&table);
out:
	dma_free_coherent(check->dev, SZ_64K, memory, addr);
	return ret;
}

/* A process sees coherent memory: the second half of what the file has mapped. */
static int check_mmap(struct check *check, u8 *from, u8 *to)
{
	char path[40];
	struct file *file;
	unsigned long at;
	int ret;

	snprintf(path, sizeof(path), "/dev/%s", check->name);
	file = filp_open(path, O_RDWR, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	check->shared = dma_alloc_coherent(check->dev, SHARED, &check->shared_addr, GFP_KERNEL);
	if (!check->shared) {
		ret = -ENOMEM;
		goto out;
	}
	pattern(check->shared, SHARED, 7);
	at = vm_mmap(file, 0, SHARED / 2, PROT_READ, MAP_SHARED, SHARED / 2);
	ret = IS_ERR_VALUE(at) ? at : 0;
	if (!ret && copy_from_user(from, (void __user *)at + 4096, SZ_4K))
		ret = -EFAULT;
	ret = ret ?: same(check, "a process's", check->shared + SHARED / 2 + SZ_4K, from, SZ_4K);
	if (!IS_ERR_VALUE(at))
		vm_munmap(at, SHARED / 2);
	/* more than there is */
	at = vm_mmap(file, 0, SHARED, PROT_READ, MAP_SHARED, SHARED / 2);
	if (!IS_ERR_VALUE(at)) {
		dev_err(check->dev, "more was mapped than there is\n");
		vm_munmap(at, SHARED);
		ret = ret ?: -EINVAL;
	}
	dma_free_coherent(check->dev, SHARED, check->shared, check->shared_addr);
	check->shared = NULL;
out:
	fput(file);
	return ret;
}

/* Registers of another device: an NVMe's capabilities. */
static int check_resource(struct check *check, u8 *from, u8 *to)
{
	struct pci_dev *nvme = pci_get_class(PCI_CLASS_STORAGE_EXPRESS, NULL);
	void __iomem *regs;
	dma_addr_t addr;
	u64 want;
	int ret;

	if (!nvme)
		return -ENODEV;
	regs = ioremap(pci_resource_start(nvme, 0), PAGE_SIZE);
	addr = dma_map_resource(check->dev, pci_resource_start(nvme, 0), PAGE_SIZE,
				DMA_TO_DEVICE, 0);
	if (!regs || dma_mapping_error(check->dev, addr)) {
		ret = -ENOMEM;
		goto out;
	}
	want = readq(regs);
	memset(check->window, 0x11, 64);
	ret = edu_move(check, check->window_addr, 64, false) ?:
	      edu_move(check, addr, sizeof(want), false) ?: edu_show(check, sizeof(want)) ?:
	      same(check, "registers", (u8 *)&want, check->window, sizeof(want));
	dma_unmap_resource(check->dev, addr, PAGE_SIZE, DMA_TO_DEVICE, 0);
out:
	if (regs)
		iounmap(regs);
	pci_dev_put(nvme);
	return ret;
}

#define LIVE	32

/* Buffers of any size and place, each way, many of them at a time. */
static int check_random(struct check *check, u8 *from, u8 *to)
{
	static const size_t most = SZ_128K + SZ_8K;
	struct live { u8 *memory; size_t offset, size; dma_addr_t addr; u8 seed; } *live;
	unsigned int i, round;
	int ret = 0;

	live = kcalloc(LIVE, sizeof(*live), GFP_KERNEL);
	if (!live)
		return -ENOMEM;
	for (round = 0; round < 20 * LIVE && !ret; round++) {
		struct live *one = &live[get_random_u32() % LIVE];
		size_t at, bytes;

		if (one->memory) {
			/* a DMA takes edu a tenth of a second */
			bytes = round % 8 ? 0 : min_t(size_t, one->size, 256);
			at = one->size - bytes;
			pattern(from, bytes, one->seed);
			if (bytes)
				ret = edu_fill(check, from, bytes) ?:
				      edu_move(check, one->addr + at, bytes, true);
			dma_unmap_single(check->dev, one->addr, one->size, DMA_FROM_DEVICE);
			ret = ret ?: same(check, "random", from, one->memory + one->offset + at,
					  bytes);
			kfree(one->memory);
			one->memory = NULL;
			continue;
		}
		one->memory = kmalloc(most, GFP_KERNEL);
		one->offset = get_random_u32() % SZ_8K;
		one->size = 1 + get_random_u32() % (1 << (get_random_u32() % 18));
		one->seed = get_random_u32();
		one->addr = one->memory ? dma_map_single(check->dev, one->memory + one->offset,
							 one->size, DMA_FROM_DEVICE) :
					  DMA_MAPPING_ERROR;
		if (dma_mapping_error(check->dev, one->addr)) {
			kfree(one->memory);
			one->memory = NULL;
			ret = -ENOMEM;
		}
	}
	for (i = 0; i < LIVE; i++) {
		if (!live[i].memory)
			continue;
		dma_unmap_single(check->dev, live[i].addr, live[i].size, DMA_FROM_DEVICE);
		kfree(live[i].memory);
	}
	kfree(live);
	return ret;
}

/* A small one and a large one, in memory that is lost as well. */
static int check_forget(struct check *check, u8 *from, u8 *to)
{
	void *memory = kmalloc(SZ_256K, GFP_KERNEL);

	if (!memory ||
	    dma_mapping_error(check->dev, dma_map_single(check->dev, memory, 64, DMA_TO_DEVICE)) ||
	    dma_mapping_error(check->dev, dma_map_single(check->dev, memory, SZ_256K,
							 DMA_TO_DEVICE)))
		return -ENOMEM;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct check *check, u8 *from, u8 *to);
} checks[] = {
	{ "roundtrip", check_roundtrip },
	{ "partial", check_partial },
	{ "sync", check_sync },
	{ "sg", check_sg },
	{ "coherent", check_coherent },
	{ "beside", check_beside },
	{ "after", check_after },
	{ "readonly", check_readonly },
	{ "later", check_later },
	{ "skipsync", check_skipsync },
	{ "masks", check_masks },
	{ "large", check_large },
	{ "many", check_many },
	{ "pages", check_pages },
	{ "sgtable", check_sgtable },
	{ "mmap", check_mmap },
	{ "resource", check_resource },
	{ "random", check_random },
	{ "forget", check_forget },
};

static ssize_t check_write(struct file *file, const char __user *user, size_t size, loff_t *pos)
{
	struct check *check = file->private_data;
	char name[16] = "";
	unsigned int i;
	u8 *from, *to;
	int ret = -EINVAL;

	if (size >= sizeof(name) || copy_from_user(name, user, size))
		return -EINVAL;
	strim(name);
	from = (u8 *)__get_free_pages(GFP_KERNEL, get_order(SZ_8K));
	to = (u8 *)__get_free_pages(GFP_KERNEL, get_order(SZ_8K));
	for (i = 0; from && to && i < ARRAY_SIZE(checks); i++)
		if (!strcmp(name, checks[i].name))
			ret = checks[i].run(check, from, to);
	free_pages((unsigned long)from, get_order(SZ_8K));
	free_pages((unsigned long)to, get_order(SZ_8K));
	return ret ?: size;
}

static const struct file_operations check_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = check_write,
};

static int check_map_shared(struct file *file, struct vm_area_struct *vma)
{
	struct check *check = container_of(file->private_data, struct check, misc);

	return dma_mmap_coherent(check->dev, vma, check->shared, check->shared_addr, SHARED);
}

static const struct file_operations check_misc_fops = {
	.owner = THIS_MODULE,
	.mmap = check_map_shared,
};

static int check_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct check *check = devm_kzalloc(&pdev->dev, sizeof(*check), GFP_KERNEL);
	int ret;

	if (!check)
		return -ENOMEM;
	ret = pcim_enable_device(pdev) ?: pcim_iomap_regions(pdev, BIT(0), "dma-check");
	if (ret)
		return ret;
	/* As edu has; without a translation, where nothing is moved, few kernels have that. */
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(28));
	if (ret)
		ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (ret)
		return ret;
	pci_set_master(pdev);
	check->dev = &pdev->dev;
	check->regs = pcim_iomap_table(pdev)[0];
	check->window = dmam_alloc_coherent(&pdev->dev, EDU_BYTES, &check->window_addr,
					    GFP_KERNEL);
	if (!check->window)
		return -ENOMEM;
	if (refuse)
		return -ENODEV;
	check->misc.minor = MISC_DYNAMIC_MINOR;
	snprintf(check->name, sizeof(check->name), "dma-check-%s", pci_name(pdev));
	check->misc.name = check->name;
	check->misc.fops = &check_misc_fops;
	ret = misc_register(&check->misc);
	if (ret)
		return ret;
	pci_set_drvdata(pdev, check);
	check->file = debugfs_create_file(pci_name(pdev), 0200, check_dir, check, &check_fops);
	return 0;
}

static void check_remove(struct pci_dev *pdev)
{
	struct check *check = pci_get_drvdata(pdev);

	debugfs_remove(check->file);
	misc_deregister(&check->misc);
	pci_clear_master(pdev);
}

static const struct pci_device_id check_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{}
};

static struct pci_driver check_driver = {
	.name = "dma-check",
	.id_table = check_ids,
	.probe = check_probe,
	.remove = check_remove,
};

static int __init check_init(void)
{
	int ret;

	check_dir = debugfs_create_dir("dma-check", NULL);
	ret = pci_register_driver(&check_driver);
	if (ret)
		debugfs_remove(check_dir);
	return ret;
}
module_init(check_init);

static void __exit check_exit(void)
{
	pci_unregister_driver(&check_driver);
	debugfs_remove(check_dir);
}
module_exit(check_exit);

MODULE_DESCRIPTION("Test of the DMA API with QEMU's edu device");
MODULE_LICENSE("GPL");
