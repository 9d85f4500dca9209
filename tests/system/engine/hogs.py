"""Programs that take too much, and what becomes of them; as a program, tries all where no cgroup can be made.

Each is bounded by itself: 150 processes, 400 MiB, 30 s.
"""

import sys
from typing import NamedTuple

from tailrace.core.outcome import Exited, Outcome, Signaled, limited
from tailrace.engine.base import StartOptions
from tailrace.engine.disk import DiskEngine
from tailrace.host import cgroup

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
    "tree": Hog(TREE, {"max_processes": 20}, limited("processes"), "processes"),
    "memory": Hog(MEMORY, {"max_memory": 100 << 20}, limited("memory"), "memory"),
    "memory of many": Hog(MEMORY_OF_MANY, {"max_memory": 150 << 20}, limited("memory"), "memory"),
    "cpu": Hog(CPU, {"max_cpu": 0.5}, limited("cpu"), "cpu"),
    "cpu of many": Hog(CPU_OF_MANY, {"max_cpu": 0.5}, limited("cpu"), "cpu"),
    "cpu in turns": Hog(CPU_IN_TURNS, {"max_cpu": 0.5}, limited("cpu"), "cpu"),
    "files": Hog(FILES, {"max_open_files": 64}, Exited(1), None),
}
ROOMY: StartOptions = {"max_cpu": 60, "max_memory": 400 << 20, "max_processes": 50, "max_open_files": 200}


def main(state: str) -> None:
    """Try all, and say so."""
    assert cgroup.parents() == ()
    engine = DiskEngine(state)
    runs = {}
    for name, hog in HOGS.items():
        options: StartOptions = {"ladder": (("KILL", 0.0),), **hog.limits}
        runs[name] = engine.start([sys.executable, "-c", hog.program], **options)
        info = runs[name].wait(timeout=60)
        assert (info.outcome, info.limit) == (hog.outcome, hog.limit), (name, info.outcome)
        assert not isinstance(info.outcome, Signaled)
    assert engine.start([sys.executable, "-c", "print(1)"], **ROOMY).wait(timeout=60).outcome == Exited(0)


if __name__ == "__main__":
    main(sys.argv[1])
    print("all ended as they should")  # noqa: T201 (the test reads it)
