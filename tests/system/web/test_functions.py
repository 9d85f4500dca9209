"""Commands that are functions, over HTTP, on servers that people use: Flask's two, and one of ASGI."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import pytest

from tests.system.web.server import Server

MODULE = "tests.system.web.functions"
SERVERS = {
    "werkzeug": ("-m", MODULE, "{port}"),
    "gunicorn": (
        *("-m", "gunicorn", "--no-control-socket", "--graceful-timeout", "1", "--bind", "127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--threads", "4", f"{MODULE}:flask_app()"),
    ),
    "uvicorn": ("-m", "uvicorn", "--port", "{port}", "--lifespan", "off", "--factory", f"{MODULE}:asgi_app"),
}
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=BOUND"
SECRET = "correct horse"


class Answer(NamedTuple):
    """What came."""

    status: int
    text: str


class Site(NamedTuple):
    """A server with the functions."""

    server: Server
    plan: Path

    def ask(self, path: str, body: str | None = None, kind: str = "", accept: str = "*/*") -> Answer:
        """Return the answer; with a body, to a POST."""
        headers = {"Accept": accept, **({"Content-Type": kind} if kind else {})}
        with closing(HTTPConnection("127.0.0.1", self.server.port, timeout=60)) as connection:
            connection.request("GET" if body is None else "POST", f"/ops/api/commands/{path}", body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())


@pytest.fixture(params=SERVERS)
def site(request: pytest.FixtureRequest, state_dir: Path, tmp_path: Path) -> Iterator[Site]:
    """Give each server."""
    plan = tmp_path / "plans" / "a.txt"
    plan.parent.mkdir()
    plan.touch()
    env = {"TAILRACE_STATE": str(state_dir), "PLANS": str(plan.parent)}
    with closing(Server(request.param, tmp_path / "log", env, SERVERS[request.param])) as server:
        yield Site(server, plan)


def shown(plan: Path, **more: str) -> str:
    """Return what `paint` prints."""
    usual = {
        "wall": "'north'", "colour": "<Colour.RED: 'red'>", "plan": f"PosixPath('{plan}')", "accents": "[]",
        "doors": "['back', 'front']", "coats": "<Coats.TWO: 2>", "litres": "3", "gloss": "0.5", "mode": "'slow'",
        "day": "datetime.date(2026, 11, 27)", "is_wet": "False",
    }  # fmt: skip
    return "".join(f"{line}\n" for line in {**usual, **more}.values())


def test_values_arrive_as_what_the_hints_say(site: Site) -> None:
    """From JSON and from a form alike; those left out are the function's own defaults."""
    given = {"wall": "north", "colour": "red", "plan": "a.txt", "doors": ["back", "front"]}
    answer = site.ask("paint/runs", json.dumps({"parameters": given}), JSON, "text/plain")
    assert answer == (200, shown(site.plan))
    more = {"accents": ["blue", "red"], "coats": "ONE", "litres": 9, "gloss": 1, "mode": "fast", "is-wet": True}
    told = {
        "accents": "[<Colour.BLUE: 'blue'>, <Colour.RED: 'red'>]", "coats": "<Coats.ONE: 1>", "litres": "9",
        "gloss": "1.0", "mode": "'fast'", "day": "datetime.date(2026, 1, 2)", "is_wet": "True",
    }  # fmt: skip
    both = {**given, **more, "day": "2026-01-02"}
    answer = site.ask("paint/runs", json.dumps({"parameters": both}), JSON, "text/plain")
    assert answer == (200, shown(site.plan, **told))
    form = urlencode({**both, "is-wet": "true"}, doseq=True)
    assert site.ask("paint/runs", form, FORM, "text/plain") == (200, shown(site.plan, **told))


def test_values_that_do_not_fit_are_all_named(site: Site) -> None:
    """Before the function is called, with what would fit."""
    given = {"wall": "North", "colour": "green", "plan": "../x", "doors": ["side"], "litres": 10, "day": "now", "x": 1}
    status, text = site.ask("paint/runs", json.dumps({"parameters": given}), JSON)
    assert status == 400
    faults = {each["subject"]: each for each in json.loads(text)["errors"]}
    assert list(faults) == ["'x'", "wall", "colour", "plan", "doors", "litres", "day"]
    assert all(each["hint"] for each in faults.values())
    assert "red" in faults["colour"]["hint"]
    assert site.ask("paint/runs", "wall=a&wall=b", FORM).status == 400
    assert site.ask("paint/runs", "x", "text/plain").status == 415
    assert site.ask("nothing/runs", "", FORM).status == 404


def test_a_file_and_a_secret(site: Site) -> None:
    """A form brings both; the secret is masked, and the file is as it was sent."""
    parts = (
        '--BOUND\r\nContent-Disposition: form-data; name="data"; filename="a.csv"\r\n\r\n1,2,3\r\n'
        f'--BOUND\r\nContent-Disposition: form-data; name="key"\r\n\r\n{SECRET}\r\n--BOUND--\r\n'
    )
    answer = site.ask("keep/runs", parts, MULTIPART, "text/plain")
    assert (answer.status, answer.text.split()) == (200, ["5", str(len(SECRET)), "***"])
    large = parts.replace("1,2,3", "x" * 1001)
    assert site.ask("keep/runs", large, MULTIPART).status == 400
    status, text = site.ask("keep/runs", json.dumps({"parameters": {"data": "/etc/passwd", "key": SECRET}}), JSON)
    assert (status, SECRET in text) == (400, False)


def test_a_function_that_is_wrong(site: Site) -> None:
    """It is a mistake of the application's: the log has it, and the client no trace."""
    status, text = site.ask("broken/runs", "n=5", FORM)
    assert (status, "Traceback" in text) == (500, False)
    assert "must return a list of texts" in site.server.log()


def test_what_is_told_of_them(site: Site) -> None:
    """Titles, the docstring's first line, and the schema of what hints say."""
    status, text = site.ask("paint")
    told = json.loads(text)
    assert (status, told["title"], told["description"]) == (200, "Paint", "Paints a wall.")
    properties = told["parameters"]["properties"]
    assert properties["colour"]["enum"] == ["red", "blue"]
    assert properties["coats"]["enum"] == ["ONE", "TWO"]
    assert properties["coats"]["default"] == "TWO"
    assert (properties["litres"]["minimum"], properties["litres"]["maximum"]) == (1, 9)
    assert (properties["day"]["format"], properties["day"]["default"]) == ("date", "2026-11-27")
    assert told["parameters"]["required"] == ["wall", "colour", "plan"]
