"""Every property of every type that a declaration compiles to, asked of its service's own API by plain boto3.

Nothing of Ringwall reads here: each reader spells CloudFormation's properties from what the API answers, so that a mistake
in a resource kind, which writes and reads the same mistake, shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import boto3

Properties = dict[str, Any]
Wanted = Mapping[str, Any]


class Services:
    """Clients of the account in a Region, and of the management account."""

    def __init__(self, region: str, management: Mapping[str, str]) -> None:
        self.region, self.management = region, management

    def __getattr__(self, name: str) -> Any:
        return boto3.client(name, region_name=self.region)

    @property
    def organization(self) -> Any:
        return boto3.client("organizations", region_name="us-east-1", **self.management)


def policy(text: Any) -> Any:
    return text if isinstance(text, dict) else json.loads(text if text.startswith("{") else unquote(text))


def tags(listed: Any, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    pairs = listed.items() if isinstance(listed, dict) else ((item[key], item[value]) for item in listed)
    return [{"Key": name, "Value": text} for name, text in pairs]


def capital(value: Any) -> Any:
    """The API's names as CloudFormation spells them."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: capital(item) for name, item in value.items()}
    return [capital(item) for item in value] if isinstance(value, list) else value


def role(aws: Services, wanted: Wanted) -> Properties:
    there = aws.iam.get_role(RoleName=wanted["RoleName"])["Role"]
    names = aws.iam.list_role_policies(RoleName=wanted["RoleName"])["PolicyNames"]
    found = {name: there[name] for name in ("RoleName", "Path", "Description", "MaxSessionDuration")}
    return {
        **found,
        "AssumeRolePolicyDocument": policy(there["AssumeRolePolicyDocument"]),
        "Policies": [
            {
                "PolicyName": name,
                "PolicyDocument": policy(
                    aws.iam.get_role_policy(RoleName=wanted["RoleName"], PolicyName=name)["PolicyDocument"]
                ),
            }
            for name in names
        ],
        "ManagedPolicyArns": [
            item["PolicyArn"]
            for item in aws.iam.list_attached_role_policies(RoleName=wanted["RoleName"])["AttachedPolicies"]
        ],
        "PermissionsBoundary": there.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "Tags": tags(aws.iam.list_role_tags(RoleName=wanted["RoleName"])["Tags"]),
    }


def security_group(aws: Services, wanted: Wanted) -> Properties:
    filters = [{"Name": "group-name", "Values": [wanted["GroupName"]]}]
    (there,) = aws.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    return {
        "GroupName": there["GroupName"],
        "GroupDescription": there["Description"],
        "VpcId": there["VpcId"],
        "SecurityGroupIngress": [
            {
                "IpProtocol": rule["IpProtocol"],
                "FromPort": rule["FromPort"],
                "ToPort": rule["ToPort"],
                "SourceSecurityGroupId": pair["GroupId"],
                "Description": pair["Description"],
            }
            for rule in there["IpPermissions"]
            for pair in rule["UserIdGroupPairs"]
        ],
        "SecurityGroupEgress": there["IpPermissionsEgress"],
        "Tags": tags(there["Tags"]),
    }


def endpoint(aws: Services, wanted: Wanted) -> Properties:
    filters = [{"Name": "service-name", "Values": [wanted["ServiceName"]]}]
    (there,) = aws.ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    same = ("VpcEndpointType", "ServiceName", "VpcId", "SubnetIds", "PrivateDnsEnabled")
    told = there.get("DnsOptions", {}).get("PrivateDnsOnlyForInboundResolverEndpoint")
    names = {"PrivateDnsOnlyForInboundResolverEndpoint": "OnlyInboundResolver" if told else "AllResolvers"}
    return {
        **{name: there[name] for name in same},
        **({"DnsOptions": names} if told is not None else {}),
        "SecurityGroupIds": [group["GroupId"] for group in there["Groups"]],
        "PolicyDocument": policy(there["PolicyDocument"]),
        "Tags": tags(there["Tags"]),
    }


