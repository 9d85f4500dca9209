"""The innermost ring: values, tables and codecs.

What lives here: names and shapes everybody agrees on (states, outcomes, specs, results), the timeline's codec, the
framing of every wire, and checks of input.
What may be imported: the standard library's pure parts and `msgspec`.
What never: files, sockets, clocks, threads, processes, logging. Time and randomness are passed in.
"""
