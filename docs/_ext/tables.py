"""What the reference takes from the source: each function returns Markdown, made from what the code says now.

Nothing here needs Sphinx, so that the tests can see the same text.
"""

import ast
import asyncio
import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, cast

import click
import msgspec

from tailrace.cli.program import program
from tailrace.config.commands import READINGS
from tailrace.config.server import VARIABLES, Server
from tailrace.config.tables import bytes_of, duration_s
from tailrace.core import errors, outcome, spec, states
from tailrace.core.access import ROLE_ACTIONS
from tailrace.core.audit import Audit
from tailrace.core.command import Command
from tailrace.core.hook import Hook
from tailrace.core.parameters import TYPES, Base
from tailrace.core.wires import WIRES, asks
from tailrace.engine.base import Engine, Page
from tailrace.host.settings import Settings
from tailrace.server.metrics import Metrics
from tailrace.web.loop.hall import Hall
from tailrace.web.problems import STATUSES
from tailrace.web.routes.table import ROUTES
from tailrace.web.session import ACTIONS

SAMPLES: tuple[outcome.Outcome, ...] = (
    outcome.Exited(3),
    outcome.Signaled(11),
    outcome.TimedOut("wall"),
    outcome.Stopped("ann"),
    outcome.OutputLimit(),
    outcome.FailedToStart("nosuch: command not found", 127),
    outcome.Cancelled("ann"),
    outcome.Lost("its keeper died"),
)
EXITS = {
    "exited": "the command's own",
    "signaled": "128 + the signal",
    "stopped": "143; 130 after ^C in this very program; 122 at a limit",
    "failed_to_start": "127 not found, 126 not executable, else 125",
}
"""in words, where one number would not say it; the others are computed"""


class Field(NamedTuple):
    """An attribute of a class, as it stands in the source."""

    name: str
    type: str
    default: str
    doc: str


