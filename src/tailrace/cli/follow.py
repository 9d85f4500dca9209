"""`tailrace follow`: the output of a run, from any place, in any form; exits as the run does."""

import signal
from typing import TypedDict, Unpack

import click

from tailrace.cli import boundary, viewing
from tailrace.cli.face import Face, Streams, Wire
from tailrace.cli.naming import locate
from tailrace.cli.news import News
from tailrace.cli.place import anywhere_option
from tailrace.cli.signals import Signals
from tailrace.cli.values import offset
from tailrace.cli.watch import Left, Unwritable, Watch
from tailrace.core.errors import EngineError, InvalidInput
from tailrace.core.run import RunInfo
from tailrace.core.spec import Spec
from tailrace.core.timeline import Stream
from tailrace.core.wires import WIRES, framer
from tailrace.engine.run import Run

ANSI = ("keep", "strip")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Options(TypedDict):
    """What the command line can say about a viewing."""

    offset: int | None
    tail: int | None
    stream: str | None
    follow: bool
    format: str
    ansi: str
    raw: bool


@click.command("follow", short_help="Show the output of a run, live or late.")
@click.argument("run", metavar="ID")
@click.option("--from", "offset", type=offset, metavar="OFFSET", help="Begin at this byte.  [default: 0]")
@click.option("-n", "--tail", type=click.IntRange(min=0), metavar="N", help="Begin with the last N lines.")
@click.option("--stream", type=click.Choice(["stdout", "stderr"]), help="Show only this one.")
@click.option(
    "--no-follow", "follow", is_flag=True, default=True, flag_value=False, help="Show what there is, and return."
)
@click.option(
    "--format",
    type=click.Choice(list(WIRES)),
    default="text",
    show_default=True,
    help="The exact bytes, or one of the forms in which they go over HTTP.",
)
@click.option(
    "--ansi",
    type=click.Choice(ANSI),
    default="keep",
    show_default=True,
    help="What becomes of colours and other escape sequences.",
)
@click.option("--raw", is_flag=True, help="Let everything through to a terminal, also what may act on it.")
@anywhere_option
def follow_command(run: str, **options: Unpack[Options]) -> int:
    """Show the output of a run: what there is, then what comes; exit as the run does.

    ID is a run's id, the beginning of one, `last`, or the run's address on a server. ^C only ends the watching, and
    says where to resume. A lost connection is made again, from where it was, for as long as it takes.

    \b
    tailrace follow last
    tailrace follow 1k0w1tktqkh --tail 20
    tailrace follow last --format ndjson --no-follow
    tailrace follow https://example.org/ops/runs/1k0w1tktqkhq8zgd0y7tb3r5mce
    """
    boundary.fail_as_watcher()
    if options["tail"] is not None and options["offset"] is not None:
        raise InvalidInput(
            "--from and --tail exclude each other",
            op="follow",
            subject="tail",
            hint="begin at a byte, or some lines before the end",
        )
    with Signals(_SIGNALS) as signals:
        return _follow(locate(run), options, signals)


def _follow(run: Run, options: Options, signals: Signals) -> int:
    stream = Stream[options["stream"].upper()] if options["stream"] else None
    cursor = run.engine.cursor(run.id, options["offset"] or 0, tail=options["tail"], stream=stream)
    viewer = _Viewer(viewing.spec_of(run))
    face = _face(run, options, cursor.offset)
    watch = viewer.watch = Watch(run, cursor, face, signals=signals, attendant=viewer)
    try:
        info = watch.until_end(follow=options["follow"])
    except Left as left:
        watch.say(f"the run goes on; {viewing.resume(run.id, watch.offset)}")
        return left.exit_code
    except Unwritable as error:
        raise EngineError(
            f"the output cannot be written: {error}",
            op="follow",
            subject=run.id,
            hint=viewing.resume(run.id, watch.offset),
        ) from None
    return viewing.conclude(info, watch, viewer.spec)


class _Viewer:
    """Somebody who only watches: every signal ends that, and nothing else."""

    watch: Watch

    def __init__(self, spec: Spec | None) -> None:
        self.spec = spec
        self._news = News(self._say, spec.ladder if spec else (), patience_s=viewing.patience_s())

    def on_signal(self, number: int) -> None:
        """Leave."""
        self.watch.note_echo()
        raise Left(128 + number)

    def on_news(self, info: RunInfo) -> None:
        """Say what holds it up."""
        self._news.tell(info)

    def _say(self, message: str) -> None:
        self.watch.say(message)


def _face(run: Run, options: Options, begin: int) -> Face:
    is_plain = options["ansi"] == "strip"
    if options["format"] == "text":
        return Streams(raw=options["raw"], is_plain=is_plain)
    return Wire(framer(options["format"], run.id, begin, is_plain=is_plain))
