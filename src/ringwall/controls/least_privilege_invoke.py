"""Each role can do its work and no more.

## What it does

Makes one role for each declared use, that can do what the use needs and nothing else: an application invokes its models
through their inference profiles with the pinned guardrail, a search role retrieves from one knowledge base, an
assistant invokes one agent alias, an auditor reads configuration and the trail but no prompts. The check proves both
halves, that each role can do its work and that it can do no more, and names everybody else in the account whose own
policies would let them invoke any model.

## Why

Organization policies are the wall; a role's own policy is the lock on each door behind it. A policy with
`foundation-model/*` works in every Region, for every model that is added later, at any price.

## How it fails

- Only the foundation model is allowed: models that are reached through a profile need the profile's ARN as well.
- `bedrock:RetrieveAndGenerate` with a knowledge base's ARN never matches: the action has no resource. It also calls
  models without the caller's guardrail, so the search role uses `Retrieve` alone.
- The caller of a knowledge base is given `s3:GetObject`: it can then read past the knowledge base's own filters.
- `agent-alias/*/*` includes `TSTALIASID`, the test alias that runs an agent's draft.
- A managed policy such as `AmazonBedrockFullAccess` is attached to a role that only invokes.
- All policies allow the call, and the account has no agreement for the model, nor anybody who calls it the right to subscribe:
  the first call is denied (severity low: nothing is open).

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/security_iam_id-based-policy-examples.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/inference-prereq.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.catalog import load
from ringwall.controls import names, principals
from ringwall.controls.baseline import UNDECLARED
from ringwall.controls.claims import DeclaredClaim, can
from ringwall.controls.control import Control
from ringwall.controls.findings import Status
from ringwall.controls.model_access import MODEL_ACCESS, entitled
from ringwall.controls.policies import RUN, approved
from ringwall.controls.proved import judge_claims
from ringwall.controls.roles import role
from ringwall.controls.verdicts import fail, unknown, verdict
from ringwall.estate.kinds.documents import as_list, canonical_policy
from ringwall.estate.model import Ref, Resource, canonical_json
from ringwall.iam.patterns import glob_matches
from ringwall.iam.policy import Effect, PolicySet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.access import PrincipalEntry
    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.perimeter.model import Perimeter, Use
    from ringwall.proof.question import Question

SLUG = "least-privilege-invoke"
TIMEOUT = 5.0

TYPE = "AWS::IAM::Role"


def compile_(perimeter: Perimeter) -> Iterator[Resource]:
    """The roles."""
    for name, use in perimeter.uses.items():
        yield role(perimeter, name, use)


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """Each use can do its work, and nobody outside the organization anything. That it does no more is judged by its own policies, see the check."""
    for name, use in perimeter.uses.items():
        yield from _can(perimeter, name, use)
    yield principals.nobody_outside(perimeter, SLUG)


def _can(perimeter: Perimeter, name: str, use: Use) -> Iterator[DeclaredClaim]:
    principal = perimeter.role_arn(name)
    if use.kind in ("invoke", "operator") or use.models:
        for model in use.models or tuple(perimeter.models)[:1]:
            yield _converse(perimeter, name, principal, model)
    if use.kind == "retrieve":
        yield can(
            f"{name}-can-retrieve",
            SLUG,
            f"{name} can retrieve from its knowledge base",
            principal=principal,
            service="bedrock-agent-runtime",
            operation="Retrieve",
            parameters={"knowledgeBaseId": use.knowledge_base, "retrievalQuery": {"text": "hello"}},
            context=_through(perimeter, "bedrock-agent-runtime"),
        )
    if use.kind == "agents":
        yield can(
            f"{name}-can-invoke-agent",
            SLUG,
            f"{name} can invoke its agent",
            principal=principal,
            service="bedrock-agent-runtime",
            operation="InvokeAgent",
            parameters={
                "agentId": use.agent,
                "agentAliasId": use.alias,
                "sessionId": "s",
                "inputText": "hello",
            },
            context=_through(perimeter, "bedrock-agent-runtime"),
        )
    control_plane = CONTROL_PLANE.get(use.kind)
    if control_plane is not None:
        operation, needs_guardrail, words = control_plane
        yield can(
            f"{name}-can-{_slug(operation)}",
            SLUG,
            f"{name} can {words}",
            principal=principal,
            service="bedrock",
            operation=operation,
            parameters=_guardrail_parameters(perimeter, operation) if needs_guardrail else {},
        )


CONTROL_PLANE: dict[str, tuple[str, bool, str]] = {
    "guardrail-reader": ("GetGuardrail", True, "read guardrails"),
    "guardrail-administrator": ("UpdateGuardrail", True, "change the pinned guardrail"),
    "auditor": ("GetModelInvocationLoggingConfiguration", False, "read the logging configuration"),
}


def _slug(operation: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in operation).lstrip("-")


def _guardrail_parameters(perimeter: Perimeter, operation: str) -> dict[str, Any]:
    parameters: dict[str, Any] = {"guardrailIdentifier": _guardrail_id(perimeter)}
    if operation == "UpdateGuardrail":
        parameters |= {
            "name": perimeter.guardrail.name,
            "blockedInputMessaging": perimeter.guardrail.blocked_input,
            "blockedOutputsMessaging": perimeter.guardrail.blocked_output,
        }
    return parameters


def _guardrail_id(perimeter: Perimeter) -> Ref:
    return Ref(f"guardrail/{perimeter.guardrail.name}", "Id")


def _converse(perimeter: Perimeter, name: str, principal: str, model: str) -> DeclaredClaim:
    return can(
        f"{name}-can-converse-{model}",
        SLUG,
        f"{name} can converse with {model} behind the pinned guardrail",
        principal=principal,
        service="bedrock-runtime",
        operation="Converse",
        parameters={
            "modelId": perimeter.models[model],
            "messages": [{"role": "user", "content": [{"text": "hello"}]}],
            "guardrailConfig": {
                "guardrailIdentifier": _guardrail_id(perimeter),
                "guardrailVersion": names.pinned_version(perimeter),
            },
        },
        context=_through(perimeter, "bedrock-runtime"),
    )


def _through(perimeter: Perimeter, service: str) -> dict[str, Any]:
    if service not in perimeter.network.endpoints:
        return {}
    return {"aws:SourceVpce": names.endpoint_id(service)}


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge the declared roles by their proofs and their own policies, and everybody else by theirs."""
    if context.perimeter is not None:
        found = [*_declared(context), *_others(context), *entitled(context, CONTROL)]
        claimed = tuple(claim.name for claim in claims(context.perimeter))
        if claimed:
            found += judge_claims(context, CONTROL, claimed, "apply the declaration: ringwall apply")
        broken = [finding for finding in found if finding.status is not Status.PASS]
        yield from broken or found
        return
    found = list(_others(context))
    for resource_type in CONTROL.types:
        reason = context.unread(resource_type)
        if reason is not None:
            found.append(unknown(context, CONTROL, None, f"{resource_type} could not be read: {reason}"))
            break
    yield from found or (
        verdict(
            context,
            CONTROL,
            Status.PASS,
            "nobody's own policies let them invoke any model there is",
            confidence="proved",
            evidence=tuple(context.policies_that_decide()),
        ),
    )


