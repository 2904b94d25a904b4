# SPDX-License-Identifier: GPL-2.0-only
"""A host: an emulated machine with a distribution kernel, an IOMMU, and one or
two NVMe drives whose functions can be passed through.

    with Host("6.1", set="standard") as host:
        host.setup_vfs()
        output = host.run("lspci")

Everything a boot leaves is in its log folder: console, kernel log, QEMU's own
messages, and the share with all commands' output.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import accel
import frozen
import initramfs
import klog
import place
import stall
import times
import turns

# What a host needs of its kernel; the rest of the image is the same for all.
MODULES = ("virtio_pci", "virtio_net", "virtio_console", "9p", "9pnet_virtio",
           "nvme", "vfio-pci", "vfio_iommu_type1")

# Needed where they are modules; some kernels no longer have them at all.
IF_THERE = ("crc32c_generic", "crc32c_intel")

# Ours, loaded later and from the share, so that one image serves every variant. The
# first does not exist if the kernel's nvme has been patched.
OURS = ("nvme-pf-shim.ko", "nvme-vfio-pci.ko")

# What a host needs to run guests: emulation offers AMD's virtualisation, KVM this
# machine's.
KVM_MODULES = {"tcg": ("kvm_amd",), "kvm": ("kvm_amd", "kvm_intel")}

# Limits, not expectations, in seconds for which this machine let a host run: how long
# that takes depends on what else it does. See Host.clock().
BOOT_SECONDS = 300
KVM_BOOT_SECONDS = 60    # of the first host
RUN_SECONDS = 300
LEAK_SECONDS = 200
STUCK_SECONDS = 200
DOWN_SECONDS = 200       # with many VFs
ANSWER_SECONDS = 30
LOOK_SECONDS = 1.0       # how often limits are checked, by any clock

# Emulated, "rep movsb" goes byte by byte; kernels that do not consider it fast move
# words, and do the same work with a tenth less. Then the cost of a copy, compared with
# everything else, is nearer to a real processor's, which bench/ needs.
CPU = "max,-erms,-fsrm"

# What no test needs, and every boot takes time for: the kernel's tests of its ciphers, a
# keyboard and a mouse.
UNUSED = "cryptomgr.notests=1 i8042.nokbd i8042.noaux"

# The kernel reports tasks that wait this long, ignoring signals. It sleeps for 33 s
# itself if a function does not come back from its reset. The debug kernel has less.
HUNG_SECONDS = 40

NOTHING = "nothing"

# Of the namespace: the same on each drive that has it, in whichever host.
IDENTITY = "nguid=5269674e616d657370616365001b210{0},eui64=0x5269674e616d650{0}," \
           "uuid=52696720-6e61-4d65-8370-61636500000{0}"

# How many logs are kept: more than hosts can run at a time, so that none is in use.
LOGS = 120


class Trouble(Exception):
    """A host did not do what it was asked to."""


class Port:
    """A listening socket that QEMU connects to: lines in, lines out."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.link = None
        self.buffer = b""

    def accept(self, seconds):
        """Whether QEMU has connected by then."""
        self.listener.settimeout(seconds)
        try:
            self.link = self.listener.accept()[0]
        except socket.timeout:
            return False
        return True

    def send(self, text):
        self.link.settimeout(30)
        self.link.sendall(text.encode() + b"\n")

    def line(self, seconds):
        """The next line; None if there is none in time; EOFError at the end."""
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            self.link.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.link.recv(65536)
            except socket.timeout:
                return None
            except ConnectionError:
                data = b""
            if not data:
                raise EOFError
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode(errors="replace").strip()

    def close(self):
        if self.link:
            self.link.close()
        self.listener.close()


class Limit:
    """of seconds for which each of these hosts was let run"""

    def __init__(self, seconds, *hosts):
        self.seconds = seconds
        self.begun = [(host, host.clock()) for host in hosts]

    def over(self):
        return min(host.clock() - begun for host, begun in self.begun) > self.seconds


