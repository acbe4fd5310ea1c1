"""Requests that say the same more plainly: known actions, resources as AWS names them, usual Regions and accounts.

These are only proposals. Whether one still shows what the request at hand shows is the evaluator's to say.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from ringwall.iam.codec import make_request
from ringwall.iam.patterns import glob_matches
from ringwall.proof import axioms, samples
from ringwall.proof.resources import shapes_of
from ringwall.proof.setting import carries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.iam.request import Request
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.question import Question

_WHOLE: Final = "*"
_FIELDS: Final = 6
_REGION_KEY: Final = "aws:requestedregion"
_ACCOUNT_KEY: Final = "aws:resourceaccount"
_OF_OTHER_ACTIONS: Final = 2
"""Resources that are tried with each better known action."""


def plainer(question: Question, request: Request, vocabulary: Vocabulary) -> Iterator[Request]:
    """Plainer requests, the plainest first; the last ones differ from what is there by the resource alone.

    Args:
        question: what the request is a witness of, about no operation.
        request: the witness.
        vocabulary: what AWS's actions and keys are.
    """
    service = request.action.partition(":")[0].lower()
    if request.action not in samples.ACTIONS:
        for action in samples.ACTIONS:
            if action.partition(":")[0] == service and _carries_all(question, action, request, vocabulary):
                retold = replace(request, action=action)
                yield from islice(_with_resources(question, retold, vocabulary), _OF_OTHER_ACTIONS)
    yield from _with_resources(question, request, vocabulary)


def _carries_all(question: Question, action: str, request: Request, vocabulary: Vocabulary) -> bool:
    """Whether a request for the action can carry the keys of another."""
    if question.context_model == "any" or axioms.KEYS_PER_ACTION in question.disabled_axioms:
        return True
    return all(carries(vocabulary, action, key) for key in request.context)


def _with_resources(question: Question, request: Request, vocabulary: Vocabulary) -> Iterator[Request]:
    seen = {request.resource}
    for resource in _resources(question, request, vocabulary):
        if resource not in seen:
            seen.add(resource)
            retold = _about(question, request, resource)
            if retold is not None:
                yield retold


def _resources(question: Question, request: Request, vocabulary: Vocabulary) -> Iterator[str]:
    shapes = sorted(
        shapes_of(vocabulary, request.action),
        key=lambda shape: (samples.prominence(shape), len(shape), shape),
    )
    if not shapes and vocabulary.is_action(request.action):
        yield _WHOLE
    fields = request.resource.split(":", _FIELDS - 1)
    if len(fields) != _FIELDS:
        fields = ["arn", "aws", "", "us-east-1", "", ""]
    account = question.resource_account or _account_of(request.principal)
    names = list(_without_crossing(fields[5]))
    for usual in (True, False):
        region = samples.REGIONS[0] if usual or fields[3] not in samples.REGIONS else fields[3]
        for shape in shapes:
            if shape.count(":") >= _FIELDS - 1:
                kept = account if usual or not fields[4] else fields[4]
                yield from _of_shape(shape, fields[1], names, region, kept)
    for name in names[1:]:
        yield ":".join((*fields[:5], name))


def _without_crossing(name: str) -> Iterator[str]:
    """The name, and what is left of it without what a star brought in that ran across colons, the longest first."""
    yield name
    while ":" in name:
        name = name.partition(":")[2]
        if name:
            yield name


def _account_of(principal: str) -> str:
    fields = principal.split(":")
    return fields[4] if len(fields) >= _FIELDS else samples.ACCOUNT


def _of_shape(shape: str, partition: str, names: list[str], region: str, account: str) -> Iterator[str]:
    """ARNs of a shape: with usual names, and with those of the given names that are of that shape."""
    _, _, service, regions, accounts, tail = shape.split(":", _FIELDS - 1)
    region = region if regions == "*" else regions
    head = ("arn", partition, service, region, account if accounts == "*" else accounts)
    parts = tail.split("*")
    filled = "".join(part + samples.name_after(part) for part in parts[:-1]) + parts[-1]
    yield ":".join((*head, filled))
    for name in names:
        if glob_matches(tail, name):
            yield ":".join((*head, name))


def _about(question: Question, request: Request, resource: str) -> Request | None:
    """The request about another resource, with the keys that follow from it; ``None`` where they cannot."""
    context = dict(request.context)
    region = resource.split(":")[3] if resource.count(":") >= _FIELDS - 1 else ""
    before = request.resource.split(":")[3] if request.resource.count(":") >= _FIELDS - 1 else ""
    if request.action.startswith("bedrock:") and axioms.REGION_OF_RESOURCE not in question.disabled_axioms:
        if _REGION_KEY in context and bool(region) != bool(before):
            return None
        if _REGION_KEY in context and region:
            context[_REGION_KEY] = (region,)
    if _ACCOUNT_KEY not in question.fixed:
        context.pop(_ACCOUNT_KEY, None)
    return make_request(request.principal, request.action, resource, request.resource_account, context)
