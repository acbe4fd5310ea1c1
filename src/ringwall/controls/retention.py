"""The account's data retention setting, and the policy that keeps it, as resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls import scp
from ringwall.controls.documents import Statement, deny
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.perimeter.model import Perimeter


TYPE = "Ringwall::Bedrock::DataRetention"
POLICY = "retention"


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
            perimeter, POLICY, "No retention of prompts and answers", _statements(), shared=True
        )


def _statements() -> Iterator[Statement]:
    """Projects may inherit; a request that sends no mode (a rename) is left alone."""
    yield deny(
        "RetentionNone",
        "bedrock:PutAccountDataRetention",
        "*",
        {"StringNotEquals": {"bedrock:DataRetentionMode": ["none"]}},
    )
    yield deny(
        "RetentionNoneMantle",
        "bedrock-mantle:PutAccountDataRetention",
        "*",
        {"StringNotEquals": {"bedrock-mantle:DataRetentionMode": ["none"]}},
    )
    yield deny(
        "RetentionNoneMantleProjects",
        ["bedrock-mantle:CreateProject", "bedrock-mantle:UpdateProject"],
        "*",
        {
            "StringNotEquals": {"bedrock-mantle:DataRetentionMode": ["none", "inherit"]},
            "Null": {"bedrock-mantle:DataRetentionMode": "false"},
        },
    )
