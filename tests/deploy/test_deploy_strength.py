"""Which differences weaken a control."""

from __future__ import annotations

import pytest

from ringwall.deploy.diff import differences
from ringwall.deploy.strength import effect, reverse

ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("path", "before", "after", "expected"),
    [
        ("EnableKeyRotation", True, False, "weakens"),
        ("EnableKeyRotation", False, True, "strengthens"),
        ("PublicAccessBlockConfiguration.BlockPublicAcls", True, False, "weakens"),
        ("ContentPolicyConfig.FiltersConfig[INSULTS].InputStrength", "HIGH", "MEDIUM", "weakens"),
        ("ContentPolicyConfig.FiltersConfig[INSULTS].InputStrength", "NONE", "LOW", "strengthens"),
        ("ContentPolicyConfig.FiltersConfig[INSULTS]", {"Type": "INSULTS"}, None, "weakens"),
        (
            "SensitiveInformationPolicyConfig.PiiEntitiesConfig[EMAIL].Action",
            "ANONYMIZE",
            "BLOCK",
            "strengthens",
        ),
        ("RetentionInDays", 365, 1, "weakens"),
        ("LifecycleConfiguration.Rules[tidy].ExpirationInDays", 1096, 1, "weakens"),
        ("RetentionInDays", None, 365, "neutral"),
        ("RotationPeriodInDays", 365, 2560, "weakens"),
        ("PolicyDocument.Statement[X]", None, ALLOW, "weakens"),
        ("PolicyDocument.Statement[X]", ALLOW, None, "strengthens"),
        ("Content.Statement[X]", None, DENY, "strengthens"),
        ("Content.Statement[X]", DENY, None, "weakens"),
        ("Content.Statement[X]", DENY, ALLOW, "unclear"),
        ('PolicyDocument.Statement[{"Action":["a"],"Effect":"Allow"}]', None, ALLOW, "weakens"),
        (
            "PolicyDocument.Statement[X]",
            {**ALLOW, "Action": ["a"]},
            {**ALLOW, "Action": ["a", "b"]},
            "weakens",
        ),
        (
            "PolicyDocument.Statement[X]",
            {**DENY, "Action": ["a"]},
            {**DENY, "Action": ["a", "b"]},
            "strengthens",
        ),
        (
            "PolicyDocument.Statement[X]",
            {**ALLOW, "Resource": ["a"]},
            {**ALLOW, "Resource": ["b"]},
            "unclear",
        ),
        ("KeyPolicy.Statement[X]", {**ALLOW, "Condition": {"Bool": {"a": "true"}}}, ALLOW, "weakens"),
        ("Content.Statement[X]", {**DENY, "Condition": {"Bool": {"a": "true"}}}, DENY, "strengthens"),
        (
            "KeyPolicy.Statement[X]",
            {**ALLOW, "Principal": {"AWS": ["a"]}},
            {**ALLOW, "Principal": {"AWS": ["a", "b"]}},
            "weakens",
        ),
        (
            "KeyPolicy.Statement[X]",
            {**ALLOW, "Principal": {"AWS": ["a"]}, "Action": ["a", "b"]},
            {**ALLOW, "Principal": {"AWS": ["a", "b"]}, "Action": ["a"]},
            "unclear",
        ),
        (
            "KeyPolicy.Statement[X]",
            {**ALLOW, "NotAction": ["a"]},
            {**ALLOW, "NotAction": ["a", "b"]},
            "unclear",
        ),
        ("DataProtectionPolicy.Statement[mask]", {"Sid": "mask"}, None, "weakens"),
        ("Policies[more]", None, {"PolicyDocument": {"Statement": [ALLOW]}}, "weakens"),
        ("Policies[more]", None, {"PolicyDocument": {"Statement": DENY}}, "strengthens"),
        ("Policies[more]", None, {"PolicyDocument": {"Statement": [ALLOW, DENY]}}, "unclear"),
        ("TargetIds", ["r-1"], [], "weakens"),
        ("AlarmActions", ["arn:aws:sns:x"], [], "weakens"),
        ("SecurityGroupIngress", [], [{"CidrIp": "0.0.0.0/0"}], "weakens"),
        ("ManagedPolicyArns", ["a", "b"], ["a"], "strengthens"),
        ("KmsKeyId", "arn:aws:kms:x", None, "weakens"),
        ("Tags[team]", None, {"Key": "team"}, "neutral"),
        ("Description", "a", "b", "neutral"),
        ("Threshold", 1, 5, "unclear"),
        ("ContextualGroundingPolicyConfig.FiltersConfig[GROUNDING].Threshold", 0.7, 0.1, "weakens"),
        ("KeyState", "Enabled", "PendingDeletion", "weakens"),
        ("State", "ENABLED", "DISABLED", "weakens"),
        ("Targets[alarms]", {"Id": "alarms"}, None, "weakens"),
        ("MaxSessionDuration", 3600, 43200, "weakens"),
        ("Mode", "none", "default", "weakens"),
        ("Mode", "none", "inherit", "unclear"),
        ("SecurityGroupIds", ["sg-1"], ["sg-1", "sg-2"], "weakens"),
        ("AdvancedEventSelectors[a].FieldSelectors[readOnly]", None, {"Equals": ["true"]}, "weakens"),
        ("OwnershipControls.Rules[0].ObjectOwnership", "BucketOwnerEnforced", "ObjectWriter", "weakens"),
    ],
)
def test_effect(path, before, after, expected):
    assert effect(path, before, after) == expected
    if expected in ("weakens", "strengthens"):
        assert effect(path, after, before) == reverse(expected)


