"""`tailrace runner`: the process that launches runs and holds the queue; seen, started, sent away, told what to do."""

import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TypedDict, Unpack

import click
import msgspec

from tailrace.cli import place, talk, words
from tailrace.cli.list import print_json
from tailrace.cli.place import place_option
from tailrace.cli.signals import Signals
from tailrace.cli.values import seconds, size_bytes
from tailrace.core.errors import EngineUnavailable, InvalidInput
from tailrace.host import runner_link, settings
from tailrace.host.messages import Configure, Drain, Reply, Status
from tailrace.host.settings import Settings
from tailrace.host.statedir import StateDir, default_path

STDOUT = 1
LOOK_S = 1.0
"""between two looks whether the runner is still there"""
DRAINED_S = 30.0
"""for a runner that was told to go"""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints. `pid` is null when no runner is there."""

    pid: int | None
    version: str | None
    running: int
    queued: tuple[str, ...]
    state_dir: str
    settings: dict[str, object]


FIELDS = {
    "max-running": "max_running",
    "max-queued": "max_queued",
    "max-starts-per-minute": "max_starts_per_minute",
    "keep-age": "keep_age_s",
    "keep-count": "keep_count",
    "keep-bytes": "keep_bytes",
    "free-floor": "free_floor",
    "idle": "idle_s",
    "stay": "stay",
}
"""the settings, by the options that change them"""


class Changes(TypedDict):
    """What `runner set` can change; None: as it is."""

    max_running: int | None
    max_queued: int | None
    max_starts_per_minute: int | None
    keep_age: float | None
    keep_count: int | None
    keep_bytes: int | None
    free_floor: int | None
    idle: float | None
    stay: bool | None
    unset: tuple[str, ...]


@click.group("runner", invoke_without_command=True, short_help="Look after the process that launches runs.")
@click.option("--foreground", is_flag=True, help="Be the runner, here, until SIGTERM; for a service manager.")
@place_option
@click.pass_context
def runner_command(context: click.Context, *, foreground: bool) -> int:
    """Show the runner: the process, one for each state directory, that launches runs and holds the queue.

    It is started by whoever starts a run, and goes when there has been nothing to do for a while. Runs never depend on
    it: when it ends, those that go go on, and those in the queue wait for the next one.

    \b
    tailrace runner
    tailrace runner set --max-running 4 --keep-age 30d
    tailrace runner --foreground       in a systemd unit, with KillMode=process
    """
    if context.invoked_subcommand is not None:
        return 0
    if foreground:
        return _serve()
    return _show(as_json=False)


@runner_command.command("status", short_help="Show whether it is there, and what it does.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@place_option
def status(*, as_json: bool) -> int:
    """Show whether a runner is there, what it does, and its settings.

    \b
    tailrace runner status --json
    """
    return _show(as_json=as_json)


@runner_command.command("start", short_help="Start it, if it is not there.")
@place_option
def start() -> int:
    """Start the runner, if it is not there.

    \b
    tailrace runner start
    """
    state = _state()
    talk.say(f"the runner is there: process {runner_link.ask(state, Status()).pid}")
    return 0


@runner_command.command("stop", short_help="Send it away; runs go on.")
@place_option
def stop() -> int:
    """Send the runner away. Runs that go go on; those in the queue wait until the next one is started, by the next run.

    \b
    tailrace runner stop
    """
    state = _state()
    about = _ask(state)
    if about is None:
        talk.say("no runner is there")
        return 0
    _send_away(state)
    waiting = f"; {len(about.queued)} in the queue wait for the next runner" if about.queued else ""
    talk.say(
        f"the runner has gone; {about.running} running go on{waiting}"
        if about.running
        else f"the runner has gone{waiting}"
    )
    return 0


@runner_command.command("set", short_help="Change what it keeps to.")
@click.option(
    "--max-running", type=click.IntRange(min=1), metavar="N", help="Runs at the same time; more wait in the queue."
)
@click.option(
    "--max-queued", type=click.IntRange(min=0), metavar="N", help="Runs that wait because of that; more are refused."
)
@click.option(
    "--max-starts-per-minute",
    type=click.IntRange(min=0),
    metavar="N",
    help="Runs that are started in a minute; more are refused.",
)
@click.option("--keep-age", type=seconds, metavar="TIME", help="Remove finished runs after so long: 30d.")
@click.option("--keep-count", type=click.IntRange(min=0), metavar="N", help="Keep at most so many finished runs.")
@click.option(
    "--keep-bytes", type=size_bytes, metavar="SIZE", help="Keep at most so much output of finished runs: 10G."
)
@click.option("--free-floor", type=size_bytes, metavar="SIZE", help="Take no new run while less of the disk is free.")
@click.option("--idle", type=seconds, metavar="TIME", help="Go after so long without anything to do.")
@click.option("--stay/--no-stay", default=None, help="Never go; or go when idle.")
@click.option(
    "--unset",
    type=click.Choice(list(FIELDS)),
    multiple=True,
    help="Have the default again.",
)
@place_option
def change(**changes: Unpack[Changes]) -> int:
    """Change the settings of this state directory's runner, for now and later; what is not named stays as it is.

    \b
    tailrace runner set --max-running 4
    tailrace runner set --keep-age 30d --keep-bytes 50G
    tailrace runner set --unset keep-age
    """
    state = _state()
    before = settings.load(state)
    after = _changed(before, changes)
    if after == before and not any(value for value in changes.values() if value is not None):
        raise InvalidInput(
            "nothing was said to change",
            op="set",
            subject="settings",
            hint="`tailrace runner set --help` shows what can be",
        )
    settings.save(state, after)
    with suppress(OSError):  # none is there; the next one reads them when it starts
        runner_link.ask_once(state, Configure())
    _write(_settings_rows(after))
    return 0


def _changed(before: Settings, changes: Changes) -> Settings:
    fields = {
        "max_running": changes["max_running"],
        "max_queued": changes["max_queued"],
        "max_starts_per_minute": changes["max_starts_per_minute"],
        "keep_age_s": changes["keep_age"],
        "keep_count": changes["keep_count"],
        "keep_bytes": changes["keep_bytes"],
        "free_floor": changes["free_floor"],
        "idle_s": changes["idle"],
        "stay": changes["stay"],
    }
    after = msgspec.structs.replace(before, **{name: value for name, value in fields.items() if value is not None})
    default = Settings()
    return msgspec.structs.replace(after, **{FIELDS[name]: getattr(default, FIELDS[name]) for name in changes["unset"]})


def _show(*, as_json: bool) -> int:
    place.must_be_there()
    state = _state()
    reply, now = _ask(state), settings.load(state)
    about = About(
        pid=reply.pid if reply else None,
        version=".".join(map(str, reply.version)) if reply else None,
        running=reply.running if reply else len(state.active()),
        queued=reply.queued if reply else (),
        state_dir=state.path,
        settings=msgspec.structs.asdict(now),
    )
    if as_json:
        print_json(about)
        return 0
    here = f"process {about.pid}, version {about.version}" if reply else "not there; the next run starts one"
    queued = f"{len(about.queued)} in the queue"
    running = f"{about.running} of at most {now.max_running}, {queued}" if reply else f"{about.running} not finished"
    _write([("runner", here), ("runs", running), ("directory", about.state_dir), *_settings_rows(now)])
    return 0


def _settings_rows(now: Settings) -> list[tuple[str, str]]:
    keeps = [f"those of the last {words.duration(now.keep_age_s)}"] if now.keep_age_s is not None else []
    keeps += [f"the newest {now.keep_count}"] if now.keep_count is not None else []
    keeps += [f"{words.size(now.keep_bytes)} of output"] if now.keep_bytes is not None else []
    floor = (
        f"{words.size(now.free_floor)} of free disk"
        if now.free_floor is not None
        else "64 MiB of free disk (2 % of a small one)"
    )
    return [
        ("limit", _limit(now)),
        (
            "keeps",
            (", ".join(keeps) or "every finished run, until `tailrace prune`"),
        ),
        ("needs", f"{floor} for a new run"),
        ("goes", "never by itself" if now.stay else f"when it has been idle for {words.duration(now.idle_s)}"),
    ]


def _limit(now: Settings) -> str:
    parts = [f"{now.max_running} run{'' if now.max_running == 1 else 's'} at the same time"]
    parts += [f"{now.max_queued} more wait"] if now.max_queued is not None else []
    parts += [f"{now.max_starts_per_minute} starts a minute"] if now.max_starts_per_minute is not None else []
    return ", ".join(parts)


def _write(rows: list[tuple[str, str]]) -> None:
    for name, text in rows:
        sys.stdout.write(f"{talk.painted(f'{name:<10}', talk.DIM, STDOUT)} {text}\n")


def _state() -> StateDir:
    return StateDir(place.state_path() or default_path())


def _ask(state: StateDir) -> Reply | None:
    """Return what the runner says of itself; None if none is there."""
    try:
        return runner_link.ask_once(state, Status())
    except OSError:
        return None


def _send_away(state: StateDir) -> None:
    """Tell the runner to go, and wait until it has.

    Raises:
        EngineUnavailable: it does not go.
    """
    deadline = time.monotonic() + DRAINED_S
    with suppress(OSError):  # it is going already
        runner_link.ask_once(state, Drain())
    while state.has_runner():
        if time.monotonic() > deadline:
            raise EngineUnavailable(
                "the runner was told to go, and is still there",
                op="stop",
                subject=state.path,
                hint=f"its process stands in {state.path}/runner.lock; its runs do not need it",
            )
        select.select([], [], [], 0.01)


def _serve() -> int:
    """Have a runner in the foreground, in place of one that may be there, until a signal says to end it.

    The runner is a process of its own: keepers are forked from it, and each would carry all that this one has loaded.

    Raises:
        EngineUnavailable: the one that is there does not go.
    """
    state = _state()
    with Signals([signal.SIGINT, signal.SIGTERM]) as signals:
        if state.has_runner():
            talk.say("taking over from the runner that is there")
            _send_away(state)
        argv = runner_link.foreground(state)
        serving = subprocess.Popen(argv, env=runner_link.ENVIRONMENT, stdin=subprocess.DEVNULL)
        talk.say(f"serving {state.path}; ^C or SIGTERM ends that, and runs go on")
        is_told_to_go = False
        while serving.poll() is None:
            select.select([signals.fd], [], [], LOOK_S)
            is_told_to_go = is_told_to_go or bool(signals.take())
            if is_told_to_go:
                _send_away(state)
    if is_told_to_go:
        talk.say("the runner has gone; what runs goes on")
    return 0 if is_told_to_go else serving.returncode
