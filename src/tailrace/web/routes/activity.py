"""How much of a run's output came when, for who draws it, or jumps to where much happened."""

from contextlib import closing

from tailrace.core.activity import BUCKETS, MOST_BUCKETS
from tailrace.web.aside import found_aside
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, json_response
from tailrace.web.routes.query import asked_of

NAMES = ("buckets", "from", "until")


def show_activity(call: Call) -> Response:
    """Return how many bytes of output came in each of so many equal stretches of time, from the run's start on.

    Whoever asks is no viewer: a run that is to end without any does so.

    Raises:
        InvalidInput: the query makes no sense.
    """
    asked, run = asked_of(call.query, "read", NAMES), call.run
    buckets = asked.number("buckets", BUCKETS, least=1, most=MOST_BUCKETS)
    begin_s = asked.seconds("from") if asked.has("from") else 0.0
    until_s = asked.seconds("until") if asked.has("until") else None

    def find() -> Response:
        with closing(run.engine.cursor(run.id, counted=False)) as cursor:
            return json_response(cursor.activity(buckets, begin_s, until_s))

    return found_aside(find)
