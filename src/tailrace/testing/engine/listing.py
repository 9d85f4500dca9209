"""Listing: newest first, filtered, page by page."""
# ruff: noqa: S101  (these are tests)

from datetime import UTC, datetime, timedelta

import pytest

from tailrace.core.errors import InvalidInput
from tailrace.core.states import State
from tailrace.engine.base import Engine, Query
from tailrace.testing.engine.viewer import cat, ended, shell

LATER = datetime(2026, 11, 27, tzinfo=UTC)


def listed(engine: Engine, **query: str | int | datetime | tuple[str, ...] | dict[str, str] | None) -> list[str]:
    """Return the ids that a query gives."""
    return [info.id for info in engine.list(Query(**query)).runs]  # type: ignore[arg-type]


class ListingContract:
    """`list`."""

    def test_a_new_engine_has_no_runs(self, engine: Engine) -> None:
        """An empty page has no next one."""
        page = engine.list(Query())
        assert (page.runs, page.next) == ((), None)

    def test_runs_come_newest_first_live_or_not(self, engine: Engine) -> None:
        """Finished, going and waiting runs stand in one order."""
        done = shell(engine, ":")
        ended(done)
        going = cat(engine, key="k")
        waiting = cat(engine, key="k", when_busy="queue")
        runs = engine.list(Query()).runs
        assert [info.id for info in runs] == [waiting.id, going.id, done.id]
        assert [info.state for info in runs] == [State.QUEUED, State.RUNNING, State.FINISHED]

    def test_a_listed_run_is_the_run(self, engine: Engine) -> None:
        """The list gives what `get` gives."""
        run = shell(engine, "echo x; exit 3", command="c", labels={"a": "b"}, by="me")
        ended(run)
        assert engine.list(Query()).runs == (engine.get(run.id),)

    def test_a_run_is_listed_as_soon_as_it_has_started(self, engine: Engine, elsewhere: Engine) -> None:
        """Nobody has to wait for an index, here or in another process."""
        for _ in range(10):
            run = shell(engine, ":")
            assert listed(elsewhere, limit=1) == [run.id]
            ended(run)
            assert listed(elsewhere, limit=1, state="finished") == [run.id]

    def test_filters_by_state_and_outcome(self, engine: Engine) -> None:
        """A state, or the kind of an outcome."""
        good, bad, broken = shell(engine, ":"), shell(engine, "kill -9 $$"), engine.start(["/no/such"])
        for run in (good, bad, broken):
            ended(run)
        going = cat(engine)
        assert listed(engine, state="finished") == [broken.id, bad.id, good.id]
        assert listed(engine, state="exited") == [good.id]
        assert listed(engine, state="signaled") == [bad.id]
        assert listed(engine, state="failed_to_start") == [broken.id]
        assert listed(engine, state="running") == [going.id]
        assert listed(engine, state="queued") == []
        assert listed(engine, state="lost") == []

    def test_filters_by_command_and_labels(self, engine: Engine) -> None:
        """All that is asked for must fit; a name alone, or a part of a value, does not."""
        one = shell(engine, ":", command="build", labels={"team": "a", "branch": "main"})
        two = shell(engine, ":", command="test", labels={"team": "a"})
        bare = shell(engine, ":")
        for run in (one, two, bare):
            ended(run)
        live = cat(engine, command="test", labels={"team": "b"})
        assert listed(engine, command="test") == [live.id, two.id]
        assert listed(engine, command="tes") == []
        assert listed(engine, labels={"team": "a"}) == [two.id, one.id]
        assert listed(engine, labels={"team": "a", "branch": "main"}) == [one.id]
        assert listed(engine, labels={"team": "b"}) == [live.id]
        assert listed(engine, labels={"team": ""}) == []
        assert listed(engine, command="build", state="exited", labels={"team": "a"}) == [one.id]

    def test_one_of_several_states_is_enough(self, engine: Engine) -> None:
        """States and kinds of outcomes together; finished ones of any kind with `finished`."""
        good, bad = shell(engine, ":"), shell(engine, "kill -9 $$")
        for run in (good, bad):
            ended(run)
        going = cat(engine)
        assert listed(engine, state=("exited", "signaled")) == [bad.id, good.id]
        assert listed(engine, state=("running", "exited")) == [going.id, good.id]
        assert listed(engine, state=("finished", "queued")) == [bad.id, good.id]
        assert listed(engine, state=("running", "stopping")) == [going.id]

    def test_filters_by_who_asked(self, engine: Engine) -> None:
        """Exactly this name, of live runs and finished ones."""
        anns, bobs, nobodys = shell(engine, ":", by="ann"), shell(engine, ":", by="bob"), shell(engine, ":")
        for run in (anns, bobs, nobodys):
            ended(run)
        going = cat(engine, by="ann")
        assert listed(engine, by="ann") == [going.id, anns.id]
        assert listed(engine, by="bob", state="exited") == [bobs.id]
        assert listed(engine, by="an") == []

    def test_text_is_found_in_whatever_case(self, engine: Engine) -> None:
        """In the command's name, the arguments as one types them, labels, who asked, and the id; of live runs too.

        What is looked for has a letter that no id has.
        """
        one = engine.start(["echo", "Größe", "two words"], command="Build", labels={"branch": "Main"}, by="Lou")
        two = engine.start(["echo", "other"])
        for run in (one, two):
            ended(run)
        going = cat(engine, labels={"note": "größe"})
        for text in ("build", "ECHO größe", "TWO WORDS", "branch=main", "LOU", one.id, one.id[-16:].upper()):
            assert one.id in listed(engine, q=text), text
            assert two.id not in listed(engine, q=text), text
        assert listed(engine, q="GRÖẞE") == [going.id, one.id]
        assert listed(engine, q="") == [going.id, two.id, one.id]
        assert listed(engine, q="echo", by="Lou") == [one.id]
        assert listed(engine, q="100%_'") == []

    def test_filters_by_when_a_run_was_created(self, engine: Engine) -> None:
        """From one instant on, before another, in any zone; to the microsecond."""
        runs = [shell(engine, ":") for _ in range(3)]
        for run in runs:
            ended(run)
        first, second, third = (run.id for run in runs)
        at = engine.get(second).created
        assert at is not None
        assert listed(engine, since=at) == [third, second]
        assert listed(engine, until=at.astimezone()) == [first]
        assert listed(engine, since=at, until=at + timedelta(microseconds=1)) == [second]
        assert listed(engine, since=datetime(1, 1, 1, tzinfo=UTC)) == [third, second, first]
        assert listed(engine, since=datetime(9999, 12, 31, tzinfo=UTC)) == []
        assert listed(engine, since=at, cursor=third) == [second]

    def test_how_many_there_are_is_told_if_wanted(self, engine: Engine) -> None:
        """On the first page, where it can be known; where the page has all, it is their number."""
        for run in [shell(engine, ":", command="c") for _ in range(3)]:
            ended(run)
        going = cat(engine, command="solo")
        assert engine.list(Query(limit=2, total=True)).total == 4
        assert engine.list(Query(limit=2, total=True, command="c")).total == 3
        assert engine.list(Query(limit=2, total=True, state=("exited", "running"))).total == 4
        assert engine.list(Query(limit=9, total=True, q="solo")).total == 1
        assert engine.list(Query(limit=2, total=True, cursor=going.id)).total is None

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 1000])
    def test_pages_hold_every_run_once(self, engine: Engine, limit: int) -> None:
        """Going from cursor to cursor gives all, in order, whatever the pages' length; the last has no next."""
        runs = [cat(engine), *(shell(engine, ":") for _ in range(5)), cat(engine)]
        for run in runs[1:-1]:
            ended(run)
        found, cursor = [], None
        for _ in range(len(runs) + 1):
            page = engine.list(Query(limit=limit, cursor=cursor))
            assert len(page.runs) <= limit
            found += [info.id for info in page.runs]
            cursor = page.next
            if cursor is None:
                break
        assert found == [run.id for run in reversed(runs)]

    def test_new_runs_do_not_disturb_a_reader_of_pages(self, engine: Engine) -> None:
        """A cursor stays where it is: what is started meanwhile is newer than the first page."""
        runs = [shell(engine, ":") for _ in range(4)]
        for run in runs:
            ended(run)
        first = engine.list(Query(limit=2))
        ended(shell(engine, ":"))
        second = engine.list(Query(limit=2, cursor=first.next))
        assert [info.id for info in (*first.runs, *second.runs)] == [run.id for run in reversed(runs)]

    @pytest.mark.parametrize(
        "query",
        [
            Query(state="nope"),
            Query(state=""),
            Query(limit=0),
            Query(limit=-1),
            Query(limit=10**9),
            Query(cursor="../x"),
            Query(cursor=""),
            Query(state=("exited", "nope")),
            Query(q="a\nb"),
            Query(q="x" * 201),
            Query(by="\0"),
            Query(since=LATER, until=LATER),
            Query(since=LATER, until=LATER - timedelta(days=1)),
        ],
        ids=repr,
    )
    def test_a_query_that_makes_no_sense_is_refused(self, engine: Engine, query: Query) -> None:
        """With a hint; never an empty page that looks like an answer."""
        with pytest.raises(InvalidInput) as caught:
            engine.list(query)
        assert caught.value.hint