class Host:
    """See the module's text. Names of functions inside: host-lib.sh.

    kernel    series or release
    set       the model's lm property: off, standard, vendor, both
    pfs       number of drives (1 or 2); all show the same namespace, see disk
    props     further properties of the PFs, {"lm-pad": 4096}, or a list of
              one such dict per PF
    disk      raw file of the namespace; default: a fresh one of 256 MiB. A list:
              each PF has a namespace of its own. NOTHING: whatever is read is 0,
              and takes no time of this machine's
    driver    folder with our modules, or None for plain vfio-pci
    nvme      folder with modules that replace the kernel's (see build-nvme; default: those
              of a kernel whose VFIO is built again)
    vmm       take along the distribution's QEMU, or those of these names
    files     {name under /share: path here}; programs bring their libraries
    root      {name: path here}, files that have to be in the host's memory
    memory    MiB; default: 2048 with a VMM, else 1024. Every host pays for it at boot
    icount    time is counted in instructions: each takes 2^icount ns, nothing else does
    monitor   what runs inside can talk to the emulator's monitor (QMP), through the
              virtio port of that name, and slots are native PCI Express;
              /share/device-N says how to plug PF N in again
    """

    def __init__(self, kernel, set="standard", *, name="host", log=None, pfs=1, props=None,
                 disk=None, driver=None, nvme=None, vmm=False, files=None, root=None, cpus=2, memory=None,
                 seconds=RUN_SECONDS, qemu_args=(), cmdline="", allow=(), icount=None,
                 monitor=False):
        self.kernel = place.kernel(kernel)
        self.set = set
        self.name = name
        self.log = os.path.abspath(log or new_log())
        self.share = os.path.join(self.log, name, "share")
        self.pfs = pfs
        self.props = props if isinstance(props, list) else [props or {}] * pfs
        self.disk = disk
        self.driver = driver
        self.nvme = nvme or self.kernel.core
        self.vmm = vmm
        self.files = dict(files or {})
        self.root = dict(root or {})
        self.cpus = cpus
        self.memory = memory or (2048 if vmm else 1024)
        self.seconds = seconds
        self.qemu_args = list(qemu_args)
        self.cmdline = cmdline
        self.allow = tuple(allow)
        self.icount = icount
        self.inside = monitor
        self.accel = None       # that of the last start
        self.process = None
        self.stall = None
        self.turn = None
        self.waits = True       # for its turn: see turns.py
        self.times = times.Times()
        self.killed = None
        self._sockets = None
        self._next = 0
        self._results = {}

    # -- life ---------------------------------------------------------------

    def __enter__(self):
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.stop()
        else:
            try:
                self.save_log()
            except Exception:
                pass            # the first error is the one to report
            self.kill()

    def path(self, *names):
        return os.path.join(self.log, self.name, *names)

    def prepare(self):
        """What start() needs and takes long to create."""

    def start(self):
        """Start the machine; wait_ready() waits until it takes commands."""
        self.accel = "tcg" if self.icount is not None else accel.found(place.qemu)
        for folder in ("out", "bin", "mod"):
            os.makedirs(os.path.join(self.share, folder), exist_ok=True)
        for target, source in self.files.items():
            target = os.path.join(self.share, target)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target)
        for module in self.modules():
            shutil.copy(module, os.path.join(self.share, "mod"))
        if not self.disk:
            self.disk = self.path("namespace")
            with open(self.disk, "wb") as f:
                f.truncate(256 << 20)
        for i in range(self.pfs if self.inside else 0):
            with open(os.path.join(self.share, f"device-{i}"), "w", encoding="ascii") as f:
                f.write(self.device(i) + "\n")
        self.turn = turns.take() if self.waits else None
        self._sockets = tempfile.mkdtemp(prefix="rig")    # short, as socket paths are limited
        self.agent = Port(os.path.join(self._sockets, "agent"))
        self.qmp = Port(os.path.join(self._sockets, "qmp"))
        with open(self.path("qemu.log"), "wb") as log:
            args = self.arguments()
            log.write((" ".join(args) + "\n").encode())
            log.flush()
            # the machine must not outlive us, however we end
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *args],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.times.begin(self.process.pid)
        self.stall = stall.Stall(self.process.pid, self.seconds, self._too_long)
        self.stall.start()

    def _too_long(self):
        self.killed = f"{self.name}: not done after {self.seconds} s; {self._seen()}"
        self._look()
        self.process.kill()

    def _seen(self):
        return f"what it was doing: {self.path('frozen')}, and its tasks: {self.path('serial')}"

    def _look(self):
        """Writes down what the machine is doing, and ends it."""
        monitor = os.path.join(self._sockets, "look")
        frozen.look(self.process.pid, monitor, self.path("frozen"))
        frozen.let_tell(monitor, self._ended)

    def _ended(self, seconds):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def clock(self):
        """Seconds for which this machine has let that one run, about one behind: on a
        busy machine they pass more slowly than its clock."""
        return self.stall.ran

    def _line(self, port, seconds):
        """The next line of a port; None if there is none in time."""
        limit = Limit(seconds, self)
        while True:
            line = port.line(LOOK_SECONDS)
            if line is not None or limit.over():
                return line

    def wait_ready(self, seconds=BOOT_SECONDS):
        limit = Limit(seconds, self)
        try:
            for port in (self.agent, self.qmp):
                while not port.accept(LOOK_SECONDS):
                    if limit.over() or self.process.poll() is not None:
                        raise EOFError
            self._line(self.qmp, seconds)
            self.monitor("qmp_capabilities")
            # if KVM fails, it may hang instead of ending
            first = self.accel == "kvm" and accel.may_fall_back()
            line = self._line(self.agent, min(seconds, KVM_BOOT_SECONDS) if first else seconds)
        except (EOFError, OSError):
            line = None
        if not line or not line.startswith("ready"):
            if self.accel == "kvm" and accel.fall_back(f"see {self.path()}"):
                self.kill()
                self.start()
                Host.wait_ready(self, seconds)
                return
            raise Trouble(f"{self.name}: did not boot, see {self.path()}" + self._tail("serial"))
        self.times.booted(*map(float, line.split()[1:3]))
        if self.accel == "kvm":
            accel.works()

    def stop(self):
        """Save the kernel log, power off, and fail if the log has trouble."""
        self.times.mark("test")
        self.check_stuck()
        leaks = self.run("leaks", seconds=LEAK_SECONDS)
        self.save_log()
        self.agent.send("0 poweroff -f")
        self.wait_off(DOWN_SECONDS)
        self._release()
        self.times.mark("off")
        self.times.save(self.kernel.series)
        if leaks:
            with open(self.path("leaks"), "w", encoding="utf-8") as f:
                f.write(leaks)
            leaks = f"\n{self.name}: memory is leaked ({self.path('leaks')}):\n" + leaks[:3000]
        try:
            self.check_log()
        except Trouble as e:
            raise Trouble(str(e) + leaks) from None
        if leaks:
            raise Trouble(leaks.strip())

    def wait_off(self, seconds):
        """Wait until it is off."""
        limit = Limit(seconds, self)
        while True:
            try:
                self.process.wait(LOOK_SECONDS)
                return
            except subprocess.TimeoutExpired:
                if limit.over():
                    self.kill()
                    raise Trouble(f"{self.name}: does not power off") from None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self._release()

    def _release(self):
        if self.turn:
            self.turn.close()
            self.turn = None
        if self.stall:
            self.stall.stop()
        if self._sockets:
            self.agent.close()
            self.qmp.close()
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None

    def save_log(self):
        """The kernel log so far, in the log folder; returns its text."""
        text = self.run("dmesg")
        with open(self.path("dmesg"), "w", encoding="utf-8") as f:
            f.write(text)
        return text

    def check_stuck(self):
        """Check that no task waits in our modules for ever."""
        tasks = self.run("stuck", seconds=STUCK_SECONDS)
        if tasks:
            raise Trouble(f"{self.name}: tasks hang in our modules:\n{tasks[:3000]}")

    def check_log(self):
        bad = []
        for name in ("dmesg", "serial"):
            with open(self.path(name), encoding="utf-8", errors="replace") as f:
                text = f.read()
            stalled = self.stall.said
            bad += [line for line in klog.trouble(text, self.allow, stalled) if line not in bad]
            if (klog.HUNG.search(text) or klog.LOCKED.search(text)) and (stalled or klog.stood_still(text)):
                print(f"# {self.name}: reports of what stood still are set aside, this machine did: "
                      f"{stalled or klog.stood_still(text)}", file=sys.stderr)
        if bad:
            raise Trouble(f"{self.name}: trouble in the kernel log ({self.path('dmesg')}):\n"
                          + "\n".join(bad[:20]))

    def _tail(self, name, lines=15):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as f:
                return "\n" + "".join(f.readlines()[-lines:])
        except OSError:
            return ""

    # -- the machine ----------------------------------------------------------

    def modules(self):
        """Our modules for this host."""
        if not self.driver:
            return []
        paths = [os.path.join(self.driver, m) for m in OURS]
        return [p for p in paths if not self.nvme or os.path.exists(p)]

    def image(self):
        needed = initramfs.depends(self.modules()) if self.driver else ()
        kvm = KVM_MODULES[self.accel] if self.vmm else ()
        parts = [initramfs.base(self.kernel, (*MODULES, *kvm, *needed),
                                os.path.join(place.RIG, "host-init"), IF_THERE, self.nvme),
                 initramfs.files("rig", [("/rig/lib.sh", os.path.join(place.RIG, "host-lib.sh")),
                                         ("/bin/nvadm", place.program("nvadm.c")),
                                         ("/bin/qmp", place.program("qmp.c"))])]
        parts += [initramfs.vmm(name) for name in (("current",) if self.vmm is True else self.vmm or ())]
        if self.root:
            parts.append(initramfs.files("root", sorted(self.root.items())))
        programs = [(name, source) for name, source in sorted(self.files.items())
                    if os.access(source, os.X_OK) and initramfs.libraries(source)]
        if programs:
            # the loader and libraries have to be where the programs look for them
            parts.append(initramfs.files("programs", [("/rig/" + n, s) for n, s in programs]))
        return initramfs.image(parts)

    def device(self, i):
        """PF i, as the emulator's option."""
        props = {"serial": f"rig{i}", "subsys": f"sub{i}", "bus": f"port{i}",
                 "max_ioqpairs": 18, "msix_qsize": 19, "sriov_max_vfs": 4,
                 "sriov_vq_flexible": 16, "sriov_vi_flexible": 16}
        if self.set != "off":
            props["lm"] = self.set
        props.update(self.props[i])
        return f"nvme,id=pf{i}," + ",".join(f"{k}={v}" for k, v in props.items())

    def arguments(self):
        folder = place.qemu()
        kvm = self.accel == "kvm"
        # what the kernel is built with, or at most this long
        hung = "" if self.kernel.series.startswith("debug") else \
            f"sysctl.kernel.hung_task_timeout_secs={HUNG_SECONDS} "
        threads = "multi" if self.icount is None else "single"
        args = [
            os.path.join(folder, "qemu-system-x86_64"), "-L", os.path.join(folder, "share"),
            "-name", self.name, "-nodefaults", "-no-user-config", "-nographic", "-no-reboot",
            "-machine", "q35,kernel-irqchip=split" if kvm else "q35",
            "-accel", "kvm" if kvm else f"tcg,thread={threads},tb-size=512",
            "-cpu", "host" if kvm else os.environ.get("RIG_CPU", CPU),
            "-smp", str(self.cpus), "-m", str(self.memory),
            "-kernel", self.kernel.image, "-initrd", self.image(),
            "-append", "console=ttyS0 loglevel=5 panic=-1 oops=panic log_buf_len=4M intel_iommu=on "
                       f"random.trust_cpu=on mitigations=off no_timer_check {UNUSED} " +
                       accel.clock(self.accel, self.kernel.hz) +
                       f"rcupdate.rcu_cpu_stall_timeout=60 {frozen.PANICS} {hung}" + self.cmdline,
            "-serial", "file:" + self.path("serial"),
            "-chardev", f"socket,id=look,path={os.path.join(self._sockets, 'look')},server=on,wait=off",
            "-mon", "chardev=look,mode=readline",
            "-chardev", f"socket,id=qmp,path={self.qmp.path}", "-mon", "chardev=qmp,mode=control",
            "-device", "intel-iommu,intremap=on",
            "-device", "virtio-serial-pci,bus=pcie.0,addr=3",
            "-chardev", f"socket,id=agent,path={self.agent.path}",
            "-device", "virtserialport,chardev=agent,name=agent",
            "-fsdev", f"local,id=share,path={self.share},security_model=none,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=share,mount_tag=share,bus=pcie.0,addr=5",
        ]
        for i in range(self.pfs):
            own = isinstance(self.disk, list)
            file = f"file.driver=file,file.filename={self.disk[i] if own else self.disk},file.locking=off"
            if self.disk == NOTHING:
                file = "file.driver=null-co,file.size=256M,file.read-zeroes=on"
            args += [
                "-device", f"pcie-root-port,id=port{i},chassis={i + 1},slot={i + 1},bus=pcie.0,addr={8 + i}",
                "-device", f"nvme-subsys,id=sub{i},nqn=sub{i}",
                "-drive", f"if=none,id=drive{i},format=raw,{file},cache=unsafe",
                "-device", self.device(i),
                "-device", f"nvme-ns,drive=drive{i},bus=pf{i},nsid=1,shared=on,"
                           + IDENTITY.format(1 + i if own else 1),
            ]
        if self.inside:
            path = os.path.join(self._sockets, "inside")
            args += ["-chardev", f"socket,id=inside,path={path},server=on,wait=off",
                     "-mon", "chardev=inside,mode=control",
                     "-chardev", f"socket,id=inside-port,path={path}",
                     "-device", "virtserialport,chardev=inside-port,name=monitor",
                     "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"]
        if self.icount is not None:
            args += ["-icount", f"shift={self.icount},sleep=off"]
        return args + self.qemu_args

    def monitor(self, command, **arguments):
        """Send a command to the emulator's own monitor; returns its answer."""
        self.qmp.send(json.dumps({"execute": command, "arguments": arguments}))
        while True:
            line = self._line(self.qmp, ANSWER_SECONDS)
            if line is None:
                raise Trouble(f"{self.name}: the emulator does not answer {command}")
            reply = json.loads(line)
            if "error" in reply:
                raise Trouble(f"{command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]

    # -- commands inside --------------------------------------------------------

    def begin(self, command):
        """Start a shell command inside; finish() takes the result."""
        self._next += 1
        if "\n" in command:
            script = f"script-{self._next}"
            with open(os.path.join(self.share, script), "w", encoding="utf-8") as f:
                f.write(command)
            command = f". /share/{script}"
        try:
            self.agent.send(f"{self._next} {command}")
        except OSError:
            raise self._is_gone() from None
        return self._next

    def _is_gone(self):
        return Trouble(self.killed or f"{self.name}: is gone, see {self.path()}" + self._tail("serial"))

    def finished(self, number):
        """Whether a command is known to have ended; this is learnt while finish() waits
        for others."""
        return number in self._results

    def finish(self, number, seconds=60):
        """(exit status, output) of a command."""
        limit = Limit(seconds, self)
        while number not in self._results:
            try:
                line = self.agent.line(LOOK_SECONDS)
            except EOFError:
                raise self._is_gone() from None
            if line is None:
                if not limit.over():
                    continue
                self._look()
                raise Trouble(f"{self.name}: command {number} not done after {seconds} s; {self._seen()}\n"
                              + self.output(number)[-2000:])
            words = line.split()
            if len(words) == 2:
                self._results[int(words[0])] = int(words[1])
        return self._results.pop(number), self.output(number)

    def output(self, number):
        try:
            with open(os.path.join(self.share, "out", str(number)), encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def run(self, command, seconds=60):
        """Output of a shell command that must succeed."""
        status, output = self.finish(self.begin(command), seconds)
        if status:
            raise Trouble(f"{self.name}: exit status {status} of: {command}\n{output}")
        return output

    def join(self, address):
        """Join the network, if there is one."""
        self.run(f"ifconfig lo up; ifconfig eth0 {address} up")

    def setup_vfs(self, count=4, queues=4, interrupts=4, module_args=""):
        """VFs ready for use, bound to our driver if the host has it."""
        if self.driver:
            if not module_args and self.set in ("vendor", "both"):
                # the emulated VF's id is on no list of devices with that set
                module_args = "vendor_ids=1b36:0010"
            self.run(f"load_driver {module_args}")
        name = "nvme-vfio-pci" if self.driver else "vfio-pci"
        text = self.run(f"setup_vfs {name} {count} {queues} {interrupts}", seconds=RUN_SECONDS)
        self.times.mark("vfs")
        return text


def new_log():
    """A fresh folder for logs, below that of the test if tests/run has started one; the
    oldest of many are removed."""
    top = os.environ.get("RIG_LOG") or os.path.join(place.CACHE, "log")
    os.makedirs(top, exist_ok=True)
    for path in place.oldest(top, LOGS):
        if not os.path.basename(path).startswith("check-"):     # tests/run's own
            shutil.rmtree(path, ignore_errors=True)
    return tempfile.mkdtemp(prefix=time.strftime("%m%d-%H%M%S-"), dir=top)
