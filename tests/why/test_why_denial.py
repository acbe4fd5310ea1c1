"""AWS's wordings of a denial, one row each."""

from __future__ import annotations

import pytest

from ringwall.access.denial import Denial, UnreadableDenialError, parse_denial

USER = "arn:aws:iam::777788889999:user/JohnDoe"
SESSION = "arn:aws:sts::111122223333:assumed-role/App/session@example.com"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
HEAD = f"User: {SESSION} is not authorized to perform: bedrock:InvokeModel on resource: {MODEL}"
INVOKE = {"principal": SESSION, "action": "bedrock:InvokeModel", "resource": MODEL}

WORDINGS = [
    (f"{HEAD} (Service: BedrockRuntime, Status Code: 403, Request ID: abc)", Denial(**INVOKE)),
    (HEAD, Denial(**INVOKE)),
    (f"{HEAD} with an explicit deny", Denial(**INVOKE, effect="explicit")),
    (
        f"{HEAD} because no identity-based policy allows the bedrock:InvokeModel action",
        Denial(**INVOKE, effect="implicit", policy_type="identity"),
    ),
    (
        f"{HEAD} with an explicit deny in an identity-based policy",
        Denial(**INVOKE, effect="explicit", policy_type="identity"),
    ),
    (
        f"{HEAD} because no permissions boundary allows the bedrock:InvokeModel action",
        Denial(**INVOKE, effect="implicit", policy_type="permissions_boundary"),
    ),
    (
        f"{HEAD} with an explicit deny in a permissions boundary",
        Denial(**INVOKE, effect="explicit", policy_type="permissions_boundary"),
    ),
    (
        f"{HEAD} because no session policy allows the bedrock:InvokeModel action",
        Denial(**INVOKE, effect="implicit", policy_type="session"),
    ),
    (
        f"{HEAD} with an explicit deny in a session policy",
        Denial(**INVOKE, effect="explicit", policy_type="session"),
    ),
    (
        f"{HEAD} because no resource-based policy allows the bedrock:InvokeModel action",
        Denial(**INVOKE, effect="implicit", policy_type="resource"),
    ),
    (
        f"{HEAD} because no VPC endpoint policy allows the bedrock:InvokeModel action",
        Denial(**INVOKE, effect="implicit", policy_type="vpc_endpoint"),
    ),
    (
        f"{HEAD} with an explicit deny in a VPC endpoint policy",
        Denial(**INVOKE, effect="explicit", policy_type="vpc_endpoint"),
    ),
    (
        f"{HEAD} with an explicit deny in a resource control policy",
        Denial(**INVOKE, effect="explicit", policy_type="rcp"),
    ),
    (
        (
            f"An error occurred (AccessDeniedException) when calling the Converse operation: {HEAD} with an explicit "
            f"deny in a service control policy"
        ),
        Denial(**INVOKE, effect="explicit", policy_type="scp", operation="Converse"),
    ),
    (
        (
            f"{HEAD} with an explicit deny in a service control policy: "
            f"arn:aws:organizations::999988887777:policy/o-example/service_control_policy/p-12345678"
        ),
        Denial(
            **INVOKE,
            effect="explicit",
            policy_type="scp",
            policy="arn:aws:organizations::999988887777:policy/o-example/service_control_policy/p-12345678",
        ),
    ),
    (
        (
            f"User: {USER} is not authorized to perform: codecommit:ListRepositories because no service control policy "
            f"allows the codecommit:ListRepositories action"
        ),
        Denial(USER, "codecommit:ListRepositories", None, "implicit", "scp"),
    ),
    (
        (
            f"User: {USER} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/App "
            f"because no role trust policy allows the sts:AssumeRole action"
        ),
        Denial(USER, "sts:AssumeRole", "arn:aws:iam::111122223333:role/App", "implicit", "resource"),
    ),
    (
        (
            f"User: {USER} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/App "
            f"with an explicit deny in the role trust policy"
        ),
        Denial(USER, "sts:AssumeRole", "arn:aws:iam::111122223333:role/App", "explicit", "resource"),
    ),
    (
        (
            f'User: {USER} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::bucket/a key.txt" '
            f"because no identity-based policy allows the s3:GetObject action"
        ),
        Denial(USER, "s3:GetObject", "arn:aws:s3:::bucket/a key.txt", "implicit", "identity"),
    ),
    (
        "User: anonymous is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::bucket/key.",
        Denial("*", "s3:GetObject", "arn:aws:s3:::bucket/key"),
    ),
    (
        (
            f"You are not authorized to perform this operation. User: {USER} is not authorized to perform: "
            f"ec2:ModifyVpcEndpoint on resource: arn:aws:ec2:us-east-1:777788889999:vpc-endpoint/vpce-1 with an explicit "
            f"deny in a service control policy. Encoded authorization failure message: abcDEF"
        ),
        Denial(
            USER,
            "ec2:ModifyVpcEndpoint",
            "arn:aws:ec2:us-east-1:777788889999:vpc-endpoint/vpce-1",
            "explicit",
            "scp",
            encoded=True,
        ),
    ),
    (
        f"{HEAD} with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/team/NoModels",
        Denial(
            **INVOKE,
            effect="explicit",
            policy_type="identity",
            policy="arn:aws:iam::111122223333:policy/team/NoModels",
        ),
    ),
    (
        f"{HEAD} with an explicit deny in identity-based policy arn:aws:iam::111122223333:policy/NoModels.",
        Denial(
            **INVOKE,
            effect="explicit",
            policy_type="identity",
            policy="arn:aws:iam::111122223333:policy/NoModels",
        ),
    ),
    (
        f"{HEAD} with an explicit deny in a resource-based policy",
        Denial(**INVOKE, effect="explicit", policy_type="resource"),
    ),
    (
        f"{HEAD} because no service control policy allows the bedrock:InvokeModel action",
        Denial(**INVOKE, effect="implicit", policy_type="scp"),
    ),
    (
        f"{HEAD} because no resource control policy allows the bedrock:InvokeModel action",
        Denial(**INVOKE, effect="implicit", policy_type="rcp"),
    ),
    (
        (
            f"botocore.exceptions.ClientError: An error occurred (AccessDeniedException) when calling the "
            f"ConverseStream operation (reached max retries: 4): {HEAD}"
        ),
        Denial(**INVOKE, operation="ConverseStream"),
    ),
    (
        f'{{"message":"{HEAD} because no session policy allows the bedrock:InvokeModel action"}}',
        Denial(**INVOKE, effect="implicit", policy_type="session"),
    ),
    (
        (
            f"User: {SESSION} is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext "
            f"because no identity-based policy allows the kms:Decrypt action"
        ),
        Denial(SESSION, "kms:Decrypt", None, "implicit", "identity"),
    ),
    (
        f"User: {USER} is not authorized to perform: ec2:RunInstances. Encoded authorization failure message: abc_-D",
        Denial(USER, "ec2:RunInstances", encoded=True),
    ),
    (
        (
            "User: arn:aws-us-gov:sts::111122223333:assumed-role/App/s is not authorized to perform: "
            "bedrock-mantle:CreateInference on resource: arn:aws-us-gov:bedrock-mantle:us-gov-west-1:111122223333:project/x "
            "with an explicit deny in a permissions boundary"
        ),
        Denial(
            "arn:aws-us-gov:sts::111122223333:assumed-role/App/s",
            "bedrock-mantle:CreateInference",
            "arn:aws-us-gov:bedrock-mantle:us-gov-west-1:111122223333:project/x",
            "explicit",
            "permissions_boundary",
        ),
    ),
    (
        "User: bedrock.amazonaws.com is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:111122223333:key/1",
        Denial("bedrock.amazonaws.com", "kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/1"),
    ),
    (
        f"  {HEAD}\n   with an explicit deny\n in a session policy ",
        Denial(**INVOKE, effect="explicit", policy_type="session"),
    ),
]


