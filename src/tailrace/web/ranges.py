"""Parts of a text, by HTTP range requests (RFC 9110, 14): what `curl -C -` and `wget -c` send.

A run's output only ever grows, so one entity tag holds for all its life: the run's id. Whoever has the first bytes of
it may ask for the rest under that tag, whether the run goes on or has ended. What is asked of a run that goes on is
answered with what is there, up to now: a part is complete, and never waits.
"""

import re
from http import HTTPStatus
from typing import NamedTuple

from tailrace.core.run import RunInfo
from tailrace.web.problems import problem
from tailrace.web.requests import Request
from tailrace.web.responses import Response
from tailrace.web.view import MAX_DIGITS
from tailrace.web.viewer import is_whole

_RANGE = re.compile(rf"bytes=([0-9]{{0,{MAX_DIGITS}}})-([0-9]{{0,{MAX_DIGITS}}})")


class Part(NamedTuple):
    """The bytes of [begin, end)."""

    begin: int
    end: int


def tag_of(run_id: str) -> str:
    """Return the entity tag of a run's text."""
    return f'"{run_id}"'


def part_of(request: Request, info: RunInfo) -> Part | Response | None:
    """Return the part of the text that is asked for.

    Returns:
        None for all of it: no range is asked for, or one that may be ignored (RFC 9110, 14.2): several at once, another
        unit, another entity tag, or any of an output that has no byte yet. Or the refusal of one that is not there.
    """
    asked = request.headers.get("range")
    if asked is None or request.method != "GET" or not info.size:
        return None
    if request.headers.get("if-range", tag_of(info.id)) != tag_of(info.id):
        return None
    found = _RANGE.fullmatch(asked.strip().replace(" ", ""))
    if found is None or not any(found.groups()):
        return None
    part = _part(found[1], found[2], info.size)
    return part if part.begin < part.end else _not_there(asked, info)


def part_headers(part: Part, info: RunInfo) -> tuple[tuple[str, str], ...]:
    """Return the headers that say which part it is; the whole length is told once it is known."""
    whole = str(info.size) if info.is_finished and is_whole(info) else "*"
    return (
        ("Content-Range", f"bytes {part.begin}-{part.end - 1}/{whole}"),
        ("Content-Length", str(part.end - part.begin)),
    )


def _part(first: str, last: str, size: int) -> Part:
    """Return what `first-last` stands for; with `-last`, the last so many bytes. Empty if nothing of it is there."""
    if not first:
        return Part(max(0, size - int(last)), size)
    return Part(int(first), min(size, int(last) + 1) if last else size)


def _not_there(asked: str, info: RunInfo) -> Response:
    refusal = problem(
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        f"the output has {info.size} bytes, and none of {asked[:40]}",
        "all that is there has been fetched already, or ask for an earlier place",
    )
    headers = (*refusal.headers, ("Content-Range", f"bytes */{info.size}"))
    return Response(status=refusal.status, headers=headers, body=refusal.body)
