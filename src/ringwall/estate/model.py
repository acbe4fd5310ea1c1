"""Estate: AWS configuration as data, desired or observed, in CloudFormation's names.

The same type holds what a declaration compiles to and what was read from an account, so plan, proof, check and audit
are all functions of Estates. The file form is CONTRACTS "Estate files".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Source = Literal["desired", "observed"]


@dataclass(frozen=True, slots=True)
class Ref:
    """A typed reference to something that may not exist yet, such as a guardrail's ARN before deployment.

    Attributes:
        target: id of a resource of the same desired Estate (``guardrail/baseline``).
        attribute: what of it is meant (``Arn``); each resource kind lists its attributes.
    """

    target: str
    attribute: str

    def to_json(self) -> dict[str, str]:
        """The form that Estate files hold."""
        return {"$ref": self.target, "attribute": self.attribute}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A property that could not be read, and why. Never treated as absent."""

    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the Estate.

    Attributes:
        id: twelve digits.
        organization: ``o-...``, or ``None`` outside of one.
        management: whether it is the organization's management account, which SCPs do not bind.
        levels: targets that service control policies attach to, root first, the account itself last. In a desired
            Estate only the levels that the declaration names.
    """

    id: str
    organization: str | None = None
    management: bool = False
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource.

    Attributes:
        type: CloudFormation type (``AWS::KMS::Key``) or ours where it has none (``Ringwall::Bedrock::InvocationLogging``).
        account: owner's account id.
        region: Region, or ``global``.
        id: desired: a name within the declaration (``guardrail/baseline``). Observed: the physical id by which its
            service knows it (guardrail id, key id, ``vpce-...``, role name).
        properties: in CloudFormation's spelling. Policy documents are JSON objects, never strings. A desired
            resource may hold :class:`Ref` anywhere inside.
        unknown: properties that could not be read.
        depends_on: desired ids that must exist first though nothing refers to them.
        evidence: digests (``sha256:...``) of the API responses that it was read from; no part of its identity.
    """

    type: str
    account: str
    region: str
    id: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[Unknown, ...] = ()
    depends_on: tuple[str, ...] = ()
    evidence: tuple[str, ...] = field(default=(), compare=False)

    def get(self, path: str, default: Any = None) -> Any:
        """The property at a dotted path (``LoggingConfig.S3Config.BucketName``), or ``default``."""
        value: Any = self.properties
        for part in path.split("."):
            if not isinstance(value, Mapping) or part not in value:
                return default
            value = value[part]
        return value

    def unknown_reason(self, name: str) -> str | None:
        """Why a top-level property is unknown, or ``None`` if it is known."""
        return next((item.reason for item in self.unknown if item.property == name), None)


@dataclass(frozen=True, slots=True)
class Estate:
    """Accounts and their resources at one moment."""

    source: Source
    accounts: tuple[Account, ...] = ()
    resources: tuple[Resource, ...] = ()
    taken_at: str | None = None

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def of_type(
        self, *types: str, account: str | None = None, region: str | None = None
    ) -> tuple[Resource, ...]:
        """Resources of the given types, in order, optionally of one account or Region."""
        return tuple(
            resource
            for resource in self.resources
            if resource.type in types
            and (account is None or resource.account == account)
            and (region is None or resource.region == region)
        )

    def find(self, resource_id: str) -> Resource | None:
        """The resource with that id, if there is one."""
        return next((resource for resource in self.resources if resource.id == resource_id), None)

    def account(self, account_id: str) -> Account | None:
        """The account with that id."""
        return next((account for account in self.accounts if account.id == account_id), None)

    def with_resources(self, resources: Iterable[Resource]) -> Estate:
        """A copy that holds these resources instead."""
        return replace(self, resources=tuple(resources))


def substitute(value: Any, resolve: Callable[[Ref], Any]) -> Any:
    """Copy a property value with every :class:`Ref` in it replaced by ``resolve(ref)``."""
    if isinstance(value, Ref):
        return resolve(value)
    if isinstance(value, Mapping):
        return {key: substitute(item, resolve) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [substitute(item, resolve) for item in value]
    return value


def references(value: Any) -> Iterator[Ref]:
    """Every :class:`Ref` inside a property value."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from references(item)


def canonical_json(value: Any) -> str:
    """Compact JSON with sorted keys: the byte form that digests are taken over."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_encode)


def utf8(text: str) -> bytes:
    """The bytes of JSON text; half a surrogate pair as JSON escapes it."""
    return text.encode("utf-8", "backslashreplace")


def _encode(value: Any) -> Any:
    if isinstance(value, Ref):
        return value.to_json()
    if isinstance(value, Mapping):
        return dict(value)
    msg = f"cannot write {type(value).__name__} as JSON"
    raise TypeError(msg)
