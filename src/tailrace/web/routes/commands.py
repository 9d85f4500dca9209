"""The declared commands: which there are, and starting one. Nothing that is not declared can be started by the API."""

import dataclasses
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import NoReturn, TypeAlias, TypeVar
from urllib.parse import parse_qsl, quote

import msgspec

from tailrace.core import ids
from tailrace.core.errors import InvalidInput, InvalidValues
from tailrace.core.run import RunInfo
from tailrace.core.wires.table import is_named
from tailrace.engine.declared import ready
from tailrace.engine.run import Run
from tailrace.web.page.given import CommandShown, all_shown, shown
from tailrace.web.responses import Response, Visitor
from tailrace.web.routes.account import note_run, note_values
from tailrace.web.routes.allowed import on_command
from tailrace.web.routes.call import JSON, Call, Refused, body, check_type, json_response, media_type, wrong_type
from tailrace.web.starting import begin, check_no_place, refuse, start
from tailrace.web.uploads import MULTIPART, parts_of, place_for, room_of, values_of
from tailrace.web.view import PLACES

Value = TypeVar("Value")
Values: TypeAlias = Mapping[str, object]
Texts: TypeAlias = Mapping[str, Sequence[str]]

FORM = "application/x-www-form-urlencoded"
PARAMETERS_BYTES = 256 << 10
"""of a body with parameters"""
MOST_FIELDS = 1000
"""of a form"""
TOO_LONG = "parameters are small; give large input to the run's standard input"
HINT = 'a JSON object, such as {"parameters": {"n": 5}}, or a form'


class CommandList(msgspec.Struct, frozen=True):
    """All commands, in the order of their declaration."""

    commands: tuple[CommandShown, ...]


def list_commands(call: Call) -> Response:
    """Return the commands that may be started, each with the JSON Schema of its parameters."""
    return json_response(CommandList(all_shown(call.commands.values(), partial(on_command, call))))


def show_command(call: Call) -> Response:
    """Return one command."""
    return json_response(shown(call.declared, on_command(call, call.declared)))


def start_run(call: Call) -> Response:
    """Start the command, and return the run, or its output to who asks for a stream.

    201, with the run's address in `Location`; 200 if it was going already and is shared by its `key`. A client that
    names the type of a wire in `Accept`, or has `?format=`, gets the stream itself, by the rules of every route that
    starts something; so does one that reconnects with a `Last-Event-ID`. Who may start the command, and not view
    the run, gets 201 with the run, whatever he asks for.

    Raises:
        InvalidInput, InvalidValues: the body or the query cannot be used, and nothing was started.
    """
    if (refusal := refuse(call.request, cross_site=False)) is not None:
        return refusal
    _check_query(call.query)
    with _taken(call) as (_texts, values):
        return _started(call, values)


def _started(call: Call, values: Values) -> Response:
    """Start the command with the values, and answer."""
    if _wants_stream(call):
        return _streamed(call, values)
    check_no_place(call.request)
    run, is_new = begun(call, values)
    return _told(call, run.info(), HTTPStatus.CREATED if is_new else HTTPStatus.OK)


def _told(call: Call, info: RunInfo, status: HTTPStatus) -> Response:
    """Return the run, and where it is; to whoever has started it also if he may not view it."""
    response = json_response(info, status)
    return dataclasses.replace(response, headers=(*response.headers, ("Location", _address(call, info.id))))


def _streamed(call: Call, values: Values) -> Response:
    """Start the command with the values, and answer with its stream."""
    note_values(call, values)
    argv, options = ready(call.declared, values, call.commands)
    before_us = time.time_ns() // 1000

    def see(run_id: str) -> None:
        note_run(call, run_id)
        if ids.created_us(run_id) < before_us:
            _check_view(call, run_id)
        elif not call.may("view", info := call.engine().get(run_id)):
            raise _NotShown(_told(call, info, HTTPStatus.CREATED))

    visitor = Visitor(call.request.client, call.request.user, commands=(call.declared.name,))
    if (refusal := call.refusal(visitor)) is not None:
        return refusal
    try:
        return start(call.engine(), call.request, argv, options, see=see)
    except _NotShown as instead:
        return instead.response


class _NotShown(Exception):
    """The run was started, and whoever did that may not view it: he is told of it, and not shown its output."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def begun(call: Call, values: Values) -> tuple[Run, bool]:
    """Return a run of the command that the path names, and whether it is new: with a `key` it may be shared.

    Raises:
        InvalidValues: the values do not fit, and nothing was started.
        Refused: the run was there before, and the caller may not view it.
        KeyBusy, NoSpace, EngineUnavailable: see `Engine.start`.
    """
    note_values(call, values)
    argv, options = ready(call.declared, values, call.commands)
    before_us = time.time_ns() // 1000
    run = begin(call.engine(), call.request, argv, options)
    note_run(call, run.id)
    is_new = ids.created_us(run.id) >= before_us
    if not is_new:
        _check_view(call, run.id)
    return run, is_new


def form_values(call: Call) -> dict[str, str]:
    """Return the fields of the form in the body, each of which stands there once; none if there is no body.

    Raises:
        Refused: it is no form, or too long.
        InvalidInput: it cannot be read.
    """
    return dict(_unique(_form_pairs(call)))


class Refilled(InvalidValues):
    """A form's values do not fit; `texts` is what was sent, for the form to show it again."""

    texts: Texts = {}  # noqa: RUF012  replaced in each


