"""All routes of the API. A path's `{run}` is a run's id, its `{command}` a command's name.

Whoever may have a GET may have its HEAD.
"""

from collections.abc import Callable
from typing import NamedTuple

from tailrace.web.responses import Response
from tailrace.web.routes import commands, control, events, lines, runs, search, socket
from tailrace.web.routes.call import Action, Call


class Route(NamedTuple):
    """What a request does, and what its caller must be allowed."""

    method: str
    path: str
    action: Action
    function: Callable[[Call], Response]
    is_socket: bool = False
    """whether it opens a websocket"""


ROUTES = (
    Route("GET", "/api/commands", "list", commands.list_commands),
    Route("GET", "/api/commands/{command}", "list", commands.show_command),
    Route("POST", "/api/commands/{command}/runs", "start", commands.start_run),
    Route("GET", "/api/runs", "list", runs.list_runs),
    Route("GET", "/api/runs/{run}", "view", runs.show_run),
    Route("GET", "/api/runs/{run}/output", "view", runs.show_output),
    Route("GET", "/api/runs/{run}/lines", "view", lines.show_lines),
    Route("GET", "/api/runs/{run}/search", "view", search.search_output),
    Route("GET", "/api/runs/{run}/socket", "view", socket.open_socket, is_socket=True),
    Route("GET", "/api/events", "view", events.show_events),
    Route("POST", "/api/runs/{run}/stop", "stop", control.stop),
    Route("POST", "/api/runs/{run}/input", "input", control.send_input),
    Route("POST", "/api/runs/{run}/pin", "pin", control.pin),
    Route("POST", "/api/runs/{run}/unpin", "pin", control.unpin),
)
PATHS = tuple(dict.fromkeys(route.path for route in ROUTES))
SOCKET = next(route.path for route in ROUTES if route.is_socket)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
"""that an adapter is to pass on for each path, so that what does not fit is answered here"""


def find(method: str, path: str) -> Route | None:
    """Return the route of a method and a path of the table, or None if the path has no such method."""
    wanted = "GET" if method == "HEAD" else method
    return next((route for route in ROUTES if (route.method, route.path) == (wanted, path)), None)


def allowed(path: str) -> str:
    """Return the methods of a path, as the header `Allow` lists them."""
    methods = {route.method for route in ROUTES if route.path == path}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
