"""The service control policies: what each denies. The controls of the same names say why and claim what follows.

Where an exemption is meant it stands in the statement; administrators are exempt from the protection of the controls,
never from the perimeter itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import knowledge, names, principals, scp, siblings
from ringwall.controls.documents import Statement, deny, unless
from ringwall.controls.protection import membership, protected
from ringwall.controls.retention import policy as retention
from ringwall.controls.roles import INVOKE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter

RUN = (*INVOKE, "bedrock:CreateModelInvocationJob")
GLOBAL = "unspecified"
"""Value of ``aws:RequestedRegion`` where a ``global.`` profile may choose any Region."""

UNGUARDED_PATHS = (
    "bedrock:AgenticRetrieveStream",
    "bedrock:CreateAdvancedPromptOptimizationJob",
    "bedrock:CreateEvaluationJob",
    "bedrock:CreateModelEvaluationJob",
    "bedrock:CreateModelInvocationJob",
    "bedrock:GenerateQuery",
    "bedrock:InvokeBlueprintOptimizationAsync",
    "bedrock:InvokeBlueprintRecommendationAsync",
    "bedrock:InvokeBuilder",
    "bedrock:InvokeDataAutomation",
    "bedrock:InvokeDataAutomationAsync",
    "bedrock:InvokeFlow",
    "bedrock:InvokeInlineAgent",
    "bedrock:InvokeTool",
    "bedrock:OptimizePrompt",
    "bedrock:Rerank",
    "bedrock:RetrieveAndGenerate",
    "bedrock:StartFlowExecution",
)
"""Actions of Bedrock that run a model and cannot be held to a guardrail: their requests carry no ``bedrock:GuardrailIdentifier``.
``StartAsyncInvoke`` and bidirectional streams are authorized as ``InvokeModel`` and need no mention: they cannot carry a
guardrail, so the pinning statement denies them."""

SIBLINGS = (
    "bedrock-mantle:*",
    "bedrock-agentcore:*",
    "bedrock-websearch:*",
    "agent-registry:*",
    "aws-external-anthropic:*",
)
REGIONAL = (
    "bedrock:AgenticRetrieveStream",
    "bedrock:Allow*",
    "bedrock:Associate*",
    "bedrock:Batch*",
    "bedrock:Cancel*",
    "bedrock:Copy*",
    "bedrock:Create*",
    "bedrock:Delete*",
    "bedrock:Deregister*",
    "bedrock:Disassociate*",
    "bedrock:End*",
    "bedrock:Generate*",
    "bedrock:Ingest*",
    "bedrock:Invoke*Agent",
    "bedrock:InvokeAutomated*",
    "bedrock:InvokeBlueprint*",
    "bedrock:InvokeBuilder",
    "bedrock:InvokeData*",
    "bedrock:InvokeFlow",
    "bedrock:InvokeGuardrailChecks",
    "bedrock:InvokeTool",
    "bedrock:Optimize*",
    "bedrock:Prepare*",
    "bedrock:PutEnforcedGuardrailConfiguration",
    "bedrock:PutFoundationModelEntitlement",
    "bedrock:PutInvocationStep",
    "bedrock:PutModelInvocationLoggingConfiguration",
    "bedrock:PutResourcePolicy",
    "bedrock:PutUseCaseForModelAccess",
    "bedrock:Register*",
    "bedrock:Render*",
    "bedrock:Rerank",
    "bedrock:Retrieve*",
    "bedrock:Start*",
    "bedrock:Stop*",
    "bedrock:TagResource",
    "bedrock:UntagResource",
    "bedrock:Update*",
)
"""Everything of Bedrock that changes something or runs something, apart from inference, which profiles may carry
elsewhere, ``ApplyGuardrail``, which a cross-Region guardrail profile evaluates in its destinations, and
``PutAccountDataRetention``, which is set wherever requests may be processed. Reading stays possible everywhere: auditors
look where nothing should be."""
RETENTION = "bedrock:PutAccountDataRetention"

RUNTIME = (*INVOKE, "bedrock:ApplyGuardrail", "bedrock:CountTokens", "bedrock:InvokeGuardrailChecks")
AGENT_RUNTIME = (
    "bedrock:AgenticRetrieveStream",
    "bedrock:GenerateQuery",
    "bedrock:InvokeAgent",
    "bedrock:InvokeFlow",
    "bedrock:InvokeInlineAgent",
    "bedrock:Rerank",
    "bedrock:Retrieve",
    "bedrock:RetrieveAndGenerate",
)
ROUTES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("bedrock-runtime", "RuntimeOnlyThroughEndpoint", RUNTIME),
    ("bedrock-agent-runtime", "AgentRuntimeOnlyThroughEndpoint", AGENT_RUNTIME),
)
SIBLING_ROUTES = (
    ("bedrock-mantle", "MantleOnlyThroughEndpoint"),
    ("bedrock-agentcore", "AgentCoreOnlyThroughEndpoint"),
)
"""Siblings with an endpoint of their own; held to it where the declaration opens them."""

USE_KEYS = (
    "bedrock:CallWithBearerToken",
    "bedrock-mantle:CallWithBearerToken",
    "aws-external-anthropic:CallWithBearerToken",
)
MAKE_KEYS = ("iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential")
ALTER_KEYS = ("iam:UpdateServiceSpecificCredential",)
BEDROCK_KEYS = {"iam:ServiceSpecificCredentialServiceName": ["bedrock.amazonaws.com"]}


def guardrail(perimeter: Perimeter) -> Iterator[Resource]:
    """``scp/guardrail``: inference with the pinned guardrail, or none."""
    return scp.policies(
        perimeter,
        "guardrail",
        "Inference carries a numbered version of the pinned guardrail, or does not happen",
        _guardrail(perimeter),
    )


def _guardrail(perimeter: Perimeter) -> Iterator[Statement]:
    """Negated, so that a request without the key is denied as well."""
    guardrails = {"bedrock:GuardrailIdentifier": [names.pinned_guardrail(perimeter)]}
    exempt = names.service_roles(perimeter)
    yield deny("RequirePinnedGuardrail", INVOKE, "*", {"ArnNotLike": {**guardrails, **exempt}})
    yield deny("CloseUnguardedPaths", [*UNGUARDED_PATHS, *siblings.closed(perimeter)])
    yield from siblings.statements(perimeter)
    aliases = names.agent_aliases(perimeter)
    if aliases:
        yield deny("OnlyDeclaredAgents", "bedrock:InvokeAgent", not_resources=aliases)
    else:
        yield deny("NoAgents", "bedrock:InvokeAgent")


def approved(perimeter: Perimeter) -> list[str]:
    """ARNs that inference may name: profiles, and foundation models wherever they may run."""
    return [
        *names.profiles(perimeter),
        *names.profile_models(perimeter),
        *names.direct_models(perimeter),
    ]


def models(perimeter: Perimeter) -> Iterator[Resource]:
    """``scp/models``: the declared models and the declared principals, by exact ARN."""
    statement = deny(
        "OnlyDeclaredModels",
        RUN,
        condition=unless(*perimeter.exempt_roles),
        not_resources=approved(perimeter),
    )
    statements = [statement, principals.statement(perimeter)]
    if perimeter.knowledge_bases:
        statements.append(
            deny(
                "KnowledgeBasesOnlyEmbed",
                RUN,
                condition={"ArnLike": {"aws:PrincipalArn": knowledge.roles(perimeter)}},
                not_resources=knowledge.embedding_models(perimeter),
            )
        )
        statements += knowledge.callers_keep_out(perimeter)
        statements += knowledge.callers_keep_off(perimeter)
    return scp.policies(perimeter, "models", "Declared principals invoke declared models", statements)


def processing(perimeter: Perimeter) -> list[str]:
    """Values that ``aws:RequestedRegion`` may have in an inference request."""
    regions = list(perimeter.regions.processing)
    return [*regions, GLOBAL] if perimeter.regions.residency == "global" else regions


def regions(perimeter: Perimeter) -> Iterator[Resource]:
    """``scp/regions``: the source Region, and the profiles' destinations for inference."""
    return scp.policies(perimeter, "regions", "Bedrock stays in the declared Regions", _regions(perimeter))


