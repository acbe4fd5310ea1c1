"""``AWS::SNS::Topic``: name and encryption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    BaseKind,
    Reading,
    from_tags,
    missing_tags,
    ownership,
    partition_of,
    remembered,
    tag_list,
)
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

GONE = ("NotFound", "ResourceNotFoundException", "ResourceNotFound")
ATTRIBUTES = ("KmsMasterKeyId", "DisplayName", "SignatureVersion", "TracingConfig")
"""Settable attributes; CloudFormation uses SNS's names."""
TOLD = (*ATTRIBUTES, "SubscriptionsConfirmed", "SubscriptionsPending")


def topic_arns(aws: Aws) -> list[str]:
    """ARNs of the Region's topics, asked once between two writes."""
    return remembered(aws, "sns:ListTopics", lambda: _topic_arns(aws))


def _topic_arns(aws: Aws) -> list[str]:
    return [item["TopicArn"] for item in aws.pages("sns", "ListTopics", "Topics")]


def topic_call(arn: str) -> tuple[str, str, Mapping[str, Any]]:
    """The call that tells a topic's attributes."""
    return ("sns", "GetTopicAttributes", {"TopicArn": arn})


class Topic(BaseKind):
    """Topics, known by ARN."""

    type = "AWS::SNS::Topic"
    names = ("TopicName",)
    create_only = ("TopicName", "FifoTopic")
    read_only = ("Arn", "TopicArn", "SubscriptionsConfirmed", "SubscriptionsPending")
    permissions = Permissions(
        ("sns:ListTopics", "sns:GetTopicAttributes", "sns:ListTagsForResource"),
        ("sns:CreateTopic", "sns:SetTopicAttributes", "sns:TagResource", "sns:DeleteTopic"),
    )
    limits = (
        Limit("TopicName", required=True, pattern=r"[A-Za-z0-9_-]{1,256}(\.fifo)?", longest=256),
        Limit("DisplayName", longest=100),
        Limit("KmsMasterKeyId", longest=2048),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every topic."""
        arns = topic_arns(aws)
        yield from self._read_each(aws, aws.evidence(), arns)

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """Those topics."""
        yield from self._read_each(aws, (), ids)

    def _read_each(self, aws: Aws, shared: tuple[str, ...], arns: Iterable[str]) -> Iterator[Resource]:
        for arn in arns:
            reading = Reading(aws)
            reading.set(TopicName=arn.rsplit(":", 1)[1], Arn=arn, TopicArn=arn)
            reading.take(TOLD, topic_call(arn), _told, GONE)
            if not reading.unknown and not any(name in reading.properties for name in TOLD):
                continue
            reading.take(
                "Tags",
                ("sns", "ListTagsForResource", {"ResourceArn": arn}),
                lambda answer: from_tags(answer.get("Tags")),
                GONE,
            )
            yield self.seen(aws, arn, reading.properties, reading.unknown, shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it with its key and tags in one call."""
        wanted, tags = desired.properties, ownership(aws, desired)
        attributes = {name: str(wanted[name]) for name in ATTRIBUTES if wanted.get(name)}
        arn = aws.call(
            "sns", "CreateTopic", Name=wanted["TopicName"], Attributes=attributes, Tags=tag_list(tags)
        )["TopicArn"]
        return self.written(aws, desired, arn, tags, Arn=arn, TopicArn=arn)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Set each attribute that differs."""
        for name in ATTRIBUTES:
            if self.differs(observed, desired, name):
                value = str(desired.properties[name])
                aws.call(
                    "sns",
                    "SetTopicAttributes",
                    TopicArn=observed.id,
                    AttributeName=name,
                    AttributeValue=value,
                )
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("sns", "TagResource", ResourceArn=observed.id, Tags=tag_list(tags))
        return self.written(
            aws, desired, observed.id, ownership(aws, desired), Arn=observed.id, TopicArn=observed.id
        )

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it with its subscriptions."""
        aws.call("sns", "DeleteTopic", TopicArn=observed.id)

    def physical_id(self, desired: Resource) -> str:
        """Its ARN, which the name determines."""
        where = f"{desired.region}:{desired.account}"
        return f"arn:{partition_of(desired.region)}:sns:{where}:{desired.properties.get('TopicName')}"

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """ARN and name."""
        name = str(resource.properties.get("TopicName", physical_id.rsplit(":", 1)[-1]))
        return {"Id": physical_id, "Arn": physical_id, "TopicArn": physical_id, "Name": name}


def _told(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: answer["Attributes"].get(name) or None for name in TOLD}
