// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-offer.c - what the device offers, and the rules of VFIO_DEVICE_FEATURE.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases.h"
#include "mig.h"

static void flags_of_migration(const void *arg)
{
	struct dev d;
	uint64_t flags = 0, again = 0;

	(void)arg;
	dev_open(&d, 0);
	check_err(feature(&d, FEAT_MIGRATION | FEATURE_GET, &flags, sizeof(flags)),
		  0, "GET of MIGRATION");
	check(flags & MIG_FLAG_STOP_COPY,
	      "flags %llx: STOP_COPY must be among them",
	      (unsigned long long)flags);
	if (flags & ~(uint64_t)MIG_FLAGS_KNOWN)
		tap_note("flags %llx: some are newer than this suite",
			 (unsigned long long)flags);
	check_err(feature(&d, FEAT_MIGRATION | FEATURE_GET, &again, sizeof(again)),
		  0, "second GET of MIGRATION");
	check(flags == again, "flags changed from %llx to %llx",
	      (unsigned long long)flags, (unsigned long long)again);
}

static void state_after_open(const void *arg)
{
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	state_is(&d, ST_RUNNING);
}

/* which of GET and SET a feature has */
static const struct feature_rule {
	uint32_t feature, ops;
	size_t len;
	unsigned int needs;
} rules[] = {
	{ FEAT_MIGRATION, FEATURE_GET, sizeof(uint64_t), 0 },
	{ FEAT_STATE, FEATURE_GET | FEATURE_SET, sizeof(struct mig_state_arg), 0 },
	{ FEAT_DATA_SIZE, FEATURE_GET, sizeof(uint64_t), NEED_SIZE },
	{ FEAT_LOG_START, FEATURE_SET, sizeof(struct log_control), NEED_LOG },
	{ FEAT_LOG_STOP, FEATURE_SET, 0, NEED_LOG },
	{ FEAT_LOG_REPORT, FEATURE_GET, sizeof(struct log_report), NEED_LOG },
	{ FEAT_PRECOPY_V2, FEATURE_SET, 0, NEED_V2 },
};

static void probe_rules(const void *arg)
{
	static const uint32_t ops[] = {
		0, FEATURE_GET, FEATURE_SET, FEATURE_GET | FEATURE_SET,
	};
	const struct feature_rule *r = arg;
	struct dev d;
	unsigned int i;

	dev_open(&d, 0);
	for (i = 0; i < 4; i++) {
		int want = ops[i] & ~r->ops ? -EINVAL : 0;

		check_err(feature(&d, r->feature | FEATURE_PROBE | ops[i], NULL, 0),
			  want, "feature %u: PROBE%s%s without data",
			  r->feature, ops[i] & FEATURE_GET ? "|GET" : "",
			  ops[i] & FEATURE_SET ? "|SET" : "");
	}
	state_is(&d, ST_RUNNING);
}

static void get_set_rules(const void *arg)
{
	const struct feature_rule *r = arg;
	uint8_t data[128] = { 0 };
	struct dev d;

	dev_open(&d, 0);
	check_err(feature(&d, r->feature, data, r->len), -EINVAL,
		  "feature %u: neither GET nor SET nor PROBE", r->feature);
	check_err(feature(&d, r->feature | FEATURE_GET | FEATURE_SET, data, r->len),
		  -EINVAL, "feature %u: GET|SET without PROBE", r->feature);
	if (!(r->ops & FEATURE_GET))
		check_err(feature(&d, r->feature | FEATURE_GET, data, r->len),
			  -EINVAL, "feature %u: GET", r->feature);
	if (!(r->ops & FEATURE_SET))
		check_err(feature(&d, r->feature | FEATURE_SET, data, r->len),
			  -EINVAL, "feature %u: SET", r->feature);
	check_err(feature(&d, r->feature | FEATURE_GET | FEATURE_FIRST_UNKNOWN,
			  data, r->len), -EINVAL,
		  "feature %u: a flag that does not exist", r->feature);
	check_err(feature(&d, r->feature | FEATURE_PROBE | (1U << 31), data, r->len),
		  -EINVAL, "feature %u: a flag that does not exist", r->feature);
	state_is(&d, ST_RUNNING);
}

static void argsz_rules(const void *arg)
{
	const struct feature_rule *r = arg;
	uint32_t op = r->ops & FEATURE_GET ? FEATURE_GET : FEATURE_SET;
	uint32_t head = sizeof(struct feature_head), argsz;
	uint8_t data[128], before[128];
	struct dev d;

	dev_open(&d, 0);
	for (argsz = 0; argsz < head + r->len; argsz++) {
		memset(data, 0, sizeof(data));
		check_err(feature_argsz(&d, argsz, r->feature | op, data,
					sizeof(data)), -EINVAL,
			  "feature %u: argsz %u, which is too small",
			  r->feature, argsz);
	}
	state_is(&d, ST_RUNNING);
	if (!(r->ops & FEATURE_GET) || r->feature == FEAT_LOG_REPORT)
		return;
	memset(data, 0xa5, sizeof(data));
	memcpy(before, data, sizeof(data));
	check_err(feature_argsz(&d, head + sizeof(data), r->feature | op, data,
				sizeof(data)), 0,
		  "feature %u: argsz larger than needed", r->feature);
	check(!memcmp(data + r->len, before + r->len, sizeof(data) - r->len),
	      "feature %u: bytes behind its data were written", r->feature);
}

