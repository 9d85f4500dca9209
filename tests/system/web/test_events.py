"""Many runs, and the list of runs, in one event stream: under WSGI and ASGI alike."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import NamedTuple, cast

import pytest
from flask import Flask

from tailrace import Engine, Retention
from tailrace.api import connect
from tailrace.core.outcome import Stopped
from tailrace.core.states import State
from tailrace.core.wires.places import MOST_RUNS
from tailrace.engine.run import Run
from tests.support.wait import wait_for
from tests.system.web.asgi import KINDS, start
from tests.system.web.mounted import UNKNOWN, Policy, ask, mounted
from tests.system.web.server import Server
from tests.system.web.test_rules import check_problem
from tests.unit.core.wires.event_source import Event, EventSource


class Api(NamedTuple):
    """A server, and where its open API is."""

    server: Server
    root: str


@pytest.fixture(params=[*KINDS, "werkzeug", "gevent"])
def api(
    request: pytest.FixtureRequest, serve: Callable[[str], Server], state_dir: Path, tmp_path: Path
) -> Iterator[Api]:
    """Give each kind of server: event loops, threads, greenlets."""
    if request.param in KINDS:
        with closing(start(request.param, state_dir, tmp_path)) as made:
            yield Api(made, "/open")
    else:
        yield Api(serve(request.param), "/ops")


@pytest.fixture
def engine(state_dir: Path) -> Engine:
    """Give the engine."""
    return connect(state_dir)


class Reader:
    """One connection, read event by event; `last_event_id` is what a browser would send when it comes back."""

    def __init__(self, response: HTTPResponse, last_event_id: str) -> None:
        self.status = response.status
        self._response = response
        self._source = EventSource(last_event_id)
        self._taken = 0

    @property
    def last_event_id(self) -> str:
        """The id of the last event."""
        return self._source.last_event_id

    def next(self) -> Event | None:
        """Return the next event; None at the end."""
        while len(self._source.events) == self._taken:
            block = b""
            while not block.endswith(b"\n\n"):
                line = self._response.readline()
                if not line:
                    return None
                block += line
            self._source.read(block)
        self._taken += 1
        return self._source.events[self._taken - 1]

    def until(self, type: str, **fields: object) -> dict[str, object]:  # noqa: A002  as in the stream
        """Read until there is an event of this type with these fields; return its data."""
        while True:
            event = self.next()
            assert event is not None, "the stream has ended"
            data = cast("dict[str, object]", json.loads(event.data))
            if event.type == type and fields.items() <= data.items():
                return data

    def rest(self) -> list[Event]:
        """Return everything that comes."""
        return list(iter(self.next, None))


@contextmanager
def following(api: Api, runs: Sequence[Run | str], more: str = "", last_event_id: str = "") -> Iterator[Reader]:
    """Follow the runs; one may be told with a place behind it."""
    query = "&".join(f"run={run.id if isinstance(run, Run) else run}" for run in runs) + more
    connection = HTTPConnection("127.0.0.1", api.server.port, timeout=60)
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    with closing(connection):
        connection.request("GET", f"{api.root}/api/events?{query.lstrip('&')}", headers=headers)
        yield Reader(connection.getresponse(), last_event_id)


def typed_into(engine: Engine) -> Run:
    """Return a run that repeats what it is sent, when it runs."""
    run = engine.start(["cat"], stdin=True)
    wait_for(lambda: run.info().state is State.RUNNING)
    return run


def text_of(events: Sequence[Event], run: Run) -> str:
    """Return a run's output, as the events tell it; its offsets must follow each other."""
    text, offset = "", None
    for event in events:
        data = json.loads(event.data)
        if event.type == "output" and data["run"] == run.id:
            assert offset is None or data["offset"] == offset
            text += data["text"]
            offset = data["offset"] + len(data["text"].encode())
    return text


