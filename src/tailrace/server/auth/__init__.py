"""Who asks, and whether he may: logins, sessions, tokens and links of a server of our own.

What lives here: what is kept of them in `auth/` of the state directory, shared by workers and restarts; and the guard,
which tells a request's caller. What may be imported: what `tailrace.server` may. What never: a decision about an
action, which is `tailrace.core.access.authorize` alone.
"""
