"""A secret that a command prints in whatever form: nobody who asks a server, or looks at its machine, sees it."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.wait import wait_for
from tests.system.server.serving import Serving

SECRET = "s3cret/w\u00f6rd+ & <more>\nof 2 lines"
SHOWN = tuple(SECRET.split("\n"))
PROGRAM = r"""
import base64, json, os, sys, time
from urllib.parse import quote
secret = os.environ["TOKEN"]
raw = secret.encode()
forms = [raw, quote(secret, safe="").encode(), quote(secret, safe="").lower().encode(), json.dumps(secret).encode()]
for encode in (base64.b64encode, base64.urlsafe_b64encode):
    forms += [encode(b"x" * n + raw + b"yz") for n in range(3)]
    forms += [encode(b"x" * n + raw + b"yz").rstrip(b"=") for n in range(3)]
data = b"".join(b"<" + form + b">\n" for form in forms)
for size in (1, 7, 65536):
    for fd in (1, 2):
        for at in range(0, len(data), size):
            os.write(fd, data[at : at + size])
os.write(1, b"." * 65530 + raw + b"." * 65536)
print("\nprinted", flush=True)
sys.stdin.read()
"""
TEXT = """
[server]
auth = "none"
log_format = "json"
[audit]
file = "audit.jsonl"
[commands.tell]
argv = ["python3", "{program}"]
stdin = true
{more}
[commands.tell.parameters.token]
type = "secret"
variable = "TOKEN"
allow_newlines = true
"""


def told_by(secret: str) -> set[bytes]:
    """Return what would tell of it."""
    raw = secret.encode()
    inner = {base64.b64encode(b"x" * n + raw)[4:-4] for n in range(3)}
    lines = {line.encode() for line in SHOWN}
    forms = {raw, quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode(), *inner, *lines}
    return forms | {form.translate(bytes.maketrans(b"+/", b"-_")) for form in inner}


def looked_at(serving: Serving, run_id: str, state_dir: Path) -> Iterator[tuple[str, bytes]]:
    """Yield all that there is to see: by name, and what it says."""
    output = f"/api/runs/{run_id}/output?follow=0"
    paths = [f"{output}&format={wire}" for wire in ("text", "lines", "sse", "ndjson", "cast")]
    paths += [f"/api/runs/{run_id}", "/api/runs", "/api/commands", f"/api/runs/{run_id}/lines?start=1&count=200"]
    paths += ["/", f"/runs/{run_id}", "/commands/tell", f"/api/runs/{run_id}/search?q=of%202%20lines", "/metrics"]
    for path in paths:
        answer = serving.ask(path)
        assert answer.status == 200, path
        yield path, answer.body
    yield "the server's log", serving.err().encode()
    yield "the audit", (serving.file.parent / "audit.jsonl").read_bytes()
    for command in (["list", "--json"], ["show", run_id, "--json"], ["show", run_id]):
        done = subprocess.run([sys.executable, "-m", "tailrace", *command], capture_output=True, check=True, timeout=60)
        yield f"tailrace {command[0]}", done.stdout + done.stderr
    for file in state_dir.rglob("*"):
        if file.is_file():
            yield str(file), file.read_bytes()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield str(file), file.read_bytes()
        except OSError:
            continue


@pytest.mark.parametrize("more", ["", "merge = true", "pty = true"], ids=["pipes", "merged", "pty"])
def test_nobody_sees_it(state_dir: Path, tmp_path: Path, more: str) -> None:
    """Printed a byte at a time, across the border of what is read at once, encoded at each alignment, on two lines."""
    program = tmp_path / "tell.py"
    program.write_text(PROGRAM)
    text = TEXT.replace("{program}", str(program)).replace("{more}", more)
    with closing(Serving(tmp_path, text, "--port", "0")) as serving:
        body = json.dumps({"parameters": {"token": SECRET}}).encode()
        answer = serving.ask("/api/commands/tell/runs", "POST", body, {"Content-Type": "application/json"})
        run_id = answer.headers["location"].rpartition("/")[2]
        output = state_dir / "runs" / run_id / "output"
        wait_for(lambda: b"\nprinted" in output.read_bytes().replace(b"\r\n", b"\n"))
        words = told_by(SECRET)
        seen = [("the answer", answer.body), *looked_at(serving, run_id, state_dir)]
        assert len(output.read_bytes().split(b"***")) > 50
        serving.ask(f"/api/runs/{run_id}/stop", "POST")
        seen += looked_at(serving, run_id, state_dir)
        assert [(name, word) for name, data in seen for word in words if word in data] == []
