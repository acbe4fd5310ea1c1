"""The controls: what a declaration compiles to, what it claims, and how each control is judged on any Estate.

One module for each control; its docstring is its page. :func:`registry` lists them.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringwall.controls.control import Control

MODULES = (
    "least_privilege_invoke",
    "guardrail_cannot_be_bypassed",
    "models_restricted",
    "regions_restricted",
    "vpc_endpoint_effective",
    "vpc_endpoint_cannot_be_skipped",
    "keys_effective",
    "trail_records_inference",
    "invocation_logging_delivers",
    "guardrail_filters_content",
    "guardrail_pinned",
    "alarms_reach_someone",
    "controls_protected",
    "api_keys_prevented",
    "data_retention_none",
    "buckets_private",
    "knowledge_base_sources",
    "vector_store_closed",
    "guardrail_enforced",
    "resources_stay_in_organization",
    "nothing_shared_outside",
    "agents_bounded",
    "agentcore_enclosed",
    "calls_stayed_inside",
)


@cache
def registry() -> tuple[Control, ...]:
    """Every control, in the order of the checklist."""
    return tuple(import_module(f"{__name__}.{module}").CONTROL for module in MODULES)
