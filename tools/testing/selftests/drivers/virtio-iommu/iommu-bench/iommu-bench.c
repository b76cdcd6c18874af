// SPDX-License-Identifier: GPL-2.0
/*
 * What DMA mappings cost, for any IOMMU driver: maps and unmaps for a PCI device
 * as its driver would, and moves no data. For guests under test only.
 *
 * It binds to QEMU's edu device. A command is a line written to
 * /sys/kernel/debug/iommu-bench/<device>, and what it had to say is read there:
 *
 *	single N		N times dma_map_single() of 4 KiB
 *	scattered N P [RUN]	N times dma_map_sg() of P pages, none next to another; in
 *				the place of the one in the middle a run of RUN pages
 *	contiguous N P		N times dma_map_sg() of P pages, each next to the last
 *	large N			N times dma_map_single() of 1 MiB, 12 KiB off 2 MiB
 *	unmap			all of these
 *	iommu SIZE		iommu_map() of SIZE bytes in a domain of its own
 *	iommu-unmap		iommu_unmap() of it
 *	split			iommu_unmap() of the second page of it, which must change
 *				nothing
 *	attach, detach		the device to and from that domain
 *	fill N			iommu_map() of N pages there, with a hole of one between each
 *	spot N			N times iommu_map() and iommu_unmap() of one hole or another
 *	cycle N			N times dma_map_page() and dma_unmap_page()
 *	threads T N		T threads, each on a CPU of its own: N cycles each
 *	slow MS			one cycle on CPU 1 with a virtio-iommu that needs MS ms for
 *				its answer, while CPU 0 looks how soon CPU 1 takes an
 *				interrupt, and switches to a thread
 *
 * Writing fails with the errno of what failed. Reading tells at least "total-ns=N".
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>

#ifndef HAVE_PAGING_DOMAIN_ALLOC
#define iommu_paging_domain_alloc(dev)	(iommu_domain_alloc((dev)->bus) ?: ERR_PTR(-ENOMEM))
#endif
#ifdef MAP_WITHOUT_GFP
static int map_without_gfp(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys,
			   size_t size, int prot, gfp_t gfp)
{
	return iommu_map(domain, iova, phys, size, prot);
}

#define iommu_map	map_without_gfp
#endif
#ifndef kzalloc_obj
#define kzalloc_obj(object, gfp)	kzalloc(sizeof(object), gfp)
#endif

#define BENCH_SG_PAGES_MAX	4096
#define BENCH_LARGE		SZ_1M
#define BENCH_LARGE_OFFSET	(3 * PAGE_SIZE)
/* what "fill" maps must not reach x86's interrupts, below 4 GiB */
#define BENCH_IOVA		SZ_4G
#define BENCH_THREADS_MAX	64

enum bench_kind {
	BENCH_SINGLE,
	BENCH_SG,
};

/* Something mapped: @order pages at each entry's page, or at @page. */
struct bench_map {
	struct list_head node;
	enum bench_kind kind;
	dma_addr_t addr;
	size_t size;
	struct page *page;
	unsigned int order;
	struct sg_table table;
};

struct bench {
	struct device *dev;
	struct mutex lock; /* one command at a time */
	struct list_head maps;
	struct page *page;
	struct iommu_domain *domain;
	size_t iommu_size;
	unsigned long nr_filled;
	struct dentry *file;
	char result[256];
};

static struct dentry *bench_dir;

static int bench_map_single(struct bench *bench, size_t size, size_t offset)
{
	struct bench_map *map = kzalloc(sizeof(*map), GFP_KERNEL);

	if (!map)
		return -ENOMEM;
	map->kind = BENCH_SINGLE;
	map->size = size;
	map->order = get_order(offset ? SZ_2M : size);
	map->page = alloc_pages(GFP_KERNEL, map->order);
	if (!map->page)
		goto err_map;
	map->addr = dma_map_single(bench->dev, page_address(map->page) + offset, size,
				   DMA_BIDIRECTIONAL);
	if (dma_mapping_error(bench->dev, map->addr))
		goto err_pages;
	list_add_tail(&map->node, &bench->maps);
	return 0;

err_pages:
	__free_pages(map->page, map->order);
err_map:
	kfree(map);
	return -ENOMEM;
}

static void bench_free_sg(struct bench_map *map)
{
	struct scatterlist *sg;
	int i;

	if (map->page)
		__free_pages(map->page, map->order);
	else
		for_each_sgtable_sg(&map->table, sg, i)
			if (sg_page(sg))
				__free_pages(sg_page(sg), get_order(sg->length) + 1);
	sg_free_table(&map->table);
	kfree(map);
}

