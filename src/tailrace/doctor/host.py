"""The examination of this host: what runs here, and what can be promised of it.

Nothing is made or changed, but for an empty control group, for a moment, and that groups lend controllers where they
can.
"""

import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tailrace.core import ids
from tailrace.core.errors import EngineError
from tailrace.doctor.findings import Finding, Report, fine, note, wrong
from tailrace.follow.backends import Polling, is_remote, native
from tailrace.host import cgroup, enforcement, linux, runner_link
from tailrace.host.messages import Status
from tailrace.host.space import FLOOR_BYTES
from tailrace.host.statedir import StateDir, default_path, names_in

DELEGATE: Final = (
    "under systemd, Delegate=yes and DelegateSubgroup=runner for the unit that has the runner; in a container, a"
    " writable cgroup"
)
GROUPS: Final = ("max_memory", "max_processes")
"""limits that a control group enforces best"""
SUBJECT: Final = "this host"
FEW_FILES: Final = 4096
"""open files of a process: a server has one for each viewer"""
LITTLE_BYTES: Final = 1 << 30
"""of free disk"""
INSTANCES: Final = Path("/proc/sys/fs/inotify/max_user_instances")
AHEAD_S: Final = 60
"""by which the newest run may seem to have been made in the future"""


def examine_host(path: str | None) -> Report:
    """Examine this host.

    Args:
        path: the state directory; None: the default one.
    """
    return Report(subject=SUBJECT, findings=tuple(_findings(Path(path or default_path()).absolute())))


def _findings(path: Path) -> Iterator[Finding]:
    if path.exists() and not _is_empty(path):
        yield from _directory(path)
    else:
        yield fine("directory", f"{path} is not there yet; the first run makes it")
    yield _changes(_existing(path))
    yield _space(_existing(path))
    yield _groups()
    yield from _limits()
    yield _open_files()


def _directory(path: Path) -> Iterator[Finding]:
    """Yield what is to be said of a state directory that is there, its runner and its runs."""
    try:
        state = StateDir(path, create=False)
    except EngineError as error:
        yield wrong("directory", error.message, error.hint)
        return
    try:
        yield fine("directory", f"{path} can be used")
        yield _runner(state)
        yield _clock(state)
    finally:
        state.close()


def _runner(state: StateDir) -> Finding:
    if not state.has_runner():
        return fine("runner", "no runner is there; the next run starts one")
    try:
        about = runner_link.ask_once(state, Status())
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return wrong("runner", f"the runner does not answer: {why}", "tailrace runner stop, then tailrace runner start")
    return fine("runner", f"process {about.pid} has {about.running} running, {len(about.queued)} in the queue")


def _clock(state: StateDir) -> Finding:
    """Return whether the clock agrees with the newest run, whose id holds when it was made."""
    newest = max(filter(ids.is_id, names_in(state.runs_fd)), default=None)
    ahead_s = 0.0 if newest is None else ids.created_us(newest) / 1e6 - time.time()
    if ahead_s < AHEAD_S:
        return fine("clock", f"it is {time.strftime('%Y-%m-%d %H:%M:%S %Z')}")
    message = f"the newest run was made {ahead_s:.0f} s from now: the clock was set back, and runs sort wrongly"
    return wrong("clock", message, "set the clock by NTP, and let it only be slewed")


def _changes(path: Path) -> Finding:
    """Return how viewers learn that there is more."""
    if is_remote(path.stat().st_dev):
        message = "the file system may be written by other machines: viewers look four times a second"
        return note("changes", message, "put the state directory on a local disk")
    backend = native()
    try:
        kind = type(backend).__name__.lower()
        if not isinstance(backend, Polling):
            return fine("changes", f"viewers are woken at once, by {kind}{_instances()}")
    finally:
        backend.close()
    message = f"no inotify instance is left{_instances()}: viewers look four times a second"
    return note("changes", message, "raise the sysctl fs.inotify.max_user_instances")


def _instances() -> str:
    try:
        return f" ({INSTANCES.read_text().strip()} instances a user)"
    except OSError:
        return ""


def _space(path: Path) -> Finding:
    free = shutil.disk_usage(path).free
    shown = f"{free / (1 << 30):.1f} GiB are free at {path}"
    if free < FLOOR_BYTES:
        return wrong("space", f"{shown}: no new run is taken", "make room: `tailrace prune` removes old runs")
    if free < LITTLE_BYTES:
        return note("space", shown, "make room: `tailrace prune` removes old runs; `tailrace runner set --keep-bytes`")
    return fine("space", shown)


def _groups() -> Finding:
    """Return what holds a run's processes together."""
    versions = [f"version {version}" for version, _directory in cgroup.parents()]
    if versions:
        return fine("cgroups", f"each run has a control group ({versions[0]}): stop reaches all that it started")
    message = "no control group can be made here: stop goes by process groups, sessions, parents and environment"
    return note("cgroups", message, DELEGATE)


def _limits() -> Iterator[Finding]:
    """Yield which limits of a run this host can really enforce."""
    for way in enforcement.ways():
        name = way.limit.removeprefix("max_").replace("_", " ")
        if not way.is_enforced:
            yield wrong(name, f"{way.limit} cannot be enforced: {way.means}", "mount /proc; runs with it are refused")
        elif way.limit in GROUPS and not way.is_kernels:
            yield note(name, f"{way.limit} is enforced, but late: {way.means}", DELEGATE)
        else:
            yield fine(name, f"{way.limit} is enforced: {way.means}")
    if not linux.IS_LINUX:
        yield note("system", "no subreaper: what a run leaves behind may get away", "Linux is promised in full")


def _open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= FEW_FILES:
        return fine("files", f"a process may open {soft} files")
    message = f"a process may open {soft} files (at most {hard}); a server has one for each viewer"
    return note("files", message, "LimitNOFILE=65536 in the server's unit, or ulimit -n")


def _existing(path: Path) -> Path:
    """Return the path, or the nearest directory above it that is there."""
    return next(each for each in (path, *path.parents) if each.exists())


def _is_empty(path: Path) -> bool:
    try:
        return not any(path.iterdir())
    except OSError:
        return False  # what is the matter with it is told by whoever opens it
