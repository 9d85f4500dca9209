"""Hooks of a real server: what is sent, what is run, and that nothing is lost when a server or a receiver dies."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import tailrace
from tailrace import Query
from tailrace.core.outcome import Exited
from tests.support.receiver import Received, Receiver
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve

SECRET = "0123456789abcdef0123456789abcdef"
ENV = {"HOOK_SECRET": SECRET}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give one that says yes."""
    with closing(Receiver(204)) as made:
        yield made


def hook(port: int, *lines: str, on: str = '"finished"', commands: str = '"*"') -> str:
    """Return a hook that sends to a port of this machine."""
    return "\n".join(
        (
            "[[hooks]]", 'name = "chat"', f"on = [{on}]", f"commands = [{commands}]",
            f'url = "http://127.0.0.1:{port}/in"', 'secret_env = "HOOK_SECRET"', "allow_private = true", *lines,
        )
    )  # fmt: skip


def told(received: Received) -> tuple[str, str, str]:
    """Return the event, the run and its command."""
    body = json.loads(received.body)
    return body["event"], body["run"]["id"], body["run"]["command"]


def test_a_start_and_an_end_are_told(serve: Serve, receiver: Receiver) -> None:
    """Each once, signed, with the run as the API shows it."""
    serving = serve(hook(receiver.port, on='"started", "finished"'), env=ENV)
    run_id = serving.start("count")
    wait_for(lambda: len(receiver.received) == 2)
    assert sorted(map(told, receiver.received)) == [("finished", run_id, "count"), ("started", run_id, "count")]
    for received in receiver.received:
        headers = received.headers
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + received.body
        digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
        assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
        assert json.loads(received.body)["id"] == headers["webhook-id"]


def test_only_what_was_asked_for_is_told(serve: Serve, receiver: Receiver) -> None:
    """By the command's name, and by how it ended: to be stopped is no failure."""
    serving = serve(hook(receiver.port, on='"failed"', commands='"fail*", "wait"') + FAILING, env=ENV)
    serving.start("count")
    stopped = serving.start("wait")
    assert serving.ask(f"/api/runs/{stopped}/stop", "POST").status == 202
    engine = tailrace.connect()
    engine.start(["false"]).wait()
    tailrace.Run(engine, stopped).wait()
    failed = serving.start("failing")
    wait_for(lambda: receiver.received)
    assert [told(received) for received in receiver.received] == [("failed", failed, "failing")]


def test_it_is_sent_again(serve: Serve) -> None:
    """To a receiver that says no: the same, with the same id, and a signature of its own time."""
    with closing(Receiver(500, 204)) as receiver:
        serving = serve(hook(receiver.port), env=ENV)
        serving.start("count")
        wait_for(lambda: len(receiver.received) == 2)
        first, second = receiver.received
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert int(first.headers["webhook-timestamp"]) < int(second.headers["webhook-timestamp"])
        wait_for(lambda: list(outbox().iterdir()) == [])
        assert "is tried again" in serving.err()


def test_it_outlives_server_and_receiver(serve: Serve) -> None:
    """A run that ends while nobody looks, and a delivery that nobody takes, are told when both are back."""
    with closing(Receiver(204)) as gone:
        port = gone.port
    serving = serve(hook(port), env=ENV)
    first, second = serving.start("count"), serving.start("wait")
    wait_for(lambda: list(outbox().iterdir()))
    serving.process.kill()
    serving.process.wait()
    tailrace.Run(tailrace.connect(), second).stop(now=True)
    tailrace.Run(tailrace.connect(), second).wait()
    with closing(Receiver(204, port=port)) as receiver:
        serve(hook(port), env=ENV)
        wait_for(lambda: {told(received)[1] for received in receiver.received} == {first, second})


def test_of_several_workers_one_tells(serve: Serve, receiver: Receiver) -> None:
    """Nothing twice."""
    serving = serve(hook(receiver.port), "--workers", "3", "--port", "0", env=ENV)
    started = {serving.start("count") for _ in range(10)}
    wait_for(lambda: len(receiver.received) >= 10)
    wait_for(lambda: list(outbox().iterdir()) == [])
    assert sorted(told(received)[1] for received in receiver.received) == sorted(started)


def test_this_machine_is_not_sent_to(serve: Serve, receiver: Receiver) -> None:
    """Unless it was allowed; the log says why."""
    text = hook(receiver.port).replace("allow_private = true", "").replace("http://127.0.0.1", "https://localhost")
    serving = serve(text, env=ENV)
    serving.start("count")
    wait_for(lambda: "is no public address" in serving.err())
    assert receiver.received == []


def test_a_command_is_run(serve: Serve, tmp_path: Path) -> None:
    """As a run of its own, which has what is told on its input, and is told to no hook itself."""
    out = tmp_path / "told"
    argv = json.dumps(["sh", "-c", 'cat > "$0"', str(out)])
    serving = serve(f'[[hooks]]\nname = "note"\nargv = {argv}\n')
    run_id = serving.start("count")
    engine = tailrace.connect()
    (info,) = wait_for(lambda: engine.list(Query(labels={"hook": "note"})).runs)
    done = tailrace.Run(engine, info.id).wait()
    assert (done.outcome, done.by, done.labels["hook-run"]) == (Exited(0), "hook note", run_id)
    body = json.loads(out.read_text())
    assert (body["event"], body["run"]["id"]) == ("finished", run_id)
    again = serving.start("count")
    wait_for(lambda: engine.list(Query(labels={"hook-run": again})).runs)
    assert {each.labels["hook-run"] for each in engine.list(Query(labels={"hook": "note"})).runs} == {run_id, again}


def outbox() -> Path:
    """Return where deliveries wait."""
    return Path(os.environ["TAILRACE_STATE"]) / "hooks" / "outbox"


FAILING = '\n[commands.failing]\nargv = ["false"]\n'
