/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peer.h - could a VF of this host move to another, whose report of "doctor" is
 * at hand?
 */
#ifndef NVME_VFIO_PEER_H
#define NVME_VFIO_PEER_H

#include <json-c/json.h>

#include "check.h"

/**
 * peer_load - read the report of another host
 * @file: its name; "-": standard input
 * @peer: set; json_object_put() it
 *
 * All that peer_compare() looks at is there afterwards, and of the right type
 * or null. Return: TOOL_OK, or a code after saying why.
 */
int peer_load(const char *file, json_object **peer);

/** peer_emit_fn - takes an answer about a function, or about the host: NULL */
typedef void (*peer_emit_fn)(void *arg, const char *id, const char *function,
			     struct answer *a);

/**
 * peer_compare - compare this host, then each VF with the VF of the peer that
 * is most like it
 * @host: of this host, see inventory_host()
 * @functions: of this host, see inventory_functions()
 */
void peer_compare(json_object *host, json_object *functions, json_object *peer,
		  peer_emit_fn emit, void *arg);

#endif
