"""The pages in a Flask application."""

from pathlib import Path

import pytest
from flask import Flask

from tailrace.flask import Tailrace
from tests.system.web.mounted import COMMANDS

HTML = {"Accept": "text/html"}


def _mounted(state_dir: Path, prefix: str | None) -> Flask:
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir, commands=COMMANDS)
    app.register_blueprint(race.blueprint(open=True), url_prefix=prefix)
    return app


def test_under_a_prefix_they_are_there(state_dir: Path) -> None:
    """With links that hold there; a form leads to a run's page."""
    client = _mounted(state_dir, "/ops").test_client()
    home = client.get("/ops", follow_redirects=True, headers=HTML)
    assert home.request.path == "/ops/"
    assert 'action="./commands/true"' in home.text
    answer = client.post("/ops/commands/true", headers={**HTML, "Origin": "http://localhost"})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("../runs/")
    page = client.get(f"/ops/{answer.headers['Location'].removeprefix('../')}", headers=HTML)
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("path", "root"), [("/ops/nothing", "./"), ("/ops/no/thing/", "../../"), ("/ops/api", "./")])
def test_people_get_a_page_where_nothing_is(state_dir: Path, path: str, root: str) -> None:
    """With the way to what there is; programs, and whatever is below `/api/`, get a problem document."""
    client = _mounted(state_dir, "/ops").test_client()
    answer = client.get(path, headers=HTML)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert f'<a href="{root}">All commands and runs</a>' in answer.text
    assert "/api/" not in answer.text
    for other in (client.get(path), client.get("/ops/api/nothing", headers=HTML)):
        assert (other.status_code, other.mimetype) == (404, "application/problem+json")
        assert "/api/runs" in other.text


@pytest.mark.parametrize("path", ["/", "/runs/x", "/commands/true", "/page/page.css"])
def test_at_the_root_they_are_the_applications_own(state_dir: Path, path: str) -> None:
    """It has a page there already, or will."""
    assert _mounted(state_dir, None).test_client().get(path).status_code == 404
