import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import takewhile
from pathlib import Path

import click
import msgspec
import pytest

import tailrace
from tailrace import asgi
from tailrace._flask.settings import KEYS
from tailrace.cli.program import program
from tailrace.config.load import Config, load
from tailrace.config.server import VARIABLES, Server
from tailrace.core import outcome, states
from tailrace.core.audit import Audit, Entry
from tailrace.core.command import Command, Commands
from tailrace.core.hook import EVENTS, Hook
from tailrace.core.parameters import TYPES
from tailrace.core.wires import WIRES, asks
from tailrace.engine.base import StartOptions
from tailrace.host.settings import Settings
from tailrace.server.app import OWN_PATHS
from tailrace.web.routes.table import ROUTES
from tests.docs import pages
from tests.docs.pages import DOCS, README, Example
from tests.support.wait import wait_for

BY_TAILRACE = [DOCS / "tutorial" / "server.md"]
"""pages whose captioned block is a file of our own server"""
SERVED = [
    *BY_TAILRACE,
    DOCS / "tutorial" / "flask.md",
    *(DOCS / "how-to" / f"{name}.md" for name in ("another-machine", "blueprint", "commands")),
]
"""pages whose captioned blocks are an application, and whose commands ask it"""
PAGES = [page for page in pages.pages() if page not in SERVED]
_PYTHON = [example for page in [README, *pages.pages()] for example in pages.examples(page, "python")]
PYTHON = [example for example in _PYTHON if not (example.caption and DOCS.parent / example.page in SERVED)]
TOML = [example for page in [README, *pages.pages()] for example in pages.examples(page, "toml")]
CONSOLE = [page for page in PAGES if pages.examples(page, "console")]
INTERNAL = {"TAILRACE_COMPLETE"}
"""part of `_TAILRACE_COMPLETE`"""


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            sub = command.get_command(context, name)
            assert sub is not None
            yield from _commands(sub, (*path, name))


def _all_text() -> str:
    return "\n".join(pages.text_of(page) for page in pages.pages())


# What is there is told


@pytest.mark.parametrize("path", [path for path, _ in _commands(program) if path], ids=" ".join)
def test_commands_are_documented(path: tuple[str, ...]) -> None:
    """The reference has every command of the command line, under its own heading, with all its options."""
    text = pages.text_of(DOCS / "reference" / "cli.md")
    begin = text.index(f"# `tailrace {' '.join(path)}`\n")
    section = text[begin:].partition("\n\n## ")[0]
    command = dict(_commands(program))[path]
    for option in (option for param in command.params for option in (*param.opts, *param.secondary_opts)):
        if option.startswith("-"):
            assert option in section, f"{option} of {path}"


def _address(path: str) -> str:
    return path.replace("{run}", "ID").replace("{command}", "NAME")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("reference/python.md", sorted(StartOptions.__annotations__)),
        ("reference/python.md", [name for name in tailrace.__all__ if name != "__version__"]),
        ("reference/settings.md", list(Settings.__struct_fields__)),
        ("reference/states.md", [*states.State, *states.Event]),
        ("reference/wires.md", list(WIRES)),
        ("reference/wires.md", ["websocket", *map(asks.name_of, asks.KINDS), "reply", "error", "lagging"]),
        ("reference/flask.md", [*KEYS, *KEYS.values()]),
        ("reference/asgi.md", asgi.__all__),
        ("reference/flask.md", [f"{route.method} {_address(route.path)}" for route in ROUTES]),
        ("reference/server.md", [f"{route.method} {_address(route.path)}" for route in ROUTES]),
        ("reference/server.md", [f"GET {path}" for path in OWN_PATHS]),
        ("reference/file.md", [*Server.__struct_fields__, *VARIABLES.values()]),
        ("reference/file.md", [*Audit.__struct_fields__, *Hook.__struct_fields__, *EVENTS]),
        ("how-to/audit.md", list(Entry.__struct_encode_fields__)),
        ("reference/file.md", [name for name in Command.__struct_fields__ if name != "name"]),
        ("reference/file.md", [*TYPES, *(name for kind in TYPES.values() for name in kind.__struct_fields__)]),
    ],
    ids=[
        "options",
        "names",
        "settings",
        "states",
        "wires",
        "messages",
        "configuration",
        "asgi",
        "routes",
        "served",
        "own",
        "server",
        "hooks",
        "audit",
        "command",
        "types",
    ],
)
def test_names_are_documented(page: str, names: list[str]) -> None:
    """Every option of a run, public name, setting, state, event and wire stands in its page."""
    text = pages.text_of(DOCS / page)
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_option_of_a_run_is_explained() -> None:
    """No row of the tables of options and settings is left without words."""
    declared = ("server-settings", "command-keys", "parameter-keys", "audit-keys", "audit-line", "hook-keys")
    for name in (*declared, "start-options", "settings", "states", "outcomes", "wires", "errors", "websocket-asks"):
        rows = pages.tables().TABLES[name]().splitlines()[2:]
        assert [row for row in rows if row.endswith("|  |")] == [], name


def test_outcomes_are_documented() -> None:
    """Every kind of outcome stands in the table, and its exit code is what the code says."""
    text = pages.text_of(DOCS / "reference" / "outcomes.md")
    samples: tuple[outcome.Outcome, ...] = pages.tables().SAMPLES
    assert [each.__struct_config__.tag for each in samples] == list(outcome.KINDS)
    for sample in samples:
        row = next(line for line in text.splitlines() if msgspec.json.encode(sample).decode() in line)
        code = outcome.exit_code(sample)
        assert str(code) in row or isinstance(sample, outcome.Exited | outcome.Signaled), row


