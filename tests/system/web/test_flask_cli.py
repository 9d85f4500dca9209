"""`flask tailrace`: the command line inside an application's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tailrace
from tailrace import Query

APP = """
from pathlib import Path
from flask import Flask
from tailrace.flask import Tailrace

app = Flask(__name__)
app.config["TAILRACE_STATE_DIR"] = Path(__file__).parent / "state"
race = Tailrace(app)
"""
Done = subprocess.CompletedProcess[bytes]


class Application:
    """A Flask application in a file, and its `flask` command."""

    def __init__(self, folder: Path, source: str = APP) -> None:
        self.folder = folder
        (folder / "app.py").write_text(source)

    def __call__(self, *args: str, stdin: bytes = b"", **env: str) -> Done:
        """Run `flask`, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", *args],
            cwd=self.folder,
            env={**os.environ, **env},
            input=stdin,
            capture_output=True,
            timeout=100,
            check=False,
        )


@pytest.fixture
def flask(state_dir: Path) -> Application:
    """Give an application whose runs live in `state`, beside it."""
    return Application(state_dir)


def test_a_run_is_shown_and_its_exit_code_is_ours(flask: Application) -> None:
    """Standard output, standard error and exit code are the command's, as with `tailrace run`."""
    done = flask("tailrace", "run", "--", "sh", "-c", 'echo "$1"; echo err >&2; exit 7', "sh", "--help")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"--help\n", b"err\n")


def test_it_is_about_the_applications_runs(flask: Application) -> None:
    """Every command looks where the application's runs live, not where the environment says."""
    run = tailrace.connect(flask.folder / "state").start(["seq", "3"])
    run.wait(60)
    listed = flask("tailrace", "list", "--json", TAILRACE_STATE=str(flask.folder / "other"))
    assert [info["id"] for info in json.loads(listed.stdout)["runs"]] == [run.id]
    assert flask("tailrace", "follow", "last").stdout == b"1\n2\n3\n"
    assert flask("tailrace", "show", "last", "--json").returncode == 0
    assert b"removed 1 run" in flask("tailrace", "prune", "--keep", "0").stderr
    assert not (flask.folder / "other").exists()


def test_a_directory_can_still_be_named(flask: Application) -> None:
    """`--state-dir` looks elsewhere."""
    other = flask.folder / "other"
    assert flask("tailrace", "run", "--state-dir", str(other), "true").returncode == 0
    assert len(tailrace.connect(other).list(Query()).runs) == 1


def test_send_and_stop(flask: Application) -> None:
    """What goes can be talked to, and ended."""
    assert flask("tailrace", "run", "--detach", "--input", "--", "cat").returncode == 0
    assert flask("tailrace", "send", "last", "hello", "--close").returncode == 0
    assert flask("tailrace", "follow", "last").stdout == b"hello\n"
    assert flask("tailrace", "run", "--detach", "--", "sleep", "1000").returncode == 0
    assert flask("tailrace", "stop", "last").returncode == 0
    assert flask("tailrace", "follow", "last").returncode == 143


def test_the_runner(flask: Application) -> None:
    """The runner is the application's."""
    assert flask("tailrace", "run", "true").returncode == 0
    about = json.loads(flask("tailrace", "runner", "status", "--json").stdout)
    assert about["state_dir"] == str(flask.folder / "state")


def test_help(flask: Application) -> None:
    """`flask --help` has one line of it; its own help is that of the program, under the name that was typed."""
    assert b"tailrace" in flask("--help").stdout
    text = flask("tailrace", "--help").stdout.decode()
    assert "Usage: " in text
    assert "flask tailrace" in text.replace("python -m flask", "flask")
    assert "follow" in text


def test_errors_are_two_lines(flask: Application) -> None:
    """As everywhere: what was wrong and what to do, the code for it, and no traceback."""
    for args, code in ((["show", "nothing"], 2), (["lst"], 2), (["run", "--odd", "x"], 2), (["follow"], 2)):
        assert flask("tailrace", "run", "true").returncode == 0
        done = flask("tailrace", *args)
        assert done.returncode == code, done.stderr
        assert done.stderr.startswith(b"tailrace: ")
        assert done.stderr.count(b"\n") == 2


def test_flask_leaves_no_mark_in_a_run(flask: Application) -> None:
    """A command that is a Flask application itself must not take itself for one that `flask` imports."""
    assert b"FLASK_RUN_FROM_CLI" not in flask("tailrace", "run", "env").stdout


def test_an_application_without_a_setting_has_the_default(state_dir: Path, tmp_path: Path) -> None:
    """Then the environment says where runs live."""
    flask = Application(tmp_path, APP.replace('app.config["TAILRACE_STATE_DIR"]', "place"))
    assert flask("tailrace", "run", "true").returncode == 0
    assert len(tailrace.connect(state_dir).list(Query()).runs) == 1


def test_an_application_with_an_engine(state_dir: Path) -> None:
    """An engine that was handed over, or its address, says where, too."""
    for given in ('tailrace.connect(Path(__file__).parent / "state")', 'f"disk:{Path(__file__).parent}/state"'):
        source = APP.replace("Tailrace(app)", f"Tailrace(app, engine={given})").replace(
            'app.config["TAILRACE_STATE_DIR"]', "place"
        )
        flask = Application(state_dir, "import tailrace\n" + source)
        assert flask("tailrace", "run", "true").returncode == 0
    assert len(tailrace.connect(state_dir / "state").list(Query()).runs) == 2
