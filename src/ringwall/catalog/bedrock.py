"""Tables about Amazon Bedrock: ways to a model, where guardrails sit, endpoints, trail types, metrics, controls.

Sources: the Amazon Bedrock user guide (pages on guardrails permissions, VPC interface endpoints, logging with
CloudTrail, runtime and guardrail metrics), the CloudTrail user guide's tables of data and network activity events,
and the Service Authorization Reference. State: 2026-11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

RunsAs = Literal["caller", "service role", "service"]

PREFIX = "bedrock"
SIBLING_PREFIXES = (
    "bedrock-mantle",
    "bedrock-agentcore",
    "bedrock-websearch",
    "agent-registry",
    "aws-external-anthropic",
)
"""IAM prefixes beside ``bedrock`` behind which models or agents run; ``bedrock:*`` does not cover them."""

PREFIXES = (PREFIX, *SIBLING_PREFIXES)

GUARDRAIL_KEY = "bedrock:GuardrailIdentifier"


@dataclass(frozen=True, slots=True)
class InferencePath:
    """An action by which a model can be made to run.

    Attributes:
        action: the IAM action.
        carries_guardrail: whether a request for it can carry ``bedrock:GuardrailIdentifier``, so that a policy can
            require a guardrail.
        unguarded: operations of the action that have no place for a guardrail, though the action carries the key.
        guardrail: where a guardrail can sit: in the ``request``, on the ``resource`` (agent, flow), or ``nowhere``.
        runs_as: whose permissions run the model: the caller's, a service role's, or Bedrock's own.
        note: what it does.
    """

    action: str
    carries_guardrail: bool
    unguarded: tuple[str, ...]
    guardrail: Literal["request", "resource", "nowhere"]
    runs_as: RunsAs
    note: str


def _path(
    action: str,
    note: str,
    *,
    guardrail: Literal["request", "resource", "nowhere"] = "nowhere",
    runs_as: RunsAs = "caller",
    key: bool = False,
    unguarded: tuple[str, ...] = (),
) -> InferencePath:
    return InferencePath(action, key, unguarded, guardrail, runs_as, note)


INFERENCE_PATHS: tuple[InferencePath, ...] = (
    _path(
        "bedrock:InvokeModel",
        "InvokeModel, Converse, the OpenAI- and Anthropic-compatible APIs of bedrock-runtime, asynchronous and "
        "bidirectional inference.",
        guardrail="request",
        key=True,
        unguarded=("InvokeModelWithBidirectionalStream", "StartAsyncInvoke"),
    ),
    _path(
        "bedrock:InvokeModelWithResponseStream",
        "InvokeModelWithResponseStream, ConverseStream and the streaming forms of the compatible APIs.",
        guardrail="request",
        key=True,
    ),
    _path(
        "bedrock:CreateModelInvocationJob",
        "Batch inference over files in S3; no guardrail is applied.",
        runs_as="service role",
    ),
    _path(
        "bedrock:InvokeAgent",
        "An agent of Agents Classic; the guardrail, if any, is a property of the agent.",
        guardrail="resource",
        runs_as="service role",
    ),
    _path(
        "bedrock:InvokeInlineAgent",
        "An agent defined in the request, with any model; its model calls carry no guardrail key.",
        guardrail="request",
    ),
    _path(
        "bedrock:InvokeFlow",
        "A flow; guardrails are properties of its nodes.",
        guardrail="resource",
        runs_as="service role",
    ),
    _path(
        "bedrock:StartFlowExecution",
        "A flow, asynchronously.",
        guardrail="resource",
        runs_as="service role",
    ),
    _path(
        "bedrock:RetrieveAndGenerate",
        "Answers from a knowledge base or from documents of the request; some of its model calls have no guardrail.",
        guardrail="request",
    ),
    _path("bedrock:AgenticRetrieveStream", "Retrieval that a model plans; names no resource."),
    _path(
        "bedrock:GenerateQuery", "Turns a question into SQL for a structured data store.", runs_as="service"
    ),
    _path("bedrock:Rerank", "Ranks documents with a reranking model."),
    _path("bedrock:OptimizePrompt", "Rewrites a prompt with a model.", runs_as="service"),
    _path(
        "bedrock:CreateAdvancedPromptOptimizationJob",
        "Optimizes prompts against models, as a job.",
        runs_as="service role",
    ),
    _path("bedrock:CreateEvaluationJob", "Evaluates models with prompts from S3.", runs_as="service role"),
    _path(
        "bedrock:InvokeDataAutomation", "Extracts from documents, images, audio and video.", runs_as="service"
    ),
    _path("bedrock:InvokeDataAutomationAsync", "The same, asynchronously, to S3.", runs_as="service"),
    _path(
        "bedrock-mantle:CreateInference",
        "Chat Completions, Responses and Messages on the Mantle endpoint: no guardrails, no invocation logging.",
    ),
    _path("bedrock-agentcore:InvokeHarness", "Runs a managed agent harness.", runs_as="service role"),
    _path("bedrock-agentcore:InvokeAgentRuntime", "Runs an agent on AgentCore.", runs_as="service role"),
    _path(
        "bedrock-agentcore:InvokeAgentRuntimeForUser", "The same, for a named user.", runs_as="service role"
    ),
    _path(
        "bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream",
        "Runs an agent on AgentCore over a web socket.",
        runs_as="service role",
    ),
    _path(
        "bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStreamForUser",
        "The same, for a named user.",
        runs_as="service role",
    ),
    _path("aws-external-anthropic:CreateInference", "Claude Platform on AWS, outside Amazon Bedrock."),
    _path("aws-external-anthropic:CreateBatchInference", "The same, in batches."),
    _path("aws-external-anthropic:CreateSession", "A managed agent session of Claude Platform on AWS."),
)
"""Every known way to make a model run, the two that a guardrail can be required on first."""

INFERENCE_ACTIONS = tuple(path.action for path in INFERENCE_PATHS)
GUARDED_ACTIONS = tuple(path.action for path in INFERENCE_PATHS if path.carries_guardrail)
UNGUARDED_ACTIONS = tuple(path.action for path in INFERENCE_PATHS if not path.carries_guardrail)


@dataclass(frozen=True, slots=True)
class GuardrailPlace:
    """Where an API operation takes a guardrail: paths of member names in boto3's parameters.

    Attributes:
        identifier: path of the guardrail's id or ARN.
        version: path of its version.
        trace: path of the trace setting; empty where the operation has none.
    """

    identifier: tuple[str, ...]
    version: tuple[str, ...]
    trace: tuple[str, ...] = ()


_CONVERSE = GuardrailPlace(
    ("guardrailConfig", "guardrailIdentifier"),
    ("guardrailConfig", "guardrailVersion"),
    ("guardrailConfig", "trace"),
)
_INVOKE = GuardrailPlace(("guardrailIdentifier",), ("guardrailVersion",), ("trace",))
_RAG = (
    "retrieveAndGenerateConfiguration",
    "knowledgeBaseConfiguration",
    "generationConfiguration",
    "guardrailConfiguration",
)
_GENERATE = GuardrailPlace((*_RAG, "guardrailId"), (*_RAG, "guardrailVersion"))

GUARDRAIL_PLACES: Mapping[tuple[str, str], GuardrailPlace] = {
    ("bedrock-runtime", "Converse"): _CONVERSE,
    ("bedrock-runtime", "ConverseStream"): _CONVERSE,
    ("bedrock-runtime", "InvokeModel"): _INVOKE,
    ("bedrock-runtime", "InvokeModelWithResponseStream"): _INVOKE,
    ("bedrock-runtime", "ApplyGuardrail"): GuardrailPlace(("guardrailIdentifier",), ("guardrailVersion",)),
    ("bedrock-agent-runtime", "RetrieveAndGenerate"): _GENERATE,
    ("bedrock-agent-runtime", "RetrieveAndGenerateStream"): _GENERATE,
    ("bedrock-agent-runtime", "Retrieve"): GuardrailPlace(
        ("guardrailConfiguration", "guardrailId"),
        ("guardrailConfiguration", "guardrailVersion"),
    ),
    ("bedrock-agent-runtime", "InvokeInlineAgent"): GuardrailPlace(
        ("guardrailConfiguration", "guardrailIdentifier"), ("guardrailConfiguration", "guardrailVersion")
    ),
    ("bedrock-agent", "CreateAgent"): GuardrailPlace(
        ("guardrailConfiguration", "guardrailIdentifier"), ("guardrailConfiguration", "guardrailVersion")
    ),
    ("bedrock-agent", "UpdateAgent"): GuardrailPlace(
        ("guardrailConfiguration", "guardrailIdentifier"), ("guardrailConfiguration", "guardrailVersion")
    ),
}
"""Operations that take a guardrail, by botocore service and operation."""


@dataclass(frozen=True, slots=True)
class EndpointService:
    """An interface endpoint service.

    Attributes:
        name: last part of the service name, such as ``bedrock-runtime``.
        service_name: ``ServiceName`` with ``{region}``.
        private_dns: host names that private DNS serves, with ``{region}``.
        services: botocore services (or prefixes) whose calls it carries.
        prefixes: IAM prefixes that its endpoint policy governs.
        regions: Regions that have it; empty = wherever the service is.
    """

    name: str
    service_name: str
    private_dns: tuple[str, ...]
    services: tuple[str, ...]
    prefixes: tuple[str, ...]
    regions: tuple[str, ...] = ()


FIPS_REGIONS = ("us-east-1", "us-east-2", "us-west-2", "ca-central-1", "us-gov-east-1", "us-gov-west-1")


def _endpoint(
    name: str,
    *services: str,
    dns: tuple[str, ...] | None = None,
    prefix: str | None = None,
    regions: tuple[str, ...] = (),
) -> tuple[str, EndpointService]:
    hosts = (f"{name}.{{region}}.amazonaws.com",) if dns is None else dns
    prefixes = (prefix or services[0],)
    return name, EndpointService(name, f"com.amazonaws.{{region}}.{name}", hosts, services, prefixes, regions)


ENDPOINT_SERVICES: Mapping[str, EndpointService] = dict(
    (
        _endpoint("bedrock", "bedrock"),
        _endpoint("bedrock-runtime", "bedrock-runtime", prefix="bedrock"),
        _endpoint("bedrock-agent", "bedrock-agent", prefix="bedrock"),
        _endpoint("bedrock-agent-runtime", "bedrock-agent-runtime", prefix="bedrock"),
        _endpoint("bedrock-mantle", "bedrock-mantle", dns=("bedrock-mantle.{region}.api.aws",)),
        _endpoint(
            "bedrock-fips", "bedrock", dns=("bedrock-fips.{region}.amazonaws.com",), regions=FIPS_REGIONS
        ),
        _endpoint(
            "bedrock-runtime-fips",
            "bedrock-runtime",
            dns=("bedrock-runtime-fips.{region}.amazonaws.com",),
            prefix="bedrock",
            regions=FIPS_REGIONS,
        ),
        _endpoint("bedrock-agentcore", "bedrock-agentcore"),
        _endpoint("bedrock-agentcore-control", "bedrock-agentcore-control", prefix="bedrock-agentcore"),
        _endpoint(
            "bedrock-agentcore.gateway",
            "bedrock-agentcore",
            dns=("*.gateway.bedrock-agentcore.{region}.amazonaws.com",),
        ),
        _endpoint("sts", "sts"),
        _endpoint("kms", "kms"),
        _endpoint("logs", "logs"),
        _endpoint("monitoring", "cloudwatch"),
        _endpoint("secretsmanager", "secretsmanager"),
        _endpoint("s3", "s3", dns=("s3.{region}.amazonaws.com", "*.s3.{region}.amazonaws.com")),
        _endpoint("aoss", "opensearchserverless", dns=("*.{region}.aoss.amazonaws.com",), prefix="aoss"),
    )
)
"""Endpoint services of Bedrock and its companions in a VPC without internet, by name.

