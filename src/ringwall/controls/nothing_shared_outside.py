"""What is Bedrock's is shared with nobody outside.

## What it does

Adds nothing of its own. The check walks every way by which a resource of Bedrock can be given away without an IAM policy of
the account: policies of guardrails, of AgentCore runtimes and gateways, and of the functions behind agents; shares of custom
models; grants of keys. Each policy is asked by the evaluator, for a stranger and for every account, principal and
organization that it names, with everything allowed at home.

## Why

A service control policy holds the principals of the account, and nobody else's. Whoever is let in by a resource's own policy
comes past it, and no list of roles shows them.

## How it fails

- `Principal: "*"` with a condition that is no boundary, such as `aws:SecureTransport`.
- `aws:PrincipalOrgID` under a negated operator, or in another statement than the one that allows.
- A custom model was shared by AWS RAM with an account that has left the organization: the share stays.
- A grant names a role of another account: `kms:CreateGrant` needs no change of the key's policy.
- A function's policy admits `bedrock.amazonaws.com` without `aws:SourceArn`: any account's agent invokes it.
- A function's policy admits its own agent alone to invoke it, and `lambda:*` by another account besides; or a URL that asks for
  no signature.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-resource-based-policies.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/share-model.html
- https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/agents-permissions.html
- https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ringwall.controls.control import Control
from ringwall.controls.outsiders import Outsider, deputies, let_in, outsiders
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown
from ringwall.iam.parser import PolicySyntaxError, parse_policy

if TYPE_CHECKING:
    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource

SLUG = "nothing-shared-outside"
GUARDRAIL_POLICY = "AWS::Bedrock::ResourcePolicy"
SHARE = "AWS::RAM::ResourceShare"
KEY = "AWS::KMS::Key"
AGENT = "AWS::Bedrock::Agent"
RUNTIME, GATEWAY = "AWS::BedrockAgentCore::Runtime", "AWS::BedrockAgentCore::Gateway"
POLICIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    # type, property that holds the policy, actions that are tried
    (GUARDRAIL_POLICY, "PolicyDocument", ("bedrock:ApplyGuardrail", "bedrock:GetGuardrail")),
    (
        RUNTIME,
        "ResourcePolicy",
        ("bedrock-agentcore:InvokeAgentRuntime", "bedrock-agentcore:InvokeAgentRuntimeForUser"),
    ),
    (GATEWAY, "ResourcePolicy", ("bedrock-agentcore:InvokeGateway",)),
)
Attempt = tuple[tuple[str, ...], Mapping[str, str]]
"""Actions that are tried together, and context keys that such requests carry besides."""
FUNCTION: tuple[Attempt, ...] = (
    # Invoking is half of what a function's policy can give away: whoever writes its code acts with its role.
    (("lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:AddPermission"), {}),
    (("lambda:InvokeFunctionUrl",), {"lambda:FunctionUrlAuthType": "NONE"}),
    (("lambda:InvokeFunctionUrl",), {"lambda:FunctionUrlAuthType": "AWS_IAM"}),
)  # fmt: skip
REMEDY = "name the organization by aws:PrincipalOrgID, or the account's own principals, in the statement that allows"


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge every policy, share and grant; one finding for each resource that has one."""
    found = [
        *_policies(context),
        *_functions(context),
        *_shares(context),
        *_grants(context),
        *_unlisted(context),
    ]
    yield from found or (
        not_applicable(
            context, CONTROL, "no resource of Bedrock's has a policy, a share or a grant of its own"
        ),
    )


def _policies(context: CheckContext) -> Iterator[Finding]:
    for resource_type, name, actions in POLICIES:
        for resource in context.observed.of_type(resource_type, account=context.account):
            reason = resource.unknown_reason(name) or resource.unknown_reason("*")
            arn = str(resource.get("ResourceArn") or context.identity(resource, "Arn"))
            if resource.id == "?":
                continue
            if reason is not None:
                yield unknown(context, CONTROL, resource, f"the policy of {arn} could not be read: {reason}")
            elif resource.get(name):
                yield _judged(context, resource, arn, resource.get(name), ((actions, {}),))


