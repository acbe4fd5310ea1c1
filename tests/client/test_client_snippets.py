"""The Python of README and the client's page, run as it stands against the sandbox."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command_line import QUICKSTART
from demo.quickstart_account import deployed
from ringwall.demo.world import World

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/client.md")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with deployed(tmp_path_factory.mktemp("snippets")) as found:
        yield found


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_runs(
    world: World,
    bare_environment: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    page: str,
) -> None:
    for name, value in world.sandbox.environment().items():
        monkeypatch.setenv(name, value)
    shutil.copy(QUICKSTART, tmp_path / "ringwall.yaml")
    monkeypatch.chdir(tmp_path)
    before = len(world.sandbox.decisions())
    snippets = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    assert snippets
    for number, snippet in enumerate(snippets):
        exec(compile(snippet, f"{page}, snippet {number}", "exec"), {})
    asked = [str(item) for item in world.sandbox.decisions()[before:]]
    assert any("Converse" in item for item in asked)
    shown = capsys.readouterr().out
    if page == "docs/client.md":
        line = next(text.partition("# ")[2] for text in snippets[0].splitlines() if "refused.explain" in text)
        first, _, place = line.partition(" ... ")
        assert first in shown
        assert place in shown
        assert "Outcome(operation='Converse'" in shown
