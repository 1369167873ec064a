# SPDX-License-Identifier: Apache-2.0
"""What all rows share: starting the servers and the client, and reading clocks and memory of processes.

A server is a context that owns its process; `url` is where subscribers go and `publish_url` where events come from.
CPU is read from the process's own clock (clock_getcpuclockid), which the kernel keeps in nanoseconds.
"""
import json
import os
import pathlib
import platform
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "bench" / "fanout.yaml"
CHANNEL = "/bench/ticks"
START_TIMEOUT_S = 20
START_STEP_S = 0.005
ANSWER_TIMEOUT_S = 180
DESCRIPTORS = 20_000


class Failed(Exception):
    """A run that could not be made; it is never counted as a number."""


# --- clocks and memory ------------------------------------------------------------------------------------------------

def cpu_seconds(pid):
    """CPU time of all threads of a process. A clock id is the complement of the pid, CPUCLOCK_SCHED in the low bits."""
    return time.clock_gettime((~pid << 3) | 2)


def user_system_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


def idle_seconds():
    """Of all CPUs together, waiting for a disk included; everything else is work or was stolen by the host."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


class CpuWindow:
    """CPU of a server between two moments, and how many cores were busy with something else than this run."""

    def __init__(self, server_pid, client_pid):
        self.server_pid, self.client_pid = server_pid, client_pid
        self.at = self._read()

    def _read(self):
        return {"wall": time.monotonic(),
                "server": cpu_seconds(self.server_pid), "client": cpu_seconds(self.client_pid),
                "own": time.process_time(), "idle": idle_seconds(), "split": user_system_seconds(self.server_pid)}

    def close(self):
        begin, end = self.at, self._read()
        wall = end["wall"] - begin["wall"]
        spent = {key: end[key] - begin[key] for key in ("server", "client", "own")}
        busy = wall * os.cpu_count() - (end["idle"] - begin["idle"])
        user, system = (end["split"][i] - begin["split"][i] for i in (0, 1))
        share = user / (user + system) if user + system > 0 else 0.0
        return {"wall_s": wall, "server_s": spent["server"], "client_s": spent["client"], "user_share": share,
                "other_cores": max(0.0, (busy - sum(spent.values())) / wall)}


def await_quiet(cores_max, timeout_s, say):
    """Returns when no more than `cores_max` cores were busy for a second, or after the time-out: the round decides."""
    deadline, told = time.monotonic() + timeout_s, False
    while time.monotonic() < deadline:
        begin, idle = time.monotonic(), idle_seconds()
        time.sleep(1)
        wall = time.monotonic() - begin
        if os.cpu_count() - (idle_seconds() - idle) / wall <= cores_max:
            return
        if not told:
            say(f"  waiting up to {timeout_s} s for other work to end")
            told = True


def memory_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) * 1024 for name in ("RssAnon", "VmRSS")}


def kernel_memory_bytes():
    """Of the whole machine: slabs, and pages in socket buffers. Both ends of a loopback connection are in it."""
    slab = int(re.search(r"^Slab:\s+(\d+) kB", pathlib.Path("/proc/meminfo").read_text(), re.M)[1]) * 1024
    pages = int(re.search(r"^TCP:.* mem (\d+)", pathlib.Path("/proc/net/sockstat").read_text(), re.M)[1])
    return {"slab": slab, "socket_buffers": pages * os.sysconf("SC_PAGE_SIZE")}


# --- processes --------------------------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(command, cpu):
    return command if cpu is None or shutil.which("taskset") is None else ["taskset", "-c", str(cpu), *command]


class Process:
    """A program with its output in pipes or a file; ended when the context is left."""

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        process = getattr(self, "process", None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self):
        return self.process.pid


class Bare(Process):
    """bare_fanout with one send per event ("one") or per turn ("turn")."""

    def __init__(self, build, coalesce, frame_bytes, cpu=None):
        self.command = pinned([str(build / "bench" / "bare_fanout"), "--coalesce", coalesce,
                               "--frame-bytes", str(frame_bytes)], cpu)

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Failed("bare_fanout did not start")
        ports = json.loads(line)
        self.url = f"http://127.0.0.1:{ports['subscribe_port']}{CHANNEL}"
        self.publish_url = f"http://127.0.0.1:{ports['publish_port']}{CHANNEL}"


class Tidewire(Process):
    """`tidewire serve` in an empty directory of its own. Without `data` it runs without a disk: what is measured then is
    delivery; otherwise that is the directory of its log, which outlives it."""

    def __init__(self, build, threads, cpu=None, contract=CONTRACT, data=None):
        self.binary, self.threads, self.cpu = (build / "tidewire").resolve(), threads, cpu
        self.contract, self.data = contract, data

    def start(self):
        public, application, admin = free_port(), free_port(), free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="tidewire-bench-")
        command = [str(self.binary), "serve", str(self.contract), "--threads", str(self.threads), "--listen",
                   f"127.0.0.1:{public}", "--app-listen", f"127.0.0.1:{application}",
                   "--admin", f"127.0.0.1:{admin}" if self.data else "none", "--data", str(self.data or "none")]
        self.log_path = pathlib.Path(self.folder.name) / "log"
        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(pinned(command, self.cpu), cwd=self.folder.name, stdout=log,
                                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.base, self.admin = f"http://127.0.0.1:{public}", ("127.0.0.1", admin)
        self.url = f"{self.base}{CHANNEL}"
        self.publish_url = f"http://127.0.0.1:{application}{CHANNEL}"
        self._await(public)
        self._await(application)

    def _await(self, port):
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(START_STEP_S)
        raise Failed("tidewire did not start:\n" + self.log_path.read_text()[-2000:])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        super().stop()
        if hasattr(self, "folder"):
            self.folder.cleanup()


class Client(Process):
    """A client with gates: next() returns the next object that it prints, go() lets it carry on."""

    def __init__(self, build, options, cpu=None, program="sse_client"):
        self.command = pinned([str(build / "bench" / program), "--gates", *map(str, options)], cpu)

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def next(self):
        if not select.select([self.process.stdout], [], [], ANSWER_TIMEOUT_S)[0]:
            raise Failed("the client does not come to an end")
        line = self.process.stdout.readline()
        if not line:
            raise Failed("the client stopped: " + self.process.stderr.read()[-2000:].strip())
        return json.loads(line)

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def finish(self):
        self.go()
        return self.process.wait(60)


# --- the machine ------------------------------------------------------------------------------------------------------

def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    return f"{os.cpu_count()} cores of {cpu[1].strip() if cpu else platform.machine()}, {memory / 2**20:.0f} GiB"


def kernel():
    return f"{platform.system()} {platform.release()}"


def commit():
    def git(*arguments):
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True).stdout.strip()
    name = git("rev-parse", "--short=12", "HEAD")
    if not re.fullmatch(r"[0-9a-f]+", name):
        return "not committed"
    changed = git("status", "--porcelain", "--", "src", "bench/*.cc", "bench/*.h", "CMakeLists.txt", "cmake")
    return name + (" with changes" if changed else "")


def allow_descriptors():
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
