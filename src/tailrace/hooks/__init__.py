"""Hooks: requests that are sent, and commands that are run, when runs start and end.

What lives here: noticing what has happened, a durable outbox, sending, and the one process that does all that. What may
be imported: `tailrace.engine` and what it stands on. What never: a web framework, or the server's file.
"""
