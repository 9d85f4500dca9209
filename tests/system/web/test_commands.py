"""The API: declared commands, and starting them."""

import json
import os
import re
from pathlib import Path
from typing import cast
from urllib.parse import urlencode

import pytest
from flask import Flask, request

from tailrace import Engine, Query
from tailrace._flask.blueprint import Authorize
from tailrace.core.errors import InvalidInput
from tailrace.core.spec import Stdio, WhenBusy
from tailrace.core.states import State
from tailrace.flask import Command, Commands, Integer, Tailrace, Text
from tailrace.web.routes.commands import FORM, MOST_FIELDS, PARAMETERS_BYTES
from tests.system.web.conftest import engine_of
from tests.system.web.mounted import JSON, Policy, ask, post
from tests.system.web.sites import Reply
from tests.system.web.test_rules import check_problem, events

FILE = """
[commands.count]
title = "Count"
description = "Counts, from 1."
argv = ["seq", "1", "{n}"]
labels = { kind = "numbers" }
[commands.count.parameters.n]
type = "integer"
minimum = 1
maximum = 1000000
default = 20

[commands.say]
argv = ["printf", "%s|%s", "{what}", "to={whom}"]
parameters.what = { type = "text", help = "what to say" }
parameters.whom = { type = "text", default = "", pattern = "[a-z]*" }

[commands.lines]
argv = ["printf", "--", "%s", "{text}"]
parameters.text = { type = "text", allow_newlines = true }

[commands.behind]
argv = ["printf", "to={text}"]
parameters.text = { type = "text" }

[commands.wait]
argv = ["sh", "-c", "echo here; exec cat"]
stdin = true
key = "wait"
env = { PASSWORD = "secret" }

[commands.place]
argv = ["pwd"]
cwd = "below"
"""
START = "/ops/api/commands/{}/runs"
NUMBERS = [str(number) for number in range(1, 21)]


@pytest.fixture
def app(state_dir: Path, policy: Policy, tmp_path: Path) -> Flask:
    """Give an application whose API has commands."""
    (tmp_path / "below").mkdir()
    (tmp_path / "tailrace.toml").write_text(FILE)
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir, user=lambda: request.headers.get("X-User"))
    made = race.blueprint(authorize=cast("Authorize", policy), commands=tmp_path / "tailrace.toml")
    app.register_blueprint(made, url_prefix="/ops")
    return app


def start(app: Flask, name: str, parameters: object = None, **headers: str) -> Reply:
    """Return the answer to ann's wish to start a command."""
    return post(app, START.format(name), None if parameters is None else {"parameters": parameters}, **headers)


def form(app: Flask, name: str, data: str | bytes, headers: dict[str, str] | None = None) -> Reply:
    """Return the answer to a form."""
    raw = data.encode() if isinstance(data, str) else data
    return ask(app, START.format(name), method="POST", data=raw, kind=FORM, headers=headers)


def argv_of(response: Reply) -> list[str]:
    """Return what was started."""
    assert response.status_code == 201, response.data
    run = json.loads(response.data)
    return list(run["argv"])


def output_of(app: Flask, response: Reply) -> bytes:
    """Return the output of what was started, to its end, from where the answer says that it is."""
    assert response.status_code == 201, response.data
    output: bytes = ask(app, response.headers["Location"] + "/output").data
    return output


def is_idle(app: Flask) -> bool:
    """Tell whether nothing was ever started."""
    return not engine_of(app).list(Query()).runs


# Looking


def test_the_list_of_commands(app: Flask) -> None:
    """Each with its template and the JSON Schema of its parameters, in the order of the file."""
    response = ask(app, "/ops/api/commands")
    assert (response.status_code, response.headers["Content-Type"]) == (200, JSON)
    commands = json.loads(response.data)["commands"]
    assert [command["name"] for command in commands] == ["count", "say", "lines", "behind", "wait", "place"]
    assert commands[0] == {
        "name": "count",
        "title": "Count",
        "description": "Counts, from 1.",
        "argv": ["seq", "1", "{n}"],
        "parameters": {
            "type": "object",
            "properties": {"n": {"type": "integer", "default": 20, "minimum": 1, "maximum": 1000000}},
            "required": [],
            "additionalProperties": False,
        },
        "takes_input": False,
        "may": ["list", "start"],
    }
    assert [command["name"] for command in commands if command["takes_input"]] == ["wait"]
    assert json.loads(ask(app, "/ops/api/commands/count").data) == commands[0]
    assert b"secret" not in response.data


