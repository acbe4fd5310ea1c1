"""A request layer by layer: which statement of which policy type lets it through, and which had nothing against it.

A layer is a policy type. Beside the statements that decided stand the Deny statements that came near: those about this
action on this resource which only a condition kept from matching, for there a hole mostly is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.access.possibilities import bears
from ringwall.access.told import TYPE_NAMES
from ringwall.access.words import test_to_json
from ringwall.iam.evaluate import explain
from ringwall.iam.render import operator_text
from ringwall.iam.trace import PolicyTrace, StatementTrace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.iam.policy import PolicySet
    from ringwall.iam.request import Decision, PolicyType, Request
    from ringwall.iam.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Found:
    """A statement and the policy that it stands in."""

    policy: PolicyTrace
    statement: StatementTrace

    @property
    def words(self) -> str:
        """``policy/statement``, with the organization level where there is one."""
        level = f" at {self.policy.target}" if self.policy.target else ""
        return f"{self.policy.policy}/{self.statement.label}{level}"


@dataclass(frozen=True, slots=True)
class Layer:
    """One policy type, as it bears on one request.

    Attributes:
        policy_type: which.
        bears: whether there is a policy of the type that can bind the caller.
        allowing: its matching Allow statements.
        denying: its matching Deny statements.
        near: its Deny statements that only conditions kept from matching.
    """

    policy_type: PolicyType
    bears: bool
    allowing: tuple[Found, ...] = ()
    denying: tuple[Found, ...] = ()
    near: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """How a request fares in every layer."""

    request: Request
    decision: Decision
    layers: tuple[Layer, ...]


def passage(request: Request, policies: PolicySet, vocabulary: Vocabulary) -> Passage:
    """A request in every layer, the principal's own policies first.

    Raises:
        ValueError: the principal cannot be read.
    """
    trace = explain(request, policies, vocabulary)
    layers = tuple(
        _layer(kind, tuple(one for one in trace.policies if one.policy_type == kind and one.applies))
        for kind in TYPE_NAMES
    )
    return Passage(request, trace.decision, layers)


def _layer(kind: PolicyType, policies: tuple[PolicyTrace, ...]) -> Layer:
    found = [Found(policy, statement) for policy in policies for statement in policy.statements]
    matching = [one for one in found if one.statement.matched]
    return Layer(
        kind,
        bool(policies),
        tuple(one for one in matching if one.statement.effect == "Allow"),
        tuple(one for one in matching if one.statement.effect == "Deny"),
        tuple(
            one
            for one in found
            if one.statement.effect == "Deny" and not one.statement.matched and bears(one.statement)
        ),
    )


def in_words(found: Passage) -> Iterator[str]:
    """A line for each layer that bears, with the near statements under it, and one for those that do not."""
    for layer in found.layers:
        if layer.bears:
            yield f"{TYPE_NAMES[layer.policy_type]}: {_said(layer)}"
            for one in layer.near if found.decision.allowed else ():
                tests = ", ".join(
                    f"{operator_text(test.test)} {test.test.key}"
                    for test in one.statement.conditions
                    if not test.matched
                )
                yield f"  Deny {one.words} does not match: {tests}"
    absent = [TYPE_NAMES[layer.policy_type] for layer in found.layers if not layer.bears]
    if absent:
        yield f"no {', no '.join(absent)}"


def _said(layer: Layer) -> str:
    if layer.denying:
        return f"denied by {', '.join(one.words for one in layer.denying)}"
    allowing = dict.fromkeys(one.words for one in layer.allowing)
    against = "" if layer.near else ", nothing against it"
    return f"allowed by {', '.join(allowing)}{against}" if allowing else f"no Allow{against}"


def to_json(found: Passage) -> dict[str, Any]:
    """As plain data."""
    return {
        "action": found.request.action,
        "resource": found.request.resource,
        "decision": found.decision.outcome,
        "layers": [
            {
                "policy_type": layer.policy_type,
                "bears": layer.bears,
                "allowed_by": [_place(one) for one in layer.allowing],
                "denied_by": [_place(one) for one in layer.denying],
                "near": [
                    {
                        **_place(one),
                        "failed": [
                            test_to_json(test) for test in one.statement.conditions if not test.matched
                        ],
                    }
                    for one in layer.near
                ],
            }
            for layer in found.layers
        ],
    }


def _place(one: Found) -> Mapping[str, Any]:
    return {
        "policy": one.policy.policy,
        "target": one.policy.target,
        "statement": one.statement.label,
    }
