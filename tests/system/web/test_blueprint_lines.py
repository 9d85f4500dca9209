"""Lines by number over HTTP: of live runs, finished ones, and outputs that are no text."""

import json
import shlex
from pathlib import Path

import pytest
from flask import Flask

from tailrace import Engine
from tailrace.engine.run import Run
from tailrace.web.excerpt import TEXT_CHARS
from tailrace.web.routes import lines as route
from tests.support.wait import wait_for
from tests.system.web.mounted import Policy, ask, mounted
from tests.system.web.test_rules import check_problem

QUICK = [("TERM", 30)]


@pytest.fixture
def app(state_dir: Path, policy: Policy) -> Flask:
    """Give the application."""
    return mounted(state_dir, policy)


class Page:
    """A page of lines."""

    def __init__(self, app: Flask, run: Run, query: str = "") -> None:
        response = ask(app, f"/ops/api/runs/{run.id}/lines{query}")
        assert response.status_code == 200, response.data
        assert response.headers["Content-Type"] == "application/json"
        document = json.loads(response.data)
        assert list(document) == ["start", "lines", "next", "begin", "end", "total", "counted", "size", "complete"]
        self.start: int = document["start"]
        self.lines: list[dict[str, str | int | float | bool | None]] = document["lines"]
        self.next: int | None = document["next"]
        self.begin: int | None = document["begin"]
        self.end: int | None = document["end"]
        self.total: int | None = document["total"]
        self.counted: int = document["counted"]
        self.size: int = document["size"]
        self.complete: bool = document["complete"]
        numbers = [line["number"] for line in self.lines]
        assert numbers == list(range(self.start, self.start + len(numbers)))

    @property
    def texts(self) -> list[str]:
        """The lines' texts."""
        return [str(line["text"]) for line in self.lines]


def printed(engine: Engine, script: str) -> Run:
    """Return a run, ended, of this shell script."""
    run = engine.start(["sh", "-c", script], by="ann")
    run.wait(60)
    return run


def bytes_of(engine: Engine, data: bytes, tmp_path: Path) -> Run:
    """Return a run, ended, that printed these bytes."""
    (tmp_path / "data").write_bytes(data)
    return printed(engine, f"cat {shlex.quote(str(tmp_path / 'data'))}")


def test_a_page_of_lines(app: Flask, engine: Engine) -> None:
    """From any line, as many as wanted, counted from 1; the next page begins where this one ends."""
    run = printed(engine, "seq 5000")
    page = Page(app, run, "?start=100&count=3")
    assert (page.start, page.texts, page.next) == (100, ["100", "101", "102"], 103)
    assert (page.total, page.size, page.counted, page.complete) == (5000, 23893, 23893, True)
    assert page.lines[0]["offset"] == 9 * 2 + 90 * 3
    assert page.lines[0]["stream"] == "stdout"
    assert float(str(page.lines[0]["time"])) >= 0
    assert list(page.lines[0]) == ["number", "offset", "time", "stream", "text"]
    assert (page.begin, page.end) == (9 * 2 + 90 * 3, 9 * 2 + 90 * 3 + 3 * 4)
    whole: list[str] = []
    following: int | None = 1
    while following is not None:
        page = Page(app, run, f"?start={following}&count=1700")
        whole += page.texts
        following = page.next
    assert whole == [str(number) for number in range(1, 5001)]
    assert len(Page(app, run).lines) == 1000


def test_other_ways_to_say_the_start(app: Flask, engine: Engine) -> None:
    """From the end, by a byte, by a time; with `count=0` only where that is."""
    run = printed(engine, "seq 1000; printf end")
    assert (Page(app, run, "?start=-2").texts, Page(app, run, "?start=-2").next) == (["1000", "end"], None)
    assert Page(app, run, "?last=2&count=1").texts == ["1000"]
    assert Page(app, run, "?last=5000&count=1").texts == ["1"]
    assert Page(app, run, "?last=5000").texts == list(map(str, range(1, 1001)))
    before = Page(app, run, "?before=21&count=3")
    assert (before.texts, before.start, before.next, before.begin, before.end) == (["8", "9", "10"], 8, 11, 14, 21)
    assert Page(app, run, "?before=20&count=1").texts == ["10"]
    assert Page(app, run, "?before=22&count=1").texts == ["11"]
    assert Page(app, run, "?before=5").texts == ["1", "2", "3"]
    assert Page(app, run, "?before=3896&count=2").texts == ["1000", "end"]
    nothing = Page(app, run, "?before=0")
    assert (nothing.start, nothing.lines, nothing.next, nothing.begin, nothing.end) == (1, [], 1, 0, 0)
    nothing = Page(app, run, "?before=4&count=0")
    assert (nothing.start, nothing.lines, nothing.next, nothing.begin, nothing.end) == (3, [], 3, 4, 4)
    assert Page(app, run, "?at=0&count=1").texts == ["1"]
    assert Page(app, run, "?at=21&count=1").texts == ["11"]
    assert Page(app, run, "?at=23&count=1").texts == ["11"]
    end = Page(app, run, "?at=3896")
    assert (end.start, end.texts, end.lines[0]["partial"]) == (1001, ["end"], True)
    assert Page(app, run, "?time=1000000.5&count=0").start in (1000, 1001)
    nothing = Page(app, run, "?time=0&count=0")
    assert (nothing.start, nothing.lines, nothing.next, nothing.total) == (1, [], 1, 1001)


