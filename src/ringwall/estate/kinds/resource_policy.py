"""``AWS::Bedrock::ResourcePolicy``: who outside the account may apply a guardrail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import BaseKind, Reading, allowing
from ringwall.estate.kinds.documents import document, text
from ringwall.estate.kinds.guardrail import GONE, guardrails
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource


class ResourcePolicy(BaseKind):
    """Policies of guardrails. Bedrock lists none, so every guardrail is asked."""

    type = "AWS::Bedrock::ResourcePolicy"
    names = ("ResourceArn",)
    create_only = ("ResourceArn",)
    documents = ("PolicyDocument",)
    taggable = False
    permissions = Permissions(
        ("bedrock:ListGuardrails", "bedrock:GetResourcePolicy"),
        ("bedrock:PutResourcePolicy", "bedrock:DeleteResourcePolicy"),
    )
    limits = (
        Limit("ResourceArn", required=True, pattern=r"arn:aws[\w-]*:bedrock:.+", longest=255),
        Limit("PolicyDocument", required=True, size=20_480),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """The policy of every guardrail that has one."""
        listed = guardrails(aws)
        shared = aws.evidence()
        for item in listed:
            reading = Reading(aws)
            reading.set(ResourceArn=item["arn"])
            reading.take(
                "PolicyDocument",
                ("bedrock", "GetResourcePolicy", {"resourceArn": item["arn"]}),
                lambda answer: document(answer["resourcePolicy"]) if answer.get("resourcePolicy") else None,
                (GONE,),
            )
            if "PolicyDocument" in reading.properties or reading.unknown:
                yield self.seen(aws, item["arn"], reading.properties, reading.unknown, shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Set it."""
        arn = desired.properties["ResourceArn"]
        aws.call(
            "bedrock",
            "PutResourcePolicy",
            resourceArn=arn,
            resourcePolicy=text(desired.properties["PolicyDocument"]),
        )
        return self.written(aws, desired, arn)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Replace it."""
        if self.differs(observed, desired, "PolicyDocument"):
            return self.create(aws, desired)
        return self.written(aws, desired, observed.id)

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it."""
        with allowing(GONE):
            aws.call("bedrock", "DeleteResourcePolicy", resourceArn=observed.id)
