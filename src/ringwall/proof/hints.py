"""Requests that were allowed to somebody, retold with another principal.

Most principals of an account that can do something can do it in the same way. Whether one can is decided by the
evaluator in microseconds, so what was found for others is tried before anything is searched for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.iam.codec import make_request
from ringwall.proof.setting import known_keys
from ringwall.proof.witness import confirms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringwall.iam.request import Request
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.question import Question

Hint = tuple["Request", ...]
"""The requests of one witness: one, or one for each authorization of a call."""


def by_hint(question: Question, hints: Iterable[Hint], vocabulary: Vocabulary) -> Hint | None:
    """A witness of the question, retold from the witness of one that differs in whose policies it asks about.

    Args:
        question: the claim, and whose requests.
        hints: witnesses of questions with the same claim, authorizations and fixed keys.
        vocabulary: what AWS's actions and keys are.

    Returns:
        Requests that :func:`ringwall.iam.evaluate.decide` allows and the claim speaks of; ``None`` if no hint gives any.
    """
    if question.principal is None:
        return None
    known = known_keys(question)
    if question.authorizations and any(test.key.lower() in known for test in question.claim.conditions):
        # Whether the call is as claimed may depend on the principal, which only the prover looks at.
        return None
    for hint in hints:
        told = tuple(
            _retold(request, question.principal, owner, known)
            for request, owner in zip(hint, _owners(question), strict=False)
        )
        if confirms(question, told, vocabulary) is None:
            return told
    return None


def _owners(question: Question) -> list[str | None]:
    """Whose the resources are, as the question says: the same resource may be somebody else's for another principal."""
    if not question.authorizations:
        return [question.resource_account]
    return [one.resource_account or question.resource_account for one in question.authorizations]


def _retold(
    request: Request, principal: str, owner: str | None, known: dict[str, tuple[str, ...]]
) -> Request:
    own = make_request(request.principal, request.action, request.resource, request.resource_account, {})
    context = {key: values for key, values in request.context.items() if key not in own.context}
    context = {key: values for key, values in {**context, **known}.items() if values}
    return make_request(principal, request.action, request.resource, owner, context)
