"""Runs as a page shows them: a list, and one with all that is known of it."""

import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime

from tailrace.core.command import Commands
from tailrace.core.outcome import Exited, FailedToStart, Lost
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.core.words import duration, size, state
from tailrace.web.page.html import Html, element, joined


def list_of(runs: Iterable[RunInfo], root: str, commands: Commands) -> Html:
    """Return the runs, one below the other; each leads to its page."""
    rows = [_row(info, root, commands) for info in runs]
    if not rows:
        return element("p", "Nothing has run yet.", class_="none")
    return element("ul", *rows, class_="runs")


def head_of(info: RunInfo, commands: Commands) -> Html:
    """Return what is known of the run now; the page has it replaced whenever that changes."""
    facts = [joined(element("dt", name), element("dd", text)) for name, text in _facts(info)]
    return element(
        "section",
        element("h1", name_of(info, commands)),
        element("p", element("code", shlex.join(info.argv)), class_="argv"),
        element("p", _badge(info), class_="standing"),
        element("dl", *facts),
        id="head",
        data_state=str(info.state),
    )


def console_of(info: RunInfo, root: str, *, takes_input: bool) -> Html:
    """Return where the output is shown, with what can be done to a run that goes."""
    whole = f"{root}api/runs/{info.id}/output?format=text"
    stop = element("button", "Stop", type="button", id="stop", hidden=info.is_finished, class_="scripted")
    box = element("input", type="checkbox", checked=True)
    stay = element("label", box, "Stay at the end", id="stay", class_="scripted")
    tools = element(
        "div",
        stop,
        element("a", "Whole text", href=whole),
        stay,
        element("span", "", id="kept"),
        element("span", "", id="link", role="status"),
        class_="tools",
    )  # fmt: skip
    output = element("pre", "", id="output", tabindex=0, aria_label="Output", data_run=info.id, data_root=root)
    plain = element(
        "noscript",
        element("p", "Without JavaScript, follow the output as ", element("a", "plain text", href=whole), "."),
    )
    return joined(tools, plain, output, _input_of(info) if takes_input and not info.is_finished else "")


def name_of(info: RunInfo, commands: Commands) -> str:
    """Return what a run is called: its command's title, or name, or its program's."""
    declared = commands.get(info.command or "")
    if declared is not None and declared.title:
        return declared.title
    return info.command or (info.argv[0].rpartition("/")[2] if info.argv else info.id)


def _row(info: RunInfo, root: str, commands: Commands) -> Html:
    return element(
        "li",
        element(
            "a",
            element("span", name_of(info, commands), class_="name"),
            _badge(info),
            element("span", _when(info.created), class_="when"),
            element("code", shlex.join(info.argv), class_="argv"),
            href=f"{root}runs/{info.id}",
        ),
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
        case _:
            return None


def _when(at: datetime | None) -> Html:
    """Return the instant; with JavaScript, in the reader's own zone."""
    if at is None:
        return element("span", "unknown")
    return element("time", f"{at:%Y-%m-%d %H:%M:%S} UTC", datetime=at.isoformat())


def _input_of(info: RunInfo) -> Html:
    """Return the line that is typed into the command."""
    field = element("input", type="text", id="typed", autocomplete="off", spellcheck="false", aria_label="Input")
    send = element("button", "Send", type="submit")
    close = element("button", "End input", type="button", id="close", hidden=info.state is State.FINISHED)
    return element("form", field, send, close, id="input", class_="scripted")
