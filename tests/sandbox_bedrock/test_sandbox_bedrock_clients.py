"""The plane behind the sandbox's gateway, as boto3 sees it: wire shapes, event streams, delivery under real policies."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from ringwall.sandbox.call import AwsError
from ringwall.sandbox.sandbox import Sandbox

ACCOUNT, REGION = "111122223333", "us-east-1"
NOVA = "us.amazon.nova-pro-v1:0"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/InvocationLogging"
GROUP, BUCKET = "/aws/bedrock/invocations", "ringwall-test-logs"
FROM_BEDROCK = {
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
    "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:*"},
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        yield running
        running.gateway.planes["bedrock"].stop()


@pytest.fixture(scope="module")
def client(sandbox):
    environment = sandbox.environment()
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )

    def make(service):
        return session.client(service, endpoint_url=sandbox.endpoint_url, verify=sandbox.ca_bundle)

    return make


@pytest.fixture(scope="module")
def by_name(sandbox):
    """Clients that use AWS's host names, as a workload in the VPC would."""
    environment = sandbox.environment()

    def make(service):
        return boto3.client(
            service,
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
            verify=sandbox.ca_bundle,
            config=Config(proxies={"https": sandbox.proxy_url}),
        )

    return make


@pytest.fixture(scope="module")
def guardrail(client):
    bedrock = client("bedrock")
    made = bedrock.create_guardrail(
        name="clients",
        blockedInputMessaging="IN",
        blockedOutputsMessaging="OUT",
        wordPolicyConfig={"wordsConfig": [{"text": "nightjar"}]},
        sensitiveInformationPolicyConfig={"piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}]},
    )
    bedrock.create_guardrail_version(guardrailIdentifier=made["guardrailId"])
    return {"guardrailIdentifier": made["guardrailArn"], "guardrailVersion": "1", "trace": "enabled"}


def user(text):
    return [{"role": "user", "content": [{"text": text}]}]


def test_guardrails_read_back(client, guardrail):
    shown = client("bedrock").get_guardrail(
        guardrailIdentifier=guardrail["guardrailIdentifier"], guardrailVersion="1"
    )
    assert shown["wordPolicy"]["words"][0]["text"] == "nightjar"
    listed = client("bedrock").list_guardrails(guardrailIdentifier=guardrail["guardrailIdentifier"])
    assert [one["version"] for one in listed["guardrails"]] == ["DRAFT", "1"]


def test_converse_and_its_trace(client, guardrail):
    output = client("bedrock-runtime").converse(
        modelId=NOVA, messages=user("nightjar"), guardrailConfig=guardrail
    )
    assert output["stopReason"] == "guardrail_intervened"
    (assessment,) = output["trace"]["guardrail"]["inputAssessment"].values()
    assert assessment["wordPolicy"]["managedWordLists"] == []


def test_event_streams_parse(client, guardrail):
    runtime = client("bedrock-runtime")
    stream = runtime.converse_stream(
        modelId=NOVA, messages=user("I am a@example.com"), guardrailConfig=guardrail
    )
    events = list(stream["stream"])
    text = "".join(
        event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event
    )
    assert text.endswith("I am {EMAIL}")
    assert "guardrail" in events[-1]["metadata"]["trace"]
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": "hello"}]}]})
    chunks = list(runtime.invoke_model_with_response_stream(modelId=NOVA, body=body)["body"])
    assert json.loads(chunks[0]["chunk"]["bytes"]) == {"messageStart": {"role": "assistant"}}


def test_a_failure_within_a_stream_is_an_exception_event(sandbox, client, monkeypatch):
    def pieces():
        yield "one "
        raise AwsError("ModelStreamErrorException", "the model fell over", 424)

    models = sandbox.gateway.planes["bedrock-runtime"]._scope.models
    monkeypatch.setattr(models, "stream", lambda *_: (pieces(), lambda: None))
    stream = client("bedrock-runtime").converse_stream(modelId=NOVA, messages=user("hello"))["stream"]
    with pytest.raises(EventStreamError, match="the model fell over"):
        list(stream)


def test_invoke_model_says_what_the_guardrail_did(client, guardrail):
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": "nightjar"}]}]})
    named = {key: guardrail[key] for key in ("guardrailIdentifier", "guardrailVersion")}
    output = client("bedrock-runtime").invoke_model(modelId=NOVA, body=body, trace="ENABLED", **named)
    assert output["ResponseMetadata"]["HTTPHeaders"]["x-amzn-bedrock-input-token-count"] == "0"
    answer = json.loads(output["body"].read())
    assert answer["amazon-bedrock-guardrailAction"] == "INTERVENED"
    assert answer["output"]["message"]["content"][0]["text"] == "IN"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (
            lambda c: c("bedrock-runtime").converse(modelId="no.such-model", messages=user("x")),
            "ValidationException",
        ),
        (
            lambda c: c("bedrock").get_guardrail(guardrailIdentifier="abcdefghijkl"),
            "ResourceNotFoundException",
        ),
        (lambda c: c("bedrock").get_use_case_for_model_access(), "NotImplementedException"),
        (
            lambda c: c("bedrock-agent-runtime").invoke_agent(
                agentId="AGENTQUIC1", agentAliasId="ALIASNONE1", sessionId="s1", inputText="x"
            ),
            "ResourceNotFoundException",
        ),
    ],
)
def test_errors_have_aws_codes(client, call, code):
    with pytest.raises(ClientError) as raised:
        call(client)
    assert raised.value.response["Error"]["Code"] == code


