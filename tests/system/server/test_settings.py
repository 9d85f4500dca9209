import os
import signal
import socket
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.system.server.conftest import Serve
from tests.system.server.serving import Serving


def test_it_says_where_it_serves_and_serves_there(serving: Serving) -> None:
    """With port 0 it is a free one."""
    assert serving.address == f"http://127.0.0.1:{serving.port}/"
    assert serving.ask("/healthz").body == b'{"status":"ok"}'


def test_the_environment_is_stronger_than_the_file_and_a_flag_than_both(serve: Serve) -> None:
    """Of three ports, the flag's is served; of two root paths, the environment's."""
    env = {"TAILRACE_ROOT_PATH": "/env", "TAILRACE_PORT": "1"}
    serving = serve('port = 2\nroot_path = "/file"', "--port", "0", env=env)
    assert serving.port > 2
    assert serving.address.endswith("/env/")


def test_a_declared_command_runs_and_its_output_is_there(serving: Serving) -> None:
    """From the file to the bytes."""
    run_id = serving.start("count", "n=4")
    assert serving.ask(f"/api/runs/{run_id}/output").body == b"1\n2\n3\n4\n"


def test_without_a_file(state_dir: Path, tmp_path: Path) -> None:
    """It serves what runs there are, and says that nothing can be started, and how that is changed."""
    assert state_dir.is_dir()
    argv = [sys.executable, "-m", "tailrace", "serve", "--port", "0"]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("tailrace serves at http://127.0.0.1:")
        finally:
            process.terminate()
        said = process.communicate(timeout=60)[1].splitlines()
    at = next(n for n, line in enumerate(said) if line.startswith("tailrace: there is no tailrace.toml here"))
    assert "[commands.count]" in said[at + 1]


def test_a_unix_socket(serve: Serve, socket_path: Path) -> None:
    """It is for owner and group; one that a dead server left is replaced; a stopped server's is gone."""
    path = socket_path
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(path))
    serving = serve("", "--uds", str(path))
    assert serving.address == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert serving.ask("/healthz").status == 200
    assert serving.stop() == 0
    assert not path.exists()


def test_a_file_that_is_no_socket_is_left_alone(state_dir: Path, tmp_path: Path) -> None:
    """Whatever stands at the path stays."""
    (tmp_path / "file").write_text("mine")
    done = _failing(state_dir, tmp_path, "--uds", str(tmp_path / "file"))
    assert done.stderr.startswith(f"tailrace: cannot listen on {tmp_path / 'file'}: address already in use\n")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_port_in_use(serving: Serving, state_dir: Path, tmp_path: Path) -> None:
    """One clear message, and what to do."""
    done = _failing(state_dir, tmp_path, "--port", str(serving.port))
    message, hint = done.stderr.splitlines()
    assert message == f"tailrace: cannot listen on 127.0.0.1:{serving.port}: address already in use"
    assert "port 0" in hint


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no such file or directory"), ("nonsense", "the certificate cannot be used")]
)
def test_a_bad_certificate(state_dir: Path, tmp_path: Path, content: str | None, message: str) -> None:
    """One clear message."""
    if content is not None:
        (tmp_path / "pem").write_text(content)
    flags = {"TAILRACE_TLS_CERTIFICATE": str(tmp_path / "pem"), "TAILRACE_TLS_KEY": str(tmp_path / "pem")}
    done = _failing(state_dir, tmp_path, "--port", "0", **flags)
    assert message in done.stderr


def test_the_extra_is_missing(state_dir: Path, tmp_path: Path) -> None:
    """The message says what to install."""
    (tmp_path / "uvicorn.py").write_text("")
    code = (
        "import sys, importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *more: None if name == 'uvicorn' else find(name, *more); "
        "sys.argv = ['tailrace', 'serve']; from tailrace.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "TAILRACE_STATE": str(state_dir)},
    )  # fmt: skip
    assert done.returncode == 2
    assert (
        done.stderr == "tailrace: this needs uvicorn, which is not installed\n  hint: pip install 'tailrace[server]'\n"
    )


def test_every_mistake_of_the_file_is_told(state_dir: Path, tmp_path: Path) -> None:
    """All at once, each with its line."""
    (tmp_path / "tailrace.toml").write_text('[server]\nport = "x"\nwrong = 1\n')
    done = _failing(state_dir, tmp_path)
    assert "tailrace.toml:2: server.port" in done.stderr
    assert "tailrace.toml:3: server.wrong" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_told_to_stop_it_exits_with_0(serve: Serve, number: signal.Signals, workers: str) -> None:
    """It was asked to."""
    assert serve("", "--port", "0", "--workers", workers).stop(number) == 0


def test_the_root_path_is_part_of_every_address(serve: Serve) -> None:
    """A proxy has removed it; whoever asks is led to where the proxy shows it."""
    serving = serve('root_path = "/ops"')
    answer = serving.post("/api/commands/count/runs")
    run = msgspec.json.Decoder(dict[str, object]).decode(answer.body)
    assert answer.headers["location"] == f"/ops/api/runs/{run['id']}"


def _failing(state_dir: Path, cwd: Path, *flags: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Serve what cannot be served; see that it is told in two lines at most for each mistake, without a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "tailrace", "serve", *flags], cwd=cwd, capture_output=True, text=True, check=False,
        env={**os.environ, "TAILRACE_STATE": str(state_dir), **env}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done