def test_without_commands_the_list_is_empty(state_dir: Path) -> None:
    """And nothing can be started."""
    app = Flask(__name__)
    app.register_blueprint(Tailrace(app, state_dir=state_dir).blueprint(open=True), url_prefix="/ops")
    assert ask(app, "/ops/api/commands").data == b'{"commands":[]}'
    check_problem(start(app, "count"), 404)


@pytest.mark.parametrize("name", ["nothing", "coun", "count%00", "..", "é", "x" * 5000])
def test_a_command_that_is_not_there(app: Flask, name: str) -> None:
    """404, and the hint has the name that may have been meant."""
    for response in (ask(app, f"/ops/api/commands/{name}"), start(app, name, {})):
        check_problem(response, 404)
        assert len(response.data) < 1000
    assert b"did you mean 'count'?" in ask(app, "/ops/api/commands/coun").data
    assert is_idle(app)


# Starting


@pytest.mark.parametrize(
    ("parameters", "argv"),
    [(None, ["seq", "1", "20"]), ({}, ["seq", "1", "20"]), ({"n": 5}, ["seq", "1", "5"])],
)
def test_a_run_is_started(app: Flask, engine: Engine, parameters: object, argv: list[str]) -> None:
    """201, where it is, and the run, with who asked, its command and its labels."""
    response = start(app, "count", parameters)
    run = json.loads(response.data)
    assert response.status_code == 201
    assert response.headers["Location"] == f"/ops/api/runs/{run['id']}"
    assert response.headers["Cache-Control"] == "no-store"
    assert (run["argv"], run["command"], run["by"], run["labels"]) == (argv, "count", "ann", {"kind": "numbers"})
    assert output_of(app, response).split() == [str(n).encode() for n in range(1, int(argv[2]) + 1)]
    listed = json.loads(ask(app, "/ops/api/runs?command=count").data)["runs"]
    assert [each["id"] for each in listed] == [run["id"]]
    assert json.loads(ask(app, "/ops/api/runs?command=say").data)["runs"] == []
    assert engine.spec(run["id"]).output_limit == 1 << 30


@pytest.mark.parametrize(
    ("data", "argv"),
    [
        ("what=hello&whom=ann", ["printf", "%s|%s", "hello", "to=ann"]),
        ("what=a+b%26%3Dc%C3%A9", ["printf", "%s|%s", "a b&=cé", "to="]),
        ("what=", ["printf", "%s|%s", "", "to="]),
        ("what=%24(reboot)%3B+`x`", ["printf", "%s|%s", "$(reboot); `x`", "to="]),
    ],
)
def test_a_form_starts_a_run(app: Flask, data: str, argv: list[str]) -> None:
    """Each field is a parameter, whatever is in it; also of a client that says nothing of whose page it is."""
    assert argv_of(form(app, "say", data)) == argv
    same = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert argv_of(form(app, "say", data, same)) == argv


def test_a_forms_numbers(app: Flask) -> None:
    """A field that was left empty says nothing; one that is no number is refused."""
    assert argv_of(form(app, "count", "n=7"))[2] == "7"
    assert argv_of(form(app, "count", "n="))[2] == "20"
    assert argv_of(form(app, "count", ""))[2] == "20"
    for text in ("x", "1.0", "+5", "0x10", "%D9%A1", "1_0", " 5", "9" * 5000):
        check_problem(form(app, "count", f"n={text}"), 400)


def test_a_forms_newlines(app: Flask) -> None:
    """CRLF, as forms send it, is one newline."""
    assert output_of(app, form(app, "lines", "text=a%0D%0Ab%0D%0A")) == b"a\nb\n"


def test_a_run_is_as_declared(app: Flask, tmp_path: Path) -> None:
    """In the directory that is named from where the file is; with its environment, which nobody is shown."""
    assert output_of(app, start(app, "place")) == f"{tmp_path}/below\n".encode()
    response = start(app, "wait")
    run = engine_of(app).get(json.loads(response.data)["id"])
    assert "PASSWORD" in engine_of(app).spec(run.id).env
    assert b"secret" not in response.data