def test_several_runs_to_their_ends(api: Api, engine: Engine) -> None:
    """Live and finished ones, each event with its run; an end for each, then nothing more: 204."""
    done = engine.start(["seq", "3"])
    done.wait(60)
    runs = [done, *(engine.start(["sh", "-c", f"for i in 1 2 3; do echo {n}:$i; sleep 0.05; done"]) for n in range(4))]
    with following(api, runs) as reader:
        events = reader.rest()
    assert [text_of(events, run) for run in runs] == ["1\n2\n3\n", *(f"{n}:1\n{n}:2\n{n}:3\n" for n in range(4))]
    ends = [json.loads(event.data) for event in events if event.type == "end"]
    assert sorted(end["run"] for end in ends) == sorted(run.id for run in runs)
    assert all(end["run"] == end["id"] for end in ends)
    assert all(len(event.last_event_id) < 700 for event in events)
    with following(api, runs, last_event_id=events[-1].last_event_id) as again:
        assert again.status == 204


def test_it_resumes_at_every_point(api: Api, engine: Engine) -> None:
    """Whichever event was the last that a client saw, it gets the rest of each run, and nothing twice."""
    runs = [engine.start(["sh", "-c", f"seq {n} {n + 3}; sleep 0.1; echo é{n} >&2"]) for n in (1, 7)]
    for run in runs:
        run.wait(60)
    with following(api, runs) as reader:
        events = reader.rest()
    whole = [text_of(events, run) for run in runs]
    assert whole[0].endswith("é1\n")
    for number in range(len(events) - 1):
        with following(api, runs, last_event_id=events[number].last_event_id) as again:
            seen = events[: number + 1] + again.rest()
        assert [text_of(seen, run) for run in runs] == whole
        ends = [json.loads(event.data)["run"] for event in seen if event.type == "end"]
        assert sorted(ends) == sorted(run.id for run in runs)


def test_where_each_begins(api: Api, engine: Engine) -> None:
    """At an offset, as the ids of its events are written; at its end; or, without, at its start."""
    done, going = engine.start(["printf", "one\ntwo\n"]), typed_into(engine)
    done.wait(60)
    going.send("é".encode()[:1])
    wait_for(lambda: going.info().size == 1)
    with following(api, [f"{done.id}/4", f"{going.id}/end"]) as reader:
        reader.until("state", run=going.id)
        going.send("é".encode()[1:] + b"!\n")
        going.close_input()
        events = reader.rest()
    assert (text_of(events, done), text_of(events, going)) == ("two\n", "é!\n")
    with following(api, [f"{done.id}/end", f"{going.id}/0"]) as reader:
        events = reader.rest()
    assert (text_of(events, done), text_of(events, going)) == ("", "é!\n")
    ended = {json.loads(event.data)["run"] for event in events if event.type == "end"}
    assert ended == {done.id, going.id}


def test_who_comes_back_goes_on(api: Api, engine: Engine) -> None:
    """A browser repeats the query as it was: the id says more, whatever the query does."""
    run = typed_into(engine)
    run.send(b"before\n")
    wait_for(lambda: run.info().size == 7)
    with following(api, [f"{run.id}/end"]) as reader:
        reader.until("state", run=run.id)
        run.send(b"seen\n")
        reader.until("output", run=run.id)
        place = reader.last_event_id
    run.send(b"missed\n")
    wait_for(lambda: run.info().size == 19)
    run.close_input()
    for query in (f"{run.id}/end", f"{run.id}/3", run.id):
        with following(api, [query], last_event_id=place) as again:
            assert text_of(again.rest(), run) == "missed\n"


def test_who_is_late_is_told(api: Api, engine: Engine) -> None:
    """How much is waiting, with its run; who begins at the end instead leaves it out."""
    run = engine.start(["sh", "-c", "yes flooooood | head -c 50000000; cat"], stdin=True)
    wait_for(lambda: run.info().size == 50_000_000)
    with following(api, [run]) as reader:
        told = reader.until("lagging", run=run.id)
        assert int(str(told["behind"])) > 4 << 20
    with following(api, [f"{run.id}/end"]) as reader:
        run.send(b"now\n")
        assert reader.until("output", run=run.id)["text"] == "now\n"
    run.close_input()
    run.wait(60)


