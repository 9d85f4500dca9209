"""A plain WSGI application: `gunicorn --threads 16 app:application`, then `curl -N http://127.0.0.1:8000/stream`."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from tailrace.wsgi import Tailrace

race = Tailrace()
LOOP = ["bash", "-c", "for ((i=0;i<100;i=i+1)); do echo $i; sleep 1; done"]


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/stream":
        return race.stream(environ, LOOP)(environ, start_response)
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"try /stream\n"]
