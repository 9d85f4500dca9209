"""The pages, and what their forms do without JavaScript. They are asked for like everything else, at the same door."""

from functools import partial
from http import HTTPStatus

import msgspec

from tailrace.core.command import Command
from tailrace.core.errors import Fault, InvalidInput, InvalidValues
from tailrace.core.run import RunInfo
from tailrace.core.wires.places import MOST_RUNS
from tailrace.engine.base import Query
from tailrace.web.page import runs
from tailrace.web.page.document import page, see_other
from tailrace.web.page.forms import form_of
from tailrace.web.page.given import Allowed, CommandShown, Given, Who, all_shown, shown
from tailrace.web.page.html import Html, element
from tailrace.web.problems import CONTENT_TYPE as PROBLEM
from tailrace.web.problems import OneOf, Problem, status_of
from tailrace.web.responses import Response
from tailrace.web.routes.allowed import at_all, on_command, who
from tailrace.web.routes.call import Call, Instead, Refused
from tailrace.web.routes.commands import Refilled, Texts, begun, form_taken, form_values
from tailrace.web.routes.control import give, stopped
from tailrace.web.routes.permission import viewable
from tailrace.web.routes.runs import visible, whole
from tailrace.web.starting import refuse

SHOWN_RUNS = 20
SIDE_BY_SIDE = "Runs side by side"
HOME, BELOW = "./", "../"
"""the way to the page of all commands, from there and from the others"""
_PROBLEM = msgspec.json.Decoder(Problem)


def home(call: Call) -> Response:
    """Show the commands, each with its form, and the newest runs."""
    if not call.request.path.endswith("/"):
        return see_other(call.request.path.rpartition("/")[2] + "/")
    commands = tuple(call.commands.values())
    none = element(
        "p", "No command is declared here. Runs that are started elsewhere can be watched.", class_="nothing"
    )
    listed = all_shown(commands, partial(on_command, call))
    pairs = zip(commands, listed, strict=True)
    cards = element("div", *(_card(each, may_start="start" in its.may) for each, its in pairs), class_="cards")
    newest = visible(call, Query(limit=SHOWN_RUNS)).runs
    given = Given(
        page="home", root=HOME, who=_known(call), may=_allowed(*at_all(call)), commands=listed, notice=_notice(call),
    )  # fmt: skip
    notice = [element("p", given.notice, class_="fault", role="alert")] if given.notice else []
    return page(
        "", given,
        *notice,
        element("div",
            element("section", element("h2", "Commands"), cards if commands else none, class_="commands"),
            element("section",
                element("h2", "Runs"), *_bounds(given), runs.list_of(newest, HOME, call.commands), class_="listing",
            ),
            class_="overview",
        ),
    )  # fmt: skip


def _bounds(given: Given) -> list[Html]:
    """Return that not all runs are listed, where that is so."""
    is_all = given.who is None or given.who.role is None or given.who.sees_all
    return [] if is_all else [element("p", "Only runs that you may see are listed.", class_="help")]


def _notice(call: Call) -> str:
    """Return what whoever looks after the server is to know; others are told nothing of its files."""
    is_admin = call.sees_all if call.who is None else call.who.role == "admin"
    return f"The file's commands are not what is served here. {call.notice}" if call.notice and is_admin else ""


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
    texts: Texts = {}
    try:
        with form_taken(call) as (texts, values):
            run, _is_new = begun(call, values)
    except InvalidValues as error:
        sent = error.texts if isinstance(error, Refilled) else texts
        return _command_page(call, call.declared, sent, error.faults, status_of(error))
    return see_other(f"{BELOW}runs/{run.id}")


def show_run(call: Call) -> Response:
    """Show one run: how it stands, its output, and what can be done to it."""
    info = call.shown
    shown_run = whole(call, info)
    may = _allowed(*(shown_run.may or ()), *({"start"} & set(at_all(call))))
    given = Given(
        page="run", root=BELOW, who=_known(call), may=may, run=shown_run, commands=_commands_of(call, info),
    )  # fmt: skip
    plain = runs.plain_of(info, BELOW, can_stop=may.stop, can_type=may.input)
    name = runs.name_of(info, call.commands)
    return page(f"{name}: {info.id}", given, runs.head_of(info, call.commands), plain)


def stop_from_form(call: Call) -> Response:
    """Begin the stop ladder, or go to its next rung at once, and lead back to the run's page.

    Raises:
        Refused, InvalidInput: the form cannot be used.
        WrongState, EngineUnavailable: see `Run.stop`.
    """
    fields = _own_form(call)
    if fields not in ({}, {"now": "1"}):
        raise InvalidInput(
            "this form means nothing here",
            op="stop",
            subject="body",
            hint="now=1 for the next signal at once, or nothing",
        )
    stopped(call, now=bool(fields))
    return see_other(f"{BELOW}{call.run.id}")


def type_from_form(call: Call) -> Response:
    """Write the form's line to the command's standard input, or end the input, and lead back to the run's page.

    Raises:
        Refused, InvalidInput: the form cannot be used.
        WrongState: the run takes no input, or is still being sent some.
    """
    match _own_form(call):
        case {"line": line, **others} if not others:
            give(call, line.encode() + b"\n", closes=False)
        case {"close": "1", **others} if others.keys() <= {"line"}:
            give(call, b"", closes=True)
        case _:
            raise InvalidInput(
                "this form means nothing here", op="send", subject="body", hint="line=TEXT, or close=1 to end the input"
            )
    return see_other(f"{BELOW}{call.run.id}")


