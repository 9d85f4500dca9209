"""Looking at runs."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from tailrace.core.errors import EngineError, InvalidInput, NotAllowed
from tailrace.core.run import RunInfo
from tailrace.engine.base import Page, Query
from tailrace.engine.selection import PAGE_LIMIT
from tailrace.web.responses import Response
from tailrace.web.routes.allowed import on_run
from tailrace.web.routes.call import Call, Instead, json_response
from tailrace.web.routes.shown import RunShown, shown
from tailrace.web.watching import watch

SCANNED = 5000
"""runs that one request looks at, at most, for ones that the caller may view"""
LABELS = 16
"""that one request asks for"""
STATES = 16
"""likewise"""
ONCE = ("command", "by", "q", "since", "until", "limit", "cursor")
OFTEN = ("state", "label")
TIME_CHARS = 40


def list_runs(call: Call) -> Response:
    """Return a page of those runs that the caller may view, newest first."""
    return json_response(visible(call, _query(call.query)))


def show_run(call: Call) -> Response:
    """Return the run as it is now, with what it was asked to be, and what it uses."""
    return json_response(whole(call, call.engine().get(call.shown.id, usage=True)))


def whole(call: Call, info: RunInfo) -> RunShown:
    """Return the run with what it was asked to be, and what the caller may do to it."""
    try:
        spec = call.engine().spec(info.id)
    except (EngineError, NotAllowed):
        spec = None
    return shown(info, spec, on_run(call, info, spec))


def show_output(call: Call) -> Response:
    """Return the output, on any wire, from any offset."""
    return watch(call.engine(), call.request, call.run.id)


def visible(call: Call, query: Query) -> Page:
    """Return the page; it may be short, even empty, and still have a next one, where much is not for this caller.

    How many runs there are is told to whoever may view any, and where the page has all.
    """
    engine = call.engine()
    runs: list[RunInfo] = []
    left = msgspec.structs.replace(query, limit=min(query.limit + 1, PAGE_LIMIT))
    scanned, total = 0, None
    while True:
        page = engine.list(left)
        total = page.total if call.sees_all and not scanned else total
        for info in filter(lambda info: _may_view(call, info), page.runs):
            if len(runs) == query.limit:
                return Page(tuple(runs), runs[-1].id, total)
            runs.append(info)
        scanned += len(page.runs)
        has_given_up = len(page.runs) < left.limit
        if page.next is None or has_given_up or scanned >= SCANNED:
            is_full = page.next is not None and len(runs) == query.limit
            return _last(runs, runs[-1].id if is_full else page.next, query, total)
        left = msgspec.structs.replace(left, cursor=page.next, total=False)


def _last(runs: Sequence[RunInfo], following: str | None, query: Query, total: int | None) -> Page:
    is_all = query.cursor is None and following is None
    return Page(tuple(runs), following, len(runs) if is_all else total)


def _may_view(call: Call, info: RunInfo) -> bool:
    try:
        return call.may("view", info)
    except Instead:
        return False


def _query(pairs: Sequence[tuple[str, str]]) -> Query:
    """Return what the query asks for.

    Raises:
        InvalidInput: it has a name that means nothing here, one too often, or a value that cannot be.
    """
    found: dict[str, str] = {}
    labels: dict[str, str] = {}
    states: list[str] = []
    for name, value in pairs:
        if name == "label":
            _take_label(labels, value)
        elif name == "state":
            states.append(value)
        elif name not in ONCE:
            raise _bad(name[:40], "means nothing here", f"what does: {', '.join((*OFTEN, *ONCE))}")
        elif name in found:
            raise _bad(name, "stands there twice", "give it once")
        else:
            found[name] = value
    if len(states) > STATES:
        raise _bad("state", "stands there too often", f"up to {STATES} states")
    return Query(
        state=tuple(states) or None,
        command=found.get("command"),
        by=found.get("by"),
        labels=labels,
        q=found.get("q"),
        since=_time("since", found),
        until=_time("until", found),
        limit=_limit(found["limit"]) if "limit" in found else Query().limit,
        cursor=found.get("cursor"),
        total=True,
    )


def _take_label(labels: dict[str, str], value: str) -> None:
    label, equals, text = value.partition("=")
    if not equals or not label:
        raise _bad("label", f"cannot be {value[:40]!r}", "label=NAME=VALUE, as often as you like")
    labels[label] = text
    if len(labels) > LABELS:
        raise _bad("label", "stands there too often", f"up to {LABELS} labels")


def _time(name: str, found: dict[str, str]) -> datetime | None:
    """Return the instant of this name; one without a zone is in UTC."""
    if (text := found.get(name)) is None:
        return None
    try:
        at = datetime.fromisoformat(text[:TIME_CHARS])
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        hint = "a time as ISO 8601 has it, such as 2026-11-27T10:00:00Z or 2026-11-27; in a URL write + as %2B"
        raise _bad(name, f"cannot be {text[:TIME_CHARS]!r}", hint) from None


def _limit(text: str) -> int:
    if re.fullmatch("[0-9]{1,6}", text) is None or not 0 < int(text) <= PAGE_LIMIT:
        raise _bad("limit", f"cannot be {text[:40]!r}", f"1 to {PAGE_LIMIT}")
    return int(text)


def _bad(name: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{name!r} in the query {what}", op="list", subject=name, hint=hint)
