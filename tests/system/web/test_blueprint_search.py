"""Search over HTTP: pages of hits, and hits as they come."""

import json
import sys
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from tailrace import Engine
from tailrace.core.lineindex import STRIDE_BYTES
from tailrace.engine.run import Run
from tailrace.web import matching
from tailrace.web.routes import search as route
from tests.support.wait import wait_for
from tests.system.web.mounted import Policy, ask, mounted
from tests.system.web.test_rules import check_problem

QUICK = [("TERM", 30)]
SSE = {"Accept": "text/event-stream"}


@pytest.fixture
def app(state_dir: Path, policy: Policy) -> Flask:
    """Give the application."""
    return mounted(state_dir, policy)


class Hit:
    """One hit."""

    def __init__(self, fields: dict[str, object]) -> None:
        self.fields = fields
        self.number = fields["number"]
        self.text = str(fields["text"])
        self.columns = [tuple(pair) for pair in json.loads(json.dumps(fields["columns"]))]

    @property
    def matches(self) -> list[str]:
        """What the columns mark."""
        return [self.text[begin:end] for begin, end in self.columns]


class Page:
    """A page of hits."""

    def __init__(self, app: Flask, run: Run, query: str) -> None:
        response = ask(app, f"/ops/api/runs/{run.id}/search?{query}")
        assert response.status_code == 200, response.data
        assert response.headers["Content-Type"] == "application/json"
        document = json.loads(response.data)
        assert list(document) == ["hits", "next", "size", "complete"]
        self.hits = [Hit(fields) for fields in document["hits"]]
        self.next: int | None = document["next"]
        self.size: int = document["size"]
        self.complete: bool = document["complete"]

    @property
    def numbers(self) -> list[object]:
        """The numbers of the lines."""
        return [hit.number for hit in self.hits]


def printed(engine: Engine, script: str) -> Run:
    """Return a run, ended, of this shell script."""
    run = engine.start(["sh", "-c", script], by="ann")
    run.wait(60)
    return run


def events_of(stream: bytes) -> list[tuple[str, str, str]]:
    """Return (id, event, data) of each event of a stream."""
    found = []
    for block in stream.decode().split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            found.append((fields.get("id", ""), fields.get("event", ""), fields["data"]))
    return found


def stream_of(app: Flask, run: Run, query: str, **headers: str) -> list[tuple[str, str, str]]:
    """Return all events of a streamed search, without those of the run's state."""
    response = ask(app, f"/ops/api/runs/{run.id}/search?{query}", headers={**SSE, **headers})
    assert response.status_code == 200, response.data
    assert response.headers["Content-Type"] == "text/event-stream"
    return [event for event in events_of(response.data) if event[1] != "state"]


def test_a_page_of_hits(app: Flask, engine: Engine) -> None:
    """Lines with their numbers, places, times, and the columns of all matches."""
    run = printed(engine, "seq 100; echo 'é 7 and 77 7'")
    page = Page(app, run, "q=7")
    assert page.numbers == [7, 17, 27, 37, 47, 57, 67, *range(70, 80), 87, 97, 101]
    assert (page.next, page.size, page.complete) == (None, 306, True)
    hit = page.hits[-1]
    assert hit.columns == [(2, 3), (8, 9), (9, 10), (11, 12)]
    assert list(hit.fields) == ["number", "offset", "time", "stream", "text", "columns", "match"]
    assert (hit.fields["offset"], hit.fields["match"], hit.fields["stream"]) == (292, 295, "stdout")
    (line,) = json.loads(ask(app, f"/ops/api/runs/{run.id}/lines?start=101&count=1").data)["lines"]
    assert (line["text"], line["offset"]) == (hit.text, hit.fields["offset"])


def test_pages_one_after_another(app: Flask, engine: Engine) -> None:
    """Each goes on where the one before ended; together they have every hit once. A search may begin anywhere."""
    run = printed(engine, "seq 30000")
    numbers: list[object] = []
    following: int | None = 0
    while following is not None:
        page = Page(app, run, f"q=77&from={following}&count=90")
        assert len(page.hits) <= 90
        numbers += page.numbers
        following = page.next
    assert numbers == [number for number in range(30001) if "77" in str(number)]
    assert Page(app, run, "q=77&start=200&count=1").numbers == [277]
    assert Page(app, run, "q=7&from=12&count=1").hits[0].fields["match"] == 12


