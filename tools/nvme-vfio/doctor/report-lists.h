/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report-lists.h - lists that the driver compares, as a report has them: the
 * namespaces of a VF, and the formats of state that its PF knows.
 */
#ifndef NVME_VFIO_REPORT_LISTS_H
#define NVME_VFIO_REPORT_LISTS_H

#include <json-c/json.h>

#include "host/verdict.h"

/** report_namespaces - each namespace of a set that is known */
json_object *report_namespaces(const struct stream_namespaces *ns);

/**
 * peer_namespaces - the set that a report's VF has
 * @vf: an entry of a report's "functions"; not trusted
 * @ns: filled in
 *
 * Return: the report says it, and in a way that can be understood
 */
bool peer_namespaces(json_object *vf, struct stream_namespaces *ns);

/** report_formats - @page: Supported Controller State Formats, LM_FORMATS_LEN bytes */
json_object *report_formats(const uint8_t *page);

/** peer_formats - and back; @page is LM_FORMATS_LEN bytes. Return: as peer_namespaces(). */
bool peer_formats(json_object *vf, uint8_t *page);

/**
 * report_bytes - "0a1b": bytes as text
 * peer_bytes - and back. Return: it is such a text, of @len bytes
 */
json_object *report_bytes(const uint8_t *from, size_t len);
bool peer_bytes(const char *text, uint8_t *to, size_t len);

#endif
