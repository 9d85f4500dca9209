"""What a keeper does to its command for whoever asks, besides ending it: one signal, and a terminal's size."""

import os

from tailrace.core.timeline import TerminalSize
from tailrace.host import spawn
from tailrace.host.family import Family
from tailrace.host.messages import Reply

MOST_CELLS = 65536
"""rows or columns of a terminal, and one more: tty_ioctl(4)"""


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


def resize(family: Family, size: TerminalSize) -> Reply:
    """Tell the command's terminal its size."""
    command = family.command
    if command is None or command.terminal < 0:
        return Reply(error="the run has no terminal", hint="start it with a pty")
    if not all(0 < cells < MOST_CELLS for cells in size):
        return Reply(error="no terminal has this size", hint="rows and columns are 1 to 65535")
    spawn.set_size(command.stdout, size.rows, size.columns)
    return Reply()
