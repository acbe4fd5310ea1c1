"""Explanations as lines of plain text, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ringwall.access.possibilities import ABSENT, ROUTE
from ringwall.access.told import TYPE_NAMES, told
from ringwall.iam.codec import decision_to_json, request_to_json
from ringwall.iam.render import operator_text

if TYPE_CHECKING:
    from ringwall.access.asked import Occurrence
    from ringwall.access.owners import Owner
    from ringwall.access.smallest_change import Nearest, PolicyChange, RequestChange
    from ringwall.access.why import Deciding, Explained, Explanation
    from ringwall.iam.trace import ConditionTrace

Verdict = Literal["denied", "allowed", "unknown"]

FEW = 2
"""Most cases of a denial that are told one by one."""
_HEADS = {
    "denied": "denied",
    "allowed": "would be allowed now",
    "unknown": "cannot tell",
}


def verdict(found: Sequence[Explanation], *, denied: bool) -> Verdict:
    """The answer about the whole call.

    Args:
        found: of each authorization.
        denied: whether AWS said that it denied the call.
    """
    outcomes = {item.outcome for item in found}
    if "denied" in outcomes:
        return "denied"
    if "depends" in outcomes:
        told = denied and all(item.fits is not False for item in found)
        return "denied" if told else "unknown"
    return "unknown" if any(item.gaps for item in found) or not found else "allowed"


# -- text ------------------------------------------------------------------------------------------------------------


def in_words(found: Sequence[Explanation], outcome: Verdict, occurrence: Occurrence | None) -> Iterator[str]:
    """The answer, most telling authorization first."""
    shown = [item for item in found if item.outcome != "allowed"] or list(found)
    for item in shown:
        yield from _authorization(item, outcome)
        if not item.cases and occurrence is not None and occurrence.denial is not None:
            yield from (f"    {line}" for line in told(occurrence.denial, item.asked))
    others = len(found) - len(shown)
    if others:
        yield f"The call's other {others} authorization{'s are' if others > 1 else ' is'} allowed."
    for text in occurrence.notes if occurrence else ():
        yield f"note: {text}"
    for text in dict.fromkeys(text for item in found for text in item.asked.assumed):
        yield f"note: taken for granted {text}"
    for gap in dict.fromkeys(gap for item in found for gap in item.gaps):
        yield f"note: could not be read: {gap}"


def _authorization(item: Explanation, outcome: Verdict) -> Iterator[str]:
    asked = item.asked
    head = {"denied": "denied", "allowed": _HEADS["allowed"], "depends": _HEADS[outcome]}[item.outcome]
    yield f"{head}: {asked.principal}"
    yield f"    {asked.action} on {asked.resource}"
    if item.fits is False and item.outcome != "allowed":
        yield "    AWS's message says otherwise: policies changed since, or some that bear on it are not in the Estate"
    elif item.fits is False:
        yield "    by the policies that are there now; they changed since, or some that bear on it are not in the Estate"
    elif item.fits and len(item.cases) > 1:
        yield "    What AWS said fits each of these; it does not tell which:"
    if item.partial:
        yield "    too many possibilities: some values were left out"
    if len(item.cases) > FEW and not any(explained.case.decision.allowed for explained in item.cases):
        yield from _together(item.cases)
        return
    for explained in item.cases:
        yield from _case(explained, item)


def _together(cases: Sequence[Explained]) -> Iterator[str]:
    """Many cases of a denial at once: each statement that decides in one of them, and what helps in all of them."""
    deciding = {
        (one.policy.policy, one.policy.target, one.statement.label): one
        for explained in cases
        for one in explained.deciding
    }
    for one in deciding.values():
        yield from _deciding(one, actual=False)
    missing = {
        kind: owner
        for explained in cases
        for kind, owner in zip(explained.case.decision.missing, explained.owners, strict=False)
    }
    yield from (
        f"      no {TYPE_NAMES[kind]} allows it; it belongs to {owner.words}"
        for kind, owner in missing.items()
    )
    asking = [explained.instead for explained in cases if explained.instead is not None]
    if asking:
        yield f"      it would be allowed {_instead(max(asking, key=lambda one: len(one.sets)))}"
    changing = [explained.changes for explained in cases if explained.instead is None and explained.changes]
    if changing:
        yield from _changes(max(changing, key=len))


def _case(item: Explained, whole: Explanation) -> Iterator[str]:
    if item.case.conditions:
        yield f"  if {', and '.join(_condition(key, labels, whole) for key, labels in item.case.conditions)}:"
    decision = item.case.decision
    yield f"    {decision.outcome.replace('_', ' ')}"
    for deciding in item.deciding:
        yield from _deciding(deciding)
    if decision.allowed:
        return
    for kind, owner in zip(decision.missing, item.owners, strict=False):
        yield f"      no {TYPE_NAMES[kind]} allows it; it belongs to {owner.words}"
    for nearest in item.nearest:
        yield from _nearest(nearest)
    if item.instead is not None:
        yield f"      it would be allowed {_instead(item.instead)}"
    if item.changes and item.instead is None:
        yield from _changes(item.changes)


def _instead(change: RequestChange) -> str:
    sets = (label if key == ROUTE else f"with {spelled(key)} {label}" for key, label in change.sets)
    return " and ".join(sets)


def _changes(changes: Sequence[PolicyChange]) -> Iterator[str]:
    yield "      the smallest change of policies that would allow it:"
    for change in changes:
        yield from (f"        {line}" for line in change_in_words(change))


def condition_in_words(test: ConditionTrace, *, actual: bool = True) -> str:
    """A condition test, and how it fared with the request's values (``actual``)."""
    tested = f"{operator_text(test.test)} {spelled(test.test.key)} {', '.join(test.test.values)}"
    if not actual:
        return tested
    carried = f"has {', '.join(test.actual)}" if test.actual else "has none"
    return f"{tested}: {'holds' if test.matched else 'fails'}, the request {carried}"


