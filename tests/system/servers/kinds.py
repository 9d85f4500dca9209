"""The servers, how each is started, and what each cannot do; docs/reference/servers.md says the same."""

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
APP = "tests.system.servers.app:make_app"
SERVE = ("tests/system/servers/serve.py",)
THREADS = "64"
OLD_GUNICORN = "gunicorn==25.3.0"
"""the last that has an eventlet worker"""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A server: what Python is to run, and what the tests may expect of it."""

    command: tuple[str, ...]
    is_green: bool = False
    """viewers are greenlets of one thread"""
    is_concurrent: bool = True
    """one process has many viewers"""
    sends_headers_first: bool = True
    """also for a text, whose first piece may be long in coming"""
    is_tls: bool = False
    resets: bool = True
    """what is cut ends by a reset, where there is no other sign"""
    needs_old_gunicorn: bool = False


def gunicorn(*options: str) -> tuple[str, ...]:
    """Return what runs gunicorn with these options."""
    common = ("-m", "gunicorn", "--no-control-socket", "--graceful-timeout", "20", "--bind", "127.0.0.1:{port}")
    return (*common, *options, APP + "()")


def uwsgi(*options: str) -> tuple[str, ...]:
    """Return what runs uWSGI with these options."""
    begin = ("-c", "import sys, pyuwsgi; pyuwsgi.run(sys.argv[1:])", "--http-socket", "127.0.0.1:{port}")
    return (*begin, "--master", "--die-on-term", *options, "--module", APP + "()")


KINDS = {
    "werkzeug": Kind(command=(*SERVE, "werkzeug", "{port}")),
    "sync": Kind(command=gunicorn("--worker-class", "sync", "--timeout", "0"), is_concurrent=False),
    "gthread": Kind(command=gunicorn("--worker-class", "gthread", "--threads", THREADS)),
    "gevent": Kind(command=gunicorn("--worker-class", "gevent"), is_green=True),
    "gunicorn-pywsgi": Kind(command=gunicorn("--worker-class", "gevent_pywsgi"), is_green=True),
    "gunicorn-eventlet": Kind(
        command=tuple(word for word in gunicorn("--worker-class", "eventlet") if word != "--no-control-socket"),
        is_green=True,
        needs_old_gunicorn=True,
    ),
    "eventlet": Kind(command=(*SERVE, "eventlet", "{port}"), is_green=True, sends_headers_first=False),
    "pywsgi": Kind(command=(*SERVE, "pywsgi", "{port}"), is_green=True),
    "waitress": Kind(
        command=(
            *("-m", "waitress", "--threads", THREADS, "--channel-request-lookahead=1"),
            "--connection-limit=1000",
            *("--listen=127.0.0.1:{port}", "--call", APP),
        ),
        resets=False,
    ),
    "uwsgi": Kind(command=uwsgi("--threads", THREADS), sends_headers_first=False),
    "uwsgi-gevent": Kind(command=uwsgi("--gevent", "1000"), is_green=True, sends_headers_first=False),
}


def environment(kind: Kind) -> dict[str, str]:
    """Return what the server's environment needs besides."""
    places = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    if kind.needs_old_gunicorn:
        places.insert(0, str(_old_gunicorn()))
    return {"PYTHONPATH": os.pathsep.join(filter(None, places))}


def _old_gunicorn() -> Path:
    """Return where the old gunicorn is, beside which everything else is that of this environment; put it there once."""
    place = ROOT / "build" / OLD_GUNICORN.replace("==", "-")
    place.parent.mkdir(exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", str(place)]
            subprocess.run([*pip, OLD_GUNICORN], check=True, timeout=100)
            (place / "complete").touch()
    return place
