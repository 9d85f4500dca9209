"""The API's description of itself: that it is well made, that it is whole, and that it is so."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import msgspec
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

import tailrace
from tailrace import Engine, Run
from tailrace.web.routes.openapi import document
from tailrace.web.routes.table import API_ROUTES
from tests.system.web.mounted import BYTES, JSON, UNKNOWN, Policy, ask, mounted
from tests.system.web.serving import serving

EXAMPLES = 20
CONFIG = """
seed = 1
request-timeout = 30
[parameters]
"path.run" = "{run}"
"path.command" = "count"
"query.pieces" = 2
"query.every" = 0.02
"query.silence" = 0
"query.list" = 0
[[operations]]
# a schema cannot say what these refuse: two places at once, another run's event, no input at all, names that are not
# printable; and for the probe it makes up ids of events that do not fit their pattern
include-path = [
    "/api/probe",
    "/api/runs", "/api/runs/{{run}}/output", "/api/runs/{{run}}/input", "/api/commands/{{command}}/runs",
    "/api/commands/count/runs", "/api/commands/send/runs",
    "/api/runs/{{run}}/lines", "/api/runs/{{run}}/search", "/api/events", "/api/runs/{{run}}/activity",
]
checks.positive_data_acceptance.enabled = false
[[operations]]
# what asks is no handshake of a websocket, which it cannot make
include-path = ["/api/runs/{{run}}/socket", "/api/probe/socket"]
checks.positive_data_acceptance.enabled = false
checks.not_a_server_error.enabled = false
"""
COMMANDS = """
[commands.count]
argv = ["seq", "1", "{n}"]
parameters.n = { type = "integer", minimum = 1, maximum = 50, default = 3 }
[commands.send]
argv = ["wc", "-c", "{data}", "{more}"]
parameters.data = { type = "file", maximum_size = 100 }
parameters.more = { type = "choices", choices = ["a", "b"] }
"""
DESCRIPTION = json.loads(msgspec.json.encode(document(API_ROUTES)))


@pytest.fixture
def app(state_dir: Path, policy: Policy) -> Flask:
    """Give the application."""
    return mounted(state_dir, policy)


@pytest.fixture
def run(engine: Engine) -> Run:
    """Give a run of ann's that is over."""
    run = engine.start(["seq", "3"], by="ann")
    run.wait(60)
    return run


def test_it_is_well_made() -> None:
    """It is OpenAPI 3.1, by its own schema."""
    whole = {**DESCRIPTION, "servers": [{"url": "/"}]}
    assert [error.message for error in OpenAPIV31SpecValidator(whole).iter_errors()] == []


def test_every_route_is_in_it() -> None:
    """With its words, an operation of its own name, and at least one answer that is no error."""
    found = {(method.upper(), path): one for path, each in DESCRIPTION["paths"].items() for method, one in each.items()}
    assert set(found) == {(route.method, route.path) for route in API_ROUTES}
    assert len({operation["operationId"] for operation in found.values()}) == len(API_ROUTES)
    for (method, path), operation in found.items():
        assert operation["summary"], (method, path)
        assert any(status[0] in "12" for status in operation["responses"]), (method, path)


def test_it_knows_where_it_is_shown(app: Flask) -> None:
    """Its server is the prefix, whatever that is."""
    shown = json.loads(ask(app, "/ops/api/openapi.json").data)
    assert shown["servers"] == [{"url": "/ops"}]
    assert shown["paths"].keys() - DESCRIPTION["paths"].keys() == {"/api/commands/true/runs"}
    assert DESCRIPTION["paths"].keys() <= shown["paths"].keys()
    assert "securitySchemes" not in shown["components"]


