/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * class-facts.h - what the class of a VF is made of, from a report of doctor.
 */
#ifndef NVME_VFIO_CLASS_FACTS_H
#define NVME_VFIO_CLASS_FACTS_H

#include <json-c/json.h>

#include "class.h"

/**
 * struct class_gap - why a VF has no class
 * @key: what of the report it is about
 * @why: in half a line
 * @cure: what would help, in a sentence
 */
struct class_gap {
	const char *key;
	const char *why;
	const char *cure;
};

/**
 * class_facts - what a report says of a VF
 * @host: its "host"
 * @vf: an entry of its "functions"; neither is trusted
 * @f: filled in
 *
 * Return: NULL, or why there is no class: always one of the same few.
 */
const struct class_gap *class_facts(json_object *host, json_object *vf,
				    struct class_facts *f);

/** class_part_key - the key that a part has in the text of a class */
const char *class_part_key(unsigned int part);

/** class_key_cure - what would make two classes the same in it; NULL: nothing is known */
const char *class_key_cure(const char *key);

#endif
