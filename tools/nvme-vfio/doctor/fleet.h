/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fleet.h - the reports of many hosts: which classes their VFs are of, which class
 * can move to which, and who differs from all others in one thing.
 *
 * What a host says is not trusted. Hosts are never compared with each other: VFs
 * that are judged alike are one kind, and kinds are compared, up to so many.
 */
#ifndef NVME_VFIO_FLEET_H
#define NVME_VFIO_FLEET_H

#include <stdbool.h>
#include <stddef.h>

#include "class-facts.h"

#define FLEET_COMPARED	128	/* kinds that are compared, the most common ones */
#define FLEET_KINDS	4096	/* kinds that are told apart */

/** struct fleet_hosts - some of the hosts, by their place in struct fleet; ascending */
struct fleet_hosts {
	size_t *at;
	size_t n;
};

/**
 * struct fleet_class - a class
 * @id: its name
 * @text: what it is made of, see class_text()
 * @on: the hosts that have such VFs
 * @vfs: how many VFs
 * @kinds: how many kinds of VFs, which differ in what is not in the class
 * @rank: place in fleet->cls
 * @compared: with the other classes that are
 * @stuck: no VF of another host can take over: compared, and on one host only
 * @like: @stuck or not, on one host, and differs from this one in one key only, which
 *	has more hosts than others that do; or NULL
 * @key: that key, @len bytes of a text
 */
struct fleet_class {
	char id[CLASS_ID_LEN];
	char *text;
	struct fleet_hosts on;
	size_t vfs;
	size_t kinds;
	size_t rank;
	bool compared;
	bool stuck;
	const struct fleet_class *like;
	const char *key;
	size_t len;
};

/** struct fleet_kind - VFs that are judged alike */
struct fleet_kind {
	struct class_facts facts;
	struct fleet_class *cls;
	size_t vfs;
};

/** struct fleet_gap - VFs without a class */
struct fleet_gap {
	const struct class_gap *why;
	struct fleet_hosts on;
	size_t vfs;
};

/**
 * struct fleet_move - from one class to another
 * @least: enum class_move, of the kinds for which it is the worst
 * @most: and of those for which it is the best
 * @part: what is in the way at the worst
 */
struct fleet_move {
	unsigned char least;
	unsigned char most;
	unsigned short part;
};

/**
 * struct fleet - all of it
 * @host: names, of those whose report could be read
 * @files: reports that there are
 * @bad: of these: could not be read, or are of a host that is there already
 * @bare: hosts without any VF
 * @cls: the classes; those with the most hosts first
 * @compared: so many of the first classes were compared
 * @move: [from * compared + to]
 * @comparisons: judgements that this has taken
 * @gap: why VFs have no class
 * @vfs: VFs, with a class or without
 * @lost: of these: of more kinds than are told apart
 */
struct fleet {
	char **host;
	size_t hosts;
	size_t files;
	size_t bad;
	size_t bare;
	struct fleet_class **cls;
	size_t classes;
	struct fleet_kind **kind;
	size_t kinds;
	size_t compared;
	struct fleet_move *move;
	size_t comparisons;
	struct fleet_gap *gap;
	size_t gaps;
	size_t vfs;
	size_t lost;
	struct lh_table *by_name;
	struct lh_table *by_text;
	struct lh_table *by_kind;
};

/**
 * fleet_load - read each *.json of a folder
 * @f: zeroed; fleet_free() it
 *
 * Files that cannot be read are said, and counted. Out of memory ends the program.
 * Return: TOOL_OK, or a code after saying why there is nothing at all.
 */
int fleet_load(struct fleet *f, const char *folder);

/** fleet_add - one more report, as peer_load() has it; @file: where it is from */
int fleet_add(struct fleet *f, json_object *report, const char *file);

/** fleet_compare - compare what there is */
void fleet_compare(struct fleet *f);

/**
 * fleet_value - what the text of a class has for a key
 * @key: @len bytes
 * @value: filled in, as the drive has it; without what a terminal would act on
 *
 * Return: @value; NULL: the class does not go by it.
 */
const char *fleet_value(const struct fleet_class *c, const char *key,
			size_t len, char *value, size_t size);

/** fleet_free - forget it */
void fleet_free(struct fleet *f);

#endif
