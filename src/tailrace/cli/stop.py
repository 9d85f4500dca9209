"""`tailrace stop`: end runs, whole trees, and see it happen."""

import select
import signal

import click

from tailrace.cli import login, talk, viewing, words
from tailrace.cli.naming import SHORT, locate_all
from tailrace.cli.news import News
from tailrace.cli.place import anywhere_option, server_url
from tailrace.cli.signals import Signals
from tailrace.core.spec import LADDER, Rung
from tailrace.engine.run import Run

LOOK_S = 0.05
"""between two looks at runs that are being stopped"""
LOOK_THERE_S = 0.25
"""if they are on a server"""


@click.command("stop", short_help="End runs, with everything they started.")
@click.argument("runs", nargs=-1, required=True, metavar="ID...")
@click.option("--now", is_flag=True, help="Do not wait between the signals.")
@click.option("--no-wait", "wait", is_flag=True, default=True, flag_value=False, help="Return as soon as it has begun.")
@click.option("--by", default=login.name, metavar="TEXT", help="Who asks.  [default: your login name]")
@anywhere_option
def stop_command(runs: tuple[str, ...], *, now: bool, wait: bool, by: str) -> int:
    """End runs, with everything they started: INT, then TERM, then KILL, with time in between.

    ID is a run's id, the beginning of one, `last`, or the run's address on a server. A queued run is cancelled. Returns
    when all have ended; ^C only ends the waiting. On a server, who asks is for it to know.

    \b
    tailrace stop last
    tailrace stop --now 1k0w1tktqkh
    """
    stopping = [_Stopping(run, many=len(runs) > 1) for run in locate_all(list(dict.fromkeys(runs)))]
    with Signals([signal.SIGINT, signal.SIGTERM]) as signals:
        for one in stopping:
            one.begin(by, now=now)
        while wait and (stopping := [one for one in stopping if not one.has_ended()]):
            select.select([signals.fd], [], [], LOOK_THERE_S if server_url() else LOOK_S)
            if came := signals.take():
                talk.say("no longer waiting; the stopping goes on")
                return 128 + came[0]
    return 0


class _Stopping:
    """One run on its way to its end."""

    def __init__(self, run: Run, *, many: bool) -> None:
        self._run = run
        self._prefix = f"{run.id[:SHORT]}: " if many else ""
        self._spec = viewing.spec_of(run)
        self._rows = self._spec.ladder if self._spec else tuple(Rung(*row) for row in LADDER)
        self._news = News(self._say, self._rows, patience_s=0)
        self._news.tells_rungs = True
        self._was_over = False

    def begin(self, by: str, *, now: bool) -> None:
        """Ask for the end; with `now`, for each further rung at once."""
        if self._run.info().is_finished:
            self._was_over = True
            return
        self._news.tells_pauses = not now
        for _row in self._rows if now else self._rows[:1]:
            self._run.stop(by=by, now=now)

    def has_ended(self) -> bool:
        """Tell whether it has, and say what happened since the last look."""
        info = self._run.info()
        if not self._was_over:
            self._news.tell(info)
        if info.outcome is None:
            return False
        ending = words.ending(info.outcome, self._spec)
        if self._was_over:
            talk.say(f"{info.id[:SHORT]} was over already: {ending}")
        else:
            self._say(ending)
        return True

    def _say(self, text: str) -> None:
        talk.say(self._prefix + text)
