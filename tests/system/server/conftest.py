"""What the tests of the server may ask for."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

import pytest

from tests.system.server.serving import NOTHING, Serving


class Serve(Protocol):
    """What starts a server with the text of `[server]`, flags, and more of the environment."""

    def __call__(self, text: str = "", *flags: str, env: Mapping[str, str] = NOTHING) -> Serving:
        """Start it."""


def with_auth(text: str) -> str:
    """Return the settings; those that do not say how callers are known let everybody do everything."""
    return text if "auth = " in text else f'auth = "none"\n{text}'


@pytest.fixture
def serve(state_dir: Path, tmp_path: Path) -> Iterator[Serve]:
    """Give what starts a server, which ends with the test."""
    assert state_dir.is_dir()
    with ExitStack() as stack:

        def begin(text: str = "", *flags: str, env: Mapping[str, str] = NOTHING) -> Serving:
            directory = tmp_path / f"server-{len(list(tmp_path.iterdir()))}"
            directory.mkdir()
            flags = flags or ("--port", "0")
            return stack.enter_context(closing(Serving(directory, f"[server]\n{with_auth(text)}\n", *flags, env=env)))

        yield begin


@pytest.fixture
def serving(serve: Serve) -> Serving:
    """Give a server without settings."""
    return serve()


@pytest.fixture
def socket_path() -> Iterator[Path]:
    """Give a path that is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="tr-s-", dir="/tmp") as directory:
        yield Path(directory) / "socket"


@pytest.fixture
def state_dir_file(state_dir: Path) -> Iterator[str]:
    """Give a path at which no state directory can be made: a file is there."""
    path = state_dir.with_name(f"{state_dir.name}-file")
    path.write_text("mine")
    yield str(path)
    path.unlink()
