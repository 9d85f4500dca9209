"""Where runs live: on this machine's disk, or on another machine, behind its server.

What lives here: the `Engine` protocol that all of them keep, the handle of one run, and a file per engine.
What may be imported: `tailrace.core`, `tailrace.host`, `tailrace.follow`.
What never: answering over HTTP, the command line. An engine is synchronous; its calls are short, or happen in a thread.
"""
