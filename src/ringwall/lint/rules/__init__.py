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
    "condition_key_not_on_action",
    "resource_type_not_on_action",
    "malformed_arn",
    "deny_always_applies",
    "statement_never_applies",
    "wildcard_taken_literally",
    "variable_not_expanded",
    "guardrail_not_pinned",
    "region_deny_misses_service_prefixes",
    "region_deny_breaks_inference_profiles",
    "unguarded_inference_path",
    "inference_profile_incomplete",
    "caller_reads_knowledge_base_source",
    "service_principal_without_source",
    "operator_passes_when_key_absent",
    "operator_type_mismatch",
    "set_operator_missing",
    "source_ip_never_public",
    "wildcard_action",
    "wildcard_resource",
    "agent_test_alias",
    "model_end_of_life",
    "policy_too_large",
    "rcp_has_no_effect",
    "not_principal_with_allow",
    "open_to_everyone",
    "declaration_mistake",
    "guardrail_only_detects",
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
