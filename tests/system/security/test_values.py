"""Values, bodies and files that are meant to do something else than they say.

What each type of a parameter refuses is in `tests/unit/core/test_parameters.py`; that no values whatever make an
argument that the template does not have, in `tests/unit/core/test_command.py`.
"""

import json
import os

import pytest

from tailrace.core.outcome import Exited
from tests.system.security.town import JSON, Town, refused
from tests.system.server.serving import FORM

BOUNDARY = "=-=-="
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
START = "/api/commands/{}/runs"


UNMOVED = pytest.mark.usefixtures("unmoved")


def _started(town: Town, body: bytes) -> list[str]:
    """Start the command, and return its argv."""
    return list(town.engine.get(town.start("all", town.browser("otto"), body)).argv)


def _told(town: Town, body: bytes, kind: str = JSON["Content-Type"], command: str = "all") -> str:
    answer = town.ask(START.format(command), town.browser("otto"), "POST", body, Content_Type=kind)
    assert len(answer.body) < 20_000
    return refused(answer, 400, 413, 415)


@UNMOVED
@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"text": "-rf"}, "begin with '-'"),
        ({"text": "--output=/etc/passwd"}, "begin with '-'"),
        ({"text": "-"}, "begin with '-'"),
        ({"text": "@/etc/passwd"}, "begins with '@'"),
        ({"behind": "@/etc/passwd"}, "begins with '@'"),
        ({"text": "a\u0000b"}, "has a NUL"),
        ({"text": "a\n--rf"}, "more than one line"),
        ({"text": "a\u2028--rf"}, "more than one line"),
        ({"text": "ok#evil"}, "does not match"),
        ({"text": "x" * 200_000}, "has 200000 characters"),
        ({"n": "1; reboot"}, "must be a whole number"),
        ({"n": -1e308}, "must be a whole number"),
        ({"n": 10**300}, "out of range"),
        ({"size": "1e999"}, "must be a number"),
        ({"target": "c"}, "none of the choices"),
        ({"target": ["a"]}, "must be text"),
        ({"names": ["--name=evil"]}, "none of the choices"),
        ({"loud": "--evil"}, "must be true or false"),
        ({"day": "2026-11-27; reboot"}, "is no day"),
        ({"report": "../../etc/passwd"}, "'..'"),
        ({"http_proxy": "http://evil.example"}, "no parameter"),
        ({"LD_PRELOAD": "/tmp/evil.so"}, "no parameter"),
        ({"PATH": "/tmp"}, "no parameter"),
        ({"env": {"LD_PRELOAD": "/tmp/evil.so"}}, "no parameter"),
        ({"argv": ["reboot"]}, "no parameter"),
        ({"__class__": "x"}, "no parameter"),
        ({"": "x"}, "no parameter"),
    ],
    ids=str,
)
def test_a_value_that_would_be_something_else(town: Town, values: object, told: str) -> None:
    """An option, a file's content, a variable, more arguments, another program: refused, with what would be right."""
    assert told in _told(town, json.dumps({"parameters": values}).encode())


@UNMOVED
@pytest.mark.parametrize(
    "field", ["id", "run", "run_id", "argv", "cwd", "env", "by", "labels", "key", "user", "limits", "origin", "pty"]
)
def test_a_start_says_nothing_but_parameters(town: Town, field: str) -> None:
    """No id that a client has chosen, no directory, no environment, nobody else's name."""
    told = _told(town, json.dumps({"parameters": {}, field: "../../../tmp/evil"}).encode())
    assert "means nothing here" in told
    answer = town.ask(f"{START.format('all')}?{field}=../../evil", town.browser("otto"), "POST", b"{}", **JSON)
    assert "means nothing here" in refused(answer, 400)


@pytest.mark.parametrize("value", ["http_proxy=http://evil.example", "LD_PRELOAD=/tmp/evil.so", "${HOME}", "$(id)"])
def test_no_value_is_a_variable(town: Town, value: str) -> None:
    """It is an argument, and no more: the environment is the server's, and what the command declares."""
    run_id = town.start("environment", town.browser("otto"), json.dumps({"parameters": {"a": value}}).encode())
    shown = town.output(run_id)
    assert b"TAILRACE_RUN=" in shown
    assert value.encode() not in shown