def _declared(context: CheckContext) -> Iterator[Finding]:
    """Roles that may do more than they were declared to."""
    perimeter = context.perimeter
    for name in perimeter.uses if perimeter is not None else ():
        desired, role_ = context.wanted(f"role/{name}"), context.actual(f"role/{name}")
        if desired is None or role_ is None or _names_what_is_gone(context, desired.id):
            continue  # the claims say so
        added = _added(desired, role_)
        if added:
            yield fail(
                context,
                CONTROL,
                role_,
                f"role {role_.get('RoleName', role_.id)} was given more than its work: {', '.join(added)}",
                "apply the declaration: ringwall apply",
                details={"added": added},
            )


def _names_what_is_gone(context: CheckContext, resource_id: str) -> bool:
    declared = context.declared.find(resource_id)
    return declared is not None and bool(context.absent(declared.properties))


def _added(desired: Resource, actual: Resource) -> list[str]:
    """What may widen a role: policies, or statements of them, and trust that were not declared."""
    wanted = {item["PolicyName"]: item["PolicyDocument"] for item in desired.get("Policies", ())}
    found = [f"managed policy {arn}" for arn in actual.get("ManagedPolicyArns", ())]
    for item in actual.get("Policies", ()):
        name, there = item["PolicyName"], item["PolicyDocument"]
        if name not in wanted:
            found.append(f"policy {name}")
        elif _statements(there) - _statements(wanted[name]):
            found.append(f"statements of policy {name}")
        elif _denies(wanted[name]) - _statements(there):
            found.append(f"policy {name} without its denials")
    trust = actual.get("AssumeRolePolicyDocument", {})
    if _statements(trust) - _statements(desired.get("AssumeRolePolicyDocument", {})):
        found.append("trust in others")
    return found


