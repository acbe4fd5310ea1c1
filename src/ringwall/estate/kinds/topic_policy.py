"""``AWS::SNS::TopicPolicy``: every topic has one, if only the default that SNS gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import BaseKind, Reading, allowing
from ringwall.estate.kinds.documents import canonical_policy, document, text
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.kinds.topic import GONE, topic_arns, topic_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

OWNER_ACTIONS = (
    "SNS:GetTopicAttributes",
    "SNS:SetTopicAttributes",
    "SNS:AddPermission",
    "SNS:RemovePermission",
    "SNS:DeleteTopic",
    "SNS:Subscribe",
    "SNS:ListSubscriptionsByTopic",
    "SNS:Publish",
)


def default_policy(topic: str) -> dict[str, Any]:
    """The policy that SNS gives a new topic: its account and nobody else."""
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": list(OWNER_ACTIONS),
                "Resource": topic,
                "Condition": {"StringEquals": {"AWS:SourceOwner": topic.split(":")[4]}},
            }
        ],
    }


class TopicPolicy(BaseKind):
    """Policies of topics, one resource for each topic."""

    type = "AWS::SNS::TopicPolicy"
    names = ("Topics",)
    documents = ("PolicyDocument",)
    unordered = ("Topics",)
    taggable = False
    permissions = Permissions(("sns:ListTopics", "sns:GetTopicAttributes"), ("sns:SetTopicAttributes",))
    limits = (
        Limit("Topics", required=True, shortest=1),
        Limit("PolicyDocument", required=True, size=30_720),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """The policy of every topic."""
        arns = topic_arns(aws)
        yield from self._read_each(aws, aws.evidence(), arns)

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """The policies of those topics."""
        yield from self._read_each(aws, (), ids)

    def _read_each(self, aws: Aws, shared: tuple[str, ...], arns: Iterable[str]) -> Iterator[Resource]:
        for arn in arns:
            reading = Reading(aws)
            reading.set(Topics=[arn])
            reading.take(
                "PolicyDocument",
                topic_call(arn),
                lambda answer: (
                    document(answer["Attributes"]["Policy"]) if answer["Attributes"].get("Policy") else None
                ),
                GONE,
            )
            if "PolicyDocument" in reading.properties or reading.unknown:
                yield self.seen(aws, arn, reading.properties, reading.unknown, shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Set it on each topic."""
        policy = text(desired.properties["PolicyDocument"])
        for topic in desired.properties["Topics"]:
            self._set(aws, topic, policy)
        return self.written(aws, desired, desired.properties["Topics"][0])

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Replace it."""
        if self.differs(observed, desired, "PolicyDocument"):
            return self.create(aws, desired)
        return self.written(aws, desired, observed.id)

    def removable(self, observed: Resource) -> bool:
        """Not where it is SNS's default."""
        default = canonical_policy(default_policy(observed.id))
        return bool(canonical_policy(observed.properties.get("PolicyDocument")) != default)

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Give the topic SNS's default back: a topic is never without a policy."""
        with allowing(*GONE):
            self._set(aws, observed.id, text(default_policy(observed.id)))

    @staticmethod
    def _set(aws: Aws, topic: str, policy: str) -> None:
        aws.call("sns", "SetTopicAttributes", TopicArn=topic, AttributeName="Policy", AttributeValue=policy)

    def physical_id(self, desired: Resource) -> str:
        """The topic's ARN."""
        topics: Any = desired.properties.get("Topics") or [desired.id]
        return str(topics[0])

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:  # noqa: ARG002 - the id says all
        """The topic's ARN."""
        return {"Id": physical_id, "Arn": physical_id}
