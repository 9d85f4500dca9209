"""What cannot be examined: exit 2, one message, one hint, and never a traceback."""

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.system.web.serving import TAILRACE


class Stranger(BaseHTTPRequestHandler):
    """Answers each request by its path: the status, and where else to go."""

    def do_GET(self) -> None:
        """Answer."""
        status = int(self.path.split("/")[1])
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/login?next=/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """Give the address of a server that is none of ours."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    serving.join()


def refused(*args: str) -> str:
    """Return what is said about what cannot be examined."""
    done = subprocess.run([*TAILRACE, "doctor", *args], capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stdout) == (2, "")
    message, hint = done.stderr.splitlines()
    assert message.startswith("tailrace: ")
    assert hint.startswith("  hint: ")
    return done.stderr


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("302", "--header"),
        ("401", "--header"),
        ("403", "--header"),
        ("404", "there is no Tailrace at"),
        ("502", "does not reach the server"),
        ("500", "it answers 500"),
        ("200", "something else"),
    ],
)
def test_another_server(stranger: str, path: str, words: str) -> None:
    """It is said what answers, and what to do."""
    assert words in refused(f"{stranger}/{path}")


def test_no_server() -> None:
    """Nobody listens, or not with TLS, or there is no such host."""
    assert "connection refused" in refused("http://127.0.0.1:1")
    assert "its name is not known" in refused("http://nothing.invalid/")


def test_not_tls(stranger: str) -> None:
    """A server without TLS is not taken for one with it."""
    assert "does not speak TLS" in refused(stranger.replace("http:", "https:"))


@pytest.mark.parametrize(
    "args",
    [
        ("127.0.0.1:8000",),
        ("ftp://x/",),
        ("http://[::1",),
        ("http://x/?a=1",),
        ("http://x/", "--idle", "1h"),
        ("http://x/", "--idle", "0s"),
        ("http://x/", "--header", "nothing"),
        ("--idle", "3s"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense(args: tuple[str, ...]) -> None:
    """It is refused before anything is asked."""
    refused(*args)
