"""The rules, one module each; its docstring is its page. :func:`registry` lists them."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from ringwall.lint.rule import Rule

MODULES = (
    "syntax_error",
    "duplicate_key",
    "unknown_element",
    "unknown_action",
    "unknown_condition_key",
    "deny_always_applies",
    "guardrail_not_pinned",
    "service_principal_without_source",
    "rcp_has_no_effect",
    "not_principal_with_allow",
    "declaration_mistake",
)


@cache
def registry() -> tuple[Rule, ...]:
    """Every rule: how a document is written first, then what it does."""
    return tuple(import_module(f"{__name__}.{module}").RULE for module in MODULES)


def rule(slug: str) -> Rule:
    """The rule with that slug.

    Raises:
        KeyError: there is none.
    """
    for item in registry():
        if item.slug == slug:
            return item
    raise KeyError(slug)