def _condition(key: str, labels: tuple[str, ...], whole: Explanation) -> str:
    others = [label for label in whole.options.get(key, ()) if label not in labels]
    if key == ROUTE:
        if 0 < len(others) < len(labels) - 1:
            return f"it did not come {' or '.join(others)}"
        return f"it came {' or '.join(labels)}"
    values = [label for label in labels if label != ABSENT]
    parts = [f"the call carried no {spelled(key)}"] if ABSENT in labels else []
    if values:
        parts.append(f"{'it' if parts else spelled(key)} was {' or '.join(values)}")
    return ", or ".join(parts)


def spelled(key: str) -> str:
    """A condition key in AWS's spelling, where it is known."""
    return _SPELLING.get(key, key)


def _deciding(item: Deciding, *, actual: bool = True) -> Iterator[str]:
    policy, statement = item.policy, item.statement
    level = f", attached to {policy.target}" if policy.target else ""
    yield (
        f"      {statement.effect} by {TYPE_NAMES[policy.policy_type]} {policy.policy}{level}, "
        f"statement {statement.label}"
    )
    yield from (f"        {condition_in_words(test, actual=actual)}" for test in statement.conditions)
    if statement.effect == "Deny":
        yield f"        it belongs to {item.owner.words}"


def _nearest(item: Nearest) -> Iterator[str]:
    yield f"      nearest: statement {item.trace.label} of {item.policy} fails by {', '.join(item.trace.failed)}"
    yield from (f"        {condition_in_words(test)}" for test in item.trace.conditions if not test.matched)


def change_in_words(change: PolicyChange) -> Iterator[str]:
    """A change of a policy: where, then the statement as JSON."""
    kind = TYPE_NAMES[change.policy_type]
    where = f"the {kind} {change.policy}" if change.policy else f"a new {kind}"
    level = f", attached to {change.target}" if change.target else ""
    if change.statement is None:
        yield f"take statement {change.replaces} out of {where}{level}"
        return
    verb = f"in place of statement {change.replaces} of" if change.replaces else "add to"
    yield f"{verb} {where}{level}:"
    yield f"  {json.dumps(change.statement, ensure_ascii=False)}"


# -- JSON ------------------------------------------------------------------------------------------------------------


