import inspect
import json

import pytest

from tailrace.core import errors
from tailrace.core.errors import CallerError, TailraceError
from tailrace.web.problems import STATUSES, response_to, status_of

KINDS = [kind for _name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, TailraceError)]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.InvalidInput, 400),
        (errors.NotAllowed, 403),
        (errors.UnknownRun, 404),
        (errors.UnknownWire, 406),
        (errors.KeyBusy, 409),
        (errors.WrongState, 409),
        (errors.OffsetBeyondEnd, 416),
        (errors.EngineError, 500),
        (errors.WrongVersion, 500),
        (errors.EngineUnavailable, 503),
        (errors.NoSpace, 507),
        (errors.LimitReached, 429),
        (errors.NotEnforceable, 501),
        (errors.ProviderUnusable, 502),
    ],
)
def test_status(kind: type[TailraceError], status: int) -> None:
    """Each error has the status that the documentation names."""
    assert status_of(kind("x")) == status


@pytest.mark.parametrize("kind", KINDS)
def test_a_callers_error_is_told_and_ours_is_not(kind: type[TailraceError]) -> None:
    """The document is RFC 9457's; only what the caller can cure is told in its own words."""
    response = response_to(kind("no room in /secret/place", hint="look at /secret/place"))
    assert isinstance(response.body, bytes)
    document = json.loads(response.body)
    assert document.keys() - {"retry_after"} == {"title", "status", "detail", "hint"}
    assert ("retry_after" in document) == ("Retry-After" in dict(response.headers)) == (kind is errors.LimitReached)
    assert document["status"] == response.status
    is_callers = issubclass(kind, CallerError)
    assert (400 <= response.status < 500) == is_callers
    assert (b"/secret/place" in response.body) == is_callers
    assert dict(response.headers)["Content-Type"] == "application/problem+json"


def test_a_row_never_hides_one_below_it() -> None:
    """The first row that fits decides, so the narrower one comes first."""
    kinds = [kind for kind, _status in STATUSES]
    for index, kind in enumerate(kinds):
        assert not any(issubclass(kind, earlier) for earlier in kinds[:index])