def key(aws: Services, wanted: Wanted) -> Properties:
    named = next(item["Value"] for item in wanted["Tags"] if item["Key"] == "ringwall:id")
    name = f"alias/ringwall/complete/{named.removeprefix('key/')}"
    there = aws.kms.describe_key(KeyId=name)["KeyMetadata"]
    rotation = aws.kms.get_key_rotation_status(KeyId=there["KeyId"])
    same = ("Description", "KeySpec", "KeyUsage", "MultiRegion", "Enabled")
    return {
        **{name: there[name] for name in same},
        "EnableKeyRotation": rotation["KeyRotationEnabled"],
        "RotationPeriodInDays": rotation["RotationPeriodInDays"],
        "KeyPolicy": policy(aws.kms.get_key_policy(KeyId=there["KeyId"])["Policy"]),
        "Tags": tags(aws.kms.list_resource_tags(KeyId=there["KeyId"])["Tags"], "TagKey", "TagValue"),
    }


def alias(aws: Services, wanted: Wanted) -> Properties:
    (there,) = (
        item
        for page in aws.kms.get_paginator("list_aliases").paginate()
        for item in page["Aliases"]
        if item["AliasName"] == wanted["AliasName"]
    )
    return {name: there[name] for name in ("AliasName", "TargetKeyId")}


def bucket(aws: Services, wanted: Wanted) -> Properties:
    s3, name = aws.s3, wanted["BucketName"]
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    return {
        "BucketName": name,
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
                    "BucketKeyEnabled": rule["BucketKeyEnabled"],
                }
                for rule in encryption
            ]
        },
        "PublicAccessBlockConfiguration": s3.get_public_access_block(Bucket=name)[
            "PublicAccessBlockConfiguration"
        ],
        "OwnershipControls": s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"],
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name)["Status"]},
        "LifecycleConfiguration": {"Rules": [_lifecycle(rule) for rule in rules]},
        "Tags": tags(s3.get_bucket_tagging(Bucket=name)["TagSet"]),
    }


