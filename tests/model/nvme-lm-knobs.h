/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: the properties of a PF.
 *
 * Each is here once, with its meaning, and nowhere else: the fields in NvmeLm,
 * QEMU's properties, the lines of the test control and the reset of all are
 * made from this list. Whoever includes it defines:
 *
 * LM_NUMBER(name, field, default, most, help)
 * LM_SWITCH(name, field, default, help)       on or off
 * LM_WORD(name, field, help, words...)        the first one is the default
 * LM_OTHER(name, what, help)                  lm_set_what() and lm_get_what()
 * LM_COMMAND(name, what, help)                lm_run_what(), for "1"; not to be read
 */

LM_OTHER("lm", sets,
    "off, standard, vendor or both: the command sets; off (default) is the stock device")
LM_OTHER("lm-pad", pad,
    "bytes of padding at the end of the vendor part, a multiple of 4, up to 128M; "
    "its contents are checked on load")
LM_NUMBER("lm-suspend-delay-ms", suspend_delay_ms, 0, UINT32_MAX,
    "how long a Suspend takes at least")
LM_NUMBER("lm-vendor-drain-ms", vendor_drain_ms, 0, UINT32_MAX,
    "SUSPEND of the vendor set ends before the commands that were fetched do: these go on for "
    "this long, unless SAVE_DATA or QUERY_DATA_SIZE ends them. 0 (default): SUSPEND waits for "
    "them")
LM_NUMBER("lm-suspend-told-ms", suspend_told_ms, UINT32_MAX, UINT32_MAX,
    "how long a Suspend takes at most if a Suspend notification came before it. Not set "
    "(default): as long as any other")
LM_SWITCH("lm-resume-irq", resume_irq, true,
    "Resume raises the interrupt of each queue with completions that the guest has not "
    "seen (default). off: none, not even for those that it posts itself, and none is raised "
    "after a Suspend has begun")
LM_NUMBER("lm-resume-delay-ms", resume_delay_ms, 0, UINT32_MAX,
    "how long a Resume takes at least")
LM_OTHER("lm-ids", ids,
    "FIRST[/STEP[/down]]: controller ids of VFs: the first free ones of FIRST, FIRST+STEP ...; "
    "with down, the last VF gets the smallest. Below 65520; only read when the device is "
    "created. Default: those after the PF's")
LM_NUMBER("lm-list-more", list_more, 0, LM_MAX_MORE,
    "how many secondary controllers are listed that are not VFs; they have the smallest free "
    "ids")
LM_WORD("lm-list-order", list_order,
    "the order of entries in a page of that list: up (default), down, or mixed. In any order, a "
    "page has the smallest ids",
    "up", "down", "mixed")
LM_SWITCH("lm-set-running", set_running, false,
    "whether Set also accepts a target that is enabled and not suspended, which goes on with "
    "what was set; default off")
LM_SWITCH("lm-set-offline", set_offline, false,
    "whether an offline target also accepts the state of a live controller, and is suspended "
    "with it when it goes online; default off")
LM_WORD("lm-suspend-waits", suspend_waits,
    "what a Suspend waits for besides what it must: cq: until every completion of the VF has "
    "had room in its queue; ever: until this property changes. Empty (default): neither",
    "", "cq", "ever")
LM_WORD("lm-suspend-reset", suspend_reset,
    "what a waiting Suspend does when its VF is reset: fail: fails with 06h "
    "(default); end: succeeds, and the VF runs; suspend: succeeds, and the VF is "
    "suspended; ignore: goes on waiting, and the VF is suspending. One whose VF is "
    "taken offline fails in any case",
    "fail", "end", "suspend", "ignore")
LM_NUMBER("lm-command-us", command_us, 0, UINT32_MAX,
    "how long each command of the sets takes, one after the other. 0 (default): no time")
LM_NUMBER("lm-mib-per-s", mib_per_s, 0, UINT32_MAX,
    "how fast their data is transferred. 0 (default): in no time")
LM_NUMBER("lm-identify-ms", identify_ms, 0, UINT32_MAX,
    "how long Identify takes, with any CNS. 0 (default): no time")
LM_OTHER("lm-fail", fail,
    "RULE+..., where a rule is OPC[/SEL]@N=STATUS: the Nth such command from now fails "
    "and has no effect. STATUS is type<<8|code; 0x4000 adds DNR, 0x800 a delay of CRDT1")
LM_NUMBER("lm-crdt", crdt, 0, UINT16_MAX,
    "CRDT1: how long a host should wait before a retry, in 100 ms; not checked")
