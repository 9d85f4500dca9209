"""The `Engine` protocol, and what its calls take and give.

An engine holds runs: it starts them, tells of them, lets their output be followed, passes requests to them, and forgets
them. Everything else (waiting, framing, serving) is built on these calls and is the same for every engine. The contract
that each must keep is a test suite: `tailrace.testing`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias, TypedDict, Unpack

import msgspec

from tailrace.core.activity import BUCKETS, Activity
from tailrace.core.limits import Quota
from tailrace.core.piece import Chunk, Counted, Gap, Reach, Spot
from tailrace.core.run import RunInfo
from tailrace.core.spec import Spec
from tailrace.core.timeline import Stream
from tailrace.host.messages import KeeperRequest

if TYPE_CHECKING:
    from tailrace.engine.run import Run


class StartOptions(TypedDict, total=False):
    """What can be said about a run besides its argv; all optional. Times in seconds, sizes in bytes."""

    command: str | None
    """the declared command that this is a run of"""
    cwd: str | None
    """the directory to run in; the caller's by default"""
    env: Mapping[str, str | None] | None
    """variables to add to the caller's environment; None as a value takes one away"""
    inherit_env: bool
    """False: begin with an empty environment instead of the caller's"""
    pty: bool
    """run it at a pseudo-terminal"""
    merge: bool
    """stdout and stderr on one pipe, exactly interleaved"""
    rows: int
    """the terminal's height"""
    columns: int
    """the terminal's width"""
    stdin: bool
    """give it a standard input that `Run.send` writes to; otherwise it reads /dev/null"""
    unbuffer: bool
    """run it under stdbuf(1), line-buffered"""
    timeout: float | None
    """stop it after so long"""
    idle_timeout: float | None
    """stop it after so long without output"""
    unwatched_timeout: float | None
    """stop it after so long without a viewer; whoever follows it or waits for it, wherever, is one"""
    max_output: int | None
    """of its output, keep at most so many bytes"""
    on_max_output: Literal["stop", "truncate"]
    """then stop it, or let it go on and only count"""
    grace: float
    """for children that hold its streams after it has ended"""
    ladder: Sequence[tuple[str, float]]
    """the stop ladder: (signal, seconds until the next row)"""
    leave_children: bool
    """stop only the command itself, and leave what it started alone"""
    no_new_privileges: bool
    """setuid programs, such as sudo, gain nothing"""
    rlimits: Mapping[str, int] | None
    """resource limits, by their names without RLIMIT_"""
    key: str | None
    """at most one run of a key goes at a time"""
    when_busy: Literal["join", "queue", "reject"]
    """what to do when one of the same key is going"""
    labels: Mapping[str, str] | None
    """names and values to find it by"""
    by: str | None
    """who asked"""
    origin: str | None
    """the route and user that a resumed stream must come from"""
    pin: bool
    """never prune it"""
    user: str | int | None
    """the name or number of the user that it runs as, with that one's groups; only root may say so"""
    files: Mapping[str, str] | None
    """texts in the argv that stand for the paths of files, and where these are: the run gets private copies, which go
    when it has ended"""
    secrets: Mapping[str, str | bytes] | None
    """variables of its environment whose values are masked in its output, and never shown"""
    secret_files: Mapping[str, str | bytes] | None
    """secrets that it finds in files of mode 0600, by name; `tailrace.secret_file(NAME)`, in an argument or a value of
    `env`, stands for the path. They are removed when it ends"""
    secret_input: Sequence[str | bytes] | None
    """secrets that its standard input begins with, a line each"""
    max_cpu: float | None
    """stop it when all its processes together have used so much processor time"""
    max_memory: int | None
    """stop it when all its processes together take more memory"""
    max_processes: int | None
    """stop it when it has more processes"""
    max_open_files: int | None
    """each of its processes can open at most so many files"""
    parameters: Mapping[str, object] | None
    """what the declared command was given, in plain values, for people to see and to start it so again; no secrets"""
    quotas: Sequence[Quota]
    """how many runs there may be beside it: of its command, its user, of all"""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs to list, newest first. None: any."""

    state: str | tuple[str, ...] | None = None
    """a state, or the kind of an outcome; of several, any"""
    command: str | None = None
    by: str | None = None
    """who asked for it"""
    labels: dict[str, str] = {}
    q: str | None = None
    """what stands, in upper or lower case, in its id, command, arguments (with a blank between two), labels or `by`"""
    since: datetime | None = None
    """created then or later"""
    until: datetime | None = None
    """created before then"""
    limit: int = 50
    cursor: str | None = None
    """`Page.next` of the page before"""
    total: bool = False
    """also tell how many there are, on the first page"""

    @property
    def states(self) -> tuple[str, ...]:
        """All states and kinds of outcomes, one of which is wanted; empty: any."""
        return self.state if isinstance(self.state, tuple) else () if self.state is None else (self.state,)


class Page(msgspec.Struct, frozen=True):
    """One page of runs, newest first; `next` is the cursor of the following page, or None.

    A page may be shorter than its limit, even empty, and have a next one all the same: one call looks at so many runs
    at most. `total` is about how many the query finds in all; None: not asked for, not the first page, or not known.
    """

    runs: tuple[RunInfo, ...]
    next: str | None
    total: int | None = None


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Which finished runs may stay; what exceeds any of these goes, oldest first. Live and pinned runs always stay."""

    age_s: float | None = None
    count: int | None = None
    size_bytes: int | None = None


