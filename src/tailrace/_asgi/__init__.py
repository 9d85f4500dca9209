"""The parts of the ASGI adapter that are no business of who uses it: `tailrace.asgi` puts them together.

What lives here: what a scope asks, how an answer is sent, and the API as an application. What may be imported: what
`tailrace.asgi` may. What never: a framework, unless it is there already: an answer to Starlette's request is a response
of Starlette's.
"""
