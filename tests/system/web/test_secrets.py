"""Secret parameters of declared commands, over HTTP."""

from pathlib import Path

import pytest
from flask import Flask

from tailrace import Query
from tailrace.flask import Tailrace
from tests.support.wait import wait_for
from tests.system.web.conftest import engine_of
from tests.system.web.mounted import ask, post

FILE = """
[commands.deploy]
argv = ["sh", "-c", 'echo "$TOKEN $OWN $HERS"; cat; cat "$1" "$KEY"', "sh", "{key}"]
env = { OWN = "the server's token" }
secret_env = ["OWN", "HERS"]
parameters.token = { type = "secret", variable = "TOKEN" }
parameters.line = { type = "secret", deliver = "stdin" }
parameters.key = { type = "secret", deliver = "file", variable = "KEY" }
"""
VALUES = {"token": "@hunter2hunter", "line": "-typed secret", "key": "hunter3 in a file"}
START = "/ops/api/commands/deploy/runs"


@pytest.fixture
def app(state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Give an application with a command that has secrets."""
    monkeypatch.setenv("HERS", "of the environment")
    (tmp_path / "tailrace.toml").write_text(FILE)
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    app.register_blueprint(race.blueprint(open=True, commands=tmp_path / "tailrace.toml"), url_prefix="/ops")
    return app


def test_secrets_reach_the_command_and_no_viewer(app: Flask) -> None:
    """By environment, input and file; what the API tells, every wire and the page have none."""
    reply = post(app, START, {"parameters": VALUES})
    assert reply.status_code == 201
    (run,) = engine_of(app).list(Query()).runs
    wait_for(lambda: engine_of(app).get(run.id).is_finished)
    seen = [reply.data]
    told = (f"api/runs/{run.id}", "api/runs", "api/commands", "commands/deploy", f"runs/{run.id}", "")
    seen += [ask(app, f"/ops/{path}").data for path in told]
    output = f"/ops/api/runs/{run.id}/output"
    seen += [ask(app, f"{output}?format={wire}").data for wire in ("text", "lines", "sse", "ndjson", "cast")]
    assert ask(app, f"{output}?format=text").data == b"*** *** ***\n***\n***"
    for value in (*VALUES.values(), "the server's token", "of the environment"):
        assert not any(value.encode() in data for data in seen)
    assert b'"masked":true' in seen[1]


def test_a_form_that_is_shown_again_has_no_secret(app: Flask) -> None:
    """Nor has the message that says what is wrong with it."""
    client = app.test_client()
    reply = client.post("/ops/commands/deploy", data={**VALUES, "token": "hunt2", "key": ""})
    assert reply.status_code == 400
    assert b"hunt2" not in reply.data
    assert b"typed secret" not in reply.data
    assert b'type="password"' in reply.data