Not every Region has every one: ``ec2:DescribeVpcEndpointServices`` tells. The private DNS names of the FIPS services
and of the companions are the regional host names of the SDKs.
"""

_BEDROCK_TYPES = (
    "AdvancedOptimizePromptJob", "AgentAlias", "AsyncInvoke", "AutomatedReasoningPolicy",
    "AutomatedReasoningPolicyVersion", "Blueprint", "DataAutomationInvocation", "DataAutomationProfile",
    "DataAutomationProject", "FlowAlias", "FlowExecution", "Guardrail", "InlineAgent", "KnowledgeBase", "Model",
    "PromptVersion", "Session", "Tool",
)  # fmt: skip
_AGENTCORE_TYPES = (
    "ABTest", "APIKeyCredentialProvider", "BatchEvaluate", "Browser", "BrowserCustom", "BrowserProfile",
    "CapacityProvider", "CodeInterpreter", "CodeInterpreterCustom", "Evaluator", "Gateway", "Memory",
    "OAuth2CredentialProvider", "Payments", "Policy", "PolicyEngine", "Recommendation", "Registry", "Runtime",
    "RuntimeEndpoint", "TokenVault", "WorkloadIdentity", "WorkloadIdentityDirectory",
)  # fmt: skip

TRAIL_RESOURCE_TYPES = (
    *(f"AWS::Bedrock::{name}" for name in _BEDROCK_TYPES),
    "AWS::BedrockMantle::Project",
    "AWS::BedrockWebSearch::Tool",
    *(f"AWS::BedrockAgentCore::{name}" for name in _AGENTCORE_TYPES),
    "AWS::AgentRegistry::Registry",
    "AWS::AWSExternalAnthropic::Workspace",
)
"""``resources.type`` values of the Bedrock family that advanced event selectors accept."""

TRAIL_TYPES_OF_INFERENCE = (
    "AWS::Bedrock::AgentAlias",
    "AWS::Bedrock::AsyncInvoke",
    "AWS::Bedrock::FlowAlias",
    "AWS::Bedrock::Guardrail",
    "AWS::Bedrock::InlineAgent",
    "AWS::Bedrock::KnowledgeBase",
    "AWS::Bedrock::Model",
    "AWS::Bedrock::PromptVersion",
    "AWS::BedrockMantle::Project",
)
"""Data-event types without which some inference leaves no trace in a trail."""

BASIC_SELECTOR_TYPES = ("AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table")
"""All that basic event selectors accept: none of Bedrock's."""

