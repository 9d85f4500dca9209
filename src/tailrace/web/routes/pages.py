"""The pages, and what their forms do without JavaScript. They are asked for like everything else, at the same door."""

import hashlib
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files

import msgspec

from tailrace.core.command import Command
from tailrace.core.errors import Fault, InvalidValues
from tailrace.core.run import RunInfo
from tailrace.core.spec import Stdio
from tailrace.engine.base import Query
from tailrace.web.page import runs
from tailrace.web.page.document import page, see_other
from tailrace.web.page.forms import form_of
from tailrace.web.page.html import Html, element
from tailrace.web.problems import CONTENT_TYPE as PROBLEM
from tailrace.web.problems import Problem, status_of
from tailrace.web.requests import Request
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call
from tailrace.web.routes.commands import begun, form_values
from tailrace.web.routes.runs import visible
from tailrace.web.starting import refuse

SHOWN_RUNS = 20
HOME, BELOW = "./", "../"
"""the way to the page of all commands, from there and from the others"""
_PROBLEM = msgspec.json.Decoder(Problem)


def home(call: Call) -> Response:
    """Show the commands, each with its form, and the newest runs."""
    if not call.request.path.endswith("/"):
        return see_other(call.request.path.rpartition("/")[2] + "/")
    cards = [_card(command) for command in call.commands.values()]
    none = element("p", "No command is declared here. Runs that are started elsewhere can be watched.", class_="none")
    shown = element("div", *cards, class_="cards") if cards else none
    newest = visible(call, Query(limit=SHOWN_RUNS)).runs
    return page(
        "", HOME,
        element("div",
            element("section", element("h2", "Commands"), shown),
            element("section", element("h2", "Runs"), runs.list_of(newest, HOME, call.commands), id="runs"),
            class_="overview",
        ),
    )  # fmt: skip


def show_command(call: Call) -> Response:
    """Show one command, and its runs."""
    return _command_page(call, call.declared)


def start_from_form(call: Call) -> Response:
    """Start the command with what its form says, and lead to the run's page; or show what is wrong with it.

    Raises:
        Refused, InvalidInput: nothing was started.
        KeyBusy, NoSpace, EngineUnavailable: see `Engine.start`.
    """
    if (refusal := refuse(call.request, cross_site=False)) is not None:
        return refusal
    texts = form_values(call)
    try:
        run, _is_new = begun(call, call.declared.values_from(texts))
    except InvalidValues as error:
        return _command_page(call, call.declared, texts, error.faults, status_of(error))
    return see_other(f"{BELOW}runs/{run.id}")


def show_run(call: Call) -> Response:
    """Show one run: how it stands, and its output as it comes."""
    info = _info_of(call)
    spec = call.engine().spec(info.id)
    takes_input = call.may("input", info) and (spec.stdin or spec.stdio is Stdio.PTY)
    console = runs.console_of(info, BELOW, takes_input=takes_input)
    name = runs.name_of(info, call.commands)
    return page(f"{name}: {info.id}", BELOW, runs.head_of(info, call.commands), console)


def show_style(call: Call) -> Response:
    """Return the pages' style sheet."""
    return _file("page.css", "text/css; charset=utf-8", call.request)


def show_script(call: Call) -> Response:
    """Return the pages' script."""
    return _file("page.js", "text/javascript; charset=utf-8", call.request)


def show_icon(call: Call) -> Response:
    """Return the pages' icon."""
    return _file("icon.svg", "image/svg+xml", call.request)


def told(problem: Response, path: str, hint: str = "") -> Response:
    """Return a problem document as a page, for people; whatever else it is stays.

    Args:
        problem: the document.
        path: below where the pages are, for the way to the one of all commands.
        hint: what to do, instead of what the document says.
    """
    kinds = dict(problem.headers)
    if kinds.get("Content-Type") != PROBLEM or not isinstance(problem.body, bytes):
        return problem
    document = _PROBLEM.decode(problem.body)
    root = "../" * (path.count("/") - 1) or HOME
    told_hint = hint or document.hint
    main = (
        element("h1", document.title),
        element("p", f"{document.detail[:1].upper()}{document.detail[1:]}."),
        element("p", f"{told_hint[:1].upper()}{told_hint[1:]}."),
        element("p", element("a", "All commands and runs", href=root)),
    )
    made = page(document.title, root, *main, status=HTTPStatus(document.status))
    kept = tuple((name, value) for name, value in problem.headers if name not in dict(made.headers))
    return Response(status=made.status, headers=(*made.headers, *kept), body=made.body)


def _info_of(call: Call) -> RunInfo:
    assert call.info is not None  # noqa: S101  (for mypy)
    return call.info


def _card(command: Command) -> Html:
    title = element("h3", element("a", command.title or command.name, href=f"{HOME}commands/{command.name}"))
    return element("article", title, element("p", command.description), form_of(command, HOME), class_="card")


def _command_page(
    call: Call,
    command: Command,
    texts: Mapping[str, str] | None = None,
    faults: tuple[Fault, ...] = (),
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    title = command.title or command.name
    newest = visible(call, Query(limit=SHOWN_RUNS, command=command.name)).runs
    sheet = element(
        "section",
        element("h1", title),
        element("p", command.description) if command.description else "",
        form_of(command, BELOW, texts, faults),
        class_="sheet",
    )
    listed = element("section", element("h2", "Runs"), runs.list_of(newest, BELOW, call.commands), id="runs")
    return page(title, BELOW, sheet, listed, status=status)


@cache
def _read(name: str) -> tuple[bytes, str]:
    """Return a file of the pages, and its ETag."""
    data = (files("tailrace.web.page") / name).read_bytes()
    return data, f'"{hashlib.sha256(data).hexdigest()[:16]}"'


def _file(name: str, content_type: str, request: Request) -> Response:
    """Return the file, or 304 to who has it: it may be kept, but is asked for each time."""
    data, etag = _read(name)
    headers = (("ETag", etag), ("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff"))
    if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(status=HTTPStatus.OK, headers=(*headers, ("Content-Type", content_type)), body=data)
