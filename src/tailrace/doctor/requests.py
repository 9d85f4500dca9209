"""What becomes of a request on its way to the server: what the server says it has seen, against what was sent."""

import hashlib
import os
from collections.abc import Iterator
from http import HTTPStatus

import msgspec

from tailrace.core.errors import InvalidInput
from tailrace.doctor.findings import Finding, fine, note, wrong
from tailrace.doctor.proxies import LOGS, cure
from tailrace.doctor.target import Answered, Target
from tailrace.web.problems import CONTENT_TYPE, Problem
from tailrace.web.routes.probe import Seen

REQUEST = "/api/probe/request"
SENT = {"Range": "bytes=7-", "Last-Event-ID": "0123456789abcdefghjkmnpqrst/7"}
"""what clients that resume send"""
BODY_BYTES = 64 << 10
UNREACHED = (
    "start the server, or correct where the proxy looks for it (nginx: proxy_pass; of a socket, also its permissions);"
    " the proxy's error log says what it tried"
)
_SEEN = msgspec.json.Decoder(Seen)
_PROBLEM = msgspec.json.Decoder(Problem)

Proxies = tuple[str, ...]


class Stopped(Exception):
    """Nothing more can be learnt; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def look(target: Target, answer: Answered, proxies: Proxies) -> Seen:
    """Return what the server has seen of the first request.

    Raises:
        Stopped: something on the way answers instead of the server, or has made the request another one.
        InvalidInput: this is no server of ours, or it wants a login.
    """
    if answer.status == HTTPStatus.OK:
        try:
            return _SEEN.decode(answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise _no_tailrace(target, "what answers is something else") from None
    problem = told(answer)
    if answer.status == HTTPStatus.MISDIRECTED_REQUEST and problem is not None:
        name = f"the server was asked by another name than {target.authority!r}, or one that it does not know"
        raise Stopped(wrong("host", f"{name}: {problem.detail}", f"{cure('host', proxies)}; or {problem.hint}"))
    if answer.status == HTTPStatus.NOT_FOUND and problem is not None and REQUEST in problem.hint and target.prefix:
        message = f"the server does not know the path {target.prefix!r} under which it is shown"
        raise Stopped(wrong("prefix", message, cure("prefix", proxies, path=target.prefix)))
    raise _refused(target, answer)


def judge(target: Target, seen: Seen, proxies: Proxies) -> Iterator[Finding]:
    """Yield what follows from what the server has seen of a GET."""
    yield _host(target, seen, proxies)
    yield _scheme(target, seen, proxies)
    yield _prefix(target, seen, proxies)
    yield _version(seen, proxies)
    yield _resuming(seen, proxies)
    yield _client(seen, proxies)


def judge_post(target: Target, seen: Seen, proxies: Proxies) -> Finding:
    """Send a body as a page of the server's own would, if the server knows that by its host; return what follows.

    Raises:
        InvalidInput: no connection is to be had.
    """
    data = os.urandom(BODY_BYTES)
    headers = {"Content-Type": "application/octet-stream"}
    if has_host(target, seen):
        headers["Origin"] = target.origin
    answer = target.ask("POST", REQUEST, headers, data)
    if answer.status == HTTPStatus.FORBIDDEN and told(answer) is not None:
        message = "the server takes its own pages for those of another site, and refuses what they ask for"
        return wrong("post", message, cure("host", proxies))
    if answer.status != HTTPStatus.OK:
        is_large = answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        message = f"a body of {BODY_BYTES} bytes is answered with {answer.status}"
        return wrong("post", message, cure("post", proxies) if is_large else LOGS)
    posted = look(target, answer, proxies)
    if (posted.method, posted.body_sha256) != ("POST", hashlib.sha256(data).hexdigest()):
        message = f"of a POST with {BODY_BYTES} bytes a {posted.method} with {posted.body_bytes} arrives, or others"
        return wrong("post", message, cure("post", proxies))
    return fine("post", f"a body of {BODY_BYTES} bytes arrives as it was sent")


def judge_head(target: Target, proxies: Proxies) -> Finding:
    """Ask for the headers of a stream, and return what follows.

    Raises:
        InvalidInput: no connection is to be had.
    """
    answer = target.ask("HEAD", "/api/probe?format=text")
    if answer.status == HTTPStatus.OK and answer.headers.get("content-type", "").startswith("text/plain"):
        return fine("head", "HEAD is answered as GET is, without a body")
    return wrong("head", f"HEAD is answered with {answer.status}, GET is not", cure("head", proxies))


def judge_cache(target: Target, path: str, header: str, proxies: Proxies) -> Finding:
    """Ask for the same stream twice, and return whether the second one was a copy of the first.

    Raises:
        InvalidInput: no connection is to be had.
    """
    first, second = (target.ask("GET", path).headers.get(header.lower()) for _ in range(2))
    if first is not None and first == second:
        return wrong("cache", "a cache answers with an old stream instead of a new one", cure("cache", proxies))
    return fine("cache", "no cache answers in the server's place")


def has_host(target: Target, seen: Seen) -> bool:
    """Tell whether the server sees the host as it was asked."""
    return seen.host.lower() == target.authority.lower()


def _host(target: Target, seen: Seen, proxies: Proxies) -> Finding:
    if has_host(target, seen):
        return fine("host", f"the server sees the host as it was asked: {seen.host}")
    message = f"the server sees the host {seen.host!r} instead of {target.authority!r}"
    return wrong("host", f"{message}: it refuses its own pages as those of another site", cure("host", proxies))


def _scheme(target: Target, seen: Seen, proxies: Proxies) -> Finding:
    if seen.scheme == target.scheme:
        return fine("scheme", f"the server sees the scheme as it was asked: {seen.scheme}")
    return wrong("scheme", f"the server sees {seen.scheme} instead of {target.scheme}", cure("scheme", proxies))


def _prefix(target: Target, seen: Seen, proxies: Proxies) -> Finding:
    if seen.prefix == target.prefix:
        return fine("prefix", f"the server knows the path under which it is shown: {target.prefix or '/'}")
    message = f"the server thinks that it is shown under {seen.prefix or '/'!r}, and not {target.prefix or '/'!r}"
    return wrong("prefix", f"{message}: its links lead nowhere", cure("prefix", proxies, path=target.prefix))


def _version(seen: Seen, proxies: Proxies) -> Finding:
    if seen.http_version != "1.0":
        return fine("http", f"the server is asked over HTTP/{seen.http_version}")
    message = (
        "the server is asked over HTTP/1.0: the end of a stream cannot be told from a cut, and no WebSocket passes"
    )
    return wrong("http", message, cure("http", proxies))


def _resuming(seen: Seen, proxies: Proxies) -> Finding:
    arrived = {"Range": seen.range, "Last-Event-ID": seen.last_event_id}
    lost = [name for name, value in SENT.items() if arrived[name] != value]
    if not lost:
        return fine("resume", "clients that resume are understood: Range and Last-Event-ID arrive")
    names = " and ".join(lost)
    return wrong(
        "resume", f"clients that resume are not understood: {names} is lost", cure("resume", proxies, names=names)
    )


def _client(seen: Seen, proxies: Proxies) -> Finding:
    if proxies and not {"forwarded", "x-forwarded-for"} & set(seen.forwarded):
        message = f"the server cannot tell clients apart: all come from {seen.client}"
        return note("client", f"{message}, and share one limit of viewers", cure("client", proxies))
    return fine("client", f"the server sees the client {seen.client}")


def told(answer: Answered) -> Problem | None:
    """Return the problem document of a Tailrace; None if this is none."""
    if answer.headers.get("content-type", "").partition(";")[0] != CONTENT_TYPE:
        return None
    try:
        return _PROBLEM.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _refused(target: Target, answer: Answered) -> InvalidInput:
    """Return why nothing can be learnt here."""
    status = answer.status
    if 300 <= status < 400:
        why, hint = (
            f"it sends us elsewhere, to {answer.headers.get('location', 'nowhere')[:200]}",
            "examine that address",
        )
        if "login" in answer.headers.get("location", "").lower():
            hint = "send a login: --header 'Cookie: …' or --header 'Authorization: …'"
    elif status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        why, hint = f"it answers {status}", "send a login: --header 'Cookie: …' or --header 'Authorization: …'"
    elif status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
        why, hint = f"a proxy answers {status}: it does not reach the server", UNREACHED
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        why, hint = f"it answers {status}", LOGS
    else:
        return _no_tailrace(target, f"it answers {status}")
    return InvalidInput(f"{target.url} cannot be examined: {why}", op="examine", subject=target.url, hint=hint)


def _no_tailrace(target: Target, why: str) -> InvalidInput:
    return InvalidInput(
        f"there is no Tailrace at {target.url} that can be examined: {why}",
        op="examine",
        subject=target.url,
        hint="give the address under which its page is shown, with its prefix; `GET PREFIX/api/probe` must be there",
    )
