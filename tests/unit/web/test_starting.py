import pytest

from tailrace.web.requests import HEADERS, Request
from tailrace.web.starting import CONDITIONS, PURPOSES, origin_of


@pytest.mark.parametrize(
    "other",
    [
        Request(method="GET", path="/b", user="ann"),
        Request(method="GET", path="/a", user="bob"),
        Request(method="GET", path="/a", user=None),
        Request(method="GET", path="/a", user=""),
        Request(method="GET", path='/a","ann', user=None),
        Request(method="GET", path="/aann", user=""),
    ],
)
def test_an_origin_is_one_path_and_one_user(other: Request) -> None:
    """Nothing else has it, however path and user are cut; it is short and tells neither."""
    asked = Request(method="GET", path="/a", user="ann")
    assert origin_of(asked) != origin_of(other)
    assert len(origin_of(asked)) == 32
    assert "ann" not in origin_of(asked)


def test_an_origin_is_the_same_for_every_method_and_query() -> None:
    """A client may resume by another method."""
    get = Request(method="GET", path="/a", query={"n": "1"})
    assert origin_of(get) == origin_of(Request(method="POST", path="/a", headers={"accept": "*/*"}))


def test_every_header_that_is_looked_at_is_passed_on() -> None:
    """What the rules name is among what adapters hand over."""
    assert set(HEADERS) >= {*CONDITIONS, *PURPOSES, "accept", "last-event-id", "sec-fetch-site"}
