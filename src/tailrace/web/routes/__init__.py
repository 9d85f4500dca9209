"""The API over HTTP, once for every framework: a table of routes, and the one door that leads to them.

What lives here: `table.ROUTES`, a plain function from a call to a response for each, and `door.answer`, which an
adapter calls for whatever comes: it alone asks whether the caller may, before anything is read or done. What may be
imported: what `tailrace.web` may. What never: a web framework; nor a function of a route by anything but the door.
"""
