"""The documentation as its readers see it: pages with their generated parts, and the examples in them."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"

_FENCE = re.compile(r"^```(\S+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(r"^```\{generated\} (\S+)\n```$", re.MULTILINE)


class Example(NamedTuple):
    """A block of code in a page, and its line there."""

    page: str
    line: int
    language: str
    text: str
    caption: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


class Step(NamedTuple):
    """A command of a console example, which `> ` continues, and what it shows; `...` stands for anything."""

    command: str
    shows: str


def tables() -> ModuleType:
    """Return what generates the reference."""
    path = DOCS / "_ext" / "tables.py"
    if path.stem in sys.modules:
        return sys.modules[path.stem]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def pages() -> list[Path]:
    """Return all pages."""
    return sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)


def text_of(page: Path) -> str:
    """Return a page with what is generated into it."""
    made = tables().TABLES
    return _GENERATED.sub(lambda match: made[match[1]](), page.read_text())


def examples(page: Path, *languages: str) -> list[Example]:
    """Return the page's blocks in these languages; `{code-block} python` counts as python."""
    return [each for each in _examples(page) if each.language in languages]


def _examples(page: Path) -> Iterator[Example]:
    text = page.read_text()
    name = str(page.relative_to(ROOT))
    for match in _FENCE.finditer(text):
        language, body, caption = match[1], match[2], ""
        if language == "{code-block}":
            language = match[0].split()[1]
            options, _, body = body.partition("\n\n")
            caption = options.partition(":caption: ")[2]
        yield Example(name, text.count("\n", 0, match.start()) + 1, language, body, caption)


def steps(example: Example) -> list[Step]:
    """Return the commands of a console example with what each shows."""
    found: list[Step] = []
    for line in example.text.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], ""))
        elif line.startswith("> "):
            found[-1] = Step(f"{found[-1].command}\n{line[2:]}", "")
        else:
            found[-1] = Step(found[-1].command, f"{found[-1].shows}{line}\n")
    return found


def shows(expected: str, actual: str) -> bool:
    """Tell whether the output is as expected; `...` stands for anything."""
    parts = [re.escape(part) for part in expected.rstrip("\n").split("...")]
    return re.fullmatch(".*".join(parts), actual.rstrip("\n"), re.DOTALL) is not None
