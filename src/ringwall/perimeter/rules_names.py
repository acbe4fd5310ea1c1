"""Rules about the names that a declaration makes: AWS's limits on the longest of each kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ringwall.perimeter.finding import Data, Finding, Path, mapping, uses

BUCKET_CHARACTERS = 63
ROLE_CHARACTERS = 64
_IN_A_ROW = re.compile(r"[._-]{2}")
BUCKETS = ("invocation-logs", "trail")
OWN_ROLES = ("invocation-logging",)


def _names_fit(data: Data) -> Iterator[Finding]:
    """Buckets are named ``ringwall-NAME-PURPOSE-ACCOUNT-REGION``, roles ``NAME-USE``."""
    name, account = data.get("name"), data.get("account")
    source = mapping(data, "regions").get("source")
    if not isinstance(name, str) or not isinstance(account, str) or not isinstance(source, str):
        return
    places: list[tuple[Path, str]] = [(("name",), purpose) for purpose in BUCKETS]
    places += [(("knowledge_bases", base), f"kb-{base}") for base in mapping(data, "knowledge_bases")]
    for path, purpose in places:
        over = len(f"ringwall-{name}-{purpose}-{account}-{source}") - BUCKET_CHARACTERS
        if over > 0:
            yield path, f"{over} characters too long for S3: the bucket for {purpose} is named after it"
    for use, _ in uses(data):
        over = len(f"{name}-{use}") - ROLE_CHARACTERS
        if over > 0:
            yield ("uses", use), f"{over} characters too long for IAM: its role is named {name}-{use}"


def _trails_can_be_named(data: Data) -> Iterator[Finding]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-naming-requirements.html."""
    trail = mapping(data, "logging").get("trail")
    if isinstance(trail, str):
        if _IN_A_ROW.search(trail):
            yield ("logging", "trail"), "CloudTrail's names have no two of . _ - in a row"
    elif _IN_A_ROW.search(f"{data.get('name')}-"):
        yield (
            ("name",),
            f"CloudTrail's names have no two hyphens in a row: the trail is {data['name']}-bedrock",
        )


def _own_roles_are_ours(data: Data) -> Iterator[Finding]:
    made = {f"kb-{name}" for name in mapping(data, "knowledge_bases")} | set(OWN_ROLES)
    for use, _ in uses(data):
        if use in made:
            yield ("uses", use), "that name belongs to the perimeter's own role; choose another"


RULES: tuple[Callable[[Data], Iterator[Finding]], ...] = (
    _names_fit,
    _trails_can_be_named,
    _own_roles_are_ours,
)
