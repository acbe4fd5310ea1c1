"""What a template's stacks would make, by a reader of our own for Ref, Fn::GetAtt and Fn::Sub: the Estate, property by property."""

from __future__ import annotations

import re

import pytest

from deploy.deploy_sweep import COMPLETE, QUICKSTART
from ringwall.controls.compile import compile_estate
from ringwall.deploy.export.cloudformation import NOT_EXPRESSIBLE, logical_id, template
from ringwall.deploy.export.parts import parts
from ringwall.deploy.order import ordered
from ringwall.estate.kinds import registry
from ringwall.estate.model import substitute
from ringwall.perimeter import load, loads

REF_RETURNS = {"AWS::KMS::Key": "KeyId"}
"""What ``Ref`` means, by type, as its page in the template reference says; of other types nothing here refers by it."""
GETATT_RETURNS = {
    "AWS::KMS::Key": {"Arn"},
    "AWS::Bedrock::Guardrail": {"GuardrailId", "GuardrailArn"},
    "AWS::Bedrock::GuardrailVersion": {"GuardrailId", "GuardrailArn", "Version"},
    "AWS::EC2::SecurityGroup": {"GroupId"},
    "AWS::EC2::VPCEndpoint": {"Id"},
}
MEANT = {
    # what the Estate calls it, in the words above
    ("AWS::KMS::Key", "Arn"): "{Arn}",
    ("AWS::KMS::Key", "Id"): "{KeyId}",
    ("AWS::KMS::Key", "KeyId"): "{KeyId}",
    ("AWS::Bedrock::Guardrail", "Id"): "{GuardrailId}",
    ("AWS::Bedrock::Guardrail", "GuardrailId"): "{GuardrailId}",
    ("AWS::Bedrock::Guardrail", "Arn"): "{GuardrailArn}",
    ("AWS::Bedrock::Guardrail", "NumberedVersions"): "{GuardrailArn}:*",
    ("AWS::Bedrock::GuardrailVersion", "Version"): "{Version}",
    ("AWS::EC2::SecurityGroup", "Id"): "{GroupId}",
    ("AWS::EC2::SecurityGroup", "GroupId"): "{GroupId}",
    ("AWS::EC2::SecurityGroup", "Arn"): "arn:aws:ec2:us-east-1:111122223333:security-group/{GroupId}",
    ("AWS::EC2::VPCEndpoint", "Id"): "{Id}",
    ("AWS::EC2::VPCEndpoint", "Arn"): "arn:aws:ec2:us-east-1:111122223333:vpc-endpoint/{Id}",
}
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "111122223333"}
BASES = """\
knowledge_bases:
  a-1: {embedding_model: amazon.titan-embed-text-v2:0, vector_store: "arn:aws:aoss:us-east-1:111122223333:collection/abc"}
  a1: {embedding_model: amazon.titan-embed-text-v2:0, vector_store: "arn:aws:aoss:us-east-1:111122223333:collection/def"}
"""
"""Two whose keys have one name where hyphens are left out."""


class Stack:
    """A stack of a template, with what others gave it."""

    def __init__(self, body, given):
        self.resources = body["Resources"]
        self.parameters = {name: given[name] for name in body.get("Parameters", {})}
        self.outputs = {name: self.value(item["Value"]) for name, item in body.get("Outputs", {}).items()}

    def value(self, value):
        """A value, with what AWS will choose written as ``<logical id.attribute>``."""
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            name = value["Ref"]
            return self.parameters[name] if name in self.parameters else self._of(name, None)
        if set(value) == {"Fn::GetAtt"}:
            return self._of(*value["Fn::GetAtt"])
        if set(value) == {"Fn::Sub"}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: self._word(found[1]), value["Fn::Sub"])
        assert not any(key.startswith("Fn::") for key in value)
        return {key: self.value(item) for key, item in value.items()}

    def _word(self, word):
        return PSEUDO[word] if word in PSEUDO else self._of(*word.split("."))

    def _of(self, name, attribute):
        kind = self.resources[name]["Type"]
        if attribute is None:
            return f"<{name}.{REF_RETURNS[kind]}>"
        assert attribute in GETATT_RETURNS[kind]
        return f"<{name}.{attribute}>"


def expected(item, by_id, kinds):
    """Properties of a resource as the template reference names them, what AWS will choose written as above."""

    def meaning(ref):
        target = by_id[ref.target]
        pattern = MEANT.get((target.type, ref.attribute))
        if pattern is None:
            return kinds[target.type].placeholder(target)[ref.attribute]
        return re.sub(r"\{(\w+)\}", lambda found: f"<{logical_id(ref.target)}.{found[1]}>", pattern)

    properties = substitute(item.properties, meaning)
    if item.type == "AWS::Bedrock::GuardrailVersion":
        return {name: properties[name] for name in ("GuardrailIdentifier", "Description")}
    if item.type == "AWS::Bedrock::EnforcedGuardrailConfiguration":
        return properties["GuardrailInferenceConfig"]
    if item.type == "AWS::Bedrock::Guardrail":
        properties.get("ContextualGroundingPolicyConfig", {}).pop("ContextualGroundingTierConfig", None)
    if item.type == "AWS::EC2::SecurityGroup":
        assert properties.pop("SecurityGroupEgress") == []
    return properties


@pytest.mark.parametrize("stacksets", [False, True])
@pytest.mark.parametrize("text", [QUICKSTART, COMPLETE, BASES], ids=["quickstart", "complete", "bases"])
def test_stacks_hold_what_the_estate_holds(text, stacksets):
    perimeter = loads(QUICKSTART.read_text() + text) if text == BASES else load(text)
    desired, kinds = ordered(compile_estate(perimeter)), registry()
    by_id, given, made = {item.id: item for item in desired}, {}, {}
    for part in parts(desired, kinds, region="us-east-1", unspoken=NOT_EXPRESSIBLE, stacksets=stacksets):
        stack = Stack(template(part, perimeter.name, kinds).body, given)
        assert given.keys().isdisjoint(stack.outputs)
        given |= stack.outputs
        made |= {name: stack.value(entry["Properties"]) for name, entry in stack.resources.items()}
    for item in desired:
        if item.type in NOT_EXPRESSIBLE:
            continue
        properties = made.pop(logical_id(item.id))
        if item.type == "AWS::EC2::SecurityGroup":
            (only,) = properties.pop("SecurityGroupEgress")
            assert (only["IpProtocol"], only["CidrIp"]) == ("-1", "127.0.0.1/32")
        assert properties == expected(item, by_id, kinds), item.id
    assert made == {}
