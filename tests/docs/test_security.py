import re

from tests.docs.pages import DOCS, ROOT

PAGE = DOCS / "explanation" / "security.md"


def test_what_shows_it_is_there() -> None:
    """Each test that the page on security names is a test, and each attack has one."""
    text = PAGE.read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) > 40
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or (name and f"def {name}(" not in (ROOT / path).read_text())
    ]
    assert missing == []
    rows = [line for line in text.splitlines() if line.startswith("| ") and "tests/" not in line]
    assert rows == ["| attack | tests |"]


def test_each_attack_is_on_the_page() -> None:
    """No file of attacks is left out."""
    text = PAGE.read_text()
    files = [path.name for path in (ROOT / "tests" / "system" / "security").glob("test_*.py")]
    assert [name for name in files if f"tests/system/security/{name}" not in text] == []