LM_NUMBER("lm-sequences", sequences, 0, UINT32_MAX,
    "a Set that begins while this many other VFs are being loaded gets 38h, without DNR. 0 "
    "(default): any number")
LM_SWITCH("lm-half-stays", half_stays, false,
    "whether a partial state that was not committed survives resets of the VF, which cannot be "
    "resumed with it")
LM_WORD("lm-empty-part", empty_part,
    "the part of the state that Get leaves out although its index is not 0, and that Set does "
    "not expect: nvme or vendor. Empty (default): neither",
    "", "nvme", "vendor")
LM_OTHER("lm-hang", hang,
    "RULE+..., where a rule is OPC[/SEL]@N: the Nth such command from now never completes and "
    "has no effect")
LM_OTHER("lm-lie", lie,
    "NAME+...: csup-clear: Get denies that the VF is suspended. lose-cqe: the state "
    "forgets one command: a completion that came during the suspend, else a command "
    "not fetched, else an AER. double-cqe: after a load one I/O completion comes "
    "twice. forget-page: tracking never reports a unit whose number (address / size) is a "
    "multiple of seven if I/O data was read into it. deaf: Resume succeeds, and the VF stays "
    "suspended. huge: a state's header says that it has 2^66 bytes. report-overflow: a report "
    "counts one more range than it has room for")
LM_OTHER("lm-model", model,
    "model name in Identify, also of VFs")
LM_OTHER("lm-firmware", firmware,
    "firmware revision; likewise")
LM_NUMBER("lm-ns-other", ns_other, 0, UINT8_MAX,
    "the NGUID of each namespace differs: its last byte is XORed with this. For everybody, from "
    "the PF's next Identify on")
LM_NUMBER("lm-ns-more", ns_more, 0, UINT32_MAX,
    "each namespace claims to be this many blocks larger; likewise")
LM_NUMBER("lm-ns-hide", ns_hide, 0, UINT32_MAX,
    "a namespace that no controller has, according to the PF (CNS 12h)")
LM_SWITCH("lm-ns-manage", ns_manage, true,
    "OACS bit 3, namespace management; without it there is no need to ask for namespaces other "
    "than the PF's own; default on")
LM_WORD("lm-formats", formats,
    "the formats of states that are listed: one: version 0, one UUID (default); two: versions 7 "
    "and 0, another UUID and that one; turned: the same in reverse order. A state says which "
    "format it has, and is refused as any other",
    "one", "two", "turned")
LM_WORD("lm-no-format", no_format,
    "what is missing from the list of formats: version or uuid. Empty (default): nothing",
    "", "version", "uuid")
LM_SWITCH("lm-test", test, false,
    "admin commands E1h and E2h")
LM_SWITCH("lm-track", track_on, true,
    "whether the standard set includes memory tracking (default); off ends all tracking")
LM_OTHER("lm-track-ranges", ranges,
    "N[/M]: CMMRTD, and NMMRTD if it differs; default 16")
LM_SWITCH("lm-track-bars", track_bars, true,
    "a range with a BAR of the VF in it is refused (default) or tracked like any other")
LM_NUMBER("lm-track-min", track_min, 0, LM_MAX_GRAIN,
    "MINMRTG, default 0 (4 KiB), at most 39")
LM_NUMBER("lm-track-max", track_max, 9, LM_MAX_GRAIN,
    "MAXMRTG, default 9 (2 MiB), at most 39")
LM_SWITCH("lm-track-pow2", track_pow2, false,
    "MRTLL: lengths must be powers of two; default off")
LM_NUMBER("lm-track-grain", track_grain, 0, LM_MAX_GRAIN,
    "anything finer gets 38h with MRTG = this (or MINMRTG), NMRTD = 0")
LM_NUMBER("lm-track-room", track_room, UINT16_MAX, UINT16_MAX,
    "more descriptors in total get 38h, with NMRTD = what is left")
LM_NUMBER("lm-track-batch", track_batch, UINT16_MAX, UINT16_MAX,
    "how many ranges one report has at most (if there are more it sets MTR)")
LM_SWITCH("lm-track-short", track_short, false,
    "whether a report without room for a range is allowed, and only says whether there is one "
    "(default: 02h)")
LM_SWITCH("lm-track-void", track_void, false,
    "whether Track Receive of a VF that is not tracked succeeds and reports nothing (default: "
    "1Fh)")
LM_COMMAND("lm-reset-counters", reset_counters,
    "1: counters back to zero")
LM_COMMAND("lm-reset-knobs", reset_knobs,
    "1: every property is what the device was started with; rules are armed again")

#undef LM_NUMBER
#undef LM_SWITCH
#undef LM_WORD
#undef LM_OTHER
#undef LM_COMMAND