class Pruned(msgspec.Struct, frozen=True):
    """What a prune removed."""

    runs: int
    size_bytes: int


class Pin(msgspec.Struct, frozen=True):
    """Protect the run from retention, or no longer."""

    on: bool


Request: TypeAlias = KeeperRequest | Pin


class End(msgspec.Struct, frozen=True):
    """The run is finished and everything was given."""

    run: RunInfo


class Passage(NamedTuple):
    """The bytes of [begin, end) of an open file."""

    fd: int
    begin: int
    end: int


Ring: TypeAlias = Callable[[], float | None]


class Lines(Protocol):
    """Where the lines of an output begin. They end at LF, and only there, and are counted from 1.

    What was counted once is remembered beside the output; else `begin`, `at`, `at_time` and an unbounded `count` read
    all that lies before. `count` with a limit, `back` and `offset_at` are for who cannot wait for that.
    """

    def size(self) -> int:
        """Return how many bytes there are now."""

    def begin(self, line: int) -> int:
        """Return the offset at which the line begins; the one behind the last begins at the end.

        Raises:
            InvalidInput: there is no such number.
            OffsetBeyondEnd: there are not so many lines.
        """

    def at(self, offset: int) -> Spot:
        """Return the line that has the byte at this offset; at the end, the one that the next byte will belong to.

        Raises:
            InvalidInput: the offset is below 0.
            OffsetBeyondEnd: the output has not so many bytes.
        """

    def at_time(self, time_s: float) -> Spot:
        """Return the line that the output had come to so many seconds after the command's start."""

    def count(self, limit_bytes: int | None = None) -> Counted:
        """Return how many lines there are; bytes behind the last LF are one.

        Args:
            limit_bytes: read at most about so many bytes that nobody has counted before; the answer may then end before
                the output does, and the next call goes on from there. 0: only tell what is known.
        """

    def back(self, offset: int, lines: int, limit_bytes: int) -> Reach:
        """Return where the last lines before an offset begin: the last of them has the byte before it. Counts nothing.

        Args:
            offset: at most one behind the end.
            lines: so many are wanted, at least 1; fewer if there are not so many.
            limit_bytes: read at most so many bytes backwards; those lines are left out whose beginning is not there.
        """

    def offset_at(self, time_s: float) -> int:
        """Return the offset that the output had come to so many seconds after the command's start. Counts nothing."""


