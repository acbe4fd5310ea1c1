"""The guardrail filters what was declared.

## What it does

Creates the declared guardrails: content filters by strength, denied topics, words, sensitive information, grounding,
and the messages that take the place of what was blocked. The check compares each point with what is declared; without
a declaration it asks for every content filter at medium strength and prompt attacks at high.

## Why

A guardrail that exists filters nothing by existing. Each filter has a strength, an action and a switch for prompts and
another for answers, and any of them makes it decoration.

## How it fails

- A filter with strength `NONE`, action `NONE` (it detects and reports) or `InputEnabled: false` is listed and lets
  everything pass. Where the declaration says so (`detect`, `ignore`) the check names it, lint `guardrail-only-detects`
  warns, and a guardrail that stops nothing at all fails.
- `PROMPT_ATTACK` works on prompts alone, and on `InvokeModel` only where input tags mark what the user wrote.
- PII is anonymised in answers and passes in prompts, or the other way round.
- A guardrail made of one blocked word counts as a guardrail everywhere.
- Tool results, tool definitions and an unwrapped system prompt are not evaluated at all; invocation logs keep what a
  guardrail masked.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-content-filters.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-sensitive-filters.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-prompt-attack.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls.control import Control
from ringwall.controls.guardrails import content, guardrails
from ringwall.controls.strength import acts, passing, weaknesses
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown
from ringwall.estate.kinds.guardrail_fields import CONTENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource

SLUG = "guardrail-filters-content"
TYPE = "AWS::Bedrock::Guardrail"

MOST = 8
"""Names that a summary lists."""

BASELINE: Mapping[str, Any] = {
    "ContentPolicyConfig": {
        "FiltersConfig": [
            *(
                {"Type": name, "InputStrength": "MEDIUM", "OutputStrength": "MEDIUM"}
                for name in ("SEXUAL", "VIOLENCE", "HATE", "INSULTS", "MISCONDUCT")
            ),
            {"Type": "PROMPT_ATTACK", "InputStrength": "HIGH", "OutputStrength": "NONE"},
        ]
    }
}
"""What is asked of a guardrail without a declaration."""
UNDER_WAY = ("CREATING", "UPDATING", "VERSIONING")


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge the pinned guardrail; without a declaration, whether any guardrail meets the baseline."""
    reason = context.unread(TYPE)
    if context.perimeter is None:
        yield _baseline(context, reason)
        return
    declared = context.perimeter.guardrail
    guardrail = context.actual(f"guardrail/{declared.name}")
    if guardrail is None:
        name = f"guardrail/{declared.name}"
        if reason is not None:
            yield unknown(context, CONTROL, None, f"guardrails could not be read: {reason}", name=name)
        else:
            summary = f"there is no guardrail {declared.name}"
            yield fail(context, CONTROL, None, summary, "apply the declaration: ringwall apply", name=name)
        return
    yield judge(context, CONTROL, guardrail, content(declared), f"guardrail {declared.name}")


def judge(
    context: CheckContext, control: Control, guardrail: Resource, wanted: Mapping[str, Any], what: str
) -> Finding:
    """Compare a guardrail, or a version of one, with the content that it should have."""
    for name in CONTENT:
        reason = guardrail.unknown_reason(name)
        if reason is not None:
            return unknown(context, control, guardrail, f"{name} of {what} could not be read: {reason}")
    state = str(guardrail.get("Status", "READY"))
    if state in UNDER_WAY:
        return unknown(context, control, guardrail, f"{what} is {state}: what it will be is not known yet")
    found = (
        *(() if state == "READY" else (f"it is {state}, not READY",)),
        *weaknesses(wanted, guardrail.properties),
    )
    if found:
        return fail(
            context,
            control,
            guardrail,
            f"{what} is weaker than declared: " + "; ".join(found),
            "apply the declaration: ringwall apply",
            details={"weaker": list(found)},
        )
    idle = passing(guardrail.properties)
    if not acts(guardrail.properties):
        return fail(
            context,
            control,
            guardrail,
            f"{what} stops nothing; it lets pass: {listed(idle)}",
            "declare an action that blocks or anonymizes: detect and ignore let everything pass",
            details={"passing": list(idle)},
        )
    summary = f"{what} filters at least what it should"
    if idle:
        summary += f"; it lets pass: {listed(idle)}"
    return ok(context, control, guardrail, summary)


def listed(names: tuple[str, ...]) -> str:
    """A list of names that does not fill the screen."""
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")


def _baseline(context: CheckContext, reason: str | None) -> Finding:
    there = [item for item in context.observed.of_type(TYPE, account=context.account) if item.id != "?"]
    if not there:
        if reason is not None:
            return unknown(context, CONTROL, None, f"guardrails could not be read: {reason}")
        if all(context.unused(region) for region in context.regions):
            return not_applicable(context, CONTROL, "nothing uses Bedrock, and there is no guardrail")
        return fail(context, CONTROL, None, "there is no guardrail", "declare one and apply: ringwall init")
    judged = [
        judge(context, CONTROL, item, BASELINE, f"guardrail {item.get('Name', item.id)}") for item in there
    ]
    return min(judged, key=lambda finding: ("PASS", "UNKNOWN", "FAIL").index(str(finding.status)))


CONTROL = Control(
    slug=SLUG,
    title="The guardrail filters what was declared",
    category="Guardrails",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=guardrails,
    types=(TYPE,),
)
