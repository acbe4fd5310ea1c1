"""Why an answer is *unknown*, in words that name the construct and the statements where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.iam.compile import POLICY_VARIABLES_SINCE
from ringwall.iam.patterns import Variable
from ringwall.proof.globs import tokens_of
from ringwall.proof.search import KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.iam.policy import Policy, Statement

VARIABLE = "policy variable ${"
"""What the construct of an undetermined variable begins with; its key and a closing brace follow."""


def undetermined(construct: str, policies: Iterable[Policy]) -> str:
    """That a policy variable, or the principal, is left open, and by which statements."""
    return f"{construct} is not determined by the principal: {', '.join(_places(construct, policies))}"


def mixed(variables: Iterable[str], policies: Iterable[Policy]) -> str:
    """That the values of some variables are under tests of two kinds, and in which statements."""
    names = sorted(name.removeprefix(KEY) for name in variables)
    found = dict.fromkeys(
        place for policy, statement, place in _statements(policies) if keys_of(policy, statement) & set(names)
    )
    where = f": {', '.join(found)}" if found else ""
    return f"{', '.join(names)} is tested both as text and as a number, date or address{where}"


def variables_in(policies: Iterable[Policy]) -> set[str]:
    """Lower-cased keys of every policy variable of some policies."""
    return {key for policy, statement, _ in _statements(policies) for key in variables_of(policy, statement)}


def keys_of(policy: Policy, statement: Statement) -> set[str]:
    """Lower-cased keys that a statement tests or takes for variables."""
    return {test.key.lower() for test in statement.conditions} | variables_of(policy, statement)


def variables_of(policy: Policy, statement: Statement) -> set[str]:
    """Lower-cased keys of a statement's policy variables."""
    if policy.version != POLICY_VARIABLES_SINCE:
        return set()
    texts = [*(statement.resources or ()), *(statement.not_resources or ())]
    texts += [value for test in statement.conditions for value in test.values]
    return {
        token.key
        for text in texts
        if "${" in text
        for token in tokens_of(text, variables=True)
        if isinstance(token, Variable)
    }


def _places(construct: str, policies: Iterable[Policy]) -> Iterable[str]:
    """The statements in which a policy variable or a session occurs, as ``policy/statement``."""
    if construct.startswith(VARIABLE):
        key = construct.removeprefix(VARIABLE).rstrip("}")
        found = dict.fromkeys(
            place
            for policy, statement, place in _statements(policies)
            if key in variables_of(policy, statement)
        )
    else:
        wanted = construct.removeprefix("principal ").split(", ")[0].lower()
        found = dict.fromkeys(
            place for _, statement, place in _statements(policies) if wanted in repr(statement).lower()
        )
    return found or ["the claim itself"]


def _statements(policies: Iterable[Policy]) -> Iterator[tuple[Policy, Statement, str]]:
    for policy in policies:
        for statement in policy.statements:
            yield policy, statement, f"{policy.name}/{statement.label}"