def _regions(perimeter: Perimeter) -> Iterator[Statement]:
    outside: dict[str, dict[str, list[str]]] = {
        "StringNotEquals": {"aws:RequestedRegion": [perimeter.regions.source]}
    }
    yield deny("NonInferenceOutsideSource", [*REGIONAL, *SIBLINGS], "*", outside)
    through = names.profiles(perimeter)
    if perimeter.regions.residency == "in-region":
        yield deny("NoProfiles", INVOKE, "*", {"Null": {"bedrock:InferenceProfileArn": "false"}})
    elif through:
        outside = {**outside, "ArnNotLike": {"bedrock:InferenceProfileArn": through}}
    yield deny("InferenceOutsideSourceUnlessDeclaredProfile", RUN, "*", outside)
    yield deny(
        "InferenceOutsideDeclaredRegions",
        RUN,
        "*",
        {"StringNotEquals": {"aws:RequestedRegion": processing(perimeter)}},
    )
    yield deny(
        "RetentionOutsideDeclaredRegions",
        RETENTION,
        "*",
        {"StringNotEquals": {"aws:RequestedRegion": list(perimeter.regions.processing)}},
    )


def routes(perimeter: Perimeter) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Endpoint service, Sid and actions of everything that is held to an endpoint."""
    yield from ROUTES
    for service, sid in SIBLING_ROUTES:
        if service in perimeter.siblings:
            yield service, sid, siblings.SURFACES[service].run


def skipped(perimeter: Perimeter, service: str) -> dict[str, Any]:
    """Condition that a request came by another way than the endpoint; empty (always) where there is none."""
    if service not in perimeter.network.endpoints:
        return {}
    return {"StringNotEquals": {"aws:SourceVpce": [names.endpoint_id(service)]}}


def network(perimeter: Perimeter) -> Iterator[Resource]:
    """``scp/network``: through the perimeter's endpoints, or not at all."""
    return scp.policies(
        perimeter,
        "network",
        "Bedrock is called through the perimeter's VPC endpoints",
        (
            deny(sid, actions, "*", {**skipped(perimeter, service), **unless(*perimeter.exempt_roles)})
            for service, sid, actions in routes(perimeter)
        ),
    )


