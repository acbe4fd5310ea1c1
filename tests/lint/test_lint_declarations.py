"""What is said of a valid declaration: where its guardrail lets pass what it finds."""

from __future__ import annotations

import re

import pytest

from perimeter.test_perimeter_loader import BASE
from ringwall.lint import lint_text
from ringwall.lint.rules import rule

SLUG = "guardrail-only-detects"
EXAMPLE = re.compile(r"^## (Bad|Good)\n\n```yaml\n(.*?)```", re.MULTILINE | re.DOTALL)
STRONG = "guardrail:\n  strength: high\n"


def said(guardrail: str, more: str = "") -> list[tuple[int, int, str]]:
    found = lint_text(BASE.replace(STRONG, guardrail, 1) + more, file="ringwall.yaml")
    assert {(item.rule, item.severity) for item in found} <= {(SLUG, "warning")}, found
    return [(item.line, item.column, item.message) for item in found]


def test_the_examples_of_its_page():
    examples = dict(EXAMPLE.findall(rule(SLUG).page))
    assert said(examples["Bad"]) == [
        (10, 22, "guardrail.actions.INSULTS: INSULTS is only reported: it passes"),
        (11, 24, "guardrail.pii.EMAIL.input: EMAIL is only reported in prompts: it passes"),
    ]
    assert said(examples["Good"]) == []


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        ("actions: {HATE: ignore}", "guardrail.actions.HATE", "HATE is not looked for"),
        ("topics: [{name: t, definition: d, action: {output: detect}}]", "guardrail.topics[0].action.output", "topic t is only reported in answers"),
        ("words: [a, {text: b, action: detect}]", "guardrail.words[1].action", "word b is only reported"),
        ("profanity: {input: ignore, output: block}", "guardrail.profanity.input", "profanity is not looked for in prompts"),
        ("pii: {NAME: {input: ignore, output: ignore}}", "guardrail.pii.NAME", "NAME is not looked for"),
        ("regexes: [{name: r, pattern: x, action: {input: detect, output: ignore}}]", "guardrail.regexes[0].action.input", "pattern r is only reported in prompts"),
        ("grounding: {threshold: 0.7, action: detect}", "guardrail.grounding.action", "an answer without grounding is only reported"),
        ("relevance: {threshold: 0.7, action: ignore}", "guardrail.relevance.action", "an answer without relevance is not looked for"),
    ],
)  # fmt: skip
def test_every_policy(line, place, words):
    first, *rest = said(f"{STRONG}  {line}\n")
    assert first[0] == 10
    assert first[2] == f"{place}: {words}: it passes"
    assert len(rest) == ("regexes" in line)


@pytest.mark.parametrize(
    "line",
    ["words: [a, {text: b}]", "profanity: allow", "pii: {NAME: {output: anonymize}}", "grounding: {threshold: 0.7}"],
)  # fmt: skip
def test_what_blocks_or_masks_is_left_alone(line):
    assert said(f"{STRONG}  {line}\n") == []


def test_environments_and_other_guardrails_count_at_their_own_places():
    more = (
        "other_guardrails: [{name: o, words: [{text: w, action: detect}]}]\n"
        "environments:\n  dev:\n    guardrail: {profanity: detect}\n"
    )
    assert [(line, words.split(":")[0]) for line, _, words in said(STRONG, more)] == [
        (15, "other_guardrails[0].words[0].action"),
        (18, "guardrail.profanity"),
    ]


def test_of_a_declaration_with_mistakes_the_mistakes_are_said():
    text = BASE.replace(STRONG, f"{STRONG}  actions: {{HATE: detect}}\n  wrods: [a]\n")
    assert {item.rule for item in lint_text(text, file="ringwall.yaml")} == {"declaration-mistake"}
