"""What is attacked: a real server with users of each role, tokens, links, and commands of every type of parameter.

Each attack is tried by `unmoved`, which sees that nothing has come of it: no run was started, stopped, signalled or
pinned, and no file that was sent is left anywhere.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final, Protocol

import msgspec

import tailrace
from tailrace.core.identity import Role
from tailrace.engine.selection import PAGE_LIMIT
from tailrace.server.auth.shares import Shares
from tailrace.server.auth.tokens import Token, Tokens
from tailrace.server.auth.users import FILE, Users
from tailrace.server.auth.vault import Vault
from tests.support.wait import wait_for
from tests.system.server.serving import NOTHING, Answer, Serving

ROLES: Final[Mapping[str, Role]] = {"vera": "viewer", "otto": "operator", "olga": "operator", "anna": "admin"}
SECRET: Final = "hunter2-and-no-other"
"""what is given to commands as a secret"""
JSON: Final = {"Content-Type": "application/json"}
HTML: Final = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OBJECT: Final = msgspec.json.Decoder(dict[str, object])
COMMANDS: Final = """
[commands.all]
argv = [
  "printf", "[%s]", "{loud}", "{names}", "{text}", "--x={behind}", "{n}", "{size}", "{target}", "{day}", "{report}",
]
[commands.all.parameters]
loud = { type = "boolean", flag = "--loud" }
names = { type = "choices", choices = ["x", "y"], option = "--name={}", default = ["y"] }
text = { type = "text", default = "t", pattern = "[^#]*" }
behind = { type = "text", default = "b" }
n = { type = "integer", default = 1 }
size = { type = "number", default = 0.5 }
target = { type = "choice", choices = ["a", "b"], default = "a" }
day = { type = "date", default = "2026-11-27" }
report = { type = "path", root = "reports", default = "one.txt", kind = "file" }

[commands.read]
argv = ["sh", "-c", 'read -r go && cat "$1"', "sh", "{report}"]
stdin = true
parameters.report = { type = "path", root = "reports", kind = "file" }

[commands.sent]
argv = ["sh", "-c", 'echo "$1"; cat "$1"', "sh", "{data}", "{note}"]
parameters.data = { type = "file", maximum_size = 4096 }
parameters.note = { type = "text", default = "" }

[commands.environment]
argv = ["sh", "-c", "env", "sh", "{a}"]
parameters.a = { type = "text", default = "" }

[commands.keep]
argv = ["sh", "-c", 'echo "<$TOKEN>"; read -r go', "sh", "{key}"]
stdin = true
parameters.token = { type = "secret", variable = "TOKEN" }
parameters.key = { type = "secret", deliver = "file" }

[commands.hostile]
title = "evil\\r\\nSet-Cookie: evil=1\\r\\n\\u0000"
description = "evil\\r\\nX-Evil: evil"
argv = ["echo", "evil\\r\\nSet-Cookie: evil=1"]