def test_a_time_is_where_the_output_was(app: Flask, engine: Engine, tmp_path: Path) -> None:
    """A line that came later is found by its own time, and not by that of the one before."""
    gate = tmp_path / "gate"
    run = engine.start(
        ["sh", "-c", f"echo one; while ! [ -e {gate} ]; do sleep 0.01; done; sleep 0.05; echo two"],
        by="ann",
        ladder=QUICK,
    )
    wait_for(lambda: run.info().size == 4)
    gate.touch()
    run.wait(60)
    first, second = Page(app, run).lines
    assert Page(app, run, f"?time={second['time']}&count=1").texts == ["two"]
    assert Page(app, run, f"?time={first['time']}&count=1").texts == ["one"]


def test_lines_of_both_streams(app: Flask, engine: Engine, tmp_path: Path) -> None:
    """A line is the output's, and named after the stream of its first byte."""
    gate = tmp_path / "gate"
    run = engine.start(
        ["sh", "-c", f"printf a >&2; while ! [ -e {gate} ]; do sleep 0.01; done; echo b; echo c"],
        by="ann",
        ladder=QUICK,
    )
    wait_for(lambda: run.info().size == 1)
    gate.touch()
    run.wait(60)
    assert [(line["text"], line["stream"]) for line in Page(app, run).lines] == [("ab", "stderr"), ("c", "stdout")]


@pytest.mark.parametrize(
    ("data", "texts", "is_partial"),
    [
        (b"", [], False),
        (b"\n", [""], False),
        (b"\n\n", ["", ""], False),
        (b"a", ["a"], True),
        (b"a\r\nb\rc\n", ["a\r", "b\rc"], False),
        (b"\xff\xc3\n\xe9", ["\ufffd\ufffd", "\ufffd"], True),
        ("\u2028\x0b\x0c\x85é\n\0".encode(), ["\u2028\x0b\x0c\x85é", "\0"], True),
    ],
)
def test_what_is_a_line(
    app: Flask, engine: Engine, tmp_path: Path, data: bytes, texts: list[str], *, is_partial: bool
) -> None:
    """It ends at LF, and only there; other bytes are in its text, U+FFFD where they are no character."""
    page = Page(app, bytes_of(engine, data, tmp_path))
    assert (page.texts, page.total, page.next) == (texts, len(texts), None)
    assert [line.get("partial", False) for line in page.lines] == [False] * (len(texts) - 1) + [is_partial] * bool(
        texts
    )


def test_a_live_run(app: Flask, engine: Engine) -> None:
    """The lines so far; half a line too, which is where the next page begins."""
    run = engine.start(["cat"], by="ann", stdin=True, ladder=QUICK)
    page = Page(app, run)
    assert (page.lines, page.next, page.total, page.complete) == ([], 1, 0, False)
    run.send(b"one\ntw")
    wait_for(lambda: run.info().size == 6)
    page = Page(app, run)
    assert (page.texts, page.next, page.total, page.complete) == (["one", "tw"], 2, 2, False)
    run.send(b"o\n")
    wait_for(lambda: run.info().size == 8)
    page = Page(app, run, "?start=2")
    assert (page.texts, page.next, page.total) == (["two"], 3, 2)
    assert (Page(app, run, "?start=3").lines, Page(app, run, "?start=3").next) == ([], 3)
    check_problem(ask(app, f"/ops/api/runs/{run.id}/lines?start=4"), 416)
    run.close_input()
    run.wait(60)
    assert (Page(app, run, "?start=3").next, Page(app, run, "?start=3").complete) == (None, True)


def test_long_lines(app: Flask, engine: Engine) -> None:
    """One is cut at 64 KiB, and what is not shown can be had; the lines behind it are there at once."""
    run = printed(engine, "echo a; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo b; head -c 2000000 /dev/zero")
    page = Page(app, run)
    assert (page.total, page.next) == (4, None)
    lengths = [len(text) for text in page.texts]
    assert lengths == [1, 65536, 1, 65536]
    assert [line.get("continued", False) for line in page.lines] == [False, True, False, True]
    assert [line.get("partial", False) for line in page.lines] == [False, False, False, True]
    rest = page.lines[1]["rest"]
    assert rest == 2 + 65536
    output = ask(app, f"/ops/api/runs/{run.id}/output?from={rest}").data
    assert output.startswith(b"x" * (3_000_000 - 65536) + b"\nb\n")
    (again,) = Page(app, run, "?at=1000000&count=1").lines
    assert {**again, "time": None} == {**page.lines[1], "time": None}