def show_runs(call: Call) -> Response:
    """Show several runs, side by side.

    Raises:
        InvalidInput: the query names none, too many, or one twice.
        UnknownRun: one of them is not there, or not for this caller.
    """
    if not call.query:
        return see_other(HOME)
    infos = [viewable(call, run_id) for run_id in _wanted(call)]
    commands = _commands_of(call, *infos)
    given = Given(
        page="runs", root=HOME, who=_known(call), may=_allowed(*at_all(call)), runs=tuple(infos), commands=commands,
    )  # fmt: skip
    panes = [runs.pane_of(info, HOME, call.commands) for info in infos]
    top = element("div", element("h1", SIDE_BY_SIDE), class_="panes-top")
    return page(SIDE_BY_SIDE, given, top, element("div", *panes, class_="panes"))


def told(problem: Response, path: str, hint: str = "", call: Call | None = None) -> Response:
    """Return a problem document as a page, for people; whatever else it is stays.

    Args:
        problem: the document.
        path: below where the pages are, for the way to the one of all commands.
        hint: what to do, instead of what the document says.
        call: what is answered so; None: it is not known.
    """
    kinds = dict(problem.headers)
    if kinds.get("Content-Type") != PROBLEM or not isinstance(problem.body, bytes):
        return problem
    document = _PROBLEM.decode(problem.body)
    if hint:
        document = msgspec.structs.replace(document, hint=hint)
    root = BELOW * (path.count("/") - 1) or HOME
    person = None if call is None else _known(call)
    is_guest = person is not None and person.is_guest
    main = element(
        "section",
        element("h1", document.title),
        element("p", f"{document.detail[:1].upper()}{document.detail[1:]}.", class_="what"),
        element("p", f"{document.hint[:1].upper()}{document.hint[1:]}.", class_="hint"),
        "" if is_guest else element("p", element("a", "All commands and runs", href=root)),
        class_="sheet",
    )
    given = Given(page="problem", root=root, who=person, problem=document)
    made = page(document.title, given, main, status=HTTPStatus(document.status))
    kept = tuple((name, value) for name, value in problem.headers if name not in dict(made.headers))
    return Response(status=made.status, headers=(*made.headers, *kept), body=made.body)


def _own_form(call: Call) -> dict[str, str]:
    """Return the fields of a form by which something is done to a run that is there.

    The API takes no forms for that, so that no page of another site can do it in a browser that does not say who asks;
    here the browser has to say it.

    Raises:
        Refused: it does not, or the form is none.
        InvalidInput: it cannot be read.
    """
    headers = call.request.headers
    if "origin" not in headers and headers.get("sec-fetch-site") != "same-origin":
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "this form does not come from a page of this site",
            "send it from there; a program uses the API",
        )
    return form_values(call)


def _wanted(call: Call) -> tuple[str, ...]:
    """Return the ids of the runs that the query names."""
    run_ids = tuple(value for name, value in call.query if name == "run")
    if len(run_ids) < len(call.query) or len(set(run_ids)) < len(run_ids) or len(run_ids) > MOST_RUNS:
        raise InvalidInput(
            "this query means nothing here", op="look", subject="query",
            hint=f"run=ID, up to {MOST_RUNS} times, each another one",
        )  # fmt: skip
    return run_ids


def _known(call: Call) -> Who | None:
    """Return who asks, where somebody is known; None: nobody is asked."""
    if call.who is None and not call.request.user:
        return None
    try:
        return who(call)
    except Refused:
        return None


def _allowed(*actions: str) -> Allowed:
    """Return the actions as the page's script reads them."""
    return Allowed(**{name: name in actions for name in Allowed.__struct_fields__})


def _commands_of(call: Call, *infos: RunInfo) -> tuple[CommandShown, ...]:
    """Return the commands that the runs are of, if they are still declared, and the caller may list commands."""
    names = {info.command for info in infos}
    found = [command for command in call.commands.values() if command.name in names]
    try:
        return all_shown(found, partial(on_command, call)) if found and call.may("list", None) else ()
    except Instead:
        return ()


def _card(command: Command, *, may_start: bool) -> Html:
    link = element("a", command.title or command.name, href=f"{HOME}commands/{command.name}")
    about = element("p", command.description, class_="about") if command.description else ""
    form = form_of(command, HOME) if may_start else _no_start()
    return element("article", element("h2", link, class_="name"), about, form, class_="card")


def _no_start() -> Html:
    return element("p", "You may look at its runs, and not start it.", class_="help")


def _repeated(command: Command, texts: Texts) -> dict[str, str]:
    """Return what a form said, for its script to show it again: of several values, each in a line. No secret."""
    secret = {name for name, each in command.parameters.items() if each.is_secret}
    return {name: "\n".join(each) for name, each in texts.items() if name not in secret}


def _command_page(
    call: Call,
    command: Command,
    texts: Texts | None = None,
    faults: tuple[Fault, ...] = (),
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    title = command.title or command.name
    given_command = shown(command, on_command(call, command))
    newest = visible(call, Query(limit=SHOWN_RUNS, command=command.name)).runs
    sheet = element(
        "section",
        element("h1", title),
        element("p", command.description, class_="about") if command.description else "",
        form_of(command, BELOW, texts, faults) if "start" in given_command.may else _no_start(),
        class_="sheet",
    )
    listed = element("section", element("h2", "Runs"), runs.list_of(newest, BELOW, call.commands), class_="listing")
    given = Given(
        page="command",
        root=BELOW,
        who=_known(call),
        may=_allowed(*given_command.may),
        commands=(given_command,),
        values=_repeated(command, texts or {}),
        errors=tuple(OneOf(*fault) for fault in faults),
    )
    return page(title, given, element("div", sheet, listed, class_="overview"), status=status)
