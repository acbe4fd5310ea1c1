"""The story is told once for all tests that read it."""

from __future__ import annotations

import pytest

from demo.quickstart_account import Story, told


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Every line of the story, from one run. Its sandbox is stopped already: the lines are what is left of it."""
    return told(tmp_path_factory.mktemp("story"))
