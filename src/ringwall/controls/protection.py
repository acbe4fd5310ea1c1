"""What may only administrators do: the actions that weaken a control, resource by resource."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringwall.controls import names
from ringwall.controls.documents import Statement, deny, unless
from ringwall.controls.endpoints import SECURITY_GROUP
from ringwall.estate.model import Ref

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.perimeter.model import Perimeter

GUARDRAIL_MUTATIONS = (
    "bedrock:UpdateGuardrail",
    "bedrock:DeleteGuardrail",
    "bedrock:CreateGuardrailVersion",
    "bedrock:PutResourcePolicy",
    "bedrock:DeleteResourcePolicy",
)
SETTINGS = (
    "bedrock:PutEnforcedGuardrailConfiguration",
    "bedrock:DeleteEnforcedGuardrailConfiguration",
    "bedrock:PutModelInvocationLoggingConfiguration",
    "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:PutAccountDataRetention",
    "bedrock-mantle:PutAccountDataRetention",
    "bedrock:PutUseCaseForModelAccess",
    "bedrock:CreateFoundationModelAgreement",
    "bedrock:DeleteFoundationModelAgreement",
    "bedrock:PutFoundationModelEntitlement",
    "bedrock:CreateMarketplaceModelEndpoint",
    "bedrock:RegisterMarketplaceModelEndpoint",
    "bedrock:CreateModelImportJob",
)
SUBSCRIPTIONS = ("aws-marketplace:Subscribe", "aws-marketplace:Unsubscribe")
SUBSCRIBING_SERVICES = ("bedrock.amazonaws.com", "bedrock-mantle.amazonaws.com")
"""Through which a first call subscribes its caller's account to a third party's model
(https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html)."""
KEY_MUTATIONS = (
    "kms:DeleteAlias",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:UpdateAlias",
)
GRANTS = ("kms:CreateGrant", "kms:RevokeGrant")
DECRYPTION = ("kms:Decrypt", "kms:ReEncryptFrom")
TRAIL_MUTATIONS = (
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
)
LOG_MUTATIONS = (
    "logs:AssociateKmsKey",
    "logs:DeleteDataProtectionPolicy",
    "logs:DeleteLogGroup",
    "logs:DeleteLogStream",
    "logs:DeleteRetentionPolicy",
    "logs:DisassociateKmsKey",
    "logs:PutDataProtectionPolicy",
    "logs:PutLogGroupDeletionProtection",
    "logs:PutRetentionPolicy",
    "logs:PutSubscriptionFilter",
)
SOURCE_MUTATIONS = (
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutReplicationConfiguration",
)
"""What opens or weakens a bucket, apart from the objects in it: those are the data owner's."""
BUCKET_MUTATIONS = tuple(
    sorted(
        (
            *SOURCE_MUTATIONS,
            "s3:BypassGovernanceRetention",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:PutLifecycleConfiguration",
            "s3:PutObject",
        )
    )
)
"""The same, and what alters the objects."""
ENDPOINT_MUTATIONS = ("ec2:DeleteVpcEndpoints", "ec2:ModifyVpcEndpoint")
GROUP_MUTATIONS = (
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:DeleteSecurityGroup",
    "ec2:ModifySecurityGroupRules",
)
TOPIC_MUTATIONS = (
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
    "sns:Unsubscribe",
)
ALARM_MUTATIONS = (
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DisableAlarmActions",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:SetAlarmState",
)
RULE_MUTATIONS = (
    "events:DeleteRule",
    "events:DisableRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
)
ROLE_MUTATIONS = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
)
USER_MUTATIONS = (
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateServiceSpecificCredential",
    "iam:DeactivateMFADevice",
    "iam:DeleteUser",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachUserPolicy",
    "iam:EnableMFADevice",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:ResetServiceSpecificCredential",
    "iam:UpdateAccessKey",
    "iam:UpdateLoginProfile",
    "iam:UpdateUser",
)
LEAVE = "organizations:LeaveOrganization"
ORGANIZATION_MUTATIONS = (
    "organizations:AttachPolicy",
    "organizations:DeletePolicy",
    "organizations:DeleteResourcePolicy",
    "organizations:DetachPolicy",
    "organizations:DisablePolicyType",
    "organizations:MoveAccount",
    "organizations:PutResourcePolicy",
    "organizations:RemoveAccountFromOrganization",
    "organizations:UpdatePolicy",
)
"""What lifts or changes a service control policy. The organization's resource policy may delegate these to members
(https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html)."""


