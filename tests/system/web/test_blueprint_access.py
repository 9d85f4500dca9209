"""The API under the application's own authentication: nobody gets past it."""

import json
import logging
from pathlib import Path
from typing import Protocol, cast

import pytest
from flask import Flask, abort, session
from werkzeug.wrappers import Response

from tailrace import Engine, Query, RunInfo
from tailrace.core.access import Action
from tailrace.core.states import State
from tailrace.flask import Tailrace
from tailrace.web.engines import EngineHere
from tailrace.web.routes.route import Route
from tailrace.web.routes.table import ROUTES, is_page
from tests.support.wait import wait_for
from tests.system.web.conftest import Mount
from tests.system.web.mounted import BYTES, FORMS, UNKNOWN, Asked, Policy, ask, mounted, post
from tests.system.web.mounted import address as mounted_at
from tests.system.web.sites import FlaskSite, Site
from tests.system.web.test_rules import check_problem

EACH_ROUTE = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
OF_A_RUN = [route for route in ROUTES if "{run}" in route.path]
EACH_OF_A_RUN = pytest.mark.parametrize("route", OF_A_RUN, ids=lambda route: f"{route.method} {route.path}")
CHANGES = [route for route in ROUTES if route.method != "GET"]
EACH_CHANGE = pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.path)
EACH_CHANGE_OF_A_RUN = pytest.mark.parametrize(
    "route", [route for route in CHANGES if route in OF_A_RUN], ids=lambda route: route.path
)


@pytest.fixture
def app(mount: Mount, policy: Policy) -> Site:
    """Give the application."""
    return mount(policy)


@pytest.fixture
def run_id(engine: Engine) -> str:
    """Give a run of ann's that goes on until it is stopped, and takes input."""
    run = engine.start(["cat"], by="ann", stdin=True)
    wait_for(lambda: run.info().state is State.RUNNING)
    return run.id


def address(route: Route, run_id: str) -> str:
    """Return where the route is."""
    return mounted_at(route.path, run_id) + ("?close=1" if route.path.endswith("input") else "")


def is_untouched(engine: Engine, run_id: str) -> bool:
    """Tell whether nothing was done to the run."""
    info = engine.get(run_id)
    return info.state is State.RUNNING and not info.pinned and not info.ladder


class Make(Protocol):
    """`Tailrace.blueprint`, as somebody calls it who has not read how."""

    def __call__(self, **arguments: object) -> object:
        """Make it."""


@pytest.mark.parametrize(
    "arguments",
    [{}, {"open": False}, {"authorize": None}, {"open": 1}, {"authorize": "me"}, {"authorize": bool, "open": True}],
)
def test_it_is_not_mounted_open_by_accident(arguments: dict[str, object]) -> None:
    """Without a function that decides, or the explicit word, there is no blueprint; the error says what to do."""
    make = cast("Make", Tailrace().blueprint)
    with pytest.raises(TypeError, match=r"authorize=.*open=True"):
        make(**arguments)


