"""What parameters add to a call: tags set on creation, roles handed to a service, keys used on the caller's behalf.

Follows "Grant permission to tag resources on creation" (EC2 and the other services' pages of that kind),
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html, the S3 user guide's page on required
permissions, and Bedrock's pages on encryption.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ringwall.catalog.operations.authorization import Authorization, Call, account_of, is_arn
from ringwall.catalog.operations.context import context_of, tags_of
from ringwall.catalog.operations.names import fold
from ringwall.catalog.operations.resources import resources_of, template_arn
from ringwall.catalog.reference import load

if TYPE_CHECKING:
    from collections.abc import Iterator

BEDROCK = "bedrock.amazonaws.com"
AGENTCORE = "bedrock-agentcore.amazonaws.com"

# (service, operation) -> (parameter, action that it adds)
ADDED: Mapping[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("iam", "CreateRole"): (("Tags", "iam:TagRole"),),
    ("iam", "CreateUser"): (("Tags", "iam:TagUser"),),
    ("iam", "CreatePolicy"): (("Tags", "iam:TagPolicy"),),
    ("iam", "CreateInstanceProfile"): (("Tags", "iam:TagInstanceProfile"),),
    ("sts", "AssumeRole"): (("Tags", "sts:TagSession"), ("SourceIdentity", "sts:SetSourceIdentity")),
    ("sts", "GetFederationToken"): (("Tags", "sts:TagSession"),),
    ("kms", "CreateKey"): (("Tags", "kms:TagResource"),),
    ("logs", "CreateLogGroup"): (("tags", "logs:TagResource"),),
    ("sns", "CreateTopic"): (("Tags", "sns:TagResource"),),
    ("cloudtrail", "CreateTrail"): (("TagsList", "cloudtrail:AddTags"),),
    ("events", "PutRule"): (("Tags", "events:TagResource"),),
    ("cloudwatch", "PutMetricAlarm"): (("Tags", "cloudwatch:TagResource"),),
    ("organizations", "CreatePolicy"): (("Tags", "organizations:TagResource"),),
    ("organizations", "CreateOrganizationalUnit"): (("Tags", "organizations:TagResource"),),
    ("secretsmanager", "CreateSecret"): (("Tags", "secretsmanager:TagResource"),),
    ("s3", "CreateBucket"): (
        ("ACL", "s3:PutBucketAcl"),
        ("ObjectOwnership", "s3:PutBucketOwnershipControls"),
        ("ObjectLockEnabledForBucket", "s3:PutBucketObjectLockConfiguration"),
        ("ObjectLockEnabledForBucket", "s3:PutBucketVersioning"),
    ),
    ("s3", "PutObject"): (
        ("ACL", "s3:PutObjectAcl"),
        ("Tagging", "s3:PutObjectTagging"),
        ("ObjectLockMode", "s3:PutObjectRetention"),
        ("ObjectLockLegalHoldStatus", "s3:PutObjectLegalHold"),
    ),
    ("s3", "CopyObject"): (
        ("ACL", "s3:PutObjectAcl"),
        ("Tagging", "s3:PutObjectTagging"),
        ("ObjectLockMode", "s3:PutObjectRetention"),
        ("ObjectLockLegalHoldStatus", "s3:PutObjectLegalHold"),
    ),
    ("s3", "DeleteObject"): (("BypassGovernanceRetention", "s3:BypassGovernanceRetention"),),
    ("s3", "DeleteObjects"): (("BypassGovernanceRetention", "s3:BypassGovernanceRetention"),),
}

# Operations of the Bedrock prefix that tag what they create -> its resource type; jobs tag what they make under MADE.
TAGGED: Mapping[str, str] = {
    "CreateAgent": "agent",
    "CreateAgentAlias": "agent-alias",
    "CreateAutomatedReasoningPolicy": "automated-reasoning-policy",
    "CreateCustomModel": "custom-model",
    "CreateCustomModelDeployment": "custom-model-deployment",
    "CreateEvaluationJob": "evaluation-job",
    "CreateFlow": "flow",
    "CreateFlowAlias": "flow-alias",
    "CreateGuardrail": "guardrail",
    "CreateInferenceProfile": "application-inference-profile",
    "CreateKnowledgeBase": "knowledge-base",
    "CreateModelCustomizationJob": "model-customization-job",
    "CreateModelImportJob": "model-import-job",
    "CreateModelInvocationJob": "model-invocation-job",
    "CreatePrompt": "prompt",
    "CreatePromptRouter": "prompt-router",
    "CreatePromptVersion": "prompt-version",
    "CreateProvisionedModelThroughput": "provisioned-model",
    "CreateSession": "session",
    "StartAsyncInvoke": "async-invoke",
}

# Jobs that make a model -> (tags of the model, its resource type).
MADE: Mapping[str, tuple[str, str]] = {
    "CreateModelCopyJob": ("targetModelTags", "custom-model"),
    "CreateModelCustomizationJob": ("customModelTags", "custom-model"),
    "CreateModelImportJob": ("importedModelTags", "imported-model"),
}

# (service, operation) -> (path of the role's ARN, service that it is handed to)
PASSED: Mapping[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("bedrock", "CreateCustomModel"): (("roleArn", BEDROCK),),
    ("bedrock", "CreateEvaluationJob"): (("roleArn", BEDROCK),),
    ("bedrock", "CreateModelCustomizationJob"): (("roleArn", BEDROCK),),
    ("bedrock", "CreateModelImportJob"): (("roleArn", BEDROCK),),
    ("bedrock", "CreateModelInvocationJob"): (("roleArn", BEDROCK),),
    ("bedrock", "PutModelInvocationLoggingConfiguration"): (
        ("loggingConfig.cloudWatchConfig.roleArn", BEDROCK),
    ),
    ("bedrock-agent", "CreateAgent"): (("agentResourceRoleArn", BEDROCK),),
    ("bedrock-agent", "UpdateAgent"): (("agentResourceRoleArn", BEDROCK),),
    ("bedrock-agent", "CreateFlow"): (("executionRoleArn", BEDROCK),),
    ("bedrock-agent", "UpdateFlow"): (("executionRoleArn", BEDROCK),),
    ("bedrock-agent", "CreateKnowledgeBase"): (("roleArn", BEDROCK),),
    ("bedrock-agent", "UpdateKnowledgeBase"): (("roleArn", BEDROCK),),
    ("bedrock-agentcore-control", "CreateAgentRuntime"): (("roleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "UpdateAgentRuntime"): (("roleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "CreateBrowser"): (("executionRoleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "CreateCodeInterpreter"): (("executionRoleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "CreateGateway"): (("roleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "UpdateGateway"): (("roleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "CreateHarness"): (("executionRoleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "UpdateHarness"): (("executionRoleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "CreateMemory"): (("memoryExecutionRoleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "UpdateMemory"): (("memoryExecutionRoleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "CreateOnlineEvaluationConfig"): (
        ("evaluationExecutionRoleArn", AGENTCORE),
    ),
    ("bedrock-agentcore-control", "UpdateOnlineEvaluationConfig"): (
        ("evaluationExecutionRoleArn", AGENTCORE),
    ),
    ("bedrock-agentcore-control", "CreatePaymentManager"): (("roleArn", AGENTCORE),),
    ("bedrock-agentcore-control", "UpdatePaymentManager"): (("roleArn", AGENTCORE),),
    ("bedrock-data-automation", "CreateDataAutomationProject"): (("roleArn", BEDROCK),),
    ("cloudtrail", "CreateTrail"): (("CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com"),),
    ("cloudtrail", "UpdateTrail"): (("CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com"),),
    ("cloudwatch", "PutMetricStream"): (("RoleArn", "streams.metrics.cloudwatch.amazonaws.com"),),
    ("ec2", "CreateFlowLogs"): (("DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),),
    ("events", "PutRule"): (("RoleArn", "events.amazonaws.com"),),
    ("events", "PutTargets"): (("Targets.RoleArn", "events.amazonaws.com"),),
    ("lambda", "CreateFunction"): (("Role", "lambda.amazonaws.com"),),
    ("lambda", "UpdateFunctionConfiguration"): (("Role", "lambda.amazonaws.com"),),
    ("logs", "PutDestination"): (("roleArn", "logs.amazonaws.com"),),
    ("logs", "PutSubscriptionFilter"): (("roleArn", "logs.amazonaws.com"),),
    ("cloudformation", "CreateStack"): (("RoleARN", "cloudformation.amazonaws.com"),),
    ("cloudformation", "UpdateStack"): (("RoleARN", "cloudformation.amazonaws.com"),),
}

# What these make has neither a name nor a policy yet: IAM policies decide, as on everything.
# https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html
UNNAMED = frozenset({("kms", "CreateKey")})

_CHAINED = frozenset({"bedrock"})  # services that set aws:CalledVia; Amazon S3 does not
_GRANTS = ("kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt")
_WRAPS = ("kms:GenerateDataKey", "kms:Decrypt")

# (service, operation) -> (path of the key, service that uses it for the caller, actions that the caller needs)
KEYS: Mapping[tuple[str, str], tuple[str, str, tuple[str, ...]]] = {
    ("bedrock", "CreateGuardrail"): ("kmsKeyId", "bedrock", _GRANTS),
    ("bedrock", "UpdateGuardrail"): ("kmsKeyId", "bedrock", _GRANTS),
    ("bedrock", "CreateCustomModel"): ("modelKmsKeyArn", "bedrock", _GRANTS),
    ("bedrock", "CreateModelCustomizationJob"): ("customModelKmsKeyId", "bedrock", _GRANTS),
    ("bedrock", "CreateModelCopyJob"): ("modelKmsKeyId", "bedrock", _GRANTS),
    ("bedrock", "CreateModelImportJob"): ("importedModelKmsKeyId", "bedrock", _GRANTS),
    ("bedrock", "CreateEvaluationJob"): (
        "customerEncryptionKeyId",
        "bedrock",
        ("kms:DescribeKey", *_WRAPS),
    ),
    ("bedrock-agent", "CreateAgent"): ("customerEncryptionKeyArn", "bedrock", _WRAPS),
    ("bedrock-agent", "UpdateAgent"): ("customerEncryptionKeyArn", "bedrock", _WRAPS),
    ("bedrock-agent", "CreateFlow"): ("customerEncryptionKeyArn", "bedrock", _WRAPS),
    ("bedrock-agent", "UpdateFlow"): ("customerEncryptionKeyArn", "bedrock", _WRAPS),
    ("bedrock-agent", "CreatePrompt"): ("customerEncryptionKeyArn", "bedrock", _WRAPS),
    ("bedrock-agent", "UpdatePrompt"): ("customerEncryptionKeyArn", "bedrock", _WRAPS),
    ("bedrock-agent-runtime", "CreateSession"): ("encryptionKeyArn", "bedrock", _WRAPS),
    ("s3", "PutObject"): ("SSEKMSKeyId", "s3", ("kms:GenerateDataKey",)),
    ("s3", "CopyObject"): ("SSEKMSKeyId", "s3", ("kms:GenerateDataKey",)),
    ("s3", "CreateMultipartUpload"): ("SSEKMSKeyId", "s3", _WRAPS),
}

# (service, operation) -> (name in the encryption context of those uses, resource whose ARN is its value, parameter that
# holds the resource's id; "" = AWS assigns it, and the ARN ends in ``*``)
# https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-flows.html and its neighbours on agents and evaluation.
ENCRYPTED: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("bedrock", "CreateEvaluationJob"): ("evaluationJobArn", "evaluation-job", ""),
    ("bedrock-agent", "CreateAgent"): ("aws:bedrock:arn", "agent", ""),
    ("bedrock-agent", "UpdateAgent"): ("aws:bedrock:arn", "agent", "agentId"),
    ("bedrock-agent", "CreateFlow"): ("aws:bedrock-flows:arn", "flow", ""),
    ("bedrock-agent", "UpdateFlow"): ("aws:bedrock-flows:arn", "flow", "flowIdentifier"),
}


def additions(call: Call) -> Iterator[Authorization]:
    """Authorizations beside those of the operation itself."""
    yield from _added(call)
    yield from _tagged(call)
    yield from _passed(call)
    yield from _keys(call)


def _added(call: Call) -> Iterator[Authorization]:
    for parameter, action in ADDED.get((call.service, call.operation), ()):
        if not call.value(parameter):
            continue
        for resource in _of_addition(call, action):
            where = resource.removesuffix(":log-stream:") if action == "logs:TagResource" else resource
            yield Authorization(action, where, context_of(call, action), account_of(where))


def _of_addition(call: Call, action: str) -> tuple[str, ...]:
    """What the call itself is about, where that has a name; else what the added action is about (``key/*``)."""
    if (call.service, call.operation) in UNNAMED:
        return ("*",)
    own = resources_of(call, f"{call.prefix}:{call.operation}")
    return resources_of(call, action) if own == ("*",) or call.service in {"s3", "sts"} else own


def _tagged(call: Call) -> Iterator[Authorization]:
    if not tags_of(call):
        return
    service = load().service("bedrock")
    types = service.resource_types if service else {}
    for kind in _kinds_tagged(call):
        arn = template_arn(call, types[kind].arn, ())
        yield Authorization("bedrock:TagResource", arn, context_of(call, "bedrock:TagResource"), call.account)
    if call.service == "ec2" and call.operation != "CreateTags":
        for specification in call.value("TagSpecifications") or ():
            if not isinstance(specification, Mapping):
                continue
            arn = call.arn(f"{specification.get('ResourceType', '*')}/*")
            context = {**context_of(call, "ec2:CreateTags"), "ec2:createaction": (call.operation,)}
            yield Authorization("ec2:CreateTags", arn, context, call.account)


def _kinds_tagged(call: Call) -> Iterator[str]:
    """Types of what a call of the Bedrock prefix tags as it makes it."""
    if call.prefix != "bedrock":
        return
    parameter, made = MADE.get(call.operation, ("", ""))
    if made and call.value(parameter):
        yield made
    if call.operation in TAGGED and (not made or call.value("jobTags")):
        yield TAGGED[call.operation]


def _passed(call: Call) -> Iterator[Authorization]:
    for path, service in PASSED.get((call.service, call.operation), ()):
        for role in _at(call.parameters, path.split(".")):
            if is_arn(role):
                context = {"aws:requestedregion": (call.region,), "iam:passedtoservice": (service,)}
                yield Authorization("iam:PassRole", role, context, account_of(role))


def _keys(call: Call) -> Iterator[Authorization]:
    if (call.service, call.operation) not in KEYS:
        return
    path, service, actions = KEYS[call.service, call.operation]
    for key in _at(call.parameters, [path]):
        arn = key if is_arn(key) else call.arn(f"key/{key}", service="kms")
        if "alias/" in key:
            arn = call.arn("key/*", service="kms")
        context = {**via_service(call, service), **_encrypted(call)}
        for action in actions:
            granted = {"kms:grantisforawsresource": ("true",)} if action == "kms:CreateGrant" else {}
            yield Authorization(action, arn, {**context, **granted}, account_of(arn))


def _encrypted(call: Call) -> Mapping[str, tuple[str, ...]]:
    """The encryption context with which a service uses a key for the caller."""
    if (call.service, call.operation) not in ENCRYPTED:
        return {}
    name, kind, parameter = ENCRYPTED[call.service, call.operation]
    identifier = call.text(parameter) if parameter else ""
    arn = identifier if is_arn(identifier) else call.arn(f"{kind}/{identifier or '*'}")
    return {f"kms:encryptioncontext:{name.lower()}": (arn,), "kms:encryptioncontextkeys": (name,)}


def via_service(call: Call, service: str) -> Mapping[str, tuple[str, ...]]:
    """Context of a KMS request that a service makes for the caller."""
    name = f"{service}.amazonaws.com"
    chain = ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast") if service in _CHAINED else ()
    return {
        "aws:requestedregion": (call.region,),
        **dict.fromkeys(chain, (name,)),
        "aws:viaawsservice": ("true",),
        "kms:viaservice": (f"{service}.{call.region}.amazonaws.com",),
    }


def _at(value: Any, path: list[str]) -> Iterator[str]:
    """Strings at a path of members; lists on the way stand for each of their members."""
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _at(one, path)
    elif not path:
        if isinstance(value, str) and value:
            yield value
    elif isinstance(value, Mapping):
        folded = {fold(name): inner for name, inner in value.items()}
        yield from _at(folded.get(fold(path[0])), path[1:])
