import msgspec
import pytest

from tailrace.engine.remote.parameters import Declared, typed

SCHEMA = b"""{"name": "x", "title": "X", "parameters": {"type": "object", "properties": {
    "n": {"type": "integer", "minimum": 1}, "x": {"type": ["number", "null"]}, "b": {"type": "boolean"},
    "s": {"type": "string"}, "many": {"type": "array"}, "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    "choice": {"enum": ["a", "b"]}}}}"""


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["n=5"], {"n": 5}),
        (["n=-5"], {"n": -5}),
        (["n=five"], {"n": "five"}),
        (["n="], {"n": ""}),
        (["n=true"], {"n": "true"}),
        (["x=0.5"], {"x": 0.5}),
        (["b=true"], {"b": True}),
        (["b=No"], {"b": "No"}),
        (["s=5"], {"s": "5"}),
        (["s=true"], {"s": "true"}),
        (["maybe=7"], {"maybe": 7}),
        (["many=a"], {"many": ["a"]}),
        (["many=a", "many=b", "many=c"], {"many": ["a", "b", "c"]}),
        (["s=a", "s=b"], {"s": ["a", "b"]}),
        (["choice=a", "unknown=1"], {"choice": "a", "unknown": "1"}),
        ([], {}),
    ],
)
def test_values_have_the_types_of_their_parameters(texts: list[str], values: dict[str, object]) -> None:
    """What does not fit goes as it was typed, for the server to refuse."""
    schema = msgspec.json.decode(SCHEMA, type=Declared).parameters
    pairs = [(name, value) for name, _sign, value in (text.partition("=") for text in texts)]
    assert typed(pairs, schema) == values


def test_a_server_that_tells_less_is_enough() -> None:
    """Without a schema all values are texts."""
    assert typed([("n", "5")], msgspec.json.decode(b"{}", type=Declared).parameters) == {"n": "5"}
