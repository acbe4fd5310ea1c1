"""``AWS::Bedrock::GuardrailVersion``: numbered, immutable versions of guardrails.

A version's ``Description`` holds a digest of the content it was declared with, so a version exists exactly once for
each content: changing the guardrail makes a new one, changing it back finds the old one again. Anybody who may publish
a version can write that description, so a version is known by its content as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import BaseKind, allowing, optional
from ringwall.estate.kinds.guardrail import GONE, Guardrail, guardrails, wait_ready
from ringwall.estate.kinds.guardrail_fields import CONTENT, from_response
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.model import Ref, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringwall.estate.aws import Aws


def content_of(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The policies and messages among a guardrail's properties, in canonical form; absent policies are empty ones."""
    known = Guardrail()
    merged = {**known.defaults, **{name: item for name, item in properties.items() if item is not None}}
    return {name: _filled(known.canonical(name, merged[name])) for name in CONTENT if name in merged}


def _filled(value: Any) -> Any:
    """A policy without its empty lists."""
    return {key: item for key, item in value.items() if item != []} if isinstance(value, dict) else value


class GuardrailVersion(BaseKind):
    """Numbered versions, each with the content that it fixed under the guardrail's property names."""

    type = "AWS::Bedrock::GuardrailVersion"
    create_only = ("GuardrailIdentifier", "Description")
    taggable = False
    permissions = Permissions(
        ("bedrock:ListGuardrails", "bedrock:GetGuardrail"),
        (
            "bedrock:CreateGuardrailVersion",
            "bedrock:DeleteGuardrail",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "kms:CreateGrant",
            "kms:DescribeKey",
        ),
    )
    limits = (Limit("GuardrailIdentifier", required=True), Limit("Description", longest=200))

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every numbered version of every guardrail."""
        listed = guardrails(aws)
        shared = aws.evidence()
        for item in listed:
            versions = aws.pages("bedrock", "ListGuardrails", "guardrails", guardrailIdentifier=item["id"])
            heard = (*shared, *aws.evidence())
            for version in versions:
                if str(version["version"]).isdigit():
                    found = self._read_one(aws, item["id"], str(version["version"]), heard)
                    if found is not None:
                        yield found

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """Those versions."""
        for name in ids:
            guardrail, _, version = name.rpartition(":")
            found = self._read_one(aws, guardrail, version, ())
            if found is not None:
                yield found

    def _read_one(self, aws: Aws, guardrail: str, version: str, heard: tuple[str, ...]) -> Resource | None:
        who = {"guardrailIdentifier": guardrail, "guardrailVersion": version}
        answer = optional(aws, "bedrock", "GetGuardrail", (GONE,), **who)
        if answer is None:
            return None
        properties = {
            **from_response(answer),
            "GuardrailIdentifier": guardrail,
            "GuardrailId": guardrail,
            "GuardrailArn": answer["guardrailArn"],
            "Version": version,
            "Status": answer["status"],
        }
        return self.seen(aws, f"{guardrail}:{version}", properties, evidence=heard)

    def normalise(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Guardrail and description, and the content where the resource says what it is."""
        found = {name: properties[name] for name in self.create_only if properties.get(name) is not None}
        if any(name in properties for name in CONTENT):
            found.update(content_of(properties))
        guardrail = found.get("GuardrailIdentifier")
        if isinstance(guardrail, str):
            found["GuardrailIdentifier"] = guardrail.rsplit("/", 1)[-1]
        return found

    def match(self, desired: Resource, observed: tuple[Resource, ...]) -> Resource | None:
        """The version of that guardrail with that description and content; of several the first."""
        found = [
            item
            for item in observed
            if self._same_place(desired, item) and self._fixes(desired, item.properties)
        ]
        return min(found, key=lambda item: int(item.properties["Version"]), default=None)

    def _fixes(self, desired: Resource, properties: Mapping[str, Any]) -> bool:
        """Whether a version has all that is declared."""
        there = self.normalise(properties)
        return all(there.get(name) == item for name, item in self.normalise(desired.properties).items())

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Fix the draft as it stands, once the guardrail is ready, and wait until the version is.

        Raises:
            AwsCallError: somebody changed the draft meanwhile, so the version holds something else.
        """
        guardrail = str(self.normalise(desired.properties)["GuardrailIdentifier"])
        wait_ready(aws, self.clock, guardrail)
        options = {"description": desired.properties["Description"]} if desired.get("Description") else {}
        made = aws.call("bedrock", "CreateGuardrailVersion", guardrailIdentifier=guardrail, **options)
        answer = wait_ready(aws, self.clock, guardrail, made["version"])
        properties = {
            **desired.properties,
            **from_response(answer),
            **{name: desired.properties[name] for name in self.create_only if name in desired.properties},
            "GuardrailId": guardrail,
            "GuardrailArn": answer["guardrailArn"],
            "Version": made["version"],
            "Status": answer["status"],
        }
        if not self._fixes(desired, properties):
            message = (
                f"version {made['version']} of guardrail {guardrail} does not hold what is declared: its draft was "
                f"changed meanwhile; run the command again"
            )
            raise AwsCallError("bedrock", "CreateGuardrailVersion", "ContentChanged", message)
        return self.seen(aws, f"{guardrail}:{made['version']}", properties)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Nothing of a version can change: another content is another version."""
        return self.create(aws, desired) if self.differs(observed, desired, *self.create_only) else observed

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove this version alone."""
        with allowing(GONE):
            aws.call(
                "bedrock",
                "DeleteGuardrail",
                guardrailIdentifier=observed.properties["GuardrailId"],
                guardrailVersion=observed.properties["Version"],
            )

    def physical_id(self, desired: Resource) -> str:
        """The made-up id of its guardrail, version 1."""
        guardrail = desired.properties.get("GuardrailIdentifier")
        if isinstance(guardrail, Ref):
            parent = replace(desired, type=Guardrail.type, id=guardrail.target)
            return f"{Guardrail().physical_id(parent)}:1"
        return f"{str(guardrail).rsplit('/', 1)[-1]}:1"

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Version number, its ARN (as ``bedrock:GuardrailIdentifier`` holds it), and its guardrail's."""
        guardrail, version = physical_id.rsplit(":", 1)
        parent = replace(
            resource,
            properties={"Arn": resource.properties["GuardrailArn"]} if resource.get("GuardrailArn") else {},
        )
        arn = Guardrail().identity(parent, guardrail)["Arn"]
        return {
            "Id": physical_id,
            "Version": version,
            "Arn": f"{arn}:{version}",
            "GuardrailArn": arn,
            "GuardrailId": guardrail,
        }