def fields(module: str, name: str) -> list[Field]:
    """Return the attributes of a class; what no docstring follows has an empty one."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    return list(_fields(body))


def _fields(body: list[ast.stmt]) -> Iterator[Field]:
    for node, after in zip(body, [*body[1:], None], strict=True):
        doc = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            doc = " ".join(after.value.value.split())
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            default = ast.unparse(node.value) if node.value is not None else ""
            yield Field(node.target.id, ast.unparse(node.annotation), default, doc)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield Field(node.targets[0].id, "", ast.unparse(node.value), doc)


def start_options() -> str:
    """Return the options of `Engine.start`; one without words of its own shares those of the next."""
    rows, shared = [], []
    for field in fields("tailrace.engine.base", "StartOptions"):
        if not field.doc:
            shared.append(field)
            continue
        rows += [_option_row(each, _UNSAID.get(each.name, "")) for each in shared]
        rows.append(_option_row(field, field.doc))
        shared = []
    rows += [_option_row(each, _UNSAID.get(each.name, "")) for each in shared]
    return _table(("option", "type", "what it does"), rows)


_UNSAID = {
    "rows": "the terminal's height; 24 by default",
    "columns": "the terminal's width; 80 by default",
    "labels": "names and values to find it by; at most 32",
    "no_new_privileges": "make sudo and the like powerless in it",
}


def _option_row(field: Field, doc: str) -> tuple[str, ...]:
    return f"`{field.name}`", _code(field.type), doc


def settings() -> str:
    """Return the settings of the runner with their defaults and the option that sets each."""
    default = msgspec.structs.asdict(Settings())
    options = {
        "max_running": "--max-running",
        "max_queued": "--max-queued",
        "max_starts_per_minute": "--max-starts-per-minute",
        "idle_s": "--idle",
        "stay": "--stay",
        "free_floor": "--free-floor",
        "keep_age_s": "--keep-age",
        "keep_count": "--keep-count",
        "keep_bytes": "--keep-bytes",
    }
    unsaid = {
        "keep_age_s": "how long finished runs are kept",
        "keep_count": "how many finished runs are kept",
        "keep_bytes": "how much output of finished runs is kept",
    }
    rows = [
        (f"`{name}`", f"`{options[name]}`", _shown(default[name]), doc or unsaid[name])
        for name, _type, _default, doc in fields("tailrace.host.settings", "Settings")
    ]
    return _table(("setting", "`tailrace runner set`", "default", "what it is"), rows)


def _shown(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return f"{value:g}" if isinstance(value, float) else str(value)


def state_table() -> str:
    """Return the table of states: what each event leads to."""
    events = {field.name.lower(): field.doc for field in fields("tailrace.core.states", "Event")}
    rows = [
        (f"`{state}`", f"`{event}`", events[event.name.lower()], f"`{to}`")
        for state, moves in states.TABLE.items()
        for event, to in moves.items()
    ]
    return _table(("in state", "event", "that is", "leads to"), rows)


def outcomes() -> str:
    """Return the outcomes: as they stand in JSON, what they mean, what `run` and `follow` exit with."""
    rows = []
    for sample in SAMPLES:
        kind = str(sample.__struct_config__.tag)
        exits = EXITS.get(kind, str(outcome.exit_code(sample)))
        rows.append((_code(msgspec.json.encode(sample).decode()), _first_paragraph(type(sample)), exits))
    return _table(("outcome", "when", "`tailrace run` and `follow` exit with"), rows)


def error_table() -> str:
    """Return the errors, whose fault each is, and the HTTP status that tells of it."""
    rows = []
    for kind in _subclasses(errors.TailraceError):
        status = next(code for base, code in STATUSES if issubclass(kind, base))
        fault = "the caller's" if issubclass(kind, errors.CallerError) else "the engine's"
        rows.append((f"`{kind.__name__}`", _first_paragraph(kind), fault, f"{status.value} {status.phrase}"))
    return _table(("error", "means", "fault", "over HTTP"), rows)


def _subclasses(kind: type[errors.TailraceError]) -> list[type[errors.TailraceError]]:
    found = []
    for sub in kind.__subclasses__():
        found += [sub, *_subclasses(sub)]
    return [each for each in found if each.__module__ == errors.__name__]


def wires() -> str:
    """Return the wires: name, media type, and what a connection that stops early looks like."""
    rows = []
    for wire in WIRES.values():
        doc = _first_paragraph(inspect.getmodule(wire))
        early = "is aborted, without a terminating chunk" if wire.aborts else "just ends; its client resumes"
        rows.append((f"`{wire.name}`", f"`{wire.content_type}`", doc.partition(": ")[2], early))
    return _table(("wire", "type", "what it is", "stopped before the end, the response"), rows)


def websocket_asks() -> str:
    """Return what the client of a websocket may ask, and what it must be allowed."""
    rows = []
    for kind in asks.KINDS:
        shown = [f"`{name}`" for name in kind.__struct_fields__ if name != "id"]
        rows.append((f"`{asks.name_of(kind)}`", ", ".join(shown), f"`{ACTIONS[kind]}`", _first_paragraph(kind)))
    return _table(("type", "fields", "action", "what it does"), rows)


def ladder() -> str:
    """Return the default stop ladder."""
    rows = [
        (f"`{name}`", f"{seconds:g} s" if seconds else "again and again, until nobody is left")
        for name, seconds in spec.LADDER
    ]
    return _table(("signal", "then wait"), rows)


def cli() -> str:
    """Return the commands with all that their `--help` tells."""
    context = click.Context(program, info_name="tailrace", **program.context_settings)
    parts = [_options(program, context)]
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        if command is not None:
            parts += _command(command, click.Context(command, info_name=name, parent=context), level=2)
    return "\n\n".join(parts)


def _command(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{context.command_path}`"
    yield f"```text\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```"
    yield from _prose(inspect.cleandoc(command.help or ""))
    yield _options(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            sub = command.get_command(context, name)
            if sub is not None:
                yield from _command(sub, click.Context(sub, info_name=name, parent=context), level + 1)


def _prose(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("\b"):
            yield f"```sh\n{paragraph.removeprefix(chr(8)).strip()}\n```"
        else:
            yield _safe(" ".join(paragraph.split()))


def _options(command: click.Command, context: click.Context) -> str:
    records = [
        record for param in command.get_params(context) if (record := param.get_help_record(context)) is not None
    ]
    return _table(("option", ""), [(_code(names), _safe(text)) for names, text in records if text])


def layout(module: str) -> Callable[[], str]:
    """Return what gives a module's docstring as it stands."""
    return lambda: f"```text\n{inspect.cleandoc(importlib.import_module(module).__doc__ or '')}\n```"


