"""Starting, and what is known of a run afterwards."""
# ruff: noqa: S101  (these are tests)

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from tailrace.core import ids
from tailrace.core.errors import InvalidInput, UnknownRun
from tailrace.core.outcome import Exited, FailedToStart, OutputLimit, Signaled, Stopped, TimedOut
from tailrace.core.spec import Stdio
from tailrace.core.states import State
from tailrace.core.timeline import Stream
from tailrace.engine.base import Engine, Query, StartOptions
from tailrace.testing.engine.viewer import TWO_STREAMS, cat, ended, left_alone, python, shell, watch, watch_until

QUICK = [("KILL", 0.0)]


class KnowingContract:
    """`get`: what is known of a run, whoever started it."""

    def test_a_run_ends_with_what_it_was(self, engine: Engine) -> None:
        """A finished run tells what was asked, how it ended, when, and how much it wrote."""
        run = shell(engine, TWO_STREAMS, command="count", labels={"team": "a"}, by="ann", cwd="/")
        info = ended(run)
        assert info == run.info() == engine.get(run.id)
        assert ids.is_id(info.id)
        assert info.argv == ("sh", "-c", TWO_STREAMS)
        assert (info.command, info.labels, info.by, info.cwd) == ("count", {"team": "a"}, "ann", "/")
        assert (info.state, info.outcome) == (State.FINISHED, Exited(0))
        assert (info.size, info.dropped, info.wait_status) == (14, 0, 0)
        assert info.created is not None
        assert info.started is not None
        assert info.ended is not None
        assert info.created <= info.started <= info.ended
        assert info.duration_s is not None
        assert info.duration_s >= 0
        assert info.usage is not None
        assert info.usage.max_rss_bytes > 0
        assert not info.lingering
        assert not info.ladder
        assert info.damage is None

    def test_a_run_is_running_until_it_ends(self, engine: Engine) -> None:
        """A run that goes says so, and how much there is already."""
        run = cat(engine)
        run.send(b"hello")
        watch_until(engine, run.id, b"hello")
        info = run.info()
        assert (info.state, info.outcome, info.ended, info.size) == (State.RUNNING, None, None, 5)
        assert info.started is not None
        assert info.last_output is not None
        assert info.last_output >= info.started
        run.close_input()
        assert ended(run).outcome == Exited(0)

    def test_the_last_output_has_its_time(self, engine: Engine) -> None:
        """Of a run that has ended, too; one that printed nothing has none."""
        silent, run = shell(engine, ":"), shell(engine, "echo a; sleep 0.2; echo b; sleep 0.2")
        assert ended(silent).last_output is None
        info = ended(run)
        assert info.started is not None
        assert info.ended is not None
        assert info.last_output is not None
        assert info.started <= info.last_output <= info.ended

    def test_what_a_run_uses_is_told_if_wanted(self, engine: Engine) -> None:
        """Of its whole tree, what was waited for included; how far that can be known, the engine decides."""
        script = (
            "import os, time\n"
            "if not os.fork():\n"
            "    while time.process_time() < 0.1: pass\n"
            "    os._exit(0)\n"
            "os.wait(); kept = bytearray(b'x' * 50_000_000); os.fork(); os.write(1, b'done'); time.sleep(100)"
        )
        run = python(engine, script, ladder=[("KILL", 0)])
        watch_until(engine, run.id, b"donedone")
        used = engine.get(run.id, usage=True).usage
        assert used is None or used.cpu_user_s + used.cpu_system_s > 0.05
        assert used is None or (used.processes == 2 and used.max_rss_bytes > 50_000_000)
        assert used is None or (used.rss_bytes is not None and used.rss_bytes > 50_000_000)
        run.stop()
        info = ended(run)
        assert info.usage == engine.get(run.id, usage=True).usage
        assert info.usage is not None
        assert info.usage.processes is None

    def test_runs_go_on_when_their_engine_is_closed(self, engine: Engine, elsewhere: Engine) -> None:
        """Closing lets go of descriptors, not of runs."""
        run = cat(elsewhere)
        elsewhere.close()
        engine.get(run.id)
        with pytest.raises(TimeoutError):
            type(run)(engine, run.id).wait(timeout=0)

    @pytest.mark.parametrize("code", [0, 1, 255])
    def test_an_exit_code_is_kept(self, engine: Engine, code: int) -> None:
        """The code is the command's own."""
        assert ended(shell(engine, f"exit {code}")).outcome == Exited(code)

    def test_a_signal_of_its_own_is_kept(self, engine: Engine) -> None:
        """A command that a signal ended, which we did not send, says so."""
        assert ended(shell(engine, "kill -USR1 $$")).outcome == Signaled(10)

    def test_a_command_that_is_not_there_fails_to_start(self, engine: Engine) -> None:
        """It is a run like any other, with an outcome and no output."""
        run = engine.start(["/no/such/program"])
        info = ended(run)
        assert isinstance(info.outcome, FailedToStart)
        assert info.outcome.exit_code == 127
        assert (info.size, info.wait_status, info.started) == (0, None, None)
        assert watch(engine, run.id).data == b""

    def test_both_limits_of_time_end_a_run(self, engine: Engine) -> None:
        """The wall clock counts from the start, the idle limit from the last output."""
        wall = cat(engine, timeout=0.2, ladder=QUICK)
        idle = cat(engine, idle_timeout=0.2, ladder=QUICK)
        assert ended(wall).outcome == TimedOut("wall")
        assert ended(idle).outcome == TimedOut("idle")

    def test_a_run_that_nobody_watches_can_be_ended(self, engine: Engine) -> None:
        """It goes on while there is a viewer, and is stopped some time after the last has left."""
        script = "for i in 1 2 3 4; do echo $i; sleep 0.3; done; echo up; exec sleep 600"
        run = shell(engine, script, unwatched_timeout=0.5, ladder=QUICK)
        assert watch_until(engine, run.id, b"up\n").data == b"1\n2\n3\n4\nup\n"
        assert left_alone(engine, run.id).outcome == Stopped("the absence of viewers")

    def test_the_output_limit_ends_a_run(self, engine: Engine) -> None:
        """With `stop`, the first bytes are kept and the run is stopped."""
        run = engine.start(["yes"], max_output=1000, ladder=QUICK)
        seen = watch(engine, run.id)
        assert seen.end is not None
        assert (seen.end.outcome, seen.end.size) == (OutputLimit(), 1000)
        assert seen.data == b"y\n" * 500
        assert seen.end.dropped > 0

    def test_the_output_limit_truncates(self, engine: Engine) -> None:
        """With `truncate`, the run goes on, and what is not kept is counted and shown as one gap."""
        run = shell(engine, "head -c 3000 /dev/zero; exit 5", max_output=1000, on_max_output="truncate")
        seen = watch(engine, run.id)
        assert seen.end is not None
        assert (seen.end.outcome, seen.end.size, seen.end.dropped) == (Exited(5), 1000, 2000)
        assert [(gap.begin, gap.end) for gap in seen.gaps] == [(1000, 3000)]
        assert seen.data == bytes(1000)

    @pytest.mark.parametrize(
        "run_id", ["", "x", "..", "../runs", "0" * 27, "0" * 28, "A" * 27, "0" * 26 + "\0", "0/" * 14]
    )
    def test_what_is_no_run_is_unknown(self, engine: Engine, run_id: str) -> None:
        """Whatever is asked of it, and whatever its shape."""
        for ask in (engine.get, engine.spec, engine.cursor):
            with pytest.raises(UnknownRun) as caught:
                ask(run_id)
            assert caught.value.hint


