"""Rules about a declaration of several accounts: what they share stands once, and each is there once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ringwall.perimeter.finding import Data, Finding, mapping
from ringwall.perimeter.model import Perimeter

SHARED = ("version", "name", "organization", "environments", "accounts", "member")
"""Fields that are the declaration's, not an account's."""


def disagreements(data: Data) -> Iterator[Finding]:
    """What no account's own declaration shows."""
    seen: dict[str, str] = {}
    accounts = mapping(data, "accounts")
    for name, overlay in accounts.items():
        path, section = ("accounts", name), mapping(overlay)
        for field in SHARED:
            if field in section:
                yield (*path, field), "is the same for all accounts: declare it beside `accounts`"
        number = section.get("account")
        if not isinstance(number, str):
            yield path, "needs the account's number: account"
        elif number in seen:
            yield (*path, "account"), f"{number} is {seen[number]} already"
        else:
            seen[number] = str(name)
    for name, overlay in mapping(data, "environments").items():
        if "environments" in mapping(overlay):
            yield ("environments", name, "environments"), "an environment has no environments of its own"
    if accounts and "member" in data:
        yield ("member",), "is said by `accounts`"


def collisions(environments: Mapping[str | None, Sequence[Perimeter]]) -> Iterator[Finding]:
    """Environments whose organization policies would take each other's place: other accounts under the same name."""
    seen: dict[tuple[str, str, str | None], tuple[str | None, str]] = {}
    for environment, perimeters in environments.items():
        for perimeter in perimeters:
            key = (perimeter.organization.id, perimeter.name, perimeter.member)
            other, account = seen.setdefault(key, (environment, perimeter.account))
            if account != perimeter.account and environment is not None:
                there = "the declaration" if other is None else f"environment {other}"
                message = (
                    f"is about account {perimeter.account}, {there} about {account}: under one name the organization "
                    "policies of each would take the other's place; give this one a `member` of its own, or a `name`"
                )
                yield ("environments", environment), message
