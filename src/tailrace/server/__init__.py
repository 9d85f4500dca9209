"""`tailrace serve`: a server of our own, on uvicorn.

What lives here: the protocol that lends its transport, the application that is served, and what starts and stops it.
What may be imported: uvicorn, and everything further in. What never: the command line.
"""
