/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cert_report.h - the results of the rules, as a table, as JSON or as TAP.
 */
#ifndef NVME_VFIO_CERT_REPORT_H
#define NVME_VFIO_CERT_REPORT_H

#include "cert.h"
#include "host/host.h"

/** struct cert_row - a rule and its result */
struct cert_row {
	const struct cert_rule *rule;
	struct cert_outcome *out;
};

/**
 * cert_print - print all of it
 * @row: the rules
 * @n: how many
 * @seconds: how long it took
 * @complete: it was not interrupted
 *
 * Return: TOOL_OK, TOOL_FAILED after saying why.
 */
int cert_print(const struct cert *c, const struct host_fn *pf,
		const struct cert_row *row, size_t n, unsigned int seconds,
		bool complete);

/** cert_tap - the same in the Test Anything Protocol */
void cert_tap(const struct cert_row *row, size_t n);

/** cert_list_rules - id, severity, title and section of all of them, as a table or JSON */
int cert_list_rules(void);

/** cert_lists - all lists of rules, ended by NULL */
extern const struct cert_rule *const cert_lists[];

#endif
