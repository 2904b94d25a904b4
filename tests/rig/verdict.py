# SPDX-License-Identifier: GPL-2.0-only
"""What must be true of a scenario's result, as test results."""


def check(tap, r, trips):
    """Report on result r of scenario.run()."""
    label = f"{r.kernel.split('-')[0]} {r.set}:"

    for i, t in enumerate(r.trips):
        bad = [c for c in t["commands"] if c["status"]]
        names = [c["name"] for c in t["commands"]]
        tap.ok(t["status"] == "completed" and t["state_bytes"],
               f"{label} trip {i + 1}, host {t['source']} to {t['target']}: "
               f"{t['state_bytes']} bytes of state, {t['gap_ms']:.0f} ms without I/O, "
               f"{t['downtime_ms']} ms down by QEMU", f"no device state was moved: {t}")
        tap.ok(not bad and names.count("Suspend") and names.count("Resume"),
               f"{label} trip {i + 1}: {len(names)} admin commands, none failed",
               "\n".join(map(str, t["commands"])) or "no commands were traced")
        tap.ok(t["arcs"] and not any(a["ret"] for a in t["arcs"]),
               f"{label} trip {i + 1}: every change of state succeeded",
               "\n".join(map(str, t["arcs"])))
        tap.ok(t["after"]["writes"] > t["before"]["writes"]
               and t["after"]["verified"] > t["before"]["verified"],
               f"{label} trip {i + 1}: verified I/O before and after",
               f"before {t['before']} after {t['after']}")
    tap.ok(len(r.trips) == trips, f"{label} {trips} migrations", f"{len(r.trips)}: {r.error}")
    tap.ok(r.totals.get("errors") == 0 and r.clean_end and (r.read_back or 0) > 0,
           f"{label} {r.totals.get('writes')} writes, {r.totals.get('verified')} blocks verified, "
           f"{r.read_back} read back at the end, nothing wrong or left in flight", r.totals)
    tap.ok(r.totals.get("dma_pages") and not r.totals["dma_moved"] and not r.copied,
           f"{label} {r.totals.get('dma_pages')} pages that only the drive writes, read "
           f"{r.totals.get('dma_filled')} times, compared {r.totals.get('dma_compared')} times, "
           f"{r.totals.get('dma_oldest_ms')} ms old at most; {r.totals.get('changed_verified')} changed "
           f"ones verified, {r.totals.get('changed_kib_s')} KiB/s", f"copied: {r.copied}, {r.totals}")
    tap.ok(r.guest_trouble == [], f"{label} no timeout, reset, abort or I/O error in the guest",
           "\n".join(r.guest_trouble or ["the guest did not get to its end"]))
    tap.ok(not r.error, f"{label} hosts ended well, nothing in their kernel logs", r.error)
    tap.note(f"{label} {r.seconds:.0f} s, logs in {r.log}")
