"""Effective policies: what declarative policies of an organization come to for one account.

Policies merge from the root down to the account, value by value, by the operators that each one names: ``@@assign``
replaces, ``@@append`` adds to a list, ``@@remove`` takes from it. A policy may say which of them its children may use
on a value (``@@operators_allowed_for_child_policies``).

https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.call import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable

BEDROCK = "BEDROCK_POLICY"

_ASSIGN, _APPEND, _REMOVE = "@@assign", "@@append", "@@remove"
_CONTROL = "@@operators_allowed_for_child_policies"
_SETTING = frozenset({_ASSIGN, _APPEND, _REMOVE})
_GUARDED = ("system", "messages")
_MODELS = ("included_models", "excluded_models")


@dataclass
class _Value:
    """A place in the effective policy: a value, or places below it; and what children may do to it."""

    value: Any = None
    below: dict[str, _Value] = field(default_factory=dict)
    allowed: frozenset[str] = _SETTING

    def merge(self, document: Mapping[str, Any]) -> None:
        """Let one policy have its say."""
        for operator, given in document.items():
            if operator in _SETTING and operator in self.allowed:
                self._set(operator, given)
            elif not operator.startswith("@@"):
                below = self.below.setdefault(operator, _Value(allowed=self.allowed))
                if isinstance(given, Mapping):
                    below.merge(given)

    def _set(self, operator: str, given: Any) -> None:
        if operator == _ASSIGN:
            self.value = given
            return
        inherited = list(self.value or ())
        items = given if isinstance(given, list) else [given]
        if operator == _APPEND:
            self.value = inherited + [item for item in items if item not in inherited]
        else:
            self.value = [item for item in inherited if item not in items]

    def restrict(self, document: Mapping[str, Any]) -> None:
        """Take away, for what follows below, what a policy does not allow its children. It never comes back."""
        control = document.get(_CONTROL)
        if control is not None and "@@all" not in control:
            self.narrow(frozenset(control) & _SETTING)
        for name, given in document.items():
            if not name.startswith("@@") and isinstance(given, Mapping):
                self.below.setdefault(name, _Value(allowed=self.allowed)).restrict(given)

    def narrow(self, allowed: frozenset[str]) -> None:
        """Allow children no more than these operators, here and below."""
        self.allowed &= allowed
        for below in self.below.values():
            below.narrow(allowed)

    def document(self) -> Any:
        """The value as it stands in the effective policy."""
        if self.value is not None:
            return self.value
        found = {name: below.document() for name, below in self.below.items()}
        return {name: value for name, value in found.items() if value is not None} or None


def merged(levels: Iterable[Iterable[Mapping[str, Any]]]) -> dict[str, Any] | None:
    """The effective policy.

    Args:
        levels: the policies attached to each level, the root's first, the account's last.

    Returns:
        Its content without operators; ``None`` where nothing is attached.
    """
    whole = _Value()
    for level in levels:
        attached = list(level)
        for policy in attached:
            whole.merge(policy)
        for policy in attached:
            whole.restrict(policy)
    content: dict[str, Any] | None = whole.document()
    return content


def guardrail_configurations(policy: Mapping[str, Any] | None, region: str) -> list[Mapping[str, Any]]:
    """The guardrail configurations that an effective Bedrock policy enforces in a Region."""
    inference = ((policy or {}).get("bedrock") or {}).get("guardrail_inference") or {}
    return list((inference.get(region) or {}).values())


def check_bedrock(document: Any, management: str, fail: Any) -> None:
    """Hold a Bedrock policy against its syntax.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_bedrock_syntax.html

    Raises:
        AwsError: from ``fail``, for the first problem.
    """
    problem = _problem(document, management)
    if problem is not None:
        error: AwsError = fail(problem)
        raise error


def _problem(document: Any, management: str) -> str | None:
    if not isinstance(document, dict) or set(_names(document)) != {"bedrock"}:
        return "The top-level key must be bedrock."
    bedrock = document["bedrock"]
    if not isinstance(bedrock, dict) or set(_names(bedrock)) != {"guardrail_inference"}:
        return "bedrock must hold guardrail_inference."
    for region in _names(bedrock["guardrail_inference"]):
        configurations = bedrock["guardrail_inference"][region]
        for name in _names(configurations):
            problem = _configuration_problem(configurations[name], region, management)
            if problem is not None:
                return f"{region}.{name}: {problem}"
    return None


def _configuration_problem(configuration: Any, region: str, management: str) -> str | None:
    if not isinstance(configuration, dict):
        return "a configuration must be an object."
    known = {"identifier", "input_tags", "selective_content_guarding", "model_enforcement"}
    unknown = sorted(set(_names(configuration)) - known)
    if unknown:
        return f"{unknown[0]} is not known."
    identifier = (configuration.get("identifier") or {}).get(_ASSIGN)
    if identifier is not None:
        prefix = f"arn:aws:bedrock:{region}:{management}:guardrail/"
        _, _, version = str(identifier).removeprefix(prefix).partition(":")
        if not str(identifier).startswith(prefix) or not version.isdigit():
            return f"identifier must be a guardrail of the management account in {region}, with a numbered version."
    for block, names, values in (
        ("selective_content_guarding", _GUARDED, {"comprehensive", "selective"}),
        ("model_enforcement", _MODELS, None),
    ):
        given = configuration.get(block) or {}
        for name in _names(given):
            if name not in names:
                return f"{block}.{name} is not known."
            value = given[name].get(_ASSIGN)
            if values is not None and value is not None and value not in values:
                return f"{block}.{name} must be one of {sorted(values)}."
    return None


def _names(document: Any) -> list[str]:
    return [name for name in document if not name.startswith("@@")] if isinstance(document, dict) else []
