"""Watching a run that is there already."""

import json
from pathlib import Path

import pytest

from tailrace import Engine, Query
from tests.support.wait import wait_for
from tests.system.web.conftest import EACH_PATH
from tests.system.web.gate import gated
from tests.system.web.sites import Site
from tests.system.web.test_rules import check_problem, count, get
from tests.system.web.told import assert_stopped_by_ladder
from tests.unit.core.wires.event_source import EventSource, parse

pytestmark = EACH_PATH

OUTPUT = "".join(f"{number}\n" for number in range(1, 101)).encode()


@pytest.fixture
def run_id(engine: Engine) -> str:
    """Give a finished run that has written `OUTPUT`."""
    run = engine.start(["seq", "100"])
    run.wait(60)
    return run.id


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", OUTPUT),
        ("?from=0", OUTPUT),
        ("?from=100", OUTPUT[100:]),
        (f"?from={len(OUTPUT)}", b""),
        ("?tail=3", b"98\n99\n100\n"),
        ("?tail=0", b""),
        ("?tail=1000", OUTPUT),
        ("?stream=stdout", OUTPUT),
        ("?stream=stderr", b""),
        ("?follow=0", OUTPUT),
        ("?follow=0&tail=1", b"100\n"),
    ],
)
def test_options(app: Site, run_id: str, options: str, expected: bytes) -> None:
    """Each option gives its part of the output; nothing is run."""
    response = get(app, f"/watch/{run_id}{options}")
    assert (response.status_code, response.data) == (200, expected)
    assert response.headers["Tailrace-Run"] == run_id
    assert count(app) == 1


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ("?from=-1", 400),
        ("?from=x", 400),
        ("?from=", 400),
        ("?from=1.5", 400),
        ("?from=%D9%A1", 400),
        ("?from=99999999999999999999", 400),
        (f"?from={len(OUTPUT) + 1}", 416),
        ("?tail=-1", 400),
        ("?from=1&tail=1", 400),
        ("?stream=both", 400),
        ("?follow=maybe", 400),
        ("?format=gif", 406),
        ("?ansi=none", 400),
        ("?ansi=strip&format=cast", 400),
    ],
)
def test_options_that_make_no_sense(app: Site, run_id: str, options: str, status: int) -> None:
    """The error says which, and what to do."""
    check_problem(get(app, f"/watch/{run_id}{options}"), status)


@pytest.mark.parametrize("name", ["nothing", "0" * 27, "0" * 26 + "u", "..", "%00"])
def test_a_run_that_is_not_there(app: Site, name: str) -> None:
    """404, whatever the name looks like."""
    check_problem(get(app, f"/watch/{name}"), 404)


def test_a_finished_text_has_its_length(app: Site, run_id: str) -> None:
    """Without chunks, the length shows what was cut short."""
    assert get(app, f"/watch/{run_id}?from=2").headers["Content-Length"] == str(len(OUTPUT) - 2)
    head = get(app, f"/watch/{run_id}", method="HEAD")
    assert (head.headers["Content-Length"], head.data) == (str(len(OUTPUT)), b"")
    assert "Content-Length" not in get(app, f"/watch/{run_id}?stream=stdout").headers


def test_an_output_without_colours(app: Site, engine: Engine) -> None:
    """Escape sequences are left out on any wire; what is left has no length before, no tag and no ranges."""
    run = engine.start(["printf", "\\033[31mred\\033[0m\\nplain\\n"])
    run.wait()
    answer = get(app, f"/watch/{run.id}?ansi=strip", {"Range": "bytes=2-"})
    assert (answer.status_code, answer.data) == (200, b"red\nplain\n")
    assert not {"Content-Length", "ETag", "Accept-Ranges"} & set(answer.headers)
    events = parse(get(app, f"/watch/{run.id}?ansi=strip&format=lines").data)
    lines = [event for event in events if event.type == "message"]
    assert [event.data for event in lines] == ["red", "plain"]
    rest = get(app, f"/watch/{run.id}?ansi=strip&format=lines", {"Last-Event-ID": lines[0].last_event_id})
    assert [event.data for event in parse(rest.data) if event.type == "message"] == ["plain"]


def test_any_viewer_resumes_where_he_is(app: Site, engine: Engine, run_id: str) -> None:
    """On a route that only watches, an id goes on, and one of another run is refused."""
    whole = parse(get(app, f"/watch/{run_id}?format=sse").data)
    at = next(event.last_event_id for event in whole if event.type == "output")
    rest = parse(get(app, f"/watch/{run_id}?format=sse&tail=1", {"Last-Event-ID": at}).data)
    assert [event.type for event in rest] == ["state", "end"]
    assert get(app, f"/watch/{run_id}", {"Last-Event-ID": whole[-1].last_event_id}).status_code == 204
    other = engine.start(["true"])
    check_problem(get(app, f"/watch/{other.id}", {"Last-Event-ID": at}), 400)


