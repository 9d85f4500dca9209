import re

import msgspec
import pytest

from tailrace.core.command import Command
from tailrace.web.page.given import Given, all_shown, script_of

HOSTILE = "</script><!--<script>\u2028\u2029]]>&amp;'\"\\ \x00"


@pytest.mark.parametrize("text", [HOSTILE, "</ScRiPt >", "<!--", "<![CDATA["])
def test_no_text_ends_the_element(text: str) -> None:
    """And what the script reads is what was meant."""
    command = Command(name="x", title=text, argv=("echo", text))
    whole = script_of(Given(page="home", root="./", commands=all_shown([command]), values={text: text}))
    match = re.fullmatch('<script type="application/json" id="given">(.*)</script>', whole, re.DOTALL)
    assert match is not None
    assert "<" not in match[1]
    read = msgspec.json.decode(match[1].encode(), type=Given)
    assert (read.commands[0].title, read.values) == (text, {text: text})