def test_each_command_is_in_it(state_dir: Path, tmp_path: Path) -> None:
    """With its parameters, in the forms that it takes: a file comes by a form of several parts alone."""
    assert state_dir.is_dir()
    with serving(tmp_path, COMMANDS) as port:
        shown = json.loads(urlopen(f"http://127.0.0.1:{port}/api/openapi.json").read())
    assert [error.message for error in OpenAPIV31SpecValidator(shown).iter_errors()] == []
    count, send = (shown["paths"][f"/api/commands/{name}/runs"]["post"] for name in ("count", "send"))
    assert count["operationId"] == "start_command_count"
    assert count["requestBody"]["required"] is False
    content = count["requestBody"]["content"]
    assert content.keys() == {JSON, "application/x-www-form-urlencoded"}
    assert content[JSON]["schema"]["properties"]["parameters"]["properties"]["n"]["maximum"] == 50
    assert all(each["in"] != "path" for each in count["parameters"])
    assert send["requestBody"]["required"] is True
    ((kind, body),) = send["requestBody"]["content"].items()
    assert kind == "multipart/form-data"
    assert body["schema"]["properties"]["data"]["format"] == "binary"
    assert count["responses"]["429"]["headers"].keys() == {"Retry-After"}
    assert {"401", "403", "429"} <= count["responses"].keys()


def _asked() -> Iterator[tuple[str, str, dict[str, str], bytes | None, str | None, int]]:
    """Yield requests and the status of each; `RUN` stands for a run that is over, `GOING` for one that is not."""
    yield "GET", "/api/commands", {}, None, None, 200
    yield "GET", "/api/commands/true", {}, None, None, 200
    yield "GET", "/api/commands/odd", {}, None, None, 404
    yield "POST", "/api/commands/true/runs", {}, None, None, 201
    yield "POST", "/api/commands/true/runs?format=text", {}, None, None, 200
    yield "POST", "/api/commands/true/runs?format=text&ansi=strip&stream=stdout", {}, None, None, 200
    yield "POST", "/api/commands/true/runs?format=gif", {}, None, None, 406
    yield "POST", "/api/commands/true/runs?odd=1", {}, None, None, 400
    yield "POST", "/api/commands/true/runs", {"If-None-Match": '"x"'}, None, None, 412
    yield "POST", "/api/commands/true/runs", {}, b"x" * (257 << 10), JSON, 413
    yield "POST", "/api/commands/true/runs", {}, b"x", "text/plain", 415
    yield "POST", "/api/commands/true/runs", {"Purpose": "prefetch"}, None, None, 503
    yield "POST", "/api/commands/true/runs", {"Origin": "http://elsewhere"}, None, None, 403
    yield "GET", "/api/runs?limit=1", {}, None, None, 200
    yield "GET", "/api/runs?limit=0", {}, None, None, 400
    yield "GET", "/api/runs/RUN", {}, None, None, 200
    yield "GET", f"/api/runs/{UNKNOWN}", {}, None, None, 404
    yield "GET", "/api/runs/GOING", {}, None, None, 200
    yield "GET", "/api/runs/RUN/activity?buckets=3&until=2", {}, None, None, 200
    yield "GET", "/api/runs/RUN/activity?buckets=0", {}, None, None, 400
    yield "GET", "/api/runs?q=se&by=ann&since=2026-01-01T00:00:00Z&state=exited&state=lost", {}, None, None, 200
    yield "GET", "/api/runs/RUN/output", {}, None, None, 200
    yield "GET", "/api/runs/RUN/output?from=1&tail=1", {}, None, None, 400
    yield "GET", "/api/runs/RUN/output?format=gif", {}, None, None, 406
    yield "GET", "/api/runs/RUN/output?from=99", {}, None, None, 416
    yield "GET", "/api/runs/RUN/output", {"Range": "bytes=1-"}, None, None, 206
    yield "GET", "/api/runs/RUN/output", {"Last-Event-ID": "RUN/6/end"}, None, None, 204
    yield "POST", "/api/runs/RUN/stop", {}, None, None, 200
    yield "POST", "/api/runs/GOING/stop", {}, None, None, 202
    yield "POST", "/api/runs/RUN/stop", {}, b"[]", JSON, 400
    yield "POST", "/api/runs/RUN/stop", {}, b"x" * (17 << 10), JSON, 413
    yield "POST", "/api/runs/RUN/stop", {}, b"x", BYTES, 415
    yield "POST", "/api/runs/GOING/input", {}, b"x", BYTES, 204
    yield "POST", "/api/runs/RUN/input", {}, b"x", BYTES, 409
    yield "POST", "/api/runs/RUN/input", {}, b"", None, 400
    yield "POST", "/api/runs/RUN/input", {}, b"x" * (65 << 10), BYTES, 413
    yield "POST", "/api/runs/RUN/pin", {}, None, None, 200
    yield "POST", "/api/runs/RUN/unpin", {}, b"x", BYTES, 415
    yield "GET", "/api/probe?pieces=1&every=0.02&silence=0", {}, None, None, 200
    yield "GET", "/api/probe?pieces=0", {}, None, None, 400
    yield "GET", "/api/probe?format=gif", {}, None, None, 406
    yield "GET", "/api/probe", {"Last-Event-ID": "RUN/6/end"}, None, None, 204
    yield "GET", "/api/probe/request", {}, None, None, 200
    yield "GET", "/api/probe/request?x=1", {}, None, None, 400
    yield "POST", "/api/probe/request", {}, b"x", BYTES, 200
    yield "POST", "/api/probe/request", {}, b"x" * (65 << 10), BYTES, 413
    yield "GET", "/api/openapi.json", {}, None, None, 200


