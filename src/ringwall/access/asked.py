"""What is known of a request whose denial is to be explained, and what is not.

A message tells principal, action and resource; a CloudTrail event also the way in, the session and the parameters;
a decide request everything. What nobody tells stays open: :mod:`ringwall.access.possibilities` then looks at each
possibility instead of guessing one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ringwall.access.denial import Denial
from ringwall.catalog import load
from ringwall.catalog.operations import UnknownOperationError, find_operation
from ringwall.iam.codec import make_request
from ringwall.iam.principal import parse_principal
from ringwall.iam.request import Request

if TYPE_CHECKING:
    from ringwall.access.bearing import Access
    from ringwall.estate.model import Account

Values = Mapping[str, tuple[str, ...]]

CALLER_KEYS = (
    "aws:principal", "aws:userid", "aws:username", "aws:resource", "aws:requestedregion", ("aws:source"
    "identity"), "aws:federatedprovider", "aws:tokenissuetime", "aws:currenttime", "aws:epochtime",
)  # fmt: skip
"""Starts of keys that a caller cannot choose for one request."""

NETWORK_KEYS = ("aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip")
"""Keys that the way of a call into AWS determines."""

_DERIVED = ("aws:principalarn", "aws:principalaccount", "aws:principalservicename", "aws:username")


@dataclass(frozen=True, slots=True)
class Asked:
    """One authorization, as far as it is known.

    Attributes:
        principal: ARN, service principal or ``*``.
        action: ``service:Name``.
        resource: ARN or ``*``.
        context: known keys, lower-cased.
        absent: keys that the request is known not to carry.
        complete: whether every key that ``context`` lacks is absent.
        resource_account: owner of the resource where known.
        endpoint: VPC endpoint of the call; empty = the public network; ``None`` = unknown.
        service: botocore service that was called, where known.
        assumed: what was taken for granted, in words.
        vague: whether ``*`` stands for a resource that nobody tells, though the action is about one.
    """

    principal: str
    action: str
    resource: str
    context: Values = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    complete: bool = False
    resource_account: str | None = None
    endpoint: str | None = None
    service: str | None = None
    assumed: tuple[str, ...] = ()
    vague: bool = False

    def knows(self, key: str) -> bool:
        """Whether the key's value, or its absence, is known."""
        return self.complete or key in self.context or key in self.absent

    def request(self, context: Values) -> Request:
        """The request with these keys beside the known ones."""
        return make_request(
            self.principal, self.action, self.resource, self.resource_account, {**self.context, **context}
        )


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A call: its authorizations, and what AWS said of it.

    Attributes:
        authorizations: in AWS's order; the one that the message names, if it names one.
        denial: what the message says; ``None`` without one.
        operation: API operation, where known.
        denied: whether AWS denied it, as far as known.
        time: of the event.
        notes: what could not be worked out, in words.
    """

    authorizations: tuple[Asked, ...]
    denial: Denial | None = None
    operation: str | None = None
    denied: bool = False
    time: str | None = None
    notes: tuple[str, ...] = ()


UNTOLD = "the resource is not told; any (*) is assumed, and no change of policies is proposed"


def is_about_a_resource(action: str) -> bool:
    """Whether an action is authorized on resources of its own, rather than on ``*``."""
    return load().is_action(action) and not load().takes_star(action)


def of_denial(denial: Denial) -> Occurrence:
    """A call of which only the message is known."""
    asked = Asked(
        denial.principal,
        denial.action,
        denial.resource or "*",
        _region_of(denial),
        service=_service_of(denial),
        vague=denial.resource is None and is_about_a_resource(denial.action),
    )
    notes = (UNTOLD,) if asked.vague else ()
    return Occurrence((asked,), denial, denial.operation, denied=True, notes=notes)


def _service_of(denial: Denial) -> str | None:
    """The service that was called: that of the operation which the message names, else of the action's own."""
    prefix, _, name = denial.action.partition(":")
    for operation in (denial.operation, name):
        try:
            if operation:
                return find_operation(operation, prefix)[0]
        except UnknownOperationError:
            continue
    return None


def _region_of(denial: Denial) -> dict[str, tuple[str, ...]]:
    """The Region in which AWS authorizes a resource: that of its ARN, of a global profile's model ``unspecified``."""
    fields = (denial.resource or "").split(":", 5)
    if len(fields) != 6 or fields[2] not in ("bedrock", "kms", "logs"):
        return {}
    return {"aws:requestedregion": (fields[3] or "unspecified",)}


def with_estate(asked: Asked, access: Access) -> Asked:
    """The authorization with what the Estate knows of caller and resource."""
    if asked.complete:
        return asked
    who = parse_principal(asked.principal)
    entry = access.principal(asked.principal)
    context: dict[str, tuple[str, ...]] = {"aws:principalarn": (entry.arn,)} if entry else {}
    derived = make_request(
        asked.principal, asked.action, asked.resource, asked.resource_account, {**context, **asked.context}
    )
    context |= derived.context
    absent = {key for key in _DERIVED if key not in context}
    if entry is not None:
        context |= {f"aws:principaltag/{key.lower()}": (value,) for key, value in entry.tags.items()}
    if who.account:
        _organization(context, absent, access.estate.account(who.account), "aws:principalorg")
    owner = asked.resource_account or _owner(asked.resource) or who.account
    if owner:
        _organization(context, absent, access.estate.account(owner), "aws:resourceorg")
    assumed = asked.assumed
    if not asked.knows("aws:securetransport"):
        context["aws:securetransport"] = ("true",)
        assumed += ("that the call came over TLS",)
    return replace(
        asked,
        context={**context, **asked.context},
        absent=asked.absent | frozenset(absent),
        assumed=assumed,
    )


def _owner(resource: str) -> str | None:
    fields = resource.split(":", 5)
    return fields[4] or None if len(fields) == 6 else None


def _organization(
    context: dict[str, tuple[str, ...]], absent: set[str], account: Account | None, prefix: str
) -> None:
    if account is None:
        return
    if account.organization is None:
        absent.update((f"{prefix}id", f"{prefix}paths"))
        return
    context[f"{prefix}id"] = (account.organization,)
    levels = [level for level in account.levels if level != account.id]
    if levels and levels[0].startswith("r-"):
        context[f"{prefix}paths"] = ("/".join((account.organization, *levels, "")),)
