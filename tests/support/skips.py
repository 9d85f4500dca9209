"""In CI a skipped test is a failure: whatever may be missing on a desk is there, so a skip would only hide.

The one exception is a test marked `other_platform`. Put its condition into `skipif` beside the mark: a module that
skips itself as it is imported has no marks yet, and so fails.
"""

import os
from collections.abc import Generator

import pytest

EXCEPTION = "other_platform"
IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a test's skip into a failure."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _refuse_skip(report, item)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure."""
    report = yield
    _refuse_skip(report, collector)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport, node: pytest.Item | pytest.Collector) -> None:
    if IN_CI and report.outcome == "skipped" and node.get_closest_marker(EXCEPTION) is None:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not accept without the mark {EXCEPTION}:\n{report.longreprtext}"