def test_a_place_far_behind_what_has_been_counted(app: Flask, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is searched from at once, and numbers are 0; they are there when it has been counted."""
    monkeypatch.setattr(route, "COUNTED_BYTES", STRIDE_BYTES)
    run = printed(engine, "seq 300000")
    page = Page(app, run, "q=99999&from=1800000&count=2")
    assert [(hit.number, hit.text) for hit in page.hits] == [(0, "299999")]
    page = Page(app, run, "q=^29999&regex=1&from=1800002")
    assert [(hit.number, hit.text) for hit in page.hits] == [(0, f"29999{digit}") for digit in range(10)]
    assert ask(app, f"/ops/api/runs/{run.id}/lines?last=1").status_code == 200
    assert Page(app, run, "q=99999&from=1800000").numbers == [299999]


def test_expressions(app: Flask, engine: Engine) -> None:
    """RE2's, line by line, and with `ignore_case` whatever the case."""
    run = printed(engine, r"printf 'Error 12\r\nerror\nno\n\n\377error 3\n'")
    assert Page(app, run, "q=error&ignore_case=1").numbers == [1, 2, 5]
    assert Page(app, run, "q=e..or").numbers == []
    page = Page(app, run, "q=(?i)e..or%20(%3FP%3Cn%3E\\d%2B)&regex=1")
    assert [hit.matches for hit in page.hits] == [["Error 12"], ["error 3"]]
    assert page.hits[1].columns == [(1, 8)]
    assert Page(app, run, "q=^e.*r$&regex=1").numbers == [2]
    assert Page(app, run, "q=^ERROR&regex=1&ignore_case=1").numbers == [1, 2]
    assert Page(app, run, "q=^$&regex=1").numbers == [4]
    everywhere = Page(app, run, "q=x*&regex=1")
    assert [(hit.number, hit.columns) for hit in everywhere.hits] == [(number, [(0, 0)]) for number in range(1, 6)]


def test_a_live_run_is_searched_as_far_as_it_is(app: Flask, engine: Engine) -> None:
    """Half a line is not searched; the next page begins with it, and the last one has it all the same."""
    run = engine.start(["cat"], by="ann", stdin=True, ladder=QUICK)
    run.send(b"one\nno ne")
    wait_for(lambda: run.info().size == 9)
    page = Page(app, run, "q=ne")
    assert (page.numbers, page.next, page.complete) == ([1], 4, False)
    run.close_input()
    run.wait(60)
    page = Page(app, run, "q=ne&from=4")
    assert (page.numbers, page.next, page.complete) == ([2], None, True)


def test_a_page_takes_bounded_time(app: Flask, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """When that is over, the page has what was found, and says how far it came."""
    run = printed(engine, "seq 20000")
    monkeypatch.setattr(route, "PATIENCE_S", -1.0)
    numbers: list[object] = []
    pages, following = 0, 0
    while True:
        page = Page(app, run, f"q=9999&from={following}")
        numbers += page.numbers
        pages += 1
        if page.next is None:
            break
        assert page.next > following
        following = page.next
    assert numbers == [9999, 19999]
    assert pages > 2


def test_a_page_has_bounded_text(app: Flask, engine: Engine) -> None:
    """A hit shows 4 KiB of its line, and a page ends after 1 MiB."""
    run = printed(engine, "yes needle-$(head -c 8000 /dev/zero | tr '\\0' x)-needle | head -n 300")
    page = Page(app, run, "q=needle&count=1000")
    assert len(page.hits) == 409
    first, second = page.hits[:2]
    assert (len(first.text), first.matches, first.fields["continued"]) == (4096, ["needle"], True)
    assert (len(second.text), second.matches, second.number) == (1030, ["needle"], 1)
    assert (second.fields["match"], second.fields["skipped"], "continued" in second.fields) == (8008, 6984, False)
    found = len(page.hits)
    while page.next is not None:
        page = Page(app, run, f"q=needle&count=1000&from={page.next}")
        found += len(page.hits)
    assert found == 600


def test_a_long_line_has_a_hit_for_each_place(app: Flask, engine: Engine) -> None:
    """However long it is: pages go on in the middle of it."""
    run = printed(engine, "for n in $(seq 30); do head -c 100000 /dev/zero; printf needle; done")
    places: list[object] = []
    following: int | None = 0
    while following is not None:
        page = Page(app, run, f"q=needle&count=7&from={following}")
        assert set(page.numbers) <= {1}
        places += [hit.fields["match"] for hit in page.hits]
        following = page.next
    assert places == [100_000 * n + 6 * (n - 1) for n in range(1, 31)]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("q=", 400),
        ("q=a%0Ab", 400),
        ("q=" + "a" * 1001, 400),
        ("q=(&regex=1", 400),
        ("q=a{1001}&regex=1", 400),
        ("q=(?=a)&regex=1", 400),
        ("q=a&regex=2", 400),
        ("q=a&ignore_case=yes", 400),
        ("q=a&count=0", 400),
        ("q=a&count=1001", 400),
        ("q=a&from=-1", 400),
        ("q=a&from=3", 416),
        ("q=a&start=0", 400),
        ("q=a&start=3", 416),
        ("q=a&from=0&start=1", 400),
        ("q=a&q=b", 400),
        ("q=a&follow=1", 400),
        ("q=a&format=sse&count=1", 400),
        ("q=a&format=sse&follow=2", 400),
        ("q=a&format=text", 406),
        ("q=a&what=1", 400),
    ],
)
def test_what_makes_no_sense(app: Flask, engine: Engine, query: str, status: int) -> None:
    """It is refused with what to do; a pattern in RE2's words."""
    run = printed(engine, "echo a")
    check_problem(ask(app, f"/ops/api/runs/{run.id}/search?{query}"), status)


