"""Ways out: by ids, by names of files, by parameters that are paths, and by what a download is called."""

import json
from pathlib import Path

import pytest

from tests.support.wait import wait_for
from tests.system.security.town import HTML, Town, refused
from tests.system.server.serving import raw

AWAY = (
    "..",
    "../../auth/token",
    "..%2f..%2fauth%2fsecret",
    "%2e%2e%2f%2e%2e%2fauth%2fsecret",
    "..%252f..%252fauth",
    "%2fetc%2fpasswd",
    "..%5c..%5cauth",
    "%00",
    "{run}%00.txt",
    "{run}%2f..%2f{run}",
    "{run}/",
    "{RUN}",
    "{run}x",
    "{prefix}",
    "a" * 8_000,
    "%c0%ae%c0%ae%2f",
    "\u2025",
    "*",
    "last",
)


def test_an_id_leads_nowhere_else(town: Town) -> None:
    """Whatever stands for a run's id, or a command's or a file's name: it is not found, and nothing is read."""
    run_id = town.start("count", town.browser("otto"))
    secret = town.vault.secret()
    cookie = town.cookie("anna")["Cookie"]
    places = ("/api/runs/{}", "/api/runs/{}/output", "/api/runs/{}/lines", "/runs/{}", "/page/{}", "/api/commands/{}")
    with town.unmoved():
        for away in AWAY:
            name = away.replace("{run}", run_id).replace("{RUN}", run_id.upper()).replace("{prefix}", run_id[:-1])
            for place in places:
                line = f"GET {place.format(name)} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n"
                answer = raw(town.serving, line.encode() + b"Connection: close\r\n\r\n")
                status = answer.split(b" ", 2)[1]
                assert status in {b"400", b"404"}, (place, away, answer)
                assert secret not in answer
                assert b"root:" not in answer


def test_an_id_in_a_query_leads_nowhere_else(town: Town) -> None:
    """As in a path; a cursor and a label are only compared."""
    anna = town.cookie("anna")
    for away in ("../../auth", "%00", "a" * 3_000, "..%2f..%2fauth%2fsecret"):
        refused(town.ask(f"/api/events?run={away}", anna), 400, 404)
        assert town.ask(f"/runs?run={away}", {**anna, **HTML}).status in {400, 404}
        assert town.ask(f"/api/runs?cursor={away}", anna).status in {200, 400}
        refused(town.ask("/api/events?run=x", anna, Last_Event_ID=f"{away[:60]}/0"), 400, 404)


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../town",
        "a/../../x",
        "/etc/passwd",
        "//etc/passwd",
        "out/passwd",
        "out",
        "./out/../out/passwd",
        "one.txt/..",
        "one.txt\u0000/etc/passwd",
        "~/x",
        "",
        ".",
        "a" * 4_090,
        "x/" * 2_000,
        "-one.txt",
        "@one.txt",
        "\\..\\x",
        "%2e%2e/x",
    ],
)
def test_a_path_stays_below_its_root(town: Town, path: str) -> None:
    """Not by two dots, as an absolute one, nor by a link: refused, whether it is there or not."""
    body = json.dumps({"parameters": {"report": path}}).encode()
    with town.unmoved():
        answer = town.ask(
            "/api/commands/read/runs", town.browser("otto"), "POST", body, Content_Type="application/json"
        )
        words = refused(answer, 400)
    assert "report" in words
    assert "/etc" not in words.replace(path, "")
    assert str(town.directory) not in words


def test_a_link_that_is_turned_after_the_look(town: Town) -> None:
    """The command has been given what the link led to then, and gets that."""
    link = town.directory / "reports" / "turned.txt"
    link.symlink_to("one.txt")
    run_id = town.waiting_for("read", {"report": "turned.txt"})
    link.unlink()
    link.symlink_to("/etc/passwd")
    town.type(run_id, b"go\n")
    assert town.output(run_id) == b"one\n"
    link.unlink()


def test_a_link_that_turns_all_the_time(town: Town) -> None:
    """Each start is refused, or gets a file below the root."""
    link = town.directory / "reports" / "turning.txt"
    targets = ("one.txt", "/etc/passwd")
    statuses = []
    for number in range(12):
        fresh = link.with_name("fresh")
        fresh.symlink_to(targets[number % 2])
        fresh.rename(link)
        body = json.dumps({"parameters": {"report": "turning.txt"}}).encode()
        answer = town.ask("/api/commands/all/runs", town.browser("otto"), "POST", body, Content_Type="application/json")
        statuses.append(answer.status)
        if answer.status == 201:
            assert Path(json.loads(answer.body)["argv"][-1]) == (town.directory / "reports" / "one.txt").resolve()
    assert statuses == [201, 400] * 6
    link.unlink()


def test_what_a_download_is_called(town: Town) -> None:
    """By the browser, after the address: no title, label or argument is ever in a header."""
    run_id = town.start("hostile", town.browser("otto"))
    wait_for(lambda: town.engine.get(run_id).is_finished)
    for path in (f"/api/runs/{run_id}", f"/api/runs/{run_id}/output", f"/runs/{run_id}", "/commands/hostile", "/"):
        for kind in ("text/plain", "text/event-stream", "application/x-asciicast", "text/html"):
            answer = town.ask(path, town.cookie("otto"), Accept=kind)
            assert answer.status in {200, 406}
            assert "content-disposition" not in answer.headers
            assert "evil" not in "".join(f"{name}{value}" for name, value in answer.headers.items())