def test_every_option_of_a_command_is_the_runs(state_dir: Path) -> None:
    """None that is declared is left out of account."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    declared = Command(
        name="all", argv=("true",), pty=True, stdin=True, unbuffer=True, timeout=60, idle_timeout=50, max_output=7,
        on_max_output="truncate", key="k-{n}", when_busy="queue", parameters={"n": Integer(default=1)},
    )  # fmt: skip
    merged = Command(name="merged", argv=("true",), merge=True)
    app.register_blueprint(race.blueprint(open=True, commands=Commands([declared, merged])), url_prefix="/ops")
    spec = race.engine.spec(json.loads(start(app, "all", {"n": 2}).data)["id"])
    assert (spec.stdio, spec.stdin, spec.unbuffer) == (Stdio.PTY, True, True)
    assert (spec.timeout_s, spec.idle_timeout_s) == (60, 50)
    assert (spec.output_limit, spec.output_policy) == (7, "truncate")
    assert (spec.key, spec.when_busy) == ("k-2", WhenBusy.QUEUE)
    assert race.engine.spec(json.loads(start(app, "merged").data)["id"]).stdio is Stdio.MERGED


def test_a_key_that_is_busy(state_dir: Path) -> None:
    """`reject` is 409; a run of other values, where the key has them in it, goes beside the first."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    parameters = {"n": Integer(default=1)}
    sleep = Command(name="nap", argv=("sleep", "100{n}"), parameters=parameters, key="{n}", when_busy="reject")
    app.register_blueprint(race.blueprint(open=True, commands=Commands([sleep])), url_prefix="/ops")
    assert start(app, "nap").status_code == 201
    check_problem(start(app, "nap", {"n": 1}), 409)
    assert start(app, "nap", {"n": 2}).status_code == 201


def test_one_run_of_a_key(app: Flask, policy: Policy) -> None:
    """Who asks again is given the run that is going, with 200; who may not view that one, learns no more of it."""
    policy.refused = set()
    first = start(app, "wait")
    again = start(app, "wait")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Location"] == first.headers["Location"]
    run_id = json.loads(first.data)["id"]
    for accept in ("application/json", "text/event-stream"):
        response = ask(app, START.format("wait"), method="POST", user="eve", headers={"Accept": accept})
        check_problem(response, 403)
        assert run_id.encode() not in response.data
    assert len(engine_of(app).list(Query()).runs) == 1


def test_who_may_start_and_not_view(app: Flask, policy: Policy) -> None:
    """The run that was just started is told of once; its output is not given."""
    policy.refused = {("view", True)}
    for accept in ("application/json", "text/plain", "text/event-stream"):
        response = start(app, "count", Accept=accept)
        assert (response.status_code, response.headers["Content-Type"]) == (201, "application/json")
        assert json.loads(response.data)["command"] == "count"
        assert response.headers["Location"].endswith(json.loads(response.data)["id"])


# Streams


@pytest.mark.parametrize(
    "accept", ["text/event-stream", "text/event-stream, application/json;q=0.5", "TEXT/Event-Stream"]
)
def test_who_asks_for_a_stream_gets_it(app: Flask, accept: str) -> None:
    """The output, on the wire that was asked for; the run's id is in a header."""
    response = start(app, "count", Accept=accept)
    assert [data for data, _ in events(response)] == NUMBERS
    assert response.headers["Tailrace-Run"] == engine_of(app).list(Query()).runs[0].id


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("", "text/plain", "text/plain"),
        ("", "application/x-ndjson", "application/x-ndjson"),
        ("?format=text", "*/*", "text/plain"),
        ("?format=sse", "application/json", "text/event-stream"),
        ("", "*/*", JSON),
        ("", "text/*", JSON),
        ("", "application/json, text/plain, */*", JSON),
        ("", "text/html,application/xhtml+xml,*/*;q=0.8", JSON),
        ("", "text/plain;q=0", JSON),
        ("", "nonsense", JSON),
    ],
)
def test_what_is_answered(app: Flask, query: str, accept: str, kind: str) -> None:
    """A wire for who names its type, or `?format=`; the run for everybody else."""
    response = ask(app, START.format("count") + query, method="POST", headers={"Accept": accept})
    assert response.status_code == (201 if kind == JSON else 200)
    assert response.headers["Content-Type"].partition(";")[0] == kind


