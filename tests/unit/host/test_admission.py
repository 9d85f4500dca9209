"""What takes a place among the runs that there may be."""

import os
from pathlib import Path

import pytest

from tailrace.core.errors import LimitReached
from tailrace.core.limits import Quota, Scope
from tailrace.core.spec import Launch, Spec
from tailrace.engine.preparation import prepare
from tailrace.host import rundir
from tailrace.host.admission import LEDGER, Admission
from tailrace.host.room import Room
from tailrace.host.statedir import StateDir

ONE = Quota(Scope.COMMAND, running=1, queued=0)


def prepared(quota: Quota) -> tuple[Spec, Launch]:
    """Return a run of the command `build` that is not on disk yet."""
    return prepare(["true"], {"command": "build", "quotas": [quota]})


def test_a_run_that_is_just_being_made_is_known_later(tmp_path: Path) -> None:
    """Its entry is there before it is: who looks in between counts it as what it is when it has come."""
    state = StateDir(tmp_path / "state")
    admission = Admission(state)
    first, launch = prepared(ONE)
    state.add_active(first.id, None)
    with admission.one_more(prepared(ONE)[0]):
        pass
    state.remove_active(first.id)
    rundir.create(state, first, launch)
    with pytest.raises(LimitReached), admission.one_more(prepared(ONE)[0]):
        pass


def test_an_entry_without_a_run_takes_no_place(tmp_path: Path) -> None:
    """Its maker was killed before there was a run; nobody would ever give the place back."""
    state = StateDir(tmp_path / "state")
    state.add_active(prepared(ONE)[0].id, None)
    with Admission(state).one_more(prepared(Quota(Scope.ALL, running=1, queued=0))[0]):
        pass


def test_a_start_that_cannot_be_noted_does_not_happen(tmp_path: Path) -> None:
    """The ledger is written before there is a run that others would begin."""
    state = StateDir(tmp_path / "state")
    (tmp_path / "state" / f".{LEDGER}").mkdir()
    begun = []
    spec, _launch = prepared(Quota(Scope.COMMAND, starts_per_minute=5))
    with pytest.raises(IsADirectoryError), Admission(state).one_more(spec):
        begun.append(spec.id)
    assert begun == []


def test_a_place_is_kept_for_what_comes_late(tmp_path: Path) -> None:
    """What was not there when a runner first looked has its quotas when it is."""
    state = StateDir(tmp_path / "state")
    room = Room(state)
    (going, launch), (waiting, other) = prepared(ONE), prepared(ONE)
    rundir.create(state, going, launch)
    room.begin([going.id], 1)
    assert room.has(waiting.id)
    rundir.create(state, waiting, other)
    assert not room.has(waiting.id)


def test_what_is_sent_along_is_a_regular_file(tmp_path: Path) -> None:
    """A pipe would have the start, and all that wait for it, wait for its writer."""
    state = StateDir(tmp_path / "state")
    os.mkfifo(tmp_path / "pipe")
    spec, launch = prepared(ONE)
    with pytest.raises(OSError, match="regular file"):
        rundir.create(state, spec, launch, rundir.Extras(files={"0": str(tmp_path / "pipe")}))
    assert (state.active(), list((tmp_path / "state" / "runs").iterdir())) == ([], [])


def test_what_is_sent_along_is_copied_before_anybody_waits(tmp_path: Path) -> None:
    """The run is nowhere to be seen while it is written; placing it only gives it its name, and its entry."""
    state = StateDir(tmp_path / "state")
    (tmp_path / "sent").write_bytes(b"abc")
    spec, launch = prepared(ONE)
    with rundir.drafted(state, spec, launch, rundir.Extras(files={"0": str(tmp_path / "sent")})) as draft:
        assert state.active() == []
        (copy,) = (tmp_path / "state" / "runs").glob(f".{spec.id}/files/0")
        draft.place()
        assert not copy.exists()
    assert state.active() == [spec.id]
    assert (tmp_path / "state" / "runs" / spec.id / "files" / "0").read_bytes() == b"abc"


def test_a_run_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    """Whatever was written of it goes."""
    state = StateDir(tmp_path / "state")
    rundir.create(state, *prepared(ONE))
    spec, launch = prepared(ONE)
    with pytest.raises(LimitReached), rundir.drafted(state, spec, launch), Admission(state).one_more(spec):
        pass
    assert len(list((tmp_path / "state" / "runs").iterdir())) == 1