def test_no_run_keeps_another_waiting(api: Api, engine: Engine) -> None:
    """A flood does not hide what others say."""
    flood = engine.start(["sh", "-c", "yes flooooood | head -c 100000000; sleep 1000"])
    quiet = typed_into(engine)
    with following(api, [flood, quiet]) as reader:
        reader.until("output", run=flood.id)
        for number in range(3):
            quiet.send(f"{number}\n".encode())
            reader.until("output", run=quiet.id, text=f"{number}\n")
    for run in (flood, quiet):
        run.stop(now=True)


def test_a_killed_server(api: Api, engine: Engine) -> None:
    """The id is good for the next one."""
    runs = [typed_into(engine) for _ in range(3)]
    for run in runs:
        run.send(b"before\n")
    seen: list[Event] = []
    with following(api, runs) as reader:
        while any(text_of(seen, run) != "before\n" for run in runs):
            seen.append(cast("Event", reader.next()))
        api.server.kill()
    for run in runs:
        run.send(b"meanwhile\n")
        run.close_input()
    api.server.restart()
    with following(api, runs, last_event_id=reader.last_event_id) as again:
        seen += again.rest()
    assert [text_of(seen, run) for run in runs] == ["before\nmeanwhile\n"] * 3


def test_the_list(api: Api, engine: Engine) -> None:
    """What there is at first, then what is created, changes, and is removed; a run's output may come along."""
    old = engine.start(["true"])
    old.wait(60)
    going = engine.start(["cat"], stdin=True)
    with following(api, [going], "&list=1") as reader:
        assert reader.until("run", id=old.id)["state"] == "finished"
        reader.until("run", id=going.id)
        new = engine.start(["sleep", "1000"])
        reader.until("run", id=new.id)
        going.send(b"hello\n")
        reader.until("output", run=going.id, text="hello\n")
        new.stop(now=True)
        assert reader.until("run", id=new.id, state="finished")["outcome"] == {"kind": "stopped", "by": None}
        going.close_input()
        reader.until("run", id=going.id, state="finished")
        old.pin(True)
        assert reader.until("run", id=old.id)["pinned"] is True
        old.pin(False)
        reader.until("run", id=old.id, pinned=False)
        engine.prune(Retention(count=0))
        removed = {reader.until("removed")["id"] for _ in range(3)}
        assert removed == {old.id, new.id, going.id}


def test_the_list_alone_and_again(api: Api, engine: Engine) -> None:
    """Who comes back gets the present state again; it never ends by itself."""
    run = engine.start(["true"])
    run.wait(60)
    with following(api, [], "list=1") as reader:
        reader.until("run", id=run.id, state="finished")
    with following(api, [run], "&list=1", "") as other:
        other.until("end", run=run.id)
        place = other.last_event_id
    with following(api, [run], "&list=1", place) as again:
        again.until("run", id=run.id)
        later = engine.start(["true"])
        again.until("run", id=later.id)
        assert later.wait(60).outcome is not None


def test_old_runs_that_have_not_ended_are_listed(api: Api, engine: Engine) -> None:
    """Also where fifty newer ones have."""
    old = engine.start(["sleep", "1000"])
    wait_for(lambda: old.info().state is State.RUNNING)
    newer = [engine.start(["true"]) for _ in range(55)]
    for run in newer:
        run.wait(60)
    with following(api, [], "list=1") as reader:
        reader.until("run", id=old.id)
        old.stop(now=True, by="ann")
        reader.until("run", id=old.id, state="finished")
    assert old.wait(60).outcome == Stopped("ann")


# What is refused


@pytest.fixture
def policy() -> Policy:
    """Give what decides."""
    return Policy()


@pytest.fixture
def app(state_dir: Path, policy: Policy) -> Flask:
    """Give an application with users."""
    return mounted(state_dir, policy)


def test_queries_that_make_no_sense(app: Flask, engine: Engine) -> None:
    """Each with what to do."""
    run_id = engine.start(["true"], by="ann").id
    many = "&".join(f"run={run_id}" for _ in range(MOST_RUNS + 8))
    twice = f"run={run_id}&run={run_id}/0"
    for query in ("", "list=0", "list=2", "list=1&list=1", twice, many, f"run={run_id}&from=1"):
        check_problem(ask(app, f"/ops/api/events?{query}"), 400)