NETWORK_ACTIVITY_SOURCES = (
    "bedrock.amazonaws.com",
    "bedrock-agentcore.amazonaws.com",
    "agent-registry.amazonaws.com",
    "aws-external-anthropic.amazonaws.com",
)
"""Event sources whose VPC endpoint denials CloudTrail records as network activity events (not Mantle)."""

DATA_EVENTS: Mapping[tuple[str, str], str] = {
    ("bedrock-runtime", "ApplyGuardrail"): "AWS::Bedrock::Guardrail",
    ("bedrock-runtime", "GetAsyncInvoke"): "AWS::Bedrock::AsyncInvoke",
    ("bedrock-runtime", "InvokeModelWithBidirectionalStream"): "AWS::Bedrock::Model",
    ("bedrock-runtime", "ListAsyncInvokes"): "AWS::Bedrock::AsyncInvoke",
    ("bedrock-runtime", "StartAsyncInvoke"): "AWS::Bedrock::Model",
    ("bedrock-agent-runtime", "InvokeAgent"): "AWS::Bedrock::AgentAlias",
    ("bedrock-agent-runtime", "InvokeFlow"): "AWS::Bedrock::FlowAlias",
    ("bedrock-agent-runtime", "InvokeInlineAgent"): "AWS::Bedrock::InlineAgent",
    ("bedrock-agent-runtime", "Retrieve"): "AWS::Bedrock::KnowledgeBase",
    ("bedrock-agent-runtime", "RetrieveAndGenerate"): "AWS::Bedrock::KnowledgeBase",
    ("bedrock-agent-runtime", "RetrieveAndGenerateStream"): "AWS::Bedrock::KnowledgeBase",
    ("bedrock-mantle", "CreateInference"): "AWS::BedrockMantle::Project",
}
"""Operations that CloudTrail records as data events, with their type; other operations are management events."""