def test_a_stream_is_resumed(app: Flask) -> None:
    """A client that reconnects goes on in its own run, whatever it accepts now; another user's id opens nothing."""
    begun = events(start(app, "count", {"n": 20}, Accept="text/event-stream"))
    tenth = dict(zip(NUMBERS, [event_id for _, event_id in begun], strict=True))["10"]
    for accept in ("text/event-stream", "*/*"):
        resumed = start(app, "count", {"n": 20}, **{"Accept": accept, "Last-Event-ID": tenth})
        assert resumed.headers["Content-Type"].partition(";")[0] == ("text/plain" if accept == "*/*" else accept)
        assert [line for line in resumed.data.decode().split() if line.isdigit()] == NUMBERS[10:]
    headers = {"Last-Event-ID": tenth, "Accept": "text/event-stream"}
    check_problem(ask(app, START.format("count"), method="POST", user="eve", headers=headers), 403)
    check_problem(start(app, "place", **headers), 403)
    assert len(engine_of(app).list(Query()).runs) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Purpose": "prefetch"}, 503),
        ({"If-None-Match": "x"}, 412),
        ({"Range": "bytes=0-"}, 412),
        ({"Last-Event-ID": "x"}, 400),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "text/event-stream"])
def test_what_starts_nothing(app: Flask, headers: dict[str, str], status: int, accept: str) -> None:
    """Fetching ahead, conditions, places in other runs, and pages of other sites, with JSON or a form."""
    headers = {**headers, "Accept": accept}
    check_problem(start(app, "count", {"n": 5}, **headers), status)
    check_problem(form(app, "count", "n=5", headers), status)
    assert is_idle(app)


@pytest.mark.parametrize("query", ["n=5", "parameters=x", "from=0", "tail=1", "follow=0", "format=gif"])
def test_a_query_that_means_nothing(app: Flask, query: str) -> None:
    """Parameters in the wrong place are not left out of account."""
    response = ask(app, f"{START.format('count')}?{query}", method="POST")
    check_problem(response, 406 if query == "format=gif" else 400)
    assert is_idle(app)


@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
def test_only_a_post_starts(app: Flask, method: str) -> None:
    """405 for everything else."""
    assert ask(app, START.format("count"), method=method).status_code == 405
    assert is_idle(app)


# Attacks


@pytest.mark.parametrize(
    ("name", "parameters", "told"),
    [
        ("count", {"n": 0}, "n is out of range"),
        ("count", {"n": -5}, "n is out of range"),
        ("count", {"n": 10**30}, "n is out of range"),
        ("count", {"n": "5"}, "must be a whole number, not text"),
        ("count", {"n": 5.5}, "must be a whole number"),
        ("count", {"n": True}, "not true or false"),
        ("count", {"n": None}, "not nothing"),
        ("count", {"n": [5]}, "not a list"),
        ("count", {"n": {"n": 5}}, "not an object"),
        ("count", {"m": 5}, "'m' is no parameter of it"),
        ("count", {"argv": ["reboot"]}, "'argv' is no parameter of it"),
        ("say", {}, "what is missing"),
        ("say", {"whom": "ann"}, "what is missing"),
        ("say", {"what": 5}, "must be text, not a number"),
        ("say", {"what": "-v"}, "begin with '-'"),
        ("say", {"what": "--help"}, "begin with '-'"),
        ("say", {"what": "-"}, "begin with '-'"),
        ("say", {"what": "a\0b"}, "has a NUL"),
        ("say", {"what": "\ud800"}, "half of a character"),
        ("say", {"what": "a\nb"}, "more than one line"),
        ("say", {"what": "a\rb"}, "more than one line"),
        ("say", {"what": "a\u2028b"}, "more than one line"),
        ("say", {"what": "x" * 5000}, "has 5000 characters"),
        ("say", {"what": "a", "whom": "Ann"}, "does not match"),
        ("say", {"what": "a", "whom": "ann\n"}, "more than one line"),
        ("lines", {"text": "a\0"}, "has a NUL"),
    ],
)
def test_a_value_that_is_not_taken(app: Flask, name: str, parameters: object, told: str) -> None:
    """400 names the parameter, says what to do, and nothing is started."""
    for accept in ("*/*", "text/event-stream"):
        response = start(app, name, parameters, Accept=accept)
        check_problem(response, 400)
        assert told in json.loads(response.data)["detail"]
    assert is_idle(app)


