"""What AWS's message alone tells, where there are no policies to ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringwall.access.owners import owner_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.access.asked import Asked
    from ringwall.access.denial import Denial
    from ringwall.iam.request import PolicyType

TYPE_NAMES: Mapping[PolicyType, str] = {
    "identity": "identity-based policy",
    "permissions_boundary": "permissions boundary",
    "session": "session policy",
    "resource": "resource-based policy",
    "scp": "service control policy",
    "rcp": "resource control policy",
    "vpc_endpoint": "VPC endpoint policy",
}


def told(denial: Denial, asked: Asked) -> Iterator[str]:
    """Which type of policy decided, who owns it, and what would have to change.

    Args:
        denial: what the message says.
        asked: the authorization that it is about.
    """
    kind = denial.policy_type
    where = f"in {_a(TYPE_NAMES[kind])}" if kind else "but not in which policy"
    if denial.effect == "explicit":
        named = f": {denial.policy}" if denial.policy else ""
        yield f"AWS says that an explicit deny decided, {where}{named}"
        yield "no further Allow helps: the denying statement must change, or the request no longer meet its conditions"
    elif kind and denial.effect == "implicit":
        yield f"AWS says that no {TYPE_NAMES[kind]} allows it"
        level = " at every level, from the root to the account" if kind in ("scp", "rcp") else ""
        yield f"an Allow of {asked.action} on {asked.resource} is needed there{level}"
    elif kind:
        yield f"AWS says that {_a(TYPE_NAMES[kind])} decided, but not whether it denies or does not allow it"
    else:
        yield "AWS does not say which policy decided: a Deny somewhere, or no Allow anywhere"
    if kind:
        yield f"it belongs to {owner_of(kind, asked.request({}), None, ()).words}"


def _a(name: str) -> str:
    return f"an {name}" if name[0] in "aeio" else f"a {name}"
