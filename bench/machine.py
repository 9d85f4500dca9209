"""The machine: what it is, whether it is quiet, and where its real disks are."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

import tailrace

T = TypeVar("T")

QUIET_SHARE = 0.12
"""of all processors' time, that others may use while we measure"""
PATIENCE_S = 60.0
"""how long to wait for a quiet moment, and how long to go on with a benchmark of which rounds were disturbed"""
SETTLE_S = 0.1
"""for what a round leaves to be done after it"""
LOOK_S = 0.2
LOOPS = 200_000
PACKAGES = ("flask", "gunicorn", "shelljob", "msgspec", "uvicorn", "uvloop", "starlette", "sse-starlette")
PROGRAMS = (("nginx", "-v"), ("websocketd", "--version"))
MEMORY_KINDS = ("tmpfs", "ramfs", "overlay", "devtmpfs")
_fastest_ms = float("inf")


@dataclass(frozen=True)
class Calm:
    """How quiet the machine was while we did nothing."""

    busy_share: float
    loop_ms: float
    fastest_ms: float
    load: str
    waited_s: float

    @property
    def is_quiet(self) -> bool:
        """Whether others did next to nothing."""
        return self.busy_share <= QUIET_SHARE

    def __str__(self) -> str:
        """Return it in words."""
        word = "quiet" if self.is_quiet else "NOT quiet"
        return (
            f"{word}: others used {self.busy_share:.0%} of the processors, calibration loop {self.loop_ms:.1f} ms "
            f"(fastest {self.fastest_ms:.1f} ms), load {self.load}, waited {self.waited_s:.0f} s"
        )


def look(waited_s: float = 0.0) -> Calm:
    """Do nothing for a moment, then loop; tell how much others did meanwhile."""
    global _fastest_ms  # noqa: PLW0603  the best of this process is what the later ones are compared with
    busy_before, all_before = _jiffies()
    time.sleep(LOOK_S)
    busy, everything = _jiffies()
    loop_ms = min(_loop_ms() for _ in range(3))
    _fastest_ms = min(_fastest_ms, loop_ms)
    share = (busy - busy_before) / max(1, everything - all_before)
    load = Path("/proc/loadavg").read_text().split()[0]
    return Calm(share, loop_ms, _fastest_ms, load, waited_s)


def wait_for_quiet(limit_s: float) -> Calm:
    """Return as soon as the machine is quiet, or after the limit as it is."""
    begun = time.monotonic()
    while not (calm := look(time.monotonic() - begun)).is_quiet and calm.waited_s < limit_s:
        time.sleep(0.5)
    return calm


@dataclass(frozen=True)
class Rounds(Generic[T]):
    """What the rounds gave, the disturbed ones left out as far as there was time to repeat them."""

    values: list[T]
    repeated: int
    """rounds that were thrown away, as others were busy before or after them"""
    disturbed: int
    """rounds that are among the values all the same"""

    def __str__(self) -> str:
        """Return it in words."""
        return f"{len(self.values)} rounds, {self.disturbed} of them disturbed by others; {self.repeated} more repeated"


def quietly(work: Callable[[], T], count: int, *, warm_up: int = 1) -> Rounds[T]:
    """Do the work `count` times between two looks that find the machine quiet.

    What else a round gave plays no part in whether it counts. When the patience is at its end, disturbed rounds count
    too, the first ones first.
    """
    for _ in range(warm_up):
        work()
    quiet: list[T] = []
    disturbed: list[T] = []
    give_up = time.monotonic() + PATIENCE_S
    while len(quiet) < count and (time.monotonic() < give_up or len(quiet) + len(disturbed) < count):
        before = wait_for_quiet(max(0.0, min(10.0, give_up - time.monotonic())))
        value = work()
        time.sleep(SETTLE_S)
        (quiet if before.is_quiet and look().is_quiet else disturbed).append(value)
    taken = disturbed[: count - len(quiet)]
    return Rounds(quiet + taken, len(disturbed) - len(taken), len(taken))


def describe() -> list[str]:
    """Return machine, kernel, Python, date and versions, a line each."""
    packages = {each.name.lower(): each.version for each in importlib.metadata.distributions()}
    versions = ", ".join(f"{name} {packages[name]}" for name in PACKAGES if name in packages)
    programs = ", ".join(told for argv in PROGRAMS if (told := _version(argv)))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; Tailrace {tailrace.__version__}, {_commit()}",
        f"- {os.cpu_count()} processors ({_processor()}), {memory:.0f} GiB, Linux {platform.release()}",
        f"- {platform.python_implementation()} {platform.python_version()}, {versions}",
        f"- {programs or 'neither nginx nor websocketd is here'}",
    ]


def file_system(path: Path) -> str:
    """Return the kind and device of the disk that `path` is on.

    Raises:
        AssertionError: it is memory, or a layer over something unknown.
    """
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        if fields.split()[2] == wanted:
            kind, source = rest.split()[:2]
            assert kind not in MEMORY_KINDS, f"{path} is on {kind}, not on a disk: choose another --place"
            return f"{kind} on {source}"
    raise AssertionError(f"{path} is on an unknown file system")


def _commit() -> str:
    root = Path(tailrace.__file__).parent
    git = ["git", "-C", str(root)]
    commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    changes = subprocess.run([*git, "status", "--porcelain", "--", "."], capture_output=True, text=True, check=False)
    if commit.returncode:
        return "no commit known"
    return f"commit {commit.stdout.strip()}" + (" with local changes" if changes.stdout.strip() else "")


def _version(argv: tuple[str, ...]) -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    if not (program := shutil.which(argv[0], path=path)):
        return ""
    done = subprocess.run([program, *argv[1:]], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().removeprefix("nginx version: ")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _jiffies() -> tuple[int, int]:
    """Return (busy, all) since the machine started."""
    times = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = times[3] + times[4]
    return sum(times) - idle, sum(times)


def _loop_ms() -> float:
    begun = time.perf_counter()
    total = 0
    for number in range(LOOPS):
        total += number * number % 7
    return (time.perf_counter() - begun) * 1000
