"""A whole page: its frame, and how it is sent."""

from http import HTTPStatus

from tailrace.web.page.html import Html, element, joined
from tailrace.web.responses import Response

CONTENT_TYPE = "text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""nothing from elsewhere, nothing that stands in the page itself, and no frame around it (CSP, level 3)"""
HEADERS = (
    ("Content-Type", CONTENT_TYPE),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", POLICY),
    ("Referrer-Policy", "same-origin"),  # with no-referrer, a form's Origin would be null, and refused
    ("X-Content-Type-Options", "nosniff"),
)
NAME = "Tailrace"


def page(title: str, root: str, *main: Html, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a page as a response.

    Args:
        title: what stands in the browser's tab.
        root: the way from the page to the one of all commands, so that links hold under any prefix: `./` or `../`.
        *main: what it shows.
        status: of the response.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · {NAME}" if title else NAME),
        element("link", rel="icon", href=f"{root}page/icon.svg"),
        element("link", rel="stylesheet", href=f"{root}page/page.css"),
        element("script", src=f"{root}page/page.js", defer=True),
    )
    banner = element("header", element("a", NAME, href=root, class_="home"), class_="banner")
    body = element("body", banner, element("main", *main))
    whole = joined(Html("<!doctype html>\n"), element("html", head, body, lang="en"), "\n")
    return Response(status=status, headers=HEADERS, body=whole.encode("utf-8", "replace"))


def see_other(where: str) -> Response:
    """Send whoever has sent a form to a page (RFC 9110, 15.4.4).

    Args:
        where: the way there from the form's address, so that it holds under any prefix.
    """
    return Response(status=HTTPStatus.SEE_OTHER, headers=(("Location", where), ("Cache-Control", "no-store")), body=b"")
