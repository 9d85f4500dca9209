"""The page's shapes, which are written by hand, beside the API's description, which is made from the source."""

import re
from pathlib import Path

import msgspec
import pytest

from tailrace.core.outcome import KINDS
from tests.system.server.serving import Serving

SHAPES = (Path(__file__).parents[3] / "frontend" / "src" / "core" / "shapes.ts").read_text()
NAMES = {
    "Run": "RunShown",
    "Asked": "SpecShown",
    "Usage": "Usage",
    "LadderStep": "LadderStep",
    "Child": "Child",
    "LinePage": "LinePage",
    "Line": "Line",
    "Hit": "Hit",
    "Command": "CommandShown",
    "Problem": "Problem",
}
"""the page's name of a shape, and the API's"""
UNUSED = {
    "Run": {"wait_status"},
    "Asked": {"grace_s", "unbuffer", "no_new_privileges", "rlimits"},
    "Line": {"inside"},
    "Command": {"takes_input"},
}
"""what the page has no use for, and so leaves alone"""
_FIELD = re.compile(r"^ {2}(\w+)\??: ", re.MULTILINE)


def _fields_of(name: str) -> set[str]:
    match = re.search(rf"^export interface {name} \{{\n(.*?)^\}}", SHAPES, re.DOTALL | re.MULTILINE)
    assert match is not None, f"shapes.ts has no interface {name}"
    return set(_FIELD.findall(match[1]))


@pytest.fixture
def schemas(serving: Serving) -> dict[str, dict[str, dict[str, object]]]:
    """Return the schemas that the server describes."""
    document = msgspec.json.decode(serving.ask("/api/openapi.json").body)
    return document["components"]["schemas"]  # type: ignore[no-any-return]  # JSON


def test_the_pages_shapes_are_the_apis(schemas: dict[str, dict[str, dict[str, object]]]) -> None:
    """Each field is there under its name, and none is new that the page does not know of."""
    for name, theirs in NAMES.items():
        told = set(schemas[theirs]["properties"])
        assert _fields_of(name) == told - UNUSED.get(name, set()), name
        assert UNUSED.get(name, set()) <= told, f"{name}: what is left out is not there any more"


def test_every_outcome_is_known() -> None:
    """Under its kind."""
    assert set(re.findall(r'\| \{ kind: "(\w+)"', SHAPES)) == set(KINDS)
