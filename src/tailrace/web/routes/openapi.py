"""The API's own description, OpenAPI 3.1, made from the table of routes and the types that they take and give.

Names and descriptions come from the functions, schemas from the types, statuses from the table: none of it is written
twice. Its one server is the prefix under which this API is asked. Each command that the caller may see has an operation
of its own, with its parameters; where callers are asked who they are, it says how they answer.
"""

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final, TypeAlias, cast

import msgspec

from tailrace._version import __version__
from tailrace.core.command import Command
from tailrace.core.parameters import Upload
from tailrace.web.problems import CONTENT_TYPE, Problem
from tailrace.web.responses import Response
from tailrace.web.routes.call import JSON, Call, json_response
from tailrace.web.routes.commands import FORM
from tailrace.web.routes.route import RUN_ID, TEXT, Answer, Bodies, Param, Route, Shape
from tailrace.web.uploads import MULTIPART

Object: TypeAlias = dict[str, object]

VERSION: Final = "3.1.0"
START: Final = "/api/commands/{command}/runs"
EVERY: Final = (
    HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR,
)  # fmt: skip
"""statuses of problem documents with which any route may answer"""
NAMED: Final[Mapping[str, Object]] = {
    "run": {"schema": RUN_ID, "description": "a run's id"},
    "command": {"schema": TEXT, "description": "a declared command's name"},
}
"""what may stand in a path"""
TOLD: Final[Mapping[HTTPStatus, Mapping[str, str]]] = {
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "seconds after which it may be tried again"},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "how to say who one is"},
}
"""headers of problem documents, and what they say"""
BEARER: Final[Object] = {
    "type": "http",
    "scheme": "bearer",
    "description": "the server's own token, one for a program, or what opens a single run, as its link does",
}
REF: Final = "#/components/schemas/{name}"
_NAME = re.compile(r"\{(\w+)\}")


def describe(call: Call, found: Mapping[str, object]) -> Response:
    """Return the description, for the prefix under which it was asked for."""
    prefix = call.request.path.removesuffix("/api/openapi.json")
    paths = cast("Mapping[str, Object]", found["paths"])
    operation = cast("Object", paths[START]["post"])
    own = {START.format(command=each.name): {"post": _of_command(each, operation)} for each in call.commands.values()}
    made = {**found, "paths": {**paths, **own}, "servers": [{"url": prefix or "/"}]}
    return json_response({**made, **_security(call, found)} if call.has_login else made)


def _security(call: Call, found: Mapping[str, object]) -> Object:
    """Return how a caller says who he is."""
    cookie: Object = {
        "type": "apiKey", "in": "cookie", "name": call.session_cookie, "description": "a browser's, by /login",
    }  # fmt: skip
    schemes = {"bearer": BEARER, **({"session": cookie} if call.session_cookie else {})}
    components = cast("Object", found["components"])
    return {
        "components": {**components, "securitySchemes": schemes},
        "security": [{name: []} for name in schemes],
    }


def _of_command(command: Command, general: Object) -> Object:
    """Return the operation that starts this command."""
    schema = command.schema()
    parameters = [each for each in cast("list[Object]", general["parameters"]) if each["in"] != "path"]
    about = {"summary": f"Start {command.name}.", "description": command.description or command.title}
    body: Object = {"content": _bodies(command, schema), "required": bool(schema["required"])}
    named = {"operationId": f"start_command_{command.name}", **about, "parameters": parameters, "requestBody": body}
    return {**general, **named}


def _bodies(command: Command, schema: Object) -> Object:
    """Return the forms in which the command's parameters are taken: files in the last of them alone."""
    files = [name for name, each in command.parameters.items() if isinstance(each, Upload)]
    properties = cast("Object", schema["properties"])
    required = cast("list[str]", schema["required"])
    bodies: Object = {}
    if not set(files) & set(required):
        plain = {**schema, "properties": {name: each for name, each in properties.items() if name not in files}}
        whole = {"properties": {"parameters": plain}, "required": ["parameters"] if required else []}
        bodies[JSON] = {"schema": {"type": "object", **whole, "additionalProperties": False}}
        bodies[FORM] = {"schema": plain}
    if files:
        bodies[MULTIPART] = {"schema": schema}
    return bodies


def document(routes: Sequence[Route]) -> Mapping[str, object]:
    """Return the description, without what depends on where and by whom it is asked for."""
    types = tuple(dict.fromkeys((Problem, *_types(routes))))
    _schemas, components = msgspec.json.schema_components(types, schema_hook=_anything, ref_template=REF)
    names = Counter(route.function.__name__ for route in routes)
    paths: dict[str, Object] = {}
    for route in routes:
        name = route.function.__name__
        unique = name if names[name] == 1 else f"{name}_by_{route.method.lower()}"
        paths.setdefault(route.path, {})[route.method.lower()] = {"operationId": unique, **_operation(route)}
    return {
        "openapi": VERSION,
        "info": {
            "title": "Tailrace",
            "version": __version__,
            "description": "Declared commands, their runs, and the output of each, live, late or again.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _anything(kind: type) -> dict[str, object]:
    """Return the schema of what may be any JSON.

    Raises:
        NotImplementedError: the type is another one, which has none.
    """
    if kind is object:
        return {"description": "any value"}
    raise NotImplementedError


def _types(routes: Iterable[Route]) -> Iterator[type[msgspec.Struct]]:
    for route in routes:
        for bodies in (route.takes.bodies, *(answer.bodies for answer in route.gives)):
            yield from (shape for shape in bodies.values() if isinstance(shape, type))


def _operation(route: Route) -> Object:
    summary, _, more = (inspect.getdoc(route.function) or "").partition("\n\n")
    operation: Object = {
        "summary": " ".join(summary.split()),
        "description": " ".join(more.partition("Raises:")[0].split()),
        "parameters": [*_in_path(route.path), *map(_param, route.takes.params)],
        "responses": {str(status.value): response for status, response in _responses(route)},
    }
    if route.takes.bodies:
        content = _content(route.takes.bodies)
        operation["requestBody"] = {"content": content, "required": route.takes.is_body_required}
    return operation


def _in_path(path: str) -> Iterator[Object]:
    for name in _NAME.findall(path):
        yield {"name": name, "in": "path", "required": True, **NAMED[name]}


def _param(param: Param) -> Object:
    required = {"required": True} if param.is_required else {}
    return {"name": param.name, "in": param.place, "description": param.what, "schema": param.schema, **required}


def _responses(route: Route) -> Iterator[tuple[HTTPStatus, Object]]:
    for answer in route.gives:
        yield answer.status, _response(answer)
    named = (HTTPStatus.NOT_FOUND,) if "{" in route.path else ()
    for status in sorted({*route.refuses, *named, *EVERY}):
        answer = Answer(status, status.phrase, {CONTENT_TYPE: Problem}, TOLD.get(status, {}))
        yield status, _response(answer)


def _response(answer: Answer) -> Object:
    response: Object = {"description": answer.what}
    if answer.bodies:
        response["content"] = _content(answer.bodies)
    if answer.headers:
        response["headers"] = {name: {"description": what, "schema": TEXT} for name, what in answer.headers.items()}
    return response


def _content(bodies: Bodies) -> Object:
    return {kind: {"schema": _schema(shape)} for kind, shape in bodies.items()}


def _schema(shape: Shape) -> Mapping[str, object]:
    return {"$ref": REF.format(name=shape.__name__)} if isinstance(shape, type) else shape