/*
 * Scattered: each entry the lower half of a block of its own, so that none is next
 * to another. Contiguous: the pages of one block.
 */
static int bench_map_sg(struct bench *bench, bool contiguous, unsigned int pages, unsigned int run)
{
	struct scatterlist *sg;
	struct bench_map *map;
	int i, ret;

	if (!pages || pages > BENCH_SG_PAGES_MAX)
		return -EINVAL;
	map = kzalloc_obj(*map, GFP_KERNEL);
	if (!map)
		return -ENOMEM;
	map->kind = BENCH_SG;
	ret = sg_alloc_table(&map->table, pages, GFP_KERNEL);
	if (ret) {
		kfree(map);
		return ret;
	}
	ret = -ENOMEM;
	if (contiguous) {
		map->order = get_order(pages * PAGE_SIZE);
		map->page = alloc_pages(GFP_KERNEL, map->order);
		if (!map->page)
			goto err;
	}
	for_each_sgtable_sg(&map->table, sg, i) {
		size_t size = run && i == pages / 2 ? run * PAGE_SIZE : PAGE_SIZE;
		struct page *page = contiguous ? map->page + i :
						 alloc_pages(GFP_KERNEL, get_order(size) + 1);

		if (!page)
			goto err;
		sg_set_page(sg, page, size, 0);
	}
	ret = dma_map_sgtable(bench->dev, &map->table, DMA_BIDIRECTIONAL, 0);
	if (ret)
		goto err;
	list_add_tail(&map->node, &bench->maps);
	return 0;

err:
	bench_free_sg(map);
	return ret;
}

static void bench_unmap(struct bench *bench)
{
	struct bench_map *map, *next;

	list_for_each_entry_safe(map, next, &bench->maps, node) {
		list_del(&map->node);
		if (map->kind == BENCH_SG) {
			dma_unmap_sgtable(bench->dev, &map->table, DMA_BIDIRECTIONAL, 0);
			bench_free_sg(map);
		} else {
			dma_unmap_single(bench->dev, map->addr, map->size, DMA_BIDIRECTIONAL);
			__free_pages(map->page, map->order);
			kfree(map);
		}
	}
}

static int bench_attach(struct bench *bench)
{
	int ret;

	if (bench->domain)
		return -EBUSY;
	bench->domain = iommu_paging_domain_alloc(bench->dev);
	if (IS_ERR(bench->domain)) {
		ret = PTR_ERR(bench->domain);
		bench->domain = NULL;
		return ret;
	}
	ret = iommu_attach_device(bench->domain, bench->dev);
	if (ret) {
		iommu_domain_free(bench->domain);
		bench->domain = NULL;
	}
	return ret;
}

static int bench_iommu_unmap(struct bench *bench)
{
	size_t size = bench->iommu_size;

	bench->iommu_size = 0;
	if (!size)
		return 0;
	return iommu_unmap(bench->domain, BENCH_IOVA, size) == size ? 0 : -EIO;
}

static void bench_detach(struct bench *bench)
{
	if (!bench->domain)
		return;
	bench_iommu_unmap(bench);
	iommu_detach_device(bench->domain, bench->dev);
	iommu_domain_free(bench->domain);
	bench->domain = NULL;
	bench->nr_filled = 0;
}

/* Nothing reaches that memory: what it is does not matter. */
static int bench_iommu_map(struct bench *bench, size_t size)
{
	int ret;

	if (!bench->domain || bench->iommu_size || !size)
		return -EINVAL;
	ret = iommu_map(bench->domain, BENCH_IOVA, 0, size, IOMMU_READ | IOMMU_WRITE,
			GFP_KERNEL);
	if (!ret)
		bench->iommu_size = size;
	return ret;
}

static int bench_split(struct bench *bench)
{
	unsigned long iova = BENCH_IOVA + PAGE_SIZE;

	if (bench->iommu_size <= PAGE_SIZE)
		return -EINVAL;
	if (iommu_unmap(bench->domain, iova, PAGE_SIZE) ||
	    iommu_iova_to_phys(bench->domain, iova) != PAGE_SIZE)
		return -EIO;
	return 0;
}

static int bench_iommu_page(struct bench *bench, unsigned long slot)
{
	return iommu_map(bench->domain, BENCH_IOVA + slot * PAGE_SIZE, 0, PAGE_SIZE,
			 IOMMU_READ | IOMMU_WRITE, GFP_KERNEL);
}