@EACH_ROUTE
def test_every_route_asks_first(app: Site, policy: Policy, route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger is sent to log in, before the engine is as much as looked at."""
    monkeypatch.setattr(EngineHere, "__call__", lambda _self: pytest.fail("looked at"))
    response = ask(app, address(route, UNKNOWN), method=route.method, user=None)
    assert (response.status_code, response.headers["Location"]) == (302, "/login")
    assert policy.asked == [Asked(route.action, None)]


@EACH_ROUTE
def test_who_may_not_at_all_gets_403(app: Site, engine: Engine, policy: Policy, route: Route, run_id: str) -> None:
    """The same whether the run is there or not, and nothing is done."""
    policy.refused = {(route.action, False)}
    for there in (run_id, UNKNOWN):
        check_problem(ask(app, address(route, there), method=route.method), 403)
    assert is_untouched(engine, run_id)


@EACH_OF_A_RUN
def test_who_may_not_view_a_run_cannot_tell_that_it_is_there(
    app: Site, engine: Engine, route: Route, run_id: str
) -> None:
    """The answer is that of an unknown run, but for the id, and nothing is done."""
    hidden = ask(app, address(route, run_id), method=route.method, user="eve")
    unknown = ask(app, address(route, UNKNOWN), method=route.method, user="eve")
    check_problem(hidden, 404)
    assert hidden.data.replace(run_id.encode(), UNKNOWN.encode()) == unknown.data
    assert dict(hidden.headers) == dict(unknown.headers)
    assert is_untouched(engine, run_id)


@EACH_CHANGE_OF_A_RUN
def test_who_may_only_view_a_run_changes_nothing(
    app: Site, engine: Engine, policy: Policy, route: Route, run_id: str
) -> None:
    """403, after both were asked."""
    policy.refused = {(route.action, True)}
    check_problem(ask(app, address(route, run_id), method=route.method), 403)
    assert policy.asked == [Asked(route.action, None), Asked("view", run_id), Asked(route.action, run_id)]
    assert is_untouched(engine, run_id)


@EACH_OF_A_RUN
def test_a_resumed_stream_asks_too(app: Site, route: Route, run_id: str) -> None:
    """An event's id is no way around it."""
    for tail in ("/0", "/0/end"):
        headers = {"Last-Event-ID": run_id + tail, "Accept": "text/event-stream"}
        check_problem(ask(app, address(route, run_id), method=route.method, user="eve", headers=headers), 404)


@pytest.mark.parametrize("verdict", [None, 1, "yes", "", [], ("no", 403)])
@EACH_ROUTE
def test_a_verdict_that_is_none_lets_nobody_in(
    mount: Mount, route: Route, verdict: object, caplog: pytest.LogCaptureFixture
) -> None:
    """A function that forgets to return, or returns something that is only taken for yes, is a mistake in the log."""
    app = mount(lambda _action, _run: verdict)
    with caplog.at_level(logging.ERROR):
        response = ask(app, address(route, UNKNOWN), method=route.method)
    check_problem(response, 500)
    assert "authorize must return" in caplog.text
    assert b"authorize" not in response.data
    assert b"Traceback" not in response.data


@EACH_ROUTE
def test_an_error_in_authorize_lets_nobody_in(mount: Mount, route: Route, caplog: pytest.LogCaptureFixture) -> None:
    """It is the application's log that has it; the client gets a problem."""

    def broken(_action: Action, _run: RunInfo | None) -> bool:
        raise ValueError("the database is gone")

    app = mount(broken)
    if isinstance(app, FlaskSite):
        app.app.testing = True
    with caplog.at_level(logging.ERROR):
        response = ask(app, address(route, UNKNOWN), method=route.method)
    check_problem(response, 500)
    assert "the database is gone" in caplog.text
    assert b"database" not in response.data


def test_an_error_in_user_lets_nobody_in(state_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does it reach the client."""

    def nobody() -> str:
        raise ValueError("the database is gone")

    app = Flask(__name__)
    app.testing = True
    race = Tailrace(app, state_dir=state_dir, user=nobody)
    app.register_blueprint(race.blueprint(authorize=lambda *_: True), url_prefix="/ops")
    with caplog.at_level(logging.ERROR):
        check_problem(ask(app, "/ops/api/runs"), 500)
    assert "the database is gone" in caplog.text


def test_authorize_may_abort(state_dir: Path) -> None:
    """What it raises for Flask is Flask's, with the application's error handlers; in a list it hides the run."""

    def decide(action: Action, run: RunInfo | None) -> bool:
        if action == "stop" or (run is not None and run.by == "eve"):
            abort(401)
        return True

    app = mounted(state_dir, decide)
    app.register_error_handler(401, lambda _error: ("please log in", 401))
    engine = FlaskSite(app).engine
    hers, his = (engine.start(["true"], by=by) for by in ("ann", "eve"))
    for run in (hers, his):
        run.wait(60)
    response = post(app, f"/ops/api/runs/{hers.id}/stop")
    assert (response.status_code, response.data) == (401, b"please log in")
    assert ask(app, f"/ops/api/runs/{his.id}").data == b"please log in"
    assert [run["id"] for run in json.loads(ask(app, "/ops/api/runs").data)["runs"]] == [hers.id]


def test_authorize_is_called_within_the_request(state_dir: Path) -> None:
    """A login by Flask's session works."""
    app = Flask(__name__)
    app.secret_key = "test"
    race = Tailrace(app, state_dir=state_dir)

    @app.post("/login")
    def login() -> str:
        session["user"] = "ann"
        return ""

    def may(_action: Action, _run: RunInfo | None) -> bool | Response:
        return session.get("user") == "ann"

    app.register_blueprint(race.blueprint(authorize=may), url_prefix="/ops")
    client = app.test_client()
    assert client.get("/ops/api/runs").status_code == 403
    client.post("/login")
    assert client.get("/ops/api/runs").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "http://sub.localhost", "Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
@EACH_CHANGE
def test_a_page_of_another_site_changes_nothing(
    app: Site, engine: Engine, policy: Policy, route: Route, run_id: str, *, headers: dict[str, str]
) -> None:
    """Whoever is logged in: the browser says who really asks."""
    check_problem(ask(app, address(route, run_id), method="POST", headers=headers), 403)
    assert policy.asked == []
    assert is_untouched(engine, run_id)


@pytest.mark.parametrize("kind", FORMS)
@EACH_CHANGE_OF_A_RUN
def test_a_form_changes_nothing(app: Site, engine: Engine, route: Route, run_id: str, kind: str) -> None:
    """Not even one of a browser that says nothing about whose page it is."""
    for data in (b"", b'{"now": true}', b"yes"):
        wanted = 403 if is_page(route.path) else 415
        check_problem(ask(app, address(route, run_id), method="POST", data=data, kind=kind), wanted)
    assert is_untouched(engine, run_id)


def test_a_page_of_the_same_site_may(app: Site, run_id: str) -> None:
    """What a browser says of it is no obstacle."""
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    response = ask(app, f"/ops/api/runs/{run_id}/input", method="POST", data=b"x", kind=BYTES, headers=headers)
    assert response.status_code == 204


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:5000", 200),
        ("ops.localhost", 200),
        ("127.0.0.1:5000", 200),
        ("192.168.1.7", 200),
        ("[::1]:5000", 200),
        ("OPS.example:443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("xlocalhost", 421),
        ("[::1].evil.example", 421),
        ("", 421),
    ],
)
@pytest.mark.parametrize("is_open", [True, False])
def test_a_name_that_is_not_ours(state_dir: Path, host: str, status: int, is_open: bool) -> None:
    """A page that has its own name point here is refused; it cannot have an address as its name."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    hosts = ["ops.example"]
    made = race.blueprint(open=True, hosts=hosts) if is_open else race.blueprint(authorize=lambda *_: True, hosts=hosts)
    app.register_blueprint(made, url_prefix="/ops")
    response = ask(app, "/ops/api/runs", headers={"Host": host})
    assert response.status_code == status
    if status == 421:
        check_problem(response, 421)


def test_names_are_looked_at_where_nobody_logs_in(state_dir: Path) -> None:
    """An open blueprint knows no name but addresses and localhost; one with a login knows any, unless told which."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    app.register_blueprint(race.blueprint(open=True, name="open"), url_prefix="/open")
    app.register_blueprint(race.blueprint(authorize=lambda *_: True), url_prefix="/closed")
    headers = {"Host": "ops.example"}
    check_problem(ask(app, "/open/api/runs", headers=headers), 421)
    assert ask(app, "/closed/api/runs", headers=headers).status_code == 200
    with pytest.raises(TypeError, match="list of names"):
        race.blueprint(open=True, hosts="ops.example")


def test_an_open_one_lets_everybody_in(state_dir: Path) -> None:
    """That is what the word is for; pages of other sites still change nothing."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    app.register_blueprint(race.blueprint(open=True), url_prefix="/ops")
    run = race.engine.start(["sleep", "1000"])
    check_problem(post(app, f"/ops/api/runs/{run.id}/stop", Origin="http://evil.example"), 403)
    assert post(app, f"/ops/api/runs/{run.id}/stop", {"now": True}).status_code == 202
    run.wait(60)
    assert len(race.engine.list(Query()).runs) == 1