def test_a_value_behind_the_end_of_options_may_have_a_dash(app: Flask) -> None:
    """So may one behind something in the same argument."""
    assert output_of(app, start(app, "lines", {"text": "-n\n--help"})) == b"-n\n--help"
    assert output_of(app, start(app, "behind", {"text": "-n"})) == b"to=-n"


def test_all_that_is_wrong_is_told_at_once(app: Flask) -> None:
    """In the sentence, and each by itself."""
    response = start(app, "say", {"what": "a\nb", "whom": "ANN", "wat": 1})
    check_problem(response, 400)
    problem = json.loads(response.data)
    assert [error["subject"] for error in problem["errors"]] == ["'wat'", "what", "whom"]
    assert problem["errors"][0]["hint"] == "did you mean 'what'?"
    assert all(error["detail"] and error["hint"] for error in problem["errors"])


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"[]", JSON, 400),
        (b"5", JSON, 400),
        (b"null", JSON, 400),
        (b"{", JSON, 400),
        (b"\xff", JSON, 400),
        (b"\xff\xfe{\x00}\x00", JSON, 400),
        (b'{"n": 5}', JSON, 400),
        (b'{"parameters": {"n": 5}, "argv": ["reboot"]}', JSON, 400),
        (b'{"parameters": []}', JSON, 400),
        (b'{"parameters": null}', JSON, 400),
        (b'{"parameters": {"n": 5, "n": 6}}', JSON, 400),
        (b'{"parameters": {"n": 5}, "parameters": {}}', JSON, 400),
        (b'{"parameters": {"n": NaN}}', JSON, 400),
        (b'{"parameters": {"n": 1e999}}', JSON, 400),
        (b'{"parameters": {"n": ' + b"9" * 10_000 + b"}}", JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b'{"parameters": ' * 10_000, JSON, 400),
        (b'{"parameters": {"n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", JSON, 400),
        (b"n=5&n=6", FORM, 400),
        (b"n=%ff", FORM, 400),
        (b"n=\xff", FORM, 400),
        (b"m=5", FORM, 400),
        (b"n=5%00", FORM, 400),
        (b"&".join(b"n%d=5" % n for n in range(MOST_FIELDS + 1)), FORM, 400),
        (b'{"parameters": {"n": 5}}', FORM, 400),
        (b'{"parameters": {"n": 5}}', None, 415),
        (b'{"parameters": {"n": 5}}', "text/plain", 415),
        (b"n=5", "multipart/form-data; boundary=x", 415),
        (b"n=5", "application/octet-stream", 415),
        (b" " * (PARAMETERS_BYTES + 1), JSON, 413),
        (b'{"parameters": {"n": "' + b"x" * 1_000_000 + b'"}}', JSON, 413),
        (b"n=" + b"x" * 1_000_000, FORM, 413),
    ],
)
def test_a_body_that_is_not_taken(app: Flask, data: bytes, kind: str | None, status: int) -> None:
    """Whatever it is, it is a problem document, and nothing is started."""
    response = ask(app, START.format("count"), method="POST", data=data, kind=kind)
    check_problem(response, status)
    assert len(response.data) < 10_000
    assert not re.search(r"[A-Z][a-z]+Error", response.data.decode())
    assert is_idle(app)


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        (START.format("count"), b'{"parameters": {"n": 5}', "it is not JSON: expecting ',' delimiter (line 1,"),
        (START.format("count"), b"\xff", "it is not UTF-8"),
        (START.format("count"), b"[" * 100_000, "it is nested too deeply"),
        (START.format("count"), b"[]", "the body is no JSON object"),
        (START.format("count"), b'{"n": 5}', "the body has 'n', which means nothing here"),
        ("/ops/api/runs/{}/stop", b"{now}", "it is not JSON: "),
        ("/ops/api/runs/{}/stop", b"[]", "expected `object`, got `array`"),
    ],
)  # fmt: skip
def test_it_is_said_what_is_wrong_with_json(app: Flask, path: str, data: bytes, words: str) -> None:
    """In words, where it is, and not in those of the program."""
    run_id = json.loads(start(app, "count").data)["id"]
    response = ask(app, path.format(run_id), method="POST", data=data, kind=JSON)
    check_problem(response, 400)
    assert words in json.loads(response.data)["detail"]


