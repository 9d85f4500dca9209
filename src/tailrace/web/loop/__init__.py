"""Viewers in an event loop: how they wait, and how what they get is sent.

What lives here: the hall of all viewers of one loop, the bell of a broadcast that sends to all who stand at its end,
and the delivery to one of them, by ASGI's `send` or straight to a transport that the server lends. What may be
imported: what `tailrace.web` may, and asyncio. What never: a server or a framework.
"""
