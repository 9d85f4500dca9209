"""The doctor without an address: this host."""

import json
import subprocess
from pathlib import Path

import tailrace
from tests.system.web.serving import TAILRACE


def findings(*args: str, code: int = 0) -> dict[str, tuple[str, str]]:
    """Return verdict and message by check."""
    done = subprocess.run([*TAILRACE, "doctor", "--json", *args], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    report = json.loads(done.stdout)
    assert report["subject"] == "this host"
    return {each["check"]: (each["verdict"], each["message"]) for each in report["findings"]}


def test_before_the_first_run(state_dir: Path) -> None:
    """Nothing is made by looking."""
    found = findings("--state-dir", str(state_dir / "none"))
    assert found["directory"][0] == "fine"
    assert {"changes", "space", "cgroups", "processes", "memory", "files"} <= set(found)
    assert not (state_dir / "none").exists()
    assert findings()["directory"][0] == "fine"
    assert list(state_dir.iterdir()) == []


def test_with_a_runner(state_dir: Path) -> None:
    """It is asked, and not started."""
    tailrace.connect(state_dir).start(["true"]).wait(60)
    found = findings()
    assert found["directory"] == ("fine", f"{state_dir} can be used")
    assert "0 running" in found["runner"][1]
    assert found["clock"][0] == "fine"


def test_a_directory_that_cannot_be_used(state_dir: Path) -> None:
    """Exit 1, and why."""
    (state_dir / "somebody's").write_text("x")
    assert findings(code=1)["directory"][0] == "wrong"


def test_a_clock_that_was_set_back(state_dir: Path) -> None:
    """A run from the future tells of it."""
    tailrace.connect(state_dir).start(["true"]).wait(60)
    (state_dir / "runs" / ("z" * 27)).mkdir()
    assert findings(code=1)["clock"][0] == "wrong"