def _lifecycle(rule: Mapping[str, Any]) -> Properties:
    """S3 says Filter and Expiration, CloudFormation Prefix and ExpirationInDays."""
    found = {name: rule[name] for name in ("Status", "AbortIncompleteMultipartUpload") if name in rule}
    found["Id"] = rule["ID"]
    if "NoncurrentVersionExpiration" in rule:
        found["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    if "Expiration" in rule:
        found["ExpirationInDays"] = rule["Expiration"]["Days"]
    prefix = (rule.get("Filter") or {}).get("Prefix", rule.get("Prefix", ""))
    return {**found, **({"Prefix": prefix} if prefix else {})}


def bucket_policy(aws: Services, wanted: Wanted) -> Properties:
    text = aws.s3.get_bucket_policy(Bucket=wanted["Bucket"])["Policy"]
    return {"Bucket": wanted["Bucket"], "PolicyDocument": policy(text)}


def trail(aws: Services, wanted: Wanted) -> Properties:
    cloudtrail, name = aws.cloudtrail, wanted["TrailName"]
    there = cloudtrail.get_trail(Name=name)["Trail"]
    (listed,) = cloudtrail.list_tags(ResourceIdList=[there["TrailARN"]])["ResourceTagList"]
    return {
        "TrailName": there["Name"],
        "S3BucketName": there["S3BucketName"],
        "IsLogging": cloudtrail.get_trail_status(Name=name)["IsLogging"],
        "IsMultiRegionTrail": there["IsMultiRegionTrail"],
        "IncludeGlobalServiceEvents": there["IncludeGlobalServiceEvents"],
        "EnableLogFileValidation": there["LogFileValidationEnabled"],
        "KMSKeyId": there["KmsKeyId"],
        "AdvancedEventSelectors": cloudtrail.get_event_selectors(TrailName=name)["AdvancedEventSelectors"],
        "Tags": tags(listed["TagsList"]),
    }


def log_group(aws: Services, wanted: Wanted) -> Properties:
    name = wanted["LogGroupName"]
    (there,) = aws.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    masked = aws.logs.get_data_protection_policy(logGroupIdentifier=name)["policyDocument"]
    arn = there["arn"].removesuffix(":*")
    return {
        "LogGroupName": there["logGroupName"],
        "RetentionInDays": there["retentionInDays"],
        "KmsKeyId": there["kmsKeyId"],
        "DeletionProtectionEnabled": there["deletionProtectionEnabled"],
        "DataProtectionPolicy": policy(masked),
        "Tags": tags(aws.logs.list_tags_for_resource(resourceArn=arn)["tags"]),
    }


def invocation_logging(aws: Services, wanted: Wanted) -> Properties:
    del wanted
    return {
        "LoggingConfig": capital(aws.bedrock.get_model_invocation_logging_configuration()["loggingConfig"])
    }


BLOCKS = {
    "ContentPolicyConfig": ("contentPolicy", {"filters": "FiltersConfig", "tier": "ContentFiltersTierConfig"}),
    "TopicPolicyConfig": ("topicPolicy", {"topics": "TopicsConfig", "tier": "TopicsTierConfig"}),
    "WordPolicyConfig": ("wordPolicy", {"words": "WordsConfig", "managedWordLists": "ManagedWordListsConfig"}),
    "SensitiveInformationPolicyConfig": (
        "sensitiveInformationPolicy",
        {"piiEntities": "PiiEntitiesConfig", "regexes": "RegexesConfig"},
    ),
    "ContextualGroundingPolicyConfig": (
        "contextualGroundingPolicy",
        {"filters": "FiltersConfig", "tier": "ContextualGroundingTierConfig"},
    ),
}  # fmt: skip
FILLED_IN = ("BLOCK", True, ["TEXT"])
"""What Bedrock answers where a request said nothing: it blocks, is on, and looks at text."""


def content(there: Mapping[str, Any], wanted: Wanted) -> Properties:
    found: Properties = {
        "BlockedInputMessaging": there["blockedInputMessaging"],
        "BlockedOutputsMessaging": there["blockedOutputsMessaging"],
    }
    for name, (block, members) in BLOCKS.items():
        if block in there:
            found[name] = {
                member: _said(capital(there[block][api]), (wanted.get(name) or {}).get(member))
                for api, member in members.items()
                if api in there[block]
            }
    return found


def _said(items: Any, wanted: Any) -> Any:
    """A list without what Bedrock filled in by itself, which a declaration need not say."""
    if not isinstance(items, list):
        return items
    known = {_name(item): item for item in wanted or ()}
    return [
        {
            member: value
            for member, value in item.items()
            if member in known.get(_name(item), {}) or value not in (*FILLED_IN, item.get("Action"))
        }
        for item in items
    ]


def _name(item: Mapping[str, Any]) -> Any:
    return item.get("Name") or item.get("Text") or item.get("Type")


def _guardrail_id(aws: Services, name: str) -> str:
    (found,) = (item["id"] for item in aws.bedrock.list_guardrails()["guardrails"] if item["name"] == name)
    return str(found)


def guardrail(aws: Services, wanted: Wanted) -> Properties:
    bedrock = aws.bedrock
    there = bedrock.get_guardrail(guardrailIdentifier=_guardrail_id(aws, wanted["Name"]))
    listed = bedrock.list_tags_for_resource(resourceARN=there["guardrailArn"])["tags"]
    found = {
        "Name": there["name"],
        "Description": there["description"],
        "KmsKeyArn": there.get("kmsKeyArn"),
        "Tags": tags(listed, "key", "value"),
        **content(there, wanted),
    }
    if "crossRegionDetails" in there:
        profile = there["crossRegionDetails"]["guardrailProfileArn"]
        found["CrossRegionConfig"] = {"GuardrailProfileArn": profile}
    return found


def guardrail_version(aws: Services, wanted: Wanted) -> Properties:
    bedrock, guardrail_id = aws.bedrock, wanted["GuardrailIdentifier"]
    listed = bedrock.list_guardrails(guardrailIdentifier=guardrail_id)["guardrails"]
    (number,) = (item["version"] for item in listed if item["version"] != "DRAFT")
    there = bedrock.get_guardrail(guardrailIdentifier=guardrail_id, guardrailVersion=number)
    return {
        "GuardrailIdentifier": there["guardrailId"],
        "Description": there["description"],
        **content(there, wanted),
    }


def topic(aws: Services, wanted: Wanted) -> Properties:
    arn = _topic(aws, wanted["TopicName"])
    there = aws.sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    return {
        "TopicName": arn.rsplit(":", 1)[-1],
        "KmsMasterKeyId": there["KmsMasterKeyId"],
        "Tags": tags(aws.sns.list_tags_for_resource(ResourceArn=arn)["Tags"]),
    }


def _topic(aws: Services, name: str) -> str:
    (arn,) = (
        item["TopicArn"] for item in aws.sns.list_topics()["Topics"] if item["TopicArn"].endswith(f":{name}")
    )
    return str(arn)


def topic_policy(aws: Services, wanted: Wanted) -> Properties:
    texts = {
        arn: aws.sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"] for arn in wanted["Topics"]
    }
    (document,) = (policy(text) for text in texts.values())
    return {"Topics": list(texts), "PolicyDocument": document}


def subscription(aws: Services, wanted: Wanted) -> Properties:
    listed = aws.sns.list_subscriptions_by_topic(TopicArn=wanted["TopicArn"])["Subscriptions"]
    (there,) = listed
    return {name: there[name] for name in ("TopicArn", "Protocol", "Endpoint")}


def alarm(aws: Services, wanted: Wanted) -> Properties:
    (there,) = aws.cloudwatch.describe_alarms(AlarmNames=[wanted["AlarmName"]])["MetricAlarms"]
    listed = aws.cloudwatch.list_tags_for_resource(ResourceARN=there["AlarmArn"])["Tags"]
    return {**{name: there[name] for name in wanted if name != "Tags"}, "Tags": tags(listed)}


def rule(aws: Services, wanted: Wanted) -> Properties:
    there = aws.events.describe_rule(Name=wanted["Name"])
    listed = aws.events.list_tags_for_resource(ResourceARN=there["Arn"])["Tags"]
    return {
        **{name: there[name] for name in ("Name", "Description", "State")},
        "EventPattern": json.loads(there["EventPattern"]),
        "Targets": [
            {name: item[name] for name in ("Id", "Arn")}
            for item in aws.events.list_targets_by_rule(Rule=wanted["Name"])["Targets"]
        ],
        "Tags": tags(listed),
    }


def retention(aws: Services, wanted: Wanted) -> Properties:
    del wanted
    return {"Mode": aws.bedrock.get_account_data_retention()["mode"]}


def resource_policy(aws: Services, wanted: Wanted) -> Properties:
    text = aws.bedrock.get_resource_policy(resourceArn=wanted["ResourceArn"])["resourcePolicy"]
    return {"ResourceArn": wanted["ResourceArn"], "PolicyDocument": policy(text)}


def enforced(aws: Services, wanted: Wanted) -> Properties:
    del wanted
    (there,) = aws.bedrock.list_enforced_guardrails_configuration()["guardrailsConfig"]
    return {
        "GuardrailInferenceConfig": {
            "GuardrailIdentifier": there["guardrailArn"],
            "GuardrailVersion": there["guardrailVersion"],
            "SelectiveContentGuarding": capital(there["selectiveContentGuarding"]),
            "ModelEnforcement": capital(there["modelEnforcement"]),
        }
    }


def organization_policy(aws: Services, wanted: Wanted) -> Properties:
    client = aws.organization
    listed = client.list_policies(Filter=wanted["Type"])["Policies"]
    (summary,) = (item for item in listed if item["Name"] == wanted["Name"])
    there = client.describe_policy(PolicyId=summary["Id"])["Policy"]
    targets = client.list_targets_for_policy(PolicyId=summary["Id"])["Targets"]
    return {
        **{name: there["PolicySummary"][name] for name in ("Name", "Description", "Type")},
        "Content": json.loads(there["Content"]),
        "TargetIds": [item["TargetId"] for item in targets],
        "Tags": tags(client.list_tags_for_resource(ResourceId=summary["Id"])["Tags"]),
    }


READERS: Mapping[str, Callable[[Services, Wanted], Properties]] = {
    "AWS::IAM::Role": role,
    "AWS::EC2::SecurityGroup": security_group,
    "AWS::EC2::VPCEndpoint": endpoint,
    "AWS::KMS::Key": key,
    "AWS::KMS::Alias": alias,
    "AWS::S3::Bucket": bucket,
    "AWS::S3::BucketPolicy": bucket_policy,
    "AWS::CloudTrail::Trail": trail,
    "AWS::Logs::LogGroup": log_group,
    "Ringwall::Bedrock::InvocationLogging": invocation_logging,
    "AWS::Bedrock::Guardrail": guardrail,
    "AWS::Bedrock::GuardrailVersion": guardrail_version,
    "AWS::SNS::Topic": topic,
    "AWS::SNS::TopicPolicy": topic_policy,
    "AWS::SNS::Subscription": subscription,
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::Events::Rule": rule,
    "Ringwall::Bedrock::DataRetention": retention,
    "AWS::Bedrock::ResourcePolicy": resource_policy,
    "AWS::Bedrock::EnforcedGuardrailConfiguration": enforced,
    "AWS::Organizations::Policy": organization_policy,
}


def unordered(value: Any) -> Any:
    """A value in which the order of lists does not count, and what is absent is absent however it is spelled."""
    if isinstance(value, Mapping):
        kept = {name: unordered(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in (None, [], {})}
    if isinstance(value, list | tuple):
        return sorted((unordered(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
