"""What the perimeter keeps is for its organization, whoever's policy says otherwise.

## What it does

Where the declaration says `organization.resource_control: true`, attaches a resource control policy by which the
perimeter's buckets and keys refuse principals of other organizations, and services that come on behalf of one, and by
which nobody from outside assumes its roles. It is not attached by default: it turns a policy type on for the whole
organization, which is the organization's own decision. Bedrock itself is not among the services that resource control
policies hold; what its data rests in is.

## Why

A service control policy holds the principals of the account, and nobody else's. A bucket policy, a key policy or a
trust policy that lets an outsider in is held by nothing but itself; a resource control policy holds it.

## How it fails

- It names `bedrock:*`: accepted, and without effect.
- It denies AWS services that act by themselves, and log delivery stops: those are left to the resources' policies.
- It is attached to another target than the account.
- Resource control policies do not bind the management account's resources.

## AWS sources

- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls.control import Control
from ringwall.controls.resource_control import POLICY, policy
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown
from ringwall.estate.kinds import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding

SLUG = "resources-stay-in-organization"
TYPE = "AWS::Organizations::Policy"
REMEDY = "apply the declaration: ringwall apply (resource control policy rcp/perimeter)"


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge the policy by its statements and by what it is attached to."""
    if context.perimeter is None or not context.perimeter.organization.resource_control:
        yield not_applicable(context, CONTROL, "the declaration asks for no resource control policy")
        return
    wanted, there = context.wanted(POLICY), context.actual(POLICY)
    if there is None or wanted is None:
        reason = context.unread(TYPE)
        if reason is not None:
            yield unknown(context, CONTROL, None, f"policies could not be read: {reason}", name=POLICY)
        else:
            yield fail(context, CONTROL, None, "there is no resource control policy", REMEDY, name=POLICY)
        return
    kind = registry()[TYPE]
    needed, found = (kind.normalise(item.properties) for item in (wanted, there))
    missing = set(needed["TargetIds"]) - set(found["TargetIds"])
    if needed["Content"] != found.get("Content"):
        yield fail(context, CONTROL, there, "the resource control policy says something else", REMEDY)
    elif missing:
        summary = f"the resource control policy is not attached to {', '.join(sorted(missing))}"
        yield fail(context, CONTROL, there, summary, REMEDY)
    else:
        yield ok(context, CONTROL, there, "buckets, keys and roles refuse other organizations")


CONTROL = Control(
    slug=SLUG,
    title="What the perimeter keeps is for its organization alone",
    category="IAM",
    severity="medium",
    page=__doc__ or "",
    check=check,
    compile=policy,
    types=(TYPE,),
)