LOGGED_OPERATIONS = ("InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream")
"""Operations of ``bedrock-runtime`` that model invocation logging delivers; Mantle's are never logged."""

INVOCATION_LOG_STREAM = "aws/bedrock/modelinvocations"
"""Fixed name of the log stream that model invocation logging writes to."""

METRICS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AWS/Bedrock": {
        **dict.fromkeys(
            (
                "Invocations", "InvocationLatency", "InvocationClientErrors", "InvocationServerErrors",
                "InvocationThrottles", "InputTokenCount", "OutputTokenCount", "OutputImageCount",
                "LegacyModelInvocations", "TimeToFirstToken", "EstimatedTPMQuotaUsage",
                "CacheReadInputTokenCount", "CacheWriteInputTokenCount",
            ),
            ("ModelId",),
        ),
        **dict.fromkeys(
            (
                "ModelInvocationLogsCloudWatchDeliverySuccess", "ModelInvocationLogsCloudWatchDeliveryFailure",
                "ModelInvocationLogsS3DeliverySuccess", "ModelInvocationLogsS3DeliveryFailure",
                "ModelInvocationLargeDataS3DeliverySuccess", "ModelInvocationLargeDataS3DeliveryFailure",
            ),
            (),
        ),
    },
    "AWS/Bedrock/Guardrails": dict.fromkeys(
        (
            "Invocations", "InvocationLatency", "InvocationClientErrors", "InvocationServerErrors",
            "InvocationThrottles", "TextUnitCount", "InvocationsIntervened", "FindingCounts", "TotalFindings",
            "Latency",
        ),
        ("GuardrailArn", "GuardrailVersion"),
    ),
    "AWS/BedrockMantle": dict.fromkeys(
        (
            "Inferences", "InferenceClientErrors", "TotalInputTokens", "TotalOutputTokens", "InputTokens",
            "OutputTokens",
        ),
        ("Project", "Model"),
    ),
}  # fmt: skip
"""Namespace -> metric -> dimensions of its usual set; an empty set = across all models.

Guardrail metrics are also published by ``Operation``, ``GuardrailContentSource`` and ``GuardrailPolicyType``.
"""

