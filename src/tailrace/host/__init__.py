"""Processes and files of this machine.

What lives here: the state directory and a run's files, the runner and its keepers, spawning, pseudo-terminals, process
trees, the stop ladder, and the messages between processes of ours. What may be imported: `tailrace.core` and the
standard library, and as little of it as possible: each keeper is a fork of the runner, so what the runner imports
every running command pays for. What never: threads, asyncio, anything of HTTP, anything that only a viewer needs.

Whoever asks a runner or a keeper waits as a viewer does (`wait`, `real`); neither of the two imports that.
"""
