"""The rules for values, at every door: whoever brings them, the argv is the same, or nothing is started."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlencode

import msgspec
import pytest

import tailrace
from tailrace.config.load import load
from tailrace.core.errors import CallerError
from tailrace.engine.declared import ready
from tailrace.engine.http import HttpEngine
from tests.support.wait import wait_for
from tests.system.server.serving import Serving

SHOW = """
[commands.show]
argv = [
    "printf", "[%s]", "{loud}", "{tags}", "{names}", "{word}", "n={n}", "{low}", "a{word}b",
    "--", "{word}", "{n}", "{rest}",
]
[commands.show.parameters]
loud = { type = "boolean", flag = "--loud" }
tags = { type = "choices", choices = ["x", "-y"], option = "--tag={}", default = ["x"] }
names = { type = "choices", choices = ["p", "q"], option = "--name" }
word = { type = "text", minimum_length = 0, default = "w" }
n = { type = "integer", default = -1 }
low = { type = "integer", default = -5, allow_dash = true }
rest = { type = "text", default = "", allow_dash = true, allow_newlines = true }
"""
SEND = SHOW.replace("show", "send").replace('"{rest}",', '"{rest}", "{data}",') + 'data = { type = "file" }\n'
"""the same with a file, without which no form of several parts is taken"""
TEXT = f'[server]\nauth = "none"\n{SHOW}{SEND}'
Values: TypeAlias = Mapping[str, bool | int | str | list[str]]
USUAL: Final = ("--tag=x", "w", "n=-1", "-5", "awb", "--", "w", "-1", "")
Door: TypeAlias = Callable[[Serving, Values], list[str] | None]
"""takes values through; returns the argv behind the format; None if it is refused"""
RUN = msgspec.json.Decoder(dict[str, object])
JSON = {"Content-Type": "application/json"}
BOUNDARY = "=-=-="


def words_of(values: Values) -> list[tuple[str, str]]:
    """Return the values as a form, or a command line, has them."""
    every = [(name, each) for name, value in values.items() for each in (value if isinstance(value, list) else [value])]
    return [(name, str(each).lower() if isinstance(each, bool) else str(each)) for name, each in every]


def told(serving: Serving, body: bytes, headers: Mapping[str, str], name: str = "show") -> list[str] | None:
    """Start it over HTTP."""
    answer = serving.ask(f"/api/commands/{name}/runs", "POST", body, headers)
    if answer.status == HTTPStatus.BAD_REQUEST:
        return None
    assert answer.status == HTTPStatus.CREATED, answer
    argv = RUN.decode(answer.body)["argv"]
    assert isinstance(argv, list)
    return argv[2:]


def by_json(serving: Serving, values: Values) -> list[str] | None:
    """As JSON."""
    return told(serving, msgspec.json.encode({"parameters": values}), JSON)


def by_form(serving: Serving, values: Values) -> list[str] | None:
    """As a form's fields."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return told(serving, urlencode(words_of(values)).encode(), kind)


def by_parts(serving: Serving, values: Values) -> list[str] | None:
    """As the parts of a form that has a file, too, whose path is the last argument."""
    fields = [(f'"{name}"', text) for name, text in words_of(values)]
    parts = [
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; name={name}\r\n\r\n{text}\r\n"
        for name, text in [*fields, ('"data"; filename="-rf"', "content")]
    ]
    body = "".join([*parts, f"--{BOUNDARY}--\r\n"]).encode()
    argv = told(serving, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, "send")
    if argv is not None:
        assert argv[-1].startswith("/")
    return None if argv is None else argv[:-1]


def by_client(serving: Serving, values: Values) -> list[str] | None:
    """By the engine of another machine."""
    engine = tailrace.connect(serving.address)
    assert isinstance(engine, HttpEngine)
    with closing(engine):
        try:
            return list(engine.start_command("show", values).info().argv[2:])
        except CallerError:
            return None


def in_python(serving: Serving, values: Values) -> list[str] | None:
    """Without any server."""
    config = load(str(serving.file))
    try:
        made = ready(config.commands.find("show"), values, config.commands)
    except CallerError:
        return None
    return list(tailrace.connect().start(made.argv, **made.options).info().argv[2:])


def _typed(arguments: list[str], values: Values) -> list[str] | None:
    """By the command line; the run that it starts is the newest."""
    before = {info.id for info in tailrace.connect().list(tailrace.Query()).runs}
    words = [f"{name}={text}" for name, text in words_of(values)]
    done = subprocess.run(
        [sys.executable, "-m", "tailrace", "run", *arguments, "show", *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    fresh = [info for info in tailrace.connect().list(tailrace.Query()).runs if info.id not in before]
    if done.returncode == 2:
        assert (fresh, done.stdout) == ([], "")
        return None
    assert done.returncode == 0, done.stderr
    (info,) = fresh
    assert done.stdout == "".join(f"[{text}]" for text in info.argv[2:])
    return list(info.argv[2:])


def by_file(serving: Serving, values: Values) -> list[str] | None:
    """`tailrace run --file FILE NAME`."""
    return _typed(["--file", str(serving.file)], values)


def by_address(serving: Serving, values: Values) -> list[str] | None:
    """`tailrace run --on URL NAME`."""
    return _typed(["--on", serving.address], values)


DOORS: tuple[Door, ...] = (by_json, by_form, by_parts, by_client, in_python, by_file, by_address)
FULL: Final[Values] = {"loud": True, "tags": ["x", "-y"], "names": ["q", "p"], "word": "a b"}
OPTIONS: Final = ("--loud", "--tag=x", "--tag=-y", "--name", "q", "--name", "p")
ODD: Final = "-rf {word} $(id) `id`"
TAKEN: tuple[tuple[Values, list[str]], ...] = (
    ({}, list(USUAL)),
    (FULL, [*OPTIONS, "a b", "n=-1", "-5", "aa bb", "--", "a b", "-1", ""]),
    ({"n": 7, "low": -9, "rest": ODD}, [*USUAL[:2], "n=7", "-9", *USUAL[4:7], "7", ODD]),
)
REFUSED: tuple[Values, ...] = (
    {"word": "-rf"},
    {"word": "@/etc/passwd"},
    {"rest": "@x"},
    {"word": "a\nb"},
    {"n": "1 2"},
    {"names": ["r"]},
    {"names": ["p", "p"]},
    {"argv": "x"},
)


@pytest.fixture
def serving(state_dir: Path, tmp_path: Path) -> Iterator[Serving]:
    """Give a server with the command."""
    assert state_dir.is_dir()
    with closing(Serving(tmp_path, TEXT, "--port", "0")) as made:
        yield made


@pytest.mark.parametrize("door", DOORS, ids=[door.__name__ for door in DOORS])
def test_each_door(serving: Serving, door: Door) -> None:
    """As many arguments as the template says, each where it belongs; and what the rules forbid gets in nowhere."""
    for values, argv in TAKEN:
        assert door(serving, values) == argv
    for values in REFUSED:
        assert door(serving, values) is None, values
    wait_for(lambda: all(info.is_finished for info in tailrace.connect().list(tailrace.Query()).runs))
    assert len(tailrace.connect().list(tailrace.Query()).runs) == len(TAKEN)