def test_the_quickstarts_knowledge_base_and_agent(client):
    runtime = client("bedrock-agent-runtime")
    found = runtime.retrieve(knowledgeBaseId="KBQUICKST1", retrievalQuery={"text": "holiday"})
    assert found["retrievalResults"][0]["content"]["text"].startswith("Holiday policy")
    stream = runtime.invoke_agent(
        agentId="AGENTQUIC1", agentAliasId="ALIASQUIC1", sessionId="s1", inputText="hello"
    )
    assert b"".join(event["chunk"]["bytes"] for event in stream["completion"]).endswith(b"hello")


def statement(**more):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **more}]})


def test_logs_are_delivered_while_policies_allow_it(sandbox, client):
    plane = sandbox.gateway.planes["bedrock"]
    iam, s3, logs, bedrock = (client(name) for name in ("iam", "s3", "logs", "bedrock"))
    trust = statement(
        Principal={"Service": "bedrock.amazonaws.com"}, Action="sts:AssumeRole", Condition=FROM_BEDROCK
    )
    logs.create_log_group(logGroupName=GROUP)
    iam.create_role(RoleName="InvocationLogging", AssumeRolePolicyDocument=trust)
    s3.create_bucket(Bucket=BUCKET)
    config = {
        "cloudWatchConfig": {"logGroupName": GROUP, "roleArn": ROLE},
        "s3Config": {"bucketName": BUCKET, "keyPrefix": "invocation-logs"},
    }

    def put():
        bedrock.put_model_invocation_logging_configuration(loggingConfig=config)

    with pytest.raises(ClientError, match=f"log group: {GROUP}, with role: {ROLE}"):
        put()
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}:log-stream:aws/bedrock/modelinvocations"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    iam.put_role_policy(
        RoleName="InvocationLogging",
        PolicyName="write",
        PolicyDocument=statement(Action=actions, Resource=stream),
    )
    with pytest.raises(ClientError, match="Failed to validate permissions for S3 bucket"):
        put()
    folder = f"invocation-logs/AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/"
    allowed = {
        "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "s3:PutObject",
        "Condition": FROM_BEDROCK,
    }
    policy = statement(Resource=f"arn:aws:s3:::{BUCKET}/{folder}*", **allowed)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    put()

    def delivered():
        plane.flush()
        objects = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        events = logs.get_log_events(logGroupName=GROUP, logStreamName="aws/bedrock/modelinvocations")[
            "events"
        ]
        keys = [one["Key"] for one in objects if one["Key"].endswith(".json.gz")]
        return keys, [event["message"] for event in events if event["message"].startswith("{")]

    runtime = client("bedrock-runtime")
    answer = runtime.converse(modelId=NOVA, messages=user("log me"))
    in_s3, in_logs = delivered()
    assert len(in_s3) == len(in_logs) == 1
    assert in_s3[0].startswith(f"{folder}{REGION}/")
    record = json.loads(in_logs[0])
    assert record["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert record["identity"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/SandboxAdministrator"
    # A bucket that no longer lets the service write stops that delivery alone.
    s3.delete_bucket_policy(Bucket=BUCKET)
    runtime.converse(modelId=NOVA, messages=user("log me too"))
    in_s3, in_logs = delivered()
    assert (len(in_s3), len(in_logs)) == (1, 2)
    metrics = {
        metric["MetricName"]
        for metric in client("cloudwatch").list_metrics(Namespace="AWS/Bedrock")["Metrics"]
    }
    assert {"ModelInvocationLogsS3DeliveryFailure", "ModelInvocationLogsCloudWatchDeliverySuccess"} <= metrics


def test_a_buckets_key_must_let_the_service_use_it(client):
    s3, kms, bedrock = client("s3"), client("kms"), client("bedrock")
    owner = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    key = kms.create_key(Policy=statement(**owner))["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket="ringwall-test-encrypted")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket="ringwall-test-encrypted",
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "bedrock.amazonaws.com"},
        "Condition": FROM_BEDROCK,
    }
    write = {**service, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::ringwall-test-encrypted/*"}
    s3.put_bucket_policy(
        Bucket="ringwall-test-encrypted", Policy=json.dumps({"Version": "2012-10-17", "Statement": [write]})
    )
    config = {"s3Config": {"bucketName": "ringwall-test-encrypted"}}
    with pytest.raises(ClientError, match="Failed to validate permissions for S3 bucket"):
        bedrock.put_model_invocation_logging_configuration(loggingConfig=config)
    use = {**service, "Action": "kms:GenerateDataKey", "Resource": "*"}
    both = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **owner}, use]}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(both))
    bedrock.put_model_invocation_logging_configuration(loggingConfig=config)
    assert (
        bedrock.get_model_invocation_logging_configuration()["loggingConfig"]["s3Config"]
        == config["s3Config"]
    )


def test_a_guardrails_key_is_checked_on_every_use(client):
    kms, bedrock, runtime = client("kms"), client("bedrock"), client("bedrock-runtime")
    owner = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [owner]}))["KeyMetadata"][
        "Arn"
    ]
    words = {"wordsConfig": [{"text": "nightjar"}]}
    texts = {"blockedInputMessaging": "IN", "blockedOutputsMessaging": "OUT"}
    made = bedrock.create_guardrail(name="encrypted", wordPolicyConfig=words, kmsKeyId=key, **texts)
    config = {"guardrailIdentifier": made["guardrailId"], "guardrailVersion": "DRAFT"}
    assert (
        runtime.converse(modelId=NOVA, messages=user("hello"), guardrailConfig=config)["stopReason"]
        == "end_turn"
    )
    through = {"StringEquals": {"kms:ViaService": f"bedrock.{REGION}.amazonaws.com"}}
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": through,
    }
    kms.put_key_policy(
        KeyId=key,
        PolicyName="default",
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [owner, deny]}),
    )
    with pytest.raises(ClientError) as raised:
        runtime.converse(modelId=NOVA, messages=user("hello"), guardrailConfig=config)
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"
    kms.disable_key(KeyId=key)
    with pytest.raises(ClientError):
        bedrock.create_guardrail(name="disabled", wordPolicyConfig=words, kmsKeyId=key, **texts)


def test_a_role_without_the_right_runs_no_agent(client, by_name):
    # Under one address for all services, PrepareAgent and InvokeInlineAgent have the same path: by host name they differ.
    iam, agents, runtime = client("iam"), by_name("bedrock-agent"), client("bedrock-agent-runtime")
    trust = statement(Principal={"Service": "bedrock.amazonaws.com"}, Action="sts:AssumeRole")
    role = iam.create_role(RoleName="AgentRunner", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    made = agents.create_agent(
        agentName="runner",
        foundationModel=NOVA,
        agentResourceRoleArn=role,
        instruction="You help people with questions about their pumps.",
    )["agent"]
    agents.prepare_agent(agentId=made["agentId"])

    def ask():
        named = {"agentId": made["agentId"], "agentAliasId": "TSTALIASID", "sessionId": "s1"}
        return list(runtime.invoke_agent(inputText="hello", **named)["completion"])

    with pytest.raises(EventStreamError, match="Access denied when calling Bedrock"):
        ask()
    iam.put_role_policy(
        RoleName="AgentRunner",
        PolicyName="run",
        PolicyDocument=statement(Action="bedrock:InvokeModel*", Resource="*"),
    )
    assert ask()[0]["chunk"]["bytes"].endswith(b"hello")
