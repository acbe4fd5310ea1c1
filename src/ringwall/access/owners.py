"""Who owns a policy: the person or account to ask for a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.iam.principal import parse_principal

if TYPE_CHECKING:
    from ringwall.access.bearing import Access
    from ringwall.iam.request import PolicyType, Request


@dataclass(frozen=True, slots=True)
class Owner:
    """Who can change a policy.

    Attributes:
        account: its account, where known.
        words: who that is, and how far a change by somebody else gets.
    """

    account: str | None
    words: str


def owner_of(
    policy_type: PolicyType, request: Request, access: Access | None, administrators: tuple[str, ...]
) -> Owner:
    """The owner of the policies of a type that bear on a request."""
    who = parse_principal(request.principal)
    own = who.account or None
    resource = request.resource_account or _account_of(request.resource) or own
    if policy_type in ("scp", "rcp"):
        return _organization_owner(
            policy_type, own if policy_type == "scp" else resource, access, administrators
        )
    account = resource if policy_type == "resource" else own
    place = f"account {account}" if account else "the account"
    words = {
        "identity": f"whoever administers IAM in {place}",
        "permissions_boundary": f"whoever set the permissions boundary in {place}, seldom the principal itself",
        "session": "whoever made the session (sts:AssumeRole's Policy and PolicyArns)",
        "resource": f"the owner of the resource{f', {place}' if account else ''}",
        "vpc_endpoint": "the owner of the VPC endpoint",
    }[policy_type]
    protected = policy_type in ("vpc_endpoint", "resource") and administrators
    return Owner(
        account, words + (f"; the declaration reserves it to {_listed(administrators)}" if protected else "")
    )


def _organization_owner(
    policy_type: PolicyType, bound: str | None, access: Access | None, administrators: tuple[str, ...]
) -> Owner:
    management = _management_of(bound, access)
    place = f"the organization's management account{f' {management}' if management else ''}"
    name = "service control policy" if policy_type == "scp" else "resource control policy"
    words = f"{place}; no policy of the bound account can override a {name}"
    if administrators:
        words += f". By the declaration {_listed(administrators)} may change it"
    return Owner(management, words)


def _management_of(bound: str | None, access: Access | None) -> str | None:
    if access is None or bound is None:
        return None
    account = access.estate.account(bound)
    return next(
        (
            item.id
            for item in access.estate.accounts
            if item.management and account is not None and item.organization == account.organization
        ),
        None,
    )


def _account_of(arn: str) -> str | None:
    fields = arn.split(":", 5)
    return fields[4] or None if len(fields) == 6 else None


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
