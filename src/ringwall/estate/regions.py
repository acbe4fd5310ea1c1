"""Which Regions an account may use Bedrock in: enabled for the account, and Regions of Bedrock."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING

from ringwall.errors import AwsCallError

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws

ENABLED = frozenset({"opt-in-not-required", "opted-in"})


def regions_of_bedrock(aws: Aws) -> tuple[str, ...]:
    """Regions to look for Bedrock in, sorted.

    An account that may not be asked which Regions it has enabled is asked in every Region of Bedrock: what a Region then
    refuses is unknown there.
    """
    offered = _offered(aws.partition)
    try:
        answer = aws.call("ec2", "DescribeRegions")
    except AwsCallError:
        return offered
    enabled = {
        str(item["RegionName"]) for item in answer.get("Regions", ()) if item.get("OptInStatus") in ENABLED
    }
    return tuple(region for region in offered if region in enabled)


@cache
def _offered(partition: str) -> tuple[str, ...]:
    """Regions of Bedrock by the endpoint data of the installed botocore."""
    sessions = importlib.import_module("ringwall.estate.sessions")
    return tuple(sorted(sessions.base_session().get_available_regions("bedrock", partition)))
