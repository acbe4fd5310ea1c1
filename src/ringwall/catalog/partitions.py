"""Partitions of AWS, and the Regions that belong to each.

Follows https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html and the partition
file of botocore. A Region tells its partition by how its name starts.
"""

from __future__ import annotations

_STARTS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-iso-", "aws-iso"),
    ("eusc-", "aws-eusc"),
)


def partition_of(region: str) -> str:
    """Partition of a Region, such as ``aws-us-gov``; of every other name, ``aws``."""
    return next((partition for start, partition in _STARTS if region.startswith(start)), "aws")
