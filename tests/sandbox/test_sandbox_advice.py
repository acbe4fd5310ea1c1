"""Calls and policies as advice about Bedrock often has them: each gets the answer that AWS would give.

The rows of docs/errata.md say what is wrong with each; the parameters are our own.
"""

import json

import pytest
from botocore.exceptions import ClientError, NoRegionError, ParamValidationError

ACCOUNT = "111122223333"
ELSEWHERE = "123456789012"
MODEL = "amazon.nova-pro-v1:0"
RETIRED = "anthropic.claude-3-sonnet-20240229-v1:0"
PROFILE = "us.amazon.nova-pro-v1:0"
DENIED = {"AccessDeniedException", "AccessDenied"}
SAY = [{"role": "user", "content": [{"text": "hello"}]}]
GROUP = "/bedrock/invocations"
GUARDRAIL_EVENTS = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [{"Type": "AWS::Bedrock::Guardrail", "Values": ["arn:aws:bedrock:*:*:guardrail/*"]}],
}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resource="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def key_policy(account):
    """Everything for the account, and the service itself for a custom model's sake; nothing for logs."""
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    service = {"Service": "bedrock.amazonaws.com"}
    uses = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"]
    return document(allow("kms:*", Principal=root), allow(uses, Principal=service))


@pytest.fixture(scope="module")
def key(world):
    kms = world.client("kms")
    made = kms.create_key(
        Description="a custom model's", KeyUsage="ENCRYPT_DECRYPT", KeySpec="SYMMETRIC_DEFAULT"
    )["KeyMetadata"]
    kms.put_key_policy(KeyId=made["KeyId"], PolicyName="default", Policy=key_policy(ACCOUNT))
    return made


@pytest.fixture(scope="module")
def buckets(world):
    s3 = world.client("s3")
    for name in ("advised-documents", "advised-logs", "advised-trail"):
        s3.create_bucket(Bucket=name)
    service = {"Service": "cloudtrail.amazonaws.com"}
    arn = "arn:aws:s3:::advised-trail"
    admitted = document(
        allow("s3:GetBucketAcl", arn, Principal=service), allow("s3:PutObject", f"{arn}/*", Principal=service)
    )
    s3.put_bucket_policy(Bucket="advised-trail", Policy=admitted)
    world.client("cloudtrail").create_trail(Name="advised", S3BucketName="advised-trail")


@pytest.fixture(scope="module")
def guardrail(world):
    made = world.client("bedrock").create_guardrail(
        name="advised",
        blockedInputMessaging="IN",
        blockedOutputsMessaging="OUT",
        wordPolicyConfig={"wordsConfig": [{"text": "nightjar"}]},
    )
    return made["guardrailId"]


def logging(large, role="BedrockLoggingRole"):
    return {
        "loggingConfig": {
            "cloudWatchConfig": {
                "logGroupName": GROUP,
                "roleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
                "largeDataDeliveryS3Config": large,
            },
            "s3Config": {"bucketName": "advised-logs", "keyPrefix": "invocations/"},
            "textDataDeliveryEnabled": True,
        }
    }


INTERFACE = {
    "ServiceName": "com.amazonaws.us-east-1.bedrock-runtime",
    "VpcEndpointType": "Interface",
    "SubnetIds": ["subnet-12345678", "subnet-87654321"],
    "SecurityGroupIds": ["sg-12345678"],
    "PrivateDnsEnabled": True,
}
INGRESS = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}]


def encryption(name):
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": name}
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}


