"""What a violated claim teaches: how the witness fares in every layer, and the smallest change that closes the hole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.access import layers
from ringwall.access.remedies import Violation, remedy
from ringwall.access.words import change_in_words, change_to_json, spelled

if TYPE_CHECKING:
    from ringwall.access.smallest_change import PolicyChange
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.question import Answer, Question

_TOLD = ("aws:principal", "aws:resourceaccount", "aws:userid", "aws:username")
"""Keys that follow from what is told of the principal and the resource anyway."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is to be learned from one violation.

    Attributes:
        passages: each request that shows it, in every layer; none where no request is known.
        changes: of policies, after all of which the claim holds, which is proved; none where no small one was found.
    """

    passages: tuple[layers.Passage, ...]
    changes: tuple[PolicyChange, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """``trace`` and ``fix`` of ``ringwall prove``."""
        return {
            "trace": [layers.to_json(one) for one in self.passages] or None,
            "fix": [change_to_json(one) for one in self.changes] or None,
        }

    def in_words(self) -> Iterator[str]:
        """The requests (of a call that is denied, those that are), the layers that they pass, and what would help."""
        denied = [one for one in self.passages if not one.decision.allowed]
        for one in denied or self.passages:
            yield f"{one.request.action} on {one.request.resource}"
            yield from (
                f"  {spelled(key)} = {', '.join(values)}"
                for key, values in sorted(one.request.context.items())
                if not key.startswith(_TOLD)
            )
            yield from (f"  {line}" for line in layers.in_words(one))
        if not self.changes:
            yield "no small change was found after which the claim holds"
            return
        yield "the smallest change after which the claim holds, which is proved:"
        for change in self.changes:
            yield from (f"  {line}" for line in change_in_words(change))


NOTHING = Lesson(())


def learned(violation: Violation | None, changes: tuple[PolicyChange, ...], vocabulary: Vocabulary) -> Lesson:
    """The lesson of a violation whose remedy is known; of none without one."""
    if violation is None:
        return NOTHING
    return Lesson(
        tuple(layers.passage(request, policies, vocabulary) for request, policies in violation.requests),
        changes,
    )


def lesson(question: Question, answer: Answer, vocabulary: Vocabulary, *, timeout: float) -> Lesson:
    """What an answer to ``ringwall prove`` teaches; nothing where nothing is violated.

    Args:
        question: what was asked.
        answer: its answer.
        vocabulary: the catalog.
        timeout: seconds for the changes, which are proved before they are offered.
    """
    if answer.verdict != "violated":
        return NOTHING
    violation = Violation(question, answer, question.claim)
    return learned(violation, remedy(violation, vocabulary, timeout=timeout), vocabulary)
