// SPDX-License-Identifier: GPL-2.0
/*
 * Messages to the host, which sends them back, so many under way at a time.
 *
 * Usage: net-echo ADDRESS PORT BYTES DEPTH COUNT MARK WARM
 *
 * WARM messages come first, then a mark in QEMU's trace (see guest/mark), with no pause,
 * then COUNT, then mark 255. Prints the nanoseconds between.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mark.h"

static char buffer[1 << 16];

static unsigned long long number(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 0);

	if (*end || end == text)
		errx(2, "%s: bad value", text);
	return value;
}

static int connected(const char *address, unsigned int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK))
		err(1, "%s", address);
	return fd;
}

/* As much as there is room for, at most @bytes. Return: how much. */
static uint64_t send_some(int fd, uint64_t bytes)
{
	ssize_t n = write(fd, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer));

	if (n < 0 && errno != EAGAIN)
		err(1, "write");
	return n < 0 ? 0 : n;
}

static uint64_t receive_some(int fd)
{
	ssize_t n = read(fd, buffer, sizeof(buffer));

	if (!n)
		errx(1, "the host has hung up");
	if (n < 0 && errno != EAGAIN)
		err(1, "read");
	return n < 0 ? 0 : n;
}

int main(int argc, char **argv)
{
	uint64_t bytes, depth, warm, all, sent = 0, received = 0, began = 0;
	int fd;

	if (argc != 8)
		errx(2, "Usage: net-echo ADDRESS PORT BYTES DEPTH COUNT MARK WARM");
	bytes = number(argv[3]);
	depth = number(argv[4]) * bytes;
	warm = number(argv[7]) * bytes;
	all = number(argv[5]) * bytes + warm;
	fd = connected(argv[1], number(argv[2]));
	while (received < all) {
		uint64_t may = (received / bytes * bytes + depth < all ?
				received / bytes * bytes + depth : all) - sent;
		struct pollfd wait = { .fd = fd, .events = POLLIN | (may ? POLLOUT : 0) };

		if (poll(&wait, 1, 20000) != 1)
			errx(1, "nothing comes back: %llu of %llu bytes",
			     (unsigned long long)received, (unsigned long long)all);
		if (may && wait.revents & POLLOUT)
			sent += send_some(fd, may);
		if (wait.revents & POLLIN)
			received += receive_some(fd);
		if (!began && received >= warm) {
			mark(number(argv[6]));
			began = nanoseconds();
		}
	}
	printf("%llu\n", (unsigned long long)(nanoseconds() - began));
	mark(255);
	return 0;
}
