"""The audit's files: who did what, a JSON object a line, in the order in which it happened.

What lives here: appending lines from any number of processes, rotating without losing one, reading them back. What may
be imported: `tailrace.core`. What never: a request, or what is worth a line; `tailrace.web` decides that.
"""
