"""``AWS::RAM::ResourceShare``: read only; Bedrock resources that are shared with others through AWS RAM.

Of Bedrock's resources only custom models can be shared, so an account that owns none is not asked for its shares.

AWS sources: https://docs.aws.amazon.com/ram/latest/userguide/shareable.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/share-model.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Reading
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

OURS = "SELF"
BEDROCK = "bedrock"


class ResourceShare(ReadOnlyKind):
    """Shares of this account that hold something of Bedrock's: what, and with whom."""

    type = "AWS::RAM::ResourceShare"
    permissions = Permissions(("bedrock:ListCustomModels", "ram:ListPrincipals", "ram:ListResources"), ())

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every share of the Region that holds something of Bedrock's."""
        if not aws.pages("bedrock", "ListCustomModels", "modelSummaries", isOwned=True):
            return
        held: dict[str, list[str]] = {}
        for item in aws.pages("ram", "ListResources", "resources", resourceOwner=OURS):
            arn = str(item.get("arn", ""))
            if arn.split(":")[2:3] == [BEDROCK]:
                held.setdefault(str(item.get("resourceShareArn")), []).append(arn)
        shared = aws.evidence()
        for share in sorted(held):
            reading = Reading(aws)
            reading.set(Arn=share, ResourceArns=sorted(held[share]))
            reading.take_all(
                "Principals",
                ("ram", "ListPrincipals", {"resourceOwner": OURS, "resourceShareArns": [share]}),
                "principals",
                lambda found: sorted(str(item["id"]) for item in found),
            )
            yield self.seen(aws, share, reading.properties, reading.unknown, shared)
