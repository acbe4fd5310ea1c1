"""When a request is allowed, as a formula: the evaluator's decision order over symbolic statements.

Mirrors :mod:`ringwall.iam.evaluate`, which is the specification. Denies and the duty of each policy type to allow carry
selectors, assumptions by which a proof names what it rests on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringwall.iam.compile import IDENTITY_SIDE, POLICY_VARIABLES_SINCE, compile_policy
from ringwall.iam.patterns import Reading, Wildcard, complete_arns
from ringwall.iam.policy import Effect, Policy, PolicySet, Statement
from ringwall.iam.principal import Grant
from ringwall.iam.request import PolicyType, Reason
from ringwall.proof.context import View, cover_of
from ringwall.proof.formula import FALSE, TRUE, Formula
from ringwall.proof.globs import FIELDS, language_of, tokens_of
from ringwall.proof.language import STAR, literal
from ringwall.proof.theory import Free, Opaque
from ringwall.proof.traits import ANSWERED_ALWAYS, CLOSED_TO_ROOT, DECIDED_BY_RESOURCE, reached_by_rcp

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.actions import Actions
    from ringwall.proof.callers import Caller
    from ringwall.proof.resources import ResourceChoice


@dataclass
class Selectors:
    """Assumptions that stand for parts of the policies.

    Attributes:
        denies: selector -> the Deny statement that it switches on.
        duties: selector -> the policy type whose duty to allow it switches on.
        named: whether anybody will ask; without selectors equal policies make equal formulas.
    """

    formula: Formula
    named: bool = True
    denies: dict[int, Reason] = field(default_factory=dict)
    duties: dict[int, PolicyType] = field(default_factory=dict)
    _by_reason: dict[Reason, int] = field(default_factory=dict)

    def deny(self, reason: Reason) -> int:
        """The selector of a Deny statement."""
        if not self.named:
            return TRUE
        if reason not in self._by_reason:
            selector = self.formula.atom(Free(f"deny {len(self.denies)}"))
            self._by_reason[reason] = selector
            self.denies[selector] = reason
        return self._by_reason[reason]

    def duty(self, policy_type: PolicyType) -> int:
        """The selector of a policy type's duty to allow."""
        if not self.named:
            return TRUE
        selector = self.formula.atom(Free(f"duty {policy_type}"))
        self.duties[selector] = policy_type
        return selector


@dataclass(frozen=True)
class Scene:
    """The symbolic request as one authorization sees it."""

    formula: Formula
    actions: Actions
    resource: ResourceChoice
    view: View
    caller: Caller
    resource_account: str | None
    vocabulary: Vocabulary
    delegated: int = FALSE
    """The literal that the resource's policy, whatever else it says, leaves the decision to the caller's account."""
    matches: dict[Hashable, int] = field(default_factory=dict, compare=False, repr=False)
    """Literals of statements by what they say: of two policies that are compared most statements are the same."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A statement where it stands."""

    statement: Statement
    policy: Policy
    policy_type: PolicyType

    @property
    def variables(self) -> bool:
        return self.policy.version == POLICY_VARIABLES_SINCE

    @property
    def reason(self) -> Reason:
        denies = self.statement.effect is Effect.DENY
        return Reason(self.policy_type, self.policy.name, self.statement.label, "Deny" if denies else "Allow")


