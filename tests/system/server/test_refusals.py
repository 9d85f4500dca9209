import pytest

import tailrace
from tailrace.web.routes.route import Route
from tailrace.web.routes.table import ROUTES
from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving

CHANGES = [route for route in ROUTES if route.method != "GET"]
EACH = pytest.mark.parametrize("route", CHANGES, ids=lambda route: f"{route.method} {route.path}")
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
]


def _address(route: Route, run_id: str) -> str:
    return route.path.replace("{run}", run_id).replace("{command}", "count").replace("{file}", "none")


@EACH
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_site_changes_nothing(serving: Serving, route: Route, headers: dict[str, str]) -> None:
    """Not by any route."""
    run_id = serving.start("wait")
    assert serving.post(_address(route, run_id), headers=headers).status == 403
    _is_untouched(run_id)


@EACH
def test_a_name_that_points_here_changes_nothing(serving: Serving, route: Route) -> None:
    """A page may have its own name lead to this machine; its requests then are of the same origin (DNS rebinding)."""
    run_id = serving.start("wait")
    assert serving.post(_address(route, run_id), headers={"Host": "evil.example"}).status == 421
    _is_untouched(run_id)


@pytest.mark.parametrize("path", ["/", "/api/runs", "/api/commands", "/page/icon.svg", "/nothing"])
def test_a_name_that_points_here_sees_nothing_either(serving: Serving, path: str) -> None:
    """Not even what could be seen by everybody who asks properly."""
    assert serving.ask(path, headers={"Host": "evil.example"}).status == 421


def test_listed_names_are_ours(serve: Serve) -> None:
    """Besides addresses and localhost."""
    serving = serve('hosts = ["ops.example"]')
    assert serving.ask("/api/runs", headers={"Host": "ops.example"}).status == 200
    assert serving.ask("/api/runs", headers={"Host": "other.example"}).status == 421


def _is_untouched(run_id: str) -> None:
    """See that there is this one run, and that it goes on."""
    [run] = tailrace.connect().list(tailrace.Query()).runs
    assert (run.id, run.outcome, run.pinned, run.ladder) == (run_id, None, False, ())
