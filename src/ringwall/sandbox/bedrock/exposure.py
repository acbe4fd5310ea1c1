"""What authorization has to know of the plane: resource policies, tags, and the models behind profiles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ringwall.estate.model import Resource
from ringwall.sandbox.bedrock.control.guardrails import profiles_behind
from ringwall.sandbox.bedrock.control.models import models_behind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.sandbox.bedrock.state import Regional, State

_TYPES = (
    ("profiles", "AWS::Bedrock::ApplicationInferenceProfile"),
    ("knowledge_bases", "AWS::Bedrock::KnowledgeBase"),
    ("agents", "AWS::Bedrock::Agent"),
    ("flows", "AWS::Bedrock::Flow"),
    ("jobs", "Ringwall::Bedrock::ModelInvocationJob"),
    ("customization_jobs", "Ringwall::Bedrock::ModelCustomizationJob"),
    ("custom_models", "Ringwall::Bedrock::CustomModel"),
    ("deployments", "Ringwall::Bedrock::CustomModelDeployment"),
    ("import_jobs", "Ringwall::Bedrock::ModelImportJob"),
    ("imported_models", "Ringwall::Bedrock::ImportedModel"),
    ("throughputs", "Ringwall::Bedrock::ProvisionedModelThroughput"),
    ("evaluation_jobs", "Ringwall::Bedrock::EvaluationJob"),
    ("copy_jobs", "Ringwall::Bedrock::ModelCopyJob"),
)


class Profiles:
    """The sandbox's :class:`ringwall.catalog.operations.ProfileResolver`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def models(self, arn: str, region: str) -> tuple[str, ...] | None:
        """ARNs of the foundation models behind a profile, or of the profile behind a guardrail wherever it evaluates.

        ``None`` where there is none.
        """
        if ":guardrail/" in arn:
            return profiles_behind(self._state, arn, region)
        return models_behind(self._state, arn, region)


def resources(state: State) -> Iterator[Resource]:
    """Resources of the plane that bear on authorization, in Estate form."""
    for home in state:
        yield from _guardrails(home)
        for attribute, type_ in _TYPES:
            for kept in getattr(home, attribute).values():
                yield _tagged(home, type_, kept.arn, kept.tags)
                for child in kept.children.values():
                    yield _tagged(home, f"{type_}Part", child.arn, child.tags)


def _guardrails(home: Regional) -> Iterator[Resource]:
    for guardrail in home.guardrails.values():
        yield _tagged(home, "AWS::Bedrock::Guardrail", guardrail.arn, guardrail.tags)
        if guardrail.resource_policy is not None:
            yield _policy(home, guardrail.arn, guardrail.resource_policy)
    for arn, text in home.guardrail_profile_policies.items():
        yield _policy(home, arn, text)


def _policy(home: Regional, arn: str, text: str) -> Resource:
    properties = {"ResourceArn": arn, "PolicyDocument": json.loads(text)}
    return Resource("AWS::Bedrock::ResourcePolicy", home.account, home.region, arn, properties)


def _tagged(home: Regional, type_: str, arn: str, tags: dict[str, str]) -> Resource:
    shown = [{"Key": key, "Value": value} for key, value in tags.items()]
    return Resource(type_, home.account, home.region, arn, {"Arn": arn, "Tags": shown})
