// SPDX-License-Identifier: GPL-2.0-only
/*
 * aer.c - errors that the port above a PF reports.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "aer.h"
#include "bed.h"
#include "emu.h"

#define DONE_MS		60000

int aer_log(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	check(log >= 0 && lseek(log, 0, SEEK_END) >= 0, "no kernel log");
	return log;
}

const char *aer_await(int log, const char *what)
{
	static char record[2048];
	const char *text = NULL;
	int ms = 0;

	while (!text) {
		ssize_t n = read(log, record, sizeof(record) - 1);

		if (n < 0 && errno == EAGAIN) {
			check((ms += 10) < DONE_MS, "the kernel never says '%s'",
			      what);
			sleep_us(10000);
		} else if (n >= 0) {	/* what was not read in time is lost */
			record[n] = 0;
			text = strstr(record, what);
		}
	}
	return text + strlen(what);
}

void aer_inject(int pf, const char *error)
{
	emu_do("OK ", "pcie_aer_inject_error port%d %s", pf, error);
}

bool aer_recovered(int log)
{
	static const char good[] = "successful", bad[] = "failed";
	const char *text = aer_await(log, "device recovery ");

	if (!strncmp(text, good, strlen(good)))
		return true;
	check(!strncmp(text, bad, strlen(bad)),
	      "the kernel says that the recovery is %s", text);
	return false;
}
