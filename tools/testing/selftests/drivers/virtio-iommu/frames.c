// SPDX-License-Identifier: GPL-2.0
/*
 * The network at both ends of a guest that forwards between two NICs: sends
 * numbered frames of several sizes into one and takes them from the other, first
 * each way alone, then both at once, and compares every byte. A NIC's back end is
 * QEMU's -netdev dgram with Unix sockets, NAME.nic for QEMU, NAME.host for this.
 *
 * Usage: frames COUNT NAME-A NAME-B
 *
 * COUNT frames each way, twice; 0: both ways until SIGTERM, whatever is lost. Prints,
 * for each way in each of the runs,
 *     frames alone|together WAY SENT RECEIVED LOST TWICE CORRUPT
 * and fails where the last three are not 0.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ETHERTYPE	0x88b5	/* for local experiments */
#define LENGTH(array)	(sizeof(array) / sizeof((array)[0]))
#define FRAME_MAX	1514
#define WINDOW		64	/* fewer than any queue on the way holds */
#define PATIENCE_MS	20000	/* without a frame, the rest is lost */
#define LATE_MS		300	/* for a frame that comes twice */
#define PAUSE_US	10000	/* until SIGTERM: between windows */

struct header {
	uint8_t		to[6];
	uint8_t		from[6];
	uint16_t	type;
	uint16_t	way;
	uint32_t	run;
	uint32_t	number;
} __attribute__((packed));

/* frames from socket way to socket !way */
struct way {
	bool		active;
	uint32_t	sent;
	uint32_t	received;
	uint32_t	twice;
	uint32_t	corrupt;
	uint32_t	open;
	uint8_t		*seen;
};

static int sockets[2];
static struct way ways[2];
static uint32_t count, run;
static volatile sig_atomic_t ended;

static void end(int signal)
{
	ended = 1;
}

/* What a frame of that number is, and its size. */
static size_t make_frame(uint8_t *frame, int way, uint32_t number)
{
	static const size_t sizes[] = {
		64, 65, 127, 128, 129, 256, 511, 512, 1023, 1024, 1500, FRAME_MAX
	};
	size_t i, size = sizes[number % LENGTH(sizes)];
	uint32_t seed = run ^ number * 2654435761u ^ way;
	struct header header = {
		/* unicast, locally administered */
		.to = { 2, 0, 0, 0, 0, !way },
		.from = { 2, 0, 0, 0, 0, way },
		.type = htobe16(ETHERTYPE),
		.way = way,
		.run = run,
		.number = number,
	};

	memcpy(frame, &header, sizeof(header));
	for (i = sizeof(header); i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		frame[i] = seed >> 24;
	}
	return size;
}

/* Does it want to send more? */
static bool has_more(const struct way *way)
{
	return way->active && way->open < WINDOW && (!count || way->sent < count);
}

static void send_frames(int i)
{
	struct way *way = &ways[i];
	uint8_t frame[FRAME_MAX];
	size_t size;

	while (has_more(way)) {
		size = make_frame(frame, i, way->sent);
		if (send(sockets[i], frame, size, MSG_DONTWAIT) < 0) {
			/* poll() tells when there is room again */
			if (errno == EAGAIN || errno == ENOBUFS)
				return;
			err(1, "send");
		}
		way->sent++;
		way->open++;
	}
}

static void receive_frames(int i)
{
	uint8_t frame[2 * FRAME_MAX], want[FRAME_MAX];
	struct way *way = &ways[!i];
	struct header header;
	ssize_t size;

	for (;;) {
		size = recv(sockets[i], frame, sizeof(frame), MSG_DONTWAIT);
		if (size < 0 && errno == EAGAIN)
			return;
		if (size < 0)
			err(1, "recv");
		memcpy(&header, frame, sizeof(header));
		/* the guest's kernel has things to say as well */
		if (size < (ssize_t)sizeof(header) || header.type != htobe16(ETHERTYPE))
			continue;
		/* left over by a run that ended early */
		if (header.run != run)
			continue;
		if (header.number >= way->sent ||
		    size != (ssize_t)make_frame(want, !i, header.number) ||
		    memcmp(frame, want, size)) {
			way->corrupt++;
			continue;
		}
		if (way->open)
			way->open--;
		if (way->seen && way->seen[header.number]++)
			way->twice++;
		else
			way->received++;
	}
}

static bool done(void)
{
	return (!ways[0].active || ways[0].received == count) &&
	       (!ways[1].active || ways[1].received == count);
}

static void transfer(void)
{
	int ready, timeout, i;

	do {
		struct pollfd polled[2];

		for (i = 0; i < 2; i++) {
			polled[i].fd = sockets[i];
			polled[i].events = POLLIN | (has_more(&ways[i]) ? POLLOUT : 0);
		}
		timeout = !count ? 0 : done() ? LATE_MS : PATIENCE_MS;
		ready = poll(polled, 2, timeout);
		if (ready < 0 && errno != EINTR)
			err(1, "poll");
		for (i = 0; i < 2 && ready > 0; i++) {
			receive_frames(i);
			send_frames(i);
		}
		if (!count) {
			ways[0].open = 0;
			ways[1].open = 0;
			usleep(PAUSE_US);
		}
	} while (count ? ready : !ended);
}

static bool report(const char *name)
{
	bool good = true;
	int i;

	for (i = 0; i < 2; i++) {
		struct way *way = &ways[i];
		uint32_t lost = way->sent - way->received;

		if (!way->active)
			continue;
		printf("frames %s %s %u %u %u %u %u\n", name, i ? "b-to-a" : "a-to-b", way->sent,
		       way->received, lost, way->twice, way->corrupt);
		good &= way->sent == count && !lost && !way->twice && !way->corrupt;
	}
	return good;
}

static bool one(bool forth, bool back, const char *name)
{
	bool active[2] = { forth, back };
	int i;

	run++;
	for (i = 0; i < 2; i++) {
		free(ways[i].seen);
		ways[i] = (struct way){
			.active = active[i], .seen = count ? calloc(count, 1) : NULL,
		};
	}
	transfer();
	return report(name);
}

static int open_socket(const char *name)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX }, nic = own;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (strlen(name) + sizeof(".host") > sizeof(own.sun_path))
		errx(2, "%s: too long for a socket", name);
	sprintf(own.sun_path, "%s.host", name);
	sprintf(nic.sun_path, "%s.nic", name);
	unlink(own.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)))
		err(1, "%s", own.sun_path);
	/* Only of a peer does poll() tell whether it has room. */
	if (connect(fd, (struct sockaddr *)&nic, sizeof(nic)))
		err(1, "%s", nic.sun_path);
	return fd;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = end };
	bool good;

	if (argc != 4)
		errx(2, "Usage: frames COUNT NAME-A NAME-B");
	count = strtoul(argv[1], NULL, 0);
	sockets[0] = open_socket(argv[2]);
	sockets[1] = open_socket(argv[3]);
	/* no two runs are the same */
	run = time(NULL) << 12 ^ getpid() << 4;

	if (!count) {
		sigaction(SIGTERM, &action, NULL);
		one(true, true, "together");
		return 0;
	}
	good = one(true, false, "alone");
	good &= one(false, true, "alone");
	good &= one(true, true, "together");
	return !good;
}
