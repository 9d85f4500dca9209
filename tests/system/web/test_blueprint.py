"""The API under a prefix of the application's choice: looking at runs."""

import json
import logging
import sys
from pathlib import Path

import pytest
from flask import Blueprint, Flask, url_for

from tailrace import Engine, Query
from tailrace.core.outcome import Stopped
from tailrace.engine import catalog
from tailrace.flask import Tailrace
from tailrace.web.routes import runs
from tailrace.web.routes.table import METHODS, PATHS, ROUTES
from tests.support.wait import wait_for
from tests.system.web.conftest import Mount
from tests.system.web.mounted import UNKNOWN, Policy, address, ask
from tests.system.web.sites import Site
from tests.system.web.test_rules import check_problem


@pytest.fixture
def app(mount: Mount, policy: Policy) -> Site:
    """Give the application."""
    return mount(policy)


def finished(engine: Engine, count: int, *, by: str = "ann") -> list[str]:
    """Return the ids of finished runs, newest first."""
    started = [engine.start(["true"], by=by, labels={"n": str(n % 2)}) for n in range(count)]
    for run in started:
        run.wait(60)
    return [run.id for run in started][::-1]


def listed(app: Site, query: str = "") -> tuple[list[str], str | None]:
    """Return the ids in a page of the list, and its next cursor."""
    response = ask(app, f"/ops/api/runs{query}")
    assert response.status_code == 200, response.data
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    page = json.loads(response.data)
    assert list(page) == ["runs", "next", "total"]
    assert page["total"] == (len(page["runs"]) if page["next"] is None and "cursor" not in query else None)
    return [run["id"] for run in page["runs"]], page["next"]