@dataclass(frozen=True, slots=True)
class Protected:
    """One row: actions on resources that nobody but the exempt may do.

    Attributes:
        sid: Sid of its statement; claims derive their names from it.
        title: in words, after "Nobody but the administrators".
        actions: what is denied.
        resources: on what; may hold references.
        guardrail_administrators: whether the roles declared for guardrails are exempt as well.
        everybody: whether not even administrators may.
        users: ARN patterns of further principals who may.
        services: service principals whose work it is. No service control policy binds them; claims leave them out.
        condition: of which requests it speaks; empty = all.
    """

    sid: str
    title: str
    actions: tuple[str, ...]
    resources: tuple[Any, ...] = ("*",)
    guardrail_administrators: bool = False
    everybody: bool = False
    users: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    condition: Mapping[str, Any] = field(default_factory=dict)

    def exempt(self, perimeter: Perimeter) -> list[str]:
        """ARN patterns of who may."""
        if self.everybody:
            return []
        if self.guardrail_administrators:
            return names.guardrail_administrators(perimeter)
        return [*perimeter.administrators, *self.users]

    def statement(self, perimeter: Perimeter) -> Statement:
        """The Deny statement."""
        exempt = unless(*self.exempt(perimeter))
        return deny(self.sid, self.actions, list(self.resources), {**self.condition, **exempt})


def protected(perimeter: Perimeter) -> Iterator[Protected]:
    """Every row, in the order of the policy."""
    pinned = (names.guardrail_arn(perimeter), names.pinned_guardrail(perimeter))
    yield Protected("ProtectGuardrail", "changes the pinned guardrail", GUARDRAIL_MUTATIONS, pinned, True)
    yield Protected("ProtectSettings", "changes Bedrock's account settings", SETTINGS)
    yield Protected(
        "ProtectSubscriptions",
        "subscribes to a model by calling it",
        SUBSCRIPTIONS,
        condition={"StringEquals": {"aws:CalledViaLast": list(SUBSCRIBING_SERVICES)}},
    )
    keys = tuple(names.key_arn(item) for item in names.data_classes(perimeter))
    yield Protected(
        "ProtectKeys",
        "disables or opens a key of the perimeter",
        KEY_MUTATIONS,
        (*keys, *_aliases(perimeter)),
    )
    granted = tuple(
        names.key_arn(item) for item in names.data_classes(perimeter) if item != names.CUSTOM_MODELS
    )
    yield Protected("ProtectGrants", "grants others the use of a key", GRANTS, granted, True)
    yield from _decryption(perimeter)
    yield Protected(
        "ProtectTrail", "stops or narrows the trail", TRAIL_MUTATIONS, (names.trail_arn(perimeter),)
    )
    group = names.log_group_arn(perimeter)
    yield Protected(
        "ProtectLogGroup", "cuts or diverts the invocation logs", LOG_MUTATIONS, (group, f"{group}:*")
    )
    buckets = tuple(
        item
        for purpose in names.log_buckets(perimeter)
        for item in (names.bucket_arn(perimeter, purpose), names.bucket_arn(perimeter, purpose) + "/*")
    )
    yield Protected(
        "ProtectBuckets",
        "alters what is recorded",
        BUCKET_MUTATIONS,
        buckets,
        services=("bedrock.amazonaws.com", "cloudtrail.amazonaws.com"),
    )
    if perimeter.knowledge_bases:
        yield Protected(
            "ProtectSources",
            "opens the bucket of a knowledge base",
            SOURCE_MUTATIONS,
            tuple(names.bucket_arn(perimeter, f"kb-{name}") for name in perimeter.knowledge_bases),
        )
    yield from _network(perimeter)
    yield from _alarms(perimeter)
    yield from _identities(perimeter)


