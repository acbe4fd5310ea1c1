"""What a plan costs and which quotas it comes near. Notes, never a refusal (:mod:`ringwall.deploy.obstacles` has those).

Prices are approximate and dated (:mod:`ringwall.deploy.prices`), and what is charged by use (data events, guardrail text
units, log volume) is named without a sum. Quotas are the defaults of
https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html; an account may have had its own raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ringwall.deploy.changes import Plan
from ringwall.deploy.obstacles import ON_A_TARGET, POLICY, attached
from ringwall.deploy.ownership import owner
from ringwall.deploy.plan import attached_elsewhere, bound
from ringwall.deploy.prices import AS_OF, BY_USE, monthly
from ringwall.estate.model import Resource

NEAR = 0.8
"""Share of a quota from which on it is mentioned."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit on how many there may be of a type, for each value of a property (none = for the account and Region)."""

    type: str
    most: int
    words: str
    per: str | None = None


QUOTAS = (
    Quota("AWS::Bedrock::Guardrail", 100, "guardrails in an account and Region"),
    Quota("AWS::Bedrock::GuardrailVersion", 20, "versions of a guardrail", "GuardrailIdentifier"),
    Quota("AWS::EC2::VPCEndpoint", 50, "endpoints in a VPC", "VpcId"),
    Quota("AWS::CloudTrail::Trail", 5, "trails in a Region"),
    Quota("AWS::IAM::Role", 1_000, "roles in an account"),
    Quota("AWS::S3::Bucket", 10_000, "buckets in an account"),
    Quota("AWS::SNS::Topic", 100_000, "topics in an account"),
)


def notes(plan: Plan) -> tuple[str, ...]:
    """Cost and quotas; nothing for a plan that makes nothing."""
    return (*_cost(plan), *_quotas(plan), *_elsewhere(plan)) if plan.todo else ()


def _cost(plan: Plan) -> Iterator[str]:
    made = [change.resource for change in plan.todo if change.action == "create"]
    gone = [change.resource for change in plan.todo if change.action == "delete"]
    more = sum(map(monthly, made)) - sum(map(monthly, gone))
    parts = Counter(item.type.rsplit("::", 1)[-1] for item in made if monthly(item))
    if more:
        listed = ", ".join(f"{number} {name}" for name, number in sorted(parts.items()))
        about = f"cost: about {more:+.2f} USD a month by us-east-1 list prices of {AS_OF}"
        yield about + (f" ({listed})" if listed else "")
    used = [BY_USE[name] for name in dict.fromkeys(item.type for item in made) if name in BY_USE]
    if used:
        yield f"charged by use: {', '.join(used)}"


def _elsewhere(plan: Plan) -> Iterator[str]:
    """Policies of ours that are left alone because the declaration is not about what they are attached to."""
    for item in plan.observed.of_type(POLICY):
        if owner(item) == plan.perimeter and attached_elsewhere(item, plan.desired, plan.observed):
            yield (
                f"left alone: {item.get('Name')} is attached to {', '.join(item.get('TargetIds'))}, which the "
                "declaration is not about"
            )


def _quotas(plan: Plan) -> Iterator[str]:
    made = Counter(change.resource.type for change in plan.todo if change.action == "create")
    for quota in QUOTAS:
        if made[quota.type]:
            for what, number in sorted(_counts(plan, quota).items()):
                if number >= NEAR * quota.most:
                    where = f" {what}" if what else ""
                    yield f"quota: {number} of {quota.most} {quota.words}{where}"
    for kind, (most, words) in ON_A_TARGET.items():
        for target, number in sorted(attached(plan, kind).items()):
            if number >= NEAR * most:
                yield f"quota: {number} of {most} {words} on {target}"


def _counts(plan: Plan, quota: Quota) -> Counter[str]:
    """How many there will be, by account and Region where there are several, and the property's value."""
    found: Counter[tuple[str, ...]] = Counter()
    removed = {id(change.observed) for change in plan.todo if change.action in ("delete", "replace")}
    new = [change for change in plan.todo if change.action in ("create", "replace")]
    made = tuple(bound(item.resource, plan.attributes) for item in new if item.resource.type == quota.type)
    for item in (*plan.observed.of_type(quota.type), *made):
        if id(item) not in removed and item.id != "?":
            found[item.account, item.region, _value(item, quota.per)] += 1
    several = len({key[:2] for key in found}) > 1
    return Counter(
        {
            " ".join(filter(None, (*([account, region] if several else []), value))): number
            for (account, region, value), number in found.items()
        }
    )


def _value(item: Resource, per: str | None) -> str:
    value = item.get(per) if per else ""
    return value.rsplit("/", 1)[-1] if isinstance(value, str) else ""
