"""A whole page: its frame, what it loads, what its script is given, and how it is sent."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from tailrace.web.page import bundle
from tailrace.web.page.given import Given, Who, script_of
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
    return _sent(head, banner_of(root, given.who), framed, script_of(given), status=status)


def plain_page(  # noqa: PLR0913  what such a page has
    title: str,
    root: str,
    *main: Html,
    script: str = "",
    refresh: str = "",
    name: str = "problem",
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """Return a page that does without the pages' script, such as a login: what it has is all that it shows.

    Args:
        title: what stands in the browser's tab.
        root: the way to the page of all commands.
        *main: what it shows.
        script: the address of one of its own; empty: it has none.
        refresh: where it leads to by itself, as a page of this site does; empty: nowhere.
        name: what kind of page it is, for its looks.
        status: of the response.
    """
    entry = bundle.entry(bundle.PAGE)
    more = [] if entry is None else list(_styles(entry, root))
    more += [element("script", type="module", src=script)] if script else []
    more += [element("meta", http_equiv="refresh", content=f"0; url={refresh}")] if refresh else []
    framed = element("main", *main, id="main", class_=f"on-{name}")
    return _sent(_head(title, root, *more), _banner(None, root), framed, status=status)


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


def banner_of(root: str, who: Who | None) -> Html:
    """Return the top of a page: the way home, unless that is not for him, who is here, and how he gets out."""
    home = None if who is not None and who.is_guest else root
    if who is None or who.name is None:
        return _banner(home, root)
    named = element("span", guest_words(who) if who.is_guest else _named(who), class_="who")
    out = element(
        "form", element("button", "Log out", type="submit", class_="quiet"), method="post", action=f"{root}logout",
    ) if who.can_leave else ""  # fmt: skip
    return _banner(home, root, element("div", named, out, class_="rest"))


def _named(who: Who) -> str:
    return f"{who.name}" if who.role is None else f"{who.name}, {who.role}"


def guest_words(who: Who) -> str:
    """Return what whoever has come by a link is told of it."""
    until = "" if who.until is None else f", until {who.until:%Y-%m-%d %H:%M} UTC"
    return f"You see this run by a link{until}."


def _banner(home: str | None, root: str, *rest: Html) -> Html:
    """Return the top; `home` is None where the name leads nowhere."""
    name = element("span", NAME, class_="home") if home is None else element("a", NAME, href=root, class_="home")
    return element("header", name, *rest, class_="banner")


def _sent(head: Html, banner: Html, *content: Html, status: HTTPStatus) -> Response:
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
