"""What AWS rejects in a policy document, by the kind of policy that it is to be.

The grammar is :func:`ringwall.iam.parser.parse_policy`'s. On top of it stands what each kind of policy must or must
not hold, and that the principals which a resource policy names exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.iam.parser import PolicySyntaxError, parse_policy
from ringwall.sandbox.call import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.iam.policy import Policy, PrincipalElement, Statement
    from ringwall.sandbox.turn import Turn

Fail = Callable[[str], AwsError]

_ACTION = re.compile(r"(\*|[A-Za-z0-9-]+:[A-Za-z0-9*?_.-]+)\Z")
_SID = re.compile(r"[A-Za-z0-9]*\Z")
_ACCOUNT = re.compile(r"\d{12}\Z")
_ENTITY = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):(user|role|root)(?:/(.+))?\Z")
_SESSION = re.compile(r"arn:aws[a-z-]*:sts::(\d{12}):(?:assumed-role|federated-user)/.+\Z")
_RESOURCE = re.compile(r"(\*|arn:(?:aws[a-z-]*|\*|\$\{[^}]+\}):.*:.*:.*:.+)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of policy must and must not have.

    Attributes:
        principal: whether statements name principals (resource policies do, the others must not).
        resource: whether statements must name resources; ``None`` = may; ``False`` = must not.
        sids: whether Sids must be letters and digits.
        limit: greatest size in characters; whitespace counts where ``exact``.
    """

    principal: bool
    resource: bool | None = True
    sids: bool = False
    limit: int | None = None
    exact: bool = False


IDENTITY = Kind(principal=False, sids=True)
MANAGED = Kind(principal=False, sids=True, limit=6144)
TRUST = Kind(principal=True, resource=False, limit=2048)
KEY = Kind(principal=True, resource=True, limit=32 * 1024, exact=True)
BUCKET = Kind(principal=True, resource=True, limit=20 * 1024, exact=True)
ENDPOINT = Kind(principal=True, resource=True, limit=20480)
TOPIC = Kind(principal=True, resource=True, limit=30 * 1024)
SCP = Kind(principal=False, limit=10_240, exact=True)
RCP = Kind(principal=True, limit=5120, exact=True)
LOGS = Kind(principal=True, resource=None, limit=5120, exact=True)


def check(text: Any, kind: Kind, fail: Fail, *, name: str = "policy") -> Policy:
    """Parse a document and hold it against what its kind must be.

    Args:
        text: JSON.
        kind: one of this module's.
        fail: makes the service's error from a message.
        name: for the parsed policy.

    Raises:
        AwsError: from ``fail``.
    """
    if not isinstance(text, str) or not text.strip():
        raise fail("The policy is empty")
    try:
        document = json.loads(text)
        policy = parse_policy(text, name=name)
    except PolicySyntaxError as error:
        raise fail(f"Syntax errors in policy: {error}") from error
    except (ValueError, RecursionError) as error:
        raise fail("This policy contains invalid Json") from error
    size = len(text) if kind.exact else len(re.sub(r"\s", "", text))
    if kind.limit is not None and size > kind.limit:
        raise TooLargeError(kind.limit, size)
    problem = next(_problems(policy, kind, document), None)
    if problem:
        raise fail(problem)
    return policy


class TooLargeError(AwsError):
    """The document is over its kind's size; services have codes of their own for that."""

    def __init__(self, limit: int, size: int) -> None:
        self.limit = limit
        super().__init__("LimitExceeded", f"Cannot exceed quota for PolicySize: {limit} (it has {size})", 409)


def _problems(policy: Policy, kind: Kind, document: Mapping[str, Any]) -> Iterator[str]:
    if not policy.statements:
        yield "Missing required field Statement"
    if "Version" in document and document["Version"] not in {"2012-10-17", "2008-10-17"}:
        yield "The policy must contain a valid version string"
    seen: set[str] = set()
    for statement in policy.statements:
        yield from _statement_problems(statement, kind)
        if statement.sid is not None:
            if statement.sid in seen:
                yield f"Statement IDs (SID) in a single policy must be unique: {statement.sid}"
            seen.add(statement.sid)


def _statement_problems(statement: Statement, kind: Kind) -> Iterator[str]:
    named = statement.principal is not None or statement.not_principal is not None
    if kind.principal and not named:
        yield "Missing required field Principal"
    if not kind.principal and named:
        yield "Policy document should not specify a principal."
    has_resource = statement.resources is not None or statement.not_resources is not None
    if kind.resource is True and not has_resource:
        yield "Policy statement must contain resources."
    if kind.resource is False and has_resource:
        yield "Has prohibited field Resource"
    actions = (*(statement.actions or ()), *(statement.not_actions or ()))
    if statement.actions is None and statement.not_actions is None:
        yield "Policy statement must contain actions."
    yield from (
        f"Actions/Conditions must be prefaced by a vendor: {a}" for a in actions if not _ACTION.match(a)
    )
    if kind.sids and statement.sid and not _SID.match(statement.sid):
        yield f"Statement IDs (SID) must be alpha-numeric: {statement.sid}"
    resources = (*(statement.resources or ()), *(statement.not_resources or ()))
    if not kind.principal:
        yield from (
            f'Resource {r} must be in ARN format or "*".' for r in resources if not _RESOURCE.match(r)
        )


def missing_principal(turn: Turn, policy: Policy) -> str | None:
    """The first principal that a resource policy names and that does not exist, as AWS writes it."""
    for statement in policy.statements:
        for element in (statement.principal, statement.not_principal):
            found = _first_missing(turn, element) if element is not None else None
            if found:
                return found
    return None


def _first_missing(turn: Turn, element: PrincipalElement) -> str | None:
    for value in element.aws:
        if not _principal_exists(turn, value):
            return f'"AWS":"{value}"'
    for value in element.service:
        if not value.endswith((".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal")):
            return f'"SERVICE":"{value}"'
    return None


def _principal_exists(turn: Turn, value: str) -> bool:
    if value == "*" or _ACCOUNT.match(value) or _SESSION.match(value):
        return True
    match = _ENTITY.match(value)
    if match is None:
        return False
    account, kind, name = match.groups()
    moto = turn.gateway.moto
    if kind == "root" or account not in moto.accounts("iam"):
        # Accounts outside of the organization may have anybody in them.
        return kind == "root" or account not in _organization(turn)
    with moto.locked():
        store = moto.store("iam", account)
        entities = store.users if kind == "user" else {role.name: role for role in store.roles.values()}
        found = entities.get(str(name).rsplit("/", 1)[-1])
        return found is not None and str(found.arn) == value


def _organization(turn: Turn) -> frozenset[str]:
    return frozenset(account.id for account in turn.gateway.views.now().estate.accounts)


def is_public(policy: Policy) -> bool:
    """Whether a bucket policy makes its bucket public: it allows anybody without fixing who or from where.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    return any(
        statement.effect.value == "Allow"
        and (statement.not_principal is not None or _anybody(statement.principal))
        and not any(
            _fixes_caller(test.key.lower(), test.values, test.operator) for test in statement.conditions
        )
        for statement in policy.statements
    )


_FIXING_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    }
)


def _anybody(element: PrincipalElement | None) -> bool:
    return element is not None and (element.anyone or "*" in element.aws)


def _fixes_caller(key: str, values: tuple[str, ...], operator: str) -> bool:
    if key not in _FIXING_KEYS or "Not" in operator or operator == "Null":
        return False
    if key == "aws:sourceip":
        return all(not value.endswith("/0") for value in values)
    return all("*" not in value and "?" not in value for value in values)
