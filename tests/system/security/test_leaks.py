"""Where a token, a password, a link or a secret could be read by somebody else: nowhere, at any time.

How secrets reach a command, and their masking, is in `tests/system/engine/test_secrets.py`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.wait import wait_for
from tests.system.security.town import HTML, JSON, OBJECT, SECRET, MakeTown, Town, bearer

KEY = "key-and-nothing-but-a-key"
PASSWORD = "the password of otto"


def _processes() -> Iterator[tuple[str, bytes, bytes]]:
    """Yield the pid, the arguments and the environment of each process that may be looked at."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            environ = (path / "environ").read_bytes()
        except OSError:
            environ = b""
        try:
            yield path.name, (path / "cmdline").read_bytes(), environ
        except OSError:
            continue


def _told(town: Town, run_id: str) -> bytes:
    """Return all that the server tells of a run, on every wire and page, and of others beside it."""
    anna, seen = town.cookie("anna"), b""
    parts = ["", "/output", "/lines", "/search?q=a", "/activity"]
    parts += [f"/output?follow=0&format={wire}" for wire in ("text", "lines", "sse", "ndjson", "cast")]
    paths = [f"/api/runs/{run_id}{part}" for part in parts[:1] + parts[2:]]
    paths += ["/api/runs", "/api/commands", "/api/commands/keep", "/", f"/runs/{run_id}", "/commands/keep", "/metrics"]
    for path in paths:
        kind = HTML if not path.startswith("/api") else {}
        answer = town.ask(path, {**anna, **kind})
        assert answer.status == 200, path
        seen += answer.body + json.dumps(dict(answer.headers)).encode()
    return seen


def _files(*directories: Path) -> dict[str, bytes]:
    found = [path for directory in directories for path in directory.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in found}


def test_a_secret_is_nowhere_but_in_its_command(town: Town) -> None:
    """While it runs, and afterwards: no file, answer, log, audit, argument or environment of another process has it."""
    values = {"token": SECRET, "key": KEY}
    run_id = town.start("keep", town.browser("otto"), json.dumps({"parameters": values}).encode())
    wait_for(lambda: town.engine.get(run_id).size)
    live = json.loads((town.state / "runs" / run_id / "live.json").read_bytes())
    words = (SECRET.encode(), KEY.encode())
    holders = {pid for pid, _line, environ in _processes() if any(word in environ for word in words)}
    assert not [line for _pid, line, _environ in _processes() if any(word in line for word in words)]
    assert holders == {str(live["command"]["pid"])}
    told = _told(town, run_id)
    assert b"&lt;***&gt;" in told or b"<***>" in told
    for word in words:
        assert word not in told
    kept = _files(town.state, town.temporary)
    assert [path for path, data in kept.items() if any(word in data for word in words)] == [
        str(town.state / "runs" / run_id / "secrets" / "key")
    ]
    town.type(run_id, b"go\n")
    wait_for(lambda: town.engine.get(run_id).is_finished)
    kept = _files(town.state, town.temporary) | {"audit": (town.directory / "audit.jsonl").read_bytes()}
    assert not [path for path, data in kept.items() if any(word in data for word in words)]
    assert SECRET not in town.serving.err()
    assert KEY not in town.serving.err()


@pytest.mark.parametrize(
    "values",
    [
        {"token": "short", "key": KEY},
        {"token": SECRET + "\n", "key": KEY},
        {"token": [SECRET], "key": KEY},
        {"token": {"x": SECRET}, "key": KEY},
        {"token": SECRET, "key": KEY, "more": SECRET},
        {"token": SECRET},
    ],
)
def test_a_refusal_repeats_no_secret(town: Town, values: object) -> None:
    """Nor does a form that is shown again."""
    with town.unmoved():
        answer = town.ask(
            "/api/commands/keep/runs", town.browser("otto"), "POST", json.dumps({"parameters": values}).encode(), **JSON
        )
        form = f"token={SECRET}%0a&key={KEY}&more=1"
        page = town.serving.post("/commands/keep", form, {**town.browser("otto"), **HTML})
    assert answer.status == page.status == 400
    assert SECRET.encode() not in page.body
    assert KEY.encode() not in page.body + answer.body
    assert SECRET.encode() not in answer.body