def routes() -> str:
    """Return the routes of the API, and what each caller must be allowed."""
    rows = []
    for route in ROUTES:
        path = route.path.replace("{run}", "ID").replace("{command}", "NAME")
        rows.append((f"`{route.method} {path}`", f"`{route.action}`", _first_paragraph(route.function)))
    return _table(("route", "action", "what it does"), rows)


def metrics() -> str:
    """Return the metrics of the server."""
    loop = asyncio.new_event_loop()
    try:
        families = list(Metrics(cast("Engine", _NoRuns()), Hall(loop)).collect())
    finally:
        loop.close()
    rows = []
    for family in families:
        name = {"counter": f"{family.name}_total", "info": f"{family.name}_info"}.get(family.type, family.name)
        labels: tuple[str, ...] = getattr(family, "_labelnames", ())
        shown = ", ".join(f"`{label}`" for label in labels)
        rows.append((f"`{name}`", family.type, shown, family.documentation))
    return _table(("metric", "type", "labels", "what it is"), rows)


class _NoRuns:
    """An engine without a run."""

    def list(self, _query: object) -> Page:
        """Return none."""
        return Page((), None)


def server_settings() -> str:
    """Return the keys of `[server]`, the variable of each, and its default."""
    default = msgspec.structs.asdict(Server())
    rows = [
        (
            f"`{field.name}`",
            f"`{VARIABLES[field.name]}`",
            WRITTEN.get(field.name) or _written(field.type),
            _in_toml(default[field.name]),
            field.doc,
        )
        for field in fields("tailrace.config.server", "Server")
    ]
    return _table(("key", "variable", "type", "default", "what it is"), rows)


WRITTEN = {
    "timeout": "duration",
    "idle_timeout": "duration",
    "session_max_age": "duration",
    "max_output": "size",
    "max_cpu": "duration",
    "max_memory": "size",
}
"""types that are written in a form of their own"""


def command_keys() -> str:
    """Return the keys of `[commands.NAME]`."""
    rows = []
    for field in fields("tailrace.core.command", "Command"):
        if field.name != "name":
            kind = {duration_s: "duration", bytes_of: "size"}.get(READINGS.get(field.name))
            default = {"argv": "required", "max_output": '`"1G"`'}.get(field.name)
            default = default or _in_toml(Command.__struct_defaults__[_default_index(field.name)])
            rows.append((f"`{field.name}`", kind or _written(field.type), default, field.doc))
    return _table(("key", "type", "default", "what it is"), rows)


def limit_keys() -> str:
    """Return the keys of `[limits]` and of `[limits.user]`."""
    module = "tailrace.core.limits"
    rows = [("`[limits]`", field) for field in fields(module, "Limits") if field.name != "user"]
    rows += [("`[limits.user]`", field) for field in fields(module, "Allowance")]
    return _table(
        ("table", "key", "type", "what it is"),
        [(table, f"`{each.name}`", WRITTEN.get(each.name) or _written(each.type), each.doc) for table, each in rows],
    )


def access_keys(module: str, name: str) -> Callable[[], str]:
    """Return what returns the keys of a kind of tables that say who may, or who asks."""

    def table() -> str:
        rows = [(f"`{field.name}`", _written(field.type), _with_default(field)) for field in fields(module, name)]
        return _table(("key", "type", "what it is"), [row for row in rows if row[0] != "`rules`"])

    return table


def roles() -> str:
    """Return what each role may."""
    rows = [(f"`{role}`", ", ".join(f"`{action}`" for action in sorted(may))) for role, may in ROLE_ACTIONS.items()]
    return _table(("role", "may"), rows)


def _default_index(name: str) -> int:
    """Return where the default of a field of `Command` is: those without one come first."""
    return Command.__struct_fields__.index(name) - len(Command.__struct_fields__)


def audit_keys() -> str:
    """Return the keys of `[audit]`."""
    return _keys("tailrace.core.audit", "Audit", msgspec.structs.asdict(Audit()), {"max_bytes": "size"})


