"""The page's own checks: style, types, its unit tests, and the log view in a browser."""

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
    own = {"TAILRACE_BIN": str(Path(sys.executable).with_name("tailrace")), "TAILRACE_STATE": str(state_dir)}
    _pass([npm, "run", "check"], own)


@pytest.mark.timeout(600)
def test_the_log_view_passes_its_checks_in_a_browser() -> None:
    """A hundred million rows, in Chromium: what they look like, what keys, wheel and thumb do, what is copied."""
    _pass([sys.executable, "tests/log/in_chromium.py"], {})


def _pass(command: list[str], own: dict[str, str]) -> None:
    assert (FRONTEND / "node_modules").is_dir(), f"run `npm ci` in {FRONTEND}"
    done = subprocess.run(
        command,
        cwd=FRONTEND, env={**os.environ, **own, "NO_COLOR": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, timeout=DEADLINE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
