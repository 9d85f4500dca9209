"""Programs that take too much, and what becomes of them; as a program, tries one where no cgroup can be made.

Each is bounded by itself: 150 processes, 400 MiB, 64 MiB of output, 60 s.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from tailrace.core.outcome import Exited, Outcome, OutputLimit, Signaled, TimedOut, limited
from tailrace.engine.base import StartOptions
from tailrace.engine.disk import DiskEngine
from tailrace.host import cgroup, tree

PROCESSES = """
import os, time
for _ in range(150):
    try:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
    except OSError:
        time.sleep(0.1)
time.sleep(30)
"""
DAEMONS = """
import os, time
for _ in range(150):
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.closerange(0, 3)
                time.sleep(30)
            os._exit(0)
        os.wait()
    except OSError:
        time.sleep(0.1)
time.sleep(30)
"""
"""nobody's child, in nobody's session, without any stream of the run's"""
THREADS = """
import threading, time
for _ in range(60):
    try:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    except RuntimeError:
        time.sleep(0.1)
time.sleep(30)
"""
TREE = """
import os, time
for _ in range(7):
    try:
        os.fork()
    except OSError:
        pass
time.sleep(30)
"""
MEMORY = """
import time
held = []
for _ in range(40):
    held.append(b"x" * (10 << 20))
    time.sleep(0.02)
time.sleep(30)
"""
MEMORY_OF_MANY = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        held = b"x" * (40 << 20)
        time.sleep(30)
        os._exit(0)
time.sleep(30)
"""
CPU = """
import time
while time.monotonic() < END:
    pass
""".replace("END", "begun + 60").replace("while", "begun = time.monotonic()\nwhile", 1)
CPU_OF_MANY = f"""
import os
os.fork(), os.fork()
{CPU}
"""
CPU_IN_TURNS = """
import os, time
begun = time.monotonic()
while time.monotonic() < begun + 60:
    if os.fork() == 0:
        sum(range(2_000_000))
        os._exit(0)
    os.wait()
"""
CPU_OF_NOBODY = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
begun = time.monotonic()
while time.monotonic() < begun + 30:
    if os.fork() == 0:
        sum(range(2_000_000))
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
"""
"""whose children the kernel buries by itself, and adds their time to nobody"""
OUTPUT = """
import os, time
for _ in range(1024):
    os.write(1, b"x" * 65536)
time.sleep(30)
"""
SLEEPER = """
import time
print("asleep", flush=True)
time.sleep(60)
"""
TALKER = """
import time
begun = time.monotonic()
while time.monotonic() < begun + 60:
    print("still here", flush=True)
    time.sleep(0.05)
"""
FILES = """
import os
held = []
while len(held) < 1000:
    held.append(os.dup(0))
"""


class Hog(NamedTuple):
    """A program, the limit that it has, and how it ends."""

    program: str
    limits: StartOptions
    outcome: Outcome
    limit: str | None


HOGS = {
    "processes": Hog(PROCESSES, {"max_processes": 20}, limited("processes"), "processes"),
    "daemons": Hog(DAEMONS, {"max_processes": 20}, limited("processes"), "processes"),
    "threads": Hog(THREADS, {"max_processes": 20}, limited("processes"), "processes"),
    "tree": Hog(TREE, {"max_processes": 20}, limited("processes"), "processes"),
    "memory": Hog(MEMORY, {"max_memory": 100 << 20}, limited("memory"), "memory"),
    "memory of many": Hog(MEMORY_OF_MANY, {"max_memory": 150 << 20}, limited("memory"), "memory"),
    "cpu": Hog(CPU, {"max_cpu": 0.5}, limited("cpu"), "cpu"),
    "cpu of many": Hog(CPU_OF_MANY, {"max_cpu": 0.5}, limited("cpu"), "cpu"),
    "cpu in turns": Hog(CPU_IN_TURNS, {"max_cpu": 0.5}, limited("cpu"), "cpu"),
    "output": Hog(OUTPUT, {"max_output": 1 << 20}, OutputLimit(), "output"),
    "idle": Hog(SLEEPER, {"idle_timeout": 0.3}, TimedOut("idle"), "idle"),
    "wall": Hog(TALKER, {"timeout": 0.5, "idle_timeout": 30}, TimedOut("wall"), "wall"),
    "files": Hog(FILES, {"max_open_files": 64}, Exited(1), None),
}
NOBODYS = Hog(CPU_OF_NOBODY, {"max_cpu": 0.5}, limited("cpu"), "cpu")
"""one that only a control group can count"""
ROOMY: StartOptions = {"max_cpu": 60, "max_memory": 400 << 20, "max_processes": 50, "max_open_files": 200}


def left_of(run_id: str) -> list[int]:
    """Return the processes that have the run's mark."""
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if tree.mark_of(pid) == run_id]


def try_one(state: str, hog: Hog) -> None:
    """See that it ends as it should."""
    engine = DiskEngine(state)
    options: StartOptions = {"ladder": (("KILL", 0.0),), **hog.limits}
    info = engine.start([sys.executable, "-c", hog.program], **options).wait(timeout=90)
    assert (info.outcome, info.limit) == (hog.outcome, hog.limit), info
    assert not isinstance(info.outcome, Signaled)
    assert not left_of(info.id)


def main(state: str, name: str) -> None:
    """Try one where no cgroup can be made, and that another run is left alone there."""
    assert cgroup.parents() == ()
    try_one(state, HOGS[name])
    assert DiskEngine(state).start([sys.executable, "-c", "print(1)"], **ROOMY).wait(timeout=60).outcome == Exited(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
    print("it ended as it should")  # noqa: T201 (the test reads it)
