"""What a declaration may say and what protects less than it looks: no mistakes, but nothing to overlook either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringwall.perimeter.finding import Data, Finding, Path, guardrails, items, mapping

PASSING = ("detect", "ignore")
SIDES = {"input": "prompts", "output": "answers"}
LISTED = {"topics": ("topic", "name"), "words": ("word", "text"), "regexes": ("pattern", "name")}
"""Lists of a guardrail whose items have an action, what an item is, and what names it."""
NAMED = ("actions", "pii")
"""Mappings of a guardrail from names to actions."""
CHECKS = ("grounding", "relevance")


def cautions(data: Data) -> Iterator[Finding]:
    """Wherever a guardrail finds something and lets it pass: ``detect`` reports it, ``ignore`` does not look for it."""
    for path, guardrail in guardrails(data):
        for where, name, action in _declared(guardrail):
            for side, done in _passing(action).items():
                at = (*path, *where, side) if side else (*path, *where)
                words = "is not looked for" if done == "ignore" else "is only reported"
                yield at, f"{name} {words}{f' in {SIDES[side]}' if side else ''}: it passes"


def _declared(guardrail: Mapping[str, Any]) -> Iterator[tuple[Path, str, Any]]:
    """Each action that is declared, where it stands, and what it is about."""
    for field in NAMED:
        for name, action in mapping(guardrail, field).items():
            yield (field, name), name, action
    for field, (what, called) in LISTED.items():
        for index, item in enumerate(items(guardrail.get(field))):
            one = mapping(item)
            yield (field, index, "action"), f"{what} {one.get(called)}", one.get("action")
    yield ("profanity",), "profanity", guardrail.get("profanity")
    for field in CHECKS:
        check = mapping(guardrail, field)
        yield (field, "action"), f"an answer without {field}", check.get("action")


def _passing(action: Any) -> dict[str, str]:
    """By side, the action that lets through what is found; under no side where both have the same."""
    if not isinstance(action, Mapping):
        return {"": action} if action in PASSING else {}
    left = {side: action[side] for side in SIDES if action.get(side) in PASSING}
    same = len(left) == len(SIDES) and len(set(left.values())) == 1
    return {"": left["input"]} if same else left
