"""A whole page: its frame, what it loads, what its script is given, and how it is sent."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from tailrace.web.page import bundle
from tailrace.web.page.given import Given, script_of
from tailrace.web.page.html import Html, element, joined
from tailrace.web.page.policy import PAGE_HEADERS
from tailrace.web.responses import Response

NAME: Final = "Tailrace"
UNBUILT: Final = "The page's own files are missing here: build them by `npm ci && npm run bundle` in frontend/."


def page(title: str, given: Given, *main: Html, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a page as a response.

    Args:
        title: what stands in the browser's tab.
        given: for the page's script.
        *main: what the page shows where there is no JavaScript, and until there is.
        status: of the response.
    """
    root, entry = given.root, bundle.entry(bundle.PAGE)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · {NAME}" if title else NAME),
        element("link", rel="icon", href=f"{root}page/icon.svg"),
        *([] if entry is None else _loaded(entry, root)),
    )
    banner = element("header", element("a", NAME, href=root, class_="home"), class_="banner")
    notice = [] if entry is not None else [element("p", UNBUILT, class_="fault", role="alert")]
    body = element(
        "body", banner, element("main", *notice, *main, id="main", class_=f"on-{given.page}"), script_of(given)
    )
    whole = joined(Html("<!doctype html>\n"), element("html", head, body, lang="en"), "\n")
    return Response(status=status, headers=PAGE_HEADERS, body=whole.encode("utf-8", "replace"))


def see_other(where: str) -> Response:
    """Send whoever has sent a form to a page (RFC 9110, 15.4.4).

    Args:
        where: the way there from the form's address, so that it holds under any prefix.
    """
    return Response(status=HTTPStatus.SEE_OTHER, headers=(("Location", where), ("Cache-Control", "no-store")), body=b"")


def _loaded(entry: bundle.Entry, root: str) -> Iterator[Html]:
    for name in entry.styles:
        yield element("link", rel="stylesheet", href=f"{root}page/{name}")
    for name in entry.modules:
        yield element("link", rel="modulepreload", href=f"{root}page/{name}")
    yield element("script", type="module", src=f"{root}page/{entry.script}")