class StartingContract:
    """`start` and `spec`."""

    def test_another_engine_of_the_same_place_sees_the_run(self, engine: Engine, elsewhere: Engine) -> None:
        """Runs belong to the place, not to who started them."""
        run = shell(engine, TWO_STREAMS)
        assert watch(elsewhere, run.id).of(Stream.STDERR) == b"two\n"
        assert elsewhere.get(run.id) == ended(run)
        assert elsewhere.spec(run.id) == engine.spec(run.id)

    def test_ids_sort_in_the_order_of_starting(self, engine: Engine) -> None:
        """Ids are sortable by time, also within one microsecond."""
        made = [engine.start(["true"]).id for _ in range(10)]
        assert made == sorted(set(made))

    def test_environment_and_directory_are_what_was_asked(self, engine: Engine, tmp_path: Path) -> None:
        """Variables are added and taken, and the directory is entered."""
        run = shell(engine, 'echo "$A|${HOME-none}|$PWD"', env={"A": "x=y z", "HOME": None}, cwd=str(tmp_path))
        assert watch(engine, run.id).data.decode() == f"x=y z|none|{tmp_path}\n"

    def test_nothing_is_inherited_where_nothing_may_be(self, engine: Engine) -> None:
        """Without `inherit_env` a command has what it was given, and our mark."""
        code = "import os; print(sorted(set(os.environ) - {'LC_CTYPE', 'PYTHONUNBUFFERED'}))"
        run = python(engine, code, inherit_env=False, env={"A": "1"})
        assert watch(engine, run.id).data == b"['A', 'TAILRACE_RUN']\n"

    def test_the_spec_names_variables_and_hides_their_values(self, engine: Engine) -> None:
        """A spec is public: names, no values."""
        run = shell(
            engine, ":", env={"TOKEN": "s3cret"}, timeout=60, pty=True, rows=30, labels={"a": "b"}, key="k", origin="r"
        )
        spec = engine.spec(run.id)
        assert spec.id == run.id
        assert spec.argv == ("sh", "-c", ":")
        assert "TOKEN" in spec.env
        assert "s3cret" not in repr(spec)
        assert (spec.stdio, spec.rows, spec.columns, spec.timeout_s) == (Stdio.PTY, 30, 80, 60)
        assert (spec.labels, spec.key, spec.origin) == ({"a": "b"}, "k", "r")
        ended(run)

    @pytest.mark.parametrize("argv", ["ls -l", b"ls", [], [""], ["a\0b"], [1], None], ids=repr)
    def test_an_argv_that_is_none_is_refused(self, engine: Engine, argv: object) -> None:
        """Lists of text only, and never one string; nothing is started."""
        with pytest.raises(InvalidInput) as caught:
            engine.start(cast("Sequence[str]", argv))
        assert caught.value.hint
        assert engine.list(Query()).runs == ()

    @pytest.mark.parametrize(
        "options",
        [
            {"timeout": 0},
            {"timeout": float("nan")},
            {"idle_timeout": -1},
            {"max_output": -1},
            {"max_output": 1.5},
            {"on_max_output": "explode"},
            {"ladder": []},
            {"ladder": [("NOPE", 1)]},
            {"ladder": [("INT", -1)]},
            {"ladder": 7},
            {"env": {"": "x"}},
            {"env": {"a=b": "x"}},
            {"env": {"a": "x\0y"}},
            {"cwd": "a\0b"},
            {"labels": {"": "x"}},
            {"labels": {"a": "x\n"}},
            {"labels": {str(n): "x" for n in range(33)}},
            {"rlimits": {"NOPE": 1}},
            {"rlimits": {"NOFILE": -1}},
            {"rows": 0},
            {"columns": 65536},
            {"grace": -1},
            {"pty": True, "merge": True},
            {"key": ""},
            {"by": "a\nb"},
            {"when_busy": "explode"},
            {"no_such_option": 1},
        ],
        ids=repr,
    )
    def test_options_that_make_no_sense_are_refused(self, engine: Engine, options: StartOptions) -> None:
        """Each with a hint, and nothing is started."""
        with pytest.raises(InvalidInput) as caught:
            engine.start([sys.executable], **options)
        assert caught.value.hint
        assert engine.list(Query()).runs == ()
