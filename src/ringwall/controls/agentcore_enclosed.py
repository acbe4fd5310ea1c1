"""What runs on AgentCore lets nobody in unasked, and reaches nothing unmeant.

## What it does

Adds nothing of its own. The check judges every AgentCore runtime (with each version that an endpoint leads to), gateway,
browser, code interpreter, memory and token vault: who gets in, where it may go, what its role reaches, whether its policy
engine and firewall really refuse, and what it keeps secrets in.

## Why

AgentCore runs customers' code with a role, next to models. Its defaults favour getting started: a public network, an inbound
token that any client of an issuer holds, a policy engine that only writes down what it would have refused.

## How it fails

- The token's audience and clients are both left open: whoever has any token of that issuer is let in.
- The issuer is shared by everybody (`/common/`, `/organizations/`): any customer of it is let in.
- A gateway's policy engine is in `LOG_ONLY`, or its firewall fails open.
- A runtime in a VPC has a security group that lets it reach everything.
- The first version of the metadata service is on: a request forged inside the runtime gets the role's credentials.
- The newest version is enclosed, and the endpoint that applications call leads to an older one that is not.
- Other services' credentials are in the token vault under a key of AWS's own: nothing of the account's can take them back.
- A memory is delivered to a stream of another account.
- An environment variable is called `API_KEY`: it is readable by whoever may read the runtime.

## AWS sources

- https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-oauth.html
- https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html
- https://docs.aws.amazon.com/securityhub/latest/userguide/bedrockagentcore-controls.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ringwall.controls.authority import Trust, deputy, reach
from ringwall.controls.authority import unread as unread_role
from ringwall.controls.control import Control
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown

if TYPE_CHECKING:
    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource

SLUG = "agentcore-enclosed"
AGENTCORE = "bedrock-agentcore.amazonaws.com"
SECRETS = re.compile(r"secret|token|passw|api_?key|private_?key|credential|access_?key", re.IGNORECASE)
SHARED_ISSUERS = (
    "login.microsoftonline.com/common",
    "login.microsoftonline.com/organizations",
    "login.microsoftonline.com/consumers",
)
ANYWHERE = ("0.0.0.0/0", "::/0")


def _inbound(token: Mapping[str, Any] | None) -> Iterator[str]:
    """What is wrong with a JWT authorizer."""
    if token is None:
        return
    issuer = str(token.get("DiscoveryUrl", ""))
    narrowing = ("AllowedAudience", "AllowedClients", "AllowedScopes", "CustomClaims")
    if not any(token.get(name) for name in narrowing):
        yield f"any token of {issuer} lets in: neither audience, client, scope nor claim is asked for"
    if any(shared in issuer for shared in SHARED_ISSUERS) and not token.get("CustomClaims"):
        yield f"its issuer {issuer} signs for every tenant"
    if not issuer.startswith("https://"):
        yield f"its issuer {issuer or '(none)'} is not reached over TLS"


def _network(context: CheckContext, resource: Resource, closed: tuple[str, ...]) -> Iterator[str]:
    mode = resource.get("NetworkConfiguration.NetworkMode")
    if mode not in closed:
        yield f"its network is {mode or 'not told'}, not {' or '.join(closed)}"
    for name in ("NetworkModeConfig", "VpcConfig"):
        for group in resource.get(f"NetworkConfiguration.{name}.SecurityGroups", ()):
            if _reaches_anywhere(context, str(group)):
                yield f"security group {group} lets it reach everything"


def _reaches_anywhere(context: CheckContext, group: str) -> bool:
    found = context.observed.find(group)
    rules = found.get("SecurityGroupEgress", ()) if found is not None else ()
    return any(rule.get("CidrIp") in ANYWHERE or rule.get("CidrIpv6") in ANYWHERE for rule in rules)


def _runtime(context: CheckContext, resource: Resource) -> Iterator[str]:
    yield from _network(context, resource, ("VPC",))
    yield from _inbound(resource.get("AuthorizerConfiguration.CustomJWTAuthorizer"))
    if resource.get("MetadataConfiguration.RequireMMDSV2") is not True:
        yield "the first version of its metadata service is on"
    named = [name for name in resource.get("EnvironmentVariableNames", ()) if SECRETS.search(name)]
    if named:
        yield f"environment variables that look like secrets: {', '.join(named)}"


def _gateway(context: CheckContext, resource: Resource) -> Iterator[str]:
    del context
    inbound = resource.get("AuthorizerType")
    if inbound in ("NONE", "AUTHENTICATE_ONLY", None):
        yield f"its inbound authorization is {inbound or 'not told'}"
    yield from _inbound(resource.get("AuthorizerConfiguration.CustomJWTAuthorizer"))
    mode = resource.get("PolicyEngineConfiguration.Mode")
    if mode is not None and mode != "ENFORCE":
        yield f"its policy engine is in {mode}: it refuses nothing"
    if resource.get("ExceptionLevel") == "DEBUG":
        yield "its errors tell callers the details"
    if resource.get("WebAclArn") and resource.get("WafConfiguration.FailureMode") == "FAIL_OPEN":
        yield "its firewall fails open"


def _browser(context: CheckContext, resource: Resource) -> Iterator[str]:
    yield from _network(context, resource, ("VPC",))
    if resource.get("RecordingConfig.Enabled") is not True:
        yield "its sessions are not recorded"


def _interpreter(context: CheckContext, resource: Resource) -> Iterator[str]:
    """``SANDBOX`` still reaches S3 and resolves names: both carry data out."""
    yield from _network(context, resource, ("VPC",))


def _memory(context: CheckContext, resource: Resource) -> Iterator[str]:
    inside = {account.id for account in context.observed.accounts}
    for item in resource.get("StreamDeliveryResources.Resources", ()):
        stream = str((item.get("Kinesis") or {}).get("DataStreamArn") or "")
        if stream and stream.split(":")[4] not in inside:
            yield f"it is delivered to {stream}, of account {stream.split(':')[4]}"
    yield from _key(context, resource.get("EncryptionKeyArn"))


def _vault(context: CheckContext, resource: Resource) -> Iterator[str]:
    """A vault that holds nothing has nothing to lose."""
    if resource.get("CredentialProviders"):
        yield from _key(context, resource.get("KmsKeyArn"))


def _key(context: CheckContext, key: str | None) -> Iterator[str]:
    if not key:
        yield "it is encrypted with a key of AWS's own"
        return
    found = context.key(str(key))
    if found is not None and (found.get("Enabled") is False or found.get("KeyState", "Enabled") != "Enabled"):
        yield f"its key is {found.get('KeyState', 'Disabled')}"


RULES: Mapping[str, tuple[str, str, Callable[[CheckContext, Resource], Iterator[str]]]] = {
    # type: what it is called, property that names its role, what is asked of it
    "AWS::BedrockAgentCore::Runtime": ("runtime", "RoleArn", _runtime),
    "AWS::BedrockAgentCore::Gateway": ("gateway", "RoleArn", _gateway),
    "AWS::BedrockAgentCore::BrowserCustom": ("browser", "ExecutionRoleArn", _browser),
    "AWS::BedrockAgentCore::CodeInterpreterCustom": ("code interpreter", "ExecutionRoleArn", _interpreter),
    "AWS::BedrockAgentCore::Memory": ("memory", "MemoryExecutionRoleArn", _memory),
    "Ringwall::BedrockAgentCore::TokenVault": ("token vault", "", _vault),
}
REMEDY = "run it in the VPC, ask for audience and clients, enforce its policies, and narrow its role"


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge everything of AgentCore that is there."""
    there = False
    for resource_type in RULES:
        reason = context.unread(resource_type)
        if reason is not None:
            there = True
            words = f"{resource_type} could not be listed: {reason}"
            yield unknown(context, CONTROL, None, words, name=resource_type)
        for resource in context.observed.of_type(resource_type, account=context.account):
            if resource.id != "?":
                there = True
                yield _judged(context, resource)
    if not there:
        yield not_applicable(context, CONTROL, "nothing runs on AgentCore")


