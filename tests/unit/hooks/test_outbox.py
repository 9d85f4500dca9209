from pathlib import Path

import pytest

from tailrace.hooks.outbox import FIRST_PAUSE_S, LONGEST_PAUSE_S, Delivery, Outbox


def delivery(name: str, *, hook: str = "h", due: float = 0.0) -> Delivery:
    """Return one."""
    return Delivery(id=name, hook=hook, event="finished", run="r", since=0.0, body="{}", due=due)


def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    """The oldest first, each hook for itself; what was removed is gone."""
    first = Outbox(str(tmp_path / "outbox"))
    for name, hook in (("b", "h"), ("a", "h"), ("c", "other")):
        first.put(delivery(name, hook=hook))
    first.remove("a")
    first.close()
    second = Outbox(str(tmp_path / "outbox"))
    assert len(second) == 2
    assert second.next_of("h", 1.0) == delivery("b")
    assert second.next_of("other", 1.0) == delivery("c", hook="other")
    assert second.next_of("nobody", 1.0) is None
    assert second.drop_others(frozenset({"h"})) == 1
    second.close()


def test_what_is_not_due_waits(tmp_path: Path) -> None:
    """Until its time has come."""
    outbox = Outbox(str(tmp_path / "outbox"))
    outbox.put(delivery("a", due=10.0))
    assert outbox.next_of("h", 9.0) is None
    assert outbox.next_of("h", 10.0) is not None
    outbox.close()


def test_pauses_grow_to_a_bound() -> None:
    """Each failure doubles the pause."""
    found, now = delivery("a"), 0.0
    pauses = []
    for _ in range(20):
        found = found.failed(now)
        pauses.append(found.due - now)
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert found.attempts == 20


def test_what_cannot_be_read_is_dropped(tmp_path: Path) -> None:
    """Half a file of a process that died."""
    outbox = Outbox(str(tmp_path / "outbox"))
    outbox.close()
    (tmp_path / "outbox" / ".half").write_text("{")
    (tmp_path / "outbox" / "bad").write_text("{")
    again = Outbox(str(tmp_path / "outbox"))
    assert len(again) == 0
    assert list((tmp_path / "outbox").iterdir()) == []
    again.close()


def test_what_somebody_removed_stands_in_nobodys_way(tmp_path: Path) -> None:
    """The next one is told."""
    outbox = Outbox(str(tmp_path / "outbox"))
    for name in ("a", "b"):
        outbox.put(delivery(name))
    (tmp_path / "outbox" / "a").unlink()
    assert outbox.next_of("h", 1.0) == delivery("b")
    assert len(outbox) == 1
    outbox.close()


def test_what_cannot_be_read_now_is_kept(tmp_path: Path) -> None:
    """An error of the moment (no descriptor left, a disk's) is told, and forgets nothing that is still to be told."""
    outbox = Outbox(str(tmp_path / "outbox"))
    outbox.put(delivery("a"))
    kept = (tmp_path / "outbox" / "a").rename(tmp_path / "a")
    (tmp_path / "outbox" / "a").symlink_to(kept)  # which is never followed: any error of reading but that it is gone
    with pytest.raises(OSError, match="symbolic links"):
        outbox.next_of("h", 1.0)
    with pytest.raises(OSError, match="symbolic links"):
        Outbox(str(tmp_path / "outbox"))
    kept.replace(tmp_path / "outbox" / "a")
    assert outbox.next_of("h", 1.0) == delivery("a")
    outbox.close()
