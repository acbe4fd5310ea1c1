"""Amazon Resource Names: ``arn:partition:service:region:account:resource``.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ringwall.iam.text import shown

ACCOUNT_ID_DIGITS = 12


def is_account_id(text: str) -> bool:
    """Whether the text is a twelve-digit account id."""
    return len(text) == ACCOUNT_ID_DIGITS and text.isascii() and text.isdigit()


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN by its six fields. ``resource`` keeps any further colons."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Split an ARN.

        Raises:
            ValueError: the text does not have the six fields of an ARN.
        """
        fields = text.split(":", 5)
        if len(fields) != 6 or fields[0] != "arn":
            raise ValueError(
                f"{shown(text)} is not an ARN; write arn:partition:service:region:account:resource"
            )
        return cls(*fields[1:])

    @property
    def resource_type(self) -> str:
        """What stands before the first ``/`` or ``:`` of the resource; empty if there is neither (S3 buckets)."""
        for index, char in enumerate(self.resource):
            if char in "/:":
                return self.resource[:index]
        return ""

    @property
    def resource_id(self) -> str:
        """The resource without its type."""
        kind = self.resource_type
        return self.resource[len(kind) + 1 :] if kind else self.resource

    @property
    def owner(self) -> str | None:
        """The twelve-digit account, or ``None`` where the ARN has none (S3, foundation models) or it is AWS's own."""
        return self.account if is_account_id(self.account) else None

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


@lru_cache(maxsize=4096)
def owner_of(resource: str) -> str | None:
    """The account in a resource's ARN; ``None`` for ``*``, for what is no ARN and for ARNs without an account."""
    fields = resource.split(":", 5)
    return fields[4] if len(fields) == 6 and fields[0] == "arn" and is_account_id(fields[4]) else None
