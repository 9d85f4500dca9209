"""Every type of a parameter, over HTTP: forms, JSON, files that are sent along."""

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.support.wait import wait_for
from tests.system.server.serving import Serving

TEXT = """
[server]
auth = "none"

[commands.all]
argv = ["printf", "[%s]", "{loud}", "{names}", "--", "{size}", "{target}", "{day}", "{report}"]
[commands.all.parameters]
loud = { type = "boolean", flag = "--loud" }
names = { type = "choices", choices = ["x", "y"], option = "--name={}", default = ["y"] }
size = { type = "number", default = 0.5 }
target = { type = "choice", choices = ["a", "b"] }
day = { type = "date", default = "2026-11-27" }
report = { type = "path", root = "reports", default = "one.txt", kind = "file" }

[commands.sent]
argv = ["sh", "-c", 'echo "$1"; cat "$1"; stat -c %a "$1"; exec sleep 1000', "sh", "{data}"]
parameters.data = { type = "file", maximum_size = 64 }

[commands.keep]
argv = ["true"]
parameters.token = { type = "secret", variable = "TOKEN", maximum_length = 8 }
parameters.n = { type = "integer", minimum = 1 }
key = "{n}"
"""
OBJECT = msgspec.json.Decoder(dict[str, object])
JSON = {"Content-Type": "application/json"}
BOUNDARY = "=-=-="
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture
def serving(state_dir: Path, tmp_path: Path) -> Iterator[Serving]:
    """Give a server with these commands."""
    assert state_dir.is_dir()
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "one.txt").write_text("one")
    (reports / "etc").symlink_to("/etc")
    with closing(Serving(tmp_path, TEXT, "--port", "0")) as made:
        yield made


def parts(*fields: tuple[str, str, bytes]) -> bytes:
    """Return a form of (name, name of the file, content)."""
    body = b""
    for name, file, content in fields:
        shown = f'; filename="{file}"' if file else ""
        body += (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'.encode() + content + b"\r\n"
        )
    return body + f"--{BOUNDARY}--\r\n".encode()


def argv_of(serving: Serving, body: str) -> list[str]:
    """Start the command by JSON, and return its argv behind the format."""
    answer = serving.ask("/api/commands/all/runs", "POST", body.encode(), JSON)
    assert answer.status == 201, answer
    argv = OBJECT.decode(answer.body)["argv"]
    assert isinstance(argv, list)
    return argv[2:]


def test_values_in_json_and_in_a_form(serving: Serving, tmp_path: Path) -> None:
    """The same argv comes of both; a form's boxes have a hidden field in front."""
    report = str(tmp_path / "reports" / "one.txt")
    usual = argv_of(serving, '{"parameters": {"target": "a"}}')
    assert usual == ["--name=y", "--", "0.5", "a", "2026-11-27", report]
    full = argv_of(serving, '{"parameters": {"target": "b", "loud": true, "names": ["x", "y"], "size": 2}}')
    assert full == ["--loud", "--name=x", "--name=y", "--", "2", "b", "2026-11-27", report]
    form = "loud=false&loud=true&names=&names=x&names=y&size=2&target=b&day=&report="
    answer = serving.post("/api/commands/all/runs", form)
    assert OBJECT.decode(answer.body)["argv"] == ["printf", "[%s]", *full]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"parameters": {"target": "c"}}', "is none of the choices"),
        ('{"parameters": {"target": "a", "target": "b"}}', "stands there twice"),
        ('{"parameters": {"target": "a", "report": "../x"}}', "has '..' in it"),
        ('{"parameters": {"target": "a", "report": "etc/passwd"}}', "leads out of its directory"),
        ('{"parameters": {"target": "a", "report": "/etc/passwd"}}', "begins with '/'"),
        ('{"parameters": {"target": "a", "names": ["x", "x"]}}', "has a value twice"),
        ('{"parameters": {"target": "a", "loud": "yes"}}', "must be true or false"),
    ],
)
def test_values_that_are_refused(serving: Serving, body: str, told: str) -> None:
    """With 400, and what is wrong."""
    answer = serving.ask("/api/commands/all/runs", "POST", body.encode(), JSON)
    assert (answer.status, told in answer.body.decode()) == (400, True), answer


def test_a_form_shows_again_what_was_sent(serving: Serving) -> None:
    """With what is wrong beside it, and without any secret."""
    page = serving.ask("/commands/all").body.decode()
    assert page.count('type="checkbox"') == 3
    assert '<select id="all-target"' in page
    answer = serving.post("/commands/all", "names=&names=x&target=c&loud=false&size=7&loud=true&day=2026-01-02")
    body = answer.body.decode()
    assert answer.status == 400
    assert 'id="all-target-fault"' in body
    assert 'value="7"' in body
    assert 'value="x" checked' in body
    again = serving.post("/commands/keep", "token=hunter2&n=0")
    assert (again.status, b"hunter2" in again.body) == (400, False)
    assert b'type="password"' in again.body


def test_a_file_that_is_sent_along(serving: Serving, state_dir: Path) -> None:
    """The command gets the path of a private copy, which goes with the run."""
    answer = serving.ask("/api/commands/sent/runs", "POST", parts(("data", "a b.csv", b"1;2\r\n")), MULTIPART)
    assert answer.status == 201, answer
    run_id = str(OBJECT.decode(answer.body)["id"])
    output = state_dir / "runs" / run_id / "output"
    wait_for(lambda: output.read_bytes().endswith(b"600\n"))
    path = Path(output.read_text().splitlines()[0])
    assert (path.suffix, path.read_bytes(), stat.S_IMODE(path.parent.stat().st_mode)) == (".csv", b"1;2\r\n", 0o700)
    serving.ask(f"/api/runs/{run_id}/stop", "POST")
    wait_for(lambda: not path.parent.exists())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (parts(("data", "a", b"x" * 65)), 400),
        (parts(("data", "a", b"x" * (1 << 20))), 413),
        (parts(("data", "a", b"x"), ("data", "b", b"y")), 400),
        (parts(("other", "a", b"x")), 400),
        (parts(("data", "", b"x")), 400),
        (parts(("data", "a", b"x"))[:-20], 400),
        (b"no form at all", 400),
        (b"", 400),
    ],
)
def test_files_that_are_refused(serving: Serving, body: bytes, status: int) -> None:
    """Too large, twice, unknown, no file, cut short; nothing is started."""
    answer = serving.ask("/api/commands/sent/runs", "POST", body, MULTIPART)
    assert answer.status == status, answer
    assert OBJECT.decode(serving.ask("/api/runs").body)["runs"] == []
