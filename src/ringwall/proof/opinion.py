"""What cvc5 makes of a question, where it is installed: it knows policy variables for word equations."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringwall.iam.policy import PolicySet
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.question import Question
    from ringwall.proof.second_opinion import Opinion


def opinion_of_cvc5(
    question: Question, vocabulary: Vocabulary, *, timeout: float, against: PolicySet | None = None
) -> Opinion | None:
    """cvc5's opinion, still to be confirmed where it is a request; ``None`` where it has none.

    Args:
        question: the question.
        vocabulary: what AWS's actions and keys are.
        timeout: seconds.
        against: for a comparison, the policies that must not allow the request.
    """
    if find_spec("cvc5") is None or timeout <= 0:
        return None
    # Imported here because the package is optional and its start takes longer than most proofs.
    from ringwall.proof.second_opinion import second_opinion  # noqa: PLC0415
    from ringwall.proof.smt import InexpressibleError  # noqa: PLC0415

    try:
        opinion = second_opinion(question, vocabulary, timeout=timeout, against=against)
    except InexpressibleError:
        return None
    return None if opinion.verdict == "unknown" else opinion
