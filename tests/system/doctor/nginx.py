"""Debian's nginx, as a process of this user's own before a server."""

import grp
import os
import pwd
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.wait import wait_for

PLAIN = """
daemon off;
user {user};
pid {directory}/nginx.pid;
error_log {directory}/error.log;
worker_processes 1;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    {outside}
    server {{
        listen 127.0.0.1:{port};
        location {prefix}/ {{
            {inside}
        }}
    }}
}}
"""
GOOD = {
    "http": "proxy_http_version 1.1;",
    "upgrade": "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;",
    "host": "proxy_set_header Host $http_host;",
    "client": "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
}
"""what a proxy before Tailrace needs, by what it is good for"""


@contextmanager
def proxied(
    directory: Path, server: int, *, without: str = "", inside: str = "", outside: str = "", prefix: str = "",
    to: str = "",
) -> Iterator[str]:  # fmt: skip
    """Have nginx before the server, with what it needs but `without`, and more; yield its address.

    Args:
        directory: for its files.
        server: the port of the server.
        without: which of `GOOD` it lacks.
        inside: more for the location.
        outside: more for `http`.
        prefix: where the server is shown.
        to: a path behind the server's address.
    """
    port = _free_port()
    good = [text for name, text in GOOD.items() if name != without]
    lines = [f"proxy_pass http://127.0.0.1:{server}{to};", *good, inside]
    config = directory / "nginx.conf"
    config.write_text(
        PLAIN.format(
            directory=directory,
            user=f"{pwd.getpwuid(os.geteuid()).pw_name} {grp.getgrgid(os.getegid()).gr_name}",
            port=port,
            prefix=prefix,
            inside="\n".join(lines),
            outside=outside,
        )
    )
    with subprocess.Popen(
        ["/usr/sbin/nginx", "-p", str(directory), "-e", f"{directory}/error.log", "-c", str(config)]
    ) as nginx:
        try:
            wait_for(lambda: nginx.poll() is not None or _answers(port), what="nginx to answer")
            assert nginx.poll() is None, (directory / "error.log").read_text()
            yield f"http://127.0.0.1:{port}{prefix}"
        finally:
            nginx.terminate()
            nginx.wait(30)


def _free_port() -> int:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True
