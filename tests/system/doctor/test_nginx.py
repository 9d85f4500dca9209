"""The doctor before a real nginx, well and badly configured: it finds what is wrong, that alone, and the cure."""

import subprocess
from pathlib import Path

import pytest

from tests.system.doctor.conftest import examine
from tests.system.doctor.nginx import proxied
from tests.system.web.serving import TAILRACE, Serve

WIRES = ["text", "lines", "sse", "ndjson"]
GZIP = "gzip on; gzip_min_length 0; gzip_proxied any; gzip_http_version 1.0; gzip_types text/plain text/event-stream;"
KEEPALIVE = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "";'
"""what is often set for all addresses"""
CACHE = "proxy_cache_path {directory}/cache keys_zone=here:1m;"


def test_nothing_in_between(serve: Serve) -> None:
    """All is well, and no proxy is seen."""
    port = serve("")
    found = examine(f"http://127.0.0.1:{port}", "--idle", "1s")
    assert (found.code, found.not_fine(), found.proxies) == (0, {}, [])
    assert {
        *("buffering", "compression", "idle", "host", "prefix", "http", "post", "head", "resume", "websocket")
    } <= set(found.findings)
    assert found.wires["idle"] == [*WIRES, "websocket"]
    assert "both ways" in found.findings["websocket"][1]


def test_a_good_nginx(serve: Serve, tmp_path: Path) -> None:
    """All is well through one that has what it needs, under a prefix that the server knows."""
    port = serve('[server]\nroot_path = "/ops"\n')
    with proxied(tmp_path, port, prefix="/ops", to="/") as url:
        found = examine(url, "--idle", "3s")
    assert (found.code, found.not_fine(), found.proxies) == (0, {}, ["nginx"])


def test_a_prefix_that_the_proxy_takes_away_and_tells(serve: Serve, tmp_path: Path) -> None:
    """It is believed, of a proxy that is trusted."""
    port = serve('[server]\ntrusted_proxies = ["127.0.0.1"]\n')
    inside = "proxy_set_header X-Forwarded-Prefix /ops;"
    with proxied(tmp_path, port, prefix="/ops", to="/", inside=inside) as url:
        found = examine(url, "--idle", "1s")
    assert (found.code, found.not_fine()) == (0, {})


@pytest.mark.parametrize(
    ("check", "cure", "setting"),
    [
        ("compression", "gzip off", {"outside": GZIP}),
        ("idle", "proxy_read_timeout", {"inside": "proxy_read_timeout 2s;"}),
        ("http", "proxy_http_version 1.1", {"without": "http"}),
        ("websocket", "proxy_set_header Upgrade $http_upgrade", {"without": "upgrade"}),
        ("websocket", "proxy_http_version 1.1", {"without": "upgrade", "inside": KEEPALIVE}),
        ("host", "proxy_set_header Host $http_host", {"without": "host"}),
        ("host", "proxy_set_header Host $http_host", {"without": "host", "inside": "proxy_set_header Host backend;"}),
        ("client", "X-Forwarded-For", {"without": "client"}),
        ("prefix", 'root_path = "/ops"', {"prefix": "/ops", "to": "/"}),
        ("prefix", "X-Forwarded-Prefix", {"prefix": "/ops"}),
        ("resume", "Range", {"inside": 'proxy_set_header Range "";'}),
        ("headers", "proxy_hide_header", {"inside": "proxy_hide_header Cache-Control;"}),
        ("post", "client_max_body_size", {"inside": "client_max_body_size 1k;"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_setting_is_wrong(serve: Serve, tmp_path: Path, check: str, cure: str, setting: dict[str, str]) -> None:
    """Exactly that is found, with its cure."""
    with proxied(tmp_path, serve(""), **setting) as url:
        found = examine(url, "--idle", "4s")
    assert set(found.not_fine()) == {check}
    verdict, message, told = found.findings[check]
    assert cure in told, message
    assert found.code == (0 if verdict == "note" else 1)
    if check == "idle":
        assert found.wires[check] == [*WIRES, "websocket"]


def test_a_scheme_that_is_wrong(serve: Serve, tmp_path: Path) -> None:
    """A proxy that is trusted says https, and it was http."""
    port = serve('[server]\ntrusted_proxies = ["127.0.0.1"]\n')
    with proxied(tmp_path, port, inside="proxy_set_header X-Forwarded-Proto https;") as url:
        found = examine(url, "--idle", "1s")
    assert (found.code, found.not_fine()) == (1, {"scheme": "wrong"})
    assert "X-Forwarded-Proto $scheme" in found.findings["scheme"][2]


def test_flask_behind_a_good_nginx(gunicorn: int, tmp_path: Path) -> None:
    """The same through gunicorn, where a thread serves each viewer."""
    with proxied(tmp_path, gunicorn, prefix="/ops") as url:
        found = examine(url, "--idle", "1s")
    assert (found.code, found.not_fine(), found.proxies) == (0, {}, ["nginx"])
    assert "WSGI has none" in found.findings["websocket"][1]


def test_a_proxy_that_cuts_websockets_alone(serve: Serve, tmp_path: Path) -> None:
    """Its patience is shorter for them than for the rest: what is cut is told by its wire."""
    port = serve("")
    inside = f"location ~ /socket$ {{ proxy_pass http://127.0.0.1:{port}; proxy_read_timeout 1s; }}"
    with proxied(tmp_path, port, inside=inside) as url:
        found = examine(url, "--idle", "4s")
    assert (found.code, found.not_fine(), found.wires["idle"]) == (1, {"idle": "wrong"}, ["websocket"])
    assert "proxy_read_timeout" in found.findings["idle"][2]


def test_nginx_as_it_comes_holds_back(gunicorn: int, tmp_path: Path) -> None:
    """It speaks HTTP/1.0, so a stream has no chunks; such it holds back, where our header is ignored."""
    inside = "proxy_ignore_headers X-Accel-Buffering;"
    with proxied(tmp_path, gunicorn, prefix="/ops", without="http", inside=inside) as url:
        found = examine(url, "--idle", "2s")
    assert (found.code, found.not_fine()) == (1, {"http": "wrong", "buffering": "wrong"})
    assert "proxy_buffering off" in found.findings["buffering"][2]
    assert found.wires["buffering"] == WIRES


def test_a_cache(serve: Serve, tmp_path: Path) -> None:
    """A proxy that keeps streams, although told not to, gives an old one to whoever asks."""
    outside = CACHE.format(directory=tmp_path)
    inside = "proxy_cache here; proxy_cache_valid any 10m; proxy_ignore_headers Cache-Control X-Accel-Buffering;"
    with proxied(tmp_path, serve(""), outside=outside, inside=inside) as url:
        found = examine(url, "--idle", "1s")
    assert (found.code, found.not_fine()) == (1, {"cache": "wrong", "resume": "wrong"})
    assert "proxy_cache off" in found.findings["cache"][2]


def test_what_it_prints(serve: Serve, tmp_path: Path) -> None:
    """A line for each finding, the cure below it, and a summary."""
    with proxied(tmp_path, serve(""), inside="proxy_read_timeout 1s;") as url:
        done = subprocess.run([*TAILRACE, "doctor", url, "--idle", "3s"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"{url}/, behind nginx"
    place = next(index for index, line in enumerate(lines) if line.startswith("wrong  idle"))
    assert lines[place + 1].split() == ["cure:", "nginx:", "proxy_read_timeout", "1h;"]
    assert lines[-1] == "1 wrong"