def _statements(policy: Any) -> set[str]:
    return {
        canonical_json({key: value for key, value in statement.items() if key != "Sid"})
        for statement in as_list(canonical_policy(policy).get("Statement", ()))
        if isinstance(statement, dict)
    }


def _denies(policy: Any) -> set[str]:
    return {text for text in _statements(policy) if '"Effect":"Deny"' in text}


def _others(context: CheckContext) -> Iterable[Finding]:
    from ringwall.proof.prove import prove  # noqa: PLC0415 - what only deploys loads no prover

    expected = _expected(context)
    allowed = approved(context.perimeter) if context.perimeter else []
    for entry in context.access.principals(account=context.account):
        if entry.arn in expected or entry.service_only:
            continue
        unread = [gap for gap in context.access.gaps if _is_about(gap, entry)]
        if not unread and not _speak_of_running(entry):
            continue
        answer = prove(_question(entry, allowed), load(), timeout=TIMEOUT)
        if answer.verdict == "violated":
            yield fail(
                context,
                CONTROL,
                entry.resource,
                f"the own policies of {entry.arn.split(':', 5)[5]} let it invoke models that no use declares",
                "name the models, or declare the role as a use",
                name=entry.arn,
                confidence="proved",
                details={"witness": [request.resource for request in answer.witness]},
            )
        elif answer.verdict == "unknown" or unread:
            reason = unread[0] if unread else answer.reason
            yield unknown(
                context, CONTROL, entry.resource, f"{entry.arn.split(':', 5)[5]}: {reason}", name=entry.arn
            )


def _expected(context: CheckContext) -> frozenset[str]:
    perimeter = context.perimeter
    if perimeter is None:
        return frozenset()
    roles = (perimeter.role_arn(name) for name in perimeter.uses)
    return frozenset((*roles, *perimeter.administrators, *perimeter.exempt_roles))


def _is_about(gap: str, entry: PrincipalEntry) -> bool:
    name = entry.arn.rsplit("/", 1)[-1]
    return name in gap.replace(":", " ").split() or entry.arn in gap


def _speak_of_running(entry: PrincipalEntry) -> bool:
    """Whether an Allow of the own policies speaks of running a model at all; of most none does, and nothing is to prove."""
    return any(
        statement.effect is Effect.ALLOW
        and (
            statement.actions is None
            or any(
                glob_matches(pattern.lower(), action.lower())
                for pattern in statement.actions
                for action in RUN
            )
        )
        for policy in entry.policies
        for statement in policy.statements
    )


def _question(entry: PrincipalEntry, allowed: list[str]) -> Question:
    from ringwall.proof.claims import claim_from_json  # noqa: PLC0415 - what only deploys loads no prover
    from ringwall.proof.question import Question  # noqa: PLC0415 - what only deploys loads no prover

    what: dict[str, Any] = {"NotResource": allowed} if allowed else {"Resource": UNDECLARED}
    return Question(
        id=entry.arn,
        principal=entry.arn,
        policies=PolicySet(identity=entry.policies, permissions_boundary=entry.boundary),
        claim=claim_from_json({"never": {"Action": list(RUN), **what}}),
    )


CONTROL = Control(
    slug=SLUG,
    title="Each role can do its work and no more",
    category="IAM",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=compile_,
    claims=claims,
    types=("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::ManagedPolicy", MODEL_ACCESS),
)