def audit_line() -> str:
    """Return the fields of one line of the audit."""
    names = {"address": "from"}
    rows = [(f"`{names.get(field.name, field.name)}`", field.doc) for field in fields("tailrace.core.audit", "Entry")]
    return _table(("field", "what it is"), rows)


def hook_keys() -> str:
    """Return the keys of `[[hooks]]`."""
    kinds = {"timeout": "duration", "give_up": "duration"}
    return _keys("tailrace.core.hook", "Hook", msgspec.structs.asdict(Hook(name="")), kinds)


def _keys(module: str, name: str, default: Mapping[str, object], kinds: Mapping[str, str]) -> str:
    rows = [
        (f"`{field.name}`", kinds.get(field.name) or _written(field.type), _in_toml(default[field.name]), field.doc)
        for field in fields(module, name)
    ]
    return _table(("key", "type", "default", "what it is"), rows)


def parameter_keys() -> str:
    """Return the keys of a parameter: those of every type, then each type's own."""
    rows = [("every type", "`type`", "text", f"required: one of {', '.join(f'`{name}`' for name in TYPES)}")]
    kinds = {"every type": Base} | {f"`{name}`": kind for name, kind in TYPES.items()}
    for shown, kind in kinds.items():
        rows += [
            (shown, f"`{field.name}`", _written(field.type), _with_default(field))
            for field in fields(kind.__module__, kind.__name__)
        ]
    return _table(("of", "key", "type", "what it is"), rows)


def _with_default(field: Field) -> str:
    is_said = field.default not in {"", "None", "''", "False", "()", "{}"}
    return f"{field.doc}; {field.default} by default" if is_said else field.doc


def _written(annotation: str) -> str:
    """Return a type as one writes it in TOML."""
    kind = annotation.removesuffix(" | None")
    if kind.startswith("Literal"):
        return " or ".join(f"`{choice.strip()}`" for choice in kind[8:-1].replace("'", '"').split(","))
    words = {
        "tuple[Event, ...]": "list of text",
        "Texts": "list of text", "bool": "true or false", "Mapping[str, Parameter]": "tables",
        "Mapping[str, str]": "table", "str | int": "text or whole number",
        "Mapping[Role, tuple[str, ...]]": "table of lists",
        "tuple[Action, ...]": "list of text", "tuple[Rule, ...]": "tables",
        "Role | Literal['none']": 'a role, or `"none"`',
        "float": "number", "int": "whole number", "str": "text", "tuple[str, ...]": "list of text",
    }  # fmt: skip
    return words[kind]


def _in_toml(value: object) -> str:
    """Return a default as one would write it; empty where there is none."""
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
        case str() if value:
            return f'`"{value}"`'
        case tuple() if value:
            return f"`{msgspec.json.encode(value).decode()}`"
        case _:
            return ""


def _first_paragraph(of: object) -> str:
    return " ".join((inspect.getdoc(of) or "").partition("\n\n")[0].split())


def _safe(text: str) -> str:
    """Keep what looks like markup from being taken for it, outside of code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\<>*_\[\]^~$])", r"\\\1", part) for part in parts)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


TABLES: dict[str, Callable[[], str]] = {
    "routes": routes,
    "audit-keys": audit_keys,
    "audit-line": audit_line,
    "cli": cli,
    "command-keys": command_keys,
    "errors": error_table,
    "hook-keys": hook_keys,
    "limit-keys": limit_keys,
    "ladder": ladder,
    "line-index": layout("tailrace.core.lineindex"),
    "metrics": metrics,
    "outcomes": outcomes,
    "parameter-keys": parameter_keys,
    "server-settings": server_settings,
    "access-keys": access_keys("tailrace.core.access", "Access"),
    "rule-keys": access_keys("tailrace.core.access", "Rule"),
    "oidc-keys": access_keys("tailrace.config.access", "Oidc"),
    "roles": roles,
    "settings": settings,
    "start-options": start_options,
    "state-directory": layout("tailrace.host.statedir"),
    "auth-directory": layout("tailrace.server.auth.vault"),
    "run-directory": layout("tailrace.host.rundir"),
    "states": state_table,
    "timeline": layout("tailrace.core.timeline"),
    "websocket": layout("tailrace.core.wires.websocket"),
    "websocket-asks": websocket_asks,
    "wires": wires,
}
"""what ```{generated} NAME``` in a page stands for"""
