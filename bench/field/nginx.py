"""nginx with nchan: its configuration, for one foreground server on the loopback that keeps to one directory."""

import grp
import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.field.servers import Server, free_port, listening

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
CONFIG = """
load_module {module};
daemon off;
user {user} {group};
worker_processes 1;
worker_rlimit_nofile 16384;
pid {place}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 12000; }}
http {{
    access_log off;
    default_type text/plain;
    sendfile on;
    tcp_nodelay on;
    keepalive_requests 1000000;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /publish {{
            nchan_publisher;
            nchan_channel_id bench;
            nchan_message_buffer_length 50;
        }}
        location = /watch {{
            nchan_subscriber eventsource;
            nchan_channel_id bench;
            nchan_subscriber_first_message newest;
        }}
        location /files/ {{
            alias {files}/;
        }}
    }}
}}
"""


def missing() -> str | None:
    """Return what must be installed first, and how."""
    if shutil.which("nginx", path=_path()) and MODULE.exists():
        return None
    return "nginx with nchan is not here: apt install nginx libnginx-mod-nchan"


@contextmanager
def served(place: Path, files: Path) -> Iterator[Server]:
    """Start it; what lies in `files` is below /files/."""
    room = place / "nginx"
    room.mkdir(exist_ok=True)
    user = pwd.getpwuid(os.getuid()).pw_name
    group = grp.getgrgid(os.getgid()).gr_name
    port = free_port()
    config = room / "nginx.conf"
    config.write_text(CONFIG.format(module=MODULE, place=room, files=files, port=port, user=user, group=group))
    nginx = shutil.which("nginx", path=_path())
    assert nginx, missing()
    with listening([nginx, "-p", str(room), "-c", str(config)], port, room / "log") as server:
        yield server


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin"
