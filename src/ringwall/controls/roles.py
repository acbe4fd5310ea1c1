"""The role of each declared use: trust policy and inline policies.

An application's role can invoke its models through their profiles with the pinned guardrail, and nothing besides; the
operator's role is the opposite, allowed everything of Bedrock by its own policies, so that only the service control
policies hold it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import names, siblings
from ringwall.controls.documents import Document, Statement, allow, deny, document
from ringwall.controls.enforcement import APPLY
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringwall.perimeter.model import Perimeter, Use

INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
SIDE_DOORS = (
    "bedrock:CreateModelInvocationJob",
    "bedrock:InvokeInlineAgent",
    "bedrock:CallWithBearerToken",
    "bedrock-mantle:*",
    "bedrock-websearch:*",
    "aws-external-anthropic:*",
)
"""Ways to a model that carry no guardrail, or no SigV4 identity (facts: a role gets none of them by accident)."""

READ_CONFIGURATION = (
    "aoss:BatchGetCollection",
    "aoss:GetAccessPolicy",
    "aoss:GetSecurityPolicy",
    "aoss:ListAccessPolicies",
    "aoss:ListSecurityPolicies",
    "bedrock-agentcore:GetAgentRuntime",
    "bedrock-agentcore:GetBrowser",
    "bedrock-agentcore:GetCodeInterpreter",
    "bedrock-agentcore:GetGateway",
    "bedrock-agentcore:GetMemory",
    "bedrock-agentcore:GetResourcePolicy",
    "bedrock-agentcore:GetTokenVault",
    "bedrock-agentcore:List*",
    "bedrock:GetAccountDataRetention",
    "bedrock:GetAgent",
    "bedrock:GetAgentActionGroup",
    "bedrock:GetAgentAlias",
    "bedrock:GetAgentVersion",
    "bedrock:GetDataSource",
    "bedrock:GetFlow",
    "bedrock:GetFlowVersion",
    "bedrock:GetFoundationModelAvailability",
    "bedrock:GetGuardrail",
    "bedrock:GetInferenceProfile",
    "bedrock:GetKnowledgeBase",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:GetResourcePolicy",
    "bedrock:List*",
    "cloudtrail:Describe*",
    "cloudtrail:Get*",
    "cloudtrail:List*",
    "cloudtrail:LookupEvents",
    "cloudwatch:Describe*",
    "cloudwatch:Get*",
    "cloudwatch:List*",
    "ec2:Describe*",
    "es:DescribeDomain",
    "events:Describe*",
    "events:List*",
    "iam:GenerateServiceLastAccessedDetails",
    "iam:Get*",
    "iam:List*",
    "kms:Describe*",
    "kms:Get*",
    "kms:List*",
    "lambda:GetFunctionConfiguration",
    "lambda:GetPolicy",
    "logs:Describe*",
    "logs:GetDataProtectionPolicy",
    "logs:ListTagsForResource",
    "neptune-graph:GetGraph",
    "organizations:Describe*",
    "organizations:List*",
    "ram:ListPrincipals",
    "ram:ListResources",
    "rds:DescribeDBClusters",
    "rds:DescribeDBInstances",
    "s3:GetAccountPublicAccessBlock",
    "s3:GetBucket*",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListAllMyBuckets",
    "s3vectors:GetIndex",
    "s3vectors:GetVectorBucket",
    "s3vectors:GetVectorBucketPolicy",
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetResourcePolicy",
    "sns:Get*",
    "sns:List*",
)
READ_PROMPTS = (
    "bedrock:GetInvocationStep",
    "bedrock:ListInvocations",
    "bedrock:ListInvocationSteps",
    "bedrock:ListSessions",
)
READ_LOG_EVENTS = (
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetLogRecord",
    "logs:StartLiveTail",
    "logs:StartQuery",
    "logs:Unmask",
)


def role(perimeter: Perimeter, name: str, use: Use) -> Resource:
    """The role of one use."""
    documents = KINDS[use.kind](perimeter, name, use)
    return Resource(
        type="AWS::IAM::Role",
        account=perimeter.account,
        region="global",
        id=f"role/{name}",
        properties={
            "RoleName": perimeter.role_name(name),
            "Path": "/",
            "Description": f"Ringwall {perimeter.name}: {use.kind}",
            "MaxSessionDuration": 3600,
            "AssumeRolePolicyDocument": trust(perimeter, use),
            "Policies": [
                {"PolicyName": title, "PolicyDocument": content} for title, content in documents.items()
            ],
        },
    )


def trust(perimeter: Perimeter, use: Use) -> Document:
    """Who may assume the role. Sessions may carry tags and a source identity, for attribution.

    ``sts:ExternalId`` exists on AssumeRole alone, so only that statement asks for it.
    """
    root = f"arn:{perimeter.partition}:iam::{perimeter.account}:root"
    principal = {"AWS": list(use.trust) or [root]}
    external = {"StringEquals": {"sts:ExternalId": use.external_id}} if use.external_id else None
    return document(
        allow("Assume", "sts:AssumeRole", None, external, principal=principal),
        allow("Attribute", ["sts:TagSession", "sts:SetSourceIdentity"], None, principal=principal),
    )


def invocation(perimeter: Perimeter, models: tuple[str, ...]) -> list[Statement]:
    """Statements that let a role invoke models through their profiles with the pinned guardrail."""
    statements = []
    through = names.profiles(perimeter, models)
    if through:
        statements += [
            allow("UseProfiles", [*INVOKE, "bedrock:GetInferenceProfile"], through),
            allow(
                "ModelsOnlyThroughProfiles",
                INVOKE,
                names.profile_models(perimeter, models),
                {"ArnEquals": {"bedrock:InferenceProfileArn": through}},
            ),
        ]
    direct = names.direct_models(perimeter, models)
    if direct:
        statements.append(allow("ModelsInSourceRegion", INVOKE, direct))
    return [*statements, *guardrail_use(perimeter)]


def guardrail_use(perimeter: Perimeter) -> list[Statement]:
    """Statements that let a role send the pinned guardrail, and use its key and the organization's guardrail's along with it."""
    through = {"StringEquals": {"kms:ViaService": f"bedrock.{perimeter.regions.source}.amazonaws.com"}}
    enforced = perimeter.enforcement.organization
    statements = [
        allow("FindGuardrail", "bedrock:ListGuardrails"),
        allow("UseGuardrail", APPLY, applied(perimeter)),
        *guardrail_key(perimeter, through),
    ]
    if enforced is not None and enforced.key is not None:
        statements.append(allow("DecryptEnforcedGuardrail", "kms:Decrypt", [enforced.key], through))
    return statements


def applied(perimeter: Perimeter) -> list[Any]:
    """What ``ApplyGuardrail`` is authorized on in a call: the pinned guardrail, its profile, and the organization's."""
    return [
        names.guardrail_arn(perimeter),
        *names.guardrail_profiles(perimeter, perimeter.guardrail),
        *names.organization_guardrail(perimeter),
    ]


