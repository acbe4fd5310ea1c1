"""``AWS::Bedrock::Guardrail``: the working draft of a guardrail.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    BaseKind,
    Clock,
    Reading,
    allowing,
    fresh,
    from_tags,
    missing_tags,
    optional,
    ownership,
    partition_of,
    remembered,
    tag_list,
    until,
)
from ringwall.estate.kinds.guardrail_fields import BLOCKS, canonical_block, from_response, to_request
from ringwall.estate.kinds.guardrail_limits import LIMITS, problems_between

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

GONE = "ResourceNotFoundException"
ABSENT: Mapping[str, Any] = {
    "AutomatedReasoningPolicyConfig": {"Policies": []},
    "CrossRegionConfig": {"GuardrailProfileArn": ""},
    "Description": "",
    "KmsKeyArn": "",
}
"""What UpdateGuardrail drops where a request leaves it out, so that what a declaration leaves out is dropped."""
ENOUGH = 180.0
"""Seconds that a guardrail may take to become ready."""


def guardrails(aws: Aws) -> list[dict[str, Any]]:
    """Summaries of the Region's guardrails, asked once between two writes."""
    return remembered(aws, "bedrock:ListGuardrails", lambda: _guardrails(aws))


def _guardrails(aws: Aws) -> list[dict[str, Any]]:
    return aws.pages("bedrock", "ListGuardrails", "guardrails")


def wait_ready(aws: Aws, clock: Clock, guardrail: str, version: str | None = None) -> dict[str, Any]:
    """Wait until a guardrail, or a version of it, is ready, and return it.

    Raises:
        AwsCallError: it failed, with AWS's reasons, or is not ready after three minutes.
    """
    who = {"guardrailIdentifier": guardrail, **({"guardrailVersion": version} if version else {})}
    answer: dict[str, Any] = {}

    def ready() -> bool:
        answer.clear()
        answer.update(aws.call("bedrock", "GetGuardrail", **who))
        if answer["status"] == "FAILED":
            reasons = [*(answer.get("statusReasons") or ()), *(answer.get("failureRecommendations") or ())]
            raise AwsCallError(
                "bedrock", "GetGuardrail", "GuardrailFailed", "; ".join(reasons) or "no reason given"
            )
        return bool(answer["status"] == "READY")

    until(
        clock,
        ready,
        timeout=ENOUGH,
        late=lambda: AwsCallError(
            "bedrock",
            "GetGuardrail",
            "StillPending",
            f"guardrail {guardrail} is {answer.get('status')} after {ENOUGH:g} s; run the command again to go on",
        ),
    )
    return answer


