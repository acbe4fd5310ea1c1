"""Values that a template fills in later: CloudFormation's functions, Terraform's expressions, an Estate's references.

What cannot be known before deployment becomes the character :data:`HOLE`; rules take it for any text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HOLE = "\ue000"
"""Stands for text that is not known yet; a private-use character, so that no policy holds it."""

_SUB = re.compile(r"\$\{(!?)([^{}]*)\}")
_EXPRESSION = re.compile(r"\$?\$\{([^{}]*)\}")
_POLICY_VARIABLE = re.compile(r"\s*[A-Za-z0-9.-]+:[^:]")


def fill(value: Any, *, terraform: bool = False, substituted: bool = False) -> Any:
    """A policy document with strings in place of what a template fills in.

    Args:
        value: the document as the template has it.
        terraform: whether Terraform's expressions may stand in its strings.
        substituted: whether its strings are text that ``Fn::Sub`` substitutes.
    """
    if isinstance(value, str):
        if substituted:
            return _substituted(value)
        return _terraform(value) if terraform else value
    if isinstance(value, list):
        return [fill(item, terraform=terraform, substituted=substituted) for item in value]
    if not isinstance(value, Mapping):
        return value
    if is_reference(value):
        return _function(value)
    return {key: fill(item, terraform=terraform, substituted=substituted) for key, item in value.items()}


def is_reference(value: Any) -> bool:
    """Whether an object is a function of CloudFormation or a reference of an Estate."""
    if not isinstance(value, Mapping) or not value:
        return False
    if "$ref" in value:
        return set(value) <= {"$ref", "attribute"}
    name = next(iter(value))
    return len(value) == 1 and isinstance(name, str) and (name == "Ref" or name.startswith("Fn::"))


def _function(value: Mapping[str, Any]) -> str:
    name, argument = next(iter(value.items()))
    if name == "Fn::Sub":
        return _substituted(argument)
    if name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
        return _joined(argument[0], argument[1])
    return HOLE


def _substituted(argument: Any) -> str:
    text = argument[0] if isinstance(argument, list) and argument else argument
    if not isinstance(text, str):
        return HOLE
    return _SUB.sub(lambda match: f"${{{match[2]}}}" if match[1] else HOLE, text)


def _joined(separator: Any, parts: Any) -> str:
    if not isinstance(separator, str) or not isinstance(parts, list):
        return HOLE
    filled = [fill(part) for part in parts]
    return separator.join(part if isinstance(part, str) else HOLE for part in filled)


def _terraform(text: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        return match[0] if _POLICY_VARIABLE.match(match[1]) else HOLE

    return _EXPRESSION.sub(replaced, text)


def known(text: str) -> bool:
    """Whether a text is known completely."""
    return HOLE not in text
