"""Service control policies as resources of the management account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls.documents import Statement, pack
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.perimeter.model import Perimeter

TYPE = "AWS::Organizations::Policy"


def target(perimeter: Perimeter) -> str:
    """What the policies attach to: the declared root, organizational unit or account, else the account."""
    return perimeter.organization.target or perimeter.account


def policies(
    perimeter: Perimeter, name: str, description: str, statements: Iterable[Statement]
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
                "Name": f"{perimeter.name}-{name}{suffix}",
                "Description": description,
                "Type": "SERVICE_CONTROL_POLICY",
                "Content": content,
                "TargetIds": [target(perimeter)],
            },
        )
