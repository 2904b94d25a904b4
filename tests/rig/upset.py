# SPDX-License-Identifier: GPL-2.0-only
"""What may upset a migration: it is cancelled, one of the two QEMUs is killed,
the target refuses the guest, the guest resets its drive or itself. The guest must
continue where it is, without a wrong byte, and be able to move the next time; a VF
whose QEMU was killed must be as good as new."""

import os
import random
import re
import time

import guest as guests
import host as rig
import pair as pairs
import place
import scenario

# Slow enough for something to happen before the guest is stopped, and with a limit that
# cannot be met: less than a VF's state is sent in a millisecond. A guest that waits for
# its drive changes no memory, so a migration that is fast enough would end then,
# whatever its limit.
LONG_PRECOPY = {"max-bandwidth": 1 << 20, "downtime-limit": 1}

# Capabilities: wait before the last part; begin it only when the target says that it
# has what it needs.
PAUSE = ("pause-before-switchover",)
ACK = ("return-path", "switchover-ack")

# The guest's progress is not measured, so it need not be busy.
QUIET = {"workers": 2, "pool": 8}

# Milliseconds into the last part at which something happens: without tracking, all
# memory is sent then.
LAST_PART_MS = {True: 400, False: 1600}


class Stage:
    """Two hosts, a guest that lives through all of it, and the results.

    points  results, in order: (good, name, why)
    """

    def __init__(self, kernel, set, *, seed=None, seconds=570, b=None, props=None,
                 allow=(), tracked=False, **guest):
        self.kernel = kernel
        self.set = set
        self.seed = int.from_bytes(os.urandom(3), "big") if seed is None else seed
        self.random = random.Random(self.seed)
        self.points = []
        self.allow = allow
        self.options = {"seconds": seconds, "b": b, "props": props, "allow": allow,
                        "guest_memory": guest.get("memory", guests.MEMORY),
                        "root": guests.files(kernel),
                        "files": {"bin/nvme-vfio": place.built("nvme-vfio")}}
        self.guest_options = {"hold": True, "tracked": tracked, **QUIET, **guest}
        self.last_part = LAST_PART_MS[tracked]
        self.label = f"{kernel} {set}"
        self.log = rig.new_log()
        self.pair = self.guest = None

    def ok(self, good, name, why=""):
        self.points.append((bool(good), f"{self.label}: {name}", str(why)))

    def play(self, *acts):
        """Boot, do all acts, end; never raises because of what hosts or the driver did."""
        begun = time.monotonic()
        try:
            with pairs.Pair(self.kernel, self.set, log=self.log,
                            driver=pairs.driver_for(self.kernel), **self.options) as self.pair:
                self.pair.setup_vfs(count=2, module_args="vendor_ids=1b36:0010")
                for host in self.pair.hosts:
                    host.run("echo 1 >/sys/kernel/tracing/events/nvme_vfio/enable")
                self.guest = guests.Guest(self.pair, dict(zip(self.pair.hosts, scenario.VFS)),
                                          **self.guest_options)
                self.guest.start(self.pair.a)
                for act in acts:
                    act(self)
                self.last()
            why = ""
        except rig.Trouble as e:
            why = str(e)
        self.ok(not why, f"everything ran to its end, the kernel logs of the hosts are clean "
                f"(seed {self.seed}, {time.monotonic() - begun:.0f} s, logs in {self.log})", why)
        return self

    # -- what acts are made of ----------------------------------------------------

    def target(self):
        return self.pair.b if self.guest.host is self.pair.a else self.pair.a

    def begin(self, *, pause=False, ack=False, **parameters):
        self.guest.capabilities = PAUSE * pause + ACK * ack
        self.guest.begin(self.target(), **parameters)
        if pause:
            self.guest.await_status("pre-switchover")

    def command(self, name, **arguments):
        self.guest.qmp(self.guest.host, name, **arguments)

    def then(self, milliseconds, *commands, shell=""):
        """Let the paused migration go on, and soon do something to it; timed inside the
        host, as the time between two calls from here is long."""
        text = " ".join(f"'{c}'" for c in (
            '{"execute":"migrate-continue","arguments":{"state":"pre-switchover"}}',
            f"@{milliseconds}", *commands))
        self.guest.host.finish(self.guest.host.begin(f"qmp /run/qmp.sock {text}; {shell}"), guests.PATIENCE)

    def guest_does(self, command):
        status = self.guest.run(command)
        self.ok(not status, f"the guest's own: {command}", status)

    def lives_on(self, name, outcome=""):
        """The guest's I/O advances, and every page has been compared since."""
        before = scenario.await_totals(self.guest)
        after = scenario.await_pass(self.guest)
        self.ok(after["writes"] > before["writes"] and not after["errors"], name + (outcome and ": " + outcome),
                f"before {before} after {after}")

    def settle(self, name, expected=guests.ENDED):
        info = self.guest.await_end()
        moved = self.guest.settle(info)
        outcome = f"{info['status']}, guest is on host {self.guest.host.name}"
        if info["status"] not in expected:
            raise rig.Trouble(f"{name}: {outcome}: {info}")
        self.lives_on(name, outcome + (f" ({info['error-desc']})" if info.get("error-desc") else ""))
        return moved

    def move(self, name="moves as if nothing had been"):
        self.guest.capabilities = ()
        self.guest.migrate(self.target())
        self.lives_on(f"the guest {name}, to host {self.guest.host.name}")

    def last(self):
        console = self.guest.finish()
        result = scenario.Result(self.kernel, self.set)
        scenario.judge(result, console, self.pair.stalled())
        self.ok(result.totals.get("errors") == 0 and result.clean_end and not result.totals["dma_moved"]
                and not result.copied,
                f"{result.totals.get('verified')} blocks, {result.totals.get('dma_compared')} pages "
                "that only the drive writes: nothing wrong or left in flight", result.totals)
        bad = [x for x in result.guest_trouble if not any(re.search(a, x) for a in self.allow)]
        self.ok(not bad, "no timeout, abort or I/O error in the guest", "\n".join(bad))


