"""All routes of the API and the pages. A path's `{run}` is a run's id, its `{command}` a command's name.

Whoever may have a GET may have its HEAD.
"""

from collections.abc import Callable
from typing import NamedTuple

from tailrace.web.responses import Response
from tailrace.web.routes import commands, control, pages, runs
from tailrace.web.routes.call import Action, Call


class Route(NamedTuple):
    """What a request does, and what its caller must be allowed."""

    method: str
    path: str
    action: Action
    function: Callable[[Call], Response]


ROUTES = (
    Route("GET", "/api/commands", "list", commands.list_commands),
    Route("GET", "/api/commands/{command}", "list", commands.show_command),
    Route("POST", "/api/commands/{command}/runs", "start", commands.start_run),
    Route("GET", "/api/runs", "list", runs.list_runs),
    Route("GET", "/api/runs/{run}", "view", runs.show_run),
    Route("GET", "/api/runs/{run}/output", "view", runs.show_output),
    Route("POST", "/api/runs/{run}/stop", "stop", control.stop),
    Route("POST", "/api/runs/{run}/input", "input", control.send_input),
    Route("POST", "/api/runs/{run}/pin", "pin", control.pin),
    Route("POST", "/api/runs/{run}/unpin", "pin", control.unpin),
    Route("GET", "/", "list", pages.home),
    Route("GET", "/commands/{command}", "list", pages.show_command),
    Route("POST", "/commands/{command}", "start", pages.start_from_form),
    Route("GET", "/runs/{run}", "view", pages.show_run),
    Route("GET", "/page/page.css", "view", pages.show_style),
    Route("GET", "/page/page.js", "view", pages.show_script),
    Route("GET", "/page/icon.svg", "view", pages.show_icon),
)
PATHS = tuple(dict.fromkeys(route.path for route in ROUTES))
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
"""that an adapter is to pass on for each path, so that what does not fit is answered here"""


def is_page(path: str) -> bool:
    """Tell whether people look at what is at this path of the table, and at its errors too."""
    return not path.startswith("/api/")


def find(method: str, path: str) -> Route | None:
    """Return the route of a method and a path of the table, or None if the path has no such method."""
    wanted = "GET" if method == "HEAD" else method
    return next((route for route in ROUTES if (route.method, route.path) == (wanted, path)), None)


def allowed(path: str) -> str:
    """Return the methods of a path, as the header `Allow` lists them."""
    methods = {route.method for route in ROUTES if route.path == path}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
