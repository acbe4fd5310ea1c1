"""References as words inside of texts, until it is known how the format spells them.

A policy becomes JSON text in Terraform, so a reference inside of it has to survive as part of a string, and what else
looks like an interpolation (a policy variable such as ``${aws:PrincipalTag/team}``) has to be escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ringwall.estate.model import Ref, Resource

SELF = "$"
"""What an attribute of Terraform's own starts with."""
_OPENS = "\u27e6"
_LITERAL = "\u27e6|\u27e7"
"""The word for what opens words, where somebody's text has it."""
_TOKEN = re.compile("\u27e6([^\u27e6\u27e7|]+)\\|([^\u27e6\u27e7|]+)\u27e7")


def token(ref: Ref) -> str:
    """The word for a reference."""
    return f"\u27e6{ref.target}|{ref.attribute}\u27e7"


def own_attribute(resource: Resource, name: str) -> str:
    """The word by which further resources of one refer to its first."""
    return token(Ref(resource.id, f"{SELF}{name}"))


def sibling(word: Any, attribute: str) -> Any:
    """Another attribute of what a word refers to; anything else stays."""
    return _TOKEN.sub(lambda found: token(Ref(found[1], attribute)), word) if isinstance(word, str) else word


def with_tokens(value: Any) -> Any:
    """A property value with words in place of references, and nothing else that could be taken for one."""
    if isinstance(value, Ref):
        return token(value)
    if isinstance(value, str):
        return value.replace(_OPENS, _LITERAL)
    if isinstance(value, Mapping):
        return {key: with_tokens(item) for key, item in value.items()}
    return [with_tokens(item) for item in value] if isinstance(value, list | tuple) else value


def spelled(value: Any, spell: Callable[[Ref], str]) -> Any:
    """A value with interpolations in place of words, and everything else that looks like one escaped."""
    if isinstance(value, str):
        escaped = value.replace("${", "$${").replace("%{", "%%{")
        words = _TOKEN.sub(lambda found: spell(Ref(found[1], found[2])), escaped)
        return words.replace(_LITERAL, _OPENS)
    if isinstance(value, Mapping):
        return {key: spelled(item, spell) for key, item in value.items()}
    return [spelled(item, spell) for item in value] if isinstance(value, list | tuple) else value
