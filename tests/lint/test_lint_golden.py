"""What the compiler writes for the quickstart passes its own linter."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringwall import perimeter
from ringwall.controls.compile import compile_estate
from ringwall.estate.codec import dumps
from ringwall.estate.references import bind, placeholders
from ringwall.lint import lint_file, lint_text

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "ringwall.yaml"


@pytest.fixture(scope="module")
def desired():
    return compile_estate(perimeter.load(QUICKSTART))


@pytest.mark.parametrize("bound", [True, False], ids=["bound", "with references"])
def test_compiled_policies_have_no_errors_and_no_warnings(desired, bound):
    estate = bind(desired, placeholders(desired)) if bound else desired
    # The operator has bedrock:* by declaration: the example shows that the organization's policies hold even then.
    estate = estate.with_resources(item for item in estate if item.id != "role/operator")
    text = dumps(estate)
    found = [item for item in lint_text(text, file="estate.json") if item.severity in {"error", "warning"}]
    assert [(item.rule, text.splitlines()[item.line - 1].strip(), item.message) for item in found] == []


def test_the_operator_of_the_quickstart_is_reported(desired):
    operator = desired.with_resources(item for item in desired if item.id == "role/operator")
    rules = {item.rule for item in lint_text(dumps(operator), file="estate.json")}
    assert rules == {"wildcard-action", "wildcard-resource"}


def test_the_declaration_of_the_quickstart_is_clean():
    assert lint_file(QUICKSTART) == ()
