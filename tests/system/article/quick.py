"""Short seconds for shell scripts that sleep."""

import os
from pathlib import Path


def quick_sleep(tmp_path: Path) -> str:
    """Return a PATH in which `sleep 1` takes a hundredth of a second."""
    directory = tmp_path / "bin"
    directory.mkdir()
    program = directory / "sleep"
    program.write_text('#!/bin/sh\nexec /bin/sleep "0.0$1"\n')
    program.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"