static int bench_fill(struct bench *bench, unsigned long nr)
{
	int ret = 0;

	if (!bench->domain || bench->nr_filled || !nr)
		return -EINVAL;
	while (bench->nr_filled < nr && !ret) {
		ret = bench_iommu_page(bench, 2 * bench->nr_filled++);
		cond_resched();
	}
	return ret;
}

static int bench_spot(struct bench *bench, unsigned long nr)
{
	unsigned long i, seed = 1;
	u64 start = ktime_get_ns();
	int ret;

	if (!bench->nr_filled)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		unsigned long slot;

		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		slot = 2 * ((seed >> 33) % bench->nr_filled) + 1;
		ret = bench_iommu_page(bench, slot);
		if (ret)
			return ret;
		if (iommu_unmap(bench->domain, BENCH_IOVA + slot * PAGE_SIZE, PAGE_SIZE) !=
		    PAGE_SIZE)
			return -EIO;
	}
	snprintf(bench->result, sizeof(bench->result), "spots=%lu ns=%llu ", nr,
		 ktime_get_ns() - start);
	return 0;
}

static int bench_cycles(struct bench *bench, unsigned long nr)
{
	while (nr--) {
		dma_addr_t addr = dma_map_page(bench->dev, bench->page, 0, PAGE_SIZE,
					       DMA_TO_DEVICE);

		if (dma_mapping_error(bench->dev, addr))
			return -ENOMEM;
		dma_unmap_page(bench->dev, addr, PAGE_SIZE, DMA_TO_DEVICE);
		if (!(nr % 1024))
			cond_resched();
	}
	return 0;
}

static int bench_cycle(struct bench *bench, unsigned long nr)
{
	u64 start = ktime_get_ns();
	int ret = bench_cycles(bench, nr);

	snprintf(bench->result, sizeof(bench->result), "cycles=%lu ns=%llu ", nr,
		 ktime_get_ns() - start);
	return ret;
}

struct bench_thread {
	struct bench *bench;
	struct task_struct *task;
	struct completion *go;
	struct completion done;
	unsigned long nr;
	u64 end;
	int ret;
};

static int bench_thread(void *data)
{
	struct bench_thread *thread = data;

	wait_for_completion(thread->go);
	thread->ret = bench_cycles(thread->bench, thread->nr);
	thread->end = ktime_get_ns();
	complete(&thread->done);
	return 0;
}

static int bench_thread_start(struct bench_thread *thread, unsigned int cpu)
{
	init_completion(&thread->done);
	thread->task = kthread_create_on_cpu(bench_thread, thread, cpu, "iommu-bench/%u");
	if (IS_ERR(thread->task))
		return PTR_ERR(thread->task);
	wake_up_process(thread->task);
	return 0;
}

static int bench_threads(struct bench *bench, unsigned int nr_threads, unsigned long nr)
{
	struct bench_thread *threads;
	struct completion go;
	unsigned int i, started;
	u64 start, end = 0;
	int ret = 0;

	if (!nr_threads || nr_threads > min_t(unsigned int, num_online_cpus(), BENCH_THREADS_MAX))
		return -EINVAL;
	threads = kcalloc(nr_threads, sizeof(*threads), GFP_KERNEL);
	if (!threads)
		return -ENOMEM;
	init_completion(&go);
	for (started = 0; started < nr_threads && !ret; started++) {
		threads[started].bench = bench;
		threads[started].nr = nr;
		threads[started].go = &go;
		ret = bench_thread_start(&threads[started], started);
	}
	if (ret)
		started--;
	msleep(50);
	start = ktime_get_ns();
	complete_all(&go);
	for (i = 0; i < started; i++) {
		wait_for_completion(&threads[i].done);
		ret = ret ?: threads[i].ret;
		end = max(end, threads[i].end);
	}
	kfree(threads);
	snprintf(bench->result, sizeof(bench->result), "threads=%u cycles=%lu ns=%llu ",
		 nr_threads, nr_threads * nr, end - start);
	return ret;
}

/* A virtio-iommu that is kept from its memory does not answer, until it is told again. */
struct bench_host {
	struct pci_dev *pdev;
	void __iomem *notify;
};

#define BENCH_NOTIFY_CFG	2	/* VIRTIO_PCI_CAP_NOTIFY_CFG */