class Guardrail(BaseKind):
    """Guardrails, by their DRAFT. What calls use is a numbered version; see ``AWS::Bedrock::GuardrailVersion``."""

    type = "AWS::Bedrock::Guardrail"
    names = ("Name",)
    defaults: Mapping[str, Any] = {**{block.name: {} for block in BLOCKS}, **ABSENT}
    read_only = ("Arn", "GuardrailArn", "GuardrailId", "Status", "Version")
    permissions = Permissions(
        ("bedrock:ListGuardrails", "bedrock:GetGuardrail", "bedrock:ListTagsForResource"),
        (
            "bedrock:CreateGuardrail",
            "bedrock:UpdateGuardrail",
            "bedrock:DeleteGuardrail",
            "bedrock:TagResource",
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:GenerateDataKey",
        ),
    )
    limits = LIMITS

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and what CreateGuardrail rejects in combination."""
        return (*super().validate(properties), *problems_between(properties))

    def read(self, aws: Aws) -> Iterator[Resource]:
        """The draft of every guardrail."""
        listed = guardrails(aws)
        yield from self._read_each(aws, aws.evidence(), (item["id"] for item in listed))

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """Those guardrails."""
        yield from self._read_each(aws, (), ids)

    def _read_each(self, aws: Aws, shared: tuple[str, ...], ids: Iterable[str]) -> Iterator[Resource]:
        for guardrail in ids:
            answer = optional(aws, "bedrock", "GetGuardrail", (GONE,), guardrailIdentifier=guardrail)
            if answer is None:
                continue
            reading = Reading(aws)
            reading.set(
                **from_response(answer),
                Arn=answer["guardrailArn"],
                GuardrailArn=answer["guardrailArn"],
                GuardrailId=answer["guardrailId"],
                Status=answer["status"],
            )
            reading.take(
                "Tags",
                ("bedrock", "ListTagsForResource", {"resourceARN": answer["guardrailArn"]}),
                lambda tags: from_tags(tags.get("tags")),
                (GONE,),
            )
            yield self.seen(aws, answer["guardrailId"], reading.properties, reading.unknown, shared)

    def canonical(self, name: str, value: Any) -> Any:
        """Policies with what Bedrock fills in, lists as sets."""
        if name == "CrossRegionConfig" and isinstance(value, Mapping):
            return {key: _last(item) for key, item in value.items()}
        return canonical_block(name, super().canonical(name, value))

    def match(self, desired: Resource, observed: tuple[Resource, ...]) -> Resource | None:
        """By ownership tag, since a guardrail can be renamed; else by name, which is unique in a Region."""
        here = [item for item in observed if self._same_place(desired, item)]
        owned = [item for item in here if self._same_owner(desired, item)]
        return min(owned, key=lambda item: item.id) if owned else super().match(desired, observed)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it with key and tags in one call, and wait until it is ready."""
        tags = ownership(aws, desired)
        made = aws.call(
            "bedrock",
            "CreateGuardrail",
            tags=tag_list(tags, "key", "value"),
            **to_request(desired.properties),
        )
        wait_ready(aws, self.clock, made["guardrailId"])
        return self._as_written(aws, desired, made["guardrailId"], made["guardrailArn"])

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Replace the draft's whole configuration, which is what UpdateGuardrail does."""
        arn = str(observed.get("Arn"))
        wanted = self.normalise(desired.properties)
        if self.differs(observed, desired, *(name for name in wanted if name != "Tags")):
            wait_ready(aws, self.clock, observed.id)
            request = to_request(desired.properties)
            aws.call("bedrock", "UpdateGuardrail", guardrailIdentifier=observed.id, **request)
            wait_ready(aws, self.clock, observed.id)
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("bedrock", "TagResource", resourceARN=arn, tags=tag_list(tags, "key", "value"))
        return self._as_written(aws, desired, observed.id, arn)

    def _as_written(self, aws: Aws, desired: Resource, guardrail: str, arn: str) -> Resource:
        tags = ownership(aws, desired)
        return self.written(
            aws, desired, guardrail, tags, Arn=arn, GuardrailArn=arn, GuardrailId=guardrail, Status="READY"
        )

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it with all its versions; Bedrock refuses while an enforced configuration names it."""
        with allowing(GONE):
            aws.call("bedrock", "DeleteGuardrail", guardrailIdentifier=observed.id)

    def physical_id(self, desired: Resource) -> str:
        """A made-up guardrail id of the right shape."""
        return fresh(desired, 12, "abcdefghijklmnopqrstuvwxyz0123456789")

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Id, ARN (which stands for the DRAFT too), and the pattern of its numbered versions."""
        where = f"{resource.region}:{resource.account}"
        made_up = f"arn:{partition_of(resource.region)}:bedrock:{where}:guardrail/{physical_id}"
        arn = str(resource.properties.get("Arn", made_up))
        return {
            "Id": physical_id,
            "GuardrailId": physical_id,
            "Arn": arn,
            "GuardrailArn": arn,
            "NumberedVersions": f"{arn}:*",
            "Name": str(resource.properties.get("Name", physical_id)),
        }


def _last(value: Any) -> Any:
    return value.rsplit("/", 1)[-1] if isinstance(value, str) else value
