"""Tags on the resources of ``bedrock`` and ``bedrock-agent``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.sandbox.bedrock.faults import fault
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.sandbox.bedrock.scope import Operation, Scope
    from ringwall.sandbox.bedrock.state import Guardrail, Regional, Tagged

TAGGABLE = (
    "profiles", "jobs", "customization_jobs", "custom_models", "deployments", "import_jobs", "imported_models",
    "throughputs", "evaluation_jobs", "copy_jobs", "knowledge_bases", "agents", "flows",
)  # fmt: skip
"""Attributes of :class:`~ringwall.sandbox.bedrock.state.Regional` that hold resources with tags, beside guardrails."""
_MOST = 50


def _taggable(home: Regional) -> Iterator[Guardrail | Tagged]:
    yield from home.guardrails.values()
    for name in TAGGABLE:
        for resource in getattr(home, name).values():
            yield resource
            yield from resource.children.values()


def _find(scope: Scope, call: Call, arn: str) -> Guardrail | Tagged:
    for resource in _taggable(scope.home(call)):
        if resource.arn == arn:
            return resource
    raise fault(call.service, "ResourceNotFoundException", f"The resource {arn} could not be found.")


def tag(scope: Scope, call: Call) -> Output:
    """TagResource of ``bedrock``."""
    resource = _find(scope, call, call.parameters["resourceARN"])
    tags = {**resource.tags, **{tag["key"]: tag["value"] for tag in call.parameters["tags"]}}
    if len(tags) > _MOST:
        raise fault(
            "bedrock", "TooManyTagsException", f"A resource can have {_MOST} tags.", resourceName=resource.arn
        )
    resource.tags = tags
    scope.platform.changed()
    return Output({})


def untag(scope: Scope, call: Call) -> Output:
    """UntagResource of ``bedrock``."""
    resource = _find(scope, call, call.parameters["resourceARN"])
    gone = set(call.parameters["tagKeys"])
    resource.tags = {key: value for key, value in resource.tags.items() if key not in gone}
    scope.platform.changed()
    return Output({})


def list_(scope: Scope, call: Call) -> Output:
    """ListTagsForResource of ``bedrock``."""
    resource = _find(scope, call, call.parameters["resourceARN"])
    return Output({"tags": [{"key": key, "value": value} for key, value in resource.tags.items()]})


def tag_agents(scope: Scope, call: Call) -> Output:
    """TagResource of ``bedrock-agent``."""
    resource = _find(scope, call, call.parameters["resourceArn"])
    resource.tags = {**resource.tags, **call.parameters["tags"]}
    scope.platform.changed()
    return Output({})


def untag_agents(scope: Scope, call: Call) -> Output:
    """UntagResource of ``bedrock-agent``."""
    resource = _find(scope, call, call.parameters["resourceArn"])
    gone = set(call.parameters["tagKeys"])
    resource.tags = {key: value for key, value in resource.tags.items() if key not in gone}
    scope.platform.changed()
    return Output({})


def list_agents(scope: Scope, call: Call) -> Output:
    """ListTagsForResource of ``bedrock-agent``."""
    return Output({"tags": dict(_find(scope, call, call.parameters["resourceArn"]).tags)})


OPERATIONS: dict[str, Operation] = {"TagResource": tag, "UntagResource": untag, "ListTagsForResource": list_}
AGENT_OPERATIONS: dict[str, Operation] = {
    "TagResource": tag_agents,
    "UntagResource": untag_agents,
    "ListTagsForResource": list_agents,
}
