"""Runs as a page shows them: a list, and one with all that is known of it."""

import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime

from tailrace.core.command import Commands
from tailrace.core.outcome import Exited, FailedToStart, Lost, OutputLimit, Stopped, TimedOut, describe
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.core.words import duration, size, state
from tailrace.web.page.html import Html, element, joined

WHOLE_BYTES = 4 << 20
"""of output, up to which a browser without JavaScript gets all of it"""
LAST_LINES, PANE_LINES = 10_000, 200
"""that it gets of a longer one, and of each of several"""
MASKED = "parts of the output that equal secrets of the run: *** stands for them"
MOST_TYPED = 300
"""characters of a command in a list; nobody sees more of it in a row"""


def list_of(runs: Iterable[RunInfo], root: str, commands: Commands) -> Html:
    """Return the runs, one below the other; each leads to its page."""
    rows = [_row(info, root, commands) for info in runs]
    if not rows:
        return element("p", "Nothing has run yet.", class_="nothing")
    return element("ul", *rows, class_="runs")


def head_of(info: RunInfo, commands: Commands) -> Html:
    """Return what is known of the run now."""
    facts = [element("div", element("dt", name), element("dd", text)) for name, text in _facts(info)]
    return element(
        "header",
        element("div", element("h1", name_of(info, commands)), _badge(info), class_="title"),
        element("div", element("code", shlex.join(info.argv)), class_="command-line is-whole"),
        element("dl", *facts, class_="facts"),
        class_="head",
    )


def plain_of(info: RunInfo, root: str, *, can_stop: bool, can_type: bool) -> Html:
    """Return what stands in for the page's script: the output as it comes, as plain text, and forms.

    A browser keeps all of a text that it shows, so of a long output it gets the end, and the way to the whole.
    """
    here, whole = f"{root}runs/{info.id}", f"{root}api/runs/{info.id}/output?format=text"
    tools = element(
        "div",
        _stop_of(info, here) if can_stop and not info.is_finished else "",
        "" if info.is_finished else element("a", "How it stands now", href=here),
        element("a", "Whole text", href=whole),
        class_="plain-tools",
    )
    typed = _input_of(here) if can_type and not info.is_finished else ""
    return element("noscript", tools, _frame(info, whole, LAST_LINES if info.size > WHOLE_BYTES else None), typed)


def pane_of(info: RunInfo, root: str, commands: Commands) -> Html:
    """Return one of several runs: how it stands, and the last lines of its output."""
    whole = f"{root}api/runs/{info.id}/output?format=text"
    title = element("h2", element("a", name_of(info, commands), href=f"{root}runs/{info.id}"))
    top = element("div", _badge(info), title, class_="pane-top")
    frame = element("noscript", _frame(info, f"{whole}&follow=0", PANE_LINES))
    return element("section", top, frame, class_="pane")


def name_of(info: RunInfo, commands: Commands) -> str:
    """Return what a run is called: its command's title, or name, or its program's."""
    declared = commands.get(info.command or "")
    if declared is not None and declared.title:
        return declared.title
    return info.command or (info.argv[0].rpartition("/")[2] if info.argv else info.id)


def _row(info: RunInfo, root: str, commands: Commands) -> Html:
    link = element("a", name_of(info, commands), href=f"{root}runs/{info.id}", class_="link")
    return element(
        "li",
        _badge(info),
        element("span", link, element("code", shlex.join(info.argv)[:MOST_TYPED], class_="argv"), class_="what"),
        element("span", size(info.size) if info.size else "", class_="size"),
        element("span", "" if info.duration_s is None else duration(info.duration_s), class_="took"),
        element("span", info.by or "", class_="by"),
        element("span", _when(info.created, "%m-%d %H:%M"), class_="when"),
        class_="run" if info.is_finished else "run is-going",
    )


def _badge(info: RunInfo) -> Html:
    return element("span", state(info), class_=f"state {_look(info)}")


def _look(info: RunInfo) -> str:
    """Return how a state is to look: `going`, `good`, `bad`, `other`."""
    match info.outcome:
        case None:
            return "going"
        case Exited(0):
            return "good"
        case Exited() | FailedToStart() | Lost():
            return "bad"
        case _:
            return "other"


def _facts(info: RunInfo) -> Iterator[tuple[str, Html | str]]:
    """Yield what is known, each with its name."""
    children = ", ".join(f"{child.argv} (pid {child.pid})" for child in info.lingering)
    facts: tuple[tuple[str, Html | str | None], ...] = (
        ("Run", element("code", info.id)),
        ("Started", None if info.started is None else _when(info.started)),
        ("Took", None if info.duration_s is None else duration(info.duration_s)),
        ("Output", size(info.size) if info.is_finished else None),
        ("Not kept", size(info.dropped) if info.dropped else None),
        ("Why", _why(info)),
        ("Signals", ", ".join(step.signal for step in info.ladder)),
        ("Left behind", children),
        ("Held up by", info.held),
        ("Hint", info.hint),
        ("Hidden", MASKED if info.masked else None),
        ("By", info.by),
    )
    for name, text in facts:
        if text:
            yield name, text


def _why(info: RunInfo) -> str | None:
    match info.outcome:
        case FailedToStart(error):
            return error
        case Lost(why):
            return why
        case Stopped(limit=str()) | OutputLimit() | TimedOut():
            return describe(info.outcome)
        case _:
            return None


def _when(at: datetime | None, form: str = "%Y-%m-%d %H:%M:%S UTC") -> Html:
    """Return the instant, in this form; whole when it is pointed at."""
    if at is None:
        return element("span", "unknown")
    return element("time", at.strftime(form), datetime=at.isoformat(), title=f"{at:%Y-%m-%d %H:%M:%S} UTC")


def _frame(info: RunInfo, whole: str, lines: int | None) -> Html:
    """Return the output as plain text, in a frame that may do nothing."""
    address = whole if lines is None else f"{whole}&tail={lines}"
    told = "" if lines is None else element("p", f"The last {lines:,} lines:", class_="plain-told")
    frame = element("iframe", src=address, title=f"Output of run {info.id}", sandbox=True, class_="plain-output")
    return joined(told, frame)


def _stop_of(info: RunInfo, here: str) -> Html:
    """Return the form that stops the run; one that is stopping already has its next signal sent."""
    is_stopping = info.state is State.STOPPING
    now = element("input", type="hidden", name="now", value="1") if is_stopping else ""
    button = element("button", "Next signal now" if is_stopping else "Stop", type="submit")
    return element("form", now, button, method="post", action=f"{here}/stop", class_="plain-stop")


def _input_of(here: str) -> Html:
    """Return the form of the line that is typed into the command."""
    field = element("input", type="text", name="line", autocomplete="off", spellcheck="false", aria_label="Input")
    send = element("button", "Send", type="submit")
    close = element("button", "End input", type="submit", name="close", value="1")
    return element("form", field, send, close, method="post", action=f"{here}/input", class_="plain-input")
