"""Service control policies as resources of the management account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls.documents import Statement, pack
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.perimeter.model import Perimeter

TYPE = "AWS::Organizations::Policy"


def target(perimeter: Perimeter, *, shared: bool = False) -> str:
    """What the policies attach to: the declared root, organizational unit or account, else the account.

    Args:
        perimeter: the declaration.
        shared: of a policy that names nothing of an account's own. Of several accounts each has its own ones of the
            others: they would shut the neighbours out.
    """
    if perimeter.member is not None and not shared:
        return perimeter.account
    return perimeter.organization.target or perimeter.account


def policy_name(perimeter: Perimeter, name: str, *, shared: bool = False) -> str:
    """Name of an organization policy. The organization has one of each name, so of several accounts' each says whose."""
    whose = [perimeter.member] if perimeter.member is not None and not shared else []
    return "-".join([perimeter.name, *whose, name])


def policies(
    perimeter: Perimeter,
    name: str,
    description: str,
    statements: Iterable[Statement],
    *,
    shared: bool = False,
) -> Iterator[Resource]:
    """``scp/NAME`` with these statements; more of them, numbered, where one would be too long."""
    for number, content in enumerate(pack(f"scp/{name}", statements), start=1):
        suffix = "" if number == 1 else f"-{number}"
        yield Resource(
            type=TYPE,
            account=perimeter.organization.management_account,
            region="global",
            id=f"scp/{name}{suffix}",
            properties={
                "Name": policy_name(perimeter, f"{name}{suffix}", shared=shared),
                "Description": description,
                "Type": "SERVICE_CONTROL_POLICY",
                "Content": content,
                "TargetIds": [target(perimeter, shared=shared)],
            },
        )
