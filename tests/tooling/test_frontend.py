"""The page's own checks: style, types, and its unit tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend"
DEADLINE_S = 570


@pytest.mark.timeout(600)
def test_the_pages_sources_pass_their_checks(state_dir: Path) -> None:
    """What `npm run check` does, with this environment's program for the tests that need a server."""
    npm = shutil.which("npm")
    assert npm is not None, "npm is not installed: see CONTRIBUTING.md"
    assert (FRONTEND / "node_modules").is_dir(), f"run `npm ci` in {FRONTEND}"
    env = {
        **os.environ,
        "TAILRACE_BIN": str(Path(sys.executable).with_name("tailrace")),
        "TAILRACE_STATE": str(state_dir),
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [npm, "run", "check"],
        cwd=FRONTEND, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        timeout=DEADLINE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
