// SPDX-License-Identifier: GPL-2.0
/*
 * How "viommu top" is drawn, with ncurses: a head with rates, a table of devices, and the
 * keys at the bottom.
 *
 * Each line is made as text and cut to the width of the terminal, so that a small one shows
 * the beginning of everything and the table's first rows. A resize is a key to ncurses.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>

#include "live.h"
#include "top.h"

/* Pairs of colours; 0 is the terminal's own. */
enum { PAIR_RED = 1, PAIR_YELLOW };

static const struct {
	char key;
	int width;		/* negative: to the left */
	const char *title;
} columns[ORDERS] = {
	[ORDER_DEVICE] = { 'd', -26, "DEVICE" },
	[ORDER_ENDPOINT] = { 'e', -12, "ENDPOINT" },
	[ORDER_DOMAIN] = { 'o', -18, "DOMAIN" },
	[ORDER_MAPPINGS] = { 'm', 10, "MAPPINGS" },
	[ORDER_BYTES] = { 'b', 11, "BYTES" },
	[ORDER_FAULTS] = { 'f', 8, "FAULTS" },
	[ORDER_FAULT_RATE] = { 's', 9, "FAULTS/S" },
};

/**
 * struct view - what the user chose
 * @order: by which column rows are sorted
 * @reverse: the other way round
 * @first: the row at the top of the table
 */
static struct {
	enum top_order order;
	bool reverse;
	size_t first;
} view;

static void __attribute__((format(printf, 3, 4)))
draw(int line, int attributes, const char *format, ...)
{
	char *content;
	va_list arguments;
	int length;

	if (line < 0 || line >= LINES)
		return;
	va_start(arguments, format);
	length = vasprintf(&content, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	attron(attributes);
	mvaddnstr(line, 0, content, COLS);
	attroff(attributes);
	free(content);
}

static int alarm_attributes(bool alarm)
{
	return alarm ? A_BOLD | (has_colors() ? COLOR_PAIR(PAIR_RED) : A_REVERSE) : 0;
}

/* Three lines for each virtio-iommu. Return: the line after them. */
static int draw_iommu(const struct top *top, unsigned int i, int line)
{
	const struct counters *now = &top->now[i], *before = &top->before[i];
	/* of the first reading there is no rate: all since boot would be one */
	double seconds = before->when > 0 ? now->when - before->when : 0;
	double kicks = counters_rate(before->kicks, now->kicks, seconds);
	double requests = counters_rate(before->all_sent, now->all_sent, seconds);
	double failures = counters_rate(before->all_failed, now->all_failed, seconds);
	double faults = counters_rate(before->faults, now->faults, seconds);
	bool alarm = now->dead == 1 || (now->outside && now->outside != COUNTER_UNKNOWN) ||
		     !strcmp(now->bypass, "open");

	if (top->gone[i]) {
		draw(line++, alarm_attributes(true), "%s: gone, or its driver is",
		     top->iommus[i].name);
		return line;
	}
	draw(line++, alarm_attributes(alarm),
	     "%s (%s): devices %s, outside %s, domains %s, mappings %s, bypass %s%s",
	     top->iommus[i].name, top->iommus[i].parent, counter_text(now->devices),
	     counter_text(now->outside), counter_text(now->domains),
	     counter_text(now->mappings), now->bypass, now->dead == 1 ? ", DEAD" : "");
	draw(line++, 0,
	     "  a second: kicks %.0f, requests %.0f, batch %.1f, map %.0f, unmap %.0f",
	     kicks, requests, kicks > 0 ? requests / kicks : 0.0,
	     counters_rate(before->sent[REQUEST_MAP], now->sent[REQUEST_MAP], seconds),
	     counters_rate(before->sent[REQUEST_UNMAP], now->sent[REQUEST_UNMAP], seconds));
	draw(line++, alarm_attributes(failures > 0 || faults > 0),
	     "  failures %s (%.0f a second), faults %s (%.0f a second)",
	     counter_text(now->all_failed), failures, counter_text(now->faults), faults);
	return line;
}

static void draw_titles(int line)
{
	char titles[256] = "";
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < ORDERS; i++) {
		char title[16];

		/* the sign says which way the most is, as the rows run */
		snprintf(title, sizeof(title), "%s%s", columns[i].title,
			 view.order == i ? view.reverse ? "^" : "*" : "");
		used += snprintf(titles + used, sizeof(titles) - used, "%*s ", columns[i].width,
				 title);
	}
	draw(line, A_REVERSE, "%-*s", COLS, titles);
}

/* What tells a row: its devices, and its virtio-iommu where there are several. */
static char *row_name(const struct top *top, const struct top_row *row)
{
	const char *name = *row->devices ? row->devices : "(unknown)";
	const char *more = strchr(name, ' ');
	char *first = text("%.*s%s", (int)strcspn(name, " "), name, more ? " ..." : "");
	char *whole;

	if (top->nr_iommus < 2)
		return first;
	whole = text("%s %s", top->iommus[row->iommu].name, first);
	free(first);
	return whole;
}

