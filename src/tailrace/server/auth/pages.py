"""Coming in and going out: the login's page and form, without JavaScript, and what they do.

A form is taken only from a page of this site, which browsers say (`Origin`, or Fetch Metadata): nobody is logged in as
somebody else by another site's page, nor out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote

from tailrace._asgi.asking import client_of, headers_of, pairs_of
from tailrace.server.auth.attempts import Attempts
from tailrace.server.auth.cookies import HOST_PREFIX, Header, set_cookie
from tailrace.server.auth.guard import LOGIN, Guard
from tailrace.server.auth.record import Record
from tailrace.server.auth.tokens import OWN
from tailrace.server.auth.vault import Vault, hashed
from tailrace.web.loop.sinks import Scope
from tailrace.web.page.document import plain_page, see_other
from tailrace.web.page.html import Html, element
from tailrace.web.page.policy import FILE_HEADERS
from tailrace.web.problems import problem
from tailrace.web.responses import Response
from tailrace.web.routes.call import Refused
from tailrace.web.starting import is_cross_origin

LOGOUT: Final = "/logout"
SCRIPT: Final = "/login.js"
BACK: Final = f"{LOGIN}/back"
"""where a window is led that a page has opened for its user to log in again"""
FORM_BYTES: Final = 16 << 10
MOST_FIELDS: Final = 10
_NEXT: Final = re.compile(r"/(?:[!#-\[\]-~]{0,500})?")
"""a path of ours, in ASCII, as a browser sends it; without a quotation mark or a backslash"""
SLOW: Final = "Too many attempts have failed."
FAULT: Final = "login-fault"
"""the id of what is wrong"""
WRONG: Final = {"token": "That is not this server's token.", "users": "There is no such user with this password."}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request."""

    scope: Scope
    body: bytes

    @property
    def root(self) -> str:
        """The path under which the server is shown, without a slash at its end."""
        return quote(str(self.scope.get("root_path", "")).rstrip("/"))

    @property
    def next(self) -> str:
        """Where whoever asks is to go when he is in: a path below the root, and of this site."""
        wanted = self.fields().get("next") or dict(pairs_of(self.scope)).get("next", "")
        is_ours = _NEXT.fullmatch(wanted) is not None and not wanted.startswith("//")
        is_usable = is_ours and (wanted == BACK or not wanted.startswith((LOGIN, LOGOUT)))
        return wanted if is_usable else "/"

    def fields(self) -> Mapping[str, str]:
        """Return the fields of the form; what is no form has none."""
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            return {}


