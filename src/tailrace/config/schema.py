"""The JSON Schema of the server's file, for editors and whoever writes such files by program.

It is made of the same types by which the file is read, and of the words that stand behind their fields.
"""

import ast
import importlib
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Final, TypeAlias

import msgspec

from tailrace.config.access import OIDC, RULES, Oidc
from tailrace.config.access import SECTION as ACCESS
from tailrace.config.audit import READINGS as AUDIT_READINGS
from tailrace.config.audit import SECTION as AUDIT
from tailrace.config.commands import DEFAULTS, OWN, READINGS, SECTION
from tailrace.config.files import INCLUDE
from tailrace.config.hooks import READINGS as HOOK_READINGS
from tailrace.config.hooks import SECTION as HOOKS
from tailrace.config.limits import READINGS as LIMIT_READINGS
from tailrace.config.limits import SECTION as LIMITS
from tailrace.config.limits import USER
from tailrace.config.server import READINGS as SERVER_READINGS
from tailrace.config.server import SECTION as SERVER
from tailrace.config.server import Server
from tailrace.config.tables import bytes_of, duration_s
from tailrace.core.access import Access, Rule
from tailrace.core.audit import Audit
from tailrace.core.command import Command
from tailrace.core.hook import Hook
from tailrace.core.limits import Allowance, Limits
from tailrace.core.parameters import TYPES
from tailrace.core.template import NAME

Schema: TypeAlias = dict[str, object]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NAMES: Final = f"^{NAME.pattern}$"
DURATION: Final[Schema] = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": "[0-9]"}]}
SIZE: Final[Schema] = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^(none|[0-9].*)$"}]}
WRITTEN: Final = {duration_s: DURATION, bytes_of: SIZE}
"""how what may be written in another form is written"""


def file_schema() -> Schema:
    """Return the schema of a whole file."""
    own = {name: each for name, each in _fields(Command, READINGS).items() if name not in ("name", "parameters")}
    shared = {name: each for name, each in own.items() if name not in OWN}
    command = _table({**own, "parameters": _named({"$ref": "#/$defs/parameter"})}, required=("argv",))
    return {
        "$schema": DIALECT,
        "title": "tailrace.toml",
        **_table(
            {
                INCLUDE: {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "more files, or patterns of them",
                },
                SERVER: {**_table(_fields(Server, SERVER_READINGS)), "description": "how the commands are served"},
                ACCESS: {**_access(), "description": "who may do what"},
                OIDC: {**_provider(), "description": "who says who asks"},
                LIMITS: {**_limits(), "description": "what holds for every run that is started"},
                AUDIT: {**_table(_fields(Audit, AUDIT_READINGS)), "description": "what is recorded of who did what"},
                HOOKS: {"type": "array", "items": _hook(), "description": "what is told of runs, or done"},
                DEFAULTS: {**_table(shared), "description": "what each command has unless it says otherwise"},
                SECTION: {**_named({"$ref": "#/$defs/command"}), "description": "what may be run"},
            }
        ),
        "$defs": {"command": command, "parameter": {"oneOf": list(_parameters())}},
    }


def _access() -> Schema:
    rules: Schema = {"type": "array", "items": _table(_fields(Rule, {})), "description": _words(Access)[RULES]}
    return _table({**_fields(Access, {}), RULES: rules})


def _provider() -> Schema:
    return _table(_fields(Oidc, {}), required=("issuer", "client_id"))


def _hook() -> Schema:
    return _table(_fields(Hook, HOOK_READINGS), required=("name",))


def _limits() -> Schema:
    user = {**_table(_fields(Allowance, {})), "description": _words(Limits)[USER]}
    return _table({**_fields(Limits, LIMIT_READINGS), USER: user})


def _parameters() -> Iterator[Schema]:
    for name, kind in TYPES.items():
        readings = {"maximum_size": bytes_of} if name == "file" else {}
        yield _table({"type": {"const": name}, **_fields(kind, readings)}, required=("type",))


def _fields(kind: type[msgspec.Struct], readings: Mapping[str, object]) -> dict[str, Schema]:
    """Return the schemas of a type's fields, with what is said of them."""
    words = _words(kind)
    fields: dict[str, Schema] = {}
    for field in msgspec.structs.fields(kind):
        made = msgspec.json.schema(field.type) if field.name != "parameters" else {}
        found = next((schema for reading, schema in WRITTEN.items() if readings.get(field.name) is reading), None)
        schema = dict(found if found is not None else _without_null(made))
        if field.name in words:
            schema["description"] = words[field.name]
        fields[field.name] = schema
    return fields


def _without_null(schema: Schema) -> Schema:
    """Return a schema without null, which TOML does not have."""
    kinds = schema.get("anyOf")
    if not isinstance(kinds, list):
        return schema
    left = [kind for kind in kinds if kind != {"type": "null"}]
    return left[0] if len(left) == 1 else {**schema, "anyOf": left}


def _table(properties: Mapping[str, Schema], *, required: tuple[str, ...] = ()) -> Schema:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": dict(properties), **needed, "additionalProperties": False}


def _named(each: Schema) -> Schema:
    return {"type": "object", "propertyNames": {"pattern": NAMES}, "additionalProperties": each}


@cache
def _words(kind: type) -> dict[str, str]:
    """Return what stands behind each field of a type, and of those that it extends."""
    words: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if each.__module__.startswith("tailrace."):
            words |= dict(_said(each))
    return words


def _said(kind: type) -> Iterator[tuple[str, str]]:
    tree = ast.parse(inspect.getsource(importlib.import_module(kind.__module__)))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind.__name__)
    for node, after in pairwise(body):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            yield node.target.id, " ".join(after.value.value.split())