static int bench_host_find(struct bench_host *host)
{
	u32 offset;
	u8 type, bar;
	int cap;

	host->pdev = pci_get_device(0x1af4, 0x1057, NULL);
	if (!host->pdev)
		return -ENODEV;
	for (cap = pci_find_capability(host->pdev, PCI_CAP_ID_VNDR); cap;
	     cap = pci_find_next_capability(host->pdev, cap, PCI_CAP_ID_VNDR)) {
		pci_read_config_byte(host->pdev, cap + 3, &type);
		if (type != BENCH_NOTIFY_CFG)
			continue;
		pci_read_config_byte(host->pdev, cap + 4, &bar);
		pci_read_config_dword(host->pdev, cap + 8, &offset);
		host->notify = pci_iomap_range(host->pdev, bar, offset, 4);
		if (host->notify)
			return 0;
	}
	pci_dev_put(host->pdev);
	return -ENODEV;
}

static void bench_host_put(struct bench_host *host)
{
	pci_iounmap(host->pdev, host->notify);
	pci_dev_put(host->pdev);
}

/* CPU 1 as seen from CPU 0: an interrupt there, which wakes a thread there. */
struct bench_ping {
	call_single_data_t csd;
	struct completion wake;
	u64 sent;
	u64 interrupted;
	u64 switched;
	u64 interrupt_ns;
	u64 switch_ns;
	unsigned int nr;
};

static void bench_pinged(void *data)
{
	struct bench_ping *ping = data;

	WRITE_ONCE(ping->interrupted, ktime_get_ns());
	complete(&ping->wake);
}

static int bench_sleeper(void *data)
{
	struct bench_ping *ping = data;

	sched_set_fifo(current);
	while (!kthread_should_stop()) {
		if (wait_for_completion_interruptible_timeout(&ping->wake, HZ / 10) > 0)
			WRITE_ONCE(ping->switched, ktime_get_ns());
	}
	return 0;
}

static bool bench_ping_over(struct bench_ping *ping)
{
	return READ_ONCE(ping->switched) >= ping->sent;
}

static void bench_ping_send(struct bench_ping *ping)
{
	ping->sent = ktime_get_ns();
	ping->nr++;
	smp_call_function_single_async(1, &ping->csd);
}

static void bench_ping_note(struct bench_ping *ping)
{
	ping->interrupt_ns = max(ping->interrupt_ns, ping->interrupted - ping->sent);
	ping->switch_ns = max(ping->switch_ns, ping->switched - ping->sent);
}

static void bench_ping_until(struct bench_ping *ping, u64 end)
{
	bench_ping_send(ping);
	while (ktime_get_ns() < end) {
		if (bench_ping_over(ping)) {
			bench_ping_note(ping);
			bench_ping_send(ping);
		}
		usleep_range(100, 200);
	}
}

static int bench_slow(struct bench *bench, unsigned int ms)
{
	struct bench_thread thread = { .bench = bench, .nr = 1 };
	struct bench_ping ping = {};
	struct bench_host host = {};
	struct task_struct *task;
	struct completion go;
	u64 start;
	int ret;

	if (num_online_cpus() < 2 || !ms)
		return -EINVAL;
	ret = bench_host_find(&host);
	if (ret)
		return ret;
	init_completion(&go);
	init_completion(&ping.wake);
	INIT_CSD(&ping.csd, bench_pinged, &ping);
	thread.go = &go;
	set_cpus_allowed_ptr(current, cpumask_of(0));
	task = kthread_create_on_cpu(bench_sleeper, &ping, 1, "iommu-bench-fifo/%u");
	if (IS_ERR(task)) {
		ret = PTR_ERR(task);
		goto out;
	}
	wake_up_process(task);
	ret = bench_thread_start(&thread, 1);
	if (ret)
		goto out_task;
	msleep(50);

	pci_clear_master(host.pdev);
	start = ktime_get_ns();
	complete_all(&go);
	bench_ping_until(&ping, start + ms * (u64)NSEC_PER_MSEC);
	pci_set_master(host.pdev);
	iowrite16(0, host.notify);
	wait_for_completion(&thread.done);
	while (!bench_ping_over(&ping))
		msleep(20);
	bench_ping_note(&ping);
	ret = thread.ret;
	snprintf(bench->result, sizeof(bench->result),
		 "waited-ns=%llu pings=%u interrupt-ns=%llu thread-ns=%llu ", thread.end - start,
		 ping.nr, ping.interrupt_ns, ping.switch_ns);
out_task:
	kthread_stop(task);
out:
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	bench_host_put(&host);
	return ret;
}

