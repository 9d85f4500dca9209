"""`tailrace send`: input, its end, or a signal, to a run that goes."""

import os
import sys

import click

from tailrace.cli.naming import locate
from tailrace.cli.place import anywhere_option
from tailrace.cli.values import signal_to_send
from tailrace.engine.run import Run
from tailrace.host.messages import INPUT_BYTES

STDIN = 0


@click.command("send", short_help="Send input or a signal to a run.")
@click.argument("run", metavar="ID")
@click.argument("text", required=False)
@click.option("--no-newline", "newline", is_flag=True, default=True, flag_value=False, help="Add no newline to TEXT.")
@click.option("--close", is_flag=True, help="Then end its input.")
@click.option(
    "-s", "--signal", "number", type=signal_to_send, metavar="NAME", help="Send this signal to the command: HUP, USR1."
)
@anywhere_option
def send_command(run: str, text: str | None, *, newline: bool, close: bool, number: int | None) -> int:
    """Write TEXT, and a newline, to the input of a run that was started with `--input` or `--pty`.

    Without TEXT, or with `-`, standard input is sent as it is; `--close` or `--signal` alone send only that. Returns
    when the command's pipe has taken everything.

    \b
    tailrace send last yes
    tailrace send last --close < answers.txt
    tailrace send last --signal HUP
    """
    found = locate(run)
    if number is not None:
        found.signal(number)
    if text is not None and text != "-":
        found.send(os.fsencode(text) + (b"\n" if newline else b""))
    elif text == "-" or (number is None and not (close and _has_no_input())):
        _send_stdin(found)
    if close:
        found.close_input()
    return 0


def _has_no_input() -> bool:
    """Tell whether standard input is a terminal, at which nobody was asked to type."""
    return sys.stdin is None or os.isatty(STDIN)


def _send_stdin(run: Run) -> None:
    while data := os.read(STDIN, INPUT_BYTES):
        run.send(data)
