"""The keeper: the small process that owns one run, from its start to its recorded outcome.

Theory of operation. A keeper is forked ahead of need, makes ready what any run needs, and gets its order together with
the run's lock, already held. It starts the command, announces it (`live.json`), and then does one thing in a loop: wait
until something is readable or due, move output, reap children, look at limits, climb the stop ladder. It is over when
the command has exited, its streams have ended, and nobody of its tree is left (or may be left). Then the result is
written, once, and the process ends, which frees the lock.

How a run ended is decided by the first cause: a stop, a limit or a timeout that came before the command's own exit. An
exit that came first stays an exit, whatever has to be swept up after it.
"""

import errno
import functools
import os
import signal
import time

import msgspec

from tailrace.core import states
from tailrace.core.lumps import Lumps
from tailrace.core.outcome import (
    Exited,
    FailedToStart,
    Lost,
    Outcome,
    OutputLimit,
    Signaled,
    Stopped,
    TimedOut,
    limited,
)  # fmt: skip
from tailrace.core.result import Child, LadderStep, Result
from tailrace.core.run import Live, ProcessId
from tailrace.core.spec import LADDER, Rung
from tailrace.core.states import Event, State
from tailrace.core.timeline import Stream, TerminalSize
from tailrace.host import errands, fault, ladder, linux, spawn, tree, unix, usage
from tailrace.host.audience import UNWATCHED, Audience
from tailrace.host.clock import Clock
from tailrace.host.control import Connection, ControlServer
from tailrace.host.family import Family
from tailrace.host.feeder import Feeder
from tailrace.host.guard import Guard
from tailrace.host.ladder import Ladder
from tailrace.host.messages import CloseInput, Input, KeeperRequest, Reply, Resize, Signal, Stop
from tailrace.host.mover import Moved, Mover
from tailrace.host.order import Order
from tailrace.host.rundir import LIVE, Damaged, RunDir, pad
from tailrace.host.spawn import Born, Command
from tailrace.host.stage import Stage, is_told_to_go
from tailrace.host.streams import Streams

FULL_NS = 250_000_000
"""between two tries to write to a full disk"""
LATE_NS = 1_000_000_000
"""between two notes of how much came after the result"""
GIVE_UP_NS = 10_000_000_000
"""after KILL: a process that is still there then cannot be killed (it waits inside the kernel), and is named instead"""
PARTING_NS = 100_000_000
"""for children that hold none of the command's streams, to end with it"""
HELD = "the disk is full; the command waits until there is room"
LONGEST_MS = 3_600_000.0
"""poll(2) takes no more than 24 days"""
READS = 16
"""pieces from one stream before the others, and everything else, get their turn"""


