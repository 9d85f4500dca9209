"""Following an output: waking when there is more, waiting until then, reading it with its labels.

What lives here: the watcher (one per process, whatever the number of viewers), the bell, the reader, and where lines
begin.
What may be imported: `tailrace.core`, `tailrace.host`.
What never: anything that starts, stops or changes a run, but for the index of its lines; wires; HTTP.
"""
