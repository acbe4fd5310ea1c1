"""Model invocation logging and metrics: who writes what, where, and what happens where it may not."""

from __future__ import annotations

import gzip
import json

import pytest

from sandbox_bedrock.bedrock_fakes import ACCOUNT, CLAUDE, NOVA, REGION, Bedrock

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Logging"
GROUP = "/aws/bedrock/invocations"
CLOUDWATCH = {"cloudWatchConfig": {"logGroupName": GROUP, "roleArn": ROLE}}
S3 = {"s3Config": {"bucketName": "logs-bucket", "keyPrefix": "invocation-logs"}}
LARGE = {"largeDataDeliveryS3Config": {"bucketName": "large-bucket", "keyPrefix": "large"}}
FOLDER = f"invocation-logs/AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/"


@pytest.fixture
def bedrock():
    return Bedrock()


def put(bedrock, **config):
    bedrock.call("PutModelInvocationLoggingConfiguration", loggingConfig=config)
    bedrock.platform.calls.clear()


def delivered_events(bedrock):
    return [
        json.loads(event["message"])
        for principal, parameters, _ in bedrock.platform.named("logs:PutLogEvents")
        for event in parameters["logEvents"]
    ]


def delivered_records(bedrock):
    return [
        json.loads(line)
        for _, parameters, _ in bedrock.platform.named("s3:PutObject")
        if "/data/" not in parameters["Key"]
        for line in gzip.decompress(parameters["Body"]).decode().splitlines()
    ]


def test_a_configuration_is_tried_out_before_it_is_accepted(bedrock):
    bedrock.call("PutModelInvocationLoggingConfiguration", loggingConfig={**CLOUDWATCH, **S3})
    names = [(principal, name) for principal, name, _, _ in bedrock.platform.calls]
    assert names == [
        ("bedrock.amazonaws.com", "sts:AssumeRole"),
        (ROLE, "logs:CreateLogStream"),
        (ROLE, "logs:PutLogEvents"),
        ("bedrock.amazonaws.com", "s3:PutObject"),
    ]
    ((_, parameters, context),) = bedrock.platform.named("s3:PutObject")
    assert parameters["Key"] == FOLDER + "amazon-bedrock-logs-permission-check"
    assert context["aws:sourceaccount"] == (ACCOUNT,)
    assert context["aws:sourcearn"][0].startswith(f"arn:aws:bedrock:{REGION}:{ACCOUNT}:")
    shown = bedrock.call("GetModelInvocationLoggingConfiguration")["loggingConfig"]
    assert shown["s3Config"] == S3["s3Config"]
    assert shown["textDataDeliveryEnabled"] is True


@pytest.mark.parametrize(
    ("config", "refused", "message"),
    [
        ({}, {}, "At least one of"),
        ({"textDataDeliveryEnabled": True}, {}, "At least one of"),
        (CLOUDWATCH, {"sts:AssumeRole": "AccessDenied"}, f"log group: {GROUP}, with role: {ROLE}."),
        (
            CLOUDWATCH,
            {"logs:PutLogEvents": "AccessDeniedException"},
            "Failed to validate permissions for log group",
        ),
        (
            CLOUDWATCH,
            {"logs:CreateLogStream": "ResourceNotFoundException"},
            "Failed to validate permissions for log group",
        ),
        (S3, {"s3:PutObject": "AccessDenied"}, "Failed to validate permissions for S3 bucket: logs-bucket"),
        (S3, {"s3:PutObject": "NoSuchBucket"}, "Failed to validate permissions for S3 bucket"),
        (
            {"cloudWatchConfig": {**CLOUDWATCH["cloudWatchConfig"], **LARGE}},
            {"s3:PutObject": "AccessDenied"},
            "large-bucket",
        ),
        (
            {
                "cloudWatchConfig": {
                    "logGroupName": GROUP,
                    "roleArn": "arn:aws:iam::444455556666:role/Logging",
                }
            },
            {},
            "Cross-account pass role is not allowed",
        ),
        (
            {"cloudWatchConfig": {"logGroupName": GROUP, "roleArn": "Logging"}},
            {},
            "regular expression pattern",
        ),
        ({"s3Config": {"bucketName": "b"}}, {}, "length greater than or equal to 3"),
    ],
)
def test_what_aws_rejects(bedrock, config, refused, message):
    bedrock.platform.refused = refused
    error = bedrock.refusal("PutModelInvocationLoggingConfiguration", loggingConfig=config)
    assert error.code == "ValidationException"
    assert message in error.message
    assert bedrock.call("GetModelInvocationLoggingConfiguration") == {}


def test_a_bucket_of_another_region_is_rejected(bedrock):
    bedrock.platform.answers["s3:GetBucketLocation"] = {"LocationConstraint": "eu-west-1"}
    error = bedrock.refusal("PutModelInvocationLoggingConfiguration", loggingConfig=S3)
    assert "is in Region eu-west-1" in error.message