@pytest.mark.parametrize("asked", list(_asked()), ids=lambda asked: f"{asked[0]} {asked[1]} {asked[5]}")
def test_an_answer_is_one_of_those_it_tells_of(
    app: Flask, engine: Engine, run: Run, asked: tuple[str, str, dict[str, str], bytes | None, str | None, int]
) -> None:
    """Status and type of what is really answered stand in it."""
    method, path, headers, data, kind, status = asked
    going = engine.start(["sh", "-c", "cat >/dev/null"], by="ann", stdin=True) if "GOING" in path else run
    there = path.replace("RUN", run.id).replace("GOING", going.id)
    answer = ask(
        app, f"/ops{there}", method=method, data=data, kind=kind,
        headers={name: value.replace("RUN", run.id) for name, value in headers.items()},
    )  # fmt: skip
    assert answer.status_code == status, answer.data
    operation = DESCRIPTION["paths"][_template(path)][method.lower()]
    told = operation["responses"][str(status)]
    if answer.data:
        assert answer.headers["Content-Type"].partition(";")[0] in told["content"]
    assert set(told.get("headers", {})) <= set(answer.headers.keys()) or status == 200
    going.stop(now=True)
    going.wait(60)


def test_schemathesis_finds_nothing(state_dir: Path, tmp_path: Path) -> None:
    """Whatever it makes up, out of the description alone, is answered as the description says."""
    run = tailrace.connect(state_dir).start(["seq", "3"])
    run.wait(60)
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.format(run=run.id))
    with serving(tmp_path, COMMANDS) as port:
        argv = [
            *(str(Path(sys.executable).parent / "st"), "--config-file", str(config), "run"),
            *(f"http://127.0.0.1:{port}/api/openapi.json", "--max-examples", str(EXAMPLES), "--no-color"),
            *("--phases", "coverage,fuzzing"),
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=110)
    assert done.returncode == 0, done.stdout


def _template(path: str) -> str:
    """Return the path of the table for one of these requests."""
    bare = path.partition("?")[0]
    for word in ("RUN", "GOING", UNKNOWN):
        bare = bare.replace(f"/runs/{word}", "/runs/{run}")
    return bare.replace("/commands/true", "/commands/{command}").replace("/commands/odd", "/commands/{command}")
