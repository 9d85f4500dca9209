"""Runs on another machine, over the HTTP API of a server there.

What lives here: the server's address, requests to it and what its answers mean, its event streams, and a cursor that is
fed from one. What may be imported: what `tailrace.engine` may, and `http.client`. What never: anything that answers.
"""
