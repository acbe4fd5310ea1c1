"""What was called stayed inside: the Regions, models and callers that were declared.

## What it does

Adds nothing of its own. Where the other controls ask what could be done, this one asks what was: CloudTrail's event history
tells for each answered inference call of ninety days who made it, of which model, and which Region processed it. Without a
declaration the Regions are those of the called Region's own geography.

## Why

A proof speaks of policies as they are now. Whether prompts left before they were so, or by a way that the proof's axioms do
not know, is told by the record.

## How it fails

- A global profile, or one of another geography, was called before it was denied.
- A role that nobody declared called a model, in the hours in which a policy was detached.
- `additionalEventData` was not looked at: the Region of the event is where the call entered, not where it was processed.

What is not in the history: bidirectional streams, agents, flows and `bedrock-mantle` (data events). Of busy accounts the
newest hundred calls of each operation are looked at, and the finding says so.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.catalog.models import tables
from ringwall.catalog.profiles import foundation_model, is_profile
from ringwall.controls.control import Control
from ringwall.controls.findings import Status
from ringwall.controls.principals import declared
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter

SLUG = "calls-stayed-inside"
TYPE = "Ringwall::Bedrock::Activity"
REMEDY = "find out who called and why; the event's id is in the details. What may still be called is for the proofs to say"


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge what was called in each Region that is in scope."""
    silent: list[Resource] = []
    there = [
        activity
        for region in context.regions
        for activity in context.observed.of_type(TYPE, account=context.account, region=region)
    ]
    for activity in there:
        reason = activity.unknown_reason("Calls") or activity.unknown_reason("*")
        name = f"{TYPE} {activity.region}"
        if reason is not None:
            words = f"the calls of {activity.region} could not be looked up: {reason}"
            yield unknown(context, CONTROL, activity, words, name=name)
        elif activity.get("Calls"):
            yield _judged(context, activity, name)
        else:
            silent.append(activity)
    if silent:
        where = ", ".join(item.region for item in silent)
        words = f"CloudTrail tells of no answered inference call of ninety days in {where}"
        yield verdict(context, CONTROL, Status.NOT_APPLICABLE, words, evidence=tuple(silent))
    elif not there:
        yield not_applicable(context, CONTROL, "no record of calls was read")


def _judged(context: CheckContext, activity: Resource, name: str) -> Finding:
    places: list[Mapping[str, Any]] = list(activity.get("Places", ()))
    outside = [*_abroad(context, activity.region, places), *_strange(context, places)]
    if outside:
        events = {place["InferenceRegion"]: place["LastEvent"] for place in places}
        return fail(
            context,
            CONTROL,
            activity,
            f"calls of {activity.region}: " + "; ".join(outside),
            REMEDY,
            name=name,
            details={"problems": outside, "events": events},
        )
    silent = sum(place["Calls"] for place in places if not place["InferenceRegion"])
    if silent:
        words = f"of {silent} calls through profiles CloudTrail does not tell where they were processed"
        return unknown(context, CONTROL, activity, words, name=name)
    count = activity.get("Calls")
    counted = (
        f"all {count} recorded calls" if activity.get("Complete") else f"the newest {count} recorded calls"
    )
    regions = ", ".join(place["InferenceRegion"] for place in places)
    return ok(
        context, CONTROL, activity, f"{counted} of {activity.region} were processed in {regions}", name=name
    )


def _abroad(context: CheckContext, region: str, places: list[Mapping[str, Any]]) -> Iterator[str]:
    perimeter = context.perimeter
    if perimeter is not None and perimeter.regions.residency == "global":
        return
    allowed = set(perimeter.regions.processing) if perimeter is not None else _geography(region)
    for place in places:
        processed = place["InferenceRegion"]
        if processed and processed not in allowed:
            yield (
                f"{place['Calls']} were processed in {processed}, the last at {place['LastCall']} "
                f"({', '.join(place['Models'])})"
            )


def _geography(region: str) -> set[str]:
    """Regions that any geographic profile may process calls of a Region in, and the Region itself."""
    found = {region}
    for place in tables().geographies.values():
        if region in place.sources:
            found.update(place.destinations(region))
    return found


def _strange(context: CheckContext, places: list[Mapping[str, Any]]) -> Iterator[str]:
    """Models and callers that nobody declared."""
    perimeter = context.perimeter
    if perimeter is None:
        return
    known, callers = _models(perimeter), set(declared(perimeter))
    models = {model for place in places for model in place["Models"] if model.rsplit("/", 1)[-1] not in known}
    principals = {caller for place in places for caller in place["Principals"] if caller not in callers}
    if models:
        yield f"models that nobody declared were called: {', '.join(sorted(models))}"
    if principals:
        yield f"callers that nobody declared: {', '.join(sorted(principals))}"


def _models(perimeter: Perimeter) -> set[str]:
    ids = set(perimeter.models.values())
    ids |= {base.embedding_model for base in perimeter.knowledge_bases.values()}
    return ids | {foundation_model(item) for item in ids if is_profile(item)}


CONTROL = Control(
    slug=SLUG,
    title="What was called stayed in the declared Regions, models and callers",
    category="Monitoring",
    severity="high",
    page=__doc__ or "",
    check=check,
    types=(TYPE,),
)
