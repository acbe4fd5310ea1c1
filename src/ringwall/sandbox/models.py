"""botocore's service models: what an operation takes and returns, and how its protocol writes it down."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.model

from ringwall.estate.sessions import data_loader

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICES: Mapping[str, tuple[str, ...]] = {
    "bedrock": ("bedrock-runtime", "bedrock", "bedrock-agent-runtime", "bedrock-agent"),
    "bedrock-agentcore": ("bedrock-agentcore-control",),
    "cloudtrail": ("cloudtrail",),
    "ec2": ("ec2",),
    "events": ("events",),
    "iam": ("iam",),
    "kms": ("kms",),
    "logs": ("logs",),
    "monitoring": ("cloudwatch",),
    "organizations": ("organizations",),
    "s3": ("s3",),
    "sns": ("sns",),
    "sts": ("sts",),
}
"""Services that the sandbox answers, by the name that requests are signed for. Only Bedrock has several per name."""

SIGNING_NAMES: Mapping[str, str] = {
    service: name for name, services in SERVICES.items() for service in services
}

ENDPOINT_SERVICES: Mapping[str, str] = {"monitoring": "cloudwatch", **{name: name for name in SIGNING_NAMES}}
"""First label of a host name (``monitoring.us-east-1.amazonaws.com``) to service."""

GLOBAL_SERVICES = frozenset({"iam", "organizations"})
"""Services with one endpoint, in us-east-1."""

IAM_PREFIXES: Mapping[str, str] = {
    "bedrock-runtime": "bedrock",
    "bedrock-agent": "bedrock",
    "bedrock-agent-runtime": "bedrock",
    "bedrock-agentcore-control": "bedrock-agentcore",
}
"""Prefix of IAM actions and of event sources, where it is not the service name."""


@cache
def service_model(service: str) -> Any:
    """Botocore's ``ServiceModel`` of a service."""
    return botocore.model.ServiceModel(data_loader().load_service_model(service, "service-2"), service)


@cache
def operation_model(service: str, operation: str) -> Any:
    """Botocore's ``OperationModel``.

    Raises:
        KeyError: the service has no such operation.
    """
    model = service_model(service)
    if operation not in model.operation_names:
        raise KeyError(operation)
    return model.operation_model(operation)


def protocol(service: str) -> str:
    """Protocol in which boto3 speaks to the service."""
    return str(service_model(service).metadata["protocol"])


def event_source(service: str) -> str:
    """CloudTrail's ``eventSource`` (``bedrock.amazonaws.com`` for all of Bedrock)."""
    prefix = {"cloudwatch": "monitoring"}.get(service, IAM_PREFIXES.get(service, service))
    return f"{prefix}.amazonaws.com"