def _judged(context: CheckContext, resource: Resource) -> Finding:
    what, role_name, rules = RULES[resource.type]
    name = f"{what} {resource.get('Name') or resource.get('AgentRuntimeName') or resource.id}"
    ignored = ("ResourcePolicy",)  # for ``nothing-shared-outside`` to judge
    unread = [
        f"{item.property} could not be read: {item.reason}"
        for item in resource.unknown
        if item.property not in ignored
    ]
    problems: list[str] = []
    evidence: list[Resource] = []
    whole = not unread
    for words, version in _versions(resource):
        found = list(rules(context, version)) if whole else []
        role = str(version.get(role_name) or "") if role_name else ""
        entry = context.access.principal(role) if role else None
        if entry is not None:
            gap = unread_role(context, entry)
            unread += [f"its role: {gap}"] if gap is not None else []
            found += deputy(context, entry, Trust(AGENTCORE, context.identity(resource, "Arn")))
            far = list(reach(context, role, resource.region))
            found += [f"its role can {', '.join(far)}"] if far else []
            evidence += [entry.resource] if entry.resource is not None else []
        elif role and context.unread("AWS::IAM::Role") is not None:
            unread.append(f"its role could not be read: {context.unread('AWS::IAM::Role')}")
        problems += [words + problem for problem in found]
    if problems:
        summary = f"{name}: " + "; ".join(problems)
        return fail(context, CONTROL, resource, summary, REMEDY, details={"problems": problems})
    if unread:
        return unknown(context, CONTROL, resource, f"{name}: " + "; ".join(unread))
    return ok(context, CONTROL, resource, f"{name} lets nobody in unasked and stays where it is", *evidence)


def _versions(resource: Resource) -> Iterator[tuple[str, Resource]]:
    """The newest, and those that endpoints lead to, each with the words for it."""
    yield "", resource
    for version in resource.get("Versions", ()):
        yield f"version {version['Version']}: ", replace(resource, properties=version)


CONTROL = Control(
    slug=SLUG,
    title="What runs on AgentCore is enclosed",
    category="Network",
    severity="high",
    page=__doc__ or "",
    check=check,
    types=(*RULES, "AWS::IAM::Role", "AWS::EC2::SecurityGroup"),
)
