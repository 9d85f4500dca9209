from collections.abc import Mapping

import pytest

from tailrace.core.errors import InvalidInput
from tailrace.core.timeline import Stream
from tailrace.web.view import View, view_of


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ({}, View()),
        ({"other": "x", "format": "sse"}, View()),
        ({"from": "0"}, View(offset=0)),
        ({"from": "9223372036854775807"}, View(offset=2**63 - 1)),
        ({"tail": "10"}, View(tail=10)),
        ({"stream": "stdout"}, View(stream=Stream.STDOUT)),
        ({"stream": "stderr", "from": "7", "follow": "0"}, View(stream=Stream.STDERR, offset=7, follow=False)),
        ({"follow": "1"}, View()),
        ({"ansi": "strip"}, View(is_plain=True)),
        ({"ansi": "keep"}, View()),
    ],
)
def test_what_a_query_says(query: Mapping[str, str], view: View) -> None:
    """Each option is read; what is not one of them is somebody else's."""
    assert view_of(query) == view


@pytest.mark.parametrize(
    ("query", "subject"),
    [
        ({"from": ""}, "from"),
        ({"from": "+1"}, "from"),
        ({"from": " 1"}, "from"),
        ({"from": "1\n"}, "from"),
        ({"from": "1_0"}, "from"),
        ({"from": "٣"}, "from"),
        ({"from": "9223372036854775808"}, "from"),
        ({"from": "1" * 5000}, "from"),
        ({"tail": "x"}, "tail"),
        ({"tail": "1", "from": "1"}, "tail"),
        ({"stream": ""}, "stream"),
        ({"stream": "STDOUT"}, "stream"),
        ({"follow": "true"}, "follow"),
        ({"ansi": "no"}, "ansi"),
    ],
)
def test_what_makes_no_sense(query: Mapping[str, str], subject: str) -> None:
    """The error names the option, and has a hint."""
    with pytest.raises(InvalidInput) as caught:
        view_of(query)
    assert caught.value.subject == subject
    assert caught.value.hint
    assert len(str(caught.value)) < 100
