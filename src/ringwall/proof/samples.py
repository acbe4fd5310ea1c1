"""Names and values that people know: what a witness shows where a proof leaves the choice."""

from __future__ import annotations

REGIONS = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "eu-west-1", "eu-west-2", "eu-west-3",
    "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "ap-northeast-1", "ap-northeast-2",
    "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-south-1",
    "ap-south-2", "ap-east-1", "sa-east-1", "me-central-1", "me-south-1", "af-south-1", "il-central-1",
    "us-gov-west-1", "us-gov-east-1", "cn-north-1", "cn-northwest-1",
)  # fmt: skip

_VALUES: dict[str, tuple[str, ...]] = {
    "aws:requestedregion": REGIONS,
    "aws:sourceip": ("203.0.113.7", "198.51.100.7", "2001:db8::7"),
    "aws:vpcsourceip": ("10.0.1.7", "172.16.0.7", "192.168.0.7"),
    "aws:sourcevpc": ("vpc-0123456789abcdef0", "vpc-0fedcba9876543210"),
    "aws:sourcevpcarn": ("arn:aws:ec2:us-east-1:444455556666:vpc/vpc-0123456789abcdef0",),
    "aws:sourcevpce": ("vpce-0123456789abcdef0", "vpce-0fedcba9876543210"),
    "aws:currenttime": ("2026-01-01T00:00:00Z",),
    "aws:epochtime": ("1767225600",),
    "aws:tokenissuetime": ("2026-01-01T00:00:00Z",),
    "aws:useragent": ("aws-cli/2",),
    "aws:principalorgid": ("o-unlistedorg",),
    "aws:resourceorgid": ("o-unlistedorg",),
    "aws:resourceaccount": ("444455556666",),
    "aws:sourceaccount": ("444455556666",),
    "aws:multifactorauthage": ("60",),
    "bedrock:guardrailidentifier": (
        "arn:aws:bedrock:us-east-1:111122223333:guardrail/unlisted00:1",
        "arn:aws:bedrock:us-east-1:111122223333:guardrail/unlisted00",
    ),
    "bedrock:bearertokentype": ("SHORT_TERM", "LONG_TERM"),
}


def of_key(key: str) -> tuple[str, ...]:
    """Sample values of a lower-cased key, none if nothing is known of it."""
    return _VALUES.get(key, ())


ACCOUNT = "444455556666"
"""An account that nothing else is said of."""

ACTIONS = (
    "bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:ApplyGuardrail", "bedrock:InvokeAgent",
    "bedrock:Retrieve", "bedrock:GetFoundationModel", "bedrock:ListFoundationModels", "bedrock:GetGuardrail",
    "bedrock:CreateGuardrail", "bedrock:UpdateGuardrail", "bedrock:DeleteGuardrail",
    "bedrock:PutModelInvocationLoggingConfiguration", "s3:GetObject", "s3:PutObject", "s3:ListBucket",
    "s3:DeleteObject", "s3:PutBucketPolicy", "s3:ListAllMyBuckets", "ec2:DescribeInstances", "ec2:RunInstances",
    "ec2:TerminateInstances", "ec2:CreateTags", "ec2:DescribeVpcs", "iam:GetRole", "iam:PassRole", "iam:CreateRole",
    "iam:AttachRolePolicy", "iam:ListRoles", "iam:CreateUser", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
    "kms:DescribeKey", "kms:CreateGrant", "kms:ScheduleKeyDeletion", "sts:AssumeRole", "lambda:InvokeFunction",
    "lambda:CreateFunction", "lambda:GetFunction", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query",
    "dynamodb:DeleteTable", "secretsmanager:GetSecretValue", "secretsmanager:CreateSecret", "ssm:GetParameter",
    "ssm:PutParameter", "logs:CreateLogGroup", "logs:PutLogEvents", "logs:GetLogEvents", "logs:DeleteLogGroup",
    "cloudwatch:PutMetricData", "cloudwatch:GetMetricData", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail",
    "cloudtrail:LookupEvents", "sns:Publish", "sns:Subscribe", "sqs:SendMessage", "sqs:ReceiveMessage",
    "organizations:DescribeOrganization", "organizations:LeaveOrganization", "cloudformation:CreateStack",
    "cloudformation:DescribeStacks", "rds:DescribeDBInstances", "ecr:GetAuthorizationToken", "ecs:RunTask",
)  # fmt: skip
"""Actions that people know, the best known of each service first."""

_BY_BEGINNING: dict[str, str] = {
    "foundation-model/": "amazon.nova-lite-v1:0",
    "inference-profile/": "us.amazon.nova-lite-v1:0",
    "guardrail/": "abcdefghijkl",
    "key/": "1234abcd-12ab-34cd-56ef-1234567890ab",
    "role/": "Example",
    "user/": "Example",
    "instance/": "i-0123456789abcdef0",
    "subnet/": "subnet-0123456789abcdef0",
    "vpc/": "vpc-0123456789abcdef0",
    "vpc-endpoint/": "vpce-0123456789abcdef0",
    "security-group/": "sg-0123456789abcdef0",
    "volume/": "vol-0123456789abcdef0",
    "snapshot/": "snap-0123456789abcdef0",
    "image/": "ami-0123456789abcdef0",
    "network-interface/": "eni-0123456789abcdef0",
}


def name_after(beginning: str) -> str:
    """What may stand in an ARN after the literal text of its last field."""
    return _BY_BEGINNING.get(beginning, "example")


def prominence(shape: str) -> int:
    """Where an ARN's shape stands among those that people know, from 0; the others come last."""
    tail = shape.rpartition(":")[2]
    known = (place for place, beginning in enumerate(_BY_BEGINNING) if tail.startswith(beginning))
    return next(known, len(_BY_BEGINNING))