class Logins:
    """The pages.

    Args:
        guard: what knows callers.
        vault: where failed attempts are counted.
        record: what is told of who comes and goes.
    """

    def __init__(self, guard: Guard, vault: Vault, record: Record) -> None:
        self._guard = guard
        self._record = record
        self._attempts = Attempts(vault)
        self.routes: dict[tuple[str, str], Callable[[Asked], Response]] = {
            ("GET", LOGIN): self.show,
            ("POST", LOGIN): self.come_in,
            ("POST", LOGOUT): self.go_out,
            ("GET", SCRIPT): script,
            ("GET", BACK): self.show_back,
        }

    def find(self, method: str, path: str) -> Callable[[Asked], Response] | None:
        """Return what answers; None: this is no address of the logins."""
        found = self.routes.get(("GET" if method == "HEAD" else method, path))
        if found is None and any(known == path for _method, known in self.routes):
            return _wrong_method
        return found

    def show(self, asked: Asked) -> Response:
        """Show the login; whom is in, lead to where he wanted to go, or show him who he is, and the way out."""
        found = self._guard.session_of(asked.scope)
        who = None if found is None else self._guard.identity_of(found[1])
        if who is None:
            return self._form(asked)
        if asked.next != "/":
            return see_other(f"{asked.root}{asked.next}")
        words = element("p", f"You are logged in as {who.name}, {who.role}.")
        ways = element("p", element("a", "To the commands and runs", href=f"{asked.root}/"), class_="ways")
        return self._page(asked, "Logged in", words, _logout_form(), ways)

    def show_back(self, asked: Asked) -> Response:
        """Say to whoever has logged in again that he is in, and to the page that waits for it; others log in first."""
        if self._guard.session_of(asked.scope) is None:
            return see_other(f"{asked.root}{LOGIN}?next={quote(BACK, safe='/')}")
        words = "The page that you came from goes on where it was. This window can be closed."
        told = element("p", words, id="back")
        home = element("p", element("a", "To the commands and runs", href=f"{asked.root}/"), class_="ways")
        return self._page(asked, "You are in again", told, home)

    def come_in(self, asked: Asked) -> Response:
        """Begin a session for whoever proves who he is, and lead him to where he wanted to go.

        Raises:
            Refused: the form comes from elsewhere.
            EngineError: what is kept of users cannot be used.
        """
        check_site(asked.scope)
        if self._guard.auth not in WRONG:
            return see_other(f"{asked.root}{LOGIN}")
        fields = asked.fields()
        user = fields.get("user", "") if self._guard.auth == "users" else OWN
        address = client_of(asked.scope)
        if (wait_s := self._attempts.begin(user, address)) > 0:
            return self._refused(asked, user, SLOW, self._slow(asked, wait_s))
        stamp = self._proven(user, fields)
        if stamp is None:
            wrong = WRONG[self._guard.auth]
            return self._refused(asked, user, wrong, self._form(asked, wrong, HTTPStatus.UNAUTHORIZED))
        self._attempts.succeed(user, address)
        return self.begun(asked, user, stamp, see_other(f"{asked.root}{asked.next}"))

    def go_out(self, asked: Asked) -> Response:
        """End the session, or with `everywhere=1` all of the user's, and lead to the login.

        Raises:
            Refused: the form comes from elsewhere.
        """
        check_site(asked.scope)
        if (found := self._guard.session_of(asked.scope)) is not None:
            session_id, session = found
            if asked.fields().get("everywhere") == "1":
                self._guard.sessions.end_all(session.user)
            self._guard.sessions.end(session_id)
            self._record.done(asked.scope, "logout", who=session.user, via=session.via, status=HTTPStatus.SEE_OTHER)
        return _with(see_other(f"{asked.root}{LOGIN}"), self._cookie(asked, "", 0))

    def begun(
        self, asked: Asked, user: str, stamp: str, answer: Response, groups: tuple[str, ...] = ()
    ) -> Response:  # fmt: skip
        """Return the answer with the cookie of a new session; the one that the browser had is over.

        Raises:
            NotRecorded: that is not on record, and nobody comes in without.
        """
        self._record.before(asked.scope, "login", who=user, via=self._guard.auth)
        if (found := self._guard.session_of(asked.scope)) is not None:
            self._guard.sessions.end(found[0])
        session_id = self._guard.sessions.begin(user, self._guard.auth, stamp, groups)
        return _with(answer, self._cookie(asked, session_id, int(self._guard.sessions.longest_s)))

    def _refused(self, asked: Asked, user: str, why: str, answer: Response) -> Response:
        """Record that somebody was not let in; by a name only if there is one of it: people type passwords there."""
        who = user if self._guard.stamp_of(user) is not None else None
        self._record.done(asked.scope, "login", who=who, via=self._guard.auth, why=why, status=answer.status)
        return answer

    def _proven(self, user: str, fields: Mapping[str, str]) -> str | None:
        """Return what a session is bound to, if the form proves that it is the user's; else None."""
        if self._guard.auth == "token":
            token = fields.get("token", "").strip()
            return hashed(token) if self._guard.tokens.is_own(token) else None
        found = self._guard.users.check(user, fields.get("password", ""))
        return None if found is None else found.stamp

    def _cookie(self, asked: Asked, value: str, age_s: int) -> Header:
        name = self._guard.cookie_name(asked.scope)
        path = "/" if name.startswith(HOST_PREFIX) else asked.root or "/"
        return set_cookie(asked.scope, name, value, path=path, age_s=age_s)

    def _slow(self, asked: Asked, wait_s: float) -> Response:
        seconds = max(1, round(wait_s + 0.5))
        words = f"{SLOW} Try again in {seconds} s."
        page = self._form(asked, words, HTTPStatus.TOO_MANY_REQUESTS, wait_s=seconds)
        return _with(page, ("Retry-After", str(seconds)))

    def _form(
        self, asked: Asked, fault: str = "", status: HTTPStatus = HTTPStatus.OK, *, wait_s: int | None = None
    ) -> Response:  # fmt: skip
        wrong = element("p", fault, id=FAULT, class_="fault", role="alert", data_wait=wait_s) if fault else Html("")
        told = FAULT if fault else None
        match self._guard.auth:
            case "token":
                main = _token_form(asked, told)
            case "users":
                main = _password_form(asked, told)
            case "oidc":
                way = f"{asked.root}{LOGIN}/oidc?next={quote(asked.next, safe='/')}"
                link = element("a", "Log in by your organisation's provider", href=way, class_="button start", id="way")
                main = element("p", link, class_="ways")
            case _:
                main = element("p", "The proxy in front of this server says who you are; come by way of it.")
        return self._page(asked, "Log in", _about(asked), wrong, main, status=status)

    @staticmethod
    def _page(asked: Asked, title: str, *main: Html, status: HTTPStatus = HTTPStatus.OK) -> Response:
        sheet = element("section", element("h1", title), *main, class_="sheet")
        script = f"{asked.root}{SCRIPT}"
        return plain_page(title, f"{asked.root}/", sheet, script=script, name="login", status=status)


