// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - command line, what the device offers, which cases run.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases.h"
#include "klog.h"
#include "mig.h"
#include "trouble.h"

#define EXIT_CASES	1
#define EXIT_USAGE	2
#define EXIT_DEVICE	3

static const char usage_text[] =
"usage: vfio-mig-conformance [OPTION...] DEVICE [DEVICE]\n"
"\n"
"Checks the VFIO migration uAPI of a device's driver, and prints TAP. DEVICE is\n"
"a PCI address (0000:01:00.1) or a folder in /sys, bound to a VFIO driver and\n"
"not in use. A second DEVICE that can take the first one's state adds the cases\n"
"that need a pair. Run as root. The devices are reset, their state is lost.\n"
"\n"
"  -g, --group         only through /dev/vfio/GROUP\n"
"  -i, --iommufd       only through /dev/vfio/devices and /dev/iommu\n"
"                      (default: through each of them that is there)\n"
"      --lenient       a driver may take streams that are broken\n"
"  -o, --only TEXT     only cases with TEXT in their name\n"
"  -s, --skip TEXT     not those with TEXT in their name; may be given again\n"
"      --limit SECONDS longest time of a case (120)\n"
"  -l, --list          names of the cases; needs no DEVICE\n"
"  -h, --help          this\n"
"\n"
"Exit status: 0 all cases passed (skipped ones included), 1 cases failed,\n"
"2 wrong usage, 3 the device cannot be opened or offers no migration.\n";

#define MAX_SKIP	16

static struct options {
	bool way[WAY_NR], list;
	const char *only, *skip[MAX_SKIP];
	unsigned int nskip, limit;
} opt = { .limit = 120 };

static bool parse(int argc, char **argv)
{
	enum { LENIENT = 256, LIMIT };
	static const struct option longs[] = {
		{ "group", no_argument, NULL, 'g' },
		{ "iommufd", no_argument, NULL, 'i' },
		{ "lenient", no_argument, NULL, LENIENT },
		{ "only", required_argument, NULL, 'o' },
		{ "skip", required_argument, NULL, 's' },
		{ "limit", required_argument, NULL, LIMIT },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "gio:s:lh", longs, NULL)) >= 0) {
		switch (c) {
		case 'g':
			opt.way[WAY_GROUP] = true;
			break;
		case 'i':
			opt.way[WAY_IOMMUFD] = true;
			break;
		case LENIENT:
			run.lenient = true;
			break;
		case 'o':
			opt.only = optarg;
			break;
		case 's':
			if (opt.nskip == MAX_SKIP)
				return false;
			opt.skip[opt.nskip++] = optarg;
			break;
		case LIMIT:
			opt.limit = strtoul(optarg, &end, 10);
			if (!opt.limit || *end)
				return false;
			break;
		case 'l':
			opt.list = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		default:
			return false;
		}
	}
	return opt.list || (argc - optind >= 1 && argc - optind <= 2);
}

static bool probe(struct dev *d, uint32_t what)
{
	return !feature(d, what | FEATURE_PROBE, NULL, 0);
}

/* found out by a separate process, so that a bad driver only ends that one */
struct found {
	int err;
	char why[300];
	uint64_t flags;
	unsigned int offers;
};

static void find_out(struct found *f)
{
	struct dev d;

	f->err = dev_try_open(&d, &run.target[0], run.way, f->why,
			      sizeof(f->why));
	if (f->err)
		return;
	f->err = feature(&d, FEAT_MIGRATION | FEATURE_GET, &f->flags,
			 sizeof(f->flags));
	if (f->err) {
		snprintf(f->why, sizeof(f->why),
			 "offers no migration: GET of VFIO_DEVICE_FEATURE_MIGRATION: %s",
			 errname(f->err));
		return;
	}
	if (f->flags & MIG_FLAG_P2P)
		f->offers |= NEED_P2P;
	if (f->flags & MIG_FLAG_PRE_COPY)
		f->offers |= NEED_PRE_COPY;
	if (probe(&d, FEAT_DATA_SIZE | FEATURE_GET))
		f->offers |= NEED_SIZE;
	if (probe(&d, FEAT_LOG_START) || probe(&d, FEAT_LOG_STOP) ||
	    probe(&d, FEAT_LOG_REPORT))
		f->offers |= NEED_LOG;
	/* without PRE_COPY the core answers EINVAL, without the feature ENOTTY */
	if (feature(&d, FEAT_PRECOPY_V2 | FEATURE_PROBE, NULL, 0) != -ENOTTY)
		f->offers |= NEED_V2;
	if (dev_can_reset(&d))
		f->offers |= NEED_RESET;
}

static bool learn(void)
{
	struct found *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	if (f == MAP_FAILED)
		return false;
	f->err = -EINTR;
	snprintf(f->why, sizeof(f->why),
		 "the process that asked did not end well");
	pid = fork();
	if (!pid) {
		find_out(f);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status || f->err) {
		tap_note("%s: %s", run.target[0].name, f->why);
		munmap(f, sizeof(*f));
		return false;
	}
	run.flags = f->flags;
	run.offers = f->offers;
	if (run.ntargets == 2 &&
	    strcmp(run.target[0].group, run.target[1].group))
		run.offers |= NEED_PAIR;
	munmap(f, sizeof(*f));
	return true;
}

