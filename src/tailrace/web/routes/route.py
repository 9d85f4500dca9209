"""What a route is: a method and a path, who may, what answers; and what it takes and gives, for the API's description.

The description (`tailrace.web.routes.openapi`) is made from this, so whatever a route reads out of a query, takes as a
body or answers with is said here, once, beside the function that does it:

- `takes`: a `Param` for each name in the query, and for each header that changes the answer, with the JSON Schema of
  its values; bodies by their media type, each a type of msgspec's or a schema. `ANY` is a body of bytes.
- `gives`: an `Answer` for each status that is no error: what it means, and bodies by media type; `gives_stream` is one
  on any wire.
- `refuses`: statuses of problem documents, besides those that every route may answer with, and 404 where the path
  names a run or a command.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from tailrace.core import ids
from tailrace.core.access import Action
from tailrace.core.wires import WIRES
from tailrace.web.responses import Response
from tailrace.web.routes.call import BYTES, JSON, Call

Schema: TypeAlias = Mapping[str, object]
Shape: TypeAlias = type[msgspec.Struct] | Schema
"""a type that is written as JSON, or what else the body is"""
Bodies: TypeAlias = Mapping[str, Shape]
"""by media type"""

NOTHING: Final[Bodies] = MappingProxyType({})
TEXT: Final[Schema] = {"type": "string"}
ANY: Final[Schema] = {}
EVENTS: Final[Schema] = {"description": "events or lines, one after another, as the reference of wires has them"}
RUN_ID: Final[Schema] = {"type": "string", "pattern": f"^[{ids.ALPHABET}]{{{ids.LENGTH}}}$"}
RUN_PLACE: Final[Schema] = {"type": "string", "pattern": f"^[{ids.ALPHABET}]{{{ids.LENGTH}}}(/([0-9]{{1,18}}|end))?$"}
EVENT_ID: Final[Schema] = {"type": "string", "pattern": f"^[{ids.ALPHABET}]{{{ids.LENGTH}}}/[0-9]{{1,18}}(/end)?$"}
SWITCH: Final[Schema] = {"type": "string", "enum": ["0", "1"]}
WIRE: Final[Schema] = {"type": "string", "enum": list(WIRES)}


class Param(NamedTuple):
    """One name in the query, or one header."""

    name: str
    schema: Schema
    what: str
    place: Literal["query", "header"] = "query"
    is_required: bool = False


class Takes(NamedTuple):
    """What a request may have."""

    params: tuple[Param, ...] = ()
    bodies: Bodies = NOTHING
    is_body_required: bool = False


class Answer(NamedTuple):
    """One status that is no error."""

    status: HTTPStatus
    what: str
    bodies: Bodies = NOTHING
    headers: Mapping[str, str] = MappingProxyType({})
    """what each says, by its name"""


class Route(NamedTuple):
    """What a request does, what its caller must be allowed, and what it takes and gives."""

    method: str
    path: str
    action: Action
    function: Callable[[Call], Response]
    takes: Takes = Takes()
    gives: tuple[Answer, ...] = ()
    refuses: tuple[HTTPStatus, ...] = ()
    is_socket: bool = False
    """whether it opens a websocket"""
    is_file: bool = False
    """whether it has a file of the pages, which is the same for everybody"""


def gives(shape: type[msgspec.Struct], status: HTTPStatus = HTTPStatus.OK, what: str = "as it is now") -> Answer:
    """Return an answer in JSON."""
    return Answer(status, what, {JSON: shape})


def gives_stream(what: str, header: str) -> Answer:
    """Return an answer that is a stream, on any wire."""
    types = dict.fromkeys(wire.content_type.partition(";")[0] for wire in WIRES.values())
    bodies = {kind: TEXT if kind == "text/plain" else EVENTS for kind in types}
    return Answer(HTTPStatus.OK, what, bodies, {header: "which one it is"})


def takes_json(shape: type[msgspec.Struct]) -> Takes:
    """Return what a route takes whose body is JSON, all of it optional."""
    return Takes(bodies={JSON: shape})


BYTES_BODY: Final[Bodies] = {BYTES: ANY}
