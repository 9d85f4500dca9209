"""What the client of a websocket may ask."""

import pytest

from tailrace.core.wires import asks
from tailrace.core.wires.asks import CloseInput, Envelope, Input, Malformed, Resize, Signal, Skip, Stop, Unusable


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ('{"type": "input", "text": "yes\\n"}', Input(text="yes\n")),
        ('{"type": "input", "text": "", "id": "a"}', Input(text="", id="a")),
        ('{"type": "close-input", "id": 7}', CloseInput(id=7)),
        ('{"type": "resize", "rows": 24, "columns": 80}', Resize(rows=24, columns=80)),
        ('{"type": "stop"}', Stop()),
        ('{"type": "stop", "now": true, "id": null}', Stop(now=True)),
        ('{"type": "signal", "signal": "INT"}', Signal(signal="INT")),
        ('{"id": 1, "type": "skip"}', Skip(id=1)),
    ],
)
def test_messages(text: str, ask: asks.Any) -> None:
    """Each kind, with its type and id."""
    assert asks.parse(text) == (Envelope(asks.name_of(type(ask)), ask.id), ask)


@pytest.mark.parametrize(
    ("text", "to", "why"),
    [
        ('{"type": "reboot", "id": 3}', "reboot", "reboot"),
        ('{"type": "input", "id": 3}', "input", "text"),
        ('{"type": "input", "text": 5, "id": 3}', "input", "text"),
        ('{"type": "stop", "by": "root", "id": 3}', "stop", "by"),
        ('{"type": "resize", "rows": 0, "columns": 80, "id": 3}', "resize", "rows"),
        ('{"type": "resize", "rows": 1, "columns": 65536, "id": 3}', "resize", "columns"),
        ('{"type": "resize", "rows": 1.5, "columns": 80, "id": 3}', "resize", "rows"),
    ],
)
def test_what_cannot_be_done(text: str, to: str, why: str) -> None:
    """It is answered, by its id, with what is wrong."""
    with pytest.raises(Unusable, match=why) as caught:
        asks.parse(text)
    assert caught.value.envelope == Envelope(to, 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stop",
        "{",
        "[]",
        "null",
        '"stop"',
        "{}",
        '{"type": null}',
        '{"type": "stop", "id": 1.5}',
        '{"type": "stop", "id": {}}',
        '{"type": "stop", "id": "' + "x" * 201 + '"}',
        '{"type": "input", "text": "\\ud800"',
        '{"type": "stop"} {}',
        "[" * 100_000,
        '{"type": "stop", "x": ' + "[" * 100_000,
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_message(text: str) -> None:
    """There is nothing to answer to, so it says so."""
    with pytest.raises(Malformed):
        asks.parse(text)