WEAKENING_ACTIONS: Mapping[str, str] = {
    "bedrock:CreateGuardrailVersion": "guardrail-pinned",
    "bedrock:DeleteGuardrail": "guardrail-filters-content",
    "bedrock:UpdateGuardrail": "guardrail-filters-content",
    "bedrock:PutEnforcedGuardrailConfiguration": "guardrail-cannot-be-bypassed",
    "bedrock:DeleteEnforcedGuardrailConfiguration": "guardrail-cannot-be-bypassed",
    "bedrock:PutResourcePolicy": "guardrail-cannot-be-bypassed",
    "bedrock:DeleteResourcePolicy": "guardrail-cannot-be-bypassed",
    "bedrock:PutModelInvocationLoggingConfiguration": "invocation-logging-delivers",
    "bedrock:DeleteModelInvocationLoggingConfiguration": "invocation-logging-delivers",
    "bedrock:PutAccountDataRetention": "data-retention-none",
    "bedrock-mantle:PutAccountDataRetention": "data-retention-none",
    "bedrock:CreateFoundationModelAgreement": "models-restricted",
    "bedrock:DeleteFoundationModelAgreement": "models-restricted",
    "bedrock:PutFoundationModelEntitlement": "models-restricted",
    "bedrock:PutUseCaseForModelAccess": "models-restricted",
    "bedrock:CreateMarketplaceModelEndpoint": "models-restricted",
    "bedrock:RegisterMarketplaceModelEndpoint": "models-restricted",
    "bedrock:CreateModelImportJob": "models-restricted",
    "cloudtrail:DeleteTrail": "trail-records-inference",
    "cloudtrail:PutEventSelectors": "trail-records-inference",
    "cloudtrail:StopLogging": "trail-records-inference",
    "cloudtrail:UpdateTrail": "trail-records-inference",
    "cloudwatch:DeleteAlarms": "alarms-reach-someone",
    "cloudwatch:DisableAlarmActions": "alarms-reach-someone",
    "cloudwatch:PutMetricAlarm": "alarms-reach-someone",
    "events:DeleteRule": "alarms-reach-someone",
    "events:DisableRule": "alarms-reach-someone",
    "events:PutRule": "alarms-reach-someone",
    "events:RemoveTargets": "alarms-reach-someone",
    "sns:DeleteTopic": "alarms-reach-someone",
    "sns:SetTopicAttributes": "alarms-reach-someone",
    "sns:Unsubscribe": "alarms-reach-someone",
    "ec2:DeleteVpcEndpoints": "vpc-endpoint-effective",
    "ec2:ModifyVpcEndpoint": "vpc-endpoint-effective",
    "kms:DisableKey": "keys-effective",
    "kms:DisableKeyRotation": "keys-effective",
    "kms:PutKeyPolicy": "keys-effective",
    "kms:ScheduleKeyDeletion": "keys-effective",
    "logs:AssociateKmsKey": "invocation-logging-delivers",
    "logs:DeleteDataProtectionPolicy": "invocation-logging-delivers",
    "logs:DeleteLogGroup": "invocation-logging-delivers",
    "logs:DeleteLogStream": "invocation-logging-delivers",
    "logs:DeleteRetentionPolicy": "invocation-logging-delivers",
    "logs:DisassociateKmsKey": "invocation-logging-delivers",
    "logs:PutDataProtectionPolicy": "invocation-logging-delivers",
    "logs:PutRetentionPolicy": "invocation-logging-delivers",
    "s3:DeleteBucket": "invocation-logging-delivers",
    "s3:DeleteBucketPolicy": "invocation-logging-delivers",
    "s3:PutBucketPolicy": "invocation-logging-delivers",
    "s3:PutBucketPublicAccessBlock": "invocation-logging-delivers",
    "s3:PutBucketVersioning": "invocation-logging-delivers",
    "s3:PutEncryptionConfiguration": "keys-effective",
    "s3:PutLifecycleConfiguration": "invocation-logging-delivers",
    "iam:CreateServiceSpecificCredential": "api-keys-prevented",
    "iam:ResetServiceSpecificCredential": "api-keys-prevented",
    "iam:UpdateServiceSpecificCredential": "api-keys-prevented",
    "organizations:DeletePolicy": "controls-protected",
    "organizations:DetachPolicy": "controls-protected",
    "organizations:DisablePolicyType": "controls-protected",
    "organizations:LeaveOrganization": "controls-protected",
    "organizations:UpdatePolicy": "controls-protected",
}
"""Actions that can switch off or loosen a control, with the slug of the control that they threaten."""

BEARER_ACTIONS = tuple(
    f"{prefix}:CallWithBearerToken" for prefix in ("bedrock", "bedrock-mantle", "aws-external-anthropic")
)
"""Actions that every call signed with an API key needs in addition."""

POLICY_LIMITS: Mapping[str, int] = {
    "SERVICE_CONTROL_POLICY": 10_240,
    "RESOURCE_CONTROL_POLICY": 5_120,
    "BEDROCK_POLICY": 10_000,
}
"""Longest organization policy of each type, in characters."""


def in_region(template: str, region: str) -> str:
    """A service name or host name of these tables in a Region."""
    return template.replace("{region}", region)
