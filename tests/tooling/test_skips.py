"""A skip does not pass in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SETTINGS = """
[pytest]
markers = other_platform
"""
CASES = {
    "a skip as it runs": "import pytest\ndef test_it(): pytest.skip('not here')",
    "a skip mark": "import pytest\n@pytest.mark.skipif(True, reason='not here')\ndef test_it(): pass",
    "a skip in a fixture": "import pytest\n@pytest.fixture\ndef x(): pytest.skip('not here')\ndef test_it(x): pass",
    "a module's skip": "import pytest\npytest.skip('not here', allow_module_level=True)",
    "a missing import": "import pytest\npytest.importorskip('no_such_module', reason='not here')",
}
OTHER_PLATFORM = """
import pytest
pytestmark = [pytest.mark.other_platform, pytest.mark.skipif(True, reason='not here')]
def test_it(): pass
"""
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail(reason='not here')\ndef test_it(): assert 0"


def run_pytest(folder: Path, source: str, *options: str, ci: str | None) -> subprocess.CompletedProcess[str]:
    """Run a test file beside one passing test, with nothing of this project but the hooks."""
    (folder / "pytest.ini").write_text(SETTINGS)
    (folder / "test_case.py").write_text(source)
    (folder / "test_good.py").write_text("def test_good(): pass")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CI"))}
    if ci is not None:
        env["CI"] = ci
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "tests.support.skips", "--rootdir", str(folder)]
    command += ["-c", str(folder / "pytest.ini"), *options, str(folder)]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("source", CASES.values(), ids=CASES)
def test_a_skip_fails_in_ci(tmp_path: Path, source: str, workers: str) -> None:
    """However a test skips, and wherever it runs: the run fails and says why."""
    ran = run_pytest(tmp_path, source, "-n", workers, ci="true")
    assert ran.returncode != 0
    assert "skipped, which CI does not accept" in ran.stdout
    assert "not here" in ran.stdout


@pytest.mark.parametrize("ci", [None, "", "false"])
def test_a_skip_passes_on_a_desk(tmp_path: Path, ci: str | None) -> None:
    """Without CI a skip is a skip."""
    ran = run_pytest(tmp_path, CASES["a skip mark"], ci=ci)
    assert ran.returncode == 0, ran.stdout
    assert "1 passed, 1 skipped" in ran.stdout


def test_another_platforms_test_may_skip(tmp_path: Path) -> None:
    """The mark is accepted in CI."""
    ran = run_pytest(tmp_path, OTHER_PLATFORM, ci="true")
    assert ran.returncode == 0, ran.stdout
    assert "1 passed, 1 skipped" in ran.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    """An xfail goes through the same report, and stays what it is."""
    ran = run_pytest(tmp_path, EXPECTED_FAILURE, ci="true")
    assert ran.returncode == 0, ran.stdout
    assert "1 passed, 1 xfailed" in ran.stdout