def test_nothing_to_search_for(app: Flask, engine: Engine) -> None:
    """It is said how to say it."""
    run = printed(engine, "echo a")
    problem = json.loads(ask(app, f"/ops/api/runs/{run.id}/search").data)
    assert (problem["detail"], problem["hint"]) == ("there is nothing to search for", "say it in the query: ?q=TEXT")


def test_a_form_that_there_is_not(app: Flask, engine: Engine) -> None:
    """406; whoever takes anything, or JSON, gets pages."""
    run = printed(engine, "echo a")
    path = f"/ops/api/runs/{run.id}/search?q=a"
    check_problem(ask(app, path, headers={"Accept": "image/png"}), 406)
    for accept in ("*/*", "application/json", "application/*;q=0.5", ""):
        assert ask(app, path, headers={"Accept": accept}).headers["Content-Type"] == "application/json"
    assert ask(app, path, headers={"Accept": "application/x-ndjson"}).headers["Content-Type"] == "application/x-ndjson"


def test_without_re2(app: Flask, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain text is found; an expression is refused, with what to install."""
    run = printed(engine, "echo aB")
    monkeypatch.setitem(sys.modules, "re2", None)
    matching.has_re2.cache_clear()
    try:
        assert Page(app, run, "q=Ab&ignore_case=1").numbers == [1]
        response = ask(app, f"/ops/api/runs/{run.id}/search?q=a&regex=1")
        check_problem(response, 400)
        assert "google-re2" in json.loads(response.data)["hint"]
    finally:
        matching.has_re2.cache_clear()


# Streams


def test_a_stream_of_a_finished_run(app: Flask, engine: Engine) -> None:
    """The hits of the pages, each with an id; then the end, behind which there is nothing."""
    run = printed(engine, "seq 1000; printf 1000")
    events = stream_of(app, run, "q=99")
    hits = [json.loads(data) for _id, name, data in events if name == "hit"]
    assert hits == [hit.fields for hit in Page(app, run, "q=99").hits]
    assert [name for _id, name, _data in events[len(hits) :]] == ["end"]
    assert events[-1][0] == f"{run.id}/3897/end"
    assert len(stream_of(app, run, "q=1000")) == 3
    over = ask(app, f"/ops/api/runs/{run.id}/search?q=99", headers={**SSE, "Last-Event-ID": events[-1][0]})
    assert over.status_code == 204


def test_a_stream_resumes_behind_any_hit(app: Flask, engine: Engine) -> None:
    """With the id of an event come those behind it, whatever the query says about the start."""
    run = printed(engine, "seq 300; printf 'x%.0s' $(seq 300); head -c 200000 /dev/zero; printf 'x%.0s' $(seq 300)")
    for query in ("q=9", "q=x", "q=[0-9x]%2B&regex=1"):
        events = stream_of(app, run, query)
        for place in range(0, len(events), 7):
            resumed = stream_of(app, run, f"{query}&start=5", **{"Last-Event-ID": events[place][0]})
            assert [event[0] for event in resumed] == [event[0] for event in events[place + 1 :]]
    other = printed(engine, "echo x")
    path = f"/ops/api/runs/{other.id}/search?q=x"
    check_problem(ask(app, path, headers={**SSE, "Last-Event-ID": f"{run.id}/0"}), 400)


def test_ndjson(app: Flask, engine: Engine) -> None:
    """The same objects, one a line, each with its type; complete with its end."""
    run = printed(engine, "seq 1000")
    response = ask(app, f"/ops/api/runs/{run.id}/search?q=99&format=ndjson")
    objects = [json.loads(line) for line in response.data.splitlines()]
    hits = [hit.fields for hit in Page(app, run, "q=99").hits]
    assert [each["type"] for each in objects] == ["state", *["hit"] * len(hits), "end"]
    assert [{**hit, "type": "hit"} for hit in hits] == objects[1:-1]


def test_hits_come_while_the_run_is_live(app: Flask, engine: Engine) -> None:
    """A line is searched when it is complete; the stream ends with the run."""
    run = engine.start(["cat"], by="ann", stdin=True, ladder=QUICK)
    run.send(b"no\nyes 1\nye")
    wait_for(lambda: run.info().size == 11)
    response = app.test_client().get(
        f"/ops/api/runs/{run.id}/search?q=yes", headers={**SSE, "X-User": "ann"}, buffered=False
    )
    with closing(response):
        seen = b""
        parts = response.iter_encoded()
        while b'"text":"yes 1"' not in seen:
            seen += next(parts)
        run.send(b"s 2\n")
        while b'"text":"yes 2"' not in seen:
            seen += next(parts)
        run.send(b"last yes")
        run.close_input()
        seen += b"".join(parts)
    events = [event for event in events_of(seen) if event[1] != "state"]
    assert [(name, json.loads(data).get("number")) for _id, name, data in events] == [
        ("hit", 2), ("hit", 3), ("hit", 4), ("end", None)
    ]  # fmt: skip


def test_a_stream_without_following(app: Flask, engine: Engine) -> None:
    """With `follow=0` it ends where the output did."""
    run = engine.start(["cat"], by="ann", stdin=True, ladder=QUICK)
    run.send(b"yes 1\nyes 2\n")
    wait_for(lambda: run.info().size == 12)
    events = stream_of(app, run, "q=yes&follow=0")
    assert [json.loads(data)["number"] for _id, _name, data in events] == [1, 2]


def test_a_stream_tells_how_far_it_is(app: Flask, engine: Engine) -> None:
    """Where nothing is found for long, `searched` has an id to go on from."""
    run = printed(engine, "seq 3000000; echo needle")
    events = stream_of(app, run, "q=needle")
    assert [name for _id, name, _data in events] == ["searched"] * 5 + ["hit", "end"]
    resumed = stream_of(app, run, "q=needle", **{"Last-Event-ID": events[3][0]})
    assert len(resumed) < len(events)
    assert [event[:2] for event in resumed[-2:]] == [event[:2] for event in events[-2:]]
    assert json.loads(events[5][2])["number"] == 3_000_001


def test_a_flood_of_hits_comes_in_small_parts(app: Flask, engine: Engine) -> None:
    """A short line can become a long hit: what is made of one look stays small."""
    run = printed(engine, "yes '' | head -n 100000")
    response = app.test_client().get(
        f"/ops/api/runs/{run.id}/search?q=^&regex=1&format=ndjson", headers={"X-User": "ann"}, buffered=False
    )
    with closing(response):
        sizes = [(len(part), part.count(b'"type":"hit"')) for part in response.iter_encoded()]
    assert sum(hits for _size, hits in sizes) == 100_000
    assert max(size for size, _hits in sizes) < 6 << 20
