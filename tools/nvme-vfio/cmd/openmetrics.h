/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * openmetrics.h - OpenMetrics text, as far as it is text that Prometheus' own
 * older format allows as well: what collects files reads that.
 */
#ifndef NVME_VFIO_OPENMETRICS_H
#define NVME_VFIO_OPENMETRICS_H

#include <stdint.h>
#include <stdio.h>

/** struct om_label - NAME="VALUE"; a name of NULL is left out */
struct om_label {
	const char *name;
	const char *value;
};

#define OM_LABELS	4

/**
 * om_family - begin a family of metrics
 * @name: of the family; with the unit at its end if it has one, without _total
 * @type: "counter", "gauge" or "histogram"
 * @unit: "seconds", "bytes", or NULL
 * @help: a sentence
 */
void om_family(FILE *f, const char *name, const char *type, const char *unit,
	       const char *help);

/**
 * om_sample - a line of it
 * @suffix: "_total" of a counter, "" of a gauge, "_bucket", "_sum" or "_count"
 * @label: OM_LABELS of them
 */
void om_sample(FILE *f, const char *name, const char *suffix,
	       const struct om_label *label, uint64_t value);

/** om_sample_us - the same; the value is @us microseconds, in seconds */
void om_sample_us(FILE *f, const char *name, const char *suffix,
		  const struct om_label *label, uint64_t us);

/** om_end - nothing follows */
void om_end(FILE *f);

#endif
