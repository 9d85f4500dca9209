"""The pages that people look at: commands with a form each, the list of runs, and one run as it goes.

What lives here: HTML made of plain values, what a page's script is given, and the bundle that the build makes of
`frontend/`. Without JavaScript the forms and links work, and a run's output is shown as plain text. What may be
imported: `tailrace.core`, and responses and problems of `tailrace.web`. What never: a template language, a framework,
anything from another site, or text of a command that becomes markup.
"""
