"""The pages that people look at: commands with a form each, the list of runs, and one run as it goes.

What lives here: HTML made of plain values, and the few static files that go with it. Without JavaScript the forms and
links work; with it, a run is followed. What may be imported: `tailrace.core`. What never: a template language, a
framework, anything from another site, or text of a command that becomes markup.
"""
