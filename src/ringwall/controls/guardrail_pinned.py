"""Numbered versions of the guardrail are in use, with the declared content.

## What it does

Publishes a numbered version of each declared guardrail, whose description is the digest of its content, so that a new
version appears when, and only when, the content changes. The check asks whether the version that may be used has the
declared content, and whether every policy and agent that names a guardrail names numbers, not the `DRAFT`.

## Why

The `DRAFT` is what somebody is editing. A number is a promise: what was reviewed is what runs, and a change is a new
number that somebody has to publish.

## How it fails

- A filter is changed and no version published: what runs is still the old one, or the `DRAFT` is in use after all.
- `guardrail/ID` in a policy means the `DRAFT` alone; `guardrail/ID*` means it too.
- An agent's guardrail configuration says `DRAFT`: its own draft's, or that of an older version which an alias leads to.
- A node of a flow names the `DRAFT`: its own draft's, or that of an older version which an alias leads to.
- A weaker version is published under a higher number: the pattern `ID:*` admits it.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-deploy.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls.control import Control
from ringwall.controls.findings import Finding, Status
from ringwall.controls.guardrail_filters_content import judge
from ringwall.controls.guardrails import content, versions
from ringwall.controls.strength import weaknesses
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown
from ringwall.estate.kinds.guardrail_fields import CONTENT
from ringwall.iam.patterns import glob_matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.estate.model import Resource
    from ringwall.iam.policy import Policy, Statement

SLUG = "guardrail-pinned"
TYPE = "AWS::Bedrock::GuardrailVersion"
AGENT, FLOW = "AWS::Bedrock::Agent", "AWS::Bedrock::Flow"
KEY = "bedrock:guardrailidentifier"
NEGATED = ("StringNotLike", "StringNotEquals", "ArnNotLike", "ArnNotEquals")


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge the versions, then whoever names a guardrail."""
    found = [*_versions(context), *_policies(context), *_agents(context)]
    if any(finding.status is Status.FAIL for finding in found):
        yield from (finding for finding in found if finding.status is Status.FAIL)
        return
    yield from found or (
        not_applicable(context, CONTROL, "no guardrail exists, and no policy or agent names one"),
    )


def _versions(context: CheckContext) -> Iterator[Finding]:
    if context.perimeter is None:
        yield from _baseline(context)
        return
    declared = context.perimeter.guardrail
    name = f"guardrail-version/{declared.name}"
    version = context.actual(name)
    if version is None:
        reason = context.unread(TYPE)
        if reason is not None:
            yield unknown(context, CONTROL, None, f"versions could not be read: {reason}", name=name)
        else:
            summary = f"guardrail {declared.name} has no published version with the declared content"
            yield fail(context, CONTROL, None, summary, "apply the declaration: ringwall apply", name=name)
        return
    for each in _siblings(context, version):
        yield _version(context, each, content(declared))


def _siblings(context: CheckContext, version: Resource) -> list[Resource]:
    """All numbered versions of the guardrail: the pattern of the policies admits each of them."""
    guardrail = version.get("GuardrailIdentifier")
    others = context.observed.of_type(TYPE, account=version.account, region=version.region)
    return [item for item in others if item.id != "?" and item.get("GuardrailIdentifier") == guardrail]


def _version(context: CheckContext, version: Resource, wanted: dict[str, Any]) -> Finding:
    number = str(version.get("Version", ""))
    what = f"version {number or version.id}"
    if number == "DRAFT":
        return fail(
            context, CONTROL, version, f"{what} is not a number", "apply the declaration: ringwall apply"
        )
    if not version.unknown and not any(name in version.properties for name in CONTENT):
        return unknown(
            context, CONTROL, version, f"what {what} holds was not read; a description proves nothing"
        )
    return judge(context, CONTROL, version, wanted, what)


def _baseline(context: CheckContext) -> Iterator[Finding]:
    published = {
        str(item.get("GuardrailIdentifier")).rsplit("/", 1)[-1] for item in context.observed.of_type(TYPE)
    }
    reason = context.unread(TYPE)
    for guardrail in context.observed.of_type("AWS::Bedrock::Guardrail", account=context.account):
        if guardrail.id == "?":
            continue
        name = guardrail.get("Name", guardrail.id)
        identifier = context.identity(guardrail).rsplit("/", 1)[-1]
        if identifier in published:
            yield from _weaker(context, guardrail, identifier)
        elif reason is not None:
            yield unknown(context, CONTROL, guardrail, f"versions could not be read: {reason}")
        else:
            yield fail(
                context,
                CONTROL,
                guardrail,
                f"guardrail {name} has no published version: whoever uses it uses the DRAFT",
                "publish a version and name it where the guardrail is used",
            )


