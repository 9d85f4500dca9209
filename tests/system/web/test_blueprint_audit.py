"""The audit of a blueprint: whatever changes something, and whatever is refused, is on record, by whichever route."""

import json
from pathlib import Path

import pytest

from tailrace import Engine
from tailrace.audit.reading import entries, requests
from tailrace.core.audit import Audit, Entry
from tailrace.core.states import State
from tailrace.web.routes.account import LOOKS
from tailrace.web.routes.route import Route
from tailrace.web.routes.table import ROUTES
from tests.support.wait import wait_for
from tests.system.web.conftest import Mount
from tests.system.web.mounted import UNKNOWN, Policy, address, ask, post
from tests.system.web.sites import Site
from tests.system.web.test_rules import check_problem

EACH_ROUTE = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
CHANGES = [route for route in ROUTES if route.action not in LOOKS]
EACH_CHANGE = pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give where it is written."""
    return tmp_path / "audit.jsonl"


@pytest.fixture
def app(mount: Mount, policy: Policy, file: Path) -> Site:
    """Give the application."""
    return mount(policy, audit=Audit(file=str(file)))


@pytest.fixture
def run_id(engine: Engine) -> str:
    """Give a run of ann's that goes on until it is stopped, and takes input."""
    run = engine.start(["cat"], by="ann", stdin=True)
    wait_for(lambda: run.info().state is State.RUNNING)
    return run.id


def recorded(file: Path) -> list[Entry]:
    """Return what has been recorded, a line for each request."""
    return list(requests(entries(file)))


def break_it(file: Path) -> None:
    """Have nothing be written any more."""
    file.unlink()
    file.mkdir()


def mend_it(file: Path) -> None:
    """Have it be written again."""
    file.rmdir()


def asked(app: Site, route: Route, run_id: str, user: str | None = "ann") -> int:
    """Ask a route as its page or a program would, and return the status."""
    headers = {"Sec-Fetch-Site": "same-origin"}
    query = "?close=1" if route.path == "/api/runs/{run}/input" else ""
    reply = ask(app, address(route.path, run_id) + query, method=route.method, user=user, headers=headers)
    reply.close()
    return reply.status_code


@EACH_CHANGE
def test_every_change_is_on_record(app: Site, file: Path, route: Route, run_id: str) -> None:
    """Twice: before it is done, and with what became of it; with who, from where, and to what."""
    status = asked(app, route, run_id)
    before, after = entries(file)
    assert (before.phase, after.phase) == ("asked", "answered")
    assert before.request == after.request
    is_made = status != 403  # an application makes no links
    assert (after.who, after.action, after.allowed, after.status) == ("ann", route.action, is_made, status)
    assert after.address == "127.0.0.1"
    assert after.path == address(route.path, run_id)
    if "{run}" in route.path:
        assert before.run == after.run == run_id
    else:
        assert before.command == after.command == "true"


@EACH_ROUTE
def test_every_refusal_is_on_record(app: Site, file: Path, policy: Policy, route: Route, run_id: str) -> None:
    """By whichever route, and why; nothing was about to be done."""
    policy.refused = {(route.action, False)}
    assert asked(app, route, run_id) == 403
    (entry,) = entries(file)
    assert (entry.who, entry.action, entry.allowed, entry.status) == ("ann", route.action, False, 403)
    assert entry.why.startswith("you may not ")


@EACH_ROUTE
def test_strangers_are_on_record(app: Site, file: Path, route: Route) -> None:
    """Also where the application answers them itself."""
    assert asked(app, route, UNKNOWN, user=None) == 302
    (entry,) = entries(file)
    assert (entry.who, entry.allowed, entry.status, entry.run) == (None, False, None, None)
    assert entry.why == "the application answered itself"


def test_asking_for_what_is_hidden_is_on_record(app: Site, file: Path, run_id: str) -> None:
    """Who asks is told that it is not there; who reads the audit, that it is, and for whom it was not."""
    check_problem(ask(app, f"/ops/api/runs/{run_id}", user="eve"), 404)
    check_problem(ask(app, f"/ops/api/runs/{UNKNOWN}", user="eve"), 404)
    (entry,) = entries(file)
    assert (entry.who, entry.run, entry.allowed, entry.why) == (
        "eve",
        run_id,
        False,
        "this caller may not view the run",
    )


def test_looking_is_not_on_record_unless_wanted(mount: Mount, policy: Policy, file: Path, tmp_path: Path) -> None:
    """With `views`, who looked at which run."""
    seen = tmp_path / "views.jsonl"
    quiet, telling = mount(policy, audit=Audit(file=str(file))), mount(policy, audit=Audit(file=str(seen), views=True))
    run = quiet.engine.start(["true"], by="ann")
    run.wait()
    for site in (quiet, telling):
        for path in ("/ops/api/runs", f"/ops/api/runs/{run.id}", f"/ops/api/runs/{run.id}/output"):
            assert ask(site, path).status_code == 200
    assert recorded(file) == []
    assert [(entry.run, entry.action, entry.allowed) for entry in recorded(seen)] == [(run.id, "view", True)] * 2


def test_a_start_has_its_run_and_parameters(app: Site, file: Path) -> None:
    """Also one that streams; and the answer names the line."""
    started = post(app, "/ops/api/commands/true/runs", {"parameters": {}})
    streamed = post(app, "/ops/api/commands/true/runs", {}, Accept="text/plain")
    assert streamed.data == b""
    first, second = recorded(file)
    assert (first.run, first.status) == (json.loads(started.data)["id"], 201)
    assert (second.run, second.status) == (streamed.headers["Tailrace-Run"], 200)
    assert first.request == started.headers["X-Request-Id"]


def test_what_could_not_be_done_is_on_record(app: Site, file: Path) -> None:
    """Allowed, and why it failed."""
    check_problem(post(app, "/ops/api/commands/true/runs", {"parameters": {"no": 1}}), 400)
    (entry,) = recorded(file)
    assert (entry.allowed, entry.status, entry.run) == (True, 400, None)
    assert entry.parameters == {}
    assert "no" in entry.why


@EACH_CHANGE
def test_what_cannot_be_recorded_is_not_done(app: Site, file: Path, engine: Engine, route: Route, run_id: str) -> None:
    """503, and the run is as it was; looking goes on, and later everything does."""
    break_it(file)
    assert asked(app, route, run_id) == 503
    info = engine.get(run_id)
    assert (info.state, info.pinned, info.ladder) == (State.RUNNING, False, ())
    assert ask(app, f"/ops/api/runs/{run_id}").status_code == 200
    mend_it(file)
    assert asked(app, route, run_id) in (200, 201, 202, 204, 303, 400, 403)  # a form without a line; a link to a run


def test_it_may_go_on_unrecorded(mount: Mount, policy: Policy, file: Path) -> None:
    """If that was chosen."""
    site = mount(policy, audit=Audit(file=str(file), on_failure="go_on"))
    break_it(file)
    assert post(site, "/ops/api/commands/true/runs").status_code == 201
