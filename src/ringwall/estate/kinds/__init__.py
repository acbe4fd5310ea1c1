"""The resource kinds: one module each, one registry."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.estate.kind import Kind

MODULES: tuple[tuple[str, str], ...] = (
    # module, class
    ("iam_role", "Role"),
    ("iam_user", "User"),
    ("iam_group", "Group"),
    ("iam_managed_policy", "ManagedPolicy"),
    ("organizations_policy", "Policy"),
    ("vpc", "Vpc"),
    ("subnet", "Subnet"),
    ("security_group", "SecurityGroup"),
    ("vpc_endpoint", "VpcEndpoint"),
    ("kms_key", "Key"),
    ("kms_alias", "Alias"),
    ("bucket", "Bucket"),
    ("bucket_policy", "BucketPolicy"),
    ("log_group", "LogGroup"),
    ("metric_filter", "MetricFilter"),
    ("trail", "Trail"),
    ("trail_selectors", "TrailSelectors"),
    ("guardrail", "Guardrail"),
    ("guardrail_version", "GuardrailVersion"),
    ("resource_policy", "ResourcePolicy"),
    ("enforced_guardrail", "EnforcedGuardrail"),
    ("invocation_logging", "InvocationLogging"),
    ("data_retention", "DataRetention"),
    ("alarm", "Alarm"),
    ("topic", "Topic"),
    ("topic_policy", "TopicPolicy"),
    ("subscription", "Subscription"),
    ("rule", "Rule"),
)

SURVEYED: tuple[tuple[str, str], ...] = (
    ("usage", "Usage"),
    ("agent", "Agent"),
    ("knowledge_base", "KnowledgeBase"),
    ("vector_store", "VectorStore"),
    ("model_access", "ModelAccess"),
    ("flow", "Flow"),
    ("activity", "Activity"),
    ("resource_share", "ResourceShare"),
)
"""What audits read besides: what uses Bedrock here, none of which a declaration makes. AgentCore's kinds come from a table
of their own."""


@cache
def registry() -> Mapping[str, Kind]:
    """Every resource kind by its type."""
    return _made(MODULES)


@cache
def surveyed() -> Mapping[str, Kind]:
    """Every kind that is only read, and only by audits."""
    agentcore = import_module(f"{__name__}.agentcore").kinds()
    return MappingProxyType({**_made(SURVEYED), **{kind.type: kind for kind in agentcore}})


def _made(modules: tuple[tuple[str, str], ...]) -> Mapping[str, Kind]:
    kinds: list[Kind] = [getattr(import_module(f"{__name__}.{module}"), name)() for module, name in modules]
    return MappingProxyType({kind.type: kind for kind in kinds})
