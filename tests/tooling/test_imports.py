"""The rings, checked with the tests as well: nobody has to wait for CI to learn that an import points outward."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the `tailrace` that is importable from the folder against the project's contracts."""
    linter = Path(sys.executable).with_name("lint-imports")
    command = [str(linter), "--no-cache", "--no-logo", "--config", str(ROOT / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_imports_point_inward() -> None:
    """The installed package keeps every contract."""
    linted = lint_imports(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "0 broken" in linted.stdout


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("core/bad.py", "import tailrace.host", "tailrace.core is not allowed to import tailrace.host"),
        ("host/bad.py", "from tailrace import web", "tailrace.host is not allowed to import tailrace.web"),
        ("web/bad.py", "import tailrace.flask", "tailrace.web is not allowed to import tailrace.flask"),
        ("core/bad.py", "import tailrace", "tailrace.core is not allowed to import tailrace.api"),
        ("core/bad.py", "from socket import socketpair", "tailrace.core is not allowed to import socket"),
        ("core/bad.py", "import time", "tailrace.core is not allowed to import time"),
        ("elsewhere.py", "", "not listed as layers"),
    ],
)
def test_an_outward_import_is_refused(tmp_path: Path, module: str, source: str, complaint: str) -> None:
    """An import out of its ring, IO in the core, and a module without a ring each break a contract."""
    package = tmp_path / "tailrace"
    for ring in ("core", "host", "web"):
        (package / ring).mkdir(parents=True)
        (package / ring / "__init__.py").touch()
    (package / "__init__.py").write_text("import tailrace.api\n")
    (package / "api.py").touch()
    (package / "flask.py").touch()
    assert lint_imports(tmp_path).returncode == 0

    (package / module).write_text(f"{source}\n")
    refused = lint_imports(tmp_path)
    assert refused.returncode == 1
    assert complaint in " ".join(refused.stdout.split())