class Keeper:
    """One run's life. Everything happens in one thread, between two calls of poll.

    Until something happens, as little memory as possible is touched: what is not needed yet is made on first use.
    """

    def __init__(self, run: RunDir, ordered: Order, stage: Stage) -> None:
        self._run = run
        self._order = ordered
        self._stage = stage
        self._poll, self._wakeup = stage.poll, stage.wakeup
        self._family = Family(run.id, lambda: self._live.pipes, may_stay=ordered.leave_children)
        self._streams = Streams(stage.poll)
        self._cause: Outcome | None = None
        self._ladder: Ladder | None = None
        self._lingering: tuple[Child, ...] = ()
        self._lumps = Lumps()
        self._full_ns: int | None = None
        self._audience: Audience | None = None
        """None: the run does not care whether anybody watches"""
        self._guard: Guard | None = None
        """None: what the run uses is not limited"""
        self._begun_ns = 0
        self._born_live = b""
        self._secrets: tuple[bytes, ...] = ()

    def run(self) -> Result:
        """Start the command, see it through, and return how it ended."""
        started = self._start()
        fault.point("starting:spawned")
        if isinstance(started, FailedToStart):
            return Result(outcome=started, ended=self._clock.wall())
        self._begin(*started)
        fault.point("starting:running")
        while not self._is_over():
            self._wait(self._timeout_ms())
            self._family.reap()
            self._check_limits()
            self._climb()
        return self._result()

    def _start(self) -> tuple[Command, Born] | FailedToStart:
        """Start the command, and meanwhile listen for requests."""
        try:
            blank = self._stage.blank or spawn.prepare(self._stage.state)
            try:
                ends = spawn.begin(blank, self._order)
            except BrokenPipeError:
                blank = spawn.prepare(self._stage.state)
                ends = spawn.begin(blank, self._order)
        except OSError as error:
            return FailedToStart(f"no process could be made: {(error.strerror or str(error)).lower()}")
        self._control = ControlServer(unix.listen("control", dir_fd=self._run.fd), self._poll, self._handle)
        return ends if isinstance(ends, FailedToStart) else spawn.finish(blank, ends)

    def _begin(self, command: Command, born: Born) -> None:
        self._family.command = command
        self._begun_ns = born.begun_ns
        self._born_live = born.live
        if self._order.unwatched_timeout_ns is not None:
            self._audience = Audience(self._run, self._order.unwatched_timeout_ns, born.begun_ns)
        if self._order.resources.is_watched:
            self._guard = Guard(self._order.resources, self._family, born.begun_ns)
        pairs = ((command.stdout, Stream.STDOUT), (command.stderr, Stream.STDERR))
        self._streams.update((fd, stream) for fd, stream in pairs if fd >= 0)
        self._feeder = Feeder(command.stdin, self._poll, is_terminal=self._order.is_terminal)
        self._streams.listen()
        self._tell(born.live)
        if self._order.is_masked:
            self._take_secrets()
        os.unlink("launch", dir_fd=self._run.fd)

    def _take_secrets(self) -> None:
        """Learn what to mask, before anything is moved, and hand over what the input begins with."""
        linux.forbid_dumps()
        launch = self._run.launch()
        self._secrets = launch.secrets
        if launch.secret_input:
            self._feeder.begin(launch.secret_input, closes=self._order.closes_input)

    @functools.cached_property
    def _clock(self) -> Clock:
        return Clock(self._order.anchor)

    @functools.cached_property
    def _live(self) -> Live:
        """What live.json says, or would if the disk took it."""
        if not self._born_live:
            return Live(state=State.STARTING, keeper=ProcessId(linux.boot_id(), 0, os.getpid()))
        return LIVE.decode(self._born_live)

    @functools.cached_property
    def _mover(self) -> Mover:
        mover = self._made_mover()
        mover.terminal = self._order.terminal
        return mover

    def _made_mover(self) -> Mover:
        files = self._run.open("output", os.O_WRONLY), self._run.open("timeline", os.O_WRONLY)
        if self._order.is_masked:
            from tailrace.host.masked import MaskedMover  # few runs need what it takes

            return MaskedMover(*files, limit=self._order.output_limit, begun_ns=self._begun_ns, secrets=self._secrets)
        way = "copy" if self._order.is_terminal or not hasattr(os, "splice") else self._order.mover
        return Mover(*files, limit=self._order.output_limit, way=way, begun_ns=self._begun_ns)

    @functools.cached_property
    def _rows(self) -> tuple[Rung, ...]:
        """The stop ladder's rows; the usual ones if the spec was damaged meanwhile."""
        try:
            return self._run.spec().ladder
        except Damaged:
            return tuple(Rung(*row) for row in LADDER)

    def close(self) -> None:
        """Let go of all descriptors, in a process that lives on."""
        signal.set_wakeup_fd(-1)
        self._control.close()
        if self._family.command is not None:
            self._feeder.close()
            self._mover.close()
            os.close(self._family.command.pidfd)
        for fd in (self._wakeup, self._stage.wakeup_end, *self._streams):
            os.close(fd)

    def _announce(self) -> None:
        """Tell everybody how things are."""
        self._tell(pad(self._live))

    def _tell(self, live: bytes) -> None:
        """Write live.json; what a full disk does not take, the next announcement will tell."""
        try:
            self._run.put_live(live)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise

    def _wait(self, timeout_ms: float) -> None:
        """Wait until something is there, or for so long, and handle what is there; for ever: -1."""
        for fd, _events in self._poll.poll(timeout_ms):
            if fd in self._streams:
                if self._full_ns is None:  # else an earlier one of this batch found the disk full
                    self._move(fd)
            elif fd == self._wakeup:
                os.read(fd, 4096)
            elif self._control.owns(fd):
                self._control.serve(fd)
            elif fd == self._feeder.fd:
                self._feeder.feed()

    def _timeout_ms(self) -> float:
        viewers_ns = self._audience.due_ns if self._audience else None
        instants = (self._full_ns, viewers_ns, self._grace_end_ns(), self._sweep_ns(), *self._limit_instants())
        due = [at for at in instants if at is not None]
        if self._guard is not None and self._cause is None:
            due.append(self._guard.due_ns)
        if self._ladder is not None and not self._family.is_gone:
            due.append(self._ladder.due_ns)
        return min(LONGEST_MS, max(0.0, (min(due) - time.monotonic_ns()) / 1e6 + 0.05)) if due else -1

    # Moving output

    def _move(self, fd: int) -> None:
        before = self._mover.size
        for _ in range(READS):
            moved = self._mover.move(fd, self._streams[fd])
            if moved is not Moved.SOME:
                break
        if self._mover.size > before:
            self._note_arrival(self._mover.size - before)
        if moved is Moved.END:
            self._streams.forget(fd)
        elif moved is Moved.FULL:
            self._hold()

    def _note_arrival(self, count: int) -> None:
        self._lumps.note(count, self._mover.elapsed_us())
        if self._lumps.hint != self._live.hint:
            self._live = msgspec.structs.replace(self._live, hint=self._lumps.hint)
            self._announce()

    def _hold(self) -> None:
        """The disk is full: leave the bytes with the command, and try again later."""
        if self._full_ns is None:
            self._streams.rest()
        self._full_ns = time.monotonic_ns() + FULL_NS
        if self._live.held is None:
            self._live = msgspec.structs.replace(self._live, held=HELD)
            self._announce()

    def _release(self) -> None:
        """Try again; `_hold` follows if the disk is still full."""
        self._full_ns = None
        self._streams.listen()
        before = self._mover.size
        for fd in list(self._streams):
            if self._full_ns is None:
                self._move(fd)
        if self._mover.size > before and self._full_ns is None:
            self._live = msgspec.structs.replace(self._live, held=None)
            self._announce()

    # Limits

    def _limit_instants(self) -> tuple[int | None, int | None]:
        """Return when the wall-clock and the idle limit are reached, as things are."""
        if self._cause is not None or self._family.status is not None:
            return None, None
        wall, idle = self._order.timeout_ns, self._order.idle_timeout_ns
        if wall is None and idle is None:
            return None, None
        return (
            None if wall is None else self._begun_ns + wall,
            None if idle is None or self._full_ns is not None else self._mover.last_ns + idle,
        )

    def _check_limits(self) -> None:
        now = time.monotonic_ns()
        if self._full_ns is not None and now >= self._full_ns:
            self._mover.last_ns = now
            self._release()
        self._look_for_viewers(now)
        if is_told_to_go() and self._cause is None:
            self._stop(Stopped("a signal to its keeper"))
        self._look_after_resources(now)
        wall, idle = self._limit_instants()
        if wall is not None and now >= wall:
            self._stop(TimedOut("wall"))
        elif idle is not None and now >= idle:
            self._stop(TimedOut("idle"))
        elif self._order.output_limit is not None and self._is_beyond_limit():
            self._stop(OutputLimit())

    def _look_after_resources(self, now: int) -> None:
        """Stop the run if it uses more than it may, what its ended command has left behind included."""
        if self._guard is None or self._cause is not None or now < self._guard.due_ns:
            return
        if (limit := self._guard.look(now)) is not None:
            self._stop(limited(limit))

    def _look_for_viewers(self, now: int) -> None:
        """Stop the run if nobody has watched it for as long as it was told to bear."""
        if self._audience is None or self._audience.due_ns is None or now < self._audience.due_ns:
            return
        if self._cause is not None or self._family.status is not None:
            self._audience = None
        elif self._audience.has_left(now):
            self._stop(Stopped(UNWATCHED))

    def _is_beyond_limit(self) -> bool:
        return self._mover.is_over_limit and self._order.stops_at_limit and self._cause is None

    # Ending

    def _stop(self, cause: Outcome) -> None:
        """Begin the ladder; the first cause counts, unless the command has ended by itself before."""
        if self._family.status is None and self._cause is None:
            self._cause = cause
        if self._ladder is None:
            self._begin_ladder(Ladder(self._rows, time.monotonic_ns()))

    def _begin_ladder(self, rows: Ladder) -> None:
        self._ladder = rows
        by = self._cause.by if isinstance(self._cause, Stopped) else None
        self._live = msgspec.structs.replace(
            self._live, state=states.after(self._live.state, Event.STOP), stopped_by=by
        )
        self._announce()

    def _climb(self) -> None:
        """Take the next step of ending: a rung that is due, or a look at what the command left behind."""
        now = time.monotonic_ns()
        sweep = self._sweep_ns()
        if sweep is not None and now >= sweep and not self._family.are_guests():
            self._lingering = tree.children(self._family.processes())
            self._begin_ladder(Ladder(ladder.sweep(self._rows), now))
        if self._ladder is None or self._family.is_gone or (number := self._ladder.take(now)) is None:
            return
        reached = self._family.send(number)
        step = LadderStep(signal.Signals(number).name.removeprefix("SIG"), self._clock.wall(now), reached)
        if reached and (number != signal.SIGKILL or not self._live.ladder or self._live.ladder[-1].signal != "KILL"):
            sessions = {*self._live.sessions, *self._family.sessions()}
            self._live = msgspec.structs.replace(
                self._live, ladder=(*self._live.ladder, step), sessions=tuple(sorted(sessions))
            )
            self._announce()

    def _sweep_ns(self) -> int | None:
        """Return when children that the ended command left behind have had their time."""
        if self._family.is_gone or self._family.status is None or self._ladder is not None:
            return None
        return self._family.exited_ns + (self._grace_ns() if self._streams else min(self._grace_ns(), PARTING_NS))

    def _is_over(self) -> bool:
        """Tell whether there is nothing left to wait for."""
        if self._family.status is None:
            return False
        now = time.monotonic_ns()
        if self._family.is_gone:
            return not self._streams or (now >= (self._grace_end_ns() or 0) and self._full_ns is None)
        killed = self._ladder.killed_ns if self._ladder else None
        if killed is not None and now >= killed + GIVE_UP_NS:
            self._lingering = tree.children(self._family.processes())
            return True
        return False

    def _grace_ns(self) -> int:
        return self._order.grace_ns

    def _grace_end_ns(self) -> int | None:
        """Return until when streams that are open after the exit are waited for."""
        if self._family.status is None or not self._streams or self._full_ns is not None:
            return None
        since = self._family.exited_ns
        if self._ladder is not None and not self._family.is_gone:
            return None
        if self._ladder is not None and self._ladder.killed_ns is not None:
            since = max(since, self._ladder.killed_ns)
        return since + self._grace_ns()

    # Requests

    def _handle(self, connection: Connection, request: KeeperRequest) -> Reply | None:
        match request:
            case Stop(by=by, now=now):
                is_again = self._ladder is not None
                self._stop(Stopped(by))
                if self._ladder is not None and (now and is_again):
                    self._ladder.hurry(time.monotonic_ns())
                return Reply()
            case Signal(number=number):
                return errands.signal_command(self._family, number)
            case Input(data=data):
                return self._feeder.offer(connection, data)
            case CloseInput():
                return self._feeder.finish(connection)
            case Resize(rows=rows, columns=columns):
                return self._resize(TerminalSize(rows, columns))

    def _resize(self, size: TerminalSize) -> Reply:
        """Tell the command's terminal its size, and everybody else."""
        reply = errands.resize(self._family, size)
        if not reply.error and size != self._mover.terminal:
            self._mover.terminal = size
            self._live = msgspec.structs.replace(self._live, rows=size.rows, columns=size.columns)
            self._announce()
        return reply

    # The result

    def _outcome(self, status: int) -> Outcome:
        if self._cause is not None:
            return self._cause
        if self._order.output_limit is not None and self._is_beyond_limit():
            return OutputLimit()  # it was quicker than we; the bytes are not there all the same
        if self._guard is not None and (limit := self._guard.behind(status)) is not None:
            return limited(limit)
        return Signaled(os.WTERMSIG(status)) if os.WIFSIGNALED(status) else Exited(os.WEXITSTATUS(status))

    def _result(self) -> Result:
        status, command = self._family.status, self._family.command
        if status is None:
            raise RuntimeError("no exit status")
        if self._order.leave_children:
            self._lingering = tree.children(self._family.everybody())
        self._flush()
        outcome = self._outcome(status)  # before its groups, which know more of it, are gone
        result = self._fill(Result(outcome=outcome, ended=self._clock.wall()))
        if command is not None and command.cgroup is not None:
            command.cgroup.remove()
        states.after(self._live.state, Event.END)
        return result

    def _flush(self) -> None:
        """Store what is held back; where the disk is full, wait for room, and answer whoever asks meanwhile."""
        while self._mover.flush() is Moved.FULL:
            self._hold()
            while (left_ns := (self._full_ns or 0) - time.monotonic_ns()) > 0:
                self._wait(left_ns / 1e6)
        if self._full_ns is not None:
            self._full_ns = None
            self._streams.listen()

    def lost(self, why: str) -> Result:
        """Return the result of a run whose end nobody saw."""
        result = Result(outcome=Lost(why), ended=self._clock.wall())
        return self._fill(result) if self._begun_ns else result

    def _fill(self, result: Result) -> Result:
        command = self._family.command
        return msgspec.structs.replace(
            result,
            started=self._live.started,
            duration_s=(time.monotonic_ns() - self._begun_ns) / 1e9,
            wait_status=self._family.status,
            size=self._mover.size,
            dropped=self._mover.dropped,
            usage=usage.at_end(command.cgroup if command else None),
            ladder=self._live.ladder,
            lingering=self._lingering,
            hint=self._live.hint,
            rows=self._live.rows,
            columns=self._live.columns,
        )

    def end_tree(self) -> None:
        """Kill all of the run, whatever state we are in."""
        self._family.kill()

    def outlive(self) -> None:
        """After the result: drain what children that may live still print, and count it in the file `late`."""
        if not self._streams:
            return
        self._control.close()
        due, noted = 0, 0
        base = self._mover.dropped
        while self._streams:
            for fd, _events in self._poll.poll(1000):
                if fd in self._streams and self._mover.drain(fd) is Moved.END:
                    self._streams.forget(fd)
                elif fd == self._wakeup:
                    os.read(fd, 4096)
            self._family.reap()
            late, now = self._mover.dropped - base, time.monotonic_ns()
            if late != noted and (now >= due or not self._streams):
                self._run.note_late(late)
                due, noted = now + LATE_NS, late