[commands.ops]
argv = ["true"]
allow = ["group:ops"]
"""


class Town:
    """A server, and all who come to it.

    Args:
        state: its state directory.
        directory: for its files.
        text: more of the file: tables, and, before the first of them, settings of the server.
        auth: how it knows who asks.
        env: more of its environment.
    """

    def __init__(
        self, state: Path, directory: Path, text: str = "", auth: str = "users", env: Mapping[str, str] = NOTHING
    ) -> None:
        self.state = state
        self.directory = directory
        self.temporary = directory / "temporary"
        self.vault = Vault(str(state))
        self.users = Users(self.vault.path / FILE)
        self._sessions: dict[str, dict[str, str]] = {}
        if auth == "users":
            for name, role in ROLES.items():
                self.users.add(name, f"the password of {name}", role, ())
        self.temporary.mkdir()
        reports = directory / "reports"
        reports.mkdir()
        (reports / "one.txt").write_text("one\n")
        (reports / "out").symlink_to("/etc")
        head = f'[server]\nauth = "{auth}"\n{text}\n[audit]\nfile = "audit.jsonl"\n'
        places = {"TAILRACE_STATE": str(state), "TMPDIR": str(self.temporary)}
        self.serving = Serving(directory, head + COMMANDS, "--port", "0", env={**places, **env})

    @cached_property
    def engine(self) -> tailrace.Engine:
        """Where the runs live."""
        return tailrace.connect(str(self.state))

    @property
    def origin(self) -> str:
        """What a page of this site is of."""
        return self.serving.address.rstrip("/")

    # Who comes

    def log_in(self, name: str, password: str = "") -> Answer:
        """Return the answer to a login."""
        form = f"user={name}&password={password or f'the password of {name}'}"
        return self.serving.post("/login", form, {"Origin": self.origin})

    def cookie(self, name: str) -> dict[str, str]:
        """Return the cookie that the user's browser has: of one login, whenever it is asked for."""
        if name not in self._sessions:
            answer = self.log_in(name)
            assert answer.status == 303, answer
            self._sessions[name] = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        return self._sessions[name]

    def browser(self, name: str) -> dict[str, str]:
        """Return what the user's browser sends from a page of this site."""
        return {**self.cookie(name), "Origin": self.origin}

    def token(self, role: Role, name: str, **more: object) -> dict[str, str]:
        """Return what a program sends that has a token of its own."""
        made = Token(name=name, hash="", role=role, created=time.time(), **more)  # type: ignore[arg-type]  # tests
        return bearer(Tokens(self.vault).create(made))

    def link(self, run_id: str, lasts_s: float = 3600) -> str:
        """Return what opens this run."""
        return Shares(self.vault).make(run_id, lasts_s)[0]

    # What they do

    def ask(
        self, path: str, who: Mapping[str, str] = NOTHING, method: str = "GET", body: bytes | None = None, **more: str
    ) -> Answer:
        """Return the answer; `more` are headers, with `_` for `-`."""
        headers = {**who, **{name.replace("_", "-"): value for name, value in more.items()}}
        return self.serving.ask(path, method, body, headers)

    def start(self, command: str, who: Mapping[str, str], body: bytes = b"{}") -> str:
        """Return the id of a run that was started."""
        answer = self.ask(f"/api/commands/{command}/runs", who, "POST", body, **JSON)
        assert answer.status == 201, answer
        return str(OBJECT.decode(answer.body)["id"])

    def waiting(self, who: Mapping[str, str], command: str = "echo") -> str:
        """Return the id of a run that goes on, and takes input."""
        run_id = self.start(command, who)
        wait_for(lambda: self.engine.get(run_id).started)
        return run_id

    def waiting_for(self, command: str, values: Mapping[str, object]) -> str:
        """Return the id of a run of otto's with these values that waits for its input."""
        run_id = self.start(command, self.browser("otto"), msgspec.json.encode({"parameters": values}))
        wait_for(lambda: self.engine.get(run_id).started)
        return run_id

    def output(self, run_id: str) -> bytes:
        """Return all that the run has printed, when it has ended."""
        return b"".join(chunk.data for chunk in tailrace.Run(self.engine, run_id).follow())

    def type(self, run_id: str, data: bytes) -> None:
        """Type into the run, past the server."""
        tailrace.Run(self.engine, run_id).send(data)

    # What has come of it

    def picture(self) -> object:
        """Return what an attack must not change."""
        runs = self.engine.list(tailrace.Query(limit=PAGE_LIMIT)).runs
        return (
            [(run.id, run.pinned, run.ladder, run.stopped_by, run.rows) for run in runs],
            sorted(str(path) for path in self.temporary.rglob("*")),
            sorted(path.name for path in (self.directory / "reports").iterdir()),
        )

    @contextmanager
    def unmoved(self) -> Iterator[None]:
        """See that nothing comes of what is tried meanwhile."""
        before = self.picture()
        yield
        assert self.picture() == before
        assert "Traceback" not in self.serving.err()


class MakeTown(Protocol):
    """What makes a town of a test's own, which is gone with the test."""

    def __call__(self, text: str = "", auth: str = "users", **env: str) -> Town:
        """Make it; see `Town`."""


def bearer(token: str) -> dict[str, str]:
    """Return the header by which a token comes."""
    return {"Authorization": f"Bearer {token}"}


def has_ended(stream: HTTPResponse) -> bool:
    """Tell whether a stream is over, however it ended; read on, if it is not.

    Raises:
        TimeoutError: nothing came for long, nor an end.
    """
    try:
        return stream.read1() == b""
    except TimeoutError:  # an OSError that is no end
        raise
    except (HTTPException, OSError):
        return True


def refused(answer: Answer, *statuses: int) -> str:
    """See that it is a problem document that says what to do, and return it all."""
    assert answer.status in statuses, answer
    assert answer.headers["content-type"] == "application/problem+json", answer
    document = OBJECT.decode(answer.body)
    assert document["status"] == answer.status
    assert document["title"]
    assert document["detail"]
    assert document["hint"]
    return f"{document['detail']}; {document['hint']}"
