"""The API's own description, OpenAPI 3.1, made from the table of routes and the types that they take and give.

Names and descriptions come from the functions, schemas from the types, statuses from the table: none of it is written
twice. Its one server is the prefix under which this API is asked.
"""

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final, TypeAlias

import msgspec

from tailrace._version import __version__
from tailrace.web.problems import CONTENT_TYPE, Problem
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, json_response
from tailrace.web.routes.route import RUN_ID, TEXT, Answer, Bodies, Param, Route, Shape

Object: TypeAlias = dict[str, object]

VERSION: Final = "3.1.0"
EVERY: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
"""statuses of problem documents with which any route may answer"""
NAMED: Final[Mapping[str, Object]] = {
    "run": {"schema": RUN_ID, "description": "a run's id"},
    "command": {"schema": TEXT, "description": "a declared command's name"},
}
"""what may stand in a path"""
REF: Final = "#/components/schemas/{name}"
_NAME = re.compile(r"\{(\w+)\}")


def describe(call: Call, found: Mapping[str, object]) -> Response:
    """Return the description, for the prefix under which it was asked for."""
    prefix = call.request.path.removesuffix("/api/openapi.json")
    return json_response({**found, "servers": [{"url": prefix or "/"}]})


def document(routes: Sequence[Route]) -> Mapping[str, object]:
    """Return the description, without its servers."""
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
        yield status, {"description": status.phrase, "content": _content({CONTENT_TYPE: Problem})}


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
