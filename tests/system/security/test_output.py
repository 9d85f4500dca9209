"""What a run prints, in the browser and on the terminal of whoever looks: bytes, never a document or a command.

On the page: `tests/system/page/test_hostile.py`; what may reach a terminal: `tests/unit/core/test_terminal.py`; how
each wire frames what means something to it: `tests/unit/core/wires/`.
"""

import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

import pytest

from tests.support.wait import wait_for
from tests.system.security.town import HTML, SECRET, MakeTown, Town

PAGE = "<html><script>alert(1)</script><iframe src=//evil.example>"
EVENTS = "data: x\n\nevent: end\ndata: {}\nid: evil\n\nretry: 1\n\n: x\n"
TERMINAL = (
    "\x1b]52;c;ZXZpbA==\x07",  # the clipboard
    "\x1b]0;evil title\x1b\\",
    "\x1bP$qm\x1b\\",  # a question, whose answer is typed into the shell
    "\x1b[6n\x1b[c\x1b]11;?\x07",
    "\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07",
    "\x1b]8;;file:///etc/passwd\x07link\x1b]8;;\x07",
    "\x1b[5i\x1b[?1049h\x1b[2J\x1b]1337;File=:eA==\x07",  # a printer, another screen, a file
    "\x9d52;c;ZXZpbA==\x9c",
)
COMMAND = """
[commands.say]
argv = ["printf", "%b", "{text}"]
parameters.text = { type = "text", allow_newlines = true }
"""


@pytest.fixture(scope="module")
def sayer() -> Iterator[Town]:
    """Give a town with a command that prints what it is told."""
    from tests.system.security.conftest import begun

    with begun(COMMAND) as made:
        yield made


def _said(town: Town, text: str) -> str:
    """Have a run print this, and return its id when it has."""
    octal = "".join(f"\\0{byte:03o}" for byte in text.encode())
    run_id = town.start("say", town.browser("otto"), json.dumps({"parameters": {"text": octal}}).encode())
    wait_for(lambda: town.engine.get(run_id).is_finished)
    return run_id


def test_no_answer_is_taken_for_a_document(sayer: Town) -> None:
    """Whatever has output in it has a type that is not run, which no browser may guess anew, and is not kept."""
    run_id = _said(sayer, PAGE)
    parts = [f"/output?format={wire}" for wire in ("text", "lines", "sse", "ndjson", "cast")]
    parts += ["", "/output", "/lines", "/search?q=script", "/search?q=script&format=sse", "/search?q=x&format=ndjson"]
    paths = [f"/api/runs/{run_id}{part}" for part in parts]
    paths += ["/api/runs", f"/api/events?run={run_id}", "/api/commands", f"/api/runs?q={quote(PAGE)}", "/readyz"]
    for path in paths:
        for more in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"}):
            answer = sayer.ask(path, {**sayer.cookie("otto"), **HTML, **more})
            kind = answer.headers.get("content-type", "")
            assert answer.status in {200, 206, 304, 406, 416}, (path, answer)
            assert not kind.startswith(("text/html", "image/svg", "text/xml", "application/xhtml")), path
            assert answer.headers["x-content-type-options"] == "nosniff", path
            assert "no-store" in answer.headers["cache-control"], path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/login",
        "/login?next=x",
        "/runs/{run}",
        "/runs?run={run}",
        "/commands/say",
        "/runs/none",
        "/none",
        "/runs/{run}?share=x",
        "/commands/none",
    ],
)
@pytest.mark.parametrize("who", ["otto", ""])
def test_no_page_can_be_framed(sayer: Town, path: str, who: str) -> None:
    """Nor run what is not ours, nor tell another site where one was; the login and errors neither."""
    path = path.replace("{run}", _said(sayer, "x"))
    answer = sayer.ask(path, {**(sayer.cookie(who) if who else {}), **HTML})
    if answer.status == 303:
        assert answer.body == b""
        return
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] in {"same-origin", "no-referrer"}


def test_output_makes_no_events(sayer: Town) -> None:
    """What looks like a part of an event stream is data in one."""
    run_id = _said(sayer, EVENTS)
    for wire in ("sse", "lines"):
        body = sayer.ask(f"/api/runs/{run_id}/output?format={wire}", sayer.cookie("otto")).body
        lines = body.decode().split("\n")
        assert lines.count("event: end") == 1
        assert "retry: 1" not in lines
        assert "id: evil" not in lines
    body = sayer.ask(f"/api/runs/{run_id}/output?format=ndjson", sayer.cookie("otto")).body
    kinds = [json.loads(line)["type"] for line in body.splitlines()]
    assert kinds.count("end") == 1


def _seen(*argv: str, env: dict[str, str]) -> bytes:
    """Return what reaches the terminal of whoever types this."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x18\x00\x50\x00\x00\x00\x00\x00")
    process = subprocess.Popen(
        [sys.executable, "-m", "tailrace", *argv], stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **env}
    )
    os.close(theirs)
    seen = b""
    with suppress(OSError):  # its last holder has gone
        while data := os.read(ours, 65536):
            seen += data
    os.close(ours)
    process.wait(60)
    return seen


@pytest.mark.parametrize("text", TERMINAL, ids=repr)
def test_following_a_run_does_nothing_to_a_terminal(sayer: Town, text: str) -> None:
    """By its id or by its address: what is written to the clipboard, asks, prints or leads away is left out."""
    run_id = _said(sayer, f"before {text} after\n")
    token = sayer.token("viewer", f"follow {run_id}")["Authorization"].split()[1]
    env = {"TAILRACE_STATE": str(sayer.state), "TERM": "xterm-256color", "TAILRACE_TOKEN": token}
    for place in (run_id, f"{sayer.serving.address}runs/{run_id}"):
        seen = _seen("follow", place, env=env)
        assert b"before " in seen, seen
        assert b" after" in seen
        for evil in (
            b"\x1b]",
            b"\x1bP",
            b"\x9d",
            b"[6n",
            b"[c",
            b"[5i",
            b"javascript",
            b"evil title",
            b"ZXZpbA",
            b"1049",
        ):
            assert evil not in seen, seen


@pytest.mark.parametrize("command", ["list", "show"])
def test_looking_at_runs_does_nothing_to_a_terminal(sayer: Town, command: str) -> None:
    """Whatever stands in their arguments."""
    body = json.dumps({"parameters": {"text": "x\x1b]0;evil title\x07\x1b[2J\u202e"}}).encode()
    run_id = sayer.start("say", sayer.browser("otto"), body)
    env = {"TAILRACE_STATE": str(sayer.state), "TERM": "xterm-256color"}
    seen = _seen(command, *([run_id] if command == "show" else []), env=env)
    assert b"say" in seen
    assert b"\x1b]" not in seen
    assert b"\x1b[2J" not in seen
    assert "\u202e".encode() not in seen


def test_names_of_the_make(make_town: MakeTown) -> None:
    """No answer says what exactly serves here, or where on the machine it is."""
    town = make_town()
    for path in ("/", "/login", "/api/runs", "/none", "/healthz"):
        answer = town.ask(path)
        text = answer.body.decode() + json.dumps(dict(answer.headers))
        assert str(town.state) not in text
        assert "python" not in text.lower()
        assert SECRET not in text
        assert "x-powered-by" not in answer.headers
