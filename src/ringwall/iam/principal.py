"""Who makes a request, and by which names a policy can mean them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import lru_cache

from ringwall.iam.arn import Arn, is_account_id
from ringwall.iam.request import ANONYMOUS
from ringwall.iam.text import shown

# Web identity providers that are named without an ARN.
_WEB_IDENTITY = frozenset(
    {"accounts.google.com", "www.amazon.com", "graph.facebook.com", "cognito-identity.amazonaws.com"}
)
_SERVICE_PRINCIPAL = re.compile(
    r"[a-z0-9][a-z0-9.-]*\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal)\Z"
)
_CANONICAL_USER = re.compile(r"[0-9a-f]{64}\Z")
_SERVICE_LINKED = "/aws-service-role/"


class PrincipalKind(StrEnum):
    """What sort of principal makes the request."""

    USER = "user"
    ROLE = "role"
    ASSUMED_ROLE = "assumed_role"
    FEDERATED_USER = "federated_user"
    ROOT = "root"
    FEDERATED = "federated"
    SERVICE = "service"
    CANONICAL_USER = "canonical_user"
    ANONYMOUS = "anonymous"


class Grant(IntEnum):
    """How directly a resource policy names a caller of its own account, and so what else must still allow.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html, "Evaluating effective
    permissions with boundaries".
    """

    NONE = 0
    DELEGATED = 1  # the account: identity policies, boundary and session policies must allow
    ROLE = 2  # the role: boundary and session policies must allow
    USER = 3  # the user: only session policies must allow
    DIRECT = 4  # the session, the federated user, or anyone: nothing else is needed


@dataclass(frozen=True, slots=True)
class Principal:
    """A parsed principal.

    Attributes:
        arn: the text as given.
        kind: sort of principal.
        account: twelve digits; ``None`` for services, providers named without ARN and anonymous callers.
        name: user, role, federated user or service name.
        path: IAM path with both slashes (``/``, ``/team/``); ``/`` where the ARN cannot tell (role sessions).
        session: role session name.
        partition: ``aws``, ``aws-cn``, ...
        names: what a ``Principal`` element can list to mean this caller, strongest first, each with the grant that
            it makes. Accounts are listed by their id.
        has_identity_policies: whether identity-based policies can speak for the principal.
        bound_by_scp, bound_by_rcp: whether organization policies of the type can bind it: never service-linked roles,
            for which IAM reserves a path.
    """

    arn: str
    kind: PrincipalKind
    account: str | None = None
    name: str = ""
    path: str = "/"
    session: str | None = None
    partition: str = "aws"
    names: tuple[tuple[str, Grant], ...] = ()
    has_identity_policies: bool = field(init=False, repr=False, compare=False)
    bound_by_scp: bool = field(init=False, repr=False, compare=False)
    bound_by_rcp: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out once what every decision asks."""
        linked = self.path.startswith(_SERVICE_LINKED)
        with_identity = self.kind in _WITH_IDENTITY
        object.__setattr__(self, "has_identity_policies", with_identity)
        object.__setattr__(
            self, "bound_by_scp", not linked and (with_identity or self.kind is PrincipalKind.ROOT)
        )
        object.__setattr__(self, "bound_by_rcp", not linked)

    @property
    def role_arn(self) -> str | None:
        """The role's ARN for roles and their sessions."""
        if self.kind not in (PrincipalKind.ROLE, PrincipalKind.ASSUMED_ROLE):
            return None
        return f"arn:{self.partition}:iam::{self.account}:role{self.path}{self.name}"


_WITH_IDENTITY = frozenset(
    {PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER}
)