def test_no_body_of_another_type(app: Flask) -> None:
    """Starts with the defaults, of whatever type nothing is said to be; where a form is refused, it is said how."""
    assert ask(app, START.format("count"), method="POST", kind="text/plain").status_code == 201
    run_id = json.loads(start(app, "count").data)["id"]
    refused = ask(app, f"/ops/api/runs/{run_id}/stop", method="POST", kind=FORM)
    check_problem(refused, 415)
    assert "curl -X POST" in json.loads(refused.data)["hint"]


def test_a_flood_of_unknown_names(app: Flask) -> None:
    """The first few are told."""
    response = form(app, "count", urlencode({f"{'x' * 200}{n}": n for n in range(MOST_FIELDS)}))
    check_problem(response, 400)
    assert len(response.data) < 10_000


# Mounting


@pytest.mark.parametrize("prefix", ["", "/ops", "/<tenant>/ops", "/é"])
@pytest.mark.parametrize("root", ["", "/root"])
def test_a_location_under_any_prefix(state_dir: Path, prefix: str, root: str) -> None:
    """`Location` is where the run is, also where the application itself is mounted somewhere."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    commands = Commands([Command(name="hi", argv=("echo", "hi"))])
    app.register_blueprint(race.blueprint(open=True, commands=commands), url_prefix=prefix or None)
    there = prefix.replace("<tenant>", "acme")
    base = f"http://localhost{root}"
    response = app.test_client().post(f"{there}/api/commands/hi/runs", base_url=base)
    location = response.headers["Location"]
    run_id = json.loads(response.data)["id"]
    assert location == f"{root}{there}/api/runs/{run_id}".replace("é", "%C3%A9")
    assert app.test_client().get(location.removeprefix(root), base_url=base).status_code == 200


def test_commands_in_the_configuration(state_dir: Path, tmp_path: Path) -> None:
    """A path or a value; what is said at the blueprint comes first, and a mistake in the file is told at once."""
    path = tmp_path / "commands.toml"
    path.write_text('[commands.hi]\nargv = ["echo", "hi"]\n')
    app = Flask(__name__)
    app.config["TAILRACE_COMMANDS"] = os.fspath(path)
    race = Tailrace(app, state_dir=state_dir)
    own = Commands([Command(name="own", argv=("echo", "{x}", "{n}"), parameters={"x": Text(), "n": Integer()})])
    app.register_blueprint(race.blueprint(open=True), url_prefix="/all")
    app.register_blueprint(race.blueprint(open=True, commands=own, name="own"), url_prefix="/own")
    assert start(app, "hi").status_code == 404
    assert post(app, "/all/api/commands/hi/runs").status_code == 201
    assert post(app, "/own/api/commands/hi/runs").status_code == 404
    assert post(app, "/own/api/commands/own/runs", {"parameters": {"x": "a", "n": 1}}).status_code == 201
    path.write_text('[commands.hi]\nargs = ["echo", "hi"]\n')
    with pytest.raises(InvalidInput, match=r"commands\.toml:2: commands\.hi\.args means nothing here"):
        Tailrace(Flask(__name__), commands=path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        race.blueprint(open=True, commands=tmp_path / "none.toml", name="none")


def test_the_application_can_decide_by_command(state_dir: Path) -> None:
    """Within `authorize`, Flask's request has the command's name."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    commands = Commands([Command(name=name, argv=("true",)) for name in ("harmless", "deploy")])

    def may(action: str, _run: object) -> bool:
        return action != "start" or (request.view_args or {}).get("command") == "harmless"

    app.register_blueprint(race.blueprint(authorize=may, commands=commands), url_prefix="/ops")
    response = start(app, "harmless")
    check_problem(start(app, "deploy"), 403)
    run = race.engine.get(json.loads(response.data)["id"])
    assert run.command == "harmless"
    assert State(run.state)
