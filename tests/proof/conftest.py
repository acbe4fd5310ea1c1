"""A disagreement that a test finds goes to the corpus."""

from __future__ import annotations

import pytest

from proof import differential


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep the last case of a test that failed: it is the one that the search for a smaller one ended with."""
    report = yield
    if call.when == "call":
        if call.excinfo is not None and differential.seen and "test_corpus" not in item.name:
            differential.keep(differential.seen[-1])
            report.sections.append(("corpus", f"the case was added to {differential.CORPUS.name}"))
        differential.seen.clear()
    return report