@lru_cache(maxsize=8192)
def parse_principal(arn: str, role_arn: str | None = None) -> Principal:
    """Parse the principal of a request.

    Args:
        arn: user, role, role session, federated user, root or provider ARN; twelve-digit account (its root); service
            principal; ``*`` for anonymous.
        role_arn: the role's ARN, for a session whose role has a path (a session's ARN does not show it). Ignored
            unless it is the role of that session.

    Raises:
        ValueError: it is none of these.
    """
    if arn in ("", ANONYMOUS):
        return Principal(ANONYMOUS, PrincipalKind.ANONYMOUS)
    if is_account_id(arn):
        return _root(arn, arn, "aws")
    if arn in _WEB_IDENTITY:
        return Principal(arn, PrincipalKind.FEDERATED, name=arn, names=((arn, Grant.DIRECT),))
    if _SERVICE_PRINCIPAL.match(arn):
        return Principal(arn, PrincipalKind.SERVICE, name=arn, names=((arn, Grant.DIRECT),))
    if _CANONICAL_USER.match(arn):
        return Principal(arn, PrincipalKind.CANONICAL_USER, name=arn, names=((arn, Grant.DIRECT),))
    if arn.startswith("arn:"):
        principal = _from_arn(arn, Arn.parse(arn), role_arn)
        if principal is not None:
            return principal
    raise ValueError(
        f"{shown(arn)} is not a principal; give the ARN of a user, role, role session, federated user or root, "
        f"a service principal such as ec2.amazonaws.com, or * for anonymous"
    )


def _from_arn(text: str, arn: Arn, role_arn: str | None) -> Principal | None:
    if not is_account_id(arn.account):
        return None
    if arn.service == "iam":
        return _iam_principal(text, arn)
    if arn.service == "sts":
        return _sts_principal(text, arn, role_arn)
    return None


def _iam_principal(text: str, arn: Arn) -> Principal | None:
    account, partition = arn.account, arn.partition
    if arn.resource == "root":
        return _root(text, account, partition)
    kind, _, rest = arn.resource.partition("/")
    if not rest or rest.endswith("/"):
        return None
    if kind in ("oidc-provider", "saml-provider"):
        return Principal(
            text, PrincipalKind.FEDERATED, account, rest, partition=partition, names=((text, Grant.DIRECT),)
        )
    path, _, name = ("/" + rest).rpartition("/")
    if kind == "user":
        names = ((text, Grant.USER), (account, Grant.DELEGATED))
        return Principal(
            text, PrincipalKind.USER, account, name, path + "/", partition=partition, names=names
        )
    if kind == "role":
        names = ((text, Grant.ROLE), (account, Grant.DELEGATED))
        return Principal(
            text, PrincipalKind.ROLE, account, name, path + "/", partition=partition, names=names
        )
    return None


def _sts_principal(text: str, arn: Arn, role_arn: str | None) -> Principal | None:
    account, partition = arn.account, arn.partition
    kind, _, rest = arn.resource.partition("/")
    if kind == "federated-user" and rest:
        names = ((text, Grant.DIRECT), (account, Grant.DELEGATED))
        return Principal(text, PrincipalKind.FEDERATED_USER, account, rest, partition=partition, names=names)
    role, _, session = rest.partition("/")
    if kind != "assumed-role" or not role or not session:
        return None
    path = _path_of_role(arn, role, role_arn)
    role_name = f"arn:{partition}:iam::{account}:role{path}{role}"
    forms = ((text, Grant.DIRECT), (role_name, Grant.ROLE), (account, Grant.DELEGATED))
    return Principal(text, PrincipalKind.ASSUMED_ROLE, account, role, path, session, partition, forms)


def _path_of_role(arn: Arn, role: str, role_arn: str | None) -> str:
    prefix = f"arn:{arn.partition}:iam::{arn.account}:role/"
    if role_arn is None or not role_arn.startswith(prefix) or not role_arn.endswith("/" + role):
        return "/"
    return role_arn[len(prefix) - 1 : len(role_arn) - len(role)]


def _root(text: str, account: str, partition: str) -> Principal:
    return Principal(
        text, PrincipalKind.ROOT, account, "root", partition=partition, names=((account, Grant.DIRECT),)
    )
