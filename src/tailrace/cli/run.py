"""`tailrace run`: a command, its output here, its exit code ours."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Literal, TypedDict, Unpack

import click
from click.core import ParameterSource

from tailrace.cli import boundary, login, table, talk, terminal, viewing, words
from tailrace.cli.explain import HELP
from tailrace.cli.extras import need_server
from tailrace.cli.face import Streams
from tailrace.cli.foreground import Foreground
from tailrace.cli.forward import Forwarder
from tailrace.cli.news import News
from tailrace.cli.place import anywhere_option, engine, server, server_url, state_path
from tailrace.cli.signals import Signals
from tailrace.cli.values import pair, resource_limit, seconds, size_bytes
from tailrace.cli.watch import Left, Watch
from tailrace.core import ids
from tailrace.core.errors import InvalidInput, TailraceError
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.core.terminal import escape_text
from tailrace.engine.base import StartOptions
from tailrace.engine.run import Run

STDIN, STDOUT, STDERR = 0, 1, 2
ARGV_SHOWN = 40
"""columns of a joined run's command"""
_LEAVING = (signal.SIGHUP, signal.SIGQUIT)
_STOPPING = (signal.SIGINT, signal.SIGTERM)
_THERE = {"detach", "input"}
"""options that make sense for a command of a server"""
_DECLARED = {"detach", "input", "pin", "by", "file", "share", "share_at", "linger"}
"""those for a command that a file declares"""


class Options(TypedDict):
    """What the command line can say about a run."""

    detach: bool
    pty: bool
    input: bool
    merge: bool
    unbuffer: bool
    timeout: float | None
    idle_timeout: float | None
    unwatched_timeout: float | None
    max_output: int | None
    on_max_output: Literal["stop", "truncate"]
    env: tuple[tuple[str, str], ...]
    cwd: str | None
    key: str | None
    when_busy: Literal["join", "queue", "reject"]
    label: tuple[tuple[str, str], ...]
    leave_children: bool
    grace: float
    rlimit: tuple[tuple[str, int], ...]
    no_new_privileges: bool
    pin: bool
    by: str | None
    file: str | None
    max_cpu: float | None
    max_memory: int | None
    max_processes: int | None
    max_open_files: int | None
    share: bool
    share_at: str
    linger: float


