"""Findings from proofs: what holds for every request, and the request that gets through where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls.baseline import baseline_names
from ringwall.controls.findings import Finding, Remediation, Status
from ringwall.controls.verdicts import verdict
from ringwall.iam.codec import request_to_json
from ringwall.iam.policy import Effect, PrincipalElement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.access import PrincipalEntry
    from ringwall.access.proving import EstateAnswer, Exposure
    from ringwall.controls.context import CheckContext
    from ringwall.controls.control import Control
    from ringwall.perimeter.model import Perimeter

BEDROCK = "bedrock.amazonaws.com"
SHOWN = 5
"""Principals that a summary names before it counts."""


def judge_claims(
    context: CheckContext, control: Control, claims: tuple[str, ...], remedy: str
) -> Iterator[Finding]:
    """One pass if every claim holds; else one finding for each that does not.

    Args:
        context: with the proofs.
        control: whose claims they are.
        claims: names; without a declaration those of the baseline are judged instead.
        remedy: what to do about a violation.
    """
    if context.perimeter is None:
        claims = baseline_names(control.slug)
    answers = {name: context.proofs.get(name) for name in claims}
    absent = _absent(context, control)
    workloads = {name: _workloads(context, answer) for name, answer in answers.items() if answer is not None}
    if claims and not absent and not any(workloads.values()) and all(map(_holds, answers.values())):
        yield _held(context, control, answers)
        return
    for name, answer in answers.items():
        if answer is None or name in absent:
            yield _unasked(context, control, name, absent.get(name, ()))
        elif workloads[name] or answer.verdict == "violated":
            exposures = (*answer.exposures, *workloads[name])
            yield _violated(context, control, exposures, answer, remedy)
        elif answer.verdict == "unknown":
            yield _undecided(context, control, name, answer)


def _absent(context: CheckContext, control: Control) -> dict[str, tuple[str, ...]]:
    """By claim, what it names and is not there, where all else of the control is in place.

    A claim about nothing proves nothing, and that the thing is gone is told by the control whose it is. Where the
    control's own policies or roles are missing too, the claim is judged as it stands: a violation is one.
    """
    if context.perimeter is None or not _in_place(context, control, context.perimeter):
        return {}
    named = {
        claim.name: context.absent([claim.body, claim.parameters, claim.context])
        for claim in control.claims(context.perimeter)
    }
    return {name: targets for name, targets in named.items() if targets}


def _in_place(context: CheckContext, control: Control, perimeter: Perimeter) -> bool:
    for resource in control.compile(perimeter):
        actual = context.actual(resource.id)
        if actual is None or not set(resource.get("TargetIds", ())) <= set(actual.get("TargetIds", ())):
            return False
    return True


def _holds(answer: EstateAnswer | None) -> bool:
    return answer is not None and answer.verdict == "holds"


def _workloads(context: CheckContext, answer: EstateAnswer) -> tuple[Exposure, ...]:
    """Exempt roles that are no exemption: a role for Lambda or EC2 trusts a service alone, and runs anybody's code."""
    return tuple(
        item
        for item in answer.exempt
        if not serves_bedrock_alone(context.access.principal(str(item.actor.principal)))
    )


def serves_bedrock_alone(entry: PrincipalEntry | None) -> bool:
    """Whether Bedrock, and nobody else, can assume a role."""
    if entry is None or entry.trust is None:
        return False
    allows = [statement for statement in entry.trust.statements if statement.effect is Effect.ALLOW]
    return bool(allows) and all(
        statement.principal == PrincipalElement(service=(BEDROCK,)) for statement in allows
    )


def _held(context: CheckContext, control: Control, answers: dict[str, EstateAnswer | None]) -> Finding:
    held = [answer for answer in answers.values() if answer is not None]
    return verdict(
        context,
        control,
        Status.PASS,
        "; ".join(answer.claim.title for answer in held),
        confidence="proved",
        details={
            "claims": list(answers),
            "because": _reasons(held),
            "axioms": sorted({axiom for answer in held for axiom in answer.answer.axioms}),
            "exempt": sorted({item.actor.label for answer in held for item in answer.exempt}),
        },
        evidence=tuple(context.policies_that_decide()),
    )


def _reasons(answers: list[EstateAnswer]) -> list[str]:
    found = (
        f"{reason.policy_type} {reason.policy} {reason.statement}"
        for answer in answers
        for reason in answer.answer.because
    )
    return list(dict.fromkeys(found))


def _unasked(context: CheckContext, control: Control, name: str, absent: tuple[str, ...]) -> Finding:
    why = f"{', '.join(absent)} is not there" if absent else "no proof was made"
    return verdict(
        context,
        control,
        Status.UNKNOWN,
        f"{name} is not decided: {why}",
        name=name,
        confidence="low",
        remediation=Remediation("deploy what the declaration names, then audit again: ringwall apply"),
    )


def _undecided(context: CheckContext, control: Control, name: str, answer: EstateAnswer) -> Finding:
    reason = answer.answer.reason or "no reason given"
    return verdict(
        context,
        control,
        Status.UNKNOWN,
        f"{answer.claim.title}: not decided, {reason}",
        name=name,
        confidence="low",
        remediation=Remediation("make readable what could not be read, or allow the proof more time"),
        details={"gaps": list(answer.gaps)},
    )


def _violated(
    context: CheckContext,
    control: Control,
    exposures: tuple[Exposure, ...],
    answer: EstateAnswer,
    remedy: str,
) -> Finding:
    who = [item.actor.principal or item.actor.label for item in exposures]
    listed = ", ".join(who[:SHOWN]) + (f" and {len(who) - SHOWN} more" if len(who) > SHOWN else "")
    if answer.claim.kind == "can":
        summary = f"{answer.claim.title}: denied"
    else:
        summary = f"{answer.claim.title}: not so, {listed or 'somebody'} can"
    return verdict(
        context,
        control,
        Status.FAIL,
        summary,
        name=answer.claim.name,
        confidence="proved",
        remediation=Remediation(remedy),
        details=_witness(answer, exposures, who),
        evidence=tuple(context.policies_that_decide()),
    )


def _witness(answer: EstateAnswer, exposures: tuple[Exposure, ...], who: list[str]) -> dict[str, Any]:
    shown = exposures[0].answer if exposures else answer.answer
    return {
        "witness": [request_to_json(request) for request in shown.witness],
        "principals": who,
        "because": _reasons([answer]),
        "missing": list(answer.answer.missing),
    }