@pytest.mark.parametrize(
    ("declared", "observed", "paths"),
    [
        ({"A": {"B": 1}}, {"A": {"B": 1, "C": 2}, "D": 3}, []),
        ({"A": {"B": 1}}, {"A": {"B": 2}}, ["A.B"]),
        ({"A": {"B": 1}}, {}, ["A"]),
        ({"L": [1, 2]}, {"L": (1, 2)}, []),
        ({"L": [1, 2]}, {"L": [2, 1]}, ["L"]),
        (
            {"F": [{"Type": "A", "S": 1}, {"Type": "B"}]},
            {"F": [{"Type": "B"}, {"Type": "A", "S": 2}]},
            ["F[A].S"],
        ),
        ({"F": [{"Type": "A"}]}, {"F": [{"Type": "A"}, {"Type": "B"}]}, ["F[B]"]),
        ({"Tags": [{"Key": "a", "Value": "1"}]}, {"Tags": [{"Key": "b", "Value": "1"}]}, ["Tags[a]"]),
        ({"F": [{"S": 1}]}, {"F": [{"S": 2}]}, ["F[0].S"]),
        ({"F": [{"S": 1}]}, {"F": [{"S": 1, "T": 2}]}, ["F[0].T"]),
        ({"F": [{"S": 1}]}, {"F": [{"S": 1}, {"S": 2}]}, ["F"]),
        (
            {"Targets": [{"Id": "a", "Arn": "x"}]},
            {"Targets": [{"Id": "a", "Arn": "x", "Input": "y"}]},
            ["Targets[a].Input"],
        ),
        (
            {"EventPattern": {"source": ["a"]}},
            {"EventPattern": {"source": ["a"], "account": ["1"]}},
            ["EventPattern.account"],
        ),
        (
            {"LoggingConfig": {"CloudWatchConfig": {"RoleArn": "x"}}},
            {
                "LoggingConfig": {
                    "CloudWatchConfig": {"RoleArn": "x"},
                    "S3Config": {"BucketName": "y"},
                    "NewFlag": True,
                }
            },
            ["LoggingConfig.S3Config"],
        ),
        ({"Other": {"A": 1}}, {"Other": {"A": 1, "B": 2}}, []),
        ({"P": {"Version": "2012-10-17", "Statement": []}}, {"P": {"Statement": []}}, ["P.Version"]),
        ({"P": {"Statement": [ALLOW]}}, {"P": {"Statement": ALLOW}}, []),
        ({"P": {"Statement": [ALLOW, DENY]}}, {"P": {"Statement": [DENY, ALLOW]}}, []),
        (
            {"P": {"Statement": [{**DENY, "Condition": {"Bool": {"aws:SecureTransport": False}}}]}},
            {"P": {"Statement": [{**DENY, "Condition": {"Bool": {"aws:SecureTransport": ["false"]}}}]}},
            [],
        ),
        (
            {"P": {"Statement": [{**ALLOW, "Sid": "A", "Action": ["b", "a"]}]}},
            {"P": {"Statement": [{**ALLOW, "Sid": "A", "Action": ["a", "b", "c"]}, {**ALLOW, "Sid": "B"}]}},
            ["P.Statement[A]", "P.Statement[B]"],
        ),
    ],
)
def test_differences(declared, observed, paths):
    assert [item.path for item in differences(declared, observed)] == paths