@pytest.mark.parametrize(
    "value",
    ["; reboot", "$(reboot)", "`reboot`", "a b  c", "'\"", "%s%n", "{n}", "\\0", "*", "~root", "a=b -c", "\x1b[2J"],
)
def test_what_means_something_to_a_shell_is_text(town: Town, value: str) -> None:
    """One argument stays one argument, to the byte."""
    argv = _started(town, json.dumps({"parameters": {"text": value, "behind": f"-{value}"}}).encode())
    assert argv[3:5] == [value, f"--x=-{value}"]


@UNMOVED
@pytest.mark.parametrize(
    "body",
    [
        b'{"parameters": {"n": 1, "n": 2}}',
        b'{"parameters": {"n": 1, "\\u006e": 2}}',
        b'{"parameters": {}, "par\\u0061meters": {}}',
        b'{"parameters": {"n": ' + b"9" * 200_000 + b"}}",
        b'{"parameters": {"size": 1e' + b"9" * 100_000 + b"}}",
        b'{"parameters": {"size": -Infinity}}',
        b'{"parameters": {"text": "\\ud800"}}',
        b'{"parameters": {"text": "a\\u0000b"}}',
        b"[" * 200_000,
        b'{"parameters":' * 15_000,
        b'{"parameters": {"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b'{"parameters": {' + b",".join(b'"p%d": 1' % n for n in range(20_000)) + b"}}",
        b'{"parameters": {"text": "' + b"x" * 1_000_000 + b'"}}',
        b'{"parameters": {}} {"parameters": {"n": 2}}',
        b'\xef\xbb\xbf{"parameters": {}}',
        b"\x00",
    ],
    ids=lambda body: str(body[:40]),
)
def test_json_that_is_a_bomb(town: Town, body: bytes) -> None:
    """Doubled names, also escaped ones, numbers of a hundred thousand digits, depth, a megabyte: refused in a word."""
    _told(town, body)


@pytest.mark.parametrize("route", ["stop", "share"])
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 16_000,
        b'{"now": ' + b"[" * 16_000,
        b'{"now": true, "now": false, "more": 1}',
        b'{"expires": 1e400}',
        b'{"expires": ' + b"9" * 10_000 + b"}",
        b'{"expires": -1}',
        b'{"x": ' + b'{"x": ' * 2_000,
        b"\xff",
        b"x" * (17 << 10),
    ],
    ids=lambda body: str(body[:30]),
)
def test_json_of_other_routes(town: Town, route: str, body: bytes) -> None:
    """They have the same bounds, and nothing is done."""
    run_id = _going(town)
    with town.unmoved():
        refused(town.ask(f"/api/runs/{run_id}/{route}", town.browser("otto"), "POST", body, **JSON), 400, 413)


def _going(town: Town) -> str:
    """Return a run that goes on: one for all tests of this file."""
    kept = town.directory / "going"
    if not kept.exists():
        kept.write_text(town.waiting(town.browser("otto")))
    return kept.read_text()


@UNMOVED
@pytest.mark.parametrize(
    "body",
    [
        b"n=1&n=2",
        b"text=%00",
        b"text=a%0d%0ab",
        b"text=%ff",
        b"n=" + b"9" * 5000,
        b"size=" + b"9" * 5000,
        b"size=nan",
        b"size=1e999",
        b"loud=true&loud=true&loud=true",
        b"&".join(b"f%d=1" % n for n in range(5_000)),
        b"=" * 100_000,
        b"text=" + b"x" * 1_000_000,
        b"target[]=a",
        b"_charset_=utf-7&text=+AC0-",
    ],
    ids=lambda body: str(body[:30]),
)
def test_forms_that_are_bombs(town: Town, body: bytes) -> None:
    """As JSON's."""
    _told(town, body, FORM)


