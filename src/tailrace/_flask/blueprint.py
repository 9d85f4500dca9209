"""The API's routes as a blueprint: Flask finds the path, `tailrace.web.routes.door` decides everything else."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from flask import Blueprint, copy_current_request_context, current_app, request
from flask import Response as FlaskResponse
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from tailrace.core.access import Action
from tailrace.core.command import Command, Commands
from tailrace.core.run import RunInfo
from tailrace.engine.base import Engine
from tailrace.web.audience import Audience
from tailrace.web.requests import Request
from tailrace.web.responses import Response
from tailrace.web.routes.account import Account, Auditor
from tailrace.web.routes.call import Call, Instead
from tailrace.web.routes.door import Place, answer
from tailrace.web.routes.permission import undecided
from tailrace.web.routes.table import METHODS, NAMES, PATHS, SOCKETS, is_page

Authorize: TypeAlias = Callable[[Action, RunInfo | None], bool | AnyResponse]
AuthorizeCommand: TypeAlias = Callable[[Action, Command], bool | AnyResponse]


class Adapter(NamedTuple):
    """How the extension gets from Flask's request to ours, and from our response to Flask's."""

    engine: Callable[[], Engine]
    request: Callable[[], Request]
    response: Callable[[Response], FlaskResponse]
    commands: Callable[[], Commands]
    auditor: Auditor | None = None
    authorize_command: AuthorizeCommand | None = None


class _Own(Instead):
    """The application's own answer, or what it raised to have one."""

    def __init__(self, answer: AnyResponse | HTTPException) -> None:
        super().__init__()
        self.answer = answer


def make(adapter: Adapter, authorize: Authorize | None, hosts: frozenset[str] | None, name: str) -> Blueprint:
    """Return the blueprint; without `authorize`, anybody may do anything."""
    made = Blueprint(name, __name__)
    audience = Audience(adapter.engine)

    def make_call() -> Call:
        return Call(
            request=adapter.request(),
            engine=adapter.engine,
            may=(lambda _action, _info: True) if authorize is None else _may(authorize),
            sees_all=authorize is None,
            hosts=hosts,
            query=tuple(request.args.items(multi=True)),
            content_type=request.headers.get("Content-Type", ""),
            read=_read,
            commands=adapter.commands(),
            may_command=_may_command(adapter.authorize_command, is_open=authorize is None),
            lasting=copy_current_request_context,
            refusal=lambda visitor: audience.refusal(visitor, adapter.commands()),
            account=None if adapter.auditor is None else Account(adapter.auditor, _report),
        )

    def admitted(response: Response) -> FlaskResponse:
        """Return the response as Flask's; a stream only if there is room for its viewer."""
        made = adapter.response(response)
        if response.visitor is None:
            return made
        entered = audience.enter(response.visitor, adapter.commands(), has_begun=request.method == "POST")
        if isinstance(entered, Response):
            made.close()
            return adapter.response(entered)
        made.call_on_close(entered)
        return made

    def serve(place: Place) -> ResponseReturnValue:
        try:
            return admitted(answer(make_call, place, _report))
        except _Own as own:
            if isinstance(own.answer, HTTPException):
                raise own.answer from None  # for the error handlers of the application
            return own.answer

    made.record(lambda state: _add_routes(state, serve))
    return made


def _add_routes(state: BlueprintSetupState, serve: Callable[[Place], ResponseReturnValue]) -> None:
    """Add a rule for each path, and one for everything else below the prefix.

    At the root only below `/api`: what else is there, `/` before all, is the application's own.
    """
    has_prefix = (state.url_prefix or "").strip("/")

    def add(rule: str, endpoint: str, path: str | None) -> None:
        def view(**variables: str) -> ResponseReturnValue:
            below = rule.replace("<path:rest>", variables.get("rest", "")) if path is None else path
            return serve(Place(below, path, _named(path, variables)))

        state.add_url_rule(rule, endpoint, view, methods=METHODS, provide_automatic_options=False, strict_slashes=True)

    def refuse(path: str) -> None:
        """Have a handshake answered by the route, else it gets a page of Werkzeug's."""

        def view(**variables: str) -> ResponseReturnValue:
            return serve(Place(path, path, _named(path, variables)))

        state.add_url_rule(_rule(path), f"no_{_endpoint(path)}", view, websocket=True)

    for path in filter(lambda path: has_prefix or not is_page(path), PATHS):
        add(_rule(path), _endpoint(path), path)
    for path in SOCKETS:
        refuse(path)
    add("/<path:rest>" if has_prefix else "/api/<path:rest>", "nothing", None)


def _named(path: str | None, variables: Mapping[str, str]) -> str | None:
    """Return what stands for the placeholder of a path of the table; other variables are the prefix's own."""
    return next((variables[name] for name in NAMES if path is not None and f"{{{name}}}" in path), None)


def _rule(path: str) -> str:
    return path.replace("{", "<").replace("}", ">")


def _endpoint(path: str) -> str:
    """Return the name for `url_for`: `runs`, `run`, `run_output`, `command_runs`, `page`, `page_run`, and so on."""
    named = path.removeprefix("/api/").replace("runs/{run}", "run").replace("commands/{command}", "command")
    named = re.sub(r"[/.-]", "_", named.strip("/{}").replace("{", ""))
    return named if not is_page(path) else f"page_{named}".removesuffix("_").replace("page_page_", "page_")


def _may(authorize: Authorize) -> Callable[[Action, RunInfo | None], bool]:
    """Have the application decide."""
    return lambda action, info: _decided(lambda: authorize(action, info))


def _may_command(authorize: AuthorizeCommand | None, *, is_open: bool) -> Callable[[Action, Command], bool]:
    """Have the application decide on commands; where it does not, those that say who may are nobody's."""
    if authorize is None:
        return _anything if is_open else undecided
    return lambda action, command: _decided(lambda: authorize(action, command))


def _anything(_action: Action, _command: Command) -> bool:
    return True


def _decided(authorize: Callable[[], object]) -> bool:
    """Return what the application decides.

    What is neither yes nor no nor an answer is a mistake, and lets nobody in.

    Raises:
        Instead: it answers itself.
        TypeError: it is a mistake.
    """
    try:
        verdict = authorize()
    except HTTPException as error:
        raise _Own(error) from None
    if isinstance(verdict, bool):
        return verdict
    if isinstance(verdict, AnyResponse):
        raise _Own(verdict)
    raise TypeError(f"authorize must return True, False or a response, not {verdict!r}")


def _read(limit_bytes: int) -> bytes:
    parts, left = [], limit_bytes
    try:
        while left and (data := request.stream.read(left)):
            parts.append(data)
            left -= len(data)
    except RequestEntityTooLarge:  # a limit of the application's own
        return bytes(limit_bytes)
    return b"".join(parts)


def _report(error: Exception) -> None:
    current_app.logger.error("%s %s: %s", request.method, request.path, error, exc_info=error)
