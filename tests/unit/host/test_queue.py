"""The runs that wait."""

from tailrace.host.queue import Queue


def test_first_come_first_served() -> None:
    """In the order in which they were heard of; hearing of one again changes nothing."""
    queue = Queue()
    for run_id, key in (("b", None), ("a", "k"), ("c", None), ("b", "other")):
        queue.add(run_id, key)
    assert queue.ids() == ["b", "a", "c"]
    assert queue.items() == [("b", None), ("a", "k"), ("c", None)]
    assert len(queue) == 3


def test_who_is_taken_out_is_out() -> None:
    """Also when there is nobody."""
    queue = Queue()
    queue.add("a", "k")
    assert queue.has_keys
    queue.remove("a")
    queue.remove("a")
    assert (len(queue), queue.has_keys) == (0, False)


def test_a_retry_keeps_its_place() -> None:
    """Or leaves, if it is not to be tried again."""
    queue = Queue()
    queue.add("a", None)
    queue.add("b", None)
    assert not queue.is_retrying
    queue.retry("a", keep_if=True)
    assert queue.is_retrying
    assert queue.ids() == ["a", "b"]
    queue.retry("a", keep_if=False)
    assert not queue.is_retrying
    assert queue.ids() == ["b"]