# Files that are sent


def part(name: str, content: bytes, file: str | None = None, more: str = "") -> bytes:
    """Return one part of a form."""
    shown = "" if file is None else f'; filename="{file}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n{more}\r\n'
    return head.encode("latin-1") + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


@UNMOVED
@pytest.mark.parametrize(
    "body",
    [
        b"".join(part(f"f{n}", b"") for n in range(3_000)) + END,
        b"".join(part(f"f{n}", b"x", "x") for n in range(2_000)) + END,
        b"".join(part("data", b"x", "x") for n in range(2_000)) + END,
        b"".join(part("note", b"") for n in range(3_000)) + END,
        part("data", b"x", "x", "X: " + "a" * 200_000 + "\r\n") + END,
        part("data", b"x", "x", "".join(f"X{n}: a\r\n" for n in range(20_000))) + END,
        part("data", b"x", "x" * 100_000)[:-2] + b"x" * 5000 + b"\r\n" + END,
        part("data", b"x" * 4097, "x") + END,
        part("data", b"x" * (1 << 20), "x") + END,
        part("data", b"x", "x"),
        part("data", b"x", "x") + f"--{BOUNDARY}".encode(),
        part("data", b"x", "x")[:40],
        (f"--{BOUNDARY}\r\n" * 10_000).encode(),
        b"--" * 100_000,
        b"\r\n" * 100_000,
        b"",
        part("data", b"x", "x") + part("data", b"y") + END,
        part("data", b"x", "x") + part("other", b"y", "y") + END,
        part("data", b"x", "x") + part("note", b"\xff") + END,
        part("data", b"x", "x") + part("note", b"a\0b") + END,
        part("data", b"eA==", "x", "Content-Transfer-Encoding: base64\r\nX: \xff\r\n") + part("data", b"", "y") + END,
    ],
    ids=lambda body: f"{len(body)} bytes: {body[60:100]!r}",
)
def test_multipart_that_is_a_bomb(town: Town, body: bytes) -> None:
    """Thousands of parts, headers without end, no end at all, too much: refused, and nothing of it stays on the disk.

    What no parameter takes is not even written.
    """
    _told(town, body, MULTIPART["Content-Type"], "sent")


@UNMOVED
@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 10_000,
        'multipart/form-data; boundary="a\\"b"',
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/mixed; boundary=x",
        "multipart/form-data; charset=utf-7; boundary=\u00e9",
    ],
)
def test_a_boundary_that_is_none(town: Town, kind: str) -> None:
    """It is said how to send a form."""
    body = part("data", b"x", "x") + END
    answer = town.ask(START.format("sent"), town.browser("otto"), "POST", body, Content_Type=kind)
    refused(answer, 400, 415)


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/cron.d/evil",
        "/etc/passwd",
        "..\\..\\evil.exe",
        ".bashrc",
        "-rf",
        "x.$(id)",
        "x.sh;id",
        "a" * 3000,
        "%2e%2e%2fx",
        "x.txt\x00.sh",
        "nul\xff",
        "",
        "..",
        "con:",
        "<script>.html",
    ],
)
def test_a_file_is_called_as_we_say(town: Town, name: str) -> None:
    """Of its name at most a plain suffix is kept; it lies in its run's own directory, and nowhere else."""
    answer = town.ask(
        START.format("sent"), town.browser("otto"), "POST", part("data", b"content\n", name) + END, **MULTIPART
    )
    if answer.status != 201:
        refused(answer, 400)
        return
    run_id = str(json.loads(answer.body)["id"])
    path, content = town.output(run_id).decode().splitlines()
    assert content == "content"
    assert os.path.dirname(path).startswith(str(town.state / "runs" / run_id))  # noqa: PTH120  as it was printed
    assert not set(os.path.basename(path)) - set("abcdefghijklmnopqrstuvwxyz0123456789-.")  # noqa: PTH119
    assert town.engine.get(run_id).outcome == Exited(0)
    assert not list(town.temporary.rglob("*"))