def test_the_list_is_what_the_command_line_prints(
    app: Site, engine: Engine, state_dir: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Newest first, byte for byte what `tailrace list --json` prints."""
    from tailrace.cli import program

    ids = finished(engine, 3)
    assert listed(app) == (ids, None)
    code = program.call("tailrace", lambda: ["--state-dir", str(state_dir), "list", "--json", "--limit", "3"])
    assert code == 0
    assert capsysbinary.readouterr().out == ask(app, "/ops/api/runs?limit=3").data + b"\n"


def test_the_list_goes_on_behind_a_cursor(app: Site, engine: Engine) -> None:
    """Pages, one after another, hold every run once; the last one has no next."""
    ids = finished(engine, 5)
    assert listed(app, "?limit=5") == (ids, None)
    first, cursor = listed(app, "?limit=2")
    second, again = listed(app, f"?limit=2&cursor={cursor}")
    assert (first + second, listed(app, f"?limit=2&cursor={again}")) == (ids[:4], (ids[4:], None))


def test_the_list_is_filtered(app: Site, engine: Engine) -> None:
    """By states, outcomes, command, labels, who asked, when, and by text."""
    ids = finished(engine, 3)
    named = engine.start(["false"], by="ann", command="fail", labels={"n": "0", "m": "a=b"})
    named.wait(60)
    assert listed(app, "?state=finished")[0] == [named.id, *ids]
    assert listed(app, "?state=running")[0] == []
    assert listed(app, "?command=fail")[0] == [named.id]
    assert listed(app, "?label=n=0")[0] == [named.id, ids[0], ids[2]]
    assert listed(app, "?label=n=0&label=m=a%3Db")[0] == [named.id]
    assert listed(app, "?state=running&state=exited")[0] == [named.id, *ids]
    assert listed(app, "?by=ann&command=fail")[0] == [named.id]
    assert listed(app, "?by=eve")[0] == []
    assert listed(app, "?q=FAL")[0] == [named.id]
    assert listed(app, "?q=m%3DA%3DB")[0] == [named.id]
    at = json.loads(ask(app, f"/ops/api/runs/{named.id}").data)["created"]
    assert listed(app, f"?since={at}")[0] == [named.id]
    assert listed(app, f"?until={at}")[0] == ids
    assert listed(app, "?since=2026-01-01&until=2026-01-01T03:00:00%2B02:00")[0] == []
    assert listed(app, "?since=2001-01-01")[0] == [named.id, *ids]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=%D9%A1",
        "state=odd",
        "cursor=x",
        "label=x",
        "label==x",
        "nonsense=1",
        "q=a&q=b",
        f"q={'x' * 201}",
        "q=%0A",
        "since=yesterday",
        "since=2026-02-30",
        "until=0001-01-01T00:00:00%2B10:00",
        "since=2026-11-27&until=2026-11-27",
        "&".join("state=exited" for _ in range(17)),
        "label=a=%00",
        "limit=-1",
        "&".join(f"label=n{n}=x" for n in range(17)),
    ],
)
def test_a_list_that_makes_no_sense(app: Site, query: str) -> None:
    """400 says which and what to do; nothing is silently left out of account."""
    check_problem(ask(app, f"/ops/api/runs?{query}"), 400)


def test_how_many_there_are_is_not_for_everybody(mount: Mount, state_dir: Path, engine: Engine) -> None:
    """Where the application decides who may view what, only a page that has all tells how many."""
    finished(engine, 3)
    finished(engine, 2, by="eve")
    page = json.loads(ask(mount(Policy()), "/ops/api/runs?limit=2").data)
    assert (len(page["runs"]), page["total"]) == (2, None)
    assert json.loads(ask(mount(Policy()), "/ops/api/runs?limit=3").data)["total"] == 3
    open_app = Flask(__name__)
    open_app.register_blueprint(Tailrace(open_app, state_dir=state_dir).blueprint(open=True), url_prefix="/ops")
    assert json.loads(ask(open_app, "/ops/api/runs?limit=2").data)["total"] == 5
    assert json.loads(ask(open_app, "/ops/api/runs?limit=2&q=tru").data)["total"] is None
    following = json.loads(ask(open_app, "/ops/api/runs?limit=2").data)["next"]
    assert json.loads(ask(open_app, f"/ops/api/runs?limit=2&cursor={following}").data)["total"] is None


def test_a_search_goes_on_behind_a_cursor(app: Site, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request looks at so many runs in vain; a page without hits leads on to the ones that are left."""
    old = engine.start(["echo", "needle"], by="ann")
    old.wait(60)
    finished(engine, 5)
    monkeypatch.setattr(catalog, "_LOOKED_AT", 2)
    found, pages, query = [], 0, ""
    while True:
        page, following = listed(app, f"?q=needle{query}")
        found += page
        pages += 1
        if following is None:
            break
        query = f"&cursor={following}"
    assert (found, pages) == ([old.id], 3)


def test_the_list_has_only_what_one_may_view(app: Site, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other people's runs are neither in pages, nor do they make them shorter, nor are their ids cursors."""
    hers = finished(engine, 2)
    finished(engine, 3, by="eve")
    hers = finished(engine, 2) + hers
    finished(engine, 1, by="eve")
    assert listed(app, "?limit=4") == (hers, None)
    first, cursor = listed(app, "?limit=3")
    assert (first, cursor) == (hers[:3], hers[2])
    assert listed(app, f"?limit=3&cursor={cursor}") == (hers[3:], None)

    monkeypatch.setattr(runs, "SCANNED", 2)
    found: list[str] = []
    query: str | None = ""
    while query is not None:
        page, following = listed(app, f"?limit=1{query}")
        found += page
        query = following and f"&cursor={following}"
    assert found == hers


def test_a_run(app: Site, engine: Engine) -> None:
    """The run as it is, as in the list, what it was asked to be, and what whoever asks may do to it."""
    (run_id,) = finished(engine, 1)
    response = ask(app, f"/ops/api/runs/{run_id}")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    shown = json.loads(response.data)
    spec, may = shown.pop("spec"), shown.pop("may")
    assert may == ["view", "stop", "pin"]
    assert shown == json.loads(ask(app, "/ops/api/runs").data)["runs"][0]
    assert shown["outcome"] == {"kind": "exited", "code": 0}
    assert spec == {
        "stdio": "pipes",
        "takes_input": False,
        "timeout_s": None,
        "idle_timeout_s": None,
        "unwatched_timeout_s": None,
        "output_limit": None,
        "output_policy": "stop",
        "grace_s": 2.0,
        "ladder": [
            {"signal": "INT", "seconds": 5.0},
            {"signal": "TERM", "seconds": 5.0},
            {"signal": "KILL", "seconds": 0.0},
        ],
        "leave_children": False,
        "unbuffer": False,
        "no_new_privileges": False,
        "rlimits": {},
        "parameters": None,
    }


def test_what_a_run_was_asked_to_be(app: Site, engine: Engine) -> None:
    """Its limits, its ladder and its streams; nothing of its environment, nor of where it was started from."""
    run = engine.start(
        ["cat"], by="ann", stdin=True, merge=True, timeout=100, idle_timeout=50.5, unwatched_timeout=99,
        max_output=1000, on_max_output="truncate", grace=1, ladder=[("HUP", 2), ("KILL", 0)], leave_children=True,
        env={"SECRET": "very"}, rlimits={"NOFILE": 64},
    )  # fmt: skip
    data = ask(app, f"/ops/api/runs/{run.id}").data
    spec = json.loads(data)["spec"]
    assert (spec["stdio"], spec["takes_input"], spec["leave_children"]) == ("merged", True, True)
    limits = ("timeout_s", "idle_timeout_s", "unwatched_timeout_s", "output_limit", "output_policy", "grace_s")
    assert [spec[name] for name in limits] == [100.0, 50.5, 99.0, 1000, "truncate", 1.0]
    assert spec["ladder"] == [{"signal": "HUP", "seconds": 2.0}, {"signal": "KILL", "seconds": 0.0}]
    assert spec["rlimits"] == {"NOFILE": 64}
    assert not any(word in data for word in (b"SECRET", b"very", b"origin"))
    terminal = engine.start(["true"], by="ann", pty=True)
    spec = json.loads(ask(app, f"/ops/api/runs/{terminal.id}").data)["spec"]
    assert (spec["stdio"], spec["takes_input"]) == ("pty", True)
    run.stop(now=True)


def test_a_run_without_a_spec_is_shown_all_the_same(app: Site, engine: Engine, state_dir: Path) -> None:
    """What cannot be read is null."""
    (run_id,) = finished(engine, 1)
    (state_dir / "runs" / run_id / "spec.json").unlink()
    open_app = Flask(__name__)
    open_app.register_blueprint(Tailrace(open_app, state_dir=state_dir).blueprint(open=True), url_prefix="/ops")
    shown = json.loads(ask(open_app, f"/ops/api/runs/{run_id}").data)
    assert (shown["spec"], shown["id"]) == (None, run_id)
    assert "spec.json" in shown["damage"]
    assert app.kind in ("flask", "lent")


def test_what_a_run_uses_while_it_goes(app: Site, engine: Engine) -> None:
    """Where it is looked at alone; in lists it would cost too much."""
    script = "import os; x = bytearray(b'x' * 30_000_000); [n for n in range(10**6)]; os.write(1, b'ready'); input()"
    run = engine.start([sys.executable, "-c", script], by="ann", stdin=True)
    next(run.follow())
    shown = json.loads(ask(app, f"/ops/api/runs/{run.id}").data)
    assert shown["usage"]["processes"] == 1
    assert shown["usage"]["cpu_user_s"] > 0
    assert 30_000_000 < shown["usage"]["rss_bytes"] <= shown["usage"]["max_rss_bytes"]
    assert json.loads(ask(app, "/ops/api/runs").data)["runs"][0]["usage"] is None
    run.close_input()
    run.wait(60)
    assert set(json.loads(ask(app, f"/ops/api/runs/{run.id}").data)["usage"]) == {
        "cpu_user_s",
        "cpu_system_s",
        "max_rss_bytes",
    }


def test_how_much_came_when(app: Site, engine: Engine) -> None:
    """Sixty buckets from the start to the end, or as many as are wanted, of the time that is wanted."""
    run = engine.start(["sh", "-c", "echo one; sleep 0.2; echo three; sleep 0.2"], by="ann")
    info = run.wait(60)
    path = f"/ops/api/runs/{run.id}/activity"
    response = ask(app, path)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    whole = json.loads(response.data)
    assert list(whole) == ["from", "until", "bytes", "unplaced", "progress"]
    assert (whole["from"], whole["until"], whole["unplaced"]) == (0, info.duration_s, 0)
    assert (len(whole["bytes"]), sum(whole["bytes"])) == (60, 10)
    part = json.loads(ask(app, f"{path}?buckets=3&from=1000&until=2000.5").data)
    assert part == {"from": 1000, "until": 2000.5, "bytes": [0, 0, 0], "unplaced": 0, "progress": None}
    assert sum(json.loads(ask(app, f"{path}?buckets=1000&until=1000").data)["bytes"]) == 10


@pytest.mark.parametrize(
    "query",
    [
        "buckets=0",
        "buckets=1001",
        "buckets=x",
        "from=-1",
        "from=5&until=5",
        "until=0",
        "until=x",
        "odd=1",
        "from=1&from=2",
    ],
)
def test_an_activity_that_makes_no_sense(app: Site, engine: Engine, query: str) -> None:
    """400 says what is wrong."""
    (run_id,) = finished(engine, 1)
    check_problem(ask(app, f"/ops/api/runs/{run_id}/activity?{query}"), 400)


def test_who_asks_for_the_activity_is_no_viewer(app: Site, engine: Engine) -> None:
    """A run that is to end without any ends while its spark is looked at again and again; the run itself likewise."""
    run = engine.start(["sleep", "1000"], by="ann", unwatched_timeout=0.5)

    def is_over() -> bool:
        assert ask(app, f"/ops/api/runs/{run.id}/activity").status_code == 200
        return bool(json.loads(ask(app, f"/ops/api/runs/{run.id}").data)["outcome"])

    wait_for(is_over)
    assert engine.get(run.id).outcome == Stopped("the absence of viewers")


def test_its_output_on_any_wire_from_any_offset(app: Site, engine: Engine) -> None:
    """As from a route of one's own."""
    run = engine.start(["seq", "20"], by="ann")
    run.wait(60)
    path = f"/ops/api/runs/{run.id}/output"
    text = "".join(f"{n}\n" for n in range(1, 21)).encode()
    assert ask(app, path).data == text
    assert ask(app, f"{path}?from=10").data == text[10:]
    assert ask(app, f"{path}?tail=1").data == b"20\n"
    part = ask(app, path, headers={"Range": "bytes=10-"})
    assert (part.status_code, part.data) == (206, text[10:])
    events = ask(app, path, headers={"Accept": "text/event-stream"})
    assert events.headers["Content-Type"] == "text/event-stream"
    assert b"event: end" in events.data
    resumed = ask(app, path, headers={"Accept": "text/event-stream", "Last-Event-ID": f"{run.id}/{len(text)}/end"})
    assert resumed.status_code == 204
    last = ask(app, f"{path}?format=ndjson").data.splitlines()[-1]
    assert b'"kind":"exited"' in last
    check_problem(ask(app, f"{path}?from=999"), 416)
    check_problem(ask(app, f"{path}?format=gif"), 406)
    other = engine.start(["seq", "1"], by="ann")
    check_problem(ask(app, path, headers={"Last-Event-ID": f"{other.id}/0"}), 400)


@pytest.mark.parametrize("path", [route.path for route in ROUTES if route.method == "GET" and not route.is_socket])
def test_head(app: Site, engine: Engine, path: str) -> None:
    """Whatever can be got can be asked for its headers."""
    (run_id,) = finished(engine, 1)
    queries = {"/api/events": f"?run={run_id}", "/runs": f"?run={run_id}", "/api/runs/{run}/search": "?q=x"}
    there = address(path, run_id) + queries.get(path, "")
    head, whole = ask(app, there, method="HEAD"), ask(app, there)
    is_made = not path.endswith("/shares")  # links are a server's
    assert (head.status_code, head.data) == (whole.status_code, b"") == (200 if is_made else 403, b"")
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]


def test_a_websocket_is_not_opened_here(app: Flask, engine: Engine) -> None:
    """501 under WSGI, and what to do instead; also for a handshake."""
    (run_id,) = finished(engine, 1)
    for headers in ({}, {"Connection": "Upgrade", "Upgrade": "websocket"}):
        response = ask(app, f"/ops/api/runs/{run_id}/socket", headers=headers)
        check_problem(response, 501)
        assert "output" in json.loads(response.data)["hint"]
    foreign = ask(app, f"/ops/api/runs/{run_id}/socket", headers={"Origin": "http://evil.example"})
    check_problem(foreign, 403)


@pytest.mark.parametrize(
    "path", ["/ops/nothing", "/ops/api", "/ops/api/", "/ops/api/runs/", f"/ops/api/runs/{UNKNOWN}/", "/ops/x/y"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_address_at_which_there_is_nothing(app: Site, path: str, method: str) -> None:
    """404, as a problem document that names what there is."""
    response = ask(app, path, method=method)
    check_problem(response, 404)
    assert "/api/runs" in json.loads(response.data)["hint"]


def test_other_addresses_stay_the_applications(app: Site, state_dir: Path) -> None:
    """Below the prefix its own routes come first; at the root, only what is below /api is ours."""
    assert ask(app, "/ops/own").data == b"the application's own"
    assert ask(app, "/elsewhere").headers["Content-Type"].startswith("text/html")
    rooted = Flask(__name__)
    race = Tailrace(rooted, state_dir=state_dir)
    rooted.register_blueprint(race.blueprint(open=True))
    check_problem(ask(rooted, "/api/nothing"), 404)
    assert ask(rooted, "/api/runs").status_code == 200
    assert ask(rooted, "/elsewhere").headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_is_not_for_it(app: Site, policy: Policy, path: str) -> None:
    """405, with `Allow`, as a problem document; no method gets past the table."""
    allowed = {route.method for route in ROUTES if route.path == path}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    for method in set(METHODS) - allowed:
        response = ask(app, address(path, UNKNOWN), method=method)
        check_problem(response, 405) if method != "HEAD" else None
        assert response.status_code == 405
        assert set(response.headers["Allow"].split(", ")) == allowed
    assert policy.asked == []


@pytest.mark.parametrize("name", ["nothing", UNKNOWN, "0" * 26 + "u", "..", "%00", "%2e%2e%2fx", "é"])
@pytest.mark.parametrize(
    "rest", ["", "/output", "/lines", "/activity", "/search?q=x", "/stop", "/input", "/pin", "/unpin"]
)
def test_a_run_that_is_not_there(app: Site, name: str, rest: str) -> None:
    """404, whatever the name looks like, and whatever is wanted of it."""
    method = "GET" if not rest or rest.startswith(("/output", "/lines", "/activity", "/search")) else "POST"
    response = ask(app, f"/ops/api/runs/{name}{rest}", method=method)
    check_problem(response, 404)


def test_a_broken_state_directory_is_a_problem(mount: Mount, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The client learns that something is wrong, the log what."""
    (tmp_path / "file").write_text("not a directory")
    app = mount(Policy(), tmp_path / "file")
    with caplog.at_level(logging.ERROR):
        response = ask(app, "/ops/api/runs")
    check_problem(response, 500)
    assert str(tmp_path).encode() not in response.data
    assert str(tmp_path) in caplog.text


def test_its_addresses_can_be_made(state_dir: Path) -> None:
    """`url_for` knows the routes by name; also within a blueprint of the application's, and under another name."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    admin = Blueprint("admin", __name__, url_prefix="/admin")
    admin.register_blueprint(race.blueprint(open=True), url_prefix="/runs")
    app.register_blueprint(admin)
    app.register_blueprint(race.blueprint(open=True, name="ops"), url_prefix="/ops")
    with app.test_request_context():
        assert url_for("admin.tailrace.runs") == "/admin/runs/api/runs"
        assert url_for("ops.run", run="x") == "/ops/api/runs/x"
        assert url_for("ops.run_output", run="x", tail=1) == "/ops/api/runs/x/output?tail=1"
    for path in ("/admin/runs/api/runs", "/ops/api/runs"):
        assert ask(app, path).status_code == 200
    check_problem(ask(app, "/admin/runs/nothing"), 404)


@pytest.mark.parametrize("prefix", ["/ops", "/<tenant>/ops", "/a/b/c"])
def test_it_works_under_any_prefix_and_root_path(state_dir: Path, prefix: str) -> None:
    """Also one with variables, and where the application itself is mounted somewhere."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    app.register_blueprint(race.blueprint(open=True), url_prefix=prefix)
    run = race.engine.start(["echo", "hello"])
    run.wait(60)
    there = prefix.replace("<tenant>", "acme")
    response = app.test_client().get(f"{there}/api/runs/{run.id}/output", base_url="http://localhost/root")
    assert response.data == b"hello\n"
    assert race.engine.list(Query()).runs[0].id == run.id
