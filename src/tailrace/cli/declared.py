"""`tailrace run --on URL NAME`: a command that a server declares, run there, shown here."""

import signal
import threading
from collections.abc import Sequence
from typing import NamedTuple

from tailrace.cli import talk, viewing
from tailrace.cli.explain import help_of
from tailrace.cli.face import Streams
from tailrace.cli.foreground import Foreground
from tailrace.cli.forward import Forwarder
from tailrace.cli.given import Wanted, given, no_input
from tailrace.cli.news import News
from tailrace.cli.signals import Signals
from tailrace.cli.watch import Left, Watch
from tailrace.core.errors import EngineUnavailable, TailraceError
from tailrace.core.parameters.file import MOST_BYTES
from tailrace.core.run import RunInfo
from tailrace.core.spec import LADDER, Rung
from tailrace.core.states import State
from tailrace.engine.base import Cursor
from tailrace.engine.http import HttpEngine
from tailrace.engine.remote.parameters import typed
from tailrace.engine.run import Run

LEAVING = (signal.SIGHUP, signal.SIGQUIT)
LOOK_S = 0.3
"""between two looks at a run that is being stopped"""
LONGEST_PAUSE_S = 5.0
"""between two attempts to ask a server that is away"""


class Asked(NamedTuple):
    """What is to be started."""

    name: str
    values: dict[str, object]
    files: dict[str, str]


def asked(server: HttpEngine, name: str, words: Sequence[str], *, has_input: bool) -> Asked:
    """Return what is to be started, with the values in the types that the server wants.

    Args:
        server: where it is declared.
        name: its name there.
        words: `NAME=VALUE` each, as they were typed.
        has_input: whether standard input is to be passed on to it.

    Raises:
        UnknownCommand, InvalidInput: there is no such command, or it takes no input; or a secret or a file is not
            there, or not said as it must be.
        TailraceError: the server cannot be asked.
    """
    command = server.command(name)
    if has_input and not command.takes_input:
        raise no_input(name)
    properties = command.parameters.properties.items()
    wanted = Wanted(
        {each: each in command.parameters.required for each, known in properties if known.format == "password"},
        {each: known.max_length or MOST_BYTES for each, known in properties if known.format == "binary"},
    )
    found = given(words, wanted, has_input=has_input)
    return Asked(name, typed(found.texts, command.parameters), found.files)


def start(server: HttpEngine, what: Asked) -> tuple[Run, bool]:
    """Start a declared command; return its run, and whether that was going already, under the same key.

    Raises:
        TailraceError: as `HttpEngine.start_command`.
    """
    return server.start_or_join(what.name, what.values, files=what.files)


def explain(server: HttpEngine, name: str, url: str) -> str:
    """Return what there is to know before a declared command is run.

    Raises:
        UnknownCommand: there is none of this name.
    """
    told = server.described(name)
    about = ": ".join(str(told[key]) for key in ("title", "description") if told.get(key))
    schema = told.get("parameters")
    return help_of(name, about, schema if isinstance(schema, dict) else {}, f"tailrace run --on {url}")


def watch(run: Run, signals: Signals, *, is_joined: bool, has_input: bool) -> int:
    """Show the run's output, and return the exit code; what `tailrace run` does, from another machine.

    Args:
        run: one that was started here, or joined.
        signals: what the user may press: ^C asks for its end; for that of a joined one nobody here may.
        is_joined: it was somebody else's before.
        has_input: pass standard input on to it.

    Raises:
        EngineError: it cannot be watched; it goes on.
    """
    try:
        cursor = run.engine.cursor(run.id)
    except EngineUnavailable as error:
        raise EngineUnavailable(
            f"{error.message}; run {run.id} was started",
            op="follow",
            subject=run.id,
            hint=viewing.resume(run.id, 0),
        ) from None
    here = _Foreground(run, cursor, signals, is_joined=is_joined, has_input=has_input and not is_joined)
    return here.watch()


class Asking:
    """Asks for a run's end, in a thread: again and again while the server is away. Then it looks how that goes."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._changed = threading.Condition()
        self._wanted = self._done = 0
        self.info: RunInfo | None = None
        """the run, when it was last looked at; None before that"""
        self.failure: TailraceError | None = None
        """why it cannot be asked"""

    @property
    def is_pending(self) -> bool:
        """Whether something has not been asked yet."""
        return self._done < self._wanted

    def ask(self) -> None:
        """Have it ask for the end; once more: for haste."""
        with self._changed:
            self._wanted += 1
            self._changed.notify_all()
        if self._wanted == 1:
            threading.Thread(target=self._serve, name="tailrace stop", daemon=True).start()

    def _serve(self) -> None:
        pause_s = LOOK_S
        while self.info is None or not self.info.is_finished:
            try:
                self._step()
            except EngineUnavailable:
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                self._rest(pause_s)
            except TailraceError as error:
                self.failure = error
                return
            else:
                pause_s = LOOK_S
                self._rest(pause_s, until_asked=True)

    def _rest(self, pause_s: float, *, until_asked: bool = False) -> None:
        with self._changed:
            self._changed.wait_for(lambda: until_asked and self.is_pending, pause_s)

    def _step(self) -> None:
        if self.is_pending:
            self._run.stop(now=self._done > 0)
            self._done += 1
        self.info = self._run.info()


class _Foreground(Foreground):
    """A run that was started here, and whose end may be asked for from here."""

    def __init__(self, run: Run, cursor: Cursor, signals: Signals, *, is_joined: bool, has_input: bool) -> None:
        super().__init__(run, is_joined=is_joined)
        self._cursor = cursor
        self._watch = Watch(run, cursor, Streams(), signals=signals, attendant=self)
        ladder = tuple(Rung(*row) for row in LADDER)
        self._news = News(self._watch.say, ladder, patience_s=viewing.patience_s())
        self._news.tells_pauses = False  # the server's commands may have other ladders
        self._input = Forwarder(run, at_terminal=False) if has_input else None
        self._asking = Asking(run)
        self._is_failure_told = False

    def on_signal(self, number: int) -> None:
        """Ask for the end, or leave."""
        if number in (signal.SIGINT, signal.SIGQUIT):
            self._watch.note_echo()
        if self._is_joined or number in LEAVING:
            raise Left(128 + number, f"the run goes on; {self._resume()}")
        if self._cursor.info().is_finished:
            raise Left(128 + number, f"the run has ended; {self._resume()}")
        if self._asking.failure is not None or self._asking.is_pending:
            raise Left(128 + number, f"the run could not be stopped, and may go on; {self._resume()}")
        if not self._asked:
            again = "; ^C again hurries" if number == signal.SIGINT else ""
            self._watch.say(f"stopping{again}")
        self._asking.ask()
        self._asked = self._asked or number
        self._news.tells_rungs = True

    def on_news(self, info: RunInfo) -> None:
        """Let the input through when the command is there, and say what is new."""
        if self._input is not None and info.state not in (State.QUEUED, State.STARTING):
            self._input.begin()
        failure = self._asking.failure
        if failure is not None and not self._is_failure_told and not info.is_finished:
            self._is_failure_told = True
            self._watch.say(f"it cannot be stopped: {failure.message}")
        self._news.tell(info if info.is_finished else self._asking.info or info)

    def _joined(self) -> str:
        return f"{self._run.id}, already running under key {self._cursor.info().key}"

    def _abandon(self) -> None:
        try:
            self._run.stop()
        except TailraceError as error:
            talk.say(f"the run goes on: {error.message}; {self._resume()}")