@pytest.mark.parametrize(("text", "meaning"), WORDINGS, ids=[text[-60:] for text, _ in WORDINGS])
def test_wording(text: str, meaning: Denial) -> None:
    assert parse_denial(text) == meaning


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("You don't have access to the model with the specified model ID.", "agreement"),
        ("The security token included in the request is expired", "credentials"),
        ("The request signature we calculated does not match the signature you provided", "signature"),
        ("Operation not allowed", "AWS Support"),
        ("AccessDenied", "--event"),
        (
            "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
            "as Amazon S3 does",
        ),
        ("ClientError: Forbidden", "as Amazon S3 does"),
        (
            "You are not authorized to perform this operation. Encoded authorization failure message: a",
            "decode-auth",
        ),
        (
            (
                "An error occurred (AccessDeniedException) when calling the Decrypt operation: The ciphertext refers to a "
                "customer master key that does not exist, does not exist in this region, or you are not allowed to access."
            ),
            "kms:Decrypt on the key's ARN",
        ),
        ("Not authorized to perform sts:AssumeRoleWithWebIdentity", "trust policy does not admit the token"),
        (
            (
                "Model access is denied due to IAM user or service role is not authorized to perform the required AWS "
                "Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe)"
            ),
            "nobody has subscribed this account",
        ),
        ("Invocation of model ID x.y with on-demand throughput isn\u2019t supported.", "inference profile"),
        ("The provided model identifier is invalid.", "no model or inference profile of this id"),
        ("Authentication failed: Please make sure your API Key is valid.", "API key is wrong, expired"),
        ("Your account is not authorized to invoke this API operation.", "has not enabled this account"),
        (
            "Caller is not authorized to perform: bedrock:GetGuardrail",
            "does not name the caller of bedrock:GetG",
        ),
        (
            "User: AROAEXAMPLE:bob is not authorized to perform: bedrock:InvokeModel",
            "AROAEXAMPLE:bob, which is no ARN",
        ),
        ("", "--event"),
    ],
)
def test_messages_that_name_nobody(text: str, words: str) -> None:
    with pytest.raises(UnreadableDenialError, match=words):
        parse_denial(text)
