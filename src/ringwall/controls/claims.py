"""Claims of a declaration: they name declared things and are bound to literals before they are proved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ringwall.controls import registry
from ringwall.estate.model import Ref, references, substitute

if TYPE_CHECKING:
    from ringwall.access.proving import ApiCall
    from ringwall.perimeter.model import Perimeter
    from ringwall.proof.claims import Claim

Attributes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class DeclaredClaim:
    """A claim that may still hold references.

    Attributes:
        name: slug, unique within the declaration; proofs are reported by it.
        control: slug of the control that makes it.
        title: the claim in words.
        body: ``{"never": {...}}`` or ``{"can": {...}}`` in IAM's language, with :class:`Ref` where a literal is not
            known yet.
        principal: of a ``can`` claim, who it is about; ``None`` = everybody within the universe.
        service: botocore service of a ``can`` claim's operation.
        operation: API operation of a ``can`` claim.
        parameters: its parameters, in boto3's spelling; may hold references.
        context: condition keys of the call that do not follow from it (``aws:SourceVpce``); may hold references.
    """

    name: str
    control: str
    title: str
    body: Mapping[str, Any]
    principal: str | None = None
    service: str | None = None
    operation: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """``never`` or ``can``."""
        return next(iter(self.body))

    @property
    def bound(self) -> bool:
        """Whether no reference is left."""
        return next(references([self.body, self.parameters, self.context]), None) is None

    @property
    def claim(self) -> Claim:
        """The claim itself; bind it first."""
        from ringwall.proof.claims import claim_from_json  # noqa: PLC0415 - what only deploys loads no prover

        return claim_from_json({**self.body, "name": self.name, "title": self.title})

    def call(self, region: str) -> ApiCall | None:
        """The concrete call of a ``can`` claim, made to a Region."""
        if self.service is None or self.operation is None:
            return None
        from ringwall.access.proving import ApiCall  # noqa: PLC0415 - what only deploys loads no prover

        return ApiCall(self.service, self.operation, self.parameters, self.context, region)


def never(name: str, control: str, title: str, **parts: Any) -> DeclaredClaim:
    """A claim that no such request is allowed. Parts are IAM elements: ``Action``, ``Resource``, ``Condition``, ..."""
    return DeclaredClaim(name, control, title, {"never": parts})


def can(
    name: str,
    control: str,
    title: str,
    *,
    principal: str,
    service: str,
    operation: str,
    parameters: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
) -> DeclaredClaim:
    """A claim that a principal's call is allowed."""
    body = {"Principal": principal, "Operation": f"{service}:{operation}"}
    return DeclaredClaim(
        name, control, title, {"can": body}, principal, service, operation, parameters or {}, context or {}
    )


def bind_claims(claims: Sequence[DeclaredClaim], attributes: Attributes) -> tuple[DeclaredClaim, ...]:
    """Replace the references of claims.

    Args:
        claims: claims of a declaration.
        attributes: by desired id, what references to it resolve to (placeholders, or what is deployed). References
            to ids that are missing there stay, and the claim with them stays unbound.
    """

    def resolve(reference: Ref) -> Any:
        return attributes.get(reference.target, {}).get(reference.attribute, reference)

    return tuple(
        replace(
            claim,
            body=substitute(claim.body, resolve),
            parameters=substitute(claim.parameters, resolve),
            context=substitute(claim.context, resolve),
        )
        for claim in claims
    )


def declared_claims(perimeter: Perimeter) -> tuple[DeclaredClaim, ...]:
    """Every claim that the controls make of a declaration, in the registry's order. They may hold references."""
    return tuple(claim for control in registry() for claim in control.claims(perimeter))
