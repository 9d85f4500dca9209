"""The parts of the Flask adapter that are no business of who uses it: `tailrace.flask` puts them together.

What lives here: settings out of an application's configuration, the blueprint, the commands of `flask tailrace`. What
may be imported: Flask, and what `tailrace.flask` may. What never: the command line, which is an outer ring; it is
named as a string, and only loaded in a process that was asked for it.
"""