def check_site(scope: Scope) -> None:
    """See that a form comes from a page of this site.

    Raises:
        Refused: it does not, or the browser does not say.
    """
    headers = headers_of(scope, ("origin", "host", "sec-fetch-site"))
    is_told = "origin" in headers or headers.get("sec-fetch-site") == "same-origin"
    if not is_told or is_cross_origin(headers):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            "this form does not come from a page of this site",
            "open the login in a browser, and send it from there; a program sends Authorization: Bearer TOKEN",
        )


def script(_asked: Asked) -> Response:
    """Return the script of the login's page, which takes the token out of a link."""
    headers = (("Content-Type", "text/javascript; charset=utf-8"), ("Cache-Control", "no-cache"), *FILE_HEADERS[:2])
    return Response(status=HTTPStatus.OK, headers=headers, body=_script())


@cache
def _script() -> bytes:
    return Path(__file__).with_name("login.js").read_bytes()


def _about(asked: Asked) -> Html:
    """Return where he is led then, if that is somewhere in particular."""
    if asked.next == BACK:
        return element("p", "Then the page that you came from goes on where it was.", class_="about")
    if asked.next == "/":
        return Html("")
    return element("p", "Then you are led to ", element("code", asked.next), ".", class_="about")


def _token_form(asked: Asked, told: str | None) -> Html:
    label = element("label", "Token", for_="token")
    field = element(
        "input", id="token", name="token", type="password", required=True, autocomplete="current-password",
        aria_describedby=" ".join(filter(None, (told, "token-help"))), autofocus=True,
        aria_invalid="true" if told else None,
    )  # fmt: skip
    about = element(
        "p", "The server's own, which ", element("code", "tailrace token"), " prints on its machine.",
        id="token-help", class_="help",
    )  # fmt: skip
    return _login_form(asked, element("div", label, field, about, class_="field"))


def _password_form(asked: Asked, told: str | None) -> Html:
    known = asked.fields().get("user", "")
    wrong = {"aria_describedby": told, "aria_invalid": "true" if told else None}
    user = element(
        "input", id="user", name="user", type="text", required=True, autocomplete="username", autocapitalize="none",
        spellcheck="false", value=known, autofocus=not known, **wrong,
    )  # fmt: skip
    password = element(
        "input", id="password", name="password", type="password", required=True, autocomplete="current-password",
        autofocus=bool(known), **wrong,
    )  # fmt: skip
    return _login_form(
        asked,
        element("div", element("label", "User", for_="user"), user, class_="field"),
        element("div", element("label", "Password", for_="password"), password, class_="field"),
    )


def _login_form(asked: Asked, *fields: Html) -> Html:
    wanted = element("input", type="hidden", name="next", value=asked.next)
    button = element("button", "Log in", type="submit", class_="start")
    return element("form", *fields, wanted, button, method="post", action=f"{asked.root}{LOGIN}", id="login")


def _logout_form() -> Html:
    here = element("button", "Log out", type="submit", class_="start")
    everywhere = element("button", "Log out everywhere", type="submit", name="everywhere", value="1")
    return element("form", here, " ", everywhere, method="post", action="logout")


def _with(response: Response, *headers: Header) -> Response:
    return Response(status=response.status, headers=(*response.headers, *headers), body=response.body)


def _wrong_method(_asked: Asked) -> Response:
    refused = problem(HTTPStatus.METHOD_NOT_ALLOWED, "this method is not for this address", "open it in a browser")
    return _with(refused, ("Allow", "GET, HEAD, POST"))
