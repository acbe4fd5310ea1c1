"""Changes behind the declaration's back, each made by a real call in the sandbox: every one is found, by name."""

from __future__ import annotations

import json

from deploy.deploy_sweep import Deployment, one_of_each
from ringwall import catalog
from ringwall.demo.world import environment
from ringwall.deploy.drift import find_drift
from ringwall.estate.kinds import registry
from ringwall.sandbox import Sandbox

ACCOUNT = "111122223333"
REGION = "us-east-1"
ANYTHING = {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}
WITHIN = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Intruder:
    """Somebody with the administrator's permissions and the ids of what is deployed."""

    def __init__(self, deployment, made):
        self.aws, self.management = deployment.aws, deployment.management
        self.ids = {name: item.id for name, item in made.items()}
        self.made = made

    def key(self, operation, **more):
        self.aws.call("kms", operation, KeyId=self.ids["key/trail"], **more)

    def bucket(self, operation, **more):
        self.aws.call("s3", operation, Bucket=self.ids["bucket/invocation-logs"], **more)

    def log_group(self, operation, **more):
        self.aws.call("logs", operation, logGroupName=self.ids["log-group/invocations"], **more)

    def role(self, operation, **more):
        self.aws.call("iam", operation, RoleName=self.ids["role/assistant"], **more)

    def group(self, operation, **rule):
        permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **rule}
        self.aws.call(
            "ec2", operation, GroupId=self.ids["security-group/endpoints"], IpPermissions=[permission]
        )

    def endpoint(self, **more):
        self.aws.call("ec2", "ModifyVpcEndpoint", VpcEndpointId=self.ids["endpoint/bedrock"], **more)

    def guardrail(self, **changed):
        guardrail = self.ids["guardrail/team-experiment"]
        keep = {
            "name": "team-experiment",
            "blockedInputMessaging": self.made["guardrail/team-experiment"].get("BlockedInputMessaging"),
            "blockedOutputsMessaging": self.made["guardrail/team-experiment"].get("BlockedOutputsMessaging"),
            "wordPolicyConfig": {"wordsConfig": [{"text": "xyzzy"}]},
        }
        self.aws.call("bedrock", "UpdateGuardrail", guardrailIdentifier=guardrail, **{**keep, **changed})

    def logging(self, **changed):
        have = self.aws.call("bedrock", "GetModelInvocationLoggingConfiguration")["loggingConfig"]
        self.aws.call("bedrock", "PutModelInvocationLoggingConfiguration", loggingConfig={**have, **changed})

    def trail(self, operation, **more):
        self.aws.call("cloudtrail", operation, **more)

    def alarm(self, **changed):
        (have,) = self.aws.call(
            "cloudwatch", "DescribeAlarms", AlarmNames=[self.ids["alarm/client-errors-claude"]]
        )["MetricAlarms"]
        names = (
            "AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmActions", "MetricName", "Namespace", "Statistic",
            "Dimensions", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator", "TreatMissingData",
        )  # fmt: skip
        self.aws.call(
            "cloudwatch",
            "PutMetricAlarm",
            **{**{name: have[name] for name in names if name in have}, **changed},
        )

    def topic(self, operation, **more):
        self.aws.call("sns", operation, TopicArn=self.ids["topic/alarms"], **more)

    def rule(self, operation, **more):
        self.aws.call("events", operation, **more)

    def scp(self, operation, **more):
        self.management.call("organizations", operation, PolicyId=self.ids["scp/api-keys"], **more)

    def newcomer(self, name, *statements):
        self.aws.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=policy(WITHIN))
        self.aws.call(
            "iam", "PutRolePolicy", RoleName=name, PolicyName="all", PolicyDocument=policy(*statements)
        )


def _wide_policy(i):
    made = i.aws.call("iam", "CreatePolicy", PolicyName="Wide", PolicyDocument=policy(ANYTHING))["Policy"]
    i.role("AttachRolePolicy", PolicyArn=made["Arn"])


def _second_endpoint(i):
    declared = i.made["endpoint/bedrock"]
    i.aws.call(
        "ec2",
        "CreateVpcEndpoint",
        VpcId=declared.get("VpcId"),
        ServiceName=f"com.amazonaws.{REGION}.bedrock-runtime",
        VpcEndpointType="Interface",
        SubnetIds=declared.get("SubnetIds")[:1],
        PrivateDnsEnabled=False,
    )


def _user(i):
    i.aws.call("iam", "CreateUser", UserName="shadow")
    i.aws.call("iam", "PutUserPolicy", UserName="shadow", PolicyName="all", PolicyDocument=policy(ANYTHING))


def _weak_word_policy(i):
    i.guardrail(wordPolicyConfig={"wordsConfig": [{"text": "something else"}]})