def membership() -> Iterator[Protected]:
    """Rows of the account's place in the organization, whose service control policies bind it."""
    yield Protected(
        "ProtectOrganization", "changes or lifts the organization's policies", ORGANIZATION_MUTATIONS
    )
    yield Protected(
        "StayInOrganization", "takes the account out of the organization", (LEAVE,), everybody=True
    )


def _decryption(perimeter: Perimeter) -> Iterator[Protected]:
    """Who reads what is encrypted: the guardrail's key is used with its caller's permissions, the trail is for auditors.

    The other keys of the perimeter's own records are used by services, each for its own. Prompts in
    the log bucket are for the administrators alone. Keys of knowledge bases and custom models are used by their roles.
    """
    roles = {name: perimeter.role_arn(name) for name in perimeter.uses}
    auditors = tuple(roles[name] for name, use in perimeter.uses.items() if use.kind == "auditor")
    callers = tuple(arn for arn in roles.values() if arn not in auditors)
    delivering = (
        f"logs.{perimeter.regions.source}.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "events.amazonaws.com",
    )
    for sid, what, classes, users, services in (
        (
            "DecryptGuardrail",
            "decrypts the pinned guardrail",
            ("guardrail",),
            (*callers, *perimeter.exempt_roles),
            (),
        ),
        ("DecryptTrail", "decrypts the trail", ("trail",), auditors, ()),
        ("DecryptRecords", "decrypts invocation logs or alarms", names.RECORDS, (), delivering),
    ):
        keys = tuple(names.key_arn(item) for item in names.data_classes(perimeter) if item in classes)
        if keys:
            yield Protected(sid, what, DECRYPTION, keys, users=users, services=services)


def _aliases(perimeter: Perimeter) -> tuple[str, ...]:
    return (names.arn(perimeter, "kms", f"alias/ringwall/{perimeter.name}/*"),)


def _network(perimeter: Perimeter) -> Iterator[Protected]:
    endpoints = tuple(
        Ref(f"endpoint/{service}", "Arn") for service in dict.fromkeys(perimeter.network.endpoints)
    )
    if endpoints:
        yield Protected("ProtectEndpoints", "changes or deletes an endpoint", ENDPOINT_MUTATIONS, endpoints)
    yield Protected(
        "ProtectEndpointGroup",
        "opens the endpoints' security group",
        GROUP_MUTATIONS,
        (Ref(SECURITY_GROUP, "Arn"),),
    )


def _alarms(perimeter: Perimeter) -> Iterator[Protected]:
    topic = names.topic_arn(perimeter)
    yield Protected("ProtectTopic", "silences the alarm topic", TOPIC_MUTATIONS, (topic, f"{topic}:*"))
    alarms = names.arn(perimeter, "cloudwatch", f"alarm:{perimeter.name}-*")
    yield Protected("ProtectAlarms", "silences an alarm", ALARM_MUTATIONS, (alarms,))
    rule = names.arn(perimeter, "events", f"rule/{names.rule_name(perimeter)}")
    yield Protected("ProtectTamperingRule", "silences the report of tampering", RULE_MUTATIONS, (rule,))


def _identities(perimeter: Perimeter) -> Iterator[Protected]:
    """The perimeter's roles, the service roles that its policies exempt, and the administrators themselves."""
    prefix = f"arn:{perimeter.partition}:iam::{perimeter.account}"
    roles = [f"{prefix}:role/{perimeter.role_name(use)}" for use in perimeter.uses]
    roles.append(names.logging_role_arn(perimeter))
    roles += perimeter.exempt_roles
    roles += [item for item in perimeter.administrators if ":role/" in item]
    yield Protected("ProtectRoles", "changes or passes a role of the perimeter", ROLE_MUTATIONS, tuple(roles))
    users = tuple(item for item in perimeter.administrators if ":user/" in item)
    if users:
        yield Protected("ProtectAdministrators", "becomes an administrator", USER_MUTATIONS, users)
