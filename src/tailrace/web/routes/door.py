"""The one door to every route: nothing is read or done before the caller is known to be allowed it.

In this order:

1. the name by which the server was asked, where that can matter: a page may have its own name point to this machine
   (DNS rebinding), and then be of the same origin. It cannot have an address as its name, nor `localhost`;
2. path and method;
3. whether a page of another site asks for something to be changed, or for a websocket, by which it could be;
4. whether the caller may do this at all: `may(action, None)`; and of which commands he is told;
5. which run or command the path names, and whether the caller may view the run: `may("view", run)`. If not, the answer
   is the same as for a run that is not there, byte for byte;
6. whether the caller may do this to the run, or the command: `may(action, run)`;
7. where there is an audit: that it is on record, if it changes something.

Only the files that pages load are for everybody, where a login comes before the rest: they are the same for all.
What was answered is recorded last; so is every refusal, whichever of these it comes from.
"""

import dataclasses
import ipaddress
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from tailrace.web.problems import problem
from tailrace.web.responses import Response, Visitor
from tailrace.web.routes import pages, table
from tailrace.web.routes.call import Call, Instead, Refused, guarded
from tailrace.web.routes.permission import check, for_command, for_run, with_known_commands
from tailrace.web.routes.route import Route
from tailrace.web.starting import is_cross_origin

_HOST = re.compile(r"(?:(?P<name>[^][:@/\s]+)|\[(?P<ipv6>[0-9a-f:.]+)\])(?::[0-9]*)?")
"""RFC 9110, 7.2"""
NOWHERE = "look whether it was typed or copied whole"
"""for people; programs are told what there is"""


class Place(NamedTuple):
    """An address, as an adapter finds it.

    Args:
        below: the path below where the API and the pages are mounted.
        path: that of `table.PATHS` which fits; None if none does.
        name: what stands for `{run}`, `{command}` or `{file}` in it; None if it has none of them.
    """

    below: str
    path: str | None
    name: str | None = None


def answer(make_call: Callable[[], Call], place: Place, report: Callable[[Exception], None]) -> Response:
    """Answer a call.

    Args:
        make_call: returns what is asked, and by whom.
        place: the address that is asked for.
        report: told of every error that is not the caller's.

    Raises:
        Instead: the application answers itself.
    """
    made: list[Call] = []

    def noted_call() -> Call:
        call = make_call()
        made.append(call)
        return call

    response = guarded(lambda: _recorded(noted_call(), place, report), report)
    if not table.is_page(place.below) or not made or "text/html" not in made[-1].request.headers.get("accept", ""):
        return response
    is_nowhere = place.path is None and response.status == HTTPStatus.NOT_FOUND
    return pages.told(response, place.below, NOWHERE if is_nowhere else "", made[-1])


def _recorded(call: Call, place: Place, report: Callable[[Exception], None]) -> Response:
    """Answer, and have the audit told.

    Raises:
        Instead: the application answers itself.
    """
    if call.account is None:
        return _answer(call, place.path, place.name)
    call.account.declared = call.commands
    try:
        response = guarded(lambda: _answer(call, place.path, place.name), report)
    except Instead as instead:
        if instead.is_answer:
            call.account.leave(call)
        raise
    return call.account.close(call, response)


def _answer(call: Call, path: str | None, name: str | None) -> Response:
    check_host(call.request.headers.get("host", ""), call.hosts)
    if path is None:
        raise Refused(
            HTTPStatus.NOT_FOUND, "there is nothing at this address", f"what there is: {', '.join(table.PATHS)}"
        )
    route = table.find(call.request.method, path)
    if route is None:
        return _wrong_method(call.request.method, path)
    if call.account is not None:
        call.account.action = route.action
    if route.method != "GET" or route.is_socket:
        _check_site(call)
    if call.protocols is not None and not route.is_socket:
        known = ", ".join(table.SOCKETS)
        raise Refused(HTTPStatus.BAD_REQUEST, "this address is not one of a WebSocket", f"what is: {known}")
    if not (route.is_file and call.has_login):
        check(call, route.action, None)
        call = with_known_commands(call)
    named = call if name is None else _with_name(call, route, name)
    if named.account is not None:
        named.account.ask(named)
    return _for_visitor(call, route.function(named))


def _for_visitor(call: Call, response: Response) -> Response:
    """Return the response with whom its stream is for, if it has one."""
    if (stream := response.stream) is None:
        return response
    visitor = Visitor(call.request.client, call.request.user, stream.run_ids, stream.commands)
    return dataclasses.replace(response, visitor=visitor)


def _with_name(call: Call, route: Route, name: str) -> Call:
    if "{file}" in route.path:
        return dataclasses.replace(call, file=name)
    if "{command}" in route.path:
        return for_command(call, route.action, name)
    return for_run(call, route.action, name)


def _check_site(call: Call) -> None:
    if is_cross_origin(call.request.headers):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "a page of another site asked for this",
            "ask from a page of this site; a proxy must pass the Host header on as it came",
        )


def check_host(host: str, hosts: frozenset[str] | None) -> None:
    """See that a request is for a name of ours, besides addresses and those of this machine; None: any.

    Raises:
        Refused: it is not.
    """
    if hosts is not None and not _is_ours(host, hosts):
        raise Refused(
            HTTPStatus.MISDIRECTED_REQUEST,
            f"this is not {host[:80]!r}",
            "use the server's address or localhost, or have its name listed in `hosts` where this is mounted",
        )


def _is_ours(host: str, hosts: frozenset[str]) -> bool:
    match = _HOST.fullmatch(host.lower())
    if match is None:
        return False
    name = match["name"]
    if name is not None:
        return name in hosts or name == "localhost" or name.endswith(".localhost") or _is_address(name)
    return _is_address(match["ipv6"])


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _wrong_method(method: str, path: str) -> Response:
    allow = table.allowed(path)
    refusal = problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{method[:20]} is not for this address", f"what is: {allow}")
    return dataclasses.replace(refusal, headers=(*refusal.headers, ("Allow", allow)))
