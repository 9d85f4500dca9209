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


@pytest.mark.parametrize("path", ["/", "/runs/x", "/commands/true", "/page/icon.svg"])
def test_at_the_root_they_are_the_applications_own(state_dir: Path, path: str) -> None:
    """It has a page there already, or will."""
    assert _mounted(state_dir, None).test_client().get(path).status_code == 404
