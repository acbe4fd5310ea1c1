"""Answers to the documents of ``ringwall prove`` and ``ringwall compare``: JSON in, JSON out, nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ringwall.errors import RingwallError
from ringwall.iam.vocabulary import Vocabulary
from ringwall.proof.codec import (
    answer_to_json,
    comparison_to_json,
    differences_to_json,
    policies_of_comparison,
    question_from_json,
)
from ringwall.proof.compare import compare, differences
from ringwall.proof.language import Clock
from ringwall.proof.prove import prove, verdict_without_axioms
from ringwall.proof.question import Answer, Question

Further = Callable[[Question, Answer, float], Mapping[str, Any]]
"""Further fields of an answer, from the question, what was found and the seconds that are left."""


def answer_document(
    document: Mapping[str, Any],
    vocabulary: Vocabulary,
    *,
    timeout: float = 10.0,
    disabled_axioms: frozenset[str] = frozenset(),
    further: Further | None = None,
) -> dict[str, Any]:
    """The answer to one question (CONTRACTS "ringwall prove"); what cannot be read becomes ``{"id", "error"}``.

    Args:
        document: the question.
        vocabulary: what AWS's actions and keys are.
        timeout: seconds for the proof and what is told beside it.
        disabled_axioms: facts that are not taken for granted, beside those of the question.
        further: what else the answer is to tell.
    """

    def ask() -> dict[str, Any]:
        question = question_from_json(document)
        question = replace(question, disabled_axioms=question.disabled_axioms | disabled_axioms)
        clock = Clock.starting_now(timeout)
        answer = prove(question, vocabulary, timeout=timeout)
        without = verdict_without_axioms(question, answer, vocabulary, timeout=clock.left)
        told = further(question, answer, clock.left) if further is not None else {}
        return {**answer_to_json(question, answer), "without_axioms": without, **told}

    return _or_error(document, ask)


def compare_document(
    document: Mapping[str, Any], vocabulary: Vocabulary, *, timeout: float = 10.0, grouped: bool = False
) -> dict[str, Any]:
    """The answer to one comparison (CONTRACTS "ringwall compare").

    Args:
        document: ``id``, ``before``, ``after``.
        vocabulary: what AWS's actions and keys are.
        timeout: seconds for each direction, and once more for the groups.
        grouped: whether to tell under ``groups`` what differs by principal and action.
    """

    def ask() -> dict[str, Any]:
        before = policies_of_comparison(document["before"], "before")
        after = policies_of_comparison(document["after"], "after")
        found = compare(before, after, vocabulary, context_model="any", timeout=timeout)
        told = comparison_to_json(document.get("id"), found)
        if not grouped:
            return told
        groups = differences(before, after, vocabulary, context_model="any", timeout=timeout)
        return {**told, "groups": differences_to_json(groups)}

    return _or_error(document, ask)


def _or_error(document: Mapping[str, Any], ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return ask()
    except KeyError as error:
        return {"id": document.get("id"), "error": f"{error.args[0]} is missing"}
    except (ValueError, TypeError, RecursionError, RingwallError) as error:
        return {"id": document.get("id"), "error": str(error) or "is nested too deeply"}
