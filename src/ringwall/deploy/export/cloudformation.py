"""A part of the Estate as a CloudFormation template.

The Estate speaks CloudFormation already; what is left is references (``Ref``, ``Fn::GetAtt``), what stays on deletion,
and what means something else in a template. References between parts are outputs of one stack and
parameters of the other, since stacks of different accounts cannot import from each other.

Buckets, log groups and keys carry ``RetainExceptOnCreate``: they outlive the stack, but a stack whose first creation failed
can be tried again (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ringwall.deploy.export.gaps import Gap, beforehand, gap
from ringwall.deploy.export.parts import Part
from ringwall.errors import RingwallError
from ringwall.estate.kind import Kind
from ringwall.estate.model import Ref, Resource, references, substitute

NO_EGRESS = {
    "IpProtocol": "-1",
    "CidrIp": "127.0.0.1/32",
    "Description": "None: without a rule CloudFormation leaves the default one that allows everything",
}
ATTRIBUTES: Mapping[tuple[str, str], Any] = {
    # (type, attribute): "" = Ref, a name = Fn::GetAtt, a pattern with {} = Fn::Sub with the logical id in its place
    ("AWS::KMS::Key", "Id"): "",
    ("AWS::KMS::Key", "KeyId"): "",
    ("AWS::KMS::Key", "Arn"): "Arn",
    ("AWS::Bedrock::Guardrail", "Id"): "GuardrailId",
    ("AWS::Bedrock::Guardrail", "GuardrailId"): "GuardrailId",
    ("AWS::Bedrock::Guardrail", "Arn"): "GuardrailArn",
    ("AWS::Bedrock::Guardrail", "GuardrailArn"): "GuardrailArn",
    ("AWS::Bedrock::Guardrail", "NumberedVersions"): "${{{}.GuardrailArn}}:*",
    ("AWS::Bedrock::GuardrailVersion", "Version"): "Version",
    ("AWS::Bedrock::GuardrailVersion", "GuardrailId"): "GuardrailId",
    ("AWS::Bedrock::GuardrailVersion", "GuardrailArn"): "GuardrailArn",
    ("AWS::Bedrock::GuardrailVersion", "Arn"): "${{{0}.GuardrailArn}}:${{{0}.Version}}",
    ("AWS::EC2::SecurityGroup", "Id"): "GroupId",
    ("AWS::EC2::SecurityGroup", "GroupId"): "GroupId",
    ("AWS::EC2::SecurityGroup", "Arn"): (
        "arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:${{AWS::AccountId}}:security-group/${{{}.GroupId}}"
    ),
    ("AWS::EC2::VPCEndpoint", "Id"): "Id",
    ("AWS::EC2::VPCEndpoint", "Arn"): (
        "arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:${{AWS::AccountId}}:vpc-endpoint/${{{}.Id}}"
    ),
}
"""Attributes that AWS chooses. All others follow from names that the declaration determines."""
_WORD = r"[a-z][a-z0-9]*"
_TOLD_APART = re.compile(rf"{_WORD}(-{_WORD})*/(?!version-){_WORD}(-{_WORD})*")
"""Desired ids whose words a capital letter each begins. ``guardrail/version-x`` would be ``guardrail-version/x``."""
DYNAMIC = re.compile(r"\{\{resolve:[a-z-]+:")
"""What CloudFormation replaces wherever it stands
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html)."""
LIMITS: Mapping[str, int] = {"Resources": 500, "Parameters": 200, "Outputs": 200}
TEMPLATE_BYTES = 1_000_000
INLINE_BYTES = 51_200
"""Longest template, in a bucket and in the request itself, and how much of each section
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)."""

CONTENT_IN_DESCRIPTION = ("GuardrailIdentifier", "Description")
"""All that a template says of a guardrail version; its description holds the content's digest."""
IN_USE = ("AWS::Bedrock::GuardrailVersion",)
"""Types whose predecessors stay when another takes their place: who names the old version by number goes on."""
NOT_EXPRESSIBLE: Mapping[str, str] = {
    "Ringwall::Bedrock::InvocationLogging": "CloudFormation has no type for model invocation logging",
    "Ringwall::Bedrock::DataRetention": "CloudFormation has no type for the account's data retention mode",
    "Ringwall::CloudTrail::EventSelectors": "CloudFormation cannot add selectors to a trail that was there before",
}
WITHOUT_WORD: Mapping[str, tuple[tuple[str, str], ...]] = {
    "AWS::Bedrock::Guardrail": (("ContextualGroundingPolicyConfig", "ContextualGroundingTierConfig"),),
}
"""Members of properties that the API has and the type, as of October 2026, has not."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template and what it lacks.

    Attributes:
        name: of the part.
        body: the template, ready for JSON.
        gaps: what it cannot express.
    """

    name: str
    body: Mapping[str, Any]
    gaps: tuple[Gap, ...]


