"""The files that pages load, and the custom element of other people's pages."""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from tailrace.web.page import bundle
from tailrace.web.page.policy import FILE_HEADERS
from tailrace.web.requests import Request
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, Refused

TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
_HASHED: Final = re.compile(rf"\w[\w.-]*-[\w-]{{8}}\.({'|'.join(TYPES)})", re.ASCII)
"""the names of files that never change, and no others: neither a path, nor the manifest, nor what is packed"""
_PACKED: Final = (("br", ".br"), ("gzip", ".gz"))
"""codings of what the build has packed, the tightest first"""
_ZERO: Final = re.compile(r"q=0(\.0*)?")
KEPT: Final = "public, max-age=31536000, immutable"
ASKED_AGAIN: Final = "no-cache"


def show_file(call: Call) -> Response:
    """Return a file of the bundle, packed if the browser takes that; it may be kept for ever.

    Raises:
        Refused: there is none of this name.
    """
    name = call.file
    if (match := _HASHED.fullmatch(name)) is None:
        raise _missing()
    for coding, suffix in _codings(call.request):
        try:
            data = (bundle.BUILT / f"{name}{suffix}").read_bytes()
        except FileNotFoundError:
            continue
        headers = [("Vary", "Accept-Encoding"), *([("Content-Encoding", coding)] if coding else [])]
        return _answer(call.request, data, TYPES[match[1]], f'"{name}{suffix}"', KEPT, *headers)
    raise _missing()


def show_element(call: Call) -> Response:
    """Return the script of the custom element, at an address that stays: it leads to the file of this version.

    Raises:
        Refused: the element is not in the bundle.
    """
    if (entry := bundle.entry(bundle.ELEMENT)) is None:
        raise _missing()
    data = f'export * from "./{entry.script}";\n'.encode()
    return _answer(call.request, data, TYPES["js"], f'"{entry.script}"', ASKED_AGAIN)


def show_icon(call: Call) -> Response:
    """Return the pages' icon."""
    data, etag = _icon()
    return _answer(call.request, data, TYPES["svg"], etag, ASKED_AGAIN)


def _codings(request: Request) -> Iterator[tuple[str, str]]:
    """Yield what the browser takes, and the suffix of the file that is packed so; at last, not packed."""
    accepted = set()
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = part.partition(";")
        if _ZERO.fullmatch(weight.strip()) is None:
            accepted.add(coding.strip())
    yield from (each for each in _PACKED if each[0] in accepted)
    yield "", ""


def _answer(
    request: Request, data: bytes, content_type: str, etag: str, kept: str, *more: tuple[str, str]
) -> Response:  # fmt: skip
    """Return the file, or 304 to who has it."""
    headers = (("ETag", etag), ("Cache-Control", kept), *more, *FILE_HEADERS)
    if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(status=HTTPStatus.OK, headers=(*headers, ("Content-Type", content_type)), body=data)


@cache
def _icon() -> tuple[bytes, str]:
    data = Path(bundle.__file__).with_name("icon.svg").read_bytes()
    return data, f'"{hashlib.sha256(data).hexdigest()[:16]}"'


def _missing() -> Refused:
    return Refused(
        HTTPStatus.NOT_FOUND, "there is no such file here", "load the page again: it may be one of another version"
    )
