"""What a keeper must know of its run to start and watch it, in as few bytes and objects as possible.

The runner reads spec and launch and writes the order; a keeper is a fork that must touch little memory, so it is
handed plain numbers and strings. Everything else (argv, environment, labels, the ladder) stays on disk, and is read by
the child that becomes the command, whose memory goes with exec, or by the keeper when it is needed.
"""

import marshal
from typing import NamedTuple

from tailrace.core.limits import Resources
from tailrace.core.spec import Anchor, Launch, Spec, Stdio
from tailrace.core.timeline import TerminalSize

STDIO = tuple(Stdio)


class Order(NamedTuple):
    """The parts of a spec and a launch that the keeper acts on; times in ns, sizes in bytes."""

    run_id: str
    stdio: int
    """index in `STDIO`"""
    stdin: bool
    rows: int
    columns: int
    timeout_ns: int | None
    idle_timeout_ns: int | None
    unwatched_timeout_ns: int | None
    output_limit: int | None
    stops_at_limit: bool
    grace_ns: int
    leave_children: bool
    mover: str
    fault: str | None
    wall_us: int
    monotonic_us: int
    boot: str
    is_masked: bool = False
    """whether the run has secrets, which the keeper finds in the launch"""
    closes_input: bool = False
    """whether the input ends behind the secrets that it begins with"""
    cpu_s: float | None = None
    memory: int | None = None
    processes: int | None = None

    @property
    def resources(self) -> Resources:
        """Return what the keeper is to look after."""
        return Resources(self.cpu_s, self.memory, self.processes)

    @property
    def is_terminal(self) -> bool:
        """Whether the command runs at a pty."""
        return STDIO[self.stdio] is Stdio.PTY

    @property
    def terminal(self) -> TerminalSize | None:
        """Return the size that the command's terminal begins with; None: it has none."""
        return TerminalSize(self.rows, self.columns) if self.is_terminal else None

    @property
    def is_merged(self) -> bool:
        """Whether stdout and stderr share a pipe."""
        return STDIO[self.stdio] is Stdio.MERGED

    @property
    def anchor(self) -> Anchor:
        """Return the instant that times are shown by."""
        return Anchor(self.wall_us, self.monotonic_us, self.boot)


def order_for(spec: Spec, launch: Launch) -> Order:
    """Return the order of a run."""
    return Order(
        run_id=spec.id,
        stdio=STDIO.index(spec.stdio),
        stdin=spec.stdin or bool(launch.secret_input),
        rows=spec.rows,
        columns=spec.columns,
        timeout_ns=_ns(spec.timeout_s),
        idle_timeout_ns=_ns(spec.idle_timeout_s),
        unwatched_timeout_ns=_ns(spec.unwatched_timeout_s),
        output_limit=spec.output_limit,
        stops_at_limit=spec.output_policy == "stop",
        grace_ns=round(spec.grace_s * 1e9),
        leave_children=spec.leave_children,
        mover=launch.mover,
        fault=launch.fault,
        wall_us=spec.anchor.wall_us,
        monotonic_us=spec.anchor.monotonic_us,
        boot=spec.anchor.boot,
        is_masked=bool(launch.secrets),
        closes_input=not spec.stdin,
        cpu_s=spec.resources.cpu_s,
        memory=spec.resources.memory,
        processes=spec.resources.processes,
    )


def encode(order: Order) -> bytes:
    """Return the order as it goes from the runner to the forker; both are the same program."""
    return marshal.dumps(tuple(order))


def decode(data: bytes) -> Order:
    """Return the order again."""
    return Order(*marshal.loads(data))  # noqa: S302  # nosec B302 # from our parent, over a socket of our own


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)