static const char *missing(const struct tap_case *c)
{
	static const char * const what[NEED_NR] = {
		"device offers no P2P",
		"device offers no PRE_COPY",
		"device offers no MIG_DATA_SIZE",
		"device offers no DMA_LOGGING",
		"device has no VFIO_DEVICE_RESET",
		"no second device, in an IOMMU group of its own",
		"kernel has no MIG_PRECOPY_INFOv2",
	};
	unsigned int i;

	for (i = 0; i < NEED_NR; i++) {
		if (c->needs & ~run.offers & (1U << i))
			return what[i];
	}
	return NULL;
}

static bool wanted(const struct tap_case *c)
{
	unsigned int i;

	if (opt.only && !strstr(c->name, opt.only))
		return false;
	for (i = 0; i < opt.nskip; i++) {
		if (strstr(c->name, opt.skip[i]))
			return false;
	}
	return true;
}

#define NLISTS	13

static void all_lists(const struct tap_case *lists[NLISTS])
{
	unsigned int n = 0;

	lists[n++] = offer_cases;
	lists[n++] = arc_cases();
	lists[n++] = fd_cases;
	lists[n++] = stream_cases;
	lists[n++] = precopy_cases;
	lists[n++] = size_cases;
	lists[n++] = resume_cases;
	lists[n++] = reset_cases;
	lists[n++] = log_cases;
	lists[n++] = move_cases;
	lists[n++] = vmm_cases;
	lists[n++] = race_cases;
	lists[n++] = blocked_cases();
}

static void run_lists(struct tap_run *r)
{
	const struct tap_case *lists[NLISTS];
	unsigned int i;

	all_lists(lists);
	for (i = 0; i < NLISTS; i++)
		tap_cases(r, lists[i]);
}

static void print_list(void)
{
	const struct tap_case *lists[NLISTS], *c;
	unsigned int i;

	all_lists(lists);
	for (i = 0; i < NLISTS; i++) {
		for (c = lists[i]; c->fn; c++) {
			if (wanted(c))
				puts(c->name);
		}
	}
}

static void introduce(void)
{
	struct utsname u;
	unsigned int i;

	if (!uname(&u))
		tap_note("kernel %s", u.release);
	for (i = 0; i < run.ntargets; i++)
		tap_note("device %s, driver %s, IOMMU group %s",
			 run.target[i].name, target_driver(&run.target[i]),
			 run.target[i].group);
}

static void say_offers(const char *way)
{
	unsigned int o = run.offers;

	tap_note("%s: STOP_COPY%s%s%s%s%s%s", way, o & NEED_P2P ? ", P2P" : "",
		 o & NEED_PRE_COPY ? ", PRE_COPY" : "",
		 o & NEED_SIZE ? ", MIG_DATA_SIZE" : "",
		 o & NEED_LOG ? ", DMA_LOGGING" : "",
		 o & NEED_V2 ? ", MIG_PRECOPY_INFOv2" : "",
		 o & NEED_RESET ? ", reset" : "");
}

int main(int argc, char **argv)
{
	bool choice, any = false;
	struct tap_run results = {
		.wanted = wanted, .missing = missing, .judge = trouble_judge,
	};
	char why[300 + PATH_MAX], prefix[32];
	int i;

	if (!parse(argc, argv)) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	if (opt.list) {
		print_list();
		return 0;
	}
	for (i = optind; i < argc; i++) {
		if (!target_find(&run.target[run.ntargets++], argv[i], why,
				 sizeof(why))) {
			printf("Bail out! %s\n", why);
			return EXIT_DEVICE;
		}
	}
	results.limit_s = opt.limit;
	introduce();
	if (klog_start())
		tap_note("/dev/kmsg cannot be read: kernel warnings fail no case");
	choice = opt.way[WAY_GROUP] || opt.way[WAY_IOMMUFD];
	for (i = 0; i < WAY_NR && !results.over; i++) {
		if (choice && !opt.way[i])
			continue;
		if (!target_has_way(&run.target[0], i)) {
			if (choice) {
				printf("Bail out! %s: no way through %s here\n",
				       run.target[0].name, way_names[i]);
				return EXIT_DEVICE;
			}
			tap_note("%s: not here", way_names[i]);
			continue;
		}
		run.way = i;
		if (!learn()) {
			printf("Bail out! %s cannot be tested through %s\n",
			       run.target[0].name, way_names[i]);
			return EXIT_DEVICE;
		}
		any = true;
		say_offers(way_names[i]);
		snprintf(prefix, sizeof(prefix), "%s: ", way_names[i]);
		results.prefix = prefix;
		run_lists(&results);
	}
	if (!any) {
		printf("Bail out! %s: neither /dev/vfio/%s nor a device in /dev/vfio/devices: bind it to a VFIO driver, as root\n",
		       run.target[0].name, run.target[0].group);
		return EXIT_DEVICE;
	}
	if (!results.ran && !results.over) {
		printf("Bail out! no case has such a name\n");
		return EXIT_USAGE;
	}
	tap_end(&results);
	return results.failed || results.over ? EXIT_CASES : 0;
}
