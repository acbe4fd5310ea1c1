"""Bedrock applies the guardrail itself, whether a call names it or not.

## What it does

Where the declaration says `enforcement.account: true`, sets the pinned guardrail's numbered version as the account's
enforced guardrail in the source Region, evaluating whole prompts and system prompts (`comprehensive`), and lets the
account apply it by a policy of the guardrail's own. Where it names `enforcement.organization`, attaches a Bedrock
policy that holds every account under the target to a guardrail of the management account. Nothing is enforced unless
it is declared: each enforced guardrail is billed for every call, and a caller that may not apply it is refused.

## Why

`scp/guardrail` refuses a call without the guardrail; enforcement adds it. The two differ in what a caller can still do:
by `guardContent` and input tags a caller chooses which part of a prompt the guardrail that it *sends* evaluates, and
prompt attacks on `InvokeModel` are looked for in tagged input alone. An enforced guardrail reads everything.

## How it fails

- A role without `bedrock:ApplyGuardrail` on the enforced guardrail: each of its calls is denied. So enforcement comes
  after the roles, the check asks for every role that makes calls, and each use claims that it can apply it.
- The guardrail has automated reasoning policies: enforced, every call fails. The declaration is refused.
- The version is `DRAFT`: not accepted. The version that is enforced is an older one: the check compares.
- The guardrail's policy is missing, or, for a guardrail with a profile, the profile's policy in a destination Region.
- `selective` guarding honours the caller's own tags.
- Batch jobs, bidirectional streams and `bedrock-mantle` are not enforced on; `scp/guardrail` closes them.
- Two organization policies name different guardrails: they merge into one effective policy, they do not add up.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-enforcements.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-resource-based-policies.html
- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_bedrock.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import names
from ringwall.controls.ask import ask, words
from ringwall.controls.claims import DeclaredClaim, can
from ringwall.controls.control import Control
from ringwall.controls.enforcement import (
    CONFIGURATION,
    ENFORCED,
    ORGANIZATION_POLICY,
    resources,
)
from ringwall.controls.proved import judge_claims
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown
from ringwall.estate.kinds import registry
from ringwall.estate.model import Ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter

SLUG = "guardrail-enforced"
APPLY = "bedrock:ApplyGuardrail"
REMEDY = "apply the declaration: ringwall apply"


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """Every use that invokes models can apply what is enforced; otherwise none of its calls would succeed."""
    if not perimeter.enforcement.account:
        return
    for name in callers(perimeter):
        yield can(
            f"{name}-can-apply-enforced-guardrail",
            SLUG,
            f"{name} can apply the enforced guardrail",
            principal=perimeter.role_arn(name),
            service="bedrock-runtime",
            operation="ApplyGuardrail",
            parameters={
                "guardrailIdentifier": Ref(f"guardrail/{perimeter.guardrail.name}", "Id"),
                "guardrailVersion": names.pinned_version(perimeter),
                "source": "INPUT",
                "content": [{"text": {"text": "hello"}}],
            },
            context=_through(perimeter),
        )


def callers(perimeter: Perimeter) -> list[str]:
    """Uses that invoke models themselves."""
    return [name for name, use in perimeter.uses.items() if use.models or use.kind == "operator"]


def _through(perimeter: Perimeter) -> dict[str, Any]:
    service = "bedrock-runtime"
    if service not in perimeter.network.endpoints:
        return {}
    return {"aws:SourceVpce": names.endpoint_id(service)}


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge what is enforced against what is declared, and whether everybody who calls may apply it."""
    perimeter = context.perimeter
    declared = perimeter.enforcement if perimeter is not None else None
    if perimeter is None or declared is None or not (declared.account or declared.organization):
        yield from _undeclared(context)
        return
    if declared.account:
        yield _account(context, perimeter)
        yield from judge_claims(context, CONTROL, tuple(claim.name for claim in claims(perimeter)), REMEDY)
    if declared.organization is not None:
        yield _organization(context)


def _undeclared(context: CheckContext) -> Iterator[Finding]:
    """One that is there although nothing is declared still stops calls if it is broken."""
    there = _observed(context)
    if not there:
        yield not_applicable(
            context, CONTROL, "the declaration enforces no guardrail, and the account has none"
        )
    for item in there:
        yield _usable(context, item)


def _observed(context: CheckContext) -> list[Resource]:
    found = context.observed.of_type(CONFIGURATION, account=context.account)
    return [item for item in found if item.id != "?"]