CALLS = {
    # what: service, operation, parameters of a key, codes ("" = AWS takes it)
    "an endpoint in a VPC that is not there": (
        "ec2", "create_vpc_endpoint", lambda k: {"VpcId": "vpc-12345678", **INTERFACE},
        "InvalidVpcID.NotFound InvalidVpcId.NotFound",
    ),
    "its security group": (
        "ec2", "create_security_group",
        lambda k: {"GroupName": "endpoint", "Description": "d", "VpcId": "vpc-12345678"}, "InvalidVpcID.NotFound",
    ),
    "ingress of a group that is not there": (
        "ec2", "authorize_security_group_ingress",
        lambda k: {"GroupId": "sg-12345678", "IpPermissions": INGRESS}, "InvalidGroup.NotFound",
    ),
    "a key policy that names another account's root": (
        "kms", "put_key_policy",
        lambda k: {"KeyId": k["KeyId"], "PolicyName": "default", "Policy": key_policy(ELSEWHERE)},
        "MalformedPolicyDocumentException",
    ),
    "a bucket that nobody made, encrypted": (
        "s3", "put_bucket_encryption",
        lambda k: {"Bucket": "not-made-by-anyone", "ServerSideEncryptionConfiguration": encryption(k["Arn"])},
        "NoSuchBucket",
    ),
    "a bucket encrypted with a key's bare id": (
        "s3", "put_bucket_encryption",
        lambda k: {"Bucket": "advised-documents", "ServerSideEncryptionConfiguration": encryption(k["KeyId"])}, "",
    ),
    "selectors of a trail that nobody made": (
        "cloudtrail", "put_event_selectors",
        lambda k: {"TrailName": "my-own-trail", "EventSelectors": [GUARDRAIL_EVENTS]}, "TrailNotFoundException",
    ),
    "basic selectors for guardrails": (
        "cloudtrail", "put_event_selectors",
        lambda k: {"TrailName": "advised", "EventSelectors": [GUARDRAIL_EVENTS]}, "InvalidEventSelectorsException",
    ),
    "a log group with a key's bare id": (
        "logs", "create_log_group", lambda k: {"logGroupName": GROUP, "kmsKeyId": k["KeyId"]},
        "InvalidParameterException",
    ),
    "a log group with a key that does not admit logs": (
        "logs", "create_log_group", lambda k: {"logGroupName": GROUP, "kmsKeyId": k["Arn"]},
        "InvalidParameterException",
    ),
    "retention of the log group that was not made": (
        "logs", "put_retention_policy", lambda k: {"logGroupName": GROUP, "retentionInDays": 365},
        "ResourceNotFoundException",
    ),
    "a logging role that nobody made": (
        "bedrock", "put_model_invocation_logging_configuration",
        lambda k: logging({"bucketName": "advised-logs", "keyPrefix": "large"}), "ValidationException",
    ),
    "a role of an account that is not ours": (
        "sts", "assume_role",
        lambda k: {"RoleArn": f"arn:aws:iam::{ELSEWHERE}:role/Bedrock", "RoleSessionName": "session"}, "AccessDenied",
    ),
    "a guardrail that nobody made": (
        "bedrock-runtime", "converse",
        lambda k: {
            "modelId": MODEL, "messages": SAY,
            "guardrailConfig": {"guardrailIdentifier": "abcdefghijkl", "guardrailVersion": "DRAFT"},
        },
        "ValidationException ResourceNotFoundException",
    ),
    "a model past its end of life": (
        "bedrock-runtime", "converse", lambda k: {"modelId": RETIRED, "messages": SAY},
        "ResourceNotFoundException ValidationException",
    ),
    "no guardrail at all": ("bedrock-runtime", "converse", lambda k: {"modelId": MODEL, "messages": SAY}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters", "codes"), CALLS.values(), ids=CALLS)
def test_calls_as_they_are_advised(world, key, buckets, service, operation, parameters, codes):
    client = world.client(service, parameter_validation=False)
    call = getattr(client, operation)
    if not codes:
        call(**parameters(key))
        return
    with pytest.raises(ClientError) as caught:
        call(**parameters(key))
    assert caught.value.response["Error"]["Code"] in codes.split()


def test_what_the_sdk_itself_refuses(world, monkeypatch):
    with pytest.raises(ParamValidationError, match="s3BucketName"):
        world.client("bedrock").put_model_invocation_logging_configuration(
            **logging({"s3BucketName": "advised-logs", "s3KeyPrefix": "large/"})
        )
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NoRegionError):
        world.client("bedrock", region=None)


def test_the_draft_of_a_guardrail_is_taken(world, guardrail):
    answer = world.client("bedrock-runtime").converse(
        modelId=MODEL,
        messages=[{"role": "user", "content": [{"text": "a nightjar"}]}],
        guardrailConfig={"guardrailIdentifier": guardrail, "guardrailVersion": "DRAFT"},
    )
    assert answer["stopReason"] == "guardrail_intervened"


FOUNDATION = "arn:aws:bedrock:*::foundation-model/*"
INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
ADMINISTER = ["bedrock:CreateGuardrail", "bedrock:UpdateGuardrail", "bedrock:DeleteGuardrail"]
TAGGED = {"StringEquals": {"aws:PrincipalTag/Role": "SecurityAdmin"}}
BASES = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/*"
RETRIEVE = ["bedrock:Retrieve", "bedrock:RetrieveAndGenerate"]
ONLY = [f"arn:aws:bedrock:us-east-1::foundation-model/{name}" for name in (MODEL, "amazon.nova-lite-v1:0")]
READ = ["bedrock:GetGuardrail", "bedrock:ListGuardrails", "bedrock:ApplyGuardrail"]
NEW = {"name": "made", "blockedInputMessaging": "IN", "blockedOutputsMessaging": "OUT"}
WORDS = {**NEW, "wordPolicyConfig": {"wordsConfig": [{"text": "x"}]}}
GENERATE = {
    "input": {"text": "q"},
    "retrieveAndGenerateConfiguration": {
        "type": "KNOWLEDGE_BASE",
        "knowledgeBaseConfiguration": {
            "knowledgeBaseId": "KBQUICKST1",
            "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}",
        },
    },
}
INVOKED = {"agentId": "AGENTQUIC1", "agentAliasId": "ALIASQUIC1", "sessionId": "session", "inputText": "q"}
ALIASES = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:agent-alias/*/*"

POLICIES = {
    # what: statements, tags of the caller, service, operation, parameters, whether AWS allows it
    "every model, by its id": ((allow(INVOKE, FOUNDATION),), {}, "bedrock-runtime", "converse", {"modelId": MODEL, "messages": SAY}, True),
    "every model, through a profile": ((allow(INVOKE, FOUNDATION),), {}, "bedrock-runtime", "converse", {"modelId": PROFILE, "messages": SAY}, False),
    "two models, one of them": ((allow(INVOKE, ONLY),), {}, "bedrock-runtime", "converse", {"modelId": MODEL, "messages": SAY}, True),
    "two models, another": ((allow(INVOKE, ONLY),), {}, "bedrock-runtime", "converse", {"modelId": "amazon.nova-micro-v1:0", "messages": SAY}, False),
    "two models, one by a stream": ((allow(INVOKE, ONLY),), {}, "bedrock-runtime", "converse_stream", {"modelId": MODEL, "messages": SAY}, True),
    "retrieving": ((allow(RETRIEVE, BASES),), {}, "bedrock-agent-runtime", "retrieve", {"knowledgeBaseId": "KBQUICKST1", "retrievalQuery": {"text": "q"}}, True),
    "generating, allowed on knowledge bases": ((allow(RETRIEVE, BASES),), {}, "bedrock-agent-runtime", "retrieve_and_generate", GENERATE, False),
    "generating, allowed without the model": ((allow(RETRIEVE),), {}, "bedrock-agent-runtime", "retrieve_and_generate", GENERATE, False),
    "generating, with the model": ((allow(RETRIEVE), allow(INVOKE, FOUNDATION)), {}, "bedrock-agent-runtime", "retrieve_and_generate", GENERATE, True),
    "an agent by any alias": ((allow("bedrock:InvokeAgent", ALIASES),), {}, "bedrock-agent-runtime", "invoke_agent", INVOKED, True),
    "guardrails, read": ((allow(READ),), {}, "bedrock", "list_guardrails", {}, True),
    "guardrails, made by whoever is tagged": ((allow(ADMINISTER, Condition=TAGGED),), {"Role": "SecurityAdmin"}, "bedrock", "create_guardrail", WORDS, True),
    "guardrails, made by another": ((allow(ADMINISTER, Condition=TAGGED),), {"Role": "Developer"}, "bedrock", "create_guardrail", WORDS, False),
}  # fmt: skip


def outcome(call, parameters):
    """Whether a call is allowed."""
    try:
        answer = call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        return False
    for _ in answer.get("stream", answer.get("completion", ())):
        pass
    return True


@pytest.mark.parametrize(
    ("statements", "tags", "service", "operation", "parameters", "allowed"), POLICIES.values(), ids=POLICIES
)
def test_policies_as_they_are_advised(world, statements, tags, service, operation, parameters, allowed):
    iam = world.client("iam")
    keys = world.user("advised", *statements)
    try:
        if tags:
            iam.tag_user(UserName="advised", Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        assert outcome(getattr(world.client(service, **keys), operation), parameters) is allowed
    finally:
        iam.delete_access_key(UserName="advised", AccessKeyId=keys["key"])
        iam.delete_user_policy(UserName="advised", PolicyName="own")
        iam.delete_user(UserName="advised")


def deny(actions, condition):
    return {"Effect": "Deny", "Action": actions, "Resource": "*", "Condition": condition}


UNGUARDED = deny(INVOKE, {"Null": {"bedrock:GuardrailArn": "true"}})
OUTSIDE = deny("bedrock:*", {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}})
CONTROL = {
    # what: statement, Region, model, with a guardrail, whether AWS allows it
    "a guardrail's key that no request has: without": (UNGUARDED, "us-east-1", MODEL, False, False),
    "a guardrail's key that no request has: with": (UNGUARDED, "us-east-1", MODEL, True, False),
    "two Regions: one of them": (OUTSIDE, "us-east-1", MODEL, False, True),
    "two Regions: another": (OUTSIDE, "eu-west-1", MODEL, False, False),
    "two Regions: a profile that runs in a third": (OUTSIDE, "us-east-1", PROFILE, False, False),
}


@pytest.mark.parametrize(
    ("statement", "region", "model", "guarded", "allowed"), CONTROL.values(), ids=CONTROL
)
def test_service_control_policies_as_they_are_advised(
    world, guardrail, statement, region, model, guarded, allowed
):
    organizations, keys = world.organizations(), world.user("bound", allow("bedrock:*"))
    content = document(statement)
    made = organizations.create_policy(
        Name="advised", Description="", Type="SERVICE_CONTROL_POLICY", Content=content
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=made, TargetId=ACCOUNT)
    more = {"guardrailIdentifier": guardrail, "guardrailVersion": "DRAFT"}
    parameters = {"modelId": model, "messages": SAY, **({"guardrailConfig": more} if guarded else {})}
    try:
        client = world.client("bedrock-runtime", region=region, **keys)
        assert outcome(client.converse, parameters) is allowed
    finally:
        organizations.detach_policy(PolicyId=made, TargetId=ACCOUNT)
        organizations.delete_policy(PolicyId=made)
        iam = world.client("iam")
        iam.delete_access_key(UserName="bound", AccessKeyId=keys["key"])
        iam.delete_user_policy(UserName="bound", PolicyName="own")
        iam.delete_user(UserName="bound")


def test_the_management_role_makes_the_organizations_guardrail(world):
    """An organization's enforced guardrail is one of its management account, which nobody else can make."""
    keys = world.assume("arn:aws:iam::999988887777:role/RingwallManagement")
    bedrock = world.client("bedrock", **keys)
    made = bedrock.create_guardrail(**{**WORDS, "name": "organization"})
    assert ":999988887777:" in made["guardrailArn"]
    version = bedrock.create_guardrail_version(guardrailIdentifier=made["guardrailId"])["version"]
    ours = {"StringEquals": {"aws:PrincipalOrgID": "o-ringwallsb"}}
    statement = allow("bedrock:ApplyGuardrail", made["guardrailArn"], Principal="*", Condition=ours)
    bedrock.put_resource_policy(resourceArn=made["guardrailArn"], resourcePolicy=document(statement))
    assert version == "1"
    with pytest.raises(ClientError, match="AccessDenied"):
        world.client("bedrock-runtime", **keys).converse(modelId=MODEL, messages=SAY)
