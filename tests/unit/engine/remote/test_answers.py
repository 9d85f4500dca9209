import pytest

from tailrace.core import errors
from tailrace.core.errors import CallerError, TailraceError
from tailrace.engine.remote.answers import Reply, error_of
from tailrace.web.problems import STATUSES, response_to

STARTING = (CallerError, TailraceError, errors.KeyBusy, errors.UnknownCommand)
LATER = errors.NotRecorded
"""what is not on record over there is to be tried again later, as what cannot be reached"""
OF_BROWSERS = errors.ProviderUnusable
"""what only who logs in meets"""
RUNNING = [kind for kind, _status in STATUSES if kind not in (*STARTING, LATER, OF_BROWSERS)]


def reply_to(error: TailraceError) -> Reply:
    """Return the answer of a server on which this was raised."""
    response = response_to(error)
    assert isinstance(response.body, bytes)
    return Reply(response.status, {name.lower(): value for name, value in response.headers}, response.body)


@pytest.mark.parametrize("kind", RUNNING, ids=lambda kind: kind.__name__)
def test_errors_come_back_as_they_were(kind: type[TailraceError]) -> None:
    """What a server told by a status is the same error here, with its words and its hint."""
    error = error_of(reply_to(kind("it is so", hint="do that")), op="get", subject="x")
    assert type(error) is kind
    assert (error.message, error.hint) == ("it is so", "do that") or not isinstance(error, CallerError)
    assert (error.op, error.subject) == ("get", "x")
    assert error.hint


def test_some_depend_on_what_was_asked() -> None:
    """A conflict at a start is a key's; what is not there, where no run was named, is the caller's mistake."""
    assert type(error_of(reply_to(errors.KeyBusy("x")), op="start", subject="x")) is errors.KeyBusy
    assert type(error_of(reply_to(errors.UnknownCommand("x")), op="start", subject="x")) is errors.UnknownCommand
    assert type(error_of(reply_to(errors.InvalidInput("x")), op="list", subject="x")) is errors.InvalidInput
    assert type(error_of(reply_to(errors.EngineError("x")), op="list", subject="x")) is errors.EngineError
    later = error_of(reply_to(LATER("x")), op="start", subject="x")
    assert type(later) is errors.EngineUnavailable
    assert "cannot be put on record" in later.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, errors.NotAllowed),
        (401, errors.NotAllowed),
        (404, errors.InvalidInput),
        (418, errors.InvalidInput),
        (429, errors.EngineUnavailable),
        (502, errors.EngineUnavailable),
        (504, errors.EngineUnavailable),
        (500, errors.EngineError),
        (204, errors.EngineError),
        (999, errors.EngineError),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<h1>nginx</h1>", b"{", b"[]", b'{"detail": 7}', b'{"hint": "x"}', b'{"detail": "\xff"}']
)
def test_answers_of_others(status: int, kind: type[TailraceError], body: bytes) -> None:
    """What stands between may answer anything: the status decides, and there is a hint all the same."""
    for content_type in ("text/html", "application/problem+json"):
        error = error_of(Reply(status, {"content-type": content_type}, body), op="get", subject="x")
        assert type(error) is kind
        assert error.hint
        assert error.message


def test_a_server_s_words_are_bounded() -> None:
    """And of one line."""
    body = b'{"detail": "a\\n b%b", "hint": "h"}' % (b"c" * 5000)
    error = error_of(Reply(400, {"content-type": "application/problem+json"}, body), op="get", subject="x")
    assert error.message.startswith("a bc")
    assert len(error.message) == 1000
