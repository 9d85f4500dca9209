"""What `run` and `follow` do alike: say how it ended, and exit as it did."""

import os

from tailrace.cli import advice, place, talk, words
from tailrace.cli.watch import Watch
from tailrace.core.errors import EngineError, NotAllowed, StreamBroken
from tailrace.core.outcome import Exited, exit_code
from tailrace.core.run import RunInfo
from tailrace.core.spec import Spec
from tailrace.engine.run import Run


def spec_of(run: Run) -> Spec | None:
    """Return what the run was asked to be; None if that cannot be read any more, or is kept by a server."""
    try:
        return run.engine.spec(run.id)
    except (EngineError, NotAllowed):
        return None


def patience_s() -> float:
    """Return how long a run may wait in the queue before that is worth a word; less where somebody is looking."""
    return 0.2 if os.isatty(talk.STDERR) else 1.0


def resume(run_id: str, offset: int) -> str:
    """Return the words that say how to see the rest."""
    return f"resume: tailrace follow {run_id} --from {offset}{place.again()}"


def conclude(info: RunInfo, watch: Watch, spec: Spec | None, *, interrupted_here: bool = False) -> int:
    """Say how the run ended, if there is anything to say, and return the exit code.

    Raises:
        StreamBroken: bytes are missing that nobody left out on purpose, so this must not look complete.
    """
    if info.outcome is None:
        return 0
    if not isinstance(info.outcome, Exited):
        watch.say(words.ending(info.outcome, spec))
        talk.advise(advice.for_outcome(info.outcome, info.argv))
    for line in _remarks(info, spec):
        watch.say(line)
    if watch.is_broken:
        raise StreamBroken(
            f"some of the output of run {info.id} is missing",
            op="follow",
            subject=info.id,
            hint=f"the run itself {words.ending(info.outcome, spec)}; `tailrace show` tells what was recorded",
        )
    return exit_code(info.outcome, interrupted_here=interrupted_here)


def _remarks(info: RunInfo, spec: Spec | None) -> list[str]:
    lines = []
    if info.lingering:
        left = ", ".join(words.child(process) for process in info.lingering)
        goes_on = spec is not None and spec.leave_children
        lines.append(
            f"left running: {left}" if goes_on else f"its command left this behind, and it was ended too: {left}"
        )
    if info.hint and talk.has_colour(talk.STDERR):
        lines.append(info.hint)
    return lines