def test_environment_variables_are_documented() -> None:
    """The page of environment variables has all that the source reads or sets, and no other."""
    package = Path(tailrace.__file__).parent
    source = "\n".join(path.read_text() for path in package.rglob("*.py"))
    text = (DOCS / "reference" / "environment.md").read_text()
    used = set(re.findall(r"\b_?TAILRACE_[A-Z]+\b", source)) - INTERNAL
    told = set(re.findall(r"`(_?TAILRACE_[A-Z]+)`", text))
    assert told == used


def test_files_of_a_state_directory_are_documented(state_dir: Path) -> None:
    """Whatever a state directory has in it, with a run that goes and one that ended, stands in its page."""
    engine = tailrace.connect(state_dir)
    engine.start(["true"]).wait()
    engine.prune(tailrace.Retention(count=10))
    run = engine.start(["sleep", "100"], pin=True)
    wait_for(lambda: run.info().state == states.State.RUNNING)
    names = {path.name for folder in (state_dir, *(state_dir / "runs").iterdir()) for path in folder.iterdir()}
    text = pages.text_of(DOCS / "reference" / "state-directory.md")
    assert [name for name in sorted(names) if not re.search(rf"\b{re.escape(name)}\b", text)] == []
    run.stop(now=True)
    run.wait()


# What is told is so


def test_state_diagram_is_the_generated_one() -> None:
    """The diagram in the page is the one that the table of states gives."""
    (diagram,) = pages.examples(DOCS / "reference" / "states.md", "mermaid")
    assert diagram.text == states.diagram()


@pytest.mark.parametrize("page", [README, *pages.pages()], ids=lambda page: page.stem)
def test_commands_exist(page: Path) -> None:
    """Every `tailrace` command in an example, those that are not run too, has a form that the program takes."""
    for example in pages.examples(page, "console", "sh"):
        for line in example.text.splitlines():
            if re.match(r"(\$ )?tailrace ", line):
                _parse(_words(line.removeprefix("$ ")), example)


def _words(line: str) -> list[str]:
    """Return the words of the first command in a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(takewhile(lambda word: word[0] not in "();<>|&", lexer))


def _parse(words: list[str], example: Example) -> None:
    command: click.Command = program
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        sub = command.get_command(click.Context(command), rest.pop(0))
        assert sub is not None, f"{example}: {words}"
        command = sub
    command.make_parser(click.Context(command)).parse_args(rest)


@pytest.mark.parametrize("example", PYTHON, ids=str)
def test_python_examples_run(example: Example, state_dir: Path, tmp_path: Path) -> None:
    """An example in Python runs as it stands, in an empty directory, without a word on stderr."""
    assert state_dir.is_dir()
    (tmp_path / "Makefile").write_text("all:\n\t@echo made\n")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example.text],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("example", TOML, ids=str)
def test_toml_examples_can_be_used(example: Example, tmp_path: Path) -> None:
    """Each is a file that the server would take."""
    (tmp_path / "tailrace.toml").write_text(example.text)
    assert load(tmp_path / "tailrace.toml") != Config(Server(), Commands())


@pytest.mark.parametrize("page", CONSOLE, ids=lambda page: page.stem)
def test_console_examples_show_what_they_say(page: Path, state_dir: Path, tmp_path: Path) -> None:
    """The commands of a page, one after another, show what the page says."""
    assert state_dir.is_dir()
    for example in pages.examples(page, "console"):
        for step in pages.steps(example):
            _check(step, example, tmp_path)


def _check(step: pages.Step, example: Example, cwd: Path, *, env: dict[str, str] | None = None) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{step.command}"],
        cwd=cwd,
        env={**os.environ, "PATH": path, "HOME": str(cwd), **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert pages.shows(step.shows, done.stdout), f"{example}\n$ {step.command}\n{done.stdout}"


# Pages with an application


@pytest.mark.parametrize("page", SERVED, ids=lambda page: page.stem)
def test_served_pages_do_what_they_say(page: Path, state_dir: Path, tmp_path: Path) -> None:
    """The application of the page, served as it says, answers each of its commands as it says."""
    assert state_dir.is_dir()
    blocks = [example for example in pages.examples(page, "python") if example.caption]
    (tmp_path / "app.py").write_text("\n\n".join(block.text for block in blocks))
    for file in (example for example in pages.examples(page, "toml") if example.caption):
        (tmp_path / file.caption).write_text(file.text)
    (tmp_path / ".curlrc").write_text("silent\nshow-error\n")
    with _serving(tmp_path, by_tailrace=page in BY_TAILRACE) as port:
        for example in pages.examples(page, "console"):
            for step in pages.steps(example):
                here = pages.Step(re.sub(r":[58]000\b", f":{port}", step.command), step.shows)
                _check(here, example, tmp_path, env={"CURL_HOME": str(tmp_path)})


@contextmanager
def _serving(directory: Path, *, by_tailrace: bool) -> Iterator[int]:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    program = ("tailrace", "serve") if by_tailrace else ("flask", "--app", "app", "run")
    argv = [sys.executable, "-m", *program, "--port", str(port)]
    with (
        (directory / "server.log").open("wb") as log,
        subprocess.Popen(argv, cwd=directory, stdout=log, stderr=log) as server,
    ):
        try:
            wait_for(lambda: _answers(port))
            yield port
        finally:
            server.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True
