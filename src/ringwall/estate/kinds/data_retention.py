"""``Ringwall::Bedrock::DataRetention``: how long AWS may keep prompts and answers, for which CloudFormation has no type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.kinds.singleton import Singleton

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

MODES = ("default", "none", "aws_review", "provider_data_share", "inherit")
UNSET = "inherit"


class DataRetention(Singleton):
    """The retention mode of the account in this Region. It is always there: ``inherit`` until somebody sets it."""

    type = "Ringwall::Bedrock::DataRetention"
    slug = "data-retention"
    permissions = Permissions(("bedrock:GetAccountDataRetention",), ("bedrock:PutAccountDataRetention",))
    limits = (Limit("Mode", required=True, choices=MODES),)

    def read(self, aws: Aws) -> Iterator[Resource]:
        """The mode."""
        mode = aws.call("bedrock", "GetAccountDataRetention")["mode"]
        yield self.seen(aws, self.slug, {"Mode": mode})

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Set it."""
        aws.call("bedrock", "PutAccountDataRetention", mode=desired.properties["Mode"])
        return self.written(aws, desired, self.slug)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Set it where it differs."""
        if self.differs(observed, desired, "Mode"):
            return self.create(aws, desired)
        return self.written(aws, desired, observed.id)

    def removable(self, observed: Resource) -> bool:
        """Not where nobody set it."""
        return bool(observed.get("Mode") != UNSET)

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Go back to what the models' defaults say."""
        if self.removable(observed):
            aws.call("bedrock", "PutAccountDataRetention", mode=UNSET)
