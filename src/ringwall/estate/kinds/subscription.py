"""``AWS::SNS::Subscription``: who hears what a topic says, and whether they confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import BaseKind, allowing
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.kinds.topic import GONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

PENDING = ("PendingConfirmation", "pending confirmation")
PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")


class Subscription(BaseKind):
    """Subscriptions, known by topic, protocol and endpoint. ``PendingConfirmation`` says that nobody confirmed yet."""

    type = "AWS::SNS::Subscription"
    names = ("TopicArn", "Protocol", "Endpoint")
    create_only = ("TopicArn", "Protocol", "Endpoint")
    read_only = ("Arn", "PendingConfirmation")
    taggable = False
    permissions = Permissions(("sns:ListSubscriptions",), ("sns:Subscribe", "sns:Unsubscribe"))
    limits = (
        Limit("TopicArn", required=True, pattern=r"arn:aws[\w-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+"),
        Limit("Protocol", required=True, choices=PROTOCOLS),
        Limit("Endpoint", required=True, longest=2048),
    )

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and that an email address looks like one."""
        found = super().validate(properties)
        endpoint = properties.get("Endpoint")
        mail = str(properties.get("Protocol", "")).startswith("email")
        if mail and isinstance(endpoint, str) and endpoint.count("@") != 1:
            found += (f"Endpoint: {endpoint} is not an email address",)
        return found

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every subscription."""
        listed = aws.pages("sns", "ListSubscriptions", "Subscriptions")
        shared = aws.evidence()
        for item in listed:
            arn = item.get("SubscriptionArn") or ""
            if arn == "Deleted":
                continue
            pending = arn in PENDING
            properties = {
                "TopicArn": item["TopicArn"],
                "Protocol": item["Protocol"],
                "Endpoint": item.get("Endpoint", ""),
                "PendingConfirmation": pending,
            }
            where = "|".join(("pending", item["TopicArn"], item["Protocol"], item.get("Endpoint", "")))
            yield self.seen(aws, where if pending else arn, properties, evidence=shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Subscribe; an email address is asked to confirm."""
        wanted = desired.properties
        arn = aws.call(
            "sns",
            "Subscribe",
            TopicArn=wanted["TopicArn"],
            Protocol=wanted["Protocol"],
            Endpoint=wanted["Endpoint"],
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return self.written(aws, desired, arn)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Nothing can change."""
        return self.written(aws, desired, observed.id)

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Unsubscribe. One that nobody confirmed cannot be removed; SNS drops it after two days."""
        if observed.id.startswith("arn:"):
            with allowing(*GONE):
                aws.call("sns", "Unsubscribe", SubscriptionArn=observed.id)