class Encoder:
    """Builds the literal that a policy set allows the request of a scene."""

    def __init__(self, scene: Scene, policies: PolicySet, selectors: Selectors) -> None:
        self._scene = scene
        self._formula = scene.formula
        self._policies = policies
        self._selectors = selectors
        self._actions: dict[int, int] = {}
        self._bounded = policies.permissions_boundary is not None

    def allowed(self) -> int:
        """The request is allowed."""
        scene, policies = self._scene, self._policies
        scp = policies.scp if scene.caller.bound_by_scp else None
        rcp = policies.rcp if scene.caller.bound_by_rcp else None
        reaches = self._rcp_reaches() if rcp is not None else TRUE
        grants = self._resource_grants()
        same = scene.resource.same_account(scene.caller.account, scene.resource_account)
        duties = [
            self._duty("identity", self._identity(grants, same)),
            self._duty("resource", self._resource(grants, same)),
            *self._limits(grants, same),
            *(self._duty("scp", self._any_allow(level.policies, "scp")) for level in scp or ()),
            *(
                self._duty("rcp", self._formula.disj((-reaches, self._any_allow(level.policies, "rcp"))))
                for level in rcp or ()
            ),
        ]
        denies = [
            *self._denies(policies.identity, "identity"),
            *self._denies(policies.permissions_boundary, "permissions_boundary"),
            *self._denies(policies.session, "session"),
            *self._denies((policies.resource,) if policies.resource else (), "resource"),
            *self._denies(policies.vpc_endpoint, "vpc_endpoint"),
            *(deny for level in scp or () for deny in self._denies(level.policies, "scp")),
            *(
                self._formula.conj((reaches, deny))
                for level in rcp or ()
                for deny in self._denies(level.policies, "rcp")
            ),
        ]
        decided = self._formula.conj([*duties, *(-deny for deny in denies)])
        if scene.caller.is_anonymous:
            return decided
        always = scene.actions.among(ANSWERED_ALWAYS)
        return self._formula.disj((always, decided))

    def _duty(self, policy_type: PolicyType, done: int) -> int:
        if done == TRUE:
            return TRUE
        return self._formula.implies(self._selectors.duty(policy_type), done)

    def _rcp_reaches(self) -> int:
        return self._scene.actions.among(reached_by_rcp(self._scene.vocabulary))  # type: ignore[arg-type]  # hashable

    def _identity(self, grants: dict[Grant, int], same: int) -> int:
        caller = self._scene.caller
        if caller.is_root:
            return -self._scene.actions.among(CLOSED_TO_ROOT)
        if not caller.has_identity_policies:
            return TRUE
        own = self._any_allow(self._policies.identity, "identity")
        return self._formula.disj((own, self._formula.conj((same, self._at_least(grants, Grant.ROLE)))))

    def _resource(self, grants: dict[Grant, int], same: int) -> int:
        granted = self._formula.disj((self._scene.delegated, self._at_least(grants, Grant.DELEGATED)))
        caller = self._scene.caller
        if not (caller.has_identity_policies or caller.is_root):
            return granted
        return self._formula.disj((granted, self._formula.conj((same, -self._resource_policy_decides()))))

    def _resource_policy_decides(self) -> int:
        scene = self._scene
        parts = []
        for part, trait in DECIDED_BY_RESOURCE.items():
            acts = scene.actions.among(trait)
            if acts != FALSE:
                pattern = language_of((Wildcard.ANY, part, Wildcard.ANY), Reading.TEXT)
                assert pattern is not None
                parts.append(self._formula.conj((acts, scene.resource.matches(pattern))))
        return self._formula.disj(parts)

    def _limits(self, grants: dict[Grant, int], same: int) -> Iterable[int]:
        policies = self._policies
        if policies.permissions_boundary is not None and self._scene.caller.has_identity_policies:
            own = self._any_allow(policies.permissions_boundary, "permissions_boundary")
            spared = self._formula.conj((same, self._at_least(grants, Grant.USER)))
            yield self._duty("permissions_boundary", self._formula.disj((own, spared)))
        caller = self._scene.caller
        if caller.is_federated_user or (policies.session is not None and caller.has_identity_policies):
            own = self._any_allow(policies.session or (), "session")
            spared = self._formula.conj((same, self._at_least(grants, Grant.DIRECT)))
            yield self._duty("session", self._formula.disj((own, spared)))
        elif caller.is_root and policies.session is not None:
            yield self._duty("session", self._any_allow(policies.session, "session"))
        if policies.vpc_endpoint is not None:
            yield self._duty("vpc_endpoint", self._any_allow(policies.vpc_endpoint, "vpc_endpoint"))

    def _resource_grants(self) -> dict[Grant, int]:
        """Of each strength, whether a statement of the resource's policy grants with it."""
        ways: dict[Grant, list[int]] = {}
        if self._policies.resource is not None:
            for item in self._items(self._policies.resource, "resource"):
                if item.statement.effect is Effect.ALLOW:
                    for grant, named in self._named(item):
                        ways.setdefault(grant, []).append(self._formula.conj((named, self._matches(item))))
        return {grant: self._formula.disj(literals) for grant, literals in ways.items()}

    def _at_least(self, grants: dict[Grant, int], least: Grant) -> int:
        return self._formula.disj([literal for grant, literal in grants.items() if grant >= least])

    def _any_allow(self, policies: Iterable[Policy], policy_type: PolicyType) -> int:
        return self._formula.disj(
            [
                self._statement(item)
                for policy in policies
                for item in self._items(policy, policy_type)
                if item.statement.effect is Effect.ALLOW
            ]
        )

    def _denies(self, policies: Iterable[Policy] | None, policy_type: PolicyType) -> list[int]:
        found: list[int] = []
        for policy in policies or ():
            for item in self._items(policy, policy_type):
                if item.statement.effect is Effect.DENY:
                    matches = self._statement(item)
                    if matches != FALSE:
                        found.append(self._formula.conj((self._selectors.deny(item.reason), matches)))
        return found

    def _items(self, policy: Policy, policy_type: PolicyType) -> Iterable[_Item]:
        """The statements that may match; of what others say no action is asked."""
        statements = self._scene.actions.statements(policy)
        return (_Item(statement, policy, policy_type) for statement in statements)

    def _named(self, item: _Item) -> Sequence[tuple[Grant, int]]:
        statement = item.statement
        if statement.principal is None and statement.not_principal is None and item.policy_type != "resource":
            return ((Grant.DIRECT, TRUE),)
        compiled = compile_policy(item.policy, item.policy_type).statements[statement.index].ready()
        return self._scene.caller.named(compiled, bounded=self._bounded)

    def _statement(self, item: _Item) -> int:
        action = self._action(item.statement)
        if action == FALSE:
            return FALSE
        named = self._formula.disj([literal for _, literal in self._named(item)])
        return FALSE if named == FALSE else self._formula.conj((named, self._matches(item)))

    def _matches(self, item: _Item) -> int:
        """Action, resource and conditions of the statement match."""
        statement = item.statement
        said = (
            statement.effect, statement.actions, statement.not_actions, statement.resources, statement.not_resources,
            statement.conditions, item.policy_type in IDENTITY_SIDE, item.variables,
        )  # fmt: skip
        found = self._scene.matches.get(said)
        if found is None:
            found = self._scene.matches[said] = self._match(item)
        return found

    def _match(self, item: _Item) -> int:
        statement = item.statement
        action = self._action(statement)
        if action == FALSE:
            return FALSE
        variables = item.variables
        resource = self._resource_element(statement, item.policy_type, variables=variables)
        if resource == FALSE:
            return FALSE
        return self._formula.conj(
            [
                action,
                resource,
                *(self._scene.view.condition(test, variables=variables) for test in statement.conditions),
            ]
        )

    def _action(self, statement: Statement) -> int:
        found = self._actions.get(id(statement))
        if found is None:
            found = action_literal(self._scene, statement.actions, statement.not_actions)
            self._actions[id(statement)] = found
        return found

    def _resource_element(self, statement: Statement, policy_type: PolicyType, *, variables: bool) -> int:
        listed = statement.resources if statement.resources is not None else statement.not_resources
        identity_side = policy_type in IDENTITY_SIDE
        if listed is None:
            return FALSE if identity_side and statement.effect is Effect.ALLOW else TRUE
        matches = resource_literal(self._scene, listed, completes=identity_side, variables=variables)
        return matches if statement.resources is not None else -matches


def action_literal(scene: Scene, actions: Sequence[str] | None, not_actions: Sequence[str] | None) -> int:
    """The request's action is among the listed patterns, or among none of the excluded ones."""
    if actions is not None:
        return scene.actions.any_of(actions)
    return -scene.actions.any_of(not_actions or ())


def resource_literal(scene: Scene, patterns: Sequence[str], *, completes: bool, variables: bool) -> int:
    """The request's resource matches one of the patterns."""
    matches: list[int] = []
    for pattern in patterns:
        expanded = scene.view.expand(tokens_of(pattern, variables=variables))
        if isinstance(expanded, Opaque):
            guess = scene.formula.atom(Opaque(expanded.construct, f"Resource {expanded.owner}"), cost=2)
            cover = cover_of(tokens_of(pattern, variables=variables))
            if completes and cover.count(literal(":")[0]) < FIELDS - 1:
                cover = (*cover, STAR)
            matches.append(scene.formula.conj((guess, scene.resource.matches(cover))))
        elif expanded is not None:
            for form in complete_arns((expanded,)) if completes else (expanded,):
                tokens = language_of(form, Reading.RESOURCE)
                if tokens is not None:
                    matches.append(scene.resource.matches(tokens))
    return scene.formula.disj(matches)