class _Run(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises:
            InvalidInput: there is no command among them.
        """
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter:
            is_elsewhere = "--on" in args
            hint = f"for example: tailrace run {'--on URL NAME' if is_elsewhere else '-- make test'}"
            raise InvalidInput("what is to be run?", op="run", subject="argv", hint=hint) from None


@click.command(
    "run",
    cls=_Run,
    context_settings={"allow_interspersed_args": False},
    short_help="Run a command and show its output.",
)
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] COMMAND [ARGUMENT]...")
@click.option("-d", "--detach", is_flag=True, help="Only start it; print its id and return.")
@click.option("-t", "--pty", is_flag=True, help="Run it at a terminal of its own.")
@click.option("-i", "--input", is_flag=True, help="Pass standard input on to it; otherwise it has none.")
@click.option("--merge", is_flag=True, help="Put stdout and stderr on one pipe, exactly in order.")
@click.option("--unbuffer", is_flag=True, help="Have its output line by line, by way of stdbuf(1).")
@click.option("--timeout", type=seconds, metavar="TIME", help="Stop it after so long: 10, 10s, 5m, 1h30m.")
@click.option("--idle-timeout", type=seconds, metavar="TIME", help="Stop it after so long without output.")
@click.option("--unwatched-timeout", type=seconds, metavar="TIME", help="Stop it after so long without a viewer.")
@click.option(
    "--max-output", type=size_bytes, metavar="SIZE", help="Keep at most so much of its output: 4096, 10k, 1M, 1G."
)
@click.option(
    "--on-max-output",
    type=click.Choice(["stop", "truncate"]),
    default="stop",
    show_default=True,
    help="Then stop it, or let it go on and only count.",
)
@click.option("-e", "--env", type=pair, multiple=True, metavar="NAME=VALUE", help="Set a variable of its environment.")
@click.option("-C", "--cwd", type=click.Path(), metavar="DIR", help="Run it in this directory.")
@click.option("--key", metavar="TEXT", help="At most one run of a key goes at a time.")
@click.option(
    "--when-busy",
    type=click.Choice(["join", "queue", "reject"]),
    default="join",
    show_default=True,
    help="If one of the same key is going: watch that one, wait for it, or fail.",
)
@click.option("-l", "--label", type=pair, multiple=True, metavar="NAME=VALUE", help="A label, to find it by.")
@click.option("--leave-children", is_flag=True, help="Leave alone what it started in the background.")
@click.option(
    "--grace",
    type=seconds,
    default="2s",
    show_default=True,
    metavar="TIME",
    help="For children that still print when it has ended.",
)
@click.option(
    "--rlimit", type=resource_limit, multiple=True, metavar="NAME=VALUE", help="A resource limit: NOFILE=64, AS=1G."
)
@click.option("--max-cpu", type=seconds, metavar="TIME", help="Stop it after so much processor time, of all of it.")
@click.option("--max-memory", type=size_bytes, metavar="SIZE", help="Stop it when all of it takes more memory: 512M.")
@click.option("--max-processes", type=click.IntRange(min=1), metavar="N", help="Stop it when it has more processes.")
@click.option(
    "--max-open-files", type=click.IntRange(min=8), metavar="N", help="Each of its processes may open so many."
)
@click.option("--no-new-privileges", is_flag=True, help="Make sudo and the like powerless in it.")
@click.option("--pin", is_flag=True, help="Never prune it.")
@click.option("-f", "--file", type=click.Path(), metavar="FILE", help="Run a command that this file declares.")
@click.option("--by", default=login.name, metavar="TEXT", help="Who asks.  [default: your login name]")
@click.option("--share", is_flag=True, help="Print a link by which others may watch this run, and serve it alone.")
@click.option("--share-at", default="127.0.0.1:0", show_default=True, metavar="HOST:PORT", help="Where it is served.")
@click.option(
    "--linger", type=seconds, default="1m", show_default=True, metavar="TIME", help="How long it is, after its end."
)
@anywhere_option
def run_command(argv: tuple[str, ...], **options: Unpack[Options]) -> int:
    """Run a command and show its output; exit as it does.

    Its standard output comes out of ours, its standard error out of ours, byte for byte. Its output is kept, and others
    may follow it. When this program is killed or loses its terminal, the command goes on.

    \b
    tailrace run -- make -j4
    tailrace run --timeout 10m --key nightly -- ./backup.sh
    tailrace run -it -- bash
    tailrace run --on https://example.org/ops deploy branch=main
    tailrace run --file tailrace.toml deploy --help

    With --on it is a command that the server declares, by its name, with its parameters; of the options only --detach
    and --input apply. A lost connection is made again; the command is never started twice. With --file it is one that a
    file declares, and runs here. --help behind its name tells of its parameters. A secret is asked for, or comes from
    NAME=@FILE, NAME=env:VARIABLE or NAME=- (standard input), never from an argument; a file is given by its path, or -.

    ^C stops the command (INT, then TERM, then KILL), a second one hurries that; ^\\ leaves it running.
    With --pty and --input every key goes to the command; close the terminal (SIGHUP) to leave it running.

    Exit codes: the command's own; 128 + a signal that ended it; 124 after a timeout; 122 at the limit of output,
    processor time, memory or processes; 126 or 127 if it could not be started; 130 after ^C; 143 if somebody else
    stopped it; 75 if there are too many runs, so that nothing was started; 125 if Tailrace itself failed.
    """
    boundary.fail_as_watcher()
    if url := server_url():
        return _run_there(url, argv, options)
    if options["file"] is not None:
        return _run_declared(options["file"], argv, options)
    return _run_here(argv, _start_options(options), options)


def _check_options(known: set[str], whose: str) -> None:
    """See that no option is given that says what a declaration says.

    Raises:
        InvalidInput: one is.
    """
    context = click.get_current_context()
    for name in sorted(set(Options.__annotations__) - known):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise InvalidInput(
                f"--{name.replace('_', '-')} is not for a command of {whose}",
                op="run",
                subject=name,
                hint="how it runs is said where it is declared; leave the option out",
            )


def _tell(text: str) -> None:
    for line in text.split("\n"):
        click.echo(escape_text(line))


def _run_declared(file: str, argv: tuple[str, ...], options: Options) -> int:
    from tailrace.cli import local  # files of commands are not for those who name their own

    _check_options(_DECLARED, "a file")
    declared = local.find(file, argv[0])
    command = declared.command
    if set(argv[1:]) & set(HELP):
        _tell(local.explain(command, file))
        return 0
    ready = local.prepared(declared, argv[1:], has_input=options["input"])
    here: Options = {**options, "pty": command.pty}
    size = terminal.size(STDOUT, STDIN, STDERR) or (24, 80)
    extra = StartOptions(rows=size[0], columns=size[1], by=options["by"], pin=options["pin"])
    return _run_here(ready.argv, {**ready.options, **extra}, here)


def _run_here(argv: tuple[str, ...], start: StartOptions, options: Options) -> int:
    if options["share"]:
        _check_share(options)
    with Signals([*_STOPPING, *_LEAVING, signal.SIGWINCH]) as signals:
        begun_us = time.time_ns() // 1000
        run = engine().start(argv, **start)
        if options["share"]:
            _share(run, options)
        if options["detach"]:
            click.echo(run.id)
            return 0
        return _Foreground(run, options, signals, is_joined=ids.created_us(run.id) < begun_us).watch()


def _check_share(options: Options) -> None:
    """See that the run can be served, before there is one.

    Raises:
        InvalidInput: a server's packages are not installed, or it is no address.
    """
    from tailrace.cli.share import address  # with what it needs of a server

    need_server()
    address(options["share_at"])


def _share(run: Run, options: Options) -> None:
    """Have the run served alone, by a process that stays until its end, and says on standard error where it is."""
    where = ["--state-dir", path] if (path := state_path()) else []
    words = ["share", run.id, "--serve", options["share_at"], "--linger", f"{options['linger']:f}", *where]
    subprocess.Popen(
        [sys.executable, "-m", "tailrace", *words], stdin=subprocess.DEVNULL, stdout=STDERR, start_new_session=True
    )


def _run_there(url: str, argv: tuple[str, ...], options: Options) -> int:
    from tailrace.cli import declared  # what it needs of HTTP is not for those who stay here

    _check_options(_THERE, "a server")
    there = server(url)
    if set(argv[1:]) & set(HELP):
        _tell(declared.explain(there, argv[0], url))
        return 0
    what = declared.asked(there, argv[0], argv[1:], has_input=options["input"])
    with Signals([*_STOPPING, *_LEAVING]) as signals:
        run, is_joined = declared.start(there, what)
        if options["detach"]:
            click.echo(run.id)
            return 0
        return declared.watch(run, signals, is_joined=is_joined, has_input=options["input"])


def _start_options(options: Options) -> StartOptions:
    size = terminal.size(STDOUT, STDIN, STDERR)
    rows, columns = size or (24, 80)
    return StartOptions(
        cwd=options["cwd"],
        env=dict(options["env"]),
        pty=options["pty"],
        merge=options["merge"],
        rows=rows,
        columns=columns,
        stdin=options["input"],
        unbuffer=options["unbuffer"],
        timeout=options["timeout"],
        idle_timeout=options["idle_timeout"],
        unwatched_timeout=options["unwatched_timeout"],
        max_output=options["max_output"],
        on_max_output=options["on_max_output"],
        max_cpu=options["max_cpu"],
        max_memory=options["max_memory"],
        max_processes=options["max_processes"],
        max_open_files=options["max_open_files"],
        grace=options["grace"],
        leave_children=options["leave_children"],
        no_new_privileges=options["no_new_privileges"],
        rlimits=dict(options["rlimit"]),
        key=options["key"],
        when_busy=options["when_busy"],
        labels=dict(options["label"]),
        by=options["by"],
        pin=options["pin"],
    )


class _Foreground(Foreground):
    """A run whose output is shown here, and whose signals come from here."""

    def __init__(self, run: Run, options: Options, signals: Signals, *, is_joined: bool) -> None:
        super().__init__(run, is_joined=is_joined)
        self._by = options["by"]
        self._is_pty = options["pty"] and not is_joined
        self._is_raw = self._is_pty and options["input"] and os.isatty(STDIN)
        self._spec = viewing.spec_of(run)
        self._face = Streams(raw=self._is_pty)
        cursor = run.engine.cursor(run.id)
        self._watch = Watch(run, cursor, self._face, signals=signals, attendant=self)
        self._news = News(self._watch.say, self._spec.ladder if self._spec else (), patience_s=viewing.patience_s())
        self._input = Forwarder(run, at_terminal=self._is_pty) if options["input"] and not is_joined else None
        self._state = State.QUEUED

    def _until_end(self) -> RunInfo:
        with ExitStack() as stack:
            if self._is_raw:
                stack.enter_context(terminal.raw(STDIN))
                self._watch.is_raw = True
                stack.callback(setattr, self._watch, "is_raw", False)
            stack.callback(self._give_terminal_back)
            return self._watch.until_end()

    def _joined(self) -> str:
        info = self._run.info()
        command = table.cut(words.command_line(info), ARGV_SHOWN)
        return f"{info.id} ({command}), already running under key {info.key}"

    def _abandon(self) -> None:
        self._run.stop(by=self._by)

    def _give_terminal_back(self) -> None:
        """Switch back what the command switched at the terminal and left so."""
        for sink, data in self._face.end():
            if data:
                talk.write_to(sink.fd, data)

    def on_signal(self, number: int) -> None:
        """Stop the run, leave it, or pass a new size on."""
        if number == signal.SIGWINCH:
            self._resize()
            return
        if number in (signal.SIGINT, signal.SIGQUIT):
            self._watch.note_echo()
        if self._is_joined or number in _LEAVING:
            raise Left(128 + number, f"the run goes on; {self._resume()}")
        self._stop(number)

    def _stop(self, number: int) -> None:
        """Ask for the end; again: hurry it; when it has come, and only our output is in the way: leave."""
        if self._run.info().is_finished:
            raise Left(128 + number, f"the run has ended; {self._resume()}")
        if not self._asked:
            again = "; ^C again hurries" if number == signal.SIGINT else ""
            self._watch.say(f"stopping{again}")
        self._run.stop(by=self._by, now=bool(self._asked))
        self._asked = self._asked or number
        self._news.tells_rungs = True

    def on_news(self, info: RunInfo) -> None:
        """Let the input through when the command is there, and say what is new."""
        if info.state is not self._state:
            self._state = info.state
            if self._input is not None and info.state not in (State.QUEUED, State.STARTING):
                self._input.begin()
            if info.state is State.RUNNING:
                self._resize()
        self._news.tell(info)

    def _resize(self) -> None:
        if not self._is_pty or self._state is not State.RUNNING:
            return
        if size := terminal.size(STDOUT, STDIN, STDERR):
            try:
                self._run.resize(*size)
            except TailraceError:
                return  # it has just ended, or its keeper is busy: only the size is at stake
