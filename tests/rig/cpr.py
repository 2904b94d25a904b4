# SPDX-License-Identifier: GPL-2.0-only
"""A guest whose QEMU is replaced by another on the same host while its VF stays open:
QEMU's CPR, by handing files to a new process (cpr-transfer) or by exec (cpr-exec)."""

import json
import time

import guest as guests
import host as rig

STATE = "/run/cpr.state"
# QEMU sends the VF's state as well, but measures how fast by what little else there is
# to send: without being told, it would never find that fast enough.
SPEED = {"avail-switchover-bandwidth": 10 << 30}
BACKEND = "ram"


class Guest(guests.Guest):
    """Memory is a file, as CPR wants it. Each QEMU has sockets of its own.

    migration   the enable-migration of vfio-pci. With anything but off QEMU moves the VF's
                state as well, from the VF to itself
    """

    def __init__(self, pair, vfs, *, machine="pc", migration="off", **more):
        super().__init__(pair, vfs, machine=f"{machine},aux-ram-share=on,memory-backend={BACKEND}", tracked=True,
                         **more)
        self.migration = migration

    def arguments(self, host, life, incoming):
        text = super().arguments(host, life, False).replace(",id=vf", f",id=vf,enable-migration={self.migration}")
        for name in ("qmp", "console"):
            text = text.replace(f"/run/{name}.sock", self.socket(name, life))
        text += f" -object memory-backend-memfd,id={BACKEND},size={self.memory}M,share=on"
        if incoming == "exec":
            return f"{text} -incoming file:{STATE}"
        if incoming:
            channel = {"channel-type": "cpr", "addr": {
                "transport": "socket", "type": "unix", "path": self.socket("cpr", life)}}
            text += f" -incoming unix:{self.socket('main', life)} -incoming '{json.dumps(channel)}'"
        return text

    def socket(self, name, life):
        return f"/run/{name}-{life}.sock"

    def launch(self, host, incoming=False):
        life = len(self.lives)
        self.lives.append(host)
        self._commands.append(host.begin("exec " + self.arguments(host, life, incoming)))
        # what takes the other's files reads them before it has a monitor
        self._wait(host, life, f"test -S {self.socket('cpr' if incoming else 'qmp', life)}", guests.PATIENCE)
        return life

    def ask(self, life, command, **arguments):
        """A command of one QEMU's monitor."""
        text = json.dumps({"execute": command, "arguments": arguments}).replace("'", "'\\''")
        host = self.lives[life]
        status, output = host.finish(host.begin(f"qmp {self.socket('qmp', life)} '{text}'"), guests.PATIENCE)
        if status:
            raise rig.Trouble(f"{command}: {output.strip()}")
        return json.loads(output)["return"]

    def qmp(self, host, command, **arguments):
        return self.ask(self.life, command, **arguments)

    def type(self, line):
        self.host.run(f"qmp -t {self.socket('console', self.life)} '{line}'", guests.PATIENCE)

    def cpr_transfer(self, qemu):
        """A new process takes the files; the old one then quits."""
        old = self.life
        self.qemus[self.host] = qemu
        new = self.launch(self.host, incoming=True)
        self.ask(old, "migrate-set-parameters", **SPEED, mode="cpr-transfer")
        try:
            self.ask(old, "migrate", channels=[
                {"channel-type": kind, "addr": {"transport": "socket", "type": "unix",
                                                "path": self.socket(kind, new)}} for kind in ("main", "cpr")])
        except rig.Trouble:
            self.end(new)
            raise
        info = self.await_end(old)
        if info["status"] != "completed":
            raise rig.Trouble(f"{info}\n{self.output(old)}{self.output(new)}")
        self._wait(self.host, new, f"test -S {self.socket('qmp', new)}", guests.PATIENCE)
        self.life = new
        self._await_running()
        self.ask(old, "quit")
        self._gone(old)
        return info

    def cpr_exec(self, qemu):
        """The process becomes another program."""
        old = self.life
        self.qemus[self.host] = qemu
        new = len(self.lives)
        self.lives.append(self.host)
        self._commands.append(self._commands[old])
        try:
            self.ask(old, "migrate-set-parameters", **{
                **SPEED, "mode": "cpr-exec",
                "cpr-exec-command": ["/bin/sh", "-c", "exec " + self.arguments(self.host, new, "exec")]})
            self.ask(old, "migrate", uri=f"file:{STATE}")
        except rig.Trouble:
            self._ended.add(new)
            raise
        self._wait(self.host, new, f"test -S {self.socket('qmp', new)}", guests.PATIENCE)
        self.life = new
        self._ended.add(old)
        try:
            self._await_running()
        except rig.Trouble as e:
            raise rig.Trouble(f"{e}\n{self.output(new)}") from None

    def await_end(self, life, seconds=guests.PATIENCE):
        limit = self.limit(seconds)
        while True:
            info = self.ask(life, "query-migrate")
            if info.get("status") in guests.ENDED:
                return info
            if limit.over():
                raise rig.Trouble(f"CPR has no end: {info}\n{self.output(life)}")
            time.sleep(guests.POLL)

    def _await_running(self, seconds=guests.PATIENCE):
        limit = self.limit(seconds)
        while (state := self.ask(self.life, "query-status")["status"]) != "running":
            if limit.over():
                raise rig.Trouble(f"the guest is {state} after CPR\n{self.output(self.life)}")
            time.sleep(guests.POLL)


class Single:
    """What a guest wants to know of hosts, for one."""

    def __init__(self, host):
        self.hosts, self.log = [host], host.log

    def stalled(self):
        return self.hosts[0].stall.said
