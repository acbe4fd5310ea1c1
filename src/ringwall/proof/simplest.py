"""The shortest request that shows the same: without the keys that it does not need, with the plainest names and values.

A proposal of the solver carries what its justification happened to speak of. Each key is left out, each list shortened,
action, resource and each value replaced by usual ones where the evaluator still says what the request is to show. What
the axioms say that every such request carries stays: a witness is a request that AWS can really send.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ringwall.iam.codec import make_request
from ringwall.proof import axioms, samples
from ringwall.proof.language import Clock
from ringwall.proof.plainer import plainer
from ringwall.proof.setting import known_keys
from ringwall.proof.witness import confirms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringwall.iam.request import Request
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.question import Question

Requests = tuple["Request", ...]

_TRIES: Final = 400
"""How often a witness may be shortened: it is one already. Counted and not timed, so that a busy machine finds the same."""
_ENDPOINT_KEYS: Final = ("aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip")
_RESOURCE_ACCOUNT: Final = "aws:resourceaccount"
_GUARDRAIL: Final = "bedrock:guardrailidentifier"
_TOKEN_KIND: Final = ":bearertokentype"  # noqa: S105 - the name of a key


def simplest(question: Question, requests: Requests, vocabulary: Vocabulary, clock: Clock) -> Requests:
    """A witness that says no more than it must, as far as a moment's work goes.

    Args:
        question: what was asked.
        requests: a witness of it, confirmed.
        vocabulary: what AWS's actions and keys are.
        clock: of the proof.
    """

    def shows(told: Requests) -> bool:
        return confirms(question, told, vocabulary) is None

    return simpler(question, requests, vocabulary, clock, shows)


def simpler(
    question: Question,
    requests: Requests,
    vocabulary: Vocabulary,
    clock: Clock,
    shows: Callable[[Requests], bool],
) -> Requests:
    """Requests that say no more than they must to show something.

    Args:
        question: what is known of requests, and which axioms hold.
        requests: what shows it.
        vocabulary: what AWS's actions and keys are.
        clock: of the proof.
        shows: whether requests still show it.
    """
    return _Simplifier(question, vocabulary, clock, shows).simplest(requests)


class _Simplifier:
    def __init__(
        self,
        question: Question,
        vocabulary: Vocabulary,
        clock: Clock,
        shows: Callable[[Requests], bool],
    ) -> None:
        self._question = question
        self._clock = clock
        self._tries = _TRIES
        self._vocabulary = vocabulary
        self._shows = shows
        self._fixed = set(known_keys(question))
        for one in question.authorizations:
            self._fixed.update(key.lower() for key in one.context)
        if question.authorizations:  # of a call, the evaluator does not say whether it is as claimed
            self._fixed.update(test.key.lower() for test in question.claim.conditions)

    def simplest(self, requests: Requests) -> Requests:
        first = requests[0]
        self._fixed.update(
            make_request(first.principal, first.action, first.resource, first.resource_account, {}).context
        )
        for keys in self._droppable(requests):
            requests = self._if_confirmed(_without(requests, keys)) or requests
        if not self._question.authorizations:
            for told in plainer(self._question, requests[0], self._vocabulary):
                found = self._if_confirmed((told,))
                if found is not None:
                    requests = found
                    break
        for key in sorted({key for request in requests for key in request.context}):
            if not self._stays(key):
                for values in self._simpler(requests, key):
                    simple = self._if_confirmed(_with(requests, key, values))
                    if simple is not None:
                        requests = simple
                        break
        return requests

    def _if_confirmed(self, requests: Requests) -> Requests | None:
        if not self._tries or self._clock.left == 0:
            return None
        self._tries -= 1
        return requests if self._shows(requests) else None

    def _droppable(self, requests: Requests) -> Iterator[tuple[str, ...]]:
        """Keys to leave out, those together that a request has together."""
        carried = {key for request in requests for key in request.context}
        together = tuple(key for key in _ENDPOINT_KEYS if key in carried)
        if together and not any(map(self._stays, together)) and not self._through_endpoint:
            yield together
        yield from ((key,) for key in sorted(carried) if key not in _ENDPOINT_KEYS and not self._stays(key))

    def _stays(self, key: str) -> bool:
        """Whether a request has the key, and this value of it, whatever the policies ask for."""
        return (
            key in self._fixed
            or (key in axioms.ALWAYS_PRESENT and self._taken_for_granted(axioms.KEYS_ALWAYS_PRESENT))
            or (key == _RESOURCE_ACCOUNT and self._taken_for_granted(axioms.RESOURCE_DETERMINES_ACCOUNT))
            or (key.endswith(_TOKEN_KIND) and self._taken_for_granted(axioms.BEARER_TOKEN_TYPE))
        )

    def _taken_for_granted(self, axiom: str) -> bool:
        return axiom not in self._question.disabled_axioms

    @property
    def _through_endpoint(self) -> bool:
        sets = (self._question.policies, *(one.policies for one in self._question.authorizations))
        return any(one is not None and one.vpc_endpoint is not None for one in sets)

    def _simpler(self, requests: Requests, key: str) -> Iterator[tuple[str, ...]]:
        """Fewer values, then plainer ones."""
        values = next(request.context[key] for request in requests if key in request.context)
        usual = samples.of_key(key)
        if len(values) > 1:
            yield from ((value,) for value in values)
        elif key == _GUARDRAIL and values[0].endswith(":x"):
            yield (values[0][:-1] + "1",)
        elif values[0] not in usual:
            yield from ((value,) for value in usual)


def _without(requests: Requests, keys: tuple[str, ...]) -> Requests:
    return tuple(
        replace(request, context={key: values for key, values in request.context.items() if key not in keys})
        for request in requests
    )


def _with(requests: Requests, key: str, values: tuple[str, ...]) -> Requests:
    return tuple(
        replace(request, context={**request.context, key: values}) if key in request.context else request
        for request in requests
    )