@pytest.mark.parametrize(
    ("headers", "content_type"),
    [
        ({}, "text/plain; charset=utf-8"),
        ({"Accept": "*/*"}, "text/plain; charset=utf-8"),
        ({"Accept": "text/event-stream"}, "text/event-stream"),
        ({"Accept": "application/x-ndjson"}, "application/x-ndjson"),
    ],
)
def test_the_client_chooses_its_wire(app: Site, run_id: str, headers: dict[str, str], content_type: str) -> None:
    """By Accept; the content type says which it is, to the letter."""
    assert get(app, f"/watch/{run_id}", headers).headers["Content-Type"] == content_type


def test_ndjson_is_whole_objects(app: Site, run_id: str) -> None:
    """Each line is an object; the texts are the output; the last says how it ended."""
    lines = [json.loads(line) for line in get(app, f"/watch/{run_id}?format=ndjson").data.splitlines()]
    assert "".join(line["text"] for line in lines if line["type"] == "output").encode() == OUTPUT
    assert lines[-1]["type"] == "end"
    assert lines[-1]["outcome"] == {"kind": "exited", "code": 0}


def test_follow_off_gives_what_there_is(app: Site, engine: Engine, tmp_path: Path) -> None:
    """The run goes on; the answer is complete at once, a prompt without its newline included."""
    run = engine.start(gated("echo one; printf '> '", tmp_path / "gate", "echo two"))
    wait_for(lambda: run.info().size == 6)
    assert get(app, f"/watch/{run.id}?follow=0").data == b"one\n> "
    events = parse(get(app, f"/watch/{run.id}?follow=0&format=sse").data)
    assert [json.loads(event.data)["text"] for event in events if event.type == "output"] == ["one\n", "> "]
    assert events[-1].type == "output"
    assert not run.info().is_finished


def test_silence_lets_go_a_prompt(app: Site, engine: Engine, tmp_path: Path) -> None:
    """On sse a text without its newline comes while the command waits for an answer to it."""
    gate = tmp_path / "gate"
    run = engine.start(gated("printf 'name? '", gate, "echo thanks"))
    response = app.get(f"/watch/{run.id}?format=sse")
    client = EventSource()
    for data in response.pieces:
        client.read(data)
        if client.events[-1].type == "output":
            gate.touch()
    response.close()
    texts = [json.loads(event.data)["text"] for event in client.events if event.type == "output"]
    assert texts == ["name? ", "thanks\n"]


def test_silence_has_a_heartbeat(app: Site, engine: Engine, tmp_path: Path) -> None:
    """An event stream never stays silent for long, so that no proxy cuts it; clients see nothing of it."""
    gate = tmp_path / "gate"
    run = engine.start(gated("echo one", gate, "echo two"))
    response = app.get(f"/paced/{run.id}?format=lines&heartbeat=0.05")
    client = EventSource()
    for data in response.pieces:
        client.read(data)
        if client.comments == 3:
            gate.touch()
    response.close()
    assert client.comments >= 3
    assert [event.data for event in client.events if event.type == "message"] == ["one", "two"]


def test_changes_of_state_are_told(app: Site, engine: Engine) -> None:
    """A viewer sees that the run is being stopped, by whom, and by which signals, before it has ended."""
    run = engine.start(
        ["sh", "-c", "trap '' INT; echo ready; while :; do sleep 0.1; done"], ladder=[("INT", 1), ("KILL", 0)]
    )
    response = app.get(f"/watch/{run.id}?format=sse")
    client = EventSource()
    for data in response.pieces:
        client.read(data)
        if client.events[-1].type == "output":
            run.stop(by="test")
    response.close()
    assert_stopped_by_ladder(client.events)


def test_a_viewer_that_never_reads_holds_nothing(app: Site, engine: Engine, state_dir: Path, tmp_path: Path) -> None:
    """A response that is thrown away, read or not, lets go of the run's files."""
    gate = tmp_path / "gate"
    run = engine.start(gated("echo one", gate, "echo two"))

    def is_open() -> bool:
        links = [entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
        return state_dir / "runs" / run.id / "output" in links

    unread = app.get(f"/watch/{run.id}")
    assert is_open()
    unread.close()
    wait_for(lambda: not is_open())
    begun = app.get(f"/watch/{run.id}")
    next(iter(begun.pieces))
    begun.close()
    wait_for(lambda: not is_open())
    assert app.open(f"/watch/{run.id}", method="HEAD").status_code == 200
    assert not is_open()
    gate.touch()
    assert run.wait(60).size == 8


def test_an_engine_that_cannot_serve_says_little(app: Site, engine: Engine, state_dir: Path) -> None:
    """The client learns the kind of the trouble; the places on this machine stay in the log."""
    run = engine.start(["true"])
    run.wait(60)
    (state_dir / "runs" / run.id / "spec.json").write_bytes(b"{")
    response = get(app, "/start?argv=[]", {"Last-Event-ID": f"{run.id}/0"})
    check_problem(response, 500)
    assert run.id.encode() not in response.data
    assert str(state_dir).encode() not in response.data
    assert len(engine.list(Query()).runs) == 1
