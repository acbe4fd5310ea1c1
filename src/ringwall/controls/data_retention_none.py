"""Bedrock retains no prompts and answers.

## What it does

Sets the account's data retention to `none` in the source Region and in every declared destination, and attaches a service control policy by which it, and
that of any `bedrock-mantle` project, cannot be set to anything else. A declaration that says `data_retention: default`
leaves the setting to the model's default and attaches no policy.

## Why

"Prompts and answers are not stored" depends on a setting for each Region and on the model: some keep flagged traffic,
some keep all of it for up to 30 days for review. With `none`, a model that needs to keep something is refused instead.

## How it fails

- A profile's destination was forgotten: what a model retains, it retains where it ran, not where the call entered.
- The Region was never set: its mode is `inherit`, and each model's own default counts.
- The policy stops changes only; it does not set anything.
- `aws_review` or `provider_data_share` was set for one model and holds for all.
- What you store yourself (invocation logs, sessions, stored responses, batch output) is not covered.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/data-retention.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/abuse-detection.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls import retention
from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.control import Control
from ringwall.controls.proved import judge_claims
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter

SLUG = "data-retention-none"
TYPE = "Ringwall::Bedrock::DataRetention"


def compile_(perimeter: Perimeter) -> Iterator[Resource]:
    """The settings and ``scp/retention``."""
    yield from retention.settings(perimeter)
    yield from retention.policy(perimeter)


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """Nobody turns retention on."""
    if perimeter.data_retention == "none":
        for kept in retention.KEPT:
            said = {name: value for name, value in kept.statement.items() if name not in ("Sid", "Effect")}
            yield never(kept.claim, SLUG, kept.title, **said)


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge the mode of each Region in scope, and whether it can be changed."""
    if context.perimeter is not None and context.perimeter.data_retention != "none":
        yield not_applicable(context, CONTROL, "the declaration leaves retention to the models' defaults")
        return
    regions = context.perimeter.regions.processing if context.perimeter is not None else context.regions
    for region in regions:
        yield from _mode(context, region)
    yield from judge_claims(
        context,
        CONTROL,
        tuple(kept.claim for kept in retention.KEPT),
        "apply the declaration: ringwall apply (service control policy scp/retention)",
    )


def _mode(context: CheckContext, region: str) -> Iterator[Finding]:
    found = context.observed.of_type(TYPE, account=context.account, region=region)
    setting = next((item for item in found if item.id != "?"), None)
    if setting is None or setting.unknown_reason("Mode") is not None:
        reason = context.unread(TYPE) or (setting.unknown_reason("Mode") if setting else None)
        if reason is not None:
            yield unknown(context, CONTROL, setting, f"retention of {region} could not be read: {reason}")
        elif context.perimeter is not None or context.uses_bedrock(region):
            yield _never_set(context, region)
        return
    mode = str(setting.get("Mode", "inherit")).lower()
    if mode == "none":
        yield ok(context, CONTROL, setting, f"nothing is retained in {region}")
    elif mode == "inherit":
        yield _never_set(context, region)
    else:
        yield fail(
            context,
            CONTROL,
            setting,
            f"retention in {region} is {mode}",
            "apply the declaration: ringwall apply",
        )


def _never_set(context: CheckContext, region: str) -> Finding:
    return fail(
        context,
        CONTROL,
        None,
        f"retention in {region} was never set: each model's default holds",
        "apply the declaration: ringwall apply",
        name=f"{TYPE} {region}",
    )


CONTROL = Control(
    slug=SLUG,
    title="Bedrock retains no prompts and answers",
    category="Encryption",
    severity="medium",
    page=__doc__ or "",
    check=check,
    compile=compile_,
    claims=claims,
    types=(TYPE, "AWS::Organizations::Policy"),
)
