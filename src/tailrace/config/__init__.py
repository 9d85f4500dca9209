"""The server's file: which commands may be run, and how they are served.

What lives here: reading `tailrace.toml`, laying the environment and the flags over its `[server]`, and telling of every
mistake at once, with the line where it is. What may be imported: `tailrace.core`, and `tailrace.host` for paths,
and for which limits this host can enforce.
What never: a web framework, or anything that runs a command.
"""
