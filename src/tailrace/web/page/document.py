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
    notice = [] if entry is not None else [element("p", UNBUILT, class_="fault", role="alert")]
    framed = element("main", *notice, *main, id="main", class_=f"on-{given.page}")
    head = _head(title, root, *([] if entry is None else _loaded(entry, root)))
    return _sent(root, head, framed, script_of(given), status=status)


def plain_page(
    title: str, root: str, *main: Html, script: str = "", refresh: str = "", status: HTTPStatus = HTTPStatus.OK
) -> Response:  # fmt: skip
    """Return a page that does without the pages' script, such as a login: what it has is all that it shows.

    Args:
        title: what stands in the browser's tab.
        root: the way to the page of all commands.
        *main: what it shows.
        script: the address of one of its own; empty: it has none.
        refresh: where it leads to by itself, as a page of this site does; empty: nowhere.
        status: of the response.
    """
    entry = bundle.entry(bundle.PAGE)
    more = [] if entry is None else list(_styles(entry, root))
    more += [element("script", type="module", src=script)] if script else []
    more += [element("meta", http_equiv="refresh", content=f"0; url={refresh}")] if refresh else []
    framed = element("main", *main, id="main", class_="on-problem")
    return _sent(root, _head(title, root, *more), framed, status=status)


def _head(title: str, root: str, *loaded: Html) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · {NAME}" if title else NAME),
        element("link", rel="icon", href=f"{root}page/icon.svg"),
        *loaded,
    )


def _sent(root: str, head: Html, *content: Html, status: HTTPStatus) -> Response:
    banner = element("header", element("a", NAME, href=root, class_="home"), class_="banner")
    whole = joined(Html("<!doctype html>\n"), element("html", head, element("body", banner, *content), lang="en"), "\n")
    return Response(status=status, headers=PAGE_HEADERS, body=whole.encode("utf-8", "replace"))


def see_other(where: str) -> Response:
    """Send whoever has sent a form to a page (RFC 9110, 15.4.4).

    Args:
        where: the way there from the form's address, so that it holds under any prefix.
    """
    return Response(status=HTTPStatus.SEE_OTHER, headers=(("Location", where), ("Cache-Control", "no-store")), body=b"")


def _loaded(entry: bundle.Entry, root: str) -> Iterator[Html]:
    yield from _styles(entry, root)
    for name in entry.modules:
        yield element("link", rel="modulepreload", href=f"{root}page/{name}")
    yield element("script", type="module", src=f"{root}page/{entry.script}")


def _styles(entry: bundle.Entry, root: str) -> Iterator[Html]:
    for name in entry.styles:
        yield element("link", rel="stylesheet", href=f"{root}page/{name}")
