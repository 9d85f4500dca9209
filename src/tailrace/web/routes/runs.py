"""Looking at runs."""

import re
from collections.abc import Sequence

import msgspec

from tailrace.core.errors import InvalidInput
from tailrace.core.run import RunInfo
from tailrace.engine.base import Page, Query
from tailrace.engine.catalog import PAGE_LIMIT
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, Instead, json_response
from tailrace.web.watching import watch

SCANNED = 5000
"""runs that one request looks at, at most, for ones that the caller may view"""
LABELS = 16
"""that one request asks for"""
ONCE = ("state", "command", "limit", "cursor")


def list_runs(call: Call) -> Response:
    """Return a page of those runs that the caller may view, newest first."""
    return json_response(visible(call, _query(call.query)))


def show_run(call: Call) -> Response:
    """Return the run as it is now."""
    return json_response(call.info)


def show_output(call: Call) -> Response:
    """Return the output, on any wire, from any offset."""
    return watch(call.engine(), call.request, call.run.id)


def visible(call: Call, query: Query) -> Page:
    """Return the page; it may be short, even empty, and still have a next one, where much is not for this caller."""
    engine = call.engine()
    runs: list[RunInfo] = []
    left = msgspec.structs.replace(query, limit=min(query.limit + 1, PAGE_LIMIT))
    scanned = 0
    while True:
        page = engine.list(left)
        for info in filter(lambda info: _may_view(call, info), page.runs):
            if len(runs) == query.limit:
                return Page(tuple(runs), runs[-1].id)
            runs.append(info)
        scanned += len(page.runs)
        if page.next is None or scanned >= SCANNED:
            is_full = page.next is not None and len(runs) == query.limit
            return Page(tuple(runs), runs[-1].id if is_full else page.next)
        left = msgspec.structs.replace(left, cursor=page.next)


def _may_view(call: Call, info: RunInfo) -> bool:
    try:
        return call.may("view", info)
    except Instead:
        return False


def _query(pairs: Sequence[tuple[str, str]]) -> Query:
    """Return what the query asks for.

    Raises:
        InvalidInput: it has a name that means nothing here, one twice, or a value that cannot be.
    """
    found: dict[str, str] = {}
    labels: dict[str, str] = {}
    for name, value in pairs:
        if name == "label":
            label, equals, text = value.partition("=")
            if not equals or not label:
                raise _bad("label", f"cannot be {value[:40]!r}", "label=NAME=VALUE, as often as you like")
            labels[label] = text
            if len(labels) > LABELS:
                raise _bad("label", "stands there too often", f"up to {LABELS} labels")
        elif name not in ONCE:
            raise _bad(name[:40], "means nothing here", f"what does: {', '.join((*ONCE, 'label'))}")
        elif name in found:
            raise _bad(name, "stands there twice", "give it once")
        else:
            found[name] = value
    return Query(
        state=found.get("state"),
        command=found.get("command"),
        labels=labels,
        limit=_limit(found["limit"]) if "limit" in found else Query().limit,
        cursor=found.get("cursor"),
    )


def _limit(text: str) -> int:
    if re.fullmatch("[0-9]{1,6}", text) is None or not 0 < int(text) <= PAGE_LIMIT:
        raise _bad("limit", f"cannot be {text[:40]!r}", f"1 to {PAGE_LIMIT}")
    return int(text)


def _bad(name: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{name!r} in the query {what}", op="list", subject=name, hint=hint)
