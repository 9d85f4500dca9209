"""The pages in a Flask application."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

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


@pytest.mark.parametrize("page", ["", "commands/true", "runs/{run}", "runs?run={run}"])
def test_all_that_a_page_names_is_there(state_dir: Path, page: str) -> None:
    """Under whatever prefix: its files, the output, where its forms lead, the way home."""
    client = _mounted(state_dir, "/deep/<customer>/ops").test_client()
    run_id = client.post("/deep/a/ops/api/commands/true/runs").get_json()["id"]
    address = f"/deep/a/ops/{page.replace('{run}', run_id)}"
    text = client.get(address, headers=HTML).text
    links = [unescape(link) for link in re.findall('(?:src|href)="([^"]+)"', text)]
    assert len(links) > 3
    for link in links:
        assert client.get(urljoin(address, link), headers=HTML).status_code == 200, link


def test_only_what_is_allowed_is_offered(state_dir: Path) -> None:
    """Neither a form nor the page's script is told that more may be done."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    made = race.blueprint(authorize=lambda action, _run: action in ("list", "view"), commands=COMMANDS)
    app.register_blueprint(made, url_prefix="/ops")
    run = race.engine.start(["sleep", "1000"], stdin=True)
    text = app.test_client().get(f"/ops/runs/{run.id}", headers=HTML).text
    assert "<form" not in text
    assert '"may":{"start":false,"stop":false,"input":false,"pin":false,"share":false}' in text


def test_of_several_runs_each_is_asked_for(state_dir: Path) -> None:
    """One that is not for this user is not there."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    made = race.blueprint(authorize=lambda _action, run: run is None or run.by == "ann")
    app.register_blueprint(made, url_prefix="/ops")
    own, other = (race.engine.start(["true"], by=by).id for by in ("ann", "eve"))
    client = app.test_client()
    assert client.get(f"/ops/runs?run={own}", headers=HTML).status_code == 200
    hidden = client.get(f"/ops/runs?run={own}&run={other}", headers=HTML)
    assert hidden.status_code == 404
    assert "There is no run" in hidden.text


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


@pytest.mark.parametrize("path", ["/", "/runs/x", "/commands/true", "/page/icon.svg"])
def test_at_the_root_they_are_the_applications_own(state_dir: Path, path: str) -> None:
    """It has a page there already, or will."""
    assert _mounted(state_dir, None).test_client().get(path).status_code == 404
