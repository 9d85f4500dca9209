"""What a keeper does to its command for whoever asks, besides ending it: one signal, and a terminal's size."""

import os

from tailrace.host import spawn
from tailrace.host.family import Family
from tailrace.host.messages import Reply


def signal_command(family: Family, number: int) -> Reply:
    """Send one signal to the command, and to it alone."""
    command = family.command
    if command is None or family.status is not None:
        return Reply(error="the command has ended", hint="nothing is left to send a signal to")
    try:
        os.kill(command.pid, number)
    except (OSError, OverflowError) as error:
        return Reply(error=f"the signal could not be sent: {error}", hint="see `kill -l` for the signals there are")
    return Reply()


def resize(family: Family, rows: int, columns: int) -> Reply:
    """Tell the command's terminal its size."""
    command = family.command
    if command is None or command.terminal < 0:
        return Reply(error="the run has no terminal", hint="start it with a pty")
    if not (0 < rows < 65536 and 0 < columns < 65536):
        return Reply(error="no terminal has this size", hint="rows and columns are 1 to 65535")
    spawn.set_size(command.stdout, rows, columns)
    return Reply()
