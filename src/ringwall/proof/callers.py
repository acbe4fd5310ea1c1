"""Whose requests: one known principal, or any user or role of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ringwall.iam.arn import is_account_id
from ringwall.iam.policy import Effect, PrincipalElement
from ringwall.iam.principal import Grant, Principal, PrincipalKind
from ringwall.proof.formula import FALSE, TRUE, Formula
from ringwall.proof.language import ANY, STAR, Tokens, literal
from ringwall.proof.search import KEY
from ringwall.proof.theory import Holds, Opaque, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringwall.iam.compile import CompiledStatement

PRINCIPAL_ARN: Final = KEY + "aws:principalarn"
_WHO: Final = "principal"


class Caller(Protocol):
    """The choice of a principal, as far as decisions ask."""

    account: str | None
    partition: str
    has_identity_policies: bool
    is_root: bool
    is_federated_user: bool
    is_anonymous: bool
    bound_by_scp: bool
    bound_by_rcp: bool

    def named(self, statement: CompiledStatement, *, bounded: bool) -> Sequence[tuple[Grant, int]]:
        """How the statement names the principal: ways, each with the literal that it does so."""


class OneCaller:
    """A principal that is known."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.account = principal.account
        self.partition = principal.partition
        self.has_identity_policies = principal.has_identity_policies
        self.is_root = principal.kind is PrincipalKind.ROOT
        self.is_federated_user = principal.kind is PrincipalKind.FEDERATED_USER
        self.is_anonymous = principal.kind is PrincipalKind.ANONYMOUS
        self.bound_by_scp = principal.bound_by_scp
        self.bound_by_rcp = principal.bound_by_rcp

    def named(self, statement: CompiledStatement, *, bounded: bool) -> Sequence[tuple[Grant, int]]:
        """See :class:`Caller`."""
        if statement.principal is None:
            return ((Grant.DIRECT, TRUE),)
        grant = statement.principal(self.principal, bounded)
        return ((grant, TRUE),) if grant else ()


class AnyCaller:
    """Any user or role of an account but its root user and its service-linked roles, which AWS itself uses.

    A role stands for all its sessions; a statement that names single sessions is left undecided.

    Args:
        formula: the arena.
        account: of the principal.
        partition: of the account.
        linked: whether ``aws:PrincipalArn`` is the principal's ARN; else the ARN is a variable of its own.
    """

    def __init__(
        self, formula: Formula, account: str, partition: str = "aws", *, linked: bool = True
    ) -> None:
        self._formula = formula
        self.name = PRINCIPAL_ARN if linked else _WHO
        self.account: str | None = account
        self.partition = partition
        self.has_identity_policies = True
        self.is_root = False
        self.is_federated_user = False
        self.is_anonymous = False
        self.bound_by_scp = True
        self.bound_by_rcp = True
        self._prefix = f"arn:{partition}:iam::{account}:"
        self.variables = {} if linked else {_WHO: Variable(shape=self.shape)}

    @property
    def shape(self) -> tuple[tuple[Tokens, ...], ...]:
        """What the principal's ARN looks like."""
        some = (ANY, STAR)
        return (((*literal(f"{self._prefix}user/"), *some), (*literal(f"{self._prefix}role/"), *some)),)

    @property
    def service_linked(self) -> Tokens:
        """The ARNs of roles that only AWS services assume."""
        return (*literal(f"{self._prefix}role/aws-service-role/"), STAR)

    def is_arn(self, tokens: Tokens) -> int:
        """The literal that the principal's ARN matches."""
        return self._formula.atom(Holds(self.name, tokens), cost=1)

    def named(self, statement: CompiledStatement, *, bounded: bool) -> Sequence[tuple[Grant, int]]:
        """See :class:`Caller`."""
        element = statement.statement.principal
        if element is not None:
            return self._listed(element, statement)
        element = statement.statement.not_principal
        if element is not None:
            denies = statement.statement.effect is Effect.DENY
            return ((Grant.DIRECT, -self._spared(element, statement, denies=denies, bounded=bounded)),)
        return () if statement.reason.policy_type == "resource" else ((Grant.DIRECT, TRUE),)

    def _listed(self, element: PrincipalElement, statement: CompiledStatement) -> list[tuple[Grant, int]]:
        if element.anyone or "*" in element.aws:
            return [(Grant.DIRECT, TRUE)]
        ways: list[tuple[Grant, int]] = []
        for name in element.aws:
            if self._is_account(name):
                ways.append((Grant.DELEGATED, TRUE))
            elif name.startswith(f"{self._prefix}user/"):
                ways.append((Grant.USER, self.is_arn(literal(name))))
            elif name.startswith(f"{self._prefix}role/"):
                ways.append((Grant.ROLE, self.is_arn(literal(name))))
            elif self._is_session(name):
                ways.append((Grant.DIRECT, self._undecided(name, statement)))
        return ways

    def _spared(
        self, element: PrincipalElement, statement: CompiledStatement, *, denies: bool, bounded: bool
    ) -> int:
        if element.anyone or "*" in element.aws:
            return FALSE if denies and bounded else TRUE
        if denies and bounded:
            return FALSE
        sessions = [name for name in element.aws if self._is_session(name)]
        if sessions:
            return self._undecided(sessions[0], statement)
        by_account = TRUE if any(self._is_account(name) for name in element.aws) else FALSE
        by_arn = self._formula.disj(
            [self.is_arn(literal(name)) for name in element.aws if name.startswith(self._prefix)]
        )
        return (
            self._formula.conj((by_account, by_arn)) if denies else self._formula.disj((by_account, by_arn))
        )

    def _is_account(self, name: str) -> bool:
        return name == self.account or (
            name.endswith(f":iam::{self.account}:root")
            and name.startswith("arn:")
            and is_account_id(self.account or "")
        )

    def _is_session(self, name: str) -> bool:
        return name.startswith(f"arn:{self.partition}:sts::{self.account}:")

    def _undecided(self, name: str, statement: CompiledStatement) -> int:
        return self._formula.atom(Opaque(f"principal {name}, a session", repr(statement.reason)), cost=2)
