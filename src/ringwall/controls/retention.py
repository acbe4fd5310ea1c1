"""The account's data retention setting, and the policy that keeps it, as resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ringwall.controls import scp
from ringwall.controls.documents import Statement, deny
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.perimeter.model import Perimeter


TYPE = "Ringwall::Bedrock::DataRetention"


def settings(perimeter: Perimeter) -> Iterator[Resource]:
    """The mode of the account wherever requests may be processed: what is retained, is retained there."""
    for region in perimeter.regions.processing:
        yield Resource(
            type=TYPE,
            account=perimeter.account,
            region=region,
            id=setting_id(perimeter, region),
            properties={"Mode": perimeter.data_retention},
        )


def setting_id(perimeter: Perimeter, region: str) -> str:
    """Name of a Region's setting within the declaration."""
    return f"data-retention/{'main' if region == perimeter.regions.source else region}"


def policy(perimeter: Perimeter) -> Iterator[Resource]:
    """``scp/retention``, where the declaration wants no retention."""
    if perimeter.data_retention == "none":
        yield from scp.policies(
            perimeter,
            "retention",
            "No retention of prompts and answers",
            (kept.statement for kept in KEPT),
        )


class Kept(NamedTuple):
    """One way to turn retention on, and what forbids it.

    Attributes:
        claim: name of the claim that nobody has this way.
        title: the claim in words.
        statement: the Deny.
    """

    claim: str
    title: str
    statement: Statement


KEPT = (
    Kept(
        "retention-stays-none",
        "Nobody sets data retention to anything but none",
        deny(
            "RetentionNone",
            "bedrock:PutAccountDataRetention",
            "*",
            {"StringNotEquals": {"bedrock:DataRetentionMode": ["none"]}},
        ),
    ),
    Kept(
        "mantle-retention-stays-none",
        "Nobody sets data retention of bedrock-mantle to anything but none",
        deny(
            "RetentionNoneMantle",
            "bedrock-mantle:PutAccountDataRetention",
            "*",
            {"StringNotEquals": {"bedrock-mantle:DataRetentionMode": ["none"]}},
        ),
    ),
    # Projects may inherit; a request that sends no mode (a rename) is left alone.
    Kept(
        "mantle-projects-retain-none",
        "Nobody makes a bedrock-mantle project retain anything of its own",
        deny(
            "RetentionNoneMantleProjects",
            ["bedrock-mantle:CreateProject", "bedrock-mantle:UpdateProject"],
            "*",
            {
                "StringNotEquals": {"bedrock-mantle:DataRetentionMode": ["none", "inherit"]},
                "Null": {"bedrock-mantle:DataRetentionMode": "false"},
            },
        ),
    ),
)
