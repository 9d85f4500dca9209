"""`run --share`: one run, served alone, for as long as it takes."""

import signal
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.wait import wait_for
from tests.system.cli.conftest import Program

HTML = {"Accept": "text/html"}


def ask(url: str, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Return the status, the cookie and the body of an answer."""
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.netloc, timeout=60)) as connection:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers.get("Set-Cookie", "").partition(";")[0], response.read().decode()


def is_gone(url: str) -> bool:
    """Tell whether nobody listens there any more."""
    try:
        ask(url)
    except (OSError, HTTPException):
        return True
    return False


def test_links_of_another_server_are_not_all_ended(program: Program) -> None:
    """Nor are those of this machine, of which nobody spoke: it is refused, with what to do."""
    program.detached("--", "true")
    assert program("share", "last").returncode == 0
    done = program("share", "--revoke-all", "--on", "http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"all links of a server are ended where it runs" in done.stderr
    assert b"hint: " in done.stderr
    assert b"good until" in program("share", "--list").stdout


def test_a_link_to_an_address_of_version_6(program: Program, tmp_path: Path) -> None:
    """It can be opened: the address stands in brackets."""
    (tmp_path / "tailrace.toml").write_text('[server]\nhost = "::1"\nport = 8123\nroot_path = "/ops"\n')
    program.detached("--", "true")
    done = program("share", "last", "--config", str(tmp_path / "tailrace.toml"))
    assert done.stdout.startswith(b"http://[::1]:8123/ops/runs/")


def test_a_run_is_served_alone(program: Program, tmp_path: Path) -> None:
    """By a link that is printed; nothing else is shown, ^C ends the run, and soon the server and the link too."""
    other = program.detached("--", "echo", "other")
    script = 'echo begun; while [ ! -e "$0" ]; do sleep 0.05; done'
    with (tmp_path / "err").open("wb") as err:
        words = ("--share", "--linger", "1s", "--", "sh", "-c", script, str(tmp_path / "gate"))
        process = program.start("run", *words, stderr=err.fileno())
    said = tmp_path / "err"
    wait_for(lambda: "share=" in said.read_text())
    link = next(word for word in said.read_text().split() if "share=" in word)
    page = link.partition("?")[0]
    root, run_id = page.split("/runs/")
    assert root.startswith("http://127.0.0.1:")
    status, cookie, _body = ask(link)
    assert status == 303
    known = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    wait_for(lambda: ask(f"{root}/api/runs/{run_id}/output?follow=0", known)[2] == "begun\n")
    assert ask(page, {**known, **HTML})[0] == 200
    assert ask(f"{root}/api/runs/{other}", known)[0] == 404
    assert ask(f"{root}/api/runs", known)[0] == 403
    status, _cookie, body = ask(f"{root}/", HTML)
    assert (status, "the link to the run once more" in body) == (401, True)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    wait_for(lambda: is_gone(page))
    wait_for(lambda: b"no links" in program("share", "--list").stderr)