def _usable(context: CheckContext, enforced: Resource) -> Finding:
    version = str(enforced.get("GuardrailInferenceConfig.GuardrailVersion", ""))
    if not version.isdigit():
        return fail(
            context,
            CONTROL,
            enforced,
            f"the enforced guardrail's version is {version}",
            "enforce a numbered one",
        )
    return ok(context, CONTROL, enforced, f"version {version} of a guardrail is enforced")


def _account(context: CheckContext, perimeter: Perimeter) -> Finding:
    enforced = context.actual(ENFORCED)
    if enforced is None:
        reason = context.unread(CONFIGURATION)
        if reason is not None:
            return unknown(
                context, CONTROL, None, f"enforced guardrails could not be read: {reason}", name=ENFORCED
            )
        return fail(context, CONTROL, None, "no guardrail is enforced in the account", REMEDY, name=ENFORCED)
    problems = [*_differences(context, enforced), *_guardrail_problems(context, perimeter)]
    problems += _refused(context, perimeter)
    if problems:
        return fail(
            context,
            CONTROL,
            enforced,
            "the enforced guardrail does not do what is declared: " + "; ".join(problems),
            REMEDY,
            details={"problems": problems},
        )
    return ok(
        context, CONTROL, enforced, "the pinned guardrail is enforced, and everybody who calls may apply it"
    )


def _differences(context: CheckContext, enforced: Resource) -> Iterator[str]:
    """Member by member, so that the summary says which."""
    wanted = context.wanted(ENFORCED)
    kind = registry()[CONFIGURATION]
    needed = kind.normalise(wanted.properties if wanted is not None else {}).get(
        "GuardrailInferenceConfig", {}
    )
    there = kind.normalise(enforced.properties).get("GuardrailInferenceConfig", {})
    for name, value in needed.items():
        if there.get(name) != value:
            yield f"{name} is {there.get(name)}, not {value}"


def _guardrail_problems(context: CheckContext, perimeter: Perimeter) -> Iterator[str]:
    guardrail = context.actual(f"guardrail/{perimeter.guardrail.name}")
    if guardrail is not None and guardrail.get("AutomatedReasoningPolicyConfig.Policies"):
        yield "the guardrail has automated reasoning policies, with which every call fails"
    if context.actual(f"resource-policy/{perimeter.guardrail.name}") is None:
        yield "the guardrail has no policy that lets the account apply it"


def _refused(context: CheckContext, perimeter: Perimeter) -> Iterator[str]:
    """Service roles that call models and may not apply what is enforced. Uses are judged by their claims."""
    guardrail = context.actual(f"guardrail/{perimeter.guardrail.name}")
    if guardrail is None:
        return
    arn = context.identity(guardrail, "Arn")
    for role in perimeter.exempt_roles:
        if context.access.principal(role) is None:
            continue
        decision = ask(context, role, APPLY, arn, {"aws:RequestedRegion": perimeter.regions.source})
        if not decision.allowed:
            yield f"{role.rsplit('/', 1)[-1]} may not apply it: {words(decision)}"


def _organization(context: CheckContext) -> Finding:
    wanted, there = context.wanted(ORGANIZATION_POLICY), context.actual(ORGANIZATION_POLICY)
    if there is None or wanted is None:
        reason = context.unread("AWS::Organizations::Policy")
        if reason is not None:
            return unknown(
                context, CONTROL, None, f"policies could not be read: {reason}", name=ORGANIZATION_POLICY
            )
        summary = "the organization has no policy that enforces the guardrail"
        return fail(context, CONTROL, None, summary, REMEDY, name=ORGANIZATION_POLICY)
    if there.get("Content") != wanted.get("Content"):
        return fail(context, CONTROL, there, "the organization's Bedrock policy says something else", REMEDY)
    missing = set(wanted.get("TargetIds", ())) - set(there.get("TargetIds", ()))
    if missing:
        summary = f"the organization's Bedrock policy is not attached to {', '.join(sorted(missing))}"
        return fail(context, CONTROL, there, summary, REMEDY)
    return ok(context, CONTROL, there, "the organization's guardrail is enforced on the target")


CONTROL = Control(
    slug=SLUG,
    title="Bedrock applies the guardrail itself, whether a call names it or not",
    category="Guardrails",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=resources,
    claims=claims,
    types=(
        CONFIGURATION,
        "AWS::Bedrock::Guardrail",
        "AWS::Bedrock::ResourcePolicy",
        "AWS::Organizations::Policy",
        "AWS::IAM::Role",
    ),
)