@contextmanager
def form_taken(call: Call) -> Iterator[tuple[Texts, Values]]:
    """Have the fields of the form in the body, by their names, and the values that they mean.

    Raises:
        Refused: it is no form, or too long.
        Refilled: a field stands there more often than its parameter takes.
        InvalidInput: it cannot be read.
    """
    if media_type(call) != MULTIPART:
        texts = _gathered(_form_pairs(call))
        yield texts, _meant(call, texts)
        return
    with _taken(call) as taken:
        yield taken


@contextmanager
def _taken(call: Call) -> Iterator[tuple[Texts, Values]]:
    """Have the texts, if a form has come, and the values in the body; its files are there until this is left."""
    room = room_of(call.declared)
    if media_type(call) != MULTIPART or not room:
        yield {}, _values(call)
        return
    data = body(call, PARAMETERS_BYTES + room, "its files are too large")
    with place_for(call.engine()) as directory:
        parts = parts_of(call.declared, data, call.content_type, directory)
        _meant(call, parts.texts)
        yield parts.texts, values_of(call.declared, parts)


def _meant(call: Call, texts: Texts) -> Values:
    try:
        return call.declared.values_from(texts)
    except InvalidValues as error:
        again = Refilled.of(error.faults, op="start")
        again.texts = texts
        raise again from None


def _form_pairs(call: Call) -> list[tuple[str, str]]:
    data = body(call, PARAMETERS_BYTES, TOO_LONG)
    if data or call.content_type:
        check_type(call, FORM)
    return _form(data)


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for name, text in pairs:
        texts.setdefault(name, []).append(text)
    return texts


def _wants_stream(call: Call) -> bool:
    request = call.request
    return "format" in request.query or "last-event-id" in request.headers or is_named(request.headers.get("accept"))


def _check_view(call: Call, run_id: str) -> None:
    """See that the caller may view the run, which somebody else may have started.

    Raises:
        Refused: he may not.
    """
    if not call.may("view", call.engine().get(run_id)):
        what = "the run that this leads to was there before, and you may not view it"
        raise Refused(HTTPStatus.FORBIDDEN, what, "ask whoever looks after it")


def _address(call: Call, run_id: str) -> str:
    """Return the path of the run, wherever the API is mounted."""
    prefix = call.request.path.removesuffix(f"/api/commands/{call.declared.name}/runs")
    return quote(f"{prefix}/api/runs/{run_id}")


def _check_query(pairs: Sequence[tuple[str, str]]) -> None:
    """See that nobody has put the parameters there, where they would be left out of account.

    Raises:
        InvalidInput: the query has a name that means nothing here.
    """
    known = ("format", "stream", "ansi", *PLACES)
    if unknown := [name for name, _value in pairs if name not in known]:
        raise _bad(f"{unknown[0][:40]!r} in the query means nothing here", f"parameters go into the body: {HINT}")


def _values(call: Call) -> Values:
    """Return the values in the body, from JSON or a form; no body gives none.

    Raises:
        Refused: it is something else, or too long.
        InvalidInput: it cannot be read.
    """
    data = body(call, PARAMETERS_BYTES, TOO_LONG)
    match media_type(call):
        case "application/x-www-form-urlencoded":
            return call.declared.values_from(_gathered(_form(data)))
        case _ if not data:
            return {}
        case "application/json":
            return _json(data)
        case _:
            raise wrong_type(call, f"{JSON} or {FORM}" + (f" or {MULTIPART}" if room_of(call.declared) else ""))


def _form(data: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form (WHATWG URL, 5.1), in their order.

    Raises:
        InvalidInput: they cannot be read.
    """
    try:
        return parse_qsl(data.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).lower()
        raise _bad(f"the form cannot be read: {why}", "send fields in UTF-8, percent-encoded") from None


def _json(data: bytes) -> Values:
    """Return the parameters in a JSON object.

    The standard library reads it, since msgspec takes a name that stands there twice for one: what a proxy before us
    has checked might then not be what is run.

    Raises:
        InvalidInput: it is not JSON, has a name twice, or other fields.
    """
    try:
        document: object = json.loads(data.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except InvalidInput:
        raise
    except (ValueError, RecursionError) as error:
        raise _bad(f"the body cannot be used: {_words(error)}", f"send {HINT}") from None
    if not isinstance(document, dict):
        raise _bad("the body is no JSON object", f"send {HINT}")
    if unknown := [name for name in document if name != "parameters"]:
        raise _bad(f"the body has {str(unknown[0])[:40]!r}, which means nothing here", f"send {HINT}")
    parameters: object = document.get("parameters", {})
    if not isinstance(parameters, dict):
        raise _bad("the parameters are no JSON object", f"send {HINT}")
    return parameters


def _words(error: ValueError | RecursionError) -> str:
    match error:
        case json.JSONDecodeError():
            return f"it is not JSON: {error.msg.lower()} (line {error.lineno}, column {error.colno})"
        case UnicodeDecodeError():
            return "it is not UTF-8"
        case RecursionError():
            return "it is nested too deeply"
        case _:
            return "a number in it is none, or has too many digits"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return dict(_unique(pairs))


def _unique(pairs: Iterable[tuple[str, Value]]) -> Iterable[tuple[str, Value]]:
    seen: set[str] = set()
    for name, value in pairs:
        if name in seen:
            raise _bad(f"{name[:40]!r} stands there twice", "give each once")
        seen.add(name)
        yield name, value


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _bad(message: str, hint: str) -> InvalidInput:
    return InvalidInput(message, op="start", subject="parameters", hint=hint)
