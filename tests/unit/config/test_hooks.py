from pathlib import Path

import pytest

from tailrace.config.load import load
from tailrace.core.audit import Audit
from tailrace.core.errors import InvalidValues
from tailrace.core.hook import Hook

GOOD = 'name = "a"\nurl = "https://a.example/in"\nsecret_env = "S"\n'


def loaded(tmp_path: Path, text: str) -> tuple[Audit, tuple[Hook, ...]]:
    """Return what a file says."""
    (tmp_path / "tailrace.toml").write_text(text)
    config = load(tmp_path / "tailrace.toml")
    return config.audit, config.hooks


def test_they_are_read(tmp_path: Path) -> None:
    """With paths from the file's directory, durations and sizes."""
    audit, hooks = loaded(
        tmp_path,
        f'[audit]\nfile = "a.jsonl"\nmax_bytes = "1M"\nviews = true\n[[hooks]]\n{GOOD}timeout = "1m"\n'
        '[[hooks]]\nname = "b"\nargv = ["true"]\n',
    )
    assert audit == Audit(file=str(tmp_path / "a.jsonl"), max_bytes=1 << 20, views=True)
    assert hooks == (
        Hook(name="a", url="https://a.example/in", secret_env="S", timeout=60.0),
        Hook(name="b", argv=("true",)),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"[[hooks]]\n{GOOD}on = []", "on is empty"),
        (f'[[hooks]]\n{GOOD}on = ["ended"]', "on"),
        (f'[[hooks]]\n{GOOD}argv = ["true"]', "url and argv exclude each other"),
        ('[[hooks]]\nname = "a"', "url and argv exclude each other"),
        (f"[[hooks]]\n{GOOD}[[hooks]]\n{GOOD}", "as of another hook"),
        ('[[hooks]]\nname = "A b"\nargv = ["true"]', "name cannot be 'A b'"),
        (f"[[hooks]]\n{GOOD}timeout = 0", "timeout cannot be 0"),
        (f"[[hooks]]\n{GOOD.replace('https', 'http')}", "url is not encrypted"),
        (f"[[hooks]]\n{GOOD.replace('a.example', 'u:p@a.example')}", "has a user or a fragment"),
        (f"[[hooks]]\n{GOOD.replace('https://a.example', 'file:///etc')}", "url cannot be"),
        (f"[[hooks]]\n{GOOD.replace('/in', '/in put')}", "url cannot be"),
        ('[[hooks]]\nname = "a"\nurl = "https://a.example"', "secret_env is needed"),
        (f"[[hooks]]\n{GOOD}colour = 1", "colour means nothing here"),
        ("hooks = 1", "hooks must be tables"),
        ("[audit]\nkeep = 0", "audit.keep is 0"),
        ("[audit]\nmax_bytes = 1", "audit.max_bytes is 1"),
        ('[audit]\non_failure = "panic"', "audit.on_failure cannot be 'panic'"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, told: str) -> None:
    """With what to do."""
    with pytest.raises(InvalidValues) as caught:
        loaded(tmp_path, text)
    assert told in caught.value.message
    assert all(fault.hint for fault in caught.value.faults)
