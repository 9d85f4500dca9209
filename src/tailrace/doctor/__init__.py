"""Examinations: of the way to a server, whatever proxies stand on it, and of this host.

What lives here: asking a server for timed pieces and timing them, what follows from that, the setting that cures it;
what this host can do. What may be imported: everything but the command line and the server. What never: changing
anything, on the server or here.
"""