@pytest.mark.parametrize("place", ["", "-1", "x", "01", "+1", "1/", "1/end", "END", "9" * 19, "9" * 100])
def test_places_that_cannot_be(app: Flask, engine: Engine, place: str) -> None:
    """Each is refused with what to do; one that is beyond the output is 416."""
    run = engine.start(["echo", "a"], by="ann")
    run.wait(60)
    check_problem(ask(app, f"/ops/api/events?run={run.id}/{place}"), 400)
    check_problem(ask(app, f"/ops/api/events?run={run.id}/3"), 416)


@pytest.mark.parametrize("last", ["x", "00000000/0", "{run}/0", "{check}/0,0", "{check}/-1", "{check}/0x", "9" * 9000])
def test_ids_that_were_not_given_out(app: Flask, engine: Engine, last: str) -> None:
    """400, never another place."""
    run = engine.start(["true"], by="ann")
    run.wait(60)
    whole = EventSource().read(ask(app, f"/ops/api/events?run={run.id}").data).last_event_id
    headers = {"Last-Event-ID": last.format(run=run.id, check=whole.partition("/")[0])}
    check_problem(ask(app, f"/ops/api/events?run={run.id}", headers=headers), 400)
    beyond = {"Last-Event-ID": whole.partition("/")[0] + "/ffff"}
    check_problem(ask(app, f"/ops/api/events?run={run.id}", headers=beyond), 416)


def test_a_run_of_others_cannot_be_told_from_none(app: Flask, engine: Engine) -> None:
    """404, whichever of the runs it is, and whatever id came along."""
    hers, his = (engine.start(["true"], by=by) for by in ("ann", "eve"))
    for run in (hers, his):
        run.wait(60)
    hidden = ask(app, f"/ops/api/events?run={hers.id}&run={his.id}&list=1")
    unknown = ask(app, f"/ops/api/events?run={hers.id}&run={UNKNOWN}&list=1")
    check_problem(hidden, 404)
    assert hidden.data.replace(his.id.encode(), UNKNOWN.encode()) == unknown.data
    place = {"Last-Event-ID": "00000000/0,0"}
    assert ask(app, f"/ops/api/events?run={hers.id}&run={his.id}", headers=place).status_code == 404


def test_who_may_not_list(app: Flask, engine: Engine, policy: Policy) -> None:
    """403 for the list, not for single runs."""
    run = engine.start(["true"], by="ann")
    run.wait(60)
    policy.refused = {("list", False)}
    check_problem(ask(app, f"/ops/api/events?run={run.id}&list=1"), 403)
    assert b"event: end" in ask(app, f"/ops/api/events?run={run.id}").data


@pytest.mark.parametrize("kind", KINDS)
def test_the_list_has_only_what_may_be_seen(kind: str, state_dir: Path, tmp_path: Path, engine: Engine) -> None:
    """Asked of the application for each run, and while the stream goes on, too."""
    with closing(start(kind, state_dir, tmp_path)) as server:
        engine.start(["true"], by="eve").wait(60)
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        with closing(connection):
            connection.request("GET", "/ops/api/events?list=1", headers={"X-User": "ann"})
            reader = Reader(connection.getresponse(), "")
            first = engine.start(["true"], by="ann")
            reader.until("run", id=first.id, state="finished")
            engine.start(["true"], by="eve").wait(60)
            last = engine.start(["true"], by="ann")
            reader.until("run", id=last.id, state="finished")
            assert {json.loads(event.data)["by"] for event in reader._source.events} == {"ann"}


def test_the_application_is_asked_within_its_request(app: Flask, policy: Policy, engine: Engine) -> None:
    """Also long after the answer began: `authorize` looks at the request."""
    hers, his = (engine.start(["true"], by=by) for by in ("ann", "eve"))
    for run in (hers, his):
        run.wait(60)
    response = ask(app, "/ops/api/events?list=1")
    seen = b""
    for piece in response.pieces:
        seen += piece
        if b"event: run" in seen:
            break
    response.close()
    assert hers.id.encode() in seen
    assert his.id.encode() not in seen
    assert {asked.run for asked in policy.asked} >= {hers.id, his.id}