static void unknown_feature(const void *arg)
{
	static const uint32_t ops[] = {
		FEATURE_PROBE, FEATURE_PROBE | FEATURE_GET, FEATURE_GET,
		FEATURE_SET,
	};
	uint64_t data = 0;
	struct dev d;
	unsigned int i;

	(void)arg;
	dev_open(&d, 0);
	for (i = 0; i < 4; i++)
		check_err(feature(&d, FEAT_UNKNOWN | ops[i], &data, sizeof(data)),
			  -ENOTTY, "feature %x, flags %x", FEAT_UNKNOWN, ops[i]);
}

static int raw_feature(struct dev *d, void *p)
{
	return ioctl(d->fd, IOC_FEATURE, p) < 0 ? -errno : 0;
}

static void bad_pointers(const void *arg)
{
	struct feature_head *head;
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	check_err(raw_feature(&d, bad_address(0)), -EFAULT,
		  "an argument that is not there");
	head = bad_address(sizeof(*head));
	*head = (struct feature_head) {
		.argsz = sizeof(*head) + sizeof(struct mig_state_arg),
		.flags = FEAT_STATE | FEATURE_SET,
	};
	check_err(raw_feature(&d, head), -EFAULT,
		  "SET of a state whose data are not there");
	state_is(&d, ST_RUNNING);
	head->flags = FEAT_STATE | FEATURE_GET;
	check_err(raw_feature(&d, head), -EFAULT,
		  "GET of the state into memory that is not there");
	head->flags = FEAT_MIGRATION | FEATURE_GET;
	check_err(raw_feature(&d, head), -EFAULT,
		  "GET of MIGRATION into memory that is not there");
	state_is(&d, ST_RUNNING);
}

/* the answer with the fd cannot be written: it must not stay open unseen */
static void read_only_answer(const void *arg)
{
	struct full {
		struct feature_head head;
		struct mig_state_arg state;
	} *full;
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned int before;
	struct dev d;

	(void)arg;
	dev_open(&d, 0);
	full = mmap(NULL, page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(full != MAP_FAILED, "no memory: %s", strerror(errno));
	full->head = (struct feature_head) {
		.argsz = sizeof(*full), .flags = FEAT_STATE | FEATURE_SET,
	};
	full->state = (struct mig_state_arg) {
		.device_state = ST_STOP_COPY, .data_fd = -1,
	};
	check(!mprotect(full, page, PROT_READ), "mprotect: %s", strerror(errno));
	before = count_fds();
	check_err(raw_feature(&d, full), -EFAULT,
		  "RUNNING -> STOP_COPY with an answer that cannot be written");
	check(count_fds() == before, "an fd was left open: %u before, %u after",
	      before, count_fds());
	go(&d, ST_RUNNING);
	whole_cycle(&d);
}

#define RULE(what, func, n, need) \
	{ .name = "offer: " what, .fn = func, .arg = &rules[n], .needs = need }

const struct tap_case offer_cases[] = {
	{ .name = "offer: flags of MIGRATION", .fn = flags_of_migration },
	{ .name = "offer: RUNNING after open", .fn = state_after_open },
	RULE("PROBE rules of MIGRATION", probe_rules, 0, 0),
	RULE("GET and SET rules of MIGRATION", get_set_rules, 0, 0),
	RULE("argsz of MIGRATION", argsz_rules, 0, 0),
	RULE("PROBE rules of MIG_DEVICE_STATE", probe_rules, 1, 0),
	RULE("GET and SET rules of MIG_DEVICE_STATE", get_set_rules, 1, 0),
	RULE("argsz of MIG_DEVICE_STATE", argsz_rules, 1, 0),
	RULE("PROBE rules of MIG_DATA_SIZE", probe_rules, 2, NEED_SIZE),
	RULE("GET and SET rules of MIG_DATA_SIZE", get_set_rules, 2, NEED_SIZE),
	RULE("argsz of MIG_DATA_SIZE", argsz_rules, 2, NEED_SIZE),
	RULE("PROBE rules of DMA_LOGGING_START", probe_rules, 3, NEED_LOG),
	RULE("GET and SET rules of DMA_LOGGING_START", get_set_rules, 3,
	     NEED_LOG),
	RULE("argsz of DMA_LOGGING_START", argsz_rules, 3, NEED_LOG),
	RULE("PROBE rules of DMA_LOGGING_STOP", probe_rules, 4, NEED_LOG),
	RULE("GET and SET rules of DMA_LOGGING_STOP", get_set_rules, 4,
	     NEED_LOG),
	RULE("argsz of DMA_LOGGING_STOP", argsz_rules, 4, NEED_LOG),
	RULE("PROBE rules of DMA_LOGGING_REPORT", probe_rules, 5, NEED_LOG),
	RULE("GET and SET rules of DMA_LOGGING_REPORT", get_set_rules, 5,
	     NEED_LOG),
	RULE("argsz of DMA_LOGGING_REPORT", argsz_rules, 5, NEED_LOG),
	RULE("PROBE rules of MIG_PRECOPY_INFOv2", probe_rules, 6,
	     NEED_V2 | NEED_PRE_COPY),
	RULE("GET and SET rules of MIG_PRECOPY_INFOv2", get_set_rules, 6,
	     NEED_V2 | NEED_PRE_COPY),
	RULE("argsz of MIG_PRECOPY_INFOv2", argsz_rules, 6,
	     NEED_V2 | NEED_PRE_COPY),
	{ .name = "offer: a feature that does not exist", .fn = unknown_feature },
	{ .name = "offer: bad pointers", .fn = bad_pointers },
	{ .name = "offer: an answer that cannot be written leaks no fd",
	  .fn = read_only_answer },
	{ }
};
