"""What all tests share: nothing of the developer's AWS configuration gets in, and what was left out is said."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache

import botocore.session
import pytest
from botocore.loaders import Loader, create_loader
from hypothesis import HealthCheck, settings

# The same examples in every run, and no clock: a busy machine is no failure.
settings.register_profile(
    "ringwall", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ringwall")

GARBAGE = (50_000, 10, 10)
"""When to look for it. Python's own choice takes a third of a test that makes clients; a command's never finds what they leave."""
TURN = sys.getswitchinterval()
gc.set_threshold(*GARBAGE)

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


@pytest.fixture(autouse=True, scope="session")
def _models_read_once():
    """Each session of the SDK reads service models for itself, EC2's in a third of a second; here one loader serves all.

    It is botocore's own, and not the one that the product shares: what that one reads is under test.
    """

    @cache
    def made(search_path: str | None) -> Loader:
        return create_loader(search_path)

    def shared(search_path: str | None = None) -> Loader:
        loader = made(search_path)
        paths = loader.search_paths
        paths[:] = dict.fromkeys(paths)  # each boto3 session adds boto3's own again
        return loader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", shared)
        yield


def pytest_collection_finish():
    """What was imported and collected stays: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup():
    """Begin as every test does: a command that ran in this process has made settings of it (ringwall.estate.frugal)."""
    gc.set_threshold(*GARBAGE)
    sys.setswitchinterval(TURN)


LONG_FIRST = (
    "test_demo_mutations", "test_cli_account", "test_deploy_crash", "test_demo_story", "test_proof_differential",
    "test_deploy_accounts", "test_audit_situations", "test_demo_breaks", "test_deploy_dropped", "test_deploy_export_findings",
    "test_controls_deployed", "test_client_coverage", "test_controls_checks", "test_sandbox_contract", "test_deploy_manifest",
)  # fmt: skip
"""Files that take longest: two workers finish together when these start first."""


def pytest_collection_modifyitems(items):
    """Start the long ones first; what is left keeps its order. (xdist's own order is by number of tests: see the Makefile.)"""
    ranks = {name: number for number, name in enumerate(LONG_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))


def pytest_terminal_summary(terminalreporter):
    """Say at the end which tests were left out, and why."""
    reasons = {}
    for report in terminalreporter.stats.get("skipped", ()):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] = reasons.get(reason.removeprefix("Skipped: "), 0) + 1
    for reason, count in reasons.items():
        terminalreporter.write_line(f"LEFT OUT: {count} tests: {reason}")