class Cursor(Protocol):
    """A place in a run's output, from which one viewer reads on. Not for several threads at once."""

    @property
    def offset(self) -> int:
        """Where the next look begins."""

    def look(self, until: int | None = None) -> list[Chunk] | Gap | End | None:
        """Return what is next, at once: chunks (256 KiB at most), a gap, the end, or None: nothing yet.

        The list may be empty where all that was passed over is another stream's: look again.

        Args:
            until: give nothing from this offset on, for now.

        Raises:
            EngineError: the output cannot be read.
        """

    def more(self) -> list[Chunk] | None:
        """Return output like `look`; empty: there is none yet; None: something else comes next, which `look` tells.

        For a thread that reads for many: it settles no dead run, and waits for nobody.

        Raises:
            EngineError: the output cannot be read.
        """

    def passage(self) -> Passage | None:
        """Return what lies ahead, as part of a file, where it may go to a viewer as it is; None: only `look` gives it.

        What was passed on is to be told by `skip`.
        """

    def skip(self, count: int) -> None:
        """Go on so many bytes later; they were passed on."""

    def info(self) -> RunInfo:
        """Return the run as it is now, in the same way."""

    def activity(self, buckets: int = BUCKETS, begin_s: float = 0.0, until_s: float | None = None) -> Activity:
        """Return how much of the output came when: so many equal stretches of time.

        Args:
            buckets: how many.
            begin_s: where the first begins, in seconds since the command's start.
            until_s: where the last ends; None: where the run did, or now.

        Raises:
            InvalidInput: time cannot be divided so.
        """

    def lines(self) -> Lines:
        """Return where the lines of this output begin, whatever this cursor's own place; good until it is closed."""

    def count_behind(self) -> None:
        """Have the lines counted by somebody else, as far as that is worth it, and return at once.

        While the run is live it is to be asked for again and again, as long as somebody watches.
        """

    def at(self, offset: int) -> "Cursor":
        """Return another cursor on this output, from the offset on; also if the run has been removed meanwhile.

        Raises:
            EngineError: this process has too many files open.
        """

    def on_change(self, ring: Ring) -> None:
        """Have `ring` called, from any thread, once now and whenever `look` may have more.

        What it returns, if anything, is in how many seconds it wants to be called again, whatever happens. It must
        neither block nor close the cursor.

        Raises:
            StreamBroken: the run has been removed.
        """

    def close(self) -> None:
        """Let go of everything; safe to repeat."""


class Engine(Protocol):
    """Where runs live. Every call may be made from any thread, and returns without waiting for any command."""

    def start(self, argv: Sequence[str], **options: Unpack[StartOptions]) -> "Run":
        """Start a run (or join one, with `key`) and return it.

        Raises:
            InvalidInput: the argv or an option is not usable; nothing was started.
            KeyBusy: a run of the same key is going, and `when_busy` is `reject`.
            NoSpace: the disk is too full to take a run.
            EngineUnavailable: no runner could be had.
        """

    def get(self, run_id: str, *, usage: bool = False) -> RunInfo:
        """Return a run as it is now.

        Args:
            run_id: the run.
            usage: also tell what a run that is going uses, where that can be known; it costs a look at each of its
                processes.

        Raises:
            UnknownRun: there is none.
        """

    def spec(self, run_id: str) -> Spec:
        """Return what a run was asked to be.

        Raises:
            UnknownRun: there is none.
            EngineError: its spec cannot be read.
        """

    def list(self, query: Query) -> Page:
        """Return runs, newest first.

        Raises:
            InvalidInput: a cursor, state or limit that makes no sense.
        """

    def cursor(  # noqa: PLR0913  each is an option, given by its name
        self,
        run_id: str,
        offset: int = 0,
        *,
        tail: int | None = None,
        line: int | None = None,
        stream: Stream | None = None,
        labelled: bool = True,
        counted: bool = True,
    ) -> Cursor:
        """Return a place to read from.

        Args:
            run_id: the run.
            offset: in bytes from the start; with `tail` or `line` it is not used.
            tail: begin with the last so many lines of what there is now.
            line: begin with this line; the first one is line 1. With `tail` it is not used.
            stream: only this stream's bytes.
            labelled: False: who wrote what, and when, is not asked for; chunks may be `mixed`, and have no time.
            counted: False: whoever holds it is no viewer, and does not keep a run going that is to end without any.

        Raises:
            UnknownRun: there is no such run.
            InvalidInput: a number below the least.
            OffsetBeyondEnd: the offset, or the line, is past what there is.
        """

    def control(self, run_id: str, request: Request) -> None:
        """Pass a request to a run: stop, signal, input, resize, close-input, pin; input waits until it is taken.

        Raises:
            UnknownRun: there is none.
            WrongState: it cannot be done now (the run is finished, has no input, no terminal).
            EngineUnavailable: its keeper does not answer.
        """

    def prune(self, retention: Retention) -> Pruned:
        """Remove finished runs that exceed the retention, oldest first."""

    def close(self) -> None:
        """Let go of descriptors; runs go on."""
