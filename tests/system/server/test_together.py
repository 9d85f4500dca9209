"""What callers, limits, the audit and a changed file have to do with one another, asked of a real server."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from tailrace.audit.reading import entries, requests
from tailrace.core.audit import Entry
from tailrace.server.auth.tokens import Token, Tokens
from tailrace.server.auth.users import FILE, Users
from tailrace.server.auth.vault import Vault
from tests.support.wait import wait_for
from tests.system.server.conftest import Serve
from tests.system.server.serving import NOTHING, Serving

PASSWORD = "correct horse"
TEXT = """auth = "users"
[audit]
file = "audit.jsonl"
[limits.user]
max_running = 1
max_queued = 0
[access]
own_runs_only = true
[commands.secret]
argv = ["true"]
allow = ["group:ops"]
"""
INFO = msgspec.json.Decoder(dict[str, object])


@pytest.fixture
def team(serve: Serve, state_dir: Path) -> Serving:
    """Give a server that knows ann and bob, records what they do, and lets each have one run."""
    users = Users(Vault(str(state_dir)).path / FILE)
    for name in ("ann", "bob"):
        users.add(name, PASSWORD, "operator", ())
    return serve(TEXT)


def log_in(serving: Serving, name: str, password: str = PASSWORD) -> dict[str, str]:
    """Return what a browser sends from now on; nothing, if it was not let in."""
    answer = serving.post("/login", f"user={name}&password={password}", {"Origin": serving.address.rstrip("/")})
    if answer.status != 303:
        return {}
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0], "Origin": serving.address.rstrip("/")}


def recorded(serving: Serving) -> list[Entry]:
    """Return an entry for each request that is on record."""
    return list(requests(entries(serving.file.parent / "audit.jsonl")))


def told(entry: Entry) -> tuple[object, ...]:
    """Return what most of the tests are about."""
    return entry.action, entry.who, entry.via, entry.allowed, entry.status


def test_coming_and_going_are_on_record(team: Serving) -> None:
    """With who it was, how he came in, and why he was not let in; a name that nobody has is not repeated."""
    assert log_in(team, "ann", "wrong") == log_in(team, "my-password-by-mistake") == NOTHING
    ann = log_in(team, "ann")
    run_id = team.post("/api/commands/wait/runs", "", ann).headers["location"].rpartition("/")[2]
    assert team.post("/logout", "", ann).status == 303
    assert team.post("/logout", "", {"Origin": "http://evil.example"}).status == 403
    found = recorded(team)
    assert [told(entry) for entry in found] == [
        ("login", "ann", "users", False, 401),
        ("login", None, "users", False, 401),
        ("login", "ann", "users", True, None),
        ("start", "ann", "session", True, 201),
        ("logout", "ann", "users", True, 303),
        ("logout", None, "", False, 403),
    ]
    assert found[3].run == run_id
    assert (found[0].address, found[0].why) == ("127.0.0.1", "There is no such user with this password.")
    assert "mistake" not in (team.file.parent / "audit.jsonl").read_text()


def test_strangers_are_on_record(team: Serving) -> None:
    """Whether they are refused, or led to the login; a health check is not."""
    assert team.ask("/healthz").status == 200
    assert team.ask("/api/runs").status == 401
    assert team.ask("/", headers={"Accept": "text/html"}).status == 303
    assert team.ask("/metrics").status == 401
    found = recorded(team)
    assert [told(entry) for entry in found] == [
        ("list", None, "", False, 401),
        ("list", None, "", False, 303),
        ("metrics", None, "", False, 401),
    ]
    assert [bool(entry.why) for entry in found] == [True] * 3


def test_what_is_hidden_is_on_record(team: Serving) -> None:
    """A command, or a run, that somebody may not see, and is told that it is not there."""
    ann, bob = log_in(team, "ann"), log_in(team, "bob")
    run_id = team.post("/api/commands/wait/runs", "", ann).headers["location"].rpartition("/")[2]
    assert team.post("/api/commands/secret/runs", "", bob).status == 404
    assert team.post(f"/api/runs/{run_id}/stop", "", bob).status == 404
    command, run = recorded(team)[-2:]
    assert (*told(command), command.command) == ("start", "bob", "session", False, 404, "secret")
    assert (*told(run), run.run) == ("stop", "bob", "session", False, 404, run_id)


def test_links_are_on_record(team: Serving) -> None:
    """Who made one, that it was opened, and one that is not whole; the link itself is not."""
    ann = log_in(team, "ann")
    run_id = team.post("/api/commands/wait/runs", "", ann).headers["location"].rpartition("/")[2]
    made = team.ask(f"/api/runs/{run_id}/share", "POST", b"", ann)
    link = str(INFO.decode(made.body)["token"])
    assert team.ask(f"/runs/{run_id}?share={link}").status == 303
    assert team.ask(f"/runs/{run_id}?share={link}x").status == 403
    found = recorded(team)[-3:]
    assert [(*told(entry), entry.run) for entry in found] == [
        ("share", "ann", "session", True, 201, run_id),
        ("open", "share", "share", True, 303, run_id),
        ("open", None, "", False, 403, run_id),
    ]
    assert link not in (team.file.parent / "audit.jsonl").read_text()


def test_each_user_has_runs_of_his_own_to_spend(team: Serving, state_dir: Path) -> None:
    """A quota counts by who is known to ask: of a browser, of a program by its token; a run is his by name."""
    ann, bob = log_in(team, "ann"), log_in(team, "bob")
    made = Tokens(Vault(str(state_dir))).create(Token(name="CI", hash="", role="operator", created=time.time()))
    program = {"Authorization": f"Bearer {made}"}
    by = []
    for caller in (ann, bob, program):
        answer = team.post("/api/commands/wait/runs", "", caller)
        assert answer.status == 201
        by.append(INFO.decode(answer.body)["by"])
        refused = team.post("/api/commands/wait/runs", "", caller)
        assert (refused.status, INFO.decode(refused.body)["limit"]) == (429, "max_running")
    assert by == ["ann", "bob", "token:CI"]
    refusals = [entry for entry in recorded(team) if entry.status == 429]
    assert [(entry.who, entry.allowed) for entry in refusals] == [("ann", False), ("bob", False), ("token:CI", False)]


def test_rules_and_limits_of_a_changed_file(team: Serving) -> None:
    """They count for who is in already, and the change is on record, as is one that was not taken."""
    ann = log_in(team, "ann")
    assert team.post("/api/commands/secret/runs", "", ann).status == 404
    before = team.file.read_text()
    team.file.write_text(before.replace("group:ops", "user:ann").replace("max_running = 1", "max_running = 2"))
    team.process.send_signal(signal.SIGHUP)
    wait_for(lambda: team.post("/api/commands/secret/runs", "", ann).status == 201)
    wait_for(lambda: b'"finished"' in team.ask("/api/runs", headers=ann).body)
    statuses = [team.post("/api/commands/wait/runs", "", ann).status for _ in range(3)]
    assert statuses == [201, 201, 429]
    team.file.write_text(f"{before}[limits]\nmax_running = 0\n")
    team.process.send_signal(signal.SIGHUP)
    wait_for(lambda: b"kept: the log says why" in team.ask("/readyz").body)
    assert b"max_running" not in team.ask("/readyz").body
    wait_for(lambda: any("max_running" in entry.why for entry in _reloads(team)))  # a thread writes it, a moment later
    reloads = _reloads(team)
    assert (reloads[0].allowed, reloads[-1].allowed) == (True, False)


def _reloads(team: Serving) -> list[Entry]:
    return [entry for entry in recorded(team) if entry.action == "reload"]


def test_nobody_comes_in_off_the_record(serve: Serve, tmp_path: Path, state_dir: Path) -> None:
    """Where the audit cannot be written a login is refused, and says so; going out is not."""
    users = Users(Vault(str(state_dir)).path / FILE)
    users.add("ann", PASSWORD, "operator", ())
    serving = serve(TEXT)
    ann = log_in(serving, "ann")
    file = serving.file.parent / "audit.jsonl"
    file.unlink()
    file.mkdir()
    answer = serving.post("/login", f"user=ann&password={PASSWORD}", {"Origin": serving.address.rstrip("/")})
    assert (answer.status, "set-cookie" in answer.headers) == (503, False)
    assert b"cannot be put on record" in answer.body
    assert serving.post("/api/commands/wait/runs", "", ann).status == 503
    assert serving.ask("/api/runs", headers=ann).status == 200
    assert serving.post("/logout", "", ann).status == 303
    assert serving.ask("/api/runs", headers=ann).status == 401
    assert tmp_path.is_dir()


def test_limits_of_a_file_hold_on_the_command_line(tmp_path: Path, state_dir: Path) -> None:
    """A declared command that is run here has the limits that the file says for all."""
    assert state_dir.is_dir()
    file = tmp_path / "tailrace.toml"
    file.write_text('[limits]\nmax_starts_per_minute = 1\n[commands.a]\nargv = ["echo", "a"]\n')
    command = [sys.executable, "-m", "tailrace", "run", "--file", str(file), "a"]
    done = [subprocess.run(command, check=False, capture_output=True, text=True, timeout=60) for _ in range(2)]
    assert [(each.returncode, each.stdout) for each in done] == [(0, "a\n"), (75, "")]
    assert "only 1 run a minute of all here may be started" in done[1].stderr
