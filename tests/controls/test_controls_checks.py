"""Each control on Estates where one thing is wrong: exactly its own finding fails, for the reason that was planted."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from controls.controls_estates import (
    ACCOUNT,
    Change,
    bare,
    changed,
    context,
    desired,
    gone,
    quickstart,
    setting,
    unlisted,
    unreadable,
    verdicts,
    without,
)
from ringwall import catalog
from ringwall.access import Access
from ringwall.controls import registry
from ringwall.controls.context import CheckContext
from ringwall.controls.findings import CATEGORIES, Finding, Status
from ringwall.controls.guardrail_routes import guardrail_routes
from ringwall.controls.judging import judge
from ringwall.controls.proving import prove_baseline
from ringwall.estate.model import Account, Estate, Resource, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.access.proving import EstateAnswer
    from ringwall.controls.control import Control

REGIONS = next(item for item in registry() if item.slug == "regions-restricted")
ALLOW_ALL = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


@cache
def proofs() -> Mapping[str, EstateAnswer]:
    """Proofs over the quickstart as it is; they stay valid where no policy changes."""
    return context(proofs=True).proofs


def failing(estate: Estate) -> dict[str, list[str]]:
    """Summaries of failures by control."""
    found = replace(context(estate), proofs=proofs())
    by_control: dict[str, list[str]] = {}
    for finding in judge(found):
        if finding.status is Status.FAIL:
            by_control.setdefault(finding.control, []).append(finding.summary)
    return by_control


def edited(path: str, value: Any) -> Change:
    """Change of one place inside the properties; ``value`` may be a function of what stands there."""

    def change(resource: Resource) -> Resource:
        properties = deepcopy(dict(resource.properties))
        *parents, last = path.split(".")
        place: Any = properties
        for part in parents:
            place = place[int(part)] if part.isdigit() else place[part]
        key: Any = int(last) if last.isdigit() else last
        place[key] = value(place[key]) if callable(value) else value
        return replace(resource, properties=properties)

    return change


def statements(keep: str | None = None, drop: str | None = None, add: Any = None) -> Any:
    """Change of a list of statements."""

    def change(found: list[Any]) -> list[Any]:
        kept = [item for item in found if keep in (None, item.get("Sid")) and item.get("Sid") != drop]
        return [*kept, *([add] if add else [])]

    return change


def management_only(selectors: list[Any]) -> list[Any]:
    return [item for item in selectors if item["Name"] == "Management"]


def reads_dropped(selectors: list[Any]) -> list[Any]:
    found = deepcopy(selectors)
    found[0]["FieldSelectors"].append({"Field": "readOnly", "Equals": ["false"]})
    return found


def bedrock_excluded(selectors: list[Any]) -> list[Any]:
    found = deepcopy(selectors)
    found[0]["FieldSelectors"].append({"Field": "eventSource", "NotEquals": ["bedrock.amazonaws.com"]})
    return found


OPEN_RULE = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
LOGGING = "LoggingConfig"
ALARM, RULE = "alarm/guardrail-errors", "rule/control-tampering"
DENY_ALL = {"Sid": "Never", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
SELF_DESTRUCTION = {"Id": "gone", "Status": "Enabled", "ExpirationInDays": 1}


def unconditional(sid: str) -> Any:
    """Change of a list of statements: one of them loses its condition."""

    def change(found: list[Any]) -> list[Any]:
        return [
            {name: value for name, value in item.items() if name != "Condition" or item.get("Sid") != sid}
            for item in found
        ]

    return change


def only_of(resource_arn: str) -> Any:
    """Change of event selectors: the one for agents asks for one resource."""

    def change(found: list[Any]) -> list[Any]:
        narrowed = {"Field": "resources.ARN", "StartsWith": [resource_arn]}
        return [
            {**item, "FieldSelectors": [*item["FieldSelectors"], narrowed]}
            if item["Name"] == "BedrockAgentAlias"
            else item
            for item in found
        ]

    return change


CASES: tuple[tuple[str, str, Change, str, str], ...] = (
    # what is wrong, resource, change, the one control that fails, part of its summary
    ("endpoint gone", "endpoint/bedrock-runtime", gone, "vpc-endpoint-effective", "has no endpoint"),
    ("private DNS off", "endpoint/bedrock-runtime", setting(PrivateDnsEnabled=False), "vpc-endpoint-effective", "private DNS is off"),
    ("private DNS for others", "endpoint/bedrock-runtime", setting(DnsOptions={"PrivateDnsOnlyForInboundResolverEndpoint": "OnlyInboundResolver"}), "vpc-endpoint-effective", "on-premises networks alone"),
    ("endpoint failed", "endpoint/bedrock-runtime", setting(State="failed"), "vpc-endpoint-effective", "failed, not available"),
    ("default policy", "endpoint/bedrock-runtime", without("PolicyDocument"), "vpc-endpoint-effective", "default policy"),
    ("policy for everybody", "endpoint/bedrock-runtime", edited("PolicyDocument.Statement", [ALLOW_ALL]), "vpc-endpoint-effective", "credentials of any account"),
    ("subnet missing", "endpoint/bedrock-runtime", setting(SubnetIds=["subnet-0a11ce00000000001"]), "vpc-endpoint-effective", "subnet-0a11ce00000000002"),
    ("group open to the world", "security-group/endpoints", setting(SecurityGroupIngress=[OPEN_RULE]), "vpc-endpoint-effective", "admits everybody"),
    ("group closed to the application", "security-group/endpoints", setting(SecurityGroupIngress=[]), "vpc-endpoint-effective", "does not admit"),
    ("group open to the VPC", "security-group/endpoints", edited("SecurityGroupIngress", [{**OPEN_RULE, "CidrIp": "10.0.0.0/16"}]), "vpc-endpoint-effective", "not the application alone"),
    ("key gone", "key/alarms", gone, "keys-effective", "no key for alarms"),
    ("key disabled", "key/guardrail", setting(Enabled=False, KeyState="Disabled"), "keys-effective", "Disabled"),
    ("key on its way out", "key/guardrail", setting(KeyState="PendingDeletion"), "keys-effective", "PendingDeletion"),
    ("no rotation", "key/guardrail", setting(EnableKeyRotation=False), "keys-effective", "does not rotate"),
    ("key for everybody", "key/guardrail", edited("KeyPolicy.Statement", statements(add=ALLOW_ALL)), "keys-effective", "other accounts"),
    ("confused deputy", "key/invocation-log-bucket", edited("KeyPolicy.Statement.1.Condition", {}), "keys-effective", "on behalf of any account"),
    ("grant", "key/guardrail", setting(Grants=[{"GranteePrincipal": "arn:aws:iam::111122223333:role/Shadow", "Operations": ["Decrypt"]}]), "keys-effective", "a grant gives"),
    ("log group without key", "log-group/invocations", without("KmsKeyId"), "keys-effective", "no key of ours"),
    ("bucket with AWS's key", "bucket/trail", edited("BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault", {"SSEAlgorithm": "AES256"}), "keys-effective", "no key of ours"),
    ("trail gone", "trail/main", gone, "trail-records-inference", "there is no trail"),
    ("trail stopped", "trail/main", setting(IsLogging=False), "trail-records-inference", "not logging"),
    ("trail write-only", "trail/main", lambda r: without("AdvancedEventSelectors")(setting(EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}])(r)), "trail-records-inference", "read-only management events"),
    ("trail without reads", "trail/main", edited("AdvancedEventSelectors", reads_dropped), "trail-records-inference", "read-only management events"),
    ("trail without data events", "trail/main", edited("AdvancedEventSelectors", management_only), "trail-records-inference", "AWS::Bedrock::AgentAlias"),
    ("trail without Bedrock", "trail/main", edited("AdvancedEventSelectors", bedrock_excluded), "trail-records-inference", "management events"),
    ("trail cannot write", "bucket-policy/trail", edited("PolicyDocument.Statement", statements(drop="CloudTrailWrites")), "trail-records-inference", "s3:PutObject"),
    ("trail cannot encrypt", "key/trail", edited("KeyPolicy.Statement", statements(drop="CloudTrailEncrypts")), "trail-records-inference", "cannot encrypt"),
    ("last delivery failed", "trail/main", setting(LatestDeliveryError="AccessDenied"), "trail-records-inference", "last delivery failed"),
    ("logging off", "invocation-logging/main", gone, "invocation-logging-delivers", "is off"),
    ("a modality off", "invocation-logging/main", edited(f"{LOGGING}.ImageDataDeliveryEnabled", False), "invocation-logging-delivers", "off: image"),
    ("log group gone", "log-group/invocations", gone, "invocation-logging-delivers", "does not exist"),
    ("logging bucket gone", "bucket/invocation-logs", gone, "invocation-logging-delivers", "does not exist"),
    ("other prefix", "invocation-logging/main", edited(f"{LOGGING}.S3Config.KeyPrefix", "elsewhere"), "invocation-logging-delivers", "cannot write to s3://"),
    ("bucket policy for another account", "bucket-policy/invocation-logs", edited("PolicyDocument.Statement.0.Condition.StringEquals", {"aws:SourceAccount": "444455556666"}), "invocation-logging-delivers", "cannot write to s3://"),
    ("bucket key without Bedrock", "key/invocation-log-bucket", edited("KeyPolicy.Statement", statements(keep="AccountAdministration")), "invocation-logging-delivers", "kms:GenerateDataKey"),
    ("log group key without Logs", "key/invocation-log-group", edited("KeyPolicy.Statement", statements(keep="AccountAdministration")), "invocation-logging-delivers", "logs.us-east-1.amazonaws.com"),
    ("logs kept a day", "log-group/invocations", setting(RetentionInDays=1), "invocation-logging-delivers", "keeps logs 1 days"),
    ("logging role writes another stream", "role/invocation-logging", edited("Policies.0.PolicyDocument.Statement.0.Resource", lambda found: [item.replace("modelinvocations", "other") for item in found]), "invocation-logging-delivers", "cannot logs:PutLogEvents"),
    ("guardrail gone", "guardrail/baseline", gone, "guardrail-filters-content", "there is no guardrail"),
    ("filter NONE", "guardrail/baseline", edited("ContentPolicyConfig.FiltersConfig.1.InputStrength", "NONE"), "guardrail-filters-content", "VIOLENCE on input is NONE"),
    ("filter only reports", "guardrail/baseline", edited("ContentPolicyConfig.FiltersConfig.0", lambda item: {**item, "OutputAction": "NONE"}), "guardrail-filters-content", "SEXUAL on output is NONE"),
    ("filter off", "guardrail/baseline", edited("ContentPolicyConfig.FiltersConfig.5", lambda item: {**item, "InputEnabled": False}), "guardrail-filters-content", "PROMPT_ATTACK on input"),
    ("topic gone", "guardrail/baseline", without("TopicPolicyConfig"), "guardrail-filters-content", "topic Investment advice is missing"),
    ("PII let through", "guardrail/baseline", edited("SensitiveInformationPolicyConfig.PiiEntitiesConfig.1.Action", "ANONYMIZE"), "guardrail-filters-content", "US_SOCIAL_SECURITY_NUMBER"),
    ("word dropped", "guardrail/baseline", edited("WordPolicyConfig.WordsConfig", [{"Text": "other"}]), "guardrail-filters-content", "project-nightjar"),
    ("version gone", "guardrail-version/baseline", gone, "guardrail-pinned", "no published version"),
    ("version of weaker content", "guardrail-version/baseline", edited("ContentPolicyConfig.FiltersConfig.1.InputStrength", "NONE"), "guardrail-pinned", "VIOLENCE on input is NONE"),
    ("version without a topic", "guardrail-version/baseline", without("TopicPolicyConfig"), "guardrail-pinned", "topic Investment advice is missing"),
    ("alarm without action", "alarm/log-delivery-s3", setting(AlarmActions=[]), "alarms-reach-someone", "notifies nobody"),
    ("actions off", "alarm/log-delivery-s3", setting(ActionsEnabled=False), "alarms-reach-someone", "switched off"),
    ("alarm gone", "alarm/mantle-use", gone, "alarms-reach-someone", "does not exist"),
    ("rule disabled", "rule/control-tampering", setting(State="DISABLED"), "alarms-reach-someone", "disabled"),
    ("rule without target", "rule/control-tampering", setting(Targets=[]), "alarms-reach-someone", "notifies nobody"),
    ("topic gone", "topic/alarms", gone, "alarms-reach-someone", "does not exist"),
    ("topic closed to CloudWatch", "topic-policy/alarms", edited("PolicyDocument.Statement", statements(drop="CloudWatchPublishes")), "alarms-reach-someone", "cloudwatch.amazonaws.com cannot publish"),
    ("topic key closed to EventBridge", "key/alarms", edited("KeyPolicy.Statement", statements(drop="EventBridgePublishes")), "alarms-reach-someone", "events.amazonaws.com"),
    ("nobody subscribed", "subscription/alarms", gone, "alarms-reach-someone", "nobody has subscribed"),
    ("nobody confirmed", "subscription/alarms", setting(PendingConfirmation=True), "alarms-reach-someone", "waits for confirmation"),
    ("retention for review", "data-retention/main", setting(Mode="aws_review"), "data-retention-none", "is aws_review"),
    ("retention never set", "data-retention/main", setting(Mode="inherit"), "data-retention-none", "never set"),
    # There, in the right place and under the right name, and of no effect.
    ("alarm that no number reaches", ALARM, setting(Threshold=1_000_000_000), "alarms-reach-someone", "Threshold"),
    ("alarm on another metric", ALARM, setting(MetricName="Invocations"), "alarms-reach-someone", "MetricName"),
    ("alarm on another service", ALARM, setting(Namespace="AWS/EC2"), "alarms-reach-someone", "Namespace"),
    ("alarm on another guardrail", ALARM, setting(Dimensions=[{"Name": "GuardrailArn", "Value": "other"}]), "alarms-reach-someone", "Dimensions"),
    ("alarm turned round", ALARM, setting(ComparisonOperator="LessThanThreshold"), "alarms-reach-someone", "ComparisonOperator"),
    ("alarm that waits for a day", ALARM, setting(EvaluationPeriods=288), "alarms-reach-someone", "EvaluationPeriods"),
    ("alarm that stops a machine", ALARM, setting(AlarmActions=["arn:aws:automate:us-east-1:ec2:stop"]), "alarms-reach-someone", "notifies nobody"),
    ("rule for other sources", RULE, edited("EventPattern", {"source": ["aws.sns"]}), "alarms-reach-someone", "EventPattern"),
    ("rule for events that never come", RULE, edited("EventPattern.detail-type", ["Nothing"]), "alarms-reach-someone", "EventPattern"),
    ("rule without one event", RULE, edited("EventPattern.detail.eventName", lambda found: [item for item in found if item != "DeleteGuardrail"]), "alarms-reach-someone", "EventPattern"),
    ("topic that refuses", "topic-policy/alarms", edited("PolicyDocument.Statement", statements(add=DENY_ALL)), "alarms-reach-someone", "cannot publish"),
    ("topic for another account's alarms", "topic-policy/alarms", edited("PolicyDocument.Statement.0.Condition.StringEquals", {"aws:SourceAccount": "444455556666"}), "alarms-reach-someone", "cannot publish"),
    ("subscription to another topic", "subscription/alarms", setting(TopicArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:other"), "alarms-reach-someone", "nobody has subscribed"),
    ("trail's bucket refuses", "bucket-policy/trail", edited("PolicyDocument.Statement", statements(add=DENY_ALL)), "trail-records-inference", "cannot s3:"),
    ("trail's key refuses", "key/trail", edited("KeyPolicy.Statement", statements(add=DENY_ALL)), "trail-records-inference", "cannot encrypt"),
    ("trail of one agent", "trail/main", edited("AdvancedEventSelectors", only_of("arn:x")), "trail-records-inference", "AWS::Bedrock::AgentAlias"),
    ("trail of one Region", "trail/main", setting(IsMultiRegionTrail=False), "trail-records-inference", "covers one Region"),
    ("trail without IAM", "trail/main", setting(IncludeGlobalServiceEvents=False), "trail-records-inference", "IAM and STS"),
    ("trail without digests", "trail/main", setting(EnableLogFileValidation=False), "trail-records-inference", "no digests"),
    ("trail's bucket for anybody's trail", "bucket-policy/trail", edited("PolicyDocument.Statement.1.Condition", {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}), "buckets-private", "cloudtrail.amazonaws.com on behalf of any account"),
    ("trail's records go after a day", "bucket/trail", edited("LifecycleConfiguration.Rules", lambda found: [*found, SELF_DESTRUCTION]), "buckets-private", "after 1 days"),
    ("trail's records go on a day", "bucket/trail", edited("LifecycleConfiguration.Rules", lambda found: [*found, {"Id": "gone", "Status": "Enabled", "ExpirationDate": "2026-12-01T00:00:00+00:00"}]), "buckets-private", "on 2026-12-01"),
    ("logs go after a day", "bucket/invocation-logs", edited("LifecycleConfiguration.Rules", lambda found: [*found, SELF_DESTRUCTION]), "buckets-private", "after 1 days"),
    ("log bucket for anybody's Bedrock", "bucket-policy/invocation-logs", edited("PolicyDocument.Statement", unconditional("BedrockLogDelivery")), "buckets-private", "bedrock.amazonaws.com on behalf of any account"),
    ("log bucket refuses", "bucket-policy/invocation-logs", edited("PolicyDocument.Statement", statements(add=DENY_ALL)), "invocation-logging-delivers", "cannot write to s3://"),
    ("log bucket asks for another encryption", "bucket-policy/invocation-logs", edited("PolicyDocument.Statement", statements(add={**DENY_ALL, "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}})), "invocation-logging-delivers", "cannot write to s3://"),
    ("logging role for anybody's Bedrock", "role/invocation-logging", edited("AssumeRolePolicyDocument.Statement", unconditional("BedrockWritesLogs")), "invocation-logging-delivers", "on behalf of any account"),
    ("logging role for everybody", "role/invocation-logging", edited("AssumeRolePolicyDocument.Statement", statements(add={"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})), "invocation-logging-delivers", "others than Bedrock"),
    ("logging role of somebody else", "invocation-logging/main", edited(f"{LOGGING}.CloudWatchConfig.RoleArn", f"arn:aws:iam::{ACCOUNT}:role/quickstart-app"), "invocation-logging-delivers", "cannot assume"),
    ("large bodies to nowhere", "invocation-logging/main", edited(f"{LOGGING}.CloudWatchConfig.LargeDataDeliveryS3Config.BucketName", "nowhere"), "invocation-logging-delivers", "bucket nowhere does not exist"),
    ("mask that only counts", "log-group/invocations", edited("DataProtectionPolicy.Statement", lambda found: found[:1]), "invocation-logging-delivers", "does not mask"),
    ("no mask", "log-group/invocations", without("DataProtectionPolicy"), "invocation-logging-delivers", "does not mask"),
    ("log group that can be deleted", "log-group/invocations", setting(DeletionProtectionEnabled=False), "invocation-logging-delivers", "can be deleted"),
    ("guardrail that failed", "guardrail/baseline", setting(Status="FAILED"), "guardrail-filters-content", "FAILED"),
    ("filter of images alone", "guardrail/baseline", edited("ContentPolicyConfig.FiltersConfig.0", lambda item: {**item, "InputModalities": ["IMAGE"]}), "guardrail-filters-content", "does not look at text"),
    ("topic that only reports", "guardrail/baseline", edited("TopicPolicyConfig.TopicsConfig.0", lambda item: {**item, "InputAction": "NONE"}), "guardrail-filters-content", "is not blocked"),
    ("topic off", "guardrail/baseline", edited("TopicPolicyConfig.TopicsConfig.0", lambda item: {**item, "InputEnabled": False}), "guardrail-filters-content", "is not blocked"),
    ("topic of other words", "guardrail/baseline", edited("TopicPolicyConfig.TopicsConfig.0", lambda item: {**item, "Definition": "x"}), "guardrail-filters-content", "defined otherwise"),
    ("word that only reports", "guardrail/baseline", edited("WordPolicyConfig.WordsConfig.0", lambda item: {**item, "OutputAction": "NONE"}), "guardrail-filters-content", "not blocked"),
    ("profanity only reported", "guardrail/baseline", edited("WordPolicyConfig.ManagedWordListsConfig.0", lambda item: {**item, "InputAction": "NONE"}), "guardrail-filters-content", "PROFANITY"),
    ("PII only reported", "guardrail/baseline", edited("SensitiveInformationPolicyConfig.PiiEntitiesConfig.2", lambda item: {**item, "OutputAction": "NONE"}), "guardrail-filters-content", "AWS_SECRET_KEY on output is NONE"),
    ("version that failed", "guardrail-version/baseline", setting(Status="FAILED"), "guardrail-pinned", "FAILED"),
    ("endpoint for whoever calls declared models", "endpoint/bedrock-runtime", edited("PolicyDocument.Statement", unconditional("InvokeDeclaredModels")), "vpc-endpoint-effective", "credentials of any account bedrock:InvokeModel"),
    ("endpoint for every organization", "endpoint/bedrock-runtime", edited("PolicyDocument.Statement.0.Condition", {"StringLike": {"aws:PrincipalOrgID": "*"}}), "vpc-endpoint-effective", "credentials of any account"),
    ("endpoint for a partner", "endpoint/bedrock-runtime", edited("PolicyDocument.Statement.0.Condition", {"StringEquals": {"aws:PrincipalAccount": [ACCOUNT, "444455556666"]}}), "vpc-endpoint-effective", "credentials of account 444455556666"),
    ("endpoint that was rejected", "endpoint/bedrock-runtime", setting(State="rejected"), "vpc-endpoint-effective", "rejected"),
    ("world in two halves", "security-group/endpoints", edited("SecurityGroupIngress", lambda found: [*found, {**OPEN_RULE, "CidrIp": "0.0.0.0/1"}, {**OPEN_RULE, "CidrIp": "128.0.0.0/1"}]), "vpc-endpoint-effective", "admits 0.0.0.0/1"),
    ("group open over IPv6", "security-group/endpoints", edited("SecurityGroupIngress", lambda found: [*found, {"IpProtocol": "-1", "CidrIpv6": "::/0"}]), "vpc-endpoint-effective", "admits everybody (::/0)"),
    ("group open to a prefix list", "security-group/endpoints", edited("SecurityGroupIngress", lambda found: [*found, {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "SourcePrefixListId": "pl-1"}]), "vpc-endpoint-effective", "admits pl-1"),
    ("group for another port", "security-group/endpoints", edited("SecurityGroupIngress.0", lambda rule: {**rule, "FromPort": 80, "ToPort": 80}), "vpc-endpoint-effective", "cannot use it"),
    ("retention shared with providers", "data-retention/us-east-2", setting(Mode="provider_data_share"), "data-retention-none", "provider_data_share"),
    ("trail's records copied elsewhere", "bucket/trail", setting(ReplicationConfiguration={"Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::copies", "Account": "444455556666"}}]}), "buckets-private", "copied to bucket copies of account 444455556666"),
    ("public policies not blocked", "bucket/trail", edited("PublicAccessBlockConfiguration.BlockPublicPolicy", False), "buckets-private", "BlockPublicPolicy"),
    ("role with a managed policy", "role/app", setting(ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonBedrockFullAccess"]), "least-privilege-invoke", "AmazonBedrockFullAccess"),
    ("role with another statement", "role/app", edited("Policies.0.PolicyDocument.Statement", statements(add={"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"})), "least-privilege-invoke", "statements of policy invoke"),
    ("role without its denials", "role/app", edited("Policies.0.PolicyDocument.Statement", statements(drop="NoSideDoors")), "least-privilege-invoke", "without its denials"),
    ("role that trusts others", "role/app", edited("AssumeRolePolicyDocument.Statement.0.Principal", {"AWS": "arn:aws:iam::444455556666:root"}), "least-privilege-invoke", "trust in others"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "change", "slug", "part"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_one_fault_fails_exactly_its_own_control(resource: str, change: Change, slug: str, part: str) -> None:
    found = failing(changed(resource, change))
    assert set(found) == {slug}, found
    assert any(part in summary for summary in found[slug]), found


@pytest.mark.parametrize(
    ("key", "slug", "words"),
    [
        ("key/trail", "trail-records-inference", "CloudTrail cannot encrypt"),
        ("key/invocation-log-bucket", "invocation-logging-delivers", "kms:GenerateDataKey"),
        ("key/invocation-log-group", "invocation-logging-delivers", "logs.us-east-1.amazonaws.com cannot"),
        ("key/alarms", "alarms-reach-someone", "with its key"),
    ],
)
@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion", "PendingImport"])
def test_a_key_that_does_not_work_stops_what_is_written_with_it(
    key: str, slug: str, words: str, state: str
) -> None:
    found = failing(changed(key, setting(KeyState=state)))
    assert set(found) == {"keys-effective", slug}
    assert any(words in summary and state in summary for summary in found[slug]), found


def test_copies_that_are_off_or_stay_here_are_none() -> None:
    def copied(status: str, name: str) -> tuple[Status, ...]:
        rule = {"Status": status, "Destination": {"Bucket": f"arn:aws:s3:::{name}"}}
        trail = (*a_trail(), Resource("AWS::S3::Bucket", ACCOUNT, "us-east-1", "own", {"BucketName": "own"}))
        resources = [
            replace(item, properties={**item.properties, "ReplicationConfiguration": {"Rules": [rule]}})
            if item.id == TRAIL_BUCKET and item.type == "AWS::S3::Bucket"
            else item
            for item in trail
        ]
        found = judge(bare(*resources), frozenset({"buckets-private"}))
        return tuple(item.status for item in found if "are copied to" in item.summary)

    assert copied("Enabled", "elsewhere") == (Status.FAIL,)
    assert copied("Disabled", "elsewhere") == copied("Enabled", "own") == ()


@pytest.mark.parametrize(
    ("policy", "change", "slug"),
    [
        ("scp/guardrail", lambda item: {**item, "Condition": {**item["Condition"], "StringEquals": {"aws:RequestedRegion": "mars-1"}}}, "guardrail-cannot-be-bypassed"),
        ("scp/protect", lambda item: {**item, "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/*", "arn:aws:iam::*:user/*"]}}}, "controls-protected"),
        ("scp/api-keys", lambda item: {**item, "Condition": {"StringEquals": {"iam:ServiceSpecificCredentialServiceName": ["codecommit.amazonaws.com"]}}}, "api-keys-prevented"),
        ("scp/retention", lambda item: {**item, "Condition": {"StringEquals": {"bedrock:DataRetentionMode": ["nothing"]}}}, "data-retention-none"),
    ],
    ids=["condition that never holds", "everybody exempt", "another service", "another value"],
)  # fmt: skip
def test_a_policy_whose_condition_says_nothing_fails_exactly_its_own_control(
    policy: str, change: Any, slug: str
) -> None:
    first = edited("Content.Statement", lambda found: [change(found[0]), *found[1:]])
    found = judge(context(changed(policy, first), proofs=True))
    assert {item.control for item in found if item.status is Status.FAIL} == {slug}


def test_an_endpoint_that_refuses_everything_locks_the_uses_out() -> None:
    refusing = edited("PolicyDocument.Statement", statements(add=DENY_ALL))
    found = judge(context(changed("endpoint/bedrock-runtime", refusing), proofs=True))
    failed = {item.control for item in found if item.status is Status.FAIL}
    assert failed == {"least-privilege-invoke"}


def test_a_policy_that_hangs_on_another_unit_fails() -> None:
    estate = changed("scp/models", setting(TargetIds=["ou-zzzz-00000000"]))
    found = judge(context(estate, proofs=True), frozenset({"models-restricted"}))
    assert Status.FAIL in {item.status for item in found}


@pytest.mark.parametrize("state", ["CREATING", "UPDATING", "VERSIONING"])
def test_a_guardrail_that_is_being_changed_is_unknown(state: str) -> None:
    found = verdicts(changed("guardrail/baseline", setting(Status=state)), "guardrail-filters-content")
    assert [item.status for item in found] == [Status.UNKNOWN]


@pytest.mark.parametrize("name", ["DataProtectionPolicy", "DeletionProtectionEnabled"])
def test_a_log_group_that_was_not_read_whole_is_unknown(name: str) -> None:
    found = verdicts(changed("log-group/invocations", unreadable(name)), "invocation-logging-delivers")
    assert [item.status for item in found] == [Status.UNKNOWN]
    assert name in found[0].summary


def test_the_quickstart_passes_everywhere() -> None:
    found = judge(replace(context(), proofs=proofs()))
    assert {finding.control for finding in found} == {control.slug for control in registry()}
    declared = {finding.control for finding in found if finding.status is not Status.NOT_APPLICABLE}
    assert {finding.status for finding in found if finding.control in declared} == {Status.PASS}
    assert {finding.control for finding in found} - declared == {
        "knowledge-base-sources", "guardrail-enforced", "resources-stay-in-organization", "nothing-shared-outside",
        "agents-bounded", "agentcore-enclosed", "calls-stayed-inside", "vector-store-closed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "slug"),
    [
        ("scp/guardrail", "guardrail-cannot-be-bypassed"),
        ("scp/models", "models-restricted"),
        ("scp/regions", "regions-restricted"),
        ("scp/network", "vpc-endpoint-cannot-be-skipped"),
        ("scp/protect", "controls-protected"),
        ("scp/api-keys", "api-keys-prevented"),
        ("scp/retention", "data-retention-none"),
    ],
)
def test_a_detached_policy_fails_exactly_its_own_control(policy: str, slug: str) -> None:
    estate = changed(policy, setting(TargetIds=[]))
    found = judge(context(estate, proofs=True))
    failed = {finding.control for finding in found if finding.status is Status.FAIL}
    assert failed == {slug}
    proved = [
        finding for finding in found if finding.status is Status.FAIL and finding.confidence == "proved"
    ]
    assert proved
    assert all(finding.details["witness"] for finding in proved)


UNREADABLE: tuple[tuple[str, str, str], ...] = (
    ("endpoint/bedrock-runtime", "PolicyDocument", "vpc-endpoint-effective"),
    ("key/trail", "EnableKeyRotation", "keys-effective"),
    ("key/trail", "KeyPolicy", "trail-records-inference"),
    ("trail/main", "AdvancedEventSelectors", "trail-records-inference"),
    ("trail/main", "IsLogging", "trail-records-inference"),
    ("guardrail/baseline", "ContentPolicyConfig", "guardrail-filters-content"),
    ("guardrail-version/baseline", "ContentPolicyConfig", "guardrail-pinned"),
    ("data-retention/main", "Mode", "data-retention-none"),
    ("key/invocation-log-bucket", "KeyPolicy", "invocation-logging-delivers"),
    ("key/alarms", "KeyPolicy", "alarms-reach-someone"),
)


@pytest.mark.parametrize(("resource", "name", "slug"), UNREADABLE)
def test_what_cannot_be_read_is_unknown_and_says_why(resource: str, name: str, slug: str) -> None:
    estate = changed(resource, unreadable(name, "AccessDenied: needs x:Read"))
    found = [finding for finding in verdicts(estate, slug) if finding.status is not Status.PASS]
    unknowns = [
        finding
        for finding in found
        if "AccessDenied: needs x:Read" in finding.summary or "could not be read" in finding.summary
    ]
    assert unknowns
    assert {finding.status for finding in unknowns} == {Status.UNKNOWN}


@pytest.mark.parametrize(
    ("resource_type", "slug"),
    [
        ("AWS::EC2::VPCEndpoint", "vpc-endpoint-effective"),
        ("AWS::KMS::Key", "keys-effective"),
        ("AWS::CloudTrail::Trail", "trail-records-inference"),
        ("Ringwall::Bedrock::InvocationLogging", "invocation-logging-delivers"),
        ("AWS::S3::BucketPolicy", "invocation-logging-delivers"),
        ("AWS::Logs::LogGroup", "invocation-logging-delivers"),
        ("AWS::Bedrock::Guardrail", "guardrail-filters-content"),
        ("AWS::Bedrock::GuardrailVersion", "guardrail-pinned"),
        ("AWS::CloudWatch::Alarm", "alarms-reach-someone"),
        ("AWS::SNS::Topic", "alarms-reach-someone"),
        ("AWS::SNS::Subscription", "alarms-reach-someone"),
        ("Ringwall::Bedrock::DataRetention", "data-retention-none"),
    ],
)
def test_types_that_cannot_be_listed_are_unknown(resource_type: str, slug: str) -> None:
    found = verdicts(unlisted(resource_type, "AccessDenied: needs x:List"), slug)
    status = {finding.status for finding in found}
    assert Status.UNKNOWN in status
    assert Status.FAIL not in status


def test_claims_without_proof_are_unknown() -> None:
    found = verdicts(None, "guardrail-cannot-be-bypassed")
    assert [finding.status for finding in found] == [Status.UNKNOWN] * 3


def test_six_categories_each_with_a_control() -> None:
    assert {control.category for control in registry()} == set(CATEGORIES)


@pytest.mark.parametrize("control", registry(), ids=lambda control: control.slug)
def test_every_page_has_its_headings(control: Control) -> None:
    headings = [line for line in control.page.splitlines() if line.startswith("## ")]
    assert headings == ["## What it does", "## Why", "## How it fails", "## AWS sources"]
    assert "https://docs.aws.amazon.com/" in control.page.split("## AWS sources")[1]
    assert control.types


@pytest.mark.parametrize(
    "finding", verdicts(None, "keys-effective", "guardrail-filters-content"), ids=lambda f: f.resource
)
def test_findings_as_json_have_the_contract_s_fields(finding: Any) -> None:
    found = finding.to_json()
    assert set(found) >= {
        "control", "status", "severity", "confidence", "account", "region", "resource", "summary", "evidence",
        "remediation", "frameworks",
    }  # fmt: skip
    assert found["status"] == "PASS"
    assert found["frameworks"]


# -- the eight verdicts that presence checks get wrong ---------------------------------------------------------------

TRAIL_BUCKET = "logs"


def a_trail(**selectors: Any) -> tuple[Resource, ...]:
    """A trail that can deliver, with these selectors."""
    arn = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/t"
    allow = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Resource": "*"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [{**allow, "Action": ["s3:GetBucketAcl", "s3:PutObject"]}],
    }
    return (
        Resource("AWS::S3::Bucket", ACCOUNT, "us-east-1", TRAIL_BUCKET, {"BucketName": TRAIL_BUCKET}),
        Resource("AWS::S3::BucketPolicy", ACCOUNT, "us-east-1", TRAIL_BUCKET, {"Bucket": TRAIL_BUCKET, "PolicyDocument": policy}),
        Resource(
            "AWS::CloudTrail::Trail", ACCOUNT, "us-east-1", "t",
            {"TrailName": "t", "Arn": arn, "S3BucketName": TRAIL_BUCKET, "IsLogging": True, "IsMultiRegionTrail": True, **selectors},
        ),
    )  # fmt: skip


def only(found: Any, slug: str) -> list[tuple[Status, str]]:
    return [(finding.status, finding.summary) for finding in judge(found, frozenset({slug}))]


def test_write_only_trail_fails() -> None:
    resources = a_trail(EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}])
    status, summary = only(bare(*resources), "trail-records-inference")[0]
    assert status is Status.FAIL
    assert "read-only management events" in summary


def test_complete_advanced_trail_passes_without_naming_bedrock_as_event_source() -> None:
    resources = a_trail(AdvancedEventSelectors=desired().find("trail/main").get("AdvancedEventSelectors"))  # type: ignore[union-attr]
    assert [item[0] for item in only(bare(*resources), "trail-records-inference")] == [Status.PASS]


def test_logging_to_what_does_not_exist_fails() -> None:
    configuration = {
        "CloudWatchConfig": {
            "LogGroupName": "/no/such/group",
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/NoSuchRole",
        },
        "S3Config": {"BucketName": "no-such-bucket", "KeyPrefix": "x"},
        "TextDataDeliveryEnabled": True,
    }
    setting_ = Resource(
        "Ringwall::Bedrock::InvocationLogging",
        ACCOUNT,
        "us-east-1",
        "invocation-logging",
        {"LoggingConfig": configuration},
    )
    status, summary = only(bare(setting_), "invocation-logging-delivers")[0]
    assert status is Status.FAIL
    for part in (
        "log group /no/such/group does not exist",
        "role NoSuchRole does not exist",
        "bucket no-such-bucket does not exist",
    ):
        assert part in summary


def test_alarm_without_action_fails() -> None:
    alarm = Resource(
        "AWS::CloudWatch::Alarm",
        ACCOUNT,
        "us-east-1",
        "a",
        {"AlarmName": "a", "Namespace": "AWS/Bedrock", "AlarmActions": []},
    )
    assert [item[0] for item in only(bare(alarm), "alarms-reach-someone")] == [Status.FAIL]


def test_open_endpoint_fails() -> None:
    group = Resource(
        "AWS::EC2::SecurityGroup",
        ACCOUNT,
        "us-east-1",
        "sg-1",
        {"GroupId": "sg-1", "SecurityGroupIngress": [OPEN_RULE]},
    )
    endpoint = Resource(
        "AWS::EC2::VPCEndpoint", ACCOUNT, "us-east-1", "vpce-1",
        {
            "ServiceName": "com.amazonaws.us-east-1.bedrock-runtime", "VpcId": "vpc-1", "State": "available",
            "PrivateDnsEnabled": False, "SecurityGroupIds": ["sg-1"],
            "PolicyDocument": {"Statement": [ALLOW_ALL]},
        },
    )  # fmt: skip
    (status, summary), (its_group, admits) = only(bare(group, endpoint), "vpc-endpoint-effective")
    assert status is its_group is Status.FAIL
    assert "admits everybody" in admits
    for part in ("private DNS is off", "credentials of any account"):
        assert part in summary


def a_role(name: str, **properties: Any) -> Resource:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    return Resource(
        "AWS::IAM::Role",
        ACCOUNT,
        "global",
        name,
        {"RoleName": name, "AssumeRolePolicyDocument": trust, **properties},
    )


def test_role_with_everything_fails() -> None:
    policy = {
        "PolicyName": "all",
        "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    }
    found = only(bare(a_role("Admin", Policies=[policy])), "least-privilege-invoke")
    assert [item[0] for item in found] == [Status.FAIL]


def test_role_with_an_unreadable_managed_policy_is_unknown() -> None:
    arn = "arn:aws:iam::aws:policy/AmazonBedrockFullAccess"
    found = only(bare(a_role("Some", ManagedPolicyArns=[arn])), "least-privilege-invoke")
    assert [item[0] for item in found] == [Status.UNKNOWN]
    assert arn in found[0][1]


def test_api_key_of_a_user_fails() -> None:
    key = {
        "ServiceName": "bedrock.amazonaws.com",
        "Status": "Active",
        "ServiceSpecificCredentialId": "ACCA123",
    }
    user = Resource(
        "AWS::IAM::User",
        ACCOUNT,
        "global",
        "BedrockAPIKey-x",
        {"UserName": "BedrockAPIKey-x", "ServiceSpecificCredentials": [key]},
    )
    found = only(bare(user), "api-keys-prevented")
    assert any(status is Status.FAIL and "ACCA123" in summary for status, summary in found)


def test_unused_account_has_no_failures_about_logging_and_alarms() -> None:
    found = judge(
        bare(),
        frozenset(
            {"invocation-logging-delivers", "alarms-reach-someone", "keys-effective", "guardrail-pinned"}
        ),
    )
    assert Status.FAIL not in {finding.status for finding in found}


def test_draft_in_a_policy_fails_pinning() -> None:
    statement = {
        "Effect": "Deny", "Action": "bedrock:InvokeModel", "Resource": "*",
        "Condition": {"StringNotLike": {"bedrock:GuardrailIdentifier": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/abcd1234*"}},
    }  # fmt: skip
    policy = Resource(
        "AWS::Organizations::Policy", "999988887777", "global", "p-1",
        {"Name": "pin", "Type": "SERVICE_CONTROL_POLICY", "Content": {"Version": "2012-10-17", "Statement": [statement]}, "TargetIds": [ACCOUNT]},
    )  # fmt: skip
    member = Account(ACCOUNT, "o-ringwallsb", levels=(ACCOUNT,))
    found = only(bare(policy, account=member), "guardrail-pinned")
    assert [item[0] for item in found] == [Status.FAIL]
    assert "accepts the DRAFT" in found[0][1]


def test_agent_with_a_draft_guardrail_fails_pinning() -> None:
    agent = Resource(
        "AWS::Bedrock::Agent",
        ACCOUNT,
        "us-east-1",
        "AGENT00001",
        {"GuardrailConfiguration": {"GuardrailVersion": "DRAFT"}},
    )
    assert [item[0] for item in only(bare(agent), "guardrail-pinned")] == [Status.FAIL]


def test_unknown_resources_of_others_do_not_hide_a_failure() -> None:
    other = Resource(
        "AWS::S3::Bucket",
        ACCOUNT,
        "us-east-1",
        "other",
        unknown=(Unknown("BucketEncryption", "AccessDenied"),),
    )
    estate = changed("trail/main", setting(IsLogging=False))
    found = verdicts(estate.with_resources([*estate, other]), "trail-records-inference")
    assert [finding.status for finding in found] == [Status.FAIL]


@pytest.mark.parametrize("resource", ["guardrail/baseline", "endpoint/bedrock-runtime", "key/guardrail"])
def test_claims_about_what_is_gone_are_unknown_and_name_it(resource: str) -> None:
    found = judge(replace(context(changed(resource, gone)), proofs=proofs()))
    unknowns = [finding for finding in found if finding.status is Status.UNKNOWN]
    assert unknowns
    assert all(resource in finding.summary for finding in unknowns)


def test_before_anything_is_deployed_the_open_door_is_a_failure() -> None:
    everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    policy = {"PolicyName": "all", "PolicyDocument": {"Statement": everything}}
    empty = replace(desired(), resources=(a_role("Admin", Policies=[policy]),))
    slugs = ("guardrail-cannot-be-bypassed", "models-restricted", "regions-restricted", "controls-protected")
    found = judge(context(empty, proofs=True), frozenset(slugs))
    assert {finding.control for finding in found if finding.status is Status.FAIL} == set(slugs)


# -- exemptions, and accounts without a declaration ------------------------------------------------------------------


def a_service_role(service: str) -> Resource:
    """A role with everything that a service alone may assume."""
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]
    }
    policy = {"Statement": [{"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}]}
    return Resource(
        "AWS::IAM::Role",
        ACCOUNT,
        "global",
        "role/other",
        {
            "RoleName": "other",
            "AssumeRolePolicyDocument": trust,
            "Policies": [{"PolicyName": "all", "PolicyDocument": policy}],
        },
    )


@pytest.mark.parametrize(
    ("service", "named"), [("lambda.amazonaws.com", True), ("bedrock.amazonaws.com", False)]
)
def test_a_role_for_workloads_is_no_service_role(service: str, named: bool) -> None:
    estate = changed("scp/guardrail", setting(TargetIds=[]))
    estate = estate.with_resources([*estate, a_service_role(service)])
    found = judge(context(estate, proofs=True), frozenset({"guardrail-cannot-be-bypassed"}))
    assert any("role/other" in " ".join(finding.details["principals"]) for finding in found) is named


def baseline(*resources: Resource) -> tuple[Finding, ...]:
    unproved = bare(*resources)
    proved = prove_baseline(unproved.observed, ACCOUNT, catalog.load(), access=unproved.access)
    return judge(replace(unproved, proofs={item.declared.name: item.answer for item in proved}))


def test_without_a_declaration_an_open_account_fails_and_names_who() -> None:
    policy = {
        "PolicyName": "all",
        "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    }
    found = {
        finding.control: finding
        for finding in baseline(a_role("Admin", Policies=[policy]))
        if finding.status is Status.FAIL and finding.confidence == "proved"
    }
    assert set(found) == {
        "least-privilege-invoke",
        "guardrail-cannot-be-bypassed",
        "models-restricted",
        "regions-restricted",
        "vpc-endpoint-cannot-be-skipped",
        "controls-protected",
        "api-keys-prevented",
        "data-retention-none",
    }
    assert any("role/Admin" in who for who in found["guardrail-cannot-be-bypassed"].details["principals"])


@pytest.mark.parametrize(
    ("profile", "status", "words"),
    [
        ("us.guardrail.v1:0", None, ""),
        ("us.guardrail.v2:0", Status.UNKNOWN, "is not known"),
        ("eu.guardrail.v1:0", Status.UNKNOWN, "is not known"),
    ],
)
def test_where_guardrails_are_evaluated(profile: str, status: Status | None, words: str) -> None:
    arn = f"arn:aws:bedrock:us-east-1:111122223333:guardrail-profile/{profile}"
    estate = changed("guardrail/baseline", setting(CrossRegionConfig={"GuardrailProfileArn": arn}))
    found = list(guardrail_routes(CheckContext(quickstart(), estate, estate, Access(estate)), REGIONS))
    assert [item.status for item in found] == ([] if status is None else [status])
    assert all(words in item.summary for item in found)


def test_a_guardrail_that_is_evaluated_abroad_fails() -> None:
    regions = {"source": "us-east-1", "destinations": ["us-east-1", "us-east-2"], "residency": "geographic"}
    arn = "arn:aws:bedrock:us-east-1:111122223333:guardrail-profile/us.guardrail.v1:0"
    estate = changed("guardrail/baseline", setting(CrossRegionConfig={"GuardrailProfileArn": arn}))
    perimeter = quickstart().model_copy(update={"regions": quickstart().regions.model_validate(regions)})
    context = CheckContext(perimeter, estate, estate, Access(estate))
    (found,) = guardrail_routes(context, REGIONS)
    assert found.status is Status.FAIL
    assert found.details["regions"] == ["us-west-2"]


def test_a_guardrail_whose_route_was_not_read_is_unknown() -> None:
    estate = changed("guardrail/baseline", unreadable("CrossRegionConfig", "AccessDenied: needs x:Read"))
    context = CheckContext(quickstart(), estate, estate, Access(estate))
    (found,) = guardrail_routes(context, REGIONS)
    assert found.status is Status.UNKNOWN