CHANGED = [
    # (what was done, by whom, the changed resource, what the path contains)
    ("key rotation off", lambda i: i.key("DisableKeyRotation"), "key/trail", "EnableKeyRotation"),
    (
        "key policy widened",
        lambda i: i.key(
            "PutKeyPolicy",
            PolicyName="default",
            Policy=policy(
                {
                    "Sid": "All",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ),
        ),
        "key/trail",
        "KeyPolicy.Statement[All]",
    ),
    (
        "key granted to somebody",
        lambda i: i.key(
            "CreateGrant", GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:role/Thief", Operations=["Decrypt"]
        ),
        "key/trail",
        "Grants",
    ),
    ("key disabled", lambda i: i.key("DisableKey"), "key/trail", "Enabled"),
    (
        "alias points elsewhere",
        lambda i: i.aws.call(
            "kms",
            "UpdateAlias",
            AliasName="alias/ringwall/quickstart/alarms",
            TargetKeyId=i.ids["key/trail"],
        ),
        "alias/alarms",
        "TargetKeyId",
    ),
    (
        "public access block gone",
        lambda i: i.bucket("DeletePublicAccessBlock"),
        "bucket/invocation-logs",
        "PublicAccessBlock",
    ),
    (
        "bucket encrypted with AWS's key",
        lambda i: i.bucket(
            "PutBucketEncryption",
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        ),
        "bucket/invocation-logs",
        "BucketEncryption",
    ),
    (
        "versioning suspended",
        lambda i: i.bucket("PutBucketVersioning", VersioningConfiguration={"Status": "Suspended"}),
        "bucket/invocation-logs",
        "VersioningConfiguration",
    ),
    (
        "objects owned by their writers",
        lambda i: i.bucket(
            "PutBucketOwnershipControls", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        ),
        "bucket/invocation-logs",
        "OwnershipControls",
    ),
    (
        "logs kept for a day",
        lambda i: i.log_group("PutRetentionPolicy", retentionInDays=1),
        "log-group/invocations",
        "RetentionInDays",
    ),
    (
        "inline policy added",
        lambda i: i.role("PutRolePolicy", PolicyName="more", PolicyDocument=policy(ANYTHING)),
        "role/assistant",
        "Policies[more]",
    ),
    ("managed policy attached", _wide_policy, "role/assistant", "ManagedPolicyArns"),
    (
        "trust widened",
        lambda i: i.role(
            "UpdateAssumeRolePolicy",
            PolicyDocument=policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}),
        ),
        "role/assistant",
        "AssumeRolePolicyDocument",
    ),
    (
        "longer sessions",
        lambda i: i.role("UpdateRole", MaxSessionDuration=43200),
        "role/assistant",
        "MaxSessionDuration",
    ),
    (
        "ownership tag taken off",
        lambda i: i.aws.call(
            "iam", "UntagRole", RoleName=i.ids["role/invocation-logging"], TagKeys=["ringwall:perimeter"]
        ),
        "role/invocation-logging",
        "Tags",
    ),
    (
        "security group open to the world",
        lambda i: i.group("AuthorizeSecurityGroupIngress", IpRanges=[{"CidrIp": "0.0.0.0/0"}]),
        "security-group/endpoints",
        "SecurityGroupIngress",
    ),
    (
        "security group may send",
        lambda i: i.group("AuthorizeSecurityGroupEgress", IpRanges=[{"CidrIp": "0.0.0.0/0"}]),
        "security-group/endpoints",
        "SecurityGroupEgress",
    ),
    (
        "endpoint policy opened",
        lambda i: i.endpoint(
            PolicyDocument=policy({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})
        ),
        "endpoint/bedrock",
        "PolicyDocument",
    ),
    (
        "private DNS off",
        lambda i: i.endpoint(PrivateDnsEnabled=False),
        "endpoint/bedrock",
        "PrivateDnsEnabled",
    ),
    ("guardrail's words replaced", _weak_word_policy, "guardrail/team-experiment", "WordPolicyConfig"),
    (
        "guardrail's message changed",
        lambda i: i.guardrail(blockedInputMessaging="try again"),
        "guardrail/team-experiment",
        "BlockedInputMessaging",
    ),
    (
        "images not logged",
        lambda i: i.logging(imageDataDeliveryEnabled=False),
        "invocation-logging/main",
        "ImageDataDeliveryEnabled",
    ),
    (
        "trail stopped",
        lambda i: i.trail("StopLogging", Name=i.made["trail/main"].get("TrailName")),
        "trail/main",
        "IsLogging",
    ),
    (
        "trail without data events",
        lambda i: i.trail(
            "PutEventSelectors",
            TrailName=i.made["trail/main"].get("TrailName"),
            AdvancedEventSelectors=[
                {
                    "Name": "Management",
                    "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
                }
            ],
        ),
        "trail/main",
        "AdvancedEventSelectors",
    ),
    (
        "trail's files not validated",
        lambda i: i.trail(
            "UpdateTrail", Name=i.made["trail/main"].get("TrailName"), EnableLogFileValidation=False
        ),
        "trail/main",
        "EnableLogFileValidation",
    ),
    (
        "alarm's threshold out of reach",
        lambda i: i.alarm(Threshold=1_000_000.0),
        "alarm/client-errors-claude",
        "Threshold",
    ),
    (
        "alarm's actions off",
        lambda i: i.aws.call(
            "cloudwatch", "DisableAlarmActions", AlarmNames=[i.ids["alarm/client-errors-claude"]]
        ),
        "alarm/client-errors-claude",
        "ActionsEnabled",
    ),
    (
        "topic without its key",
        lambda i: i.topic("SetTopicAttributes", AttributeName="KmsMasterKeyId", AttributeValue=""),
        "topic/alarms",
        "KmsMasterKeyId",
    ),
    (
        "anybody publishes alarms",
        lambda i: i.topic(
            "SetTopicAttributes",
            AttributeName="Policy",
            AttributeValue=policy(
                {
                    "Sid": "Anybody",
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "sns:Publish",
                    "Resource": i.ids["topic/alarms"],
                }
            ),
        ),
        "topic-policy/alarms",
        "PolicyDocument",
    ),
    (
        "rule disabled",
        lambda i: i.rule("DisableRule", Name=i.made["rule/control-tampering"].get("Name")),
        "rule/control-tampering",
        "State",
    ),
    (
        "rule tells nobody",
        lambda i: i.rule("RemoveTargets", Rule=i.made["rule/control-tampering"].get("Name"), Ids=["alarms"]),
        "rule/control-tampering",
        "Targets",
    ),
    (
        "rule tells that all is well",
        lambda i: i.rule(
            "PutTargets",
            Rule=i.made["rule/control-tampering"].get("Name"),
            Targets=[{"Id": "alarms", "Arn": i.ids["topic/alarms"], "Input": '"all is well"'}],
        ),
        "rule/control-tampering",
        "Targets[alarms].Input",
    ),
    (
        "rule hears of another account alone",
        lambda i: i.rule(
            "PutRule",
            Name=i.made["rule/control-tampering"].get("Name"),
            EventPattern=json.dumps(
                {**i.made["rule/control-tampering"].get("EventPattern"), "account": ["000000000000"]}
            ),
        ),
        "rule/control-tampering",
        "EventPattern.account",
    ),
    (
        "logs masked no more",
        lambda i: i.aws.call(
            "logs", "DeleteDataProtectionPolicy", logGroupIdentifier=i.ids["log-group/invocations"]
        ),
        "log-group/invocations",
        "DataProtectionPolicy.Statement[mask]",
    ),
    (
        "trail records less of a type",
        lambda i: i.trail(
            "PutEventSelectors",
            TrailName=i.made["trail/main"].get("TrailName"),
            AdvancedEventSelectors=[
                {
                    **item,
                    "FieldSelectors": [
                        {**one, "NotEquals": ["other"]} if one["Field"] == "eventCategory" else one
                        for one in item["FieldSelectors"]
                    ],
                }
                for item in i.made["trail/main"].get("AdvancedEventSelectors")
            ],
        ),
        "trail/main",
        "NotEquals",
    ),
    (
        "key about to be deleted",
        lambda i: i.aws.call("kms", "ScheduleKeyDeletion", KeyId=i.ids["key/alarms"], PendingWindowInDays=7),
        "key/alarms",
        "KeyState",
    ),
    (
        "organization policy emptied",
        lambda i: i.scp(
            "UpdatePolicy",
            Content=policy(
                {"Sid": "None", "Effect": "Deny", "Action": "sts:GetAccessKeyInfo", "Resource": "*"}
            ),
        ),
        "scp/api-keys",
        "Content",
    ),
    (
        "organization policy detached",
        lambda i: i.scp("DetachPolicy", TargetId=ACCOUNT),
        "scp/api-keys",
        "TargetIds",
    ),
    (
        "prompts kept by AWS",
        lambda i: i.aws.call("bedrock", "PutAccountDataRetention", mode="default"),
        "data-retention/main",
        "Mode",
    ),
    (
        "bucket policy without TLS",
        lambda i: i.aws.call(
            "s3",
            "PutBucketPolicy",
            Bucket=i.ids["bucket/trail"],
            Policy=policy(
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "s3:*",
                    "Resource": f"arn:aws:s3:::{i.ids['bucket/trail']}/*",
                }
            ),
        ),
        "bucket-policy/trail",
        "Statement[TlsOnly]",
    ),
]
MISSING = [
    (
        "bucket policy deleted",
        lambda i: i.bucket("DeleteBucketPolicy"),
        "bucket-policy/invocation-logs",
    ),
    (
        "endpoint deleted",
        lambda i: i.aws.call("ec2", "DeleteVpcEndpoints", VpcEndpointIds=[i.ids["endpoint/bedrock"]]),
        "endpoint/bedrock",
    ),
    (
        "guardrail version deleted",
        lambda i: i.aws.call(
            "bedrock",
            "DeleteGuardrail",
            guardrailIdentifier=i.ids["guardrail/team-experiment"],
            guardrailVersion="1",
        ),
        "guardrail-version/team-experiment",
    ),
    (
        "logging switched off",
        lambda i: i.aws.call("bedrock", "DeleteModelInvocationLoggingConfiguration"),
        "invocation-logging/main",
    ),
    (
        "alarm deleted",
        lambda i: i.aws.call("cloudwatch", "DeleteAlarms", AlarmNames=[i.ids["alarm/client-errors-claude"]]),
        "alarm/client-errors-claude",
    ),
    (
        "listener removed",
        lambda i: i.aws.call("sns", "Unsubscribe", SubscriptionArn=i.ids["subscription/alarms"]),
        "subscription/alarms",
    ),
    ("organization policy deleted", lambda i: i.scp("DeletePolicy"), "scp/api-keys"),
]
UNMANAGED = [
    # (what was done, by whom, what the finding names)
    ("role with everything", lambda i: i.newcomer("Shadow", ANYTHING), "role/Shadow"),
    ("user with everything", _user, "user/shadow"),
    (
        "a Bedrock API key",
        lambda i: i.aws.call(
            "iam",
            "CreateServiceSpecificCredential",
            UserName="shadow",
            ServiceName="bedrock.amazonaws.com",
        ),
        "Bedrock API key",
    ),
    (
        "role that may weaken the controls",
        lambda i: i.newcomer(
            "Undertaker", {"Effect": "Allow", "Action": ["cloudtrail:StopLogging"], "Resource": "*"}
        ),
        "role/Undertaker",
    ),
    ("endpoint with the default policy", _second_endpoint, "bedrock-runtime"),
    (
        "another listener",
        lambda i: i.topic("Subscribe", Protocol="email", Endpoint="thief@example.com"),
        "thief@example.com",
    ),
]