def template(part: Part, perimeter: str, kinds: Mapping[str, Kind]) -> Template:
    """The template of one part.

    Raises:
        RingwallError: a reference names an attribute that a template has no word for.
    """
    gaps = (*(one for item in part.resources for one in _gaps(item)), *beforehand(part.resources))
    inside = {item.id: item for item in part.resources if item.type not in NOT_EXPRESSIBLE}
    logical = {name: logical_id(name) for name in inside}
    writer = _Writer(inside, logical, kinds)
    body: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Ringwall perimeter {perimeter}: {part.name}. Generated from the declaration; edit that.",
        "Metadata": {
            "Ringwall": {
                "Perimeter": perimeter,
                "Part": part.name,
                "After": list(part.after),
                "NotExpressible": [item.to_json() for item in gaps],
            }
        },
    }
    if part.imports:
        body["Parameters"] = {
            parameter_name(ref): {
                "Type": "String",
                "Description": f"Output {parameter_name(ref)} of the stack that has {ref.target}",
            }
            for ref in part.imports
        }
    body["Resources"] = {logical[name]: writer.resource(item) for name, item in inside.items()}
    if part.exports:
        body["Outputs"] = {
            parameter_name(ref): {
                "Description": f"{ref.attribute} of {ref.target}",
                "Value": writer.value(ref),
            }
            for ref in part.exports
        }
    _fits(part.name, body)
    return Template(part.name, body, gaps)


def written(body: Mapping[str, Any]) -> str:
    """The text of a template: indented for people, as long as CloudFormation takes it."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return (
        text
        if _bytes(text) <= TEMPLATE_BYTES
        else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    )


def _bytes(text: str) -> int:
    return len(text.encode())


def _fits(name: str, body: Mapping[str, Any]) -> None:
    """Raises RingwallError if CloudFormation takes no such template."""
    for section, most in LIMITS.items():
        if len(body.get(section, ())) > most:
            raise RingwallError(
                f"{name}: {len(body[section])} {section}, CloudFormation takes {most}: divide the declaration"
            )
    size = _bytes(written(body))
    if size > TEMPLATE_BYTES:
        raise RingwallError(
            f"{name}: {size:,} bytes, CloudFormation takes {TEMPLATE_BYTES:,}: divide the declaration"
        )


def _gaps(item: Resource) -> Iterator[Gap]:
    if item.type in NOT_EXPRESSIBLE:
        yield gap(item, NOT_EXPRESSIBLE[item.type])
    for name, member in WITHOUT_WORD.get(item.type, ()):
        if member in (item.properties.get(name) or {}):
            yield gap(item, f"CloudFormation has no word for its {name}.{member}")


def parameter_name(ref: Ref) -> str:
    """Name of the output of one stack and the parameter of another that a reference becomes."""
    return f"{logical_id(ref.target)}{ref.attribute}"


def logical_id(name: str) -> str:
    """Logical id (letters and digits) of a desired id: no two have the same, and none changes with what else is declared.

    Words are joined, which loses where one ends before a digit or a capital; what cannot be told apart any more has a digest.
    """
    text = "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name) if word)
    return text if _TOLD_APART.fullmatch(name) else f"{text}{sha256(name.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class _Writer:
    """Resources of one template."""

    inside: Mapping[str, Resource]
    logical: Mapping[str, str]
    kinds: Mapping[str, Kind]

    def resource(self, item: Resource) -> dict[str, Any]:
        """One entry under ``Resources``."""
        properties = substitute(_properties(item), self.value)
        if DYNAMIC.search(json.dumps(properties, ensure_ascii=False)):
            raise RingwallError(
                f"{item.id} holds {{{{resolve:...}}}}, which CloudFormation would replace and has no way to write: use `ringwall "
                "apply`, or `ringwall export terraform`"
            )
        entry: dict[str, Any] = {"Type": item.type}
        shown = {ref.target for ref in references(_properties(item)) if self._shows(ref)}
        after = sorted(self.logical[name] for name in {*self._implied(item)} - shown if name in self.logical)
        if after:
            entry["DependsOn"] = after
        if self.kinds[item.type].retention != "delete":
            entry |= {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
        elif item.type in IN_USE:
            entry |= {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}
        entry["Properties"] = properties
        return entry

    def value(self, ref: Ref) -> Any:
        """What a reference becomes."""
        target = self.inside.get(ref.target)
        if target is None:
            return {"Ref": parameter_name(ref)}
        name, word = self.logical[ref.target], ATTRIBUTES.get((target.type, ref.attribute))
        if word is None:
            return self._literal(target, ref)
        if word == "":
            return {"Ref": name}
        return {"Fn::Sub": word.format(name)} if "{" in word else {"Fn::GetAtt": [name, word]}

    def _literal(self, target: Resource, ref: Ref) -> str:
        """An attribute that the declaration determines."""
        if any(kind == target.type for kind, _ in ATTRIBUTES):
            raise RingwallError(f"a template has no word for {ref.attribute} of {target.id} ({target.type})")
        return self.kinds[target.type].placeholder(target)[ref.attribute]

    def _shows(self, ref: Ref) -> bool:
        """Whether CloudFormation sees by itself that the target must exist first."""
        target = self.inside.get(ref.target)
        return target is not None and (target.type, ref.attribute) in ATTRIBUTES

    def _implied(self, item: Resource) -> Iterable[str]:
        """What must exist first and does not show as a reference."""
        yield from item.depends_on
        yield from (ref.target for ref in references(item.properties) if not self._shows(ref))


def _properties(item: Resource) -> Mapping[str, Any]:
    properties = dict(item.properties)
    if item.type == "AWS::Bedrock::GuardrailVersion":
        return {name: properties[name] for name in CONTENT_IN_DESCRIPTION if name in properties}
    if item.type == "AWS::Bedrock::EnforcedGuardrailConfiguration":
        return dict(properties["GuardrailInferenceConfig"])
    for name, member in WITHOUT_WORD.get(item.type, ()):
        if name in properties:
            properties[name] = {key: value for key, value in properties[name].items() if key != member}
    if item.type == "AWS::EC2::SecurityGroup" and properties.get("SecurityGroupEgress") == []:
        properties["SecurityGroupEgress"] = [dict(NO_EGRESS)]
    return properties