# -- acts ---------------------------------------------------------------------------

def cancel(stage):
    stage.begin(**LONG_PRECOPY)
    stage.command("migrate_cancel")
    stage.settle("cancelled at once", ("cancelled",))

    stage.begin(**LONG_PRECOPY)
    wait = stage.random.uniform(0.2, 2.5)
    time.sleep(wait)
    stage.command("migrate_cancel")
    stage.settle(f"cancelled {wait:.1f} s after its start", ("cancelled",))

    stage.begin(pause=True)
    stage.command("migrate_cancel")
    stage.settle("cancelled when the guest was stopped, its drive suspended", ("cancelled",))

    for wait in (0, stage.last_part // 2, stage.random.randrange(stage.last_part)):
        stage.begin(pause=True)
        stage.then(wait, '{"execute":"migrate_cancel"}')
        stage.settle(f"cancelled {wait} ms into the last part", ("cancelled", "completed"))
    stage.move()


def kill_target(stage):
    stage.begin(**LONG_PRECOPY)
    time.sleep(stage.random.uniform(0, 1.5))
    stage.guest.end(stage.guest.moving[1])
    stage.settle("target killed while memory is sent", ("failed",))

    stage.begin(pause=True)
    target, life = stage.guest.moving
    wait = stage.random.randrange(stage.last_part)
    kill = target.begin(f"usleep {wait * 1000}; kill -9 $(cat /run/pid-{life})")
    stage.then(0)
    target.finish(kill, guests.PATIENCE)
    stage.settle(f"target killed {wait} ms into the last part")
    stage.move()


def kill_source(stage):
    for pause in (False, True):
        host = stage.guest.host
        stage.begin(pause=pause, **({} if pause else LONG_PRECOPY))
        wait = stage.random.randrange(stage.last_part if pause else 2000)
        kill = f"kill -9 $(cat /run/pid-{stage.guest.life})"
        if pause:
            stage.then(wait, shell=kill)
        else:
            time.sleep(wait / 1000)
        stage.guest.end(stage.guest.life)
        stage.guest.end(stage.guest.moving[1])
        stage.guest.moving = None
        stage.guest.start(host)
        stage.lives_on(f"source killed {wait} ms into the {'last part' if pause else 'first'}: "
                       "a new guest works with its VF")
    stage.move("of the VF whose QEMU was killed moves")


# Drives of the second host that must not accept the guest, and why.
UNLIKE = [{}, {"lm-firmware": "other"}, {"lm-model": "another drive"}]


def unlike(set):
    """The second host of a stage for refuse()."""
    return {"pfs": len(UNLIKE) + 1,
            "props": [*UNLIKE, {"lm": "vendor" if set == "standard" else "standard"}]}


def refuse(stage):
    """Targets that differ from the guest's drive; Stage(b=unlike(set))."""
    guest, a, b = stage.guest, stage.pair.a, stage.pair.b
    size = "/sys/module/nvme_vfio_pci/parameters/max_state_mb"
    usual = guest.vfs[b]
    if guest.host is b:
        stage.move()
    early = stage.kernel != "6.1"       # which has no PRE_COPY

    def attempt(name, vf):
        guest.vfs[b] = vf
        scenario.trace(a)
        # without it the source may have begun its last part before it knows
        stage.begin(ack=early)
        old, new = guest.life, guest.moving[1]
        moved = stage.settle(name)
        said = b.run("dmesg | grep 'state refused' | tail -n 1") if not moved else ""
        stage.ok(not moved and guest.host is a, f"{name}: {said.strip()}",
                 f"moved: {moved}\n" + guest.output(old) + guest.output(new))
        if early:
            stopped = [c for c in scenario.trace(a)[0] if c["name"] in scenario.BLACKOUT - {"Get Controller State"}]
            stage.ok(not stopped, f"{name}: the guest had not been stopped yet", stopped)

    for pf, what in ((1, "other firmware"), (2, "other model"), (3, "other command set")):
        attempt(what, f"PF{pf}_VF2")
    b.run(f"echo 0 >{size}")
    attempt("no room for the state", usual)
    b.run(f"echo 1024 >{size}")
    guest.vfs[b] = usual
    stage.move()


def _during(stage, name, upset, check=lambda: None):
    """Something happens to the guest in the first part of a migration."""
    stage.begin(**LONG_PRECOPY)
    time.sleep(stage.random.uniform(0.5, 1.5))
    upset()
    time.sleep(1)
    limits = {"max-bandwidth": 128 << 20, "downtime-limit": 300}
    stage.command("migrate-set-parameters", **(limits if stage.guest.tracked else guests.UNTRACKED))
    info = stage.guest.await_end()
    stage.guest.settle(info)
    check()
    stage.lives_on(name, f"{info['status']}, guest is on host {stage.guest.host.name}"
                   + (f" ({info['error-desc']})" if info.get("error-desc") else ""))
    stage.move()


def function_reset(stage):
    """The guest resets its drive's function while being moved."""
    _during(stage, "the guest resets the function (FLR)", lambda: stage.guest_does(
        "echo 1 >$(readlink -f /sys/class/nvme/nvme0/device)/reset"))


def controller_reset(stage):
    """The guest's driver sets up the controller again while the guest is moved."""
    _during(stage, "the guest resets the controller", lambda: stage.guest_does(
        "echo 1 >/sys/class/nvme/nvme0/reset_controller"))


def reboot(stage):
    """The guest is reset, and boots again, while it is moved."""
    old = scenario.await_totals(stage.guest)["ms"]

    def rebooted(seconds=120):
        limit = stage.guest.limit(seconds)
        while stage.guest.totals().get("ms", old) >= old:
            if limit.over():
                raise rig.Trouble("the guest did not boot again\n" + stage.guest.console()[-2000:])
            time.sleep(guests.POLL)

    _during(stage, "the guest is reset", lambda: stage.command("system_reset"), rebooted)


# What the rig's setup_vfs has given them.
CONFIG = """[drive]
address = $PF0
num_vfs = 2
queues = 4
interrupts = 4
"""
IMPATIENT_MS = 5000
TIMED_OUT = (r"nvme nvme0: I/O .*timeout", r"nvme nvme0: Abort status: 0x371")
DISK_LIMIT = "/sys/class/nvme/nvme0/nvme*n1/queue/io_timeout"


def pf_reset(stage):
    """The PF of the guest's host is reset, which takes its VFs offline; the tool sets
    them up again, as its unit does, and the guest notices by a time-out."""
    host = stage.guest.host
    stage.allow += TIMED_OUT
    stage.guest_does(f"cat {DISK_LIMIT} >/limit; echo {IMPATIENT_MS} >$(echo {DISK_LIMIT})")
    host.run(f"cat >/run/vfs.conf <<END\n{CONFIG}END\n"
             "echo 1 >/sys/class/nvme/nvme0/reset_controller")
    host.run("nvme-vfio apply --config /run/vfs.conf $PF0", guests.PATIENCE)
    stage.lives_on("the PF is reset and its VFs are put online under the guest: that goes on")
    stage.guest_does(f"cat /limit >$(echo {DISK_LIMIT})")
    stage.move("moves after that")


# Moments of a migration at which a PF is reset.
FIRST_PART, STOPPED, LAST_PART = "first part", "guest stopped", "last part"

# As its unit is started: when the PF is live again, and once.
RESET_AND_APPLY = ("echo 1 >/sys/class/nvme/nvme0/reset_controller; "
                   "nvme-vfio apply --config /run/vfs.conf $PF0")


def _pf_event(stage, number):
    """A migration during which the PF of either host is reset and its VFs are set up
    again."""
    moment = stage.random.choice((FIRST_PART, STOPPED, LAST_PART))
    victim = stage.random.choice(stage.pair.hosts)
    stage.begin(pause=moment != FIRST_PART, **(LONG_PRECOPY if moment == FIRST_PART else {}))
    wait = stage.random.randrange(stage.last_part if moment == LAST_PART else 1500)
    command = victim.begin(f"usleep {wait * 1000}; {RESET_AND_APPLY}")
    if moment == LAST_PART:
        stage.then(0)
    status, said = victim.finish(command, guests.PATIENCE)
    if moment == STOPPED:
        stage.then(0)
    elif moment == FIRST_PART:
        stage.command("migrate-set-parameters", **(
            {"max-bandwidth": 128 << 20, "downtime-limit": 300} if stage.guest.tracked else guests.UNTRACKED))
    name = f"reset {number} of a PF, host {victim.name}'s, {moment}"
    stage.settle(name)
    stage.ok(not status, f"{name}: its VFs are set up again", said)


def pf_events(migrations, resets):
    """Many migrations, and a reset of a PF in some: an act."""
    def act(stage):
        stage.allow += TIMED_OUT
        for host in stage.pair.hosts:
            host.run(f"cat >/run/vfs.conf <<END\n{CONFIG}END")
        stage.guest_does(f"echo {IMPATIENT_MS} >$(echo {DISK_LIMIT})")
        upset_ones = set(stage.random.sample(range(migrations), resets))
        done = 0
        for i in range(migrations):
            if i in upset_ones:
                done += 1
                _pf_event(stage, done)
                continue
            stage.guest.capabilities = ()
            stage.guest.migrate(stage.target())
            now = scenario.await_totals(stage.guest)
            if now["errors"]:
                raise rig.Trouble(f"after migration {i + 1} the guest's I/O fails: {now}")
        stage.lives_on(f"{migrations} migrations with {resets} resets of a PF")
    act.__name__ = f"{resets} resets of a PF in {migrations} migrations"
    return act


ACK_EVENTS = ("vfio_migration_set_state", "vfio_save_iterate", "vfio_load_state",
              "loadvm_approve_switchover", "loadvm_state_switchover_ack_needed",
              "source_return_path_thread_switchover_acked")


def acknowledge(stage):
    """The target says when it has what it needs of the first part;
    Stage(trace=ACK_EVENTS)."""
    guest = stage.guest
    stage.begin(ack=True)
    old, new = guest.life, guest.moving[1]
    info = guest.await_end()
    source, target = guest.traced(old), guest.traced(new)
    moved = guest.settle(info)
    pre_copy = source.find("new state PRE_COPY,")
    acked = source.find("source_return_path_thread_switchover_acked")
    stopped = source.find("new state PRE_COPY_P2P,")
    stage.ok(moved and 0 <= pre_copy < acked < stopped,
             "with switchover-ack: PRE_COPY, the acknowledgement, only then the stop",
             f"{info}\n{source}")
    stage.ok("switchover ack pending num=1" in target.lower() and
             re.search(r"loadvm_approve_switchover .*num=0", target),
             "with switchover-ack: the target had to approve and did", target)
    stage.lives_on("with switchover-ack: the guest goes on")
