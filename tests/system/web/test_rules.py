"""What starts a run, what resumes one, and what does neither."""

import json
from collections.abc import Mapping

import pytest

from tailrace import Query, RunInfo
from tests.system.web.gate import query
from tests.system.web.sites import Answered, Reply, Site
from tests.unit.core.wires.event_source import parse

NUMBERS = [str(number) for number in range(1, 21)]
START = "/start" + query(["seq", "20"])
UNKNOWN = "0" * 27


def get(app: Site, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET") -> Reply:
    """Return the whole answer."""
    return app.open(path, method=method, headers=headers)


def runs_of(app: Site) -> tuple[RunInfo, ...]:
    """Return the runs that there are."""
    return app.engine.list(Query()).runs


def count(app: Site) -> int:
    """Return how many runs there are."""
    return len(runs_of(app))


def check_problem(response: Answered, status: int) -> None:
    """See that it is a problem document with a hint."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    document = json.loads(response.data)
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert document["hint"]


def events(response: Answered) -> list[tuple[str, str]]:
    """Return (data, id) of the lines in an answer."""
    assert response.status_code == 200
    return [(event.data, event.last_event_id) for event in parse(response.data) if event.type == "message"]


@pytest.fixture
def begun(app: Site) -> list[tuple[str, str]]:
    """Give the lines of a run that was started by `START`, with their ids."""
    return events(get(app, START + "&format=lines"))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_starts_one_run_and_gets_its_output(app: Site, method: str) -> None:
    """The answer is the output, with the headers of a live response and the run's id."""
    response = get(app, START, method=method)
    assert response.data.decode().split() == NUMBERS
    assert response.status_code == 200
    headers = dict(response.headers)
    assert headers.pop("Content-Length", str(len(response.data))) == str(len(response.data))  # there if it was quick
    assert headers == {
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "no-store, no-transform",
        "X-Accel-Buffering": "no",
        "X-Content-Type-Options": "nosniff",
        "Tailrace-Run": runs_of(app)[0].id,
    }
    assert count(app) == 1


def test_every_line_has_an_id_to_go_on_from(app: Site, begun: list[tuple[str, str]]) -> None:
    """From each id, the route that started the run gives exactly the rest of that run."""
    assert [data for data, _id in begun] == NUMBERS
    for index, (_data, event_id) in enumerate(begun):
        rest = events(get(app, START + "&format=lines", {"Last-Event-ID": event_id}))
        assert rest == begun[index + 1 :]
    assert count(app) == 1


def test_resuming_wins_over_the_wire_and_the_method(app: Site, begun: list[tuple[str, str]]) -> None:
    """A client that resumes by POST, on another wire, resumes."""
    response = get(app, START + "&format=text", {"Last-Event-ID": begun[9][1]}, method="POST")
    assert response.data.decode().split() == NUMBERS[10:]
    assert count(app) == 1


def test_who_has_the_end_gets_204(app: Site, begun: list[tuple[str, str]]) -> None:
    """An EventSource that has seen the end is told to stop, with nothing else."""
    ended = begun[-1][1] + "/end"
    assert parse(get(app, START + "&format=lines", {"Last-Event-ID": begun[3][1]}).data)[-1].last_event_id == ended
    response = get(app, START, {"Last-Event-ID": ended, "Accept": "text/event-stream"})
    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    assert "Content-Length" not in response.headers
    assert count(app) == 1


@pytest.mark.parametrize(
    ("path", "user"),
    [("/elsewhere", None), ("/start", "eve"), ("/elsewhere", "eve")],
    ids=["another route", "another user", "both"],
)
@pytest.mark.parametrize("tail", ["", "/end"])
def test_an_id_opens_nothing_elsewhere(
    app: Site, begun: list[tuple[str, str]], path: str, user: str | None, tail: str
) -> None:
    """An id is good for the route and the user that it was given to; anywhere else it is refused and starts nothing."""
    headers = {"Last-Event-ID": begun[4][1] + tail} | ({"X-User": user} if user else {})
    check_problem(get(app, START.replace("/start", path), headers), 403)
    assert count(app) == 1


def test_a_user_resumes_only_what_is_his(app: Site) -> None:
    """The same route tells users apart."""
    hers = events(get(app, START + "&format=lines", {"X-User": "ann"}))
    again = events(get(app, START + "&format=lines", {"X-User": "ann", "Last-Event-ID": hers[4][1]}))
    assert again == hers[5:]
    for other in ({"X-User": "eve"}, {}):
        check_problem(get(app, START, {"Last-Event-ID": hers[4][1], **other}), 403)
    assert runs_of(app)[0].by == "ann"
    assert count(app) == 1


def test_a_key_shares_a_run(app: Site) -> None:
    """Who may name a run's key may resume it; another key is no way in."""
    keyed = START + "&format=lines&key=deploy"
    hers = events(get(app, keyed, {"X-User": "ann"}))
    assert events(get(app, keyed, {"X-User": "bob", "Last-Event-ID": hers[4][1]})) == hers[5:]
    check_problem(get(app, START + "&key=other", {"X-User": "bob", "Last-Event-ID": hers[4][1]}), 403)
    check_problem(get(app, START, {"X-User": "bob", "Last-Event-ID": hers[4][1]}), 403)
    assert count(app) == 1


@pytest.mark.parametrize(
    ("event_id", "status"),
    [
        ("", 400),
        ("17", 400),
        ("a\0b", 400),
        ("\0", 400),
        ("x" * 10_000, 400),
        (f"{UNKNOWN}/1" + "0" * 9_000, 400),
        (f"{UNKNOWN}/-1", 400),
        (f"{UNKNOWN}/01", 400),
        (f"{UNKNOWN}/99999999999999999999", 400),
        ("../../etc/passwd/0", 400),
        (f"{UNKNOWN}/0, {UNKNOWN}/0", 400),
        (f"{UNKNOWN}/0", 404),
        (f"{UNKNOWN}/0/end", 404),
    ],
)
@pytest.mark.parametrize("path", [START, f"/watch/{UNKNOWN}"], ids=["starts", "watches"])
def test_an_id_that_is_none_of_ours_starts_nothing(app: Site, path: str, event_id: str, status: int) -> None:
    """Whatever is sent as Last-Event-ID, if it is not an id of a run here, it is an error with a hint."""
    response = get(app, path, {"Last-Event-ID": event_id})
    if "\0" in event_id and app.kind != "flask":
        assert response.status_code == 400  # the server's own: this is no header
    else:
        check_problem(response, status)
    assert count(app) == 0


def test_an_offset_beyond_the_end_is_416(app: Site, begun: list[tuple[str, str]]) -> None:
    """The id's run is right and its offset is not."""
    run_id = begun[0][1].partition("/")[0]
    check_problem(get(app, START, {"Last-Event-ID": f"{run_id}/9999"}), 416)
    assert count(app) == 1


def test_head_starts_nothing(app: Site) -> None:
    """HEAD tells the headers."""
    response = get(app, START + "&format=sse", method="HEAD")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in response.headers
    assert response.data == b""
    assert count(app) == 0


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Sec-Purpose", "prefetch", 503),
        ("Sec-Purpose", "prefetch;prerender", 503),
        ("Purpose", "prefetch", 503),
        ("X-Moz", "prefetch", 503),
        ("If-None-Match", '"x"', 412),
        ("If-None-Match", "*", 412),
        ("If-Modified-Since", "Sun, 22 Nov 2026 00:00:00 GMT", 412),
        ("If-Unmodified-Since", "Sun, 22 Nov 2026 00:00:00 GMT", 412),
        ("If-Match", "*", 412),
        ("If-Range", '"x"', 412),
        ("Range", "bytes=0-", 412),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Accept", "image/png", 406),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_nobody_means_starts_nothing(app: Site, header: str, value: str, status: int, method: str) -> None:
    """A guess of the browser, a question about an old response, another site's page: none starts a command."""
    check_problem(get(app, START, {header: value}, method=method), status)
    assert count(app) == 0


@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_a_page_of_the_same_site_may_start(app: Site, site: str) -> None:
    """What browsers say of an ordinary request is no obstacle."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Cache-Control": "no-cache"}
    assert get(app, START, headers).data.decode().split() == NUMBERS
    assert count(app) == 1


@pytest.mark.parametrize(
    ("option", "status"),
    [
        ("format=gif", 406),
        ("format=", 406),
        ("stream=stdin", 400),
        ("from=0", 400),
        ("from=5", 400),
        ("tail=5", 400),
        ("follow=0", 400),
    ],
)
def test_options_that_a_start_cannot_have(app: Site, option: str, status: int) -> None:
    """A place to begin at belongs to a run that is there already."""
    check_problem(get(app, f"{START}&{option}"), status)
    assert count(app) == 0


def test_a_command_that_cannot_be_is_refused(app: Site) -> None:
    """What the engine refuses comes back as a problem."""
    check_problem(get(app, "/start" + query([])), 400)
    check_problem(get(app, "/start" + query(["a\0b"])), 400)
    assert count(app) == 0


def test_one_stream_alone(app: Site) -> None:
    """A start may ask for one stream of the output."""
    both = "/start" + query(["sh", "-c", "echo out; echo err >&2"])
    assert get(app, both + "&stream=stderr").data == b"err\n"
    assert get(app, both + "&stream=stdout").data == b"out\n"