def explanation_to_json(
    found: Sequence[Explanation], outcome: Verdict, occurrence: Occurrence | None
) -> dict[str, Any]:
    """The answer as plain data (``ringwall schema why``)."""
    notes = [*(occurrence.notes if occurrence else ())]
    notes += [f"taken for granted {text}" for item in found for text in item.asked.assumed]
    return {
        "outcome": outcome,
        "operation": occurrence.operation if occurrence else None,
        "message": _message(occurrence),
        "authorizations": [_explanation(item) for item in found],
        "told": list(_told(found, occurrence)),
        "notes": list(dict.fromkeys(notes)),
        "gaps": list(dict.fromkeys(gap for item in found for gap in item.gaps)),
    }


def _told(found: Sequence[Explanation], occurrence: Occurrence | None) -> Iterator[str]:
    """What the message alone tells of what could not be explained."""
    for item in found:
        if not item.cases and occurrence is not None and occurrence.denial is not None:
            yield from told(occurrence.denial, item.asked)


def _message(occurrence: Occurrence | None) -> dict[str, Any] | None:
    if occurrence is None or occurrence.denial is None:
        return None
    denial = occurrence.denial
    return {
        "principal": denial.principal,
        "action": denial.action,
        "resource": denial.resource,
        "effect": denial.effect,
        "policy_type": denial.policy_type,
        "policy": denial.policy,
    }


def _explanation(item: Explanation) -> dict[str, Any]:
    return {
        "principal": item.asked.principal,
        "action": item.asked.action,
        "resource": item.asked.resource,
        "outcome": item.outcome,
        "fits_message": item.fits,
        "unknown_keys": [spelled(key) for key in item.open],
        "partial": item.partial,
        "cases": [_explained(one) for one in item.cases],
    }


def _explained(item: Explained) -> dict[str, Any]:
    return {
        "if": [{"key": spelled(key), "values": list(labels)} for key, labels in item.case.conditions],
        **decision_to_json(item.case.decision),
        "request": request_to_json(item.case.example.request),
        "deciding": [
            {
                "policy_type": one.policy.policy_type,
                "policy": one.policy.policy,
                "target": one.policy.target,
                "statement": one.statement.label,
                "effect": one.statement.effect,
                "conditions": [test_to_json(test) for test in one.statement.conditions],
                "owner": _owner(one.owner),
            }
            for one in item.deciding
        ],
        "owners": [
            {"policy_type": kind, **_owner(owner)}
            for kind, owner in zip(item.case.decision.missing, item.owners, strict=False)
        ],
        "nearest": [
            {
                "policy_type": one.policy_type,
                "policy": one.policy,
                "statement": one.trace.label,
                "failed": list(one.trace.failed),
                "conditions": [test_to_json(test) for test in one.trace.conditions if not test.matched],
            }
            for one in item.nearest
        ],
        "request_change": None
        if item.instead is None
        else [{"key": spelled(key), "value": label} for key, label in item.instead.sets],
        "policy_changes": [change_to_json(one) for one in item.changes],
    }


def change_to_json(change: PolicyChange) -> dict[str, Any]:
    """A change of a policy as plain data."""
    return {
        "policy_type": change.policy_type,
        "policy": change.policy or None,
        "target": change.target,
        "replaces": change.replaces,
        "statement": change.statement,
    }


def _owner(owner: Owner) -> dict[str, Any]:
    return {"account": owner.account, "owner": owner.words}


def test_to_json(test: ConditionTrace) -> dict[str, Any]:
    """A condition test and how it fared, as plain data."""
    return {
        "operator": operator_text(test.test),
        "key": test.test.key,
        "values": list(test.test.values),
        "actual": list(test.actual) or None,
        "matched": test.matched,
    }


_SPELLING = {
    name.lower(): name
    for name in (
        "aws:CalledVia", "aws:CurrentTime", "aws:EpochTime", "aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent",
        "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:RequestedRegion", "aws:ResourceAccount",
        "aws:ResourceOrgID", "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn", "aws:SourceIp", "aws:SourceVpc",
        "aws:SourceVpce", "aws:TokenIssueTime", "aws:UserAgent", "aws:ViaAWSService", "aws:VpcSourceIp",
        "bedrock:GuardrailIdentifier", "bedrock:InferenceProfileArn", "iam:PassedToService", "kms:ViaService",
    )
}  # fmt: skip
