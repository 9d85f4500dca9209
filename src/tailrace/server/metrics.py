"""`/metrics`, for Prometheus: what one process counts. Each worker has its own numbers, and answers with its own."""

import os
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from tailrace._version import __version__
from tailrace.core.states import State
from tailrace.engine.base import Engine, Query
from tailrace.web.loop.hall import Hall
from tailrace.web.loop.tally import BOUNDS_S, Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
GOING = tuple(state for state in State if state is not State.FINISHED)
MOST_RUNS = 1000
"""of one state that are counted"""


class Metrics(Collector):
    """What is told of one worker."""

    def __init__(self, engine: Engine, hall: Hall) -> None:
        self._engine = engine
        self._hall = hall
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Return everything, in Prometheus's format. It looks at the runs that go on: call it in a thread.

        Raises:
            EngineError: runs cannot be listed.
        """
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield each metric."""
        tally = self._hall.tally
        info = {"version": __version__, "worker": str(os.getpid())}
        yield InfoMetricFamily("tailrace", "What this is.", value=info)
        yield self._runs()
        viewers = GaugeMetricFamily("tailrace_viewers", "Viewers now.", labels=["wire", "path"])
        begun = CounterMetricFamily("tailrace_streams", "Streams that were begun.", labels=["wire", "path"])
        for (wire, path), count in sorted(tally.begun.items()):
            viewers.add_metric([wire, path], tally.viewers[wire, path])
            begun.add_metric([wire, path], count)
        yield viewers
        yield begun
        ends = CounterMetricFamily("tailrace_stream_ends", "Streams that have ended, and how.", labels=["how"])
        for how, count in sorted(tally.ends.items()):
            ends.add_metric([how], count)
        yield ends
        yield CounterMetricFamily("tailrace_sent_bytes", "Bytes sent to viewers.", value=tally.sent_bytes)
        yield GaugeMetricFamily("tailrace_lag_bytes", "How far the slowest viewer is behind.", value=self._lag())
        yield _histogram("tailrace_fanout_seconds", "Sending what is new to all who wait for it.", tally.fanout)
        yield _histogram("tailrace_loop_lag_seconds", "How late the event loop does what is due.", tally.loop_lag)

    def _runs(self) -> Metric:
        family = GaugeMetricFamily("tailrace_runs", "Runs that have not ended, by state.", labels=["state"])
        for state in GOING:
            page = self._engine.list(Query(state=state.value, limit=MOST_RUNS))
            family.add_metric([state.value], len(page.runs))
        return family

    def _lag(self) -> int:
        return max((delivery.lag_bytes() for delivery in list(self._hall.deliveries)), default=0)


def _histogram(name: str, text: str, found: Histogram) -> Metric:
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    buckets = list(zip(bounds, map(float, accumulate(found.counts)), strict=True))
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=found.sum_s)