def _weaker(context: CheckContext, guardrail: Resource, identifier: str) -> Iterator[Finding]:
    """Published versions that filter less than the draft does: whoever names one is guarded by less."""
    versions = [
        item
        for item in context.observed.of_type(TYPE, account=guardrail.account, region=guardrail.region)
        if item.id != "?" and str(item.get("GuardrailIdentifier")).rsplit("/", 1)[-1] == identifier
    ]
    unread = next((item.unknown[0].reason for item in (guardrail, *versions) if item.unknown), None)
    name = guardrail.get("Name", guardrail.id)
    if unread is not None:
        yield unknown(context, CONTROL, guardrail, f"what {name} holds could not be read: {unread}")
        return
    weak = {str(item.get("Version")): weaknesses(guardrail.properties, item.properties) for item in versions}
    for number, found in weak.items():
        if found:
            yield fail(
                context,
                CONTROL,
                guardrail,
                f"version {number} of guardrail {name} is weaker than its draft: " + "; ".join(found),
                "publish the draft, name the new version where the guardrail is used, and delete the weaker one",
                name=f"{context.identity(guardrail, 'Arn')}:{number}",
                details={"weaker": list(found)},
            )
    if not any(weak.values()):
        summary = f"guardrail {name} has a published version, and none that is weaker than its draft"
        yield ok(context, CONTROL, guardrail, summary, *versions)


def _policies(context: CheckContext) -> Iterator[Finding]:
    """Deny statements that are meant to pin a guardrail and let a DRAFT through."""
    for policy in _bearing(context):
        for statement in policy.statements:
            draft = _admits_draft(statement)
            if draft is not None:
                yield fail(
                    context,
                    CONTROL,
                    None,
                    f"statement {statement.label} of {policy.name} accepts the DRAFT: {draft}",
                    "name numbered versions: arn:...:guardrail/ID:*",
                    name=f"{policy.name} {statement.label}",
                )


def _bearing(context: CheckContext) -> Iterator[Policy]:
    access = context.access
    account = access.estate.account(context.account)
    for level in (access.levels(account) or ()) if account is not None else ():
        yield from level.policies
    for entry in access.principals(account=context.account):
        yield from entry.policies


def _admits_draft(statement: Statement) -> str | None:
    """The first value of a pinning Deny that a DRAFT's ARN matches, if any does."""
    if statement.effect != "Deny":
        return None
    for test in statement.conditions:
        if test.key.lower() == KEY and test.operator in NEGATED:
            for value in test.values:
                draft = value.split("guardrail/", 1)[-1].split(":", 1)[0].rstrip("*?") or "x"
                arn = value.split("guardrail/", 1)[0].replace("*", "x") + f"guardrail/{draft}"
                if glob_matches(value, arn):
                    return value
    return None


def _agents(context: CheckContext) -> Iterator[Finding]:
    """Agents and nodes of flows, and the versions of both that aliases lead to."""
    for agent in context.observed.of_type(AGENT, account=context.account):
        name = f"agent {agent.get('AgentName', agent.id)}"
        if agent.id == "?":
            continue
        users = [(name, agent.get("GuardrailConfiguration"))]
        users += [
            (f"version {version['Version']} of {name}", version.get("GuardrailConfiguration"))
            for version in agent.get("Versions", ())
        ]
        yield from _drafts(context, agent, users)
    for flow in context.observed.of_type(FLOW, account=context.account):
        name = f"flow {flow.get('Name', flow.id)}"
        parts = [(name, flow.get("Nodes", ()))]
        parts += [
            (f"version {version['Version']} of {name}", version["Nodes"])
            for version in flow.get("Versions", ())
        ]
        users = [
            (f"node {node['Name']} of {part}", node.get("GuardrailConfiguration"))
            for part, nodes in parts
            for node in nodes
        ]
        yield from _drafts(context, flow, users)


def _drafts(context: CheckContext, resource: Resource, users: list[tuple[str, Any]]) -> Iterator[Finding]:
    drafts = [words for words, guardrail in users if (guardrail or {}).get("GuardrailVersion") == "DRAFT"]
    if drafts:
        yield fail(
            context,
            CONTROL,
            resource,
            f"{', '.join(drafts)} uses the DRAFT of its guardrail",
            "name a numbered version in the guardrail configuration, and prepare it again",
        )


CONTROL = Control(
    slug=SLUG,
    title="Numbered versions of the guardrail are in use, with the declared content",
    category="Guardrails",
    severity="medium",
    page=__doc__ or "",
    check=check,
    compile=versions,
    types=(TYPE, "AWS::Bedrock::Guardrail", AGENT, FLOW, "AWS::Organizations::Policy", "AWS::IAM::Role"),
)
