"""What a resource costs as long as it stands: AWS's public list prices for us-east-1, in US dollars.

They are data with a date, not an offer: AWS changes prices, other Regions cost more, and discounts, free tiers and tax are
left out. So whatever is added up of them is called approximate and says of when they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ringwall.estate.model import Resource

AS_OF = "November 2026"
"""When the prices were last looked up."""
HOURS = 730
"""Hours that AWS bills a month as."""


@dataclass(frozen=True, slots=True)
class Price:
    """A standing price.

    Attributes:
        monthly: US dollars a month for one unit.
        source: AWS's page.
        units: how many units a resource counts as.
    """

    monthly: float
    source: str
    units: Callable[[Resource], int] = lambda _: 1


def _subnets(resource: Resource) -> int:
    """An interface endpoint is billed for each Availability Zone; a gateway endpoint is not."""
    return len(resource.get("SubnetIds") or ()) if resource.get("VpcEndpointType") == "Interface" else 0


PRICES: Mapping[str, Price] = {
    # Each of the first two rotations adds as much again.
    "AWS::KMS::Key": Price(1.00, "https://aws.amazon.com/kms/pricing/"),
    # An hour in one Availability Zone. From general knowledge: the page's table could not be read.
    "AWS::EC2::VPCEndpoint": Price(0.01 * HOURS, "https://aws.amazon.com/privatelink/pricing/", _subnets),
    # A standard-resolution alarm on one metric, as third parties tell it.
    "AWS::CloudWatch::Alarm": Price(0.10, "https://aws.amazon.com/cloudwatch/pricing/"),
}
"""Standing price by type. What is charged by use alone is named without a sum (:data:`BY_USE`)."""
BY_USE: Mapping[str, str] = {
    "AWS::CloudTrail::Trail": "data events",
    "Ringwall::Bedrock::InvocationLogging": "log volume in CloudWatch Logs and S3",
    "AWS::Bedrock::Guardrail": "text units that guardrails judge",
    "AWS::EC2::VPCEndpoint": "data through the endpoints",
}
"""What is charged by use."""


def monthly(resource: Resource) -> float:
    """What a resource costs a month, in US dollars, approximately; 0 for what has no standing price."""
    price = PRICES.get(resource.type)
    return price.monthly * price.units(resource) if price is not None else 0.0
