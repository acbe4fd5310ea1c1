"""Ways of asking a bare policy document: as which policies, for whose requests, on whose resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ringwall.iam.arn import is_account_id
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicySet, PrincipalElement
from ringwall.iam.request import ANONYMOUS
from ringwall.iam.rules import RESOURCE_POLICY_DECIDES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEFAULT_PRINCIPAL: Final = "arn:aws:iam::111122223333:role/Compared"
OUTSIDE_ACCOUNT: Final = "777788889999"
EVERYTHING: Final = parse_policy(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
    name="everything",
)


@dataclass(frozen=True)
class Frame:
    """A way of asking a document.

    Attributes:
        principal: whose requests.
        resource_account: owner of the resources; ``None`` = what their ARNs say.
        as_resource: the document is the policy of a resource, else the principal's own.
        allow_all: beside a resource's policy, whether the principal's own allow everything, else nothing.
        delegation: beside the principal's own, the resource's policy that leaves the decision to the account, where
            that can matter.
    """

    principal: str
    resource_account: str | None
    as_resource: bool = False
    allow_all: bool = False
    delegation: Policy | None = None

    def policies(self, document: Policy) -> PolicySet:
        """The document as the policies that bear on the principal's requests."""
        if self.as_resource:
            return PolicySet(identity=(EVERYTHING,) if self.allow_all else (), resource=document)
        return PolicySet(identity=(document,))


def frames(one: Policy, other: Policy) -> Iterator[Frame]:
    """The ways that between them show every difference between two documents."""
    elements = [*_elements(one), *_elements(other)]
    if not elements:
        account = DEFAULT_PRINCIPAL.split(":")[4]
        needed = _may_need_delegation(one) or _may_need_delegation(other)
        yield Frame(DEFAULT_PRINCIPAL, account, delegation=_delegation(account) if needed else None)
        return
    principals = list(dict.fromkeys(_principals(elements)))
    for principal in principals:
        yield Frame(principal, None, as_resource=True)
    for principal in principals:
        if principal.startswith("arn:"):
            yield Frame(principal, OUTSIDE_ACCOUNT, allow_all=True, as_resource=True)
            # In one account own policies are enough, and the resource's policy can still deny.
            yield Frame(principal, principal.split(":")[4], allow_all=True, as_resource=True)


def _may_need_delegation(policy: Policy) -> bool:
    """Whether the policy speaks of actions that need the resource's policy too, of keys and roles."""
    starts = ("*", *{start.partition(":")[0] for start, _ in RESOURCE_POLICY_DECIDES})
    return any(
        statement.actions is None or any(action.lower().startswith(starts) for action in statement.actions)
        for statement in policy.statements
    )


def _delegation(account: str) -> Policy:
    """A resource policy that leaves the decision to the account's identity policies."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "*",
        "Resource": "*",
    }
    return parse_policy({"Version": "2012-10-17", "Statement": statement}, name="delegation")


def _elements(policy: Policy) -> list[PrincipalElement]:
    return [
        element
        for statement in policy.statements
        for element in (statement.principal, statement.not_principal)
        if element is not None
    ]


def _principals(elements: Iterable[PrincipalElement]) -> Iterator[str]:
    """One principal of each sort that the elements can tell apart."""
    yield DEFAULT_PRINCIPAL
    yield _root_of(DEFAULT_PRINCIPAL)
    yield f"arn:aws:iam::{OUTSIDE_ACCOUNT[::-1]}:user/Unlisted"
    yield ANONYMOUS
    yield "unlisted.amazonaws.com"
    for element in elements:
        for name in element.aws:
            yield from _of_name(name)
        yield from element.service
        yield from element.federated
        yield from element.canonical_user


def _root_of(principal: str) -> str:
    return f"{principal.rpartition(':')[0]}:root"


def _of_name(name: str) -> Iterator[str]:
    if is_account_id(name):
        yield f"arn:aws:iam::{name}:role/Unlisted"
    fields = name.split(":", 5)
    if len(fields) != 6 or not is_account_id(fields[4]):
        return
    account, resource = fields[4], fields[5]
    prefix = ":".join(fields[:2])
    yield f"{prefix}:iam::{account}:role/Unlisted"
    if resource == "root":
        yield f"{prefix}:iam::{account}:user/Unlisted"
        yield name
        return
    yield name
    if resource.startswith("role/"):
        yield f"{prefix}:sts::{account}:assumed-role/{resource.rpartition('/')[2]}/unlisted"
