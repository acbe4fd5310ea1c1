"""What an export cannot express, with the command that does it instead."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringwall.estate.model import Resource


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is in the Estate and not in the export.

    Attributes:
        resource: desired id.
        type: CloudFormation type, or ours.
        reason: why it is missing.
        command: what does it instead, for a shell.
    """

    resource: str
    type: str
    reason: str
    command: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.reason}. Run: {self.command}"

    def to_json(self) -> dict[str, str]:
        """The form in the export's metadata."""
        return {
            "resource": self.resource,
            "type": self.type,
            "reason": self.reason,
            "command": self.command,
        }


def gap(resource: Resource, reason: str) -> Gap:
    """The gap that a resource is."""
    command = _COMMANDS.get(resource.type, lambda _: "ringwall apply")(resource)
    return Gap(resource.id, resource.type, reason, command)


def beforehand(resources: Iterable[Resource]) -> Iterator[Gap]:
    """What the organization must have before its policies can be attached: each of their types, enabled.

    https://docs.aws.amazon.com/organizations/latest/userguide/enable-policy-type.html
    """
    found: dict[str, Resource] = {}
    for item in resources:
        if item.type == "AWS::Organizations::Policy":
            found.setdefault(str(item.properties["Type"]), item)
    for kind, item in found.items():
        root = "\"$(aws organizations list-roots --query 'Roots[0].Id' --output text)\""
        command = f"aws organizations enable-policy-type --root-id {root} --policy-type {kind}"
        yield Gap(
            item.id,
            item.type,
            f"{kind} has to be enabled in the organization before, where it is not",
            command,
        )


def _logging(resource: Resource) -> str:
    config = _lower(resource.properties.get("LoggingConfig", {}))
    text = shlex.quote(
        json.dumps(config, separators=(",", ":"), default=lambda ref: f"<{ref.target}.{ref.attribute}>")
    )
    return (
        "aws bedrock put-model-invocation-logging-configuration"
        f" --region {resource.region} --logging-config {text}"
    )


def _trail(resource: Resource) -> str:
    selectors = json.dumps(resource.properties.get("AdvancedEventSelectors"), separators=(",", ":"))
    return (
        f"aws cloudtrail put-event-selectors --region {resource.region}"
        f" --trail-name {resource.properties.get('TrailName')} --advanced-event-selectors {shlex.quote(selectors)}"
    )


def _retention(resource: Resource) -> str:
    mode = shlex.quote(str(resource.properties.get("Mode")))
    return f"aws bedrock put-account-data-retention --region {resource.region} --mode {mode}"


def _log_group(resource: Resource) -> str:
    name = shlex.quote(str(resource.properties.get("LogGroupName")))
    return (
        f"aws logs put-log-group-deletion-protection --region {resource.region}"
        f" --log-group-identifier {name} --deletion-protection-enabled"
    )


def _lower(value: Any) -> Any:
    """Bedrock's API spells CloudFormation's names with a small first letter; references stay."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: _lower(item) for key, item in value.items()}
    return value


_COMMANDS = {
    "Ringwall::Bedrock::InvocationLogging": _logging,
    "Ringwall::Bedrock::DataRetention": _retention,
    "AWS::CloudTrail::Trail": _trail,
    "AWS::Logs::LogGroup": _log_group,
}