def guardrail_key(
    perimeter: Perimeter,
    condition: Mapping[str, Any] | None = None,
    actions: str | tuple[str, ...] = "kms:Decrypt",
) -> list[Statement]:
    """Use of the guardrail's key; nothing where AWS owns the key."""
    if "guardrail" not in names.data_classes(perimeter):
        return []
    return [allow("DecryptGuardrail", actions, [names.key_arn("guardrail")], condition)]


def pinned(perimeter: Perimeter) -> Statement:
    """Deny inference without a numbered version of the pinned guardrail. Negated, so that an absent key matches."""
    return deny(
        "DenyWithoutPinnedGuardrail",
        INVOKE,
        "*",
        {"ArnNotLike": {"bedrock:GuardrailIdentifier": [names.pinned_guardrail(perimeter)]}},
    )


def _invoke(perimeter: Perimeter, name: str, use: Use) -> dict[str, Document]:
    return {
        "invoke": document(
            *invocation(perimeter, use.models),
            *siblings.use_statements(perimeter, name),
            pinned(perimeter),
            deny("NoSideDoors", siblings.side_doors(perimeter, name, SIDE_DOORS)),
        )
    }


def _retrieve(perimeter: Perimeter, name: str, use: Use) -> dict[str, Document]:
    del name
    base = names.arn(perimeter, "bedrock", f"knowledge-base/{use.knowledge_base}")
    statements = [allow("Retrieve", "bedrock:Retrieve", [base])]
    if use.models:
        statements += invocation(perimeter, use.models)
    statements += [pinned(perimeter), deny("NoSideDoors", [*SIDE_DOORS, "bedrock:RetrieveAndGenerate"])]
    return {"retrieve": document(*statements)}