def found_by(drift):
    """What a report says, one word for each finding."""
    for change in drift.changed:
        yield from (("changed", change.id, item.path) for item in change.differences)
    yield from (("missing", change.id, "") for change in drift.missing)
    yield from (("unmanaged", f"{item.what} {item.id}", "") for item in drift.unmanaged)


def test_every_change_is_found():
    assert len(CHANGED) + len(MISSING) + len(UNMANAGED) > 25
    with Sandbox() as sandbox, environment(sandbox.environment()):
        deployment = Deployment.connected(one_of_each)
        observed = deployment.observe()
        applied = deployment.apply(deployment.plan(observed))
        assert applied.complete
        observed = deployment.observe()
        made = {change.id: change.observed for change in deployment.plan(observed).changes}
        targets = {target for _, _, target, _ in CHANGED} | {target for _, _, target in MISSING}
        covered = {item.type for item in deployment.desired if item.id in targets}
        assert {item.type for item in deployment.desired} - covered == set(), "of every kind one at least"
        intruder, vocabulary = Intruder(deployment, made), catalog.load()

        def report(observed):
            drift = find_drift(
                deployment.desired,
                observed,
                registry(),
                vocabulary,
                perimeter=deployment.perimeter.name,
                administrators=deployment.perimeter.administrators,
                listed=deployment.listed(observed),
            )
            return set(found_by(drift))

        before = report(observed)
        assert before == set()
        unseen = []
        for name, act, expected in [
            *((name, act, ("changed", target, path)) for name, act, target, path in CHANGED),
            *((name, act, ("unmanaged", words, "")) for name, act, words in UNMANAGED),
            *((name, act, ("missing", target or "", "")) for name, act, target in MISSING),
        ]:
            already = len(deployment.aws.recording())
            act(intruder)
            writes = [(item.service, item.operation) for item in deployment.aws.recording()[already:]]
            observed = deployment.refreshed(observed, writes)
            after = report(observed)
            what, target, path = expected
            if not any(item[0] == what and target in item[1] and path in item[2] for item in after - before):
                unseen.append((name, sorted(after - before)))
            before = after
        assert unseen == []
        assert deployment.apply(deployment.plan()).complete
        left = report(deployment.observe())
        assert {item[0] for item in left} == {"unmanaged"}, (
            "apply repairs what is ours, and leaves others' things"
        )