def _judged(
    context: CheckContext, resource: Resource, arn: str, document: Any, attempts: tuple[Attempt, ...]
) -> Finding:
    try:
        policy = parse_policy(document, name=arn)
    except PolicySyntaxError as error:
        return unknown(context, CONTROL, resource, f"the policy of {arn} cannot be read: {error}", name=arn)
    reached = [
        words
        for actions, keys in attempts
        for who in (outsiders(context, policy), deputies(policy))
        for words in let_in(context, policy, dict.fromkeys(actions, arn), _carrying(keys, who))
    ]
    reached = list(dict.fromkeys(reached))
    if reached:
        return fail(
            context,
            CONTROL,
            resource,
            f"the policy of {_short(arn)} lets others in: " + "; ".join(reached),
            REMEDY,
            name=arn,
            details={"problems": reached},
        )
    return ok(
        context,
        CONTROL,
        resource,
        f"the policy of {_short(arn)} lets nobody in from outside the organization",
    )


def _carrying(keys: Mapping[str, str], who: Iterator[Outsider]) -> Iterator[Outsider]:
    return (replace(outsider, keys={**outsider.keys, **keys}) for outsider in who)


def _functions(context: CheckContext) -> Iterator[Finding]:
    """Functions behind agents: whoever may invoke one acts without the agent, its guardrail and its questions.

    Whether a function has a URL is not read: a policy that opens one lets in as soon as somebody makes it.
    """
    for agent in context.observed.of_type(AGENT, account=context.account):
        reason = agent.unknown_reason("FunctionPolicies")
        if reason is not None:
            words = f"policies of the functions behind agent {agent.get('AgentName', agent.id)} could not be read: {reason}"
            yield unknown(context, CONTROL, agent, words)
        for arn, document in agent.get("FunctionPolicies", {}).items():
            if document is not None:
                yield _judged(context, agent, arn, document, FUNCTION)


def _shares(context: CheckContext) -> Iterator[Finding]:
    for share in context.observed.of_type(SHARE, account=context.account):
        if share.id == "?":
            continue
        what = ", ".join(map(_short, share.get("ResourceArns", ())))
        reason = share.unknown_reason("Principals")
        if reason is not None:
            yield unknown(context, CONTROL, share, f"with whom {what} is shared could not be read: {reason}")
            continue
        outside = [name for name in share.get("Principals", ()) if not _inside(context, name)]
        if outside:
            yield fail(
                context,
                CONTROL,
                share,
                f"{what} is shared with {', '.join(outside)}",
                "take them off the share, or share with the organization",
                commands=(
                    f"aws ram disassociate-resource-share --resource-share-arn {share.id} --principals {' '.join(outside)}",
                ),
                details={"principals": outside},
            )
        else:
            yield ok(context, CONTROL, share, f"{what} is shared within the organization alone")


def _inside(context: CheckContext, name: str) -> bool:
    """Whether a share's principal is the account's organization, a part of it, or an account that is known to be of it."""
    own = context.observed.account(context.account)
    if name.startswith("arn:") and ":organizations::" in name:
        return own is not None and own.organization is not None and own.organization in name
    account = name.split(":")[4] if name.startswith("arn:") else name
    return account in {item.id for item in context.observed.accounts}


def _grants(context: CheckContext) -> Iterator[Finding]:
    """Grants to principals of other accounts; those of this account are for ``keys-effective`` to tell."""
    for key in context.observed.of_type(KEY, account=context.account):
        outside = [
            grant
            for grant in key.get("Grants", ())
            if str(grant.get("GranteePrincipal", "")).startswith("arn:")
            and not _inside(context, str(grant["GranteePrincipal"]))
        ]
        for grant in outside:
            operations = ", ".join(grant.get("Operations", ()))
            yield fail(
                context,
                CONTROL,
                key,
                f"a grant of key {key.id} gives {grant['GranteePrincipal']} {operations}",
                "revoke the grant",
                commands=(
                    f"aws kms revoke-grant --key-id {key.id} --grant-id {grant.get('GrantId', 'GRANT_ID')}",
                ),
                details={"grant": dict(grant)},
            )
        reason = key.unknown_reason("Grants")
        if reason is not None:
            yield unknown(context, CONTROL, key, f"grants of key {key.id} could not be read: {reason}")


def _unlisted(context: CheckContext) -> Iterator[Finding]:
    for resource_type in (GUARDRAIL_POLICY, RUNTIME, GATEWAY, AGENT, SHARE):
        reason = context.unread(resource_type)
        if reason is not None:
            yield unknown(
                context,
                CONTROL,
                None,
                f"{resource_type} could not be listed: {reason}",
                name=resource_type,
            )


def _short(arn: str) -> str:
    return arn.split(":", 5)[-1]


CONTROL = Control(
    slug=SLUG,
    title="What is Bedrock's is shared with nobody outside",
    category="IAM",
    severity="high",
    page=__doc__ or "",
    check=check,
    types=(GUARDRAIL_POLICY, KEY, SHARE, AGENT, RUNTIME, GATEWAY),
)