def protect(perimeter: Perimeter) -> Iterator[Resource]:
    """``scp/protect``: the controls are changed by their administrators. ``scp/organization``: so is what binds them."""
    yield from scp.policies(
        perimeter,
        "protect",
        "The controls are changed by their administrators only",
        (row.statement(perimeter) for row in protected(perimeter)),
    )
    yield from scp.policies(
        perimeter,
        "organization",
        "The organization's policies bind, and are changed by administrators only",
        (row.statement(perimeter) for row in membership()),
    )


def api_keys(perimeter: Perimeter) -> Iterator[Resource]:
    """``scp/api-keys``. Deactivating a leaked key is an update, so administrators may."""
    of_bedrock: dict[str, Any] = {"StringEquals": BEDROCK_KEYS}
    return scp.policies(
        perimeter,
        "api-keys",
        "No Bedrock API keys",
        [
            deny("NoLongTermKeys", MAKE_KEYS, "*", of_bedrock),
            deny(
                "OnlyAdministratorsAlterKeys",
                ALTER_KEYS,
                "*",
                {**of_bedrock, **unless(*perimeter.administrators)},
            ),
            deny("NoUseOfKeys", USE_KEYS),
        ],
    )


def policies(perimeter: Perimeter) -> Iterator[Resource]:
    """All of them, in the order in which they are attached."""
    for build in (guardrail, models, regions, network, protect, api_keys, retention):
        yield from build(perimeter)