def test_a_log_stream_that_exists_is_used(bedrock):
    bedrock.platform.refused["logs:CreateLogStream"] = "ResourceAlreadyExistsException"
    put(bedrock, **CLOUDWATCH)
    bedrock.converse("hello")
    bedrock.plane.flush()
    assert len(delivered_events(bedrock)) == 1


def test_a_record_says_who_asked_what_and_got_which_answer(bedrock):
    put(bedrock, **CLOUDWATCH, **S3)
    guardrail = bedrock.guardrail(
        sensitiveInformationPolicyConfig={"piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}]}
    )
    output = bedrock.converse("I am a@example.com", guardrail, requestMetadata={"team": "search"})
    bedrock.plane.flush()
    (record,) = delivered_events(bedrock)
    assert delivered_records(bedrock) == [record]
    assert {
        key: record[key] for key in ("schemaType", "schemaVersion", "accountId", "region", "operation")
    } == {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "accountId": ACCOUNT,
        "region": REGION,
        "operation": "Converse",
    }
    assert record["identity"]["arn"].endswith(":user/tester")
    assert record["requestId"] == "request-1"
    assert record["modelId"] == f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/{CLAUDE}"
    assert record["requestMetadata"] == {"team": "search"}
    # What the caller sent is logged as it was, also where the model saw a mask.
    assert record["input"]["inputBodyJson"]["messages"][0]["content"][0]["text"] == "I am a@example.com"
    assert record["output"]["outputBodyJson"]["stopReason"] == output["stopReason"]
    assert record["input"]["inputTokenCount"] == output["usage"]["inputTokens"]
    assert record["output"]["outputTokenCount"] == output["usage"]["outputTokens"]


def test_objects_lie_in_folders_by_hour(bedrock):
    put(bedrock, **S3)
    bedrock.converse("one")
    bedrock.converse("two")
    bedrock.plane.flush()
    ((principal, parameters, context),) = bedrock.platform.named("s3:PutObject")
    assert principal == "bedrock.amazonaws.com"
    assert parameters["Key"].startswith(f"{FOLDER}{REGION}/2026/11/23/08/20261123T081500000Z_")
    assert parameters["Key"].endswith(".json.gz")
    assert len(delivered_records(bedrock)) == 2
    assert context["aws:sourceaccount"] == (ACCOUNT,)


def test_without_a_prefix_the_folder_stands_at_the_top(bedrock):
    put(bedrock, s3Config={"bucketName": "logs-bucket"})
    bedrock.converse("one")
    bedrock.plane.flush()
    ((_, parameters, _),) = bedrock.platform.named("s3:PutObject")
    assert parameters["Key"].startswith(f"AWSLogs/{ACCOUNT}/")


@pytest.mark.parametrize(
    ("refused", "failed", "succeeded"),
    [
        (
            "s3:PutObject",
            "ModelInvocationLogsS3DeliveryFailure",
            "ModelInvocationLogsCloudWatchDeliverySuccess",
        ),
        (
            "logs:PutLogEvents",
            "ModelInvocationLogsCloudWatchDeliveryFailure",
            "ModelInvocationLogsS3DeliverySuccess",
        ),
        (
            "sts:AssumeRole",
            "ModelInvocationLogsCloudWatchDeliveryFailure",
            "ModelInvocationLogsS3DeliverySuccess",
        ),
    ],
)
def test_what_can_no_longer_be_delivered_is_a_metric(bedrock, refused, failed, succeeded):
    put(bedrock, **CLOUDWATCH, **S3)
    bedrock.platform.refused[refused] = "AccessDenied"
    assert bedrock.converse("hello")["stopReason"] == "end_turn"
    bedrock.plane.flush()
    assert bedrock.platform.metric(failed) == [1.0]
    assert bedrock.platform.metric(succeeded) == [1.0]


def test_large_bodies_go_to_s3(bedrock):
    put(bedrock, cloudWatchConfig={**CLOUDWATCH["cloudWatchConfig"], **LARGE})
    bedrock.converse("long " * 30_000)
    bedrock.plane.flush()
    (record,) = delivered_events(bedrock)
    assert "inputBodyJson" not in record["input"]
    uri = record["input"]["inputBodyS3Path"]
    assert uri.startswith(f"s3://large-bucket/large/AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/")
    bodies = {p["Key"]: p["Body"] for _, p, _ in bedrock.platform.named("s3:PutObject")}
    body = json.loads(gzip.decompress(bodies[uri.removeprefix("s3://large-bucket/")]))
    assert body["messages"][0]["content"][0]["text"].startswith("long long")
    assert bedrock.platform.metric("ModelInvocationLargeDataS3DeliverySuccess") == [1.0, 1.0]


def test_large_bodies_without_a_place_are_left_out(bedrock):
    put(bedrock, **CLOUDWATCH)
    bedrock.converse("long " * 30_000)
    bedrock.plane.flush()
    (record,) = delivered_events(bedrock)
    assert set(record["input"]) == {"inputContentType", "inputTokenCount"}


@pytest.mark.parametrize("kind", ["text", "embedding"])
def test_bodies_that_are_not_wanted_are_left_out(bedrock, kind):
    put(bedrock, **CLOUDWATCH, **{f"{kind}DataDeliveryEnabled": False})
    bedrock.converse("hello")
    bedrock.output("InvokeModel", modelId="amazon.titan-embed-text-v2:0", body=b'{"inputText": "hello"}')
    bedrock.plane.flush()
    text, embedding = delivered_events(bedrock)
    assert ("inputBodyJson" in text["input"]) is (kind != "text")
    assert ("inputBodyJson" in embedding["input"]) is (kind != "embedding")


def test_streams_and_invoke_model_are_logged_too(bedrock):
    put(bedrock, **CLOUDWATCH)
    bedrock.converse("hello", operation="ConverseStream")
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
    }
    bedrock.output(
        "InvokeModel", modelId=CLAUDE, body=json.dumps(body).encode(), requestMetadata='{"a": "b"}'
    )
    bedrock.call("InvokeModelWithResponseStream", modelId=CLAUDE, body=json.dumps(body).encode())
    bedrock.plane.flush()
    stream, invoke, invoke_stream = delivered_events(bedrock)
    assert [one["operation"] for one in (stream, invoke, invoke_stream)] == [
        "ConverseStream",
        "InvokeModel",
        "InvokeModelWithResponseStream",
    ]
    assert invoke["input"]["inputBodyJson"] == body
    assert invoke["requestMetadata"] == {"a": "b"}
    assert isinstance(invoke_stream["output"]["outputBodyJson"], list)


