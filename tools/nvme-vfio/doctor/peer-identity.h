/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peer-identity.h - a VF of a report as the driver's stream would describe it.
 */
#ifndef NVME_VFIO_PEER_IDENTITY_H
#define NVME_VFIO_PEER_IDENTITY_H

#include <json-c/json.h>

#include "host/verdict.h"

/**
 * struct peer_identity - what a report says about a VF
 * @id: as the driver would fill it; what is not compared stays zero
 * @known: the report says it, and in a way that can be understood
 * @formats: all that its PF lists, as identity.h wants them
 * @has_formats: the report says that
 * @namespaces: those of the VF; known if the report says it
 */
struct peer_identity {
	struct stream_identity id;
	bool known[IDENTITY_PARTS];
	uint8_t formats[LM_FORMATS_LEN];
	bool has_formats;
	struct stream_namespaces namespaces;
};

/** peer_identity - from an entry of a report's "functions" */
void peer_identity(json_object *vf, struct peer_identity *p);

/** peer_policy - the policy of its PF. Return: the report says it, and it is one */
bool peer_policy(json_object *vf, struct policy *policy);

/**
 * peer_sends - the format that the policy names is the one that is sent
 *
 * Return: the PF has it.
 */
bool peer_sends(struct peer_identity *p, const struct policy *policy);

#endif
