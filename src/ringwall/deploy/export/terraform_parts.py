"""Types that take several Terraform resources, or one that is not a renaming."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ringwall.deploy.export.terraform_tables import KEEP, tag_map, text
from ringwall.deploy.export.tokens import own_attribute, sibling
from ringwall.estate.model import Resource


@dataclass(frozen=True, slots=True)
class Block:
    """One Terraform resource.

    Attributes:
        type: Terraform's type.
        suffix: what its label adds to the resource's own.
        body: its attributes, references as tokens.
        uses: properties that it expresses.
        after: blocks of the same resource that must be there first.
    """

    type: str
    suffix: str
    body: Mapping[str, Any]
    uses: frozenset[str]
    after: tuple[Block, ...] = ()


def _block(name: str, suffix: str, body: Mapping[str, Any], *uses: str) -> Block:
    kept = {key: value for key, value in body.items() if value is not None}
    return Block(name, suffix, kept, frozenset(uses))


def role(resource: Resource) -> Iterator[Block]:
    """A role, its policies, and that it has no others."""
    have = resource.properties
    name = have["RoleName"]
    body = {
        "name": name,
        "path": have.get("Path"),
        "description": have.get("Description"),
        "max_session_duration": have.get("MaxSessionDuration"),
        "assume_role_policy": text(have["AssumeRolePolicyDocument"]),
        "permissions_boundary": have.get("PermissionsBoundary") or None,
        "tags": tag_map(have.get("Tags") or ()),
    }
    own = ("RoleName", "Path", "Description", "MaxSessionDuration", "AssumeRolePolicyDocument")
    yield _block("aws_iam_role", "", body, *own, "PermissionsBoundary", "Tags")
    holder = own_attribute(resource, "name")
    inline = have.get("Policies") or ()
    own_policies = []
    for policy in inline:
        named = {"name": policy["PolicyName"], "role": holder, "policy": text(policy["PolicyDocument"])}
        own_policies.append(_block("aws_iam_role_policy", policy["PolicyName"], named, "Policies"))
    yield from own_policies
    only = {"role_name": holder, "policy_names": [policy["PolicyName"] for policy in inline]}
    yield replace(_block("aws_iam_role_policies_exclusive", "", only, "Policies"), after=tuple(own_policies))
    arns = list(have.get("ManagedPolicyArns") or ())
    attachments = []
    for number, arn in enumerate(arns, 1):
        attached = {"role": holder, "policy_arn": arn}
        attachments.append(
            _block("aws_iam_role_policy_attachment", str(number), attached, "ManagedPolicyArns")
        )
    yield from attachments
    exclusive = {"role_name": holder, "policy_arns": arns}
    kind = "aws_iam_role_policy_attachments_exclusive"
    yield replace(_block(kind, "", exclusive, "ManagedPolicyArns"), after=tuple(attachments))


def bucket(resource: Resource) -> Iterator[Block]:
    """A bucket and its configurations, which the provider has as resources of their own."""
    have = resource.properties
    body = {"bucket": have["BucketName"], "tags": tag_map(have.get("Tags") or ()), **KEEP}
    body["object_lock_enabled"] = have.get("ObjectLockEnabled")
    yield _block("aws_s3_bucket", "", body, "BucketName", "Tags", "ObjectLockEnabled")
    for name, tf, rows in _CONFIGURATIONS:
        if have.get(name) is not None:
            yield _block(tf, "", {"bucket": own_attribute(resource, "id"), **rows(have[name])}, name)


def _public_access(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "block_public_acls": value.get("BlockPublicAcls", False),
        "block_public_policy": value.get("BlockPublicPolicy", False),
        "ignore_public_acls": value.get("IgnorePublicAcls", False),
        "restrict_public_buckets": value.get("RestrictPublicBuckets", False),
    }


def _ownership(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"rule": [{"object_ownership": item["ObjectOwnership"]} for item in value["Rules"]]}


def _encryption(value: Mapping[str, Any]) -> dict[str, Any]:
    rules = []
    for item in value["ServerSideEncryptionConfiguration"]:
        default = item["ServerSideEncryptionByDefault"]
        apply = {"sse_algorithm": default["SSEAlgorithm"], "kms_master_key_id": default.get("KMSMasterKeyID")}
        rules.append(
            {
                "apply_server_side_encryption_by_default": {
                    key: part for key, part in apply.items() if part is not None
                },
                "bucket_key_enabled": item.get("BucketKeyEnabled", False),
            }
        )
    return {"rule": rules}


def _versioning(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"versioning_configuration": {"status": value["Status"]}}


def _lifecycle(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"rule": [_lifecycle_rule(item) for item in value["Rules"]]}


def _lifecycle_rule(item: Mapping[str, Any]) -> dict[str, Any]:
    old, parts = (
        item.get("NoncurrentVersionExpiration") or {},
        item.get("AbortIncompleteMultipartUpload") or {},
    )
    expiration = {"days": item.get("ExpirationInDays")}
    expiration["expired_object_delete_marker"] = item.get("ExpiredObjectDeleteMarker")
    rule = {
        "id": item.get("Id", "rule"),
        "status": item.get("Status", "Enabled"),
        "filter": {"prefix": item.get("Prefix", "")},
        "expiration": {key: one for key, one in expiration.items() if one is not None} or None,
        "noncurrent_version_expiration": {"noncurrent_days": old["NoncurrentDays"]} if old else None,
        "abort_incomplete_multipart_upload": (
            {"days_after_initiation": parts["DaysAfterInitiation"]} if parts else None
        ),
        "transition": [
            {"days": one["TransitionInDays"], "storage_class": one["StorageClass"]}
            for one in item.get("Transitions") or ()
        ]
        or None,
    }
    return {key: one for key, one in rule.items() if one is not None}


_CONFIGURATIONS: tuple[tuple[str, str, Callable[[Mapping[str, Any]], dict[str, Any]]], ...] = (
    ("PublicAccessBlockConfiguration", "aws_s3_bucket_public_access_block", _public_access),
    ("OwnershipControls", "aws_s3_bucket_ownership_controls", _ownership),
    ("BucketEncryption", "aws_s3_bucket_server_side_encryption_configuration", _encryption),
    ("VersioningConfiguration", "aws_s3_bucket_versioning", _versioning),
    ("LifecycleConfiguration", "aws_s3_bucket_lifecycle_configuration", _lifecycle),
)


def log_group(resource: Resource) -> Iterator[Block]:
    """A log group that Terraform does not destroy, and its data protection policy."""
    have = resource.properties
    body = {
        "name": have["LogGroupName"],
        "retention_in_days": have.get("RetentionInDays"),
        "kms_key_id": have.get("KmsKeyId"),
        "log_group_class": have.get("LogGroupClass"),
        "skip_destroy": True,
        "tags": tag_map(have.get("Tags") or ()),
        **KEEP,
    }
    own = ("LogGroupName", "RetentionInDays", "KmsKeyId", "LogGroupClass", "Tags")
    yield _block("aws_cloudwatch_log_group", "", body, *own)
    if have.get("DataProtectionPolicy"):
        policy = {
            "log_group_name": own_attribute(resource, "name"),
            "policy_document": text(have["DataProtectionPolicy"]),
        }
        yield _block("aws_cloudwatch_log_data_protection_policy", "", policy, "DataProtectionPolicy")


def organization_policy(resource: Resource) -> Iterator[Block]:
    """A policy and what it is attached to."""
    have = resource.properties
    body = {
        "name": have["Name"],
        "description": have.get("Description"),
        "type": have["Type"],
        "content": text(have["Content"]),
        "tags": tag_map(have.get("Tags") or ()),
    }
    yield _block("aws_organizations_policy", "", body, "Name", "Description", "Type", "Content", "Tags")
    for target in have.get("TargetIds") or ():
        attached = {"policy_id": own_attribute(resource, "id"), "target_id": target}
        yield _block("aws_organizations_policy_attachment", str(target), attached, "TargetIds")


def security_group(resource: Resource) -> Iterator[Block]:
    """A group with exactly its rules: an empty list of them is none."""
    have = resource.properties
    body = {
        "name": have["GroupName"],
        "description": have["GroupDescription"],
        "vpc_id": have["VpcId"],
        "ingress": [_rule(item, "Source") for item in have.get("SecurityGroupIngress") or ()],
        "egress": [_rule(item, "Destination") for item in have.get("SecurityGroupEgress") or ()],
        "tags": tag_map(have.get("Tags") or ()),
    }
    own = ("GroupName", "GroupDescription", "VpcId", "SecurityGroupIngress", "SecurityGroupEgress", "Tags")
    yield _block("aws_security_group", "", body, *own)


def _rule(item: Mapping[str, Any], peer: str) -> dict[str, Any]:
    """Every member is needed: the provider takes rules as attributes, not as blocks."""

    def one(name: str) -> list[Any]:
        return [item[name]] if item.get(name) is not None else []

    return {
        "description": item.get("Description", ""),
        "protocol": item["IpProtocol"],
        "from_port": item.get("FromPort", 0),
        "to_port": item.get("ToPort", 0),
        "cidr_blocks": one("CidrIp"),
        "ipv6_cidr_blocks": one("CidrIpv6"),
        "prefix_list_ids": one(f"{peer}PrefixListId"),
        "security_groups": one(f"{peer}SecurityGroupId"),
        "self": False,
    }


def topic_policy(resource: Resource) -> Iterator[Block]:
    """The policy of each topic."""
    document = text(resource.properties["PolicyDocument"])
    for number, arn in enumerate(resource.properties["Topics"]):
        body = {"arn": arn, "policy": document}
        yield _block("aws_sns_topic_policy", str(number) if number else "", body, "Topics", "PolicyDocument")


def rule(resource: Resource) -> Iterator[Block]:
    """A rule and its targets."""
    have = resource.properties
    body = {
        "name": have["Name"],
        "description": have.get("Description"),
        "state": have.get("State"),
        "event_bus_name": have.get("EventBusName"),
        "event_pattern": text(have["EventPattern"]) if have.get("EventPattern") else None,
        "schedule_expression": have.get("ScheduleExpression"),
        "tags": tag_map(have.get("Tags") or ()),
    }
    own = ("Name", "Description", "State", "EventBusName", "EventPattern", "ScheduleExpression", "Tags")
    yield _block("aws_cloudwatch_event_rule", "", body, *own)
    for target in have.get("Targets") or ():
        aim = {
            "rule": own_attribute(resource, "name"),
            "event_bus_name": have.get("EventBusName"),
            "target_id": target["Id"],
            "arn": target["Arn"],
            "role_arn": target.get("RoleArn"),
            "input": target.get("Input"),
        }
        yield _block("aws_cloudwatch_event_target", target["Id"], aim, "Targets")


def guardrail_version(resource: Resource) -> Iterator[Block]:
    """A version, made anew when its description, the content's digest, changes. The old one stays for who calls it."""
    have = resource.properties
    body = {
        "guardrail_arn": sibling(have["GuardrailIdentifier"], "Arn"),
        "description": have.get("Description"),
        "skip_destroy": True,
        "lifecycle": {"create_before_destroy": True},
    }
    # The rest is the content that the guardrail itself declares.
    yield _block("aws_bedrock_guardrail_version", "", body, *have)


SEVERAL: Mapping[str, Callable[[Resource], Iterator[Block]]] = {
    "AWS::IAM::Role": role,
    "AWS::S3::Bucket": bucket,
    "AWS::Logs::LogGroup": log_group,
    "AWS::Organizations::Policy": organization_policy,
    "AWS::EC2::SecurityGroup": security_group,
    "AWS::SNS::TopicPolicy": topic_policy,
    "AWS::Events::Rule": rule,
    "AWS::Bedrock::GuardrailVersion": guardrail_version,
}