def test_nothing_is_logged_where_logging_is_off(bedrock):
    put(bedrock, **CLOUDWATCH)
    bedrock.call("DeleteModelInvocationLoggingConfiguration")
    bedrock.converse("hello")
    bedrock.plane.flush()
    assert bedrock.platform.calls == []


def test_logging_is_regional(bedrock):
    put(bedrock, **CLOUDWATCH)
    messages = [{"role": "user", "content": [{"text": "hello"}]}]
    bedrock.output("Converse", region="us-west-2", modelId=NOVA, messages=messages)
    bedrock.plane.flush()
    assert delivered_events(bedrock) == []


# Metrics


def dimensions(bedrock, metric):
    return [
        {d["Name"]: d["Value"] for d in datum["Dimensions"]}
        for _, datum in bedrock.platform.metrics
        if datum["MetricName"] == metric
    ]


def test_metrics_of_an_invocation(bedrock):
    output = bedrock.converse("hello", model=NOVA)
    bedrock.plane.flush()
    assert bedrock.platform.metric("InputTokenCount") == [output["usage"]["inputTokens"]]
    assert bedrock.platform.metric("OutputTokenCount") == [output["usage"]["outputTokens"]]
    assert dimensions(bedrock, "Invocations") == [{"ModelId": NOVA}]
    assert {namespace for namespace, _ in bedrock.platform.metrics} == {"AWS/Bedrock"}


def test_metrics_of_guardrails(bedrock):
    guardrail = bedrock.guardrail()
    bedrock.converse("nightjar", guardrail, model=NOVA)
    bedrock.plane.flush()
    arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/{guardrail}"
    assert dimensions(bedrock, "InvocationsIntervened") == [
        {"GuardrailContentSource": "Input"},
        {"GuardrailArn": arn, "GuardrailVersion": "DRAFT"},
        {"GuardrailPolicyType": "WordPolicy"},
    ]


def test_metrics_of_apply_guardrail(bedrock):
    content = [{"text": {"text": "hello"}}]
    bedrock.call(
        "ApplyGuardrail",
        guardrailIdentifier=bedrock.guardrail(),
        guardrailVersion="DRAFT",
        source="INPUT",
        content=content,
    )
    bedrock.plane.flush()
    assert {"Operation": "ApplyGuardrail"} in dimensions(bedrock, "Invocations")
    assert bedrock.platform.metric("InvocationsIntervened") == []


def test_metrics_of_refused_calls(bedrock):
    bedrock.refusal("Converse", modelId=NOVA, messages=[])
    bedrock.plane.flush()
    assert bedrock.platform.metric("InvocationClientErrors") == [1.0]
    assert dimensions(bedrock, "InvocationClientErrors") == [{"ModelId": NOVA}]


def test_stopping_delivers_what_is_queued(bedrock):
    put(bedrock, **CLOUDWATCH)
    bedrock.converse("hello")
    bedrock.plane.stop()
    assert len(delivered_events(bedrock)) == 1


def test_data_retention(bedrock):
    assert bedrock.call("GetAccountDataRetention")["mode"] == "inherit"
    bedrock.call("PutAccountDataRetention", mode="none")
    assert bedrock.call("GetAccountDataRetention")["mode"] == "none"
    assert bedrock.refusal("PutAccountDataRetention", mode="forever").code == "ValidationException"
