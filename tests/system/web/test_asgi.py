"""What only `tailrace.asgi` has: scopes, asynchronous functions of the application, answers in parts."""

import asyncio
import gc
import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import cast

import pytest

from tailrace import Query, RunInfo
from tailrace.asgi import Answer, Refused, Scope, Tailrace
from tailrace.core.access import Action
from tailrace.core.states import State
from tailrace.web import broadcast
from tailrace.web.loop.sinks import Message
from tests.support.wait import wait_for
from tests.system.web.conftest import Mount, served_site
from tests.system.web.mounted import UNKNOWN, Asked, MountedAsgi, Policy, ask, post
from tests.system.web.sites import ServedSite
from tests.system.web.test_rules import check_problem

LENT = pytest.mark.parametrize("adapter", ["lent"], indirect=True)


@pytest.fixture
def race(state_dir: Path) -> Tailrace:
    """Give what an application has."""
    return Tailrace(state_dir=state_dir)


def scope_of(path: str = "/x", method: str = "GET", query: str = "", **headers: str) -> Scope:
    """Return the scope of a request."""
    raw = [
        (name.replace("_", "-").encode(), value.encode()) for name, value in {"host": "localhost", **headers}.items()
    ]
    return {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": raw}


@LENT
def test_an_asynchronous_authorize_is_asked_in_order(mount: Mount) -> None:
    """First whether at all, then for the run, then for the deed; a stranger is answered by the application."""
    policy = Policy()
    site = mount(policy, is_async=True)
    run = site.engine.start(["cat"], by="ann", stdin=True)
    assert post(site, f"/ops/api/runs/{run.id}/stop").status_code == 202
    assert policy.asked == [Asked("stop", None), Asked("view", run.id), Asked("stop", run.id)]
    stranger = ask(site, "/ops/api/runs", user=None)
    assert (stranger.status_code, stranger.headers["Location"]) == (302, "/login")
    check_problem(ask(site, f"/ops/api/runs/{run.id}", user="eve"), 404)
    run.wait(60)


def test_an_authorize_that_needs_a_thread_gets_one(state_dir: Path) -> None:
    """However many requests wait for its answer."""

    async def authorize(_scope: Scope, _action: Action, _run: RunInfo | None) -> bool:
        return await asyncio.to_thread(lambda: True)

    app = MountedAsgi(state_dir, lambda *_: True)
    app.ops = app.race.blueprint(authorize=authorize)
    with closing(served_site(app, "lent")) as site:
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(ask(site, "/ops/api/runs").status_code)) for _ in range(40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert statuses == [200] * 40


def test_an_error_in_user_lets_nobody_in(state_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does it reach the client; something else than text is such an error."""
    for user in (lambda _scope: 1 / 0, lambda _scope: 7):
        app = MountedAsgi(state_dir, lambda *_: True)
        app.race = Tailrace(state_dir=state_dir, user=user)  # type: ignore[arg-type]
        app.ops = app.race.blueprint(authorize=lambda *_: True)
        with closing(served_site(app, "lent")) as site, caplog.at_level(logging.ERROR):
            check_problem(ask(site, "/ops/api/runs"), 500)
    assert "division by zero" in caplog.text
    assert "must return text" in caplog.text


@pytest.fixture
def site(state_dir: Path) -> Iterator[ServedSite]:
    """Give an application that has the API."""
    with closing(served_site(MountedAsgi(state_dir, lambda *_: True), "lent")) as site:
        yield site


def test_half_a_body_is_none(site: ServedSite) -> None:
    """A client that leaves in the middle of its input has sent nothing."""
    run = site.engine.start(["cat"], stdin=True, by="ann")
    wait_for(lambda: run.info().state is State.RUNNING)
    head = f"POST /ops/api/runs/{run.id}/input HTTP/1.1\r\nHost: localhost\r\nX-User: ann\r\n"
    with socket.create_connection(("127.0.0.1", site.port)) as peer:
        peer.sendall(f"{head}Content-Type: application/octet-stream\r\nContent-Length: 10\r\n\r\nhalf".encode())
    wait_for(lambda: not site.connections)
    assert post(site, f"/ops/api/runs/{run.id}/input?close=1").status_code == 204
    assert run.wait(60).size == 0


def test_the_body_alone_is_enough(race: Tailrace) -> None:
    """Whoever iterates over it need not hold the answer."""

    async def watch() -> bytes:
        body = (await race.stream(scope_of(), ["sh", "-c", "echo one; sleep 0.1; echo two"])).body
        gc.collect()
        return b"".join([piece async for piece in body])

    assert asyncio.run(watch()) == b"one\ntwo\n"


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_body_that_is_left_lets_go(race: Tailrace, state_dir: Path, is_begun: bool) -> None:
    """Closed, cancelled, or never begun."""
    run = race.engine.start(["sh", "-c", "echo one; read go"], stdin=True)
    wait_for(lambda: run.info().size == 4)

    async def leave() -> None:
        answer = await race.stream(scope_of(), run.id)
        assert _holds(state_dir, run.id)
        if is_begun:
            async with aclosing(answer.body) as body:  # type: ignore[type-var]
                assert await anext(body) == b"one\n"
        del answer
        gc.collect()

    asyncio.run(leave())
    assert not _holds(state_dir, run.id)
    assert broadcast.going() == []


def test_who_is_cancelled_lets_go(race: Tailrace, state_dir: Path) -> None:
    """While it waits for the answer, or for more output."""
    run = race.engine.start(["sh", "-c", "echo one; read go"], stdin=True)

    async def leave() -> None:
        for steps in (0, 1, 2, 50):
            task = asyncio.ensure_future(_serve(race, run.id))
            for _ in range(steps):
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        # what goes on in a thread is let go of in the loop, which must go on for that
        await asyncio.to_thread(wait_for, lambda: not _holds(state_dir, run.id))

    asyncio.run(leave())
    assert not _holds(state_dir, run.id)


async def _serve(race: Tailrace, run_id: str) -> None:
    async def receive() -> Message:
        return cast("Message", await asyncio.Event().wait())

    async def send(_message: Message) -> None:
        pass

    scope = scope_of()
    await (await race.stream(scope, run_id))(scope, receive, send)


def _holds(state_dir: Path, run_id: str) -> bool:
    links = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return f"{state_dir}/runs/{run_id}/output" in links


def test_what_is_refused_is_a_problem(race: Tailrace) -> None:
    """Of another site, of no wire, of no run: a document with a hint, and nothing is started."""
    foreign = scope_of(method="POST", origin="https://elsewhere.example")

    async def refuse() -> list[Answer]:
        with pytest.raises(Refused) as refused:
            await race.start(foreign, ["true"])
        return [
            refused.value.answer,
            await race.stream(foreign, ["true"]),
            await race.stream(scope_of(query="format=gif&format=text"), ["true"]),
            await race.stream(scope_of(), UNKNOWN),
        ]

    async def text(answer: Answer) -> bytes:
        return b"".join([piece async for piece in answer.body])

    answers = asyncio.run(refuse())
    assert [answer.status for answer in answers] == [403, 403, 406, 404]
    for answer in answers:
        assert json.loads(asyncio.run(text(answer)))["hint"]
    assert race.engine.list(Query()).runs == ()
    assert asyncio.run(race.start(scope_of(), ["true"])).wait(60).by is None


def test_a_mistake_of_the_route_is_told(race: Tailrace) -> None:
    """Something that is no request, a wire that is none, an option that is not there."""
    with pytest.raises(TypeError, match="takes the request"):
        asyncio.run(race.stream("x", ["true"]))
    with pytest.raises(ValueError, match="there is no wire"):
        asyncio.run(race.stream(scope_of(), ["true"], wire="gif"))
    with pytest.raises(TypeError, match="timeout"):
        asyncio.run(race.stream(scope_of(), ["true"], tiemout=1))  # type: ignore[call-arg]
    assert race.engine.list(Query()).runs == ()


FORKING = """
import asyncio, os, sys
from tailrace.asgi import Tailrace
race = Tailrace()
scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}

async def watch():
    answer = await race.stream(scope, ["seq", "3"])
    return b"".join([piece async for piece in answer.body])

assert asyncio.run(watch()) == b"1\\n2\\n3\\n"
pid = os.fork()
if pid == 0:
    os._exit(0 if asyncio.run(watch()) == b"1\\n2\\n3\\n" else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert asyncio.run(watch()) == b"1\\n2\\n3\\n"
"""


@pytest.mark.usefixtures("state_dir")
def test_a_forked_process_begins_anew() -> None:
    """It has neither its parent's threads nor what its loops waited for; both go on to work."""
    assert subprocess.run([sys.executable, "-c", FORKING], check=False, timeout=60).returncode == 0
