"""From requests to responses, for any web framework.

What lives here: the rules of HTTP as plain functions: which requests start a run, which only watch, what an error looks
like, and the body that follows a run. What may be imported: `tailrace.core`, `tailrace.follow`, `tailrace.engine`.
What never: a web framework. The adapters (`tailrace.flask`) translate their framework's request and response, and
decide nothing.
"""
