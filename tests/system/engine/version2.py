"""By hand: control groups of version 2, in a kernel of its own (User Mode Linux), whatever this machine has.

    python -m tests.system.engine.version2 /usr/bin/linux.uml

The kernel sees this machine's files, read-only, and runs this module again as its first process. That makes the groups
as systemd does for a unit with `Delegate=yes` and `DelegateSubgroup=runner`, and has hogs end in them: as `nobody`, to
whom the unit is given, and who must be able to read this interpreter and these files; as root; and in a unit whose
group lends nothing. It takes some minutes, and is no test of the suite: on a busy machine such a kernel is too slow for
the time that a runner has to start.
"""

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tailrace.engine.disk import DiskEngine
from tailrace.host import cgroup, enforcement
from tests.support.wait import wait_for
from tests.system.engine import hogs

ROOT = Path("/sys/fs/cgroup")
SPARE = 2
"""groups that are ready for the next run: of the runner, and of the one that was started from inside a run"""
MOUNTS = (
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("tmpfs", "/sys/fs/cgroup"),
    ("cgroup2", "/sys/fs/cgroup"),
    ("tmpfs", "/run"),
    ("tmpfs", "/var/tmp"),
)
KERNEL = ("mem=1024M", "rootfstype=hostfs", "rootflags=/", "ro", "con=null", "con0=null,fd:1", "quiet")
NAMES = ("processes", "daemons", "threads", "memory", "memory of many", "cpu of many")
LIMITS = ("max_memory", "max_processes")


def unit(name: str, *, part: str, owner: int) -> Path:
    """Make a unit's group, and move this process into it, or a part of it; return the unit's."""
    group = ROOT / name
    (group / part).mkdir(parents=True)
    for place in (group, group / part):
        for path in (place, *(place / file for file in ("cgroup.procs", "cgroup.subtree_control", "cgroup.threads"))):
            os.chown(path, owner, owner)
    os.setxattr(group, "user.delegate", b"1")
    (group / part / "cgroup.procs").write_text("0")
    return group


def told() -> dict[str, tuple[str, bool]]:
    """Return how the limits are enforced here, and whether the kernel does it."""
    return {way.limit: (way.means, way.is_kernels) for way in enforcement.ways() if way.limit in LIMITS}


def ready() -> str:
    """Return a state directory with a runner: it takes longer to start, in such a kernel, than anybody would wait."""
    state = tempfile.mkdtemp()
    subprocess.Popen([sys.executable, "-B", "-m", "tailrace", "runner", "--state-dir", state, "--foreground"])
    wait_for(lambda: Path(state, "runner.sock").exists(), deadline=300)
    return state


def in_a_part(owner: int) -> None:
    """Hogs, where the runner is in a part of its unit: the kernel limits, and nothing is left behind."""
    group = unit(f"unit-{owner}", part="runner", owner=owner)
    become(owner)
    assert all(means.startswith("cgroup v2") and is_kernels for means, is_kernels in told().values()), told()
    state = ready()
    for name in NAMES:
        hogs.try_one(state, hogs.HOGS[name])
        print("ended", owner, name, flush=True)  # noqa: T201 (the test reads it)
    with_limit = DiskEngine(state)
    run = with_limit.start(["cat", "/proc/self/cgroup"], max_memory=100 << 20, max_processes=50)
    shown = b"".join(chunk.data for chunk in run.follow()).decode()
    assert shown.startswith(f"0::/{group.name}/{cgroup.PREFIX}"), shown
    inside = with_limit.start([sys.executable, "-c", INSIDE, tempfile.mkdtemp()], ladder=(("KILL", 0.0),))
    shown = b"".join(chunk.data for chunk in inside.follow()).decode()
    assert f"/{group.name}/{cgroup.GUESTS}" in shown, shown
    wait_for(lambda: len([path for path in group.iterdir() if path.name.startswith(cgroup.PREFIX)]) <= SPARE)


INSIDE = """
import sys, tailrace
from tailrace.host import runner_link
from tailrace.host.messages import Status
engine = tailrace.connect(sys.argv[1])
for attempt in range(6):
    try:
        engine.start(["true"]).wait(60)
    except tailrace.core.errors.EngineUnavailable:
        continue
    break
pid = runner_link.ask_once(engine.state, Status()).pid
print(open(f"/proc/{pid}/cgroup").read())
"""


def in_the_unit() -> None:
    """Where it is in the unit's own group, it has no controllers: the keeper counts, and that is told."""
    unit("whole", part=".", owner=0)
    found = told()
    assert all(means.startswith("no cgroup has") and not is_kernels for means, is_kernels in found.values()), found
    state = ready()
    for name in ("processes", "daemons", "memory"):
        hogs.try_one(state, hogs.HOGS[name])


def become(owner: int) -> None:
    """Give up being root, for good."""
    if owner:
        os.setgroups([])
        os.setgid(owner)
        os.setuid(owner)


def forked(work: Callable[[], None]) -> None:
    """Do it in a process of its own."""
    pid = os.fork()
    if not pid:
        try:
            work()
        except BaseException:  # noqa: BLE001  the parent has its status
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def main() -> None:
    """Try all; then have the kernel stop."""
    for kind, place in MOUNTS:
        subprocess.run(["mount", "-t", kind, "none", place], check=True)
    Path(tempfile.gettempdir()).chmod(0o1777)
    assert {"memory", "pids"} <= set((ROOT / "cgroup.controllers").read_text().split())
    (ROOT / "cgroup.subtree_control").write_text("+memory +pids")
    forked(lambda: in_a_part(pwd.getpwnam("nobody").pw_uid))
    forked(lambda: in_a_part(0))
    forked(in_the_unit)
    print("all ended as they should", flush=True)  # noqa: T201 (whoever looks reads it)


def boot(kernel: str) -> None:
    """Start the kernel, and this module in it."""
    root = Path(__file__).resolve().parents[3]
    with tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False) as file:
        file.write(
            f"#!/bin/sh\ncd {root}\nexport PATH=/usr/local/bin:/usr/bin:/bin TMPDIR=/var/tmp HOME=/run\n"
            f"export PYTHONPATH={os.pathsep.join(sys.path)}\n{sys.executable} -B -m tests.system.engine.version2\n"
            "cat /var/tmp/*/runner.log\necho o > /proc/sysrq-trigger\nread forever\n"
        )
    Path(file.name).chmod(0o755)
    try:
        subprocess.run([kernel, *KERNEL, f"init={file.name}"], check=False, stdin=subprocess.DEVNULL)
    finally:
        Path(file.name).unlink()


if __name__ == "__main__":
    boot(sys.argv[1]) if len(sys.argv) > 1 else main()
