"""What all tests share: nothing of the developer's AWS configuration gets in, and what was left out is said."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, and no clock: a busy machine is no failure.
settings.register_profile(
    "ringwall", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ringwall")

AWS_VARIABLES = ("AWS_", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True, scope="session")
def _no_ambient_aws():
    """Hide AWS settings of the environment for the whole run."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(AWS_VARIABLES):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    yield
    os.environ.clear()
    os.environ.update(before)


LONG_FIRST = ("demo", "sandbox", "cli", "iam", "deploy", "client")
"""Rooms whose tests take longest: two workers finish together when these start first."""


def pytest_collection_modifyitems(items):
    """Start the long ones first; within a room the order stays."""
    ranks = {name: number for number, name in enumerate(LONG_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.parent.name, len(ranks)))


def pytest_terminal_summary(terminalreporter):
    """Say at the end which tests were left out, and why."""
    reasons = {}
    for report in terminalreporter.stats.get("skipped", ()):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] = reasons.get(reason.removeprefix("Skipped: "), 0) + 1
    for reason, count in reasons.items():
        terminalreporter.write_line(f"LEFT OUT: {count} tests: {reason}")
