"""Bandit finds nothing, or each finding is answered where it is."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


def look(*what: Path) -> "subprocess.CompletedProcess[str]":
    """Have bandit look at files, as the project has it look."""
    argv = [sys.executable, "-m", "bandit", "-q", "-c", str(ROOT / "pyproject.toml"), "-r", *map(str, what)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)


def test_bandit_finds_nothing() -> None:
    """In the sources; where they are not, in what is installed."""
    import tailrace

    looked = look(SOURCE if SOURCE.is_dir() else Path(tailrace.__file__).parent)
    assert looked.returncode == 0, looked.stdout


def test_bandit_would_find_it(tmp_path: Path) -> None:
    """What it leaves out does not leave out everything."""
    (tmp_path / "bad.py").write_text(
        "import pickle, subprocess\nsubprocess.run(input(), shell=True)\npickle.loads(b'')\n"
    )
    looked = look(tmp_path)
    assert looked.returncode == 1
    assert {"B602", "B301"} <= set(re.findall(r"B[0-9]{3}", looked.stdout))


def test_each_answer_names_its_finding() -> None:
    """None of ours silences all that bandit may ever find in a line, and each says why."""
    lines = [line for path in SOURCE.rglob("*.py") for line in path.read_text().splitlines() if "nosec" in line]
    assert not [line for line in lines if not re.search(r"# nosec B[0-9]{3} # \S", line)]