def _agents(perimeter: Perimeter, name: str, use: Use) -> dict[str, Document]:
    del name
    alias = names.arn(perimeter, "bedrock", f"agent-alias/{use.agent}/{use.alias}")
    drafts = f"arn:{perimeter.partition}:bedrock:*:*:agent-alias/*/TSTALIASID"
    return {
        "agents": document(
            allow("InvokeAgent", "bedrock:InvokeAgent", [alias]),
            deny("NoTestAlias", "bedrock:InvokeAgent", [drafts]),
            deny("NoSideDoors", SIDE_DOORS),
        )
    }


def _guardrail_reader(perimeter: Perimeter, name: str, use: Use) -> dict[str, Document]:
    del name, use
    guardrails = [names.arn(perimeter, "bedrock", "guardrail/*")]
    return {
        "guardrail-reader": document(
            allow("List", "bedrock:ListGuardrails"),
            allow("Read", ["bedrock:GetGuardrail", "bedrock:ListTagsForResource"], guardrails),
            *guardrail_key(perimeter),
        )
    }


def _guardrail_administrator(perimeter: Perimeter, name: str, use: Use) -> dict[str, Document]:
    del name, use
    guardrails = [
        names.arn(perimeter, "bedrock", "guardrail/*"),
        names.arn(perimeter, "bedrock", "guardrail-profile/*"),
    ]
    return {
        "guardrail-administrator": document(
            allow(
                "Make",
                [
                    "bedrock:ListGuardrails",
                    "bedrock:CreateGuardrail",
                    "bedrock:ListEnforcedGuardrailsConfiguration",
                ],
            ),
            allow(
                "Manage",
                [
                    "bedrock:GetGuardrail",
                    "bedrock:UpdateGuardrail",
                    "bedrock:DeleteGuardrail",
                    "bedrock:CreateGuardrailVersion",
                    "bedrock:GetResourcePolicy",
                    "bedrock:PutResourcePolicy",
                    "bedrock:DeleteResourcePolicy",
                    "bedrock:TagResource",
                    "bedrock:UntagResource",
                    "bedrock:ListTagsForResource",
                    "bedrock:ApplyGuardrail",
                ],
                guardrails,
            ),
            *guardrail_key(
                perimeter,
                actions=("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant"),
            ),
        )
    }


def _auditor(perimeter: Perimeter, name: str, use: Use) -> dict[str, Document]:
    """Configuration and the trail, but not what people wrote: prompts are in the invocation logs alone."""
    del name, use
    trail = names.bucket_arn(perimeter, names.TRAIL)
    prompts = names.bucket_arn(perimeter, names.INVOCATION_LOGS)
    group = names.log_group_arn(perimeter)
    return {
        "configuration": document(
            allow("ReadConfiguration", READ_CONFIGURATION),
            allow("SeeThatLogsArrive", "s3:ListBucket", [prompts]),
            deny("NoConversations", READ_PROMPTS),
        ),
        "trail": document(
            *_read_trail(perimeter, trail),
            deny("NoPrompts", READ_LOG_EVENTS, [group, f"{group}:*"]),
            deny("NoPromptObjects", "s3:GetObject*", [f"{prompts}/*"]),
            deny(
                "NoPromptKeys",
                "kms:Decrypt",
                [names.key_arn("invocation-log-group"), names.key_arn("invocation-log-bucket")],
            ),
        ),
    }


def _read_trail(perimeter: Perimeter, trail: str) -> list[Statement]:
    """Where the trail is somebody's that was there before, its owner says who reads it."""
    if perimeter.logging.trail is not None:
        return []
    return [
        allow("ListTrail", "s3:ListBucket", [trail]),
        allow("ReadTrail", "s3:GetObject", [f"{trail}/*"]),
        allow("DecryptTrail", "kms:Decrypt", [names.key_arn("trail")]),
    ]


def _operator(perimeter: Perimeter, name: str, use: Use) -> dict[str, Document]:
    del use
    return {
        "operator": document(
            allow("AllOfBedrock", "bedrock:*"),
            *siblings.use_statements(perimeter, name),
            *guardrail_key(perimeter),
        )
    }


KINDS: Mapping[str, Callable[[Perimeter, str, Use], dict[str, Any]]] = {
    "invoke": _invoke,
    "retrieve": _retrieve,
    "agents": _agents,
    "guardrail-reader": _guardrail_reader,
    "guardrail-administrator": _guardrail_administrator,
    "auditor": _auditor,
    "operator": _operator,
}