static int bench_run(struct bench *bench, const char *command, u64 a, u64 b, u64 c)
{
	int ret = 0;

	if (!strcmp(command, "single")) {
		while (a-- && !ret)
			ret = bench_map_single(bench, PAGE_SIZE, 0);
		return ret;
	} else if (!strcmp(command, "large")) {
		while (a-- && !ret)
			ret = bench_map_single(bench, BENCH_LARGE, BENCH_LARGE_OFFSET);
		return ret;
	} else if (!strcmp(command, "scattered")) {
		while (a-- && !ret)
			ret = bench_map_sg(bench, false, b, c);
		return ret;
	} else if (!strcmp(command, "contiguous")) {
		while (a-- && !ret)
			ret = bench_map_sg(bench, true, b, 0);
		return ret;
	} else if (!strcmp(command, "unmap")) {
		bench_unmap(bench);
	} else if (!strcmp(command, "attach")) {
		return bench_attach(bench);
	} else if (!strcmp(command, "detach")) {
		bench_detach(bench);
	} else if (!strcmp(command, "iommu")) {
		return bench_iommu_map(bench, a);
	} else if (!strcmp(command, "iommu-unmap")) {
		return bench_iommu_unmap(bench);
	} else if (!strcmp(command, "split")) {
		return bench_split(bench);
	} else if (!strcmp(command, "fill")) {
		return bench_fill(bench, a);
	} else if (!strcmp(command, "spot")) {
		return bench_spot(bench, a);
	} else if (!strcmp(command, "cycle")) {
		return bench_cycle(bench, a);
	} else if (!strcmp(command, "threads")) {
		return bench_threads(bench, a, b);
	} else if (!strcmp(command, "slow")) {
		return bench_slow(bench, a);
	} else {
		return -EINVAL;
	}
	return 0;
}

static ssize_t bench_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	struct bench *bench = file->private_data;
	char line[64], command[16];
	u64 a = 1, b = 0, c = 0, start;
	size_t used;
	int ret;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "%15s %llu %llu %llu", command, &a, &b, &c) < 1)
		return -EINVAL;
	mutex_lock(&bench->lock);
	bench->result[0] = '\0';
	start = ktime_get_ns();
	ret = bench_run(bench, command, a, b, c);
	used = strlen(bench->result);
	snprintf(bench->result + used, sizeof(bench->result) - used, "total-ns=%llu\n",
		 ktime_get_ns() - start);
	mutex_unlock(&bench->lock);
	return ret ?: size;
}

static ssize_t bench_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	struct bench *bench = file->private_data;

	return simple_read_from_buffer(to, size, pos, bench->result, strlen(bench->result));
}

static const struct file_operations bench_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= bench_read,
	.write	= bench_write,
};

static int bench_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct bench *bench = devm_kzalloc(&pdev->dev, sizeof(*bench), GFP_KERNEL);
	int ret;

	if (!bench)
		return -ENOMEM;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	/* a segment as long as the largest of them, so that nothing is cut */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	bench->page = alloc_page(GFP_KERNEL);
	if (!bench->page)
		return -ENOMEM;
	bench->dev = &pdev->dev;
	mutex_init(&bench->lock);
	INIT_LIST_HEAD(&bench->maps);
	pci_set_drvdata(pdev, bench);
	bench->file = debugfs_create_file(pci_name(pdev), 0600, bench_dir, bench,
					  &bench_fops);
	return 0;
}

static void bench_remove(struct pci_dev *pdev)
{
	struct bench *bench = pci_get_drvdata(pdev);

	debugfs_remove(bench->file);
	bench_detach(bench);
	bench_unmap(bench);
	__free_page(bench->page);
}

static const struct pci_device_id bench_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{}
};
MODULE_DEVICE_TABLE(pci, bench_ids);

static struct pci_driver bench_driver = {
	.name		= KBUILD_MODNAME,
	.id_table	= bench_ids,
	.probe		= bench_probe,
	.remove		= bench_remove,
};

static int __init bench_init(void)
{
	int ret;

	bench_dir = debugfs_create_dir("iommu-bench", NULL);
	ret = pci_register_driver(&bench_driver);
	if (ret)
		debugfs_remove(bench_dir);
	return ret;
}

static void __exit bench_exit(void)
{
	pci_unregister_driver(&bench_driver);
	debugfs_remove(bench_dir);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("What DMA mappings cost, for tests");
MODULE_LICENSE("GPL");