def test_a_page_is_bounded(app: Flask, engine: Engine) -> None:
    """However many long lines there are, a page ends after about 1 MiB of text, and says where the next one begins."""
    run = printed(engine, "for n in $(seq 40); do head -c 100000 /dev/zero | tr '\\0' x; echo $n; done")
    sizes: list[int] = []
    following: int | None = 1
    while following is not None:
        page = Page(app, run, f"?start={following}&count=5000")
        sizes.append(len(page.lines))
        following = page.next
    assert sizes == [16, 16, 8]
    assert sum(map(len, Page(app, run).texts)) == TEXT_CHARS


def test_counting_is_bounded(app: Flask, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where much has not been counted, a line's number and the total come after some requests."""
    run = printed(engine, "seq 200000")
    monkeypatch.setattr(route, "COUNTED_BYTES", 1)
    pages = [Page(app, run, "?start=150000&count=1")]
    while not pages[-1].lines:
        assert (pages[-1].start, pages[-1].next, pages[-1].begin, pages[-1].end) == (150_000, 150_000, None, None)
        assert pages[-1].total is None
        assert pages[-1].counted < pages[-1].size
        pages.append(Page(app, run, "?start=150000&count=1"))
    assert len({page.counted for page in pages}) == len(pages) > 2
    assert pages[-1].texts == ["150000"]
    while (page := Page(app, run, "?start=200000")).total is None:
        pass
    assert (page.texts, page.total, page.counted) == (["200000"], 200_000, page.size)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("start=0", 400),
        ("start=x", 400),
        ("start=1.5", 400),
        ("start=%D9%A1", 400),
        ("start=-", 400),
        ("start=9999999999999999999", 400),
        ("start=3", 416),
        ("at=2", 416),
        ("at=-1", 400),
        ("before=2", 416),
        ("before=-1", 400),
        ("before=1&at=1", 400),
        ("before=1", 200),
        ("last=0", 400),
        ("time=-1", 400),
        ("time=nan", 400),
        ("time=1e9", 400),
        ("count=5001", 400),
        ("count=-1", 400),
        ("start=1&at=1", 400),
        ("start=1&start=1", 400),
        ("line=1", 400),
        ("", 200),
        ("start=1", 200),
        ("start=-9223372036854775807", 200),
    ],
)
def test_what_makes_no_sense(app: Flask, engine: Engine, query: str, status: int) -> None:
    """It is refused with what to do, not guessed at."""
    run = printed(engine, "printf a")
    response = ask(app, f"/ops/api/runs/{run.id}/lines?{query}")
    if status == 200:
        assert response.status_code == 200
    else:
        check_problem(response, status)


def test_who_may_not_view_has_no_lines(app: Flask, engine: Engine) -> None:
    """Nor learns that there is a run."""
    run = printed(engine, "echo secret")
    for path in ("lines", "search?q=secret"):
        response = ask(app, f"/ops/api/runs/{run.id}/{path}", user="eve")
        check_problem(response, 404)
        assert b"secret" not in response.data


def test_an_index_of_any_kind(app: Flask, engine: Engine, state_dir: Path) -> None:
    """It is made by asking, and may be deleted or spoilt at any time."""
    run = printed(engine, "seq 300000")
    index = state_dir / "runs" / run.id / "lines"
    assert not index.exists()
    wanted = Page(app, run, "?start=299999").texts
    assert wanted == ["299999", "300000"]
    assert index.exists()
    for spoil in (index.unlink, lambda: index.write_bytes(b"x" * 1000)):
        spoil()
        assert Page(app, run, "?start=299999").texts == wanted


def test_an_output_that_has_been_cut(app: Flask, engine: Engine, state_dir: Path) -> None:
    """What is left of it has lines and can be searched; the output itself says what is missing."""
    run = printed(engine, "seq 100")
    (state_dir / "runs" / run.id / "output").write_bytes(b"1\n2\n3")
    page = Page(app, run)
    assert (page.texts, page.total, page.size, page.next) == (["1", "2", "3"], 3, 5, None)
    found = json.loads(ask(app, f"/ops/api/runs/{run.id}/search?q=3").data)
    assert ([hit["number"] for hit in found["hits"]], found["next"]) == ([3], None)
    (state_dir / "runs" / run.id / "output").unlink()
    assert Page(app, run).lines == []
    check_problem(ask(app, f"/ops/api/runs/{run.id}/search?q=3&from=1"), 416)