def test_what_proves_who_somebody_is_stands_in_no_log(make_town: MakeTown) -> None:
    """A token, a password, a session, a link: sent in any way, also a wrong one, or where it does not belong."""
    town = make_town()
    run_id = town.start("count", town.browser("otto"))
    session = town.cookie("otto")["Cookie"].partition("=")[2]
    token = town.token("admin", "program")["Authorization"].split()[1]
    link = town.link(run_id)
    for word in (session, token, link, PASSWORD.replace(" ", "%20")):
        for path in (
            f"/api/runs?token={word}",
            f"/login?token={word}",
            f"/runs/{run_id}?share={word}",
        ):
            answer = town.ask(path, HTML)
            assert word not in answer.headers.get("location", "")
        town.ask(f"/metrics?token={word}")
        town.ask("/api/runs", bearer(word))
        town.ask("/api/runs", {"Cookie": f"x={word}"})
        town.ask("/api/runs", {"Referer": f"{town.origin}/?token={word}"})
        town.serving.post("/login", f"user=olga&password={word}", {"Origin": town.origin})
        town.serving.post("/login", f"user={word}&password=x", {"Origin": town.origin})
    town.serving.stop()
    audit = (town.directory / "audit.jsonl").read_text()
    for word in (session, token, link, PASSWORD, PASSWORD.replace(" ", "%20")):
        assert word not in town.serving.err()
        assert word not in audit
        assert word not in town.serving._out.read_text()


def test_a_link_leaves_the_address(town: Town) -> None:
    """By a redirect that no browser tells of to the next page, and no cache keeps."""
    run_id = town.start("count", town.browser("otto"))
    answer = town.ask(f"/runs/{run_id}?share={town.link(run_id)}", HTML)
    assert (answer.status, answer.headers["location"]) == (303, run_id)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body == b""


def test_a_log_has_the_lines_that_the_server_writes(town: Town) -> None:
    """Nobody writes one by an address, a name, or what his browser calls itself."""
    before = len(town.serving.err().splitlines())
    for path in ("/x%0a2026-11-27T00:00:00Z%20evil", "/x%0d%0aevil", "/x%1b[2J", "/x%e2%80%a8evil", "/" + "y" * 3000):
        town.ask(path, {"User-Agent": "evil\tagent", "Referer": "http://evil.example"})
    town.serving.post("/login", "user=x%0aevil%20line&password=y", {"Origin": town.origin})
    lines = town.serving.err().splitlines()
    assert len(lines) - before == 6
    assert not [line for line in lines if line.startswith("evil") or "\x1b" in line or "\u2028" in line]
    assert max(map(len, lines)) < 1_000
    for line in (town.directory / "audit.jsonl").read_text().splitlines():
        OBJECT.decode(line)


def test_no_process_is_told_a_token(make_town: MakeTown, tmp_path: Path) -> None:
    """Neither the server, its runner and keepers, nor a client that was given one properly."""
    token = "tailrace_of_whoever_started_it"
    town = make_town(auth="token", TAILRACE_TOKEN=token)
    own = (town.vault.path / "token").read_text()
    run_id = town.start("echo", bearer(own))
    wait_for(lambda: town.engine.get(run_id).started)
    follow = subprocess.Popen(
        [sys.executable, "-m", "tailrace", "follow", f"{town.serving.address}runs/{run_id}"],
        env={**os.environ, "TAILRACE_TOKEN": own}, stdout=subprocess.DEVNULL, cwd=tmp_path,
    )  # fmt: skip
    try:
        wait_for(lambda: b'tailrace_viewers{path="' in town.ask("/metrics", bearer(own)).body)
        seen = list(_processes())
        assert not [line for _pid, line, _environ in seen if own.encode() in line or token.encode() in line]
        holders = {pid for pid, _line, environ in seen if own.encode() in environ}
        assert holders == {str(follow.pid)}
        live = json.loads((town.state / "runs" / run_id / "live.json").read_bytes())
        command = Path(f"/proc/{live['command']['pid']}/environ").read_bytes()
        assert token.encode() not in command, "what opens this server is not for its commands"
    finally:
        follow.terminate()
        follow.wait(60)


def test_what_lies_on_the_disk_is_its_owners(town: Town) -> None:
    """No directory and no file of the state can be opened, or listed, by another user of the machine."""
    town.start("count", town.browser("otto"))
    modes = {path: path.lstat().st_mode & 0o077 for path in (town.state, *town.state.rglob("*"))}
    assert modes[town.state] == 0
    assert not [path for path, mode in modes.items() if path.is_relative_to(town.state / "auth") and mode]
    assert not [path for path, mode in modes.items() if path.is_dir() and mode]
    assert (town.directory / "audit.jsonl").stat().st_mode & 0o077 == 0
