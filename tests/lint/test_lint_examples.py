"""Every rule's page shows a bad and a good example: the rule says so of exactly those."""

from __future__ import annotations

import re
from datetime import date

import pytest

from ringwall.lint import POLICY_TYPES, lint_text, registry

_EXAMPLE = re.compile(r"^## (Bad|Good)\n\n```json ([a-z0-9-]+)\n(.*?)\n```", re.MULTILINE | re.DOTALL)
TODAY = date(2026, 11, 23)
ABOUT_DECLARATIONS = {"declaration-mistake", "guardrail-only-detects"}
RULES = [rule for rule in registry() if rule.slug not in ABOUT_DECLARATIONS | {"policy-too-large"}]


def examples(rule):
    found = {heading: (kind, text) for heading, kind, text in _EXAMPLE.findall(rule.page)}
    assert set(found) == {"Bad", "Good"}, f"{rule.slug}: the page needs one bad and one good example"
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_the_bad_example_is_reported(rule):
    kind, text = examples(rule)["Bad"]
    assert kind in POLICY_TYPES
    mine = [item for item in lint_text(text, policy_type=kind, today=TODAY) if item.rule == rule.slug]
    assert mine
    assert all(item.severity in {"error", "warning"} and item.message for item in mine)
    assert all((item.line, item.column) >= (1, 1) for item in mine)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_the_good_example_has_nothing_to_say(rule):
    kind, text = examples(rule)["Good"]
    assert lint_text(text, policy_type=kind, today=TODAY) == ()


def test_slugs_are_the_modules_names_and_pages_have_their_headings():
    slugs = [rule.slug for rule in registry()]
    assert len(slugs) == len(set(slugs))
    for rule in registry():
        assert rule.page.splitlines()[0].endswith((".", "world.")), rule.slug
        for heading in ("## What it finds", "## Why", "## Bad", "## Good"):
            assert heading in rule.page, rule.slug
