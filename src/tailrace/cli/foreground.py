"""A run that is shown here and may be ended from here, whether it is on this machine or at a server."""

import signal
from abc import ABC, abstractmethod

from tailrace.cli import talk, viewing
from tailrace.cli.forward import Forwarder
from tailrace.cli.watch import Left, Unwritable, Watch
from tailrace.core.errors import EngineError
from tailrace.core.outcome import INTERRUPTED_HERE, Cancelled
from tailrace.core.run import RunInfo
from tailrace.core.spec import Spec
from tailrace.engine.run import Run


class Foreground(ABC):
    """What is shown, and what becomes of it; the rest is for those who know how to ask for its end.

    Args:
        run: the run.
        is_joined: it was somebody else's before, and is only watched.
    """

    _watch: Watch
    _input: Forwarder | None
    _spec: Spec | None = None

    def __init__(self, run: Run, *, is_joined: bool) -> None:
        self._run = run
        self._is_joined = is_joined
        self._asked = 0
        """the signal that made us ask for the end; 0: none did"""

    def watch(self) -> int:
        """Show the output, and return the exit code.

        Raises:
            BrokenPipeError: nobody reads it any more.
            EngineError: it cannot be shown; it goes on.
        """
        if self._is_joined:
            self._watch.say(f"joined {self._joined()}; ^C only stops watching")
        try:
            info = self._until_end()
        except Left as left:
            self._watch.say(left.why)
            return left.exit_code
        except BrokenPipeError:
            if not self._is_joined:
                self._abandon()
            raise
        except Unwritable as error:
            raise EngineError(
                f"the output cannot be written: {error}",
                op="run",
                subject=self._run.id,
                hint=f"the run goes on; {self._resume()}",
            ) from None
        return self._conclude(info)

    @abstractmethod
    def _joined(self) -> str:
        """Return what was joined, in words."""

    @abstractmethod
    def _abandon(self) -> None:
        """Ask for the end, since nobody reads the output any more."""

    def _until_end(self) -> RunInfo:
        return self._watch.until_end()

    def _conclude(self, info: RunInfo) -> int:
        code = viewing.conclude(info, self._watch, self._spec, interrupted_here=self._asked == signal.SIGINT)
        if self._input is not None and self._input.failure is not None:
            talk.say(f"not all of the input got through: {self._input.failure.message}")
        if isinstance(info.outcome, Cancelled) and self._asked:
            return INTERRUPTED_HERE if self._asked == signal.SIGINT else 128 + self._asked
        return code

    def _resume(self) -> str:
        return viewing.resume(self._run.id, self._watch.offset)
