"""Which commands a caller is told of, and which he may start, where an application decides: Flask and ASGI alike."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias, cast

import msgspec
import pytest
from flask import Flask, request

from tailrace import asgi, flask
from tailrace.access import Access, Action, Identity, Rule, Rules
from tailrace.audit.reading import entries, requests
from tailrace.core.audit import Audit
from tailrace.core.command import Command, Commands
from tailrace.core.run import RunInfo
from tailrace.web.loop.sinks import Message, Scope
from tailrace.web.routes.account import HIDDEN_COMMAND

COMMANDS = Commands([
    Command(name="free", argv=("true",)),
    Command(name="held", argv=("true",), allow=("group:ops",)),
    Command(name="ruled", argv=("true",)),
])  # fmt: skip
RULES = Rules(Access(rules=(Rule(commands=("ruled",), actions=("start",), allow=("user:bob",)),)), COMMANDS)
Ask: TypeAlias = Callable[[str, str, str], tuple[int, bytes]]
"""(method, path, who) to status and body"""


class Mount(Protocol):
    """Mounts the API in an application, with rules for commands or without."""

    def __call__(self, state_dir: Path, *, has_rules: bool, audit: Audit | None = None) -> Ask:
        """Return how it is asked."""


DECODER = msgspec.json.Decoder(dict[str, list[dict[str, object]]])


def _identity(name: str) -> Identity:
    return Identity(name=name, role="operator", groups=("ops",) if name == "ann" else (), via="app")


def _in_flask(state_dir: Path, *, has_rules: bool, audit: Audit | None = None) -> Ask:
    app = Flask(__name__)
    race = flask.Tailrace(app, state_dir=state_dir, commands=COMMANDS)

    def may(action: Action, run: RunInfo | None) -> bool:
        return RULES.may(_identity(request.headers["X-User"]), action, run)

    def may_command(action: Action, command: Command) -> bool:
        return RULES.may_command(_identity(request.headers["X-User"]), action, command)

    ops = race.blueprint(authorize=may, authorize_command=may_command if has_rules else None, audit=audit)
    app.register_blueprint(ops, url_prefix="/ops")

    def ask(method: str, path: str, who: str) -> tuple[int, bytes]:
        answer = app.test_client().open(f"/ops{path}", method=method, headers={"X-User": who})
        return answer.status_code, answer.data

    return ask


def _in_asgi(state_dir: Path, *, has_rules: bool, audit: Audit | None = None) -> Ask:
    race = asgi.Tailrace(state_dir=state_dir, commands=COMMANDS)

    async def may(scope: Scope, action: Action, run: RunInfo | None) -> bool:
        return RULES.may(_identity(_user(scope)), action, run)

    async def may_command(scope: Scope, action: Action, command: Command) -> bool:
        return RULES.may_command(_identity(_user(scope)), action, command)

    ops = race.blueprint(authorize=may, authorize_command=may_command if has_rules else None, audit=audit)

    def ask(method: str, path: str, who: str) -> tuple[int, bytes]:
        return asyncio.run(_asked(ops, method, path, who))

    return ask


async def _asked(ops: asgi.Blueprint, method: str, path: str, who: str) -> tuple[int, bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"x-user", who.encode())]
    await ops({"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}, receive, send)
    return cast("int", sent[0]["status"]), b"".join([cast("bytes", message.get("body", b"")) for message in sent[1:]])


def _user(scope: Scope) -> str:
    return dict(cast("list[tuple[bytes, bytes]]", scope["headers"]))[b"x-user"].decode()


BOTH = pytest.mark.parametrize("mount", [_in_flask, _in_asgi])


def _names(ask: Ask, who: str) -> list[object]:
    status, body = ask("GET", "/api/commands", who)
    assert status == 200, body
    return [command["name"] for command in DECODER.decode(body)["commands"]]


def _start(ask: Ask, command: str, who: str) -> int:
    return ask("POST", f"/api/commands/{command}/runs", who)[0]


@BOTH
def test_rules_hold_for_commands(state_dir: Path, mount: Mount) -> None:
    """As in a server: `allow` of a command hides it from others, a rule about `start` keeps them from that alone."""
    ask = mount(state_dir, has_rules=True)
    assert _names(ask, "ann") == ["free", "held", "ruled"]
    assert _names(ask, "bob") == ["free", "ruled"]
    assert [_start(ask, "held", who) for who in ("ann", "bob")] == [201, 404]
    assert [_start(ask, "ruled", who) for who in ("ann", "bob")] == [403, 201]


@BOTH
def test_what_nobody_decides_is_started_by_nobody(state_dir: Path, mount: Mount) -> None:
    """A command that says who may start it, in an application that does not know who that is."""
    ask = mount(state_dir, has_rules=False)
    assert _names(ask, "ann") == ["free", "held", "ruled"]
    assert [_start(ask, command, "ann") for command in ("free", "held", "ruled")] == [201, 403, 201]


def test_a_function_is_called_once_for_a_run(state_dir: Path) -> None:
    """Whatever it does beside returning an argv, it does once."""
    app, called = Flask(__name__), list[int]()
    race = flask.Tailrace(app, state_dir=state_dir)

    @race.command()
    def count(n: int = 1) -> list[str]:
        called.append(n)
        return ["seq", str(n)]

    app.register_blueprint(race.blueprint(open=True), url_prefix="/ops")
    answer = app.test_client().post("/ops/api/commands/count/runs", json={"parameters": {"n": 3}})
    assert (answer.status_code, called) == (201, [3])


@BOTH
def test_starting_what_is_hidden_is_on_record_as_refused(mount: Mount, state_dir: Path, tmp_path: Path) -> None:
    """By its name, also where the caller is told that there is none."""
    file = tmp_path / "audit.jsonl"
    ask = mount(state_dir, has_rules=True, audit=Audit(file=str(file)))
    assert _start(ask, "held", "bob") == 404
    (entry,) = requests(entries(file))
    assert (entry.command, entry.allowed, entry.why) == ("held", False, HIDDEN_COMMAND)