static void draw_row(const struct top *top, const struct top_row *row, int line)
{
	char *name = row_name(top, row);
	char *domain = row->attached ? text("%" PRIu32 " %s", row->domain, row->kind) :
				       text("%s", row->kind);
	char mappings[24] = "-", bytes[32] = "-", faults[24] = "-", rate[24] = "-";
	bool all_memory = !strcmp(row->kind, "identity");
	int attributes = alarm_attributes(row->fault_rate > 0);

	if (row->domain_known) {
		snprintf(mappings, sizeof(mappings), "%" PRIu64, row->mappings);
		snprintf(bytes, sizeof(bytes), "%s", bytes_text(row->bytes));
	}
	if (top->debugfs) {
		snprintf(faults, sizeof(faults), "%" PRIu64, row->faults);
		snprintf(rate, sizeof(rate), "%.1f", row->fault_rate);
	}
	if (!attributes && all_memory && has_colors())
		attributes = COLOR_PAIR(PAIR_YELLOW);
	draw(line, attributes, "%*.26s %*.12s %*.18s %*s %*s %*s %*s",
	     columns[ORDER_DEVICE].width, name, columns[ORDER_ENDPOINT].width, row->endpoints,
	     columns[ORDER_DOMAIN].width, domain, columns[ORDER_MAPPINGS].width, mappings,
	     columns[ORDER_BYTES].width, bytes, columns[ORDER_FAULTS].width, faults,
	     columns[ORDER_FAULT_RATE].width, rate);
	free(domain);
	free(name);
}

/* Lines left for rows, above that of the keys, if there are that many. */
static size_t draw_rows(const struct top *top, int line)
{
	size_t room = LINES - 1 > line ? LINES - 1 - line : 0, i;

	for (i = 0; i < room && view.first + i < top->nr_rows; i++)
		draw_row(top, &top->rows[view.first + i], line + i);
	return room;
}

static size_t draw_all(struct top *top)
{
	unsigned int i;
	size_t room;
	int line = 0;

	erase();
	for (i = 0; i < top->nr_iommus; i++) {
		if (top->iommus[i].ours)
			line = draw_iommu(top, i, line);
	}
	if (!top->debugfs)
		draw(line++, A_DIM, "Endpoints, domains and faults by device: they need root");
	draw_titles(line++);
	if (view.first >= top->nr_rows)
		view.first = 0;
	top_sort(top, view.order, view.reverse);
	room = draw_rows(top, line);
	draw(LINES - 1, A_DIM,
	     "sort: d e o m b f s  r reverse  arrows scroll  q quit   rows %zu of %zu",
	     room < top->nr_rows ? room : top->nr_rows, top->nr_rows);
	refresh();
	return room;
}

static void scroll_rows(const struct top *top, size_t room, bool down, size_t by)
{
	size_t most = top->nr_rows > room ? top->nr_rows - room : 0;

	if (down)
		view.first = view.first + by < most ? view.first + by : most;
	else
		view.first = view.first > by ? view.first - by : 0;
}

static void handle_key(const struct top *top, int key, size_t room)
{
	unsigned int i;

	switch (key) {
	case KEY_UP:
	case KEY_DOWN:
		scroll_rows(top, room, key == KEY_DOWN, 1);
		break;
	case KEY_PPAGE:
	case KEY_NPAGE:
		scroll_rows(top, room, key == KEY_NPAGE, room);
		break;
	case KEY_HOME:
		view.first = 0;
		break;
	case 'r':
		view.reverse = !view.reverse;
		break;
	default:
		for (i = 0; i < ORDERS; i++) {
			if (columns[i].key == key)
				view.order = i;
		}
	}
}

/* It would give no key, at once, for ever. */
static bool terminal_gone(void)
{
	struct pollfd terminal = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&terminal, 1, 0) > 0 && terminal.revents & (POLLHUP | POLLERR | POLLNVAL);
}

static SCREEN *screen_begin(void)
{
	SCREEN *screen = newterm(NULL, stdout, stdin);

	if (!screen)
		fail(EXIT_USAGE, "top cannot draw on this terminal (TERM=%s)", getenv("TERM"));
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	if (has_colors() && start_color() == OK) {
		use_default_colors();
		init_pair(PAIR_RED, COLOR_RED, -1);
		init_pair(PAIR_YELLOW, COLOR_YELLOW, -1);
	}
	return screen;
}

void screen_run(struct top *top, double interval)
{
	SCREEN *screen = screen_begin();
	double next = 0;
	size_t room;
	int key = 0;

	while (key != 'q' && !live_stopped()) {
		double left = next - live_now();

		if (left <= 0 || key == ' ') {
			top_read(top);
			next = live_now() + interval;
			left = interval;
		}
		room = draw_all(top);
		timeout(left * 1000 + 1);
		key = getch();
		if (key == ERR && terminal_gone())
			break;
		handle_key(top, key, room);
	}
	endwin();
	delscreen(screen);
}
