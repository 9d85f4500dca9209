"""The JSON Schema of the file, against the files of the documentation and what the file's own reader says."""

import tomllib

import jsonschema  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from tailrace.config.access import Oidc
from tailrace.config.schema import file_schema
from tailrace.config.server import Server
from tailrace.core.access import Access, Rule
from tailrace.core.audit import Audit
from tailrace.core.command import Command
from tailrace.core.hook import Hook
from tailrace.core.limits import Allowance, Limits
from tailrace.core.parameters import TYPES
from tests.docs import pages
from tests.docs.pages import README

EXAMPLES = [each.text for page in [README, *pages.pages()] for each in pages.examples(page, "toml")]
VALIDATOR = jsonschema.Draft202012Validator(file_schema())


@pytest.mark.parametrize("text", EXAMPLES)
def test_what_the_documentation_shows_is_valid(text: str) -> None:
    """Every file of a page, and so of the reference."""
    VALIDATOR.validate(tomllib.loads(text))


def test_it_is_a_schema_that_knows_everything() -> None:
    """Each key of each section, of a command and of each type stands in it, with words."""
    jsonschema.Draft202012Validator.check_schema(file_schema())
    text = str(file_schema())
    kinds = (Server, Access, Rule, Oidc, Limits, Allowance, Audit, Hook, Command, *TYPES.values())
    assert [
        name for kind in kinds for name in kind.__struct_fields__ if f"'{name}'" not in text and name != "name"
    ] == []
    assert "at most one run of a key goes at a time" in text


@pytest.mark.parametrize(
    "text",
    [
        "[srver]\n",
        "[commands.a]\n",
        '[commands.A]\nargv = ["a"]\n',
        '[commands.a]\nargv = "a"\n',
        '[commands.a]\nargv = ["a"]\nodd = 1\n',
        '[commands.a]\nargv = ["a"]\nwhen_busy = "wait"\n',
        '[commands.a]\nargv = ["a"]\nparameters.n = { type = "nothing" }\n',
        '[commands.a]\nargv = ["a"]\nparameters.n = { type = "integer", pattern = "x" }\n',
        '[defaults]\nargv = ["a"]\n',
        "include = 1\n",
        "[access]\nown_runs = true\n",
        '[[access.rules]]\nallowed = ["*"]\n',
        '[oidc]\nissuer = "https://login.example"\n',
        "[audit]\nfiles = 1\n",
        '[[hooks]]\nargv = ["a"]\n',
        "[limits]\nmax_run = 1\n",
        "[limits.user]\nmax_memory = 1\n",
    ],
)
def test_mistakes_are_found_by_it_too(text: str) -> None:
    """What an editor underlines before anybody runs the check."""
    assert list(VALIDATOR.iter_errors(tomllib.loads(text)))
