"""Requests that botocore writes are read back as they were meant, and results that we write are read back by botocore."""

from datetime import UTC, datetime
from urllib.parse import quote

import boto3
import botocore.awsrequest
import botocore.parsers
import pytest
from botocore.awsrequest import HeadersDict
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.sandbox import eventstream, faults, models, parse, resolve, serialize
from ringwall.sandbox.call import AwsError
from ringwall.sandbox.wire import HttpRequest

MODEL = "anthropic.claude-3-sonnet-20240229-v1:0"


def written(service, method, parameters):
    """The request that boto3 makes of a call, never sent."""
    caught = []

    def catch(request, **_):
        caught.append(request)
        return botocore.awsrequest.AWSResponse(request.url, 200, {}, None)

    client = boto3.session.Session().client(
        service,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(
            parameter_validation=False,
            retries={"max_attempts": 0},
            request_checksum_calculation="when_required",
        ),
    )
    client.meta.events.register("before-send.*.*", catch)
    try:
        getattr(client, method)(**parameters)
    except (AttributeError, TypeError, KeyError, botocore.parsers.ResponseParserError):
        assert caught  # the empty answer cannot be parsed, and need not be
    request = caught[0]
    body = request.body
    body = body.read() if hasattr(body, "read") else body
    body = body.encode() if isinstance(body, str) else body or b""
    host, _, rest = request.url.removeprefix("https://").partition("/")
    path, _, query = f"/{rest}".partition("?")
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    return HttpRequest(
        request.method, path, query, {"host": host, **headers}, body
    ), client.meta.method_to_api_mapping[method]


CALLS = [
    ("bedrock-runtime", "converse", {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "é"}]}], "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"}, "additionalModelRequestFields": {"a": [1, {"b": True}]}}),
    ("bedrock-runtime", "invoke_model", {"modelId": f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}", "body": b'{"a":1}', "guardrailIdentifier": "g", "guardrailVersion": "1"}),
    ("bedrock-runtime", "apply_guardrail", {"guardrailIdentifier": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abc", "guardrailVersion": "1", "source": "INPUT", "content": []}),
    ("bedrock", "get_guardrail", {"guardrailIdentifier": "abc", "guardrailVersion": "3"}),
    ("bedrock-agent", "list_tags_for_resource", {"resourceArn": "arn:aws:bedrock:us-east-1:111122223333:agent/A"}),
    ("bedrock-agent-runtime", "invoke_agent", {"agentId": "A", "agentAliasId": "B", "sessionId": "s", "inputText": "x"}),
    ("ec2", "create_vpc_endpoint", {"VpcId": "vpc-1", "ServiceName": "s", "SubnetIds": ["a", "b"], "PrivateDnsEnabled": True, "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "a", "Value": "b"}]}]}),
    ("ec2", "authorize_security_group_ingress", {"GroupId": "sg-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "x y"}]}]}),
    ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": '{"a": "b c+d&e=f"}', "Tags": [{"Key": "k", "Value": ""}]}),
    ("sts", "assume_role", {"RoleArn": "arn:aws:iam::111122223333:role/r", "RoleSessionName": "s", "DurationSeconds": 900, "TransitiveTagKeys": ["a"]}),
    ("kms", "encrypt", {"KeyId": "k", "Plaintext": b"\x00\xff", "EncryptionContext": {"a": "b"}}),
    ("s3", "get_object", {"Bucket": "bbb", "Key": "a/b c+d.txt/"}),
    ("s3", "put_object", {"Bucket": "bbb", "Key": "k", "Body": b"hello", "Metadata": {"a": "b"}, "ServerSideEncryption": "aws:kms"}),
    ("s3", "delete_objects", {"Bucket": "bbb", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}]}}),
    ("s3", "list_objects_v2", {"Bucket": "bbb", "Prefix": "a b"}),
    ("s3", "list_buckets", {}),
    ("s3", "upload_part", {"Bucket": "bbb", "Key": "k", "PartNumber": 1, "UploadId": "u", "Body": b"x"}),
    ("s3", "copy_object", {"Bucket": "bbb", "Key": "k", "CopySource": "a/b"}),
    ("s3", "get_bucket_inventory_configuration", {"Bucket": "bbb", "Id": "one"}),
    ("s3", "list_bucket_inventory_configurations", {"Bucket": "bbb"}),
    ("s3", "put_bucket_lifecycle_configuration", {"Bucket": "bbb", "LifecycleConfiguration": {"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 3}}]}}),
    ("logs", "create_log_group", {"logGroupName": "x", "tags": {"a": "b"}}),
    ("cloudwatch", "put_metric_alarm", {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1.5, "Dimensions": [{"Name": "a", "Value": "b"}]}),
    ("sns", "create_topic", {"Name": "t", "Attributes": {"A": "b", "C": "d"}, "Tags": [{"Key": "a", "Value": "b"}]}),
    ("organizations", "create_policy", {"Content": "{}", "Name": "n", "Type": "SERVICE_CONTROL_POLICY", "Description": "d"}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "method", "parameters"), CALLS, ids=[f"{s}.{m}" for s, m, _ in CALLS])
def test_requests_are_read_as_they_were_meant(service, method, parameters):
    request, operation = written(service, method, parameters)
    styled = resolve.path_style(request, resolve.parse_host(request.host))
    found = resolve.resolve(styled, models.SIGNING_NAMES[service])
    assert (found.service, found.operation) == (service, operation)
    read = parse.parse(styled, found)
    assert {name: read.get(name) for name in parameters} == parameters


MOMENT = datetime(2026, 11, 23, 8, 0, 1, 500000, tzinfo=UTC)
RESULTS = [
    ("iam", "GetRole", "query", {"Role": {"RoleName": "a<b>&c", "CreateDate": MOMENT.replace(microsecond=0), "Tags": [{"Key": "k", "Value": ""}]}}),
    ("sts", "GetCallerIdentity", "query", {"Account": "1", "Arn": "a", "UserId": "u"}),
    ("sns", "GetTopicAttributes", "query", {"Attributes": {"a": "b", "c": "d"}}),
    ("ec2", "DescribeVpcEndpoints", "ec2", {"VpcEndpoints": [{"VpcEndpointId": "vpce-1", "SubnetIds": ["a", "b"], "PrivateDnsEnabled": True, "DnsEntries": [{"DnsName": "x"}]}]}),
    ("ec2", "DeleteVpcEndpoints", "ec2", {"Unsuccessful": []}),
    ("kms", "Encrypt", "json", {"CiphertextBlob": b"\x00\xff", "KeyId": "k"}),
    ("logs", "DescribeLogGroups", "json", {"logGroups": [{"logGroupName": "x", "creationTime": 5}]}),
    ("cloudtrail", "LookupEvents", "json", {"Events": [{"EventId": "e", "EventTime": MOMENT}]}),
    ("bedrock-runtime", "Converse", "rest-json", {"output": {"message": {"role": "assistant", "content": [{"text": "é"}]}}, "stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}}),
    ("bedrock", "ListGuardrails", "rest-json", {"guardrails": [], "nextToken": "t"}),
    ("s3", "ListObjectsV2", "rest-xml", {"Name": "b", "KeyCount": 1, "Contents": [{"Key": "a&b", "Size": 3, "LastModified": MOMENT.replace(microsecond=0)}], "CommonPrefixes": [{"Prefix": "p/"}]}),
    ("s3", "GetBucketEncryption", "rest-xml", {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}}),
    ("s3", "HeadObject", "rest-xml", {"ContentLength": 5, "ETag": '"x"', "Metadata": {"a": "b"}, "LastModified": MOMENT.replace(microsecond=0)}),
    ("cloudwatch", "DescribeAlarms", "smithy-rpc-v2-cbor", {"MetricAlarms": [{"AlarmName": "é", "Threshold": 1.5, "ActionsEnabled": True, "StateUpdatedTimestamp": MOMENT}]}),
]  # fmt: skip


def answered(resolution, response):
    parser = botocore.parsers.create_parser(resolution.protocol)
    headers = HeadersDict({name.lower(): value for name, value in response.headers.items()})
    message = {"status_code": response.status, "headers": headers, "body": response.body, "context": {}}
    return parser.parse(message, resolution.model.output_shape)


@pytest.mark.parametrize(
    ("service", "operation", "protocol", "result"), RESULTS, ids=[f"{r[0]}.{r[1]}" for r in RESULTS]
)
def test_results_are_read_by_botocore(service, operation, protocol, result):
    resolution = resolve.Resolution(service, operation, protocol)
    read = answered(
        resolution, serialize.serialize(resolution, result, "11111111-2222-3333-4444-555555555555")
    )
    assert {name: read.get(name) for name in result} == result


@pytest.mark.parametrize(
    ("service", "operation", "protocol"),
    [
        ("iam", "GetRole", "query"),
        ("ec2", "DescribeVpcs", "ec2"),
        ("kms", "Encrypt", "json"),
        ("bedrock", "GetGuardrail", "rest-json"),
        ("s3", "GetObject", "rest-xml"),
        ("cloudwatch", "DescribeAlarms", "smithy-rpc-v2-cbor"),
    ],
)
def test_errors_are_read_by_botocore(service, operation, protocol):
    error = AwsError("AccessDenied", "no <way> & never", 403)
    response = faults.write(error, service, protocol, "11111111-2222-3333-4444-555555555555")
    read = answered(resolve.Resolution(service, operation, protocol), response)
    assert read["Error"]["Code"] == "AccessDenied"
    assert read["Error"]["Message"] == "no <way> & never"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", ("bedrock-runtime", "us-east-1", None)),
        ("monitoring.eu-west-1.amazonaws.com", ("cloudwatch", "eu-west-1", None)),
        ("iam.amazonaws.com", ("iam", None, None)),
        ("s3.us-west-2.amazonaws.com", ("s3", "us-west-2", None)),
        ("a.dotted.bucket.s3.us-west-2.amazonaws.com", ("s3", "us-west-2", "a.dotted.bucket")),
        ("bkt.s3.amazonaws.com", ("s3", None, "bkt")),
        ("bkt.s3.dualstack.us-east-1.amazonaws.com", ("s3", "us-east-1", "bkt")),
        ("bedrock-runtime-fips.us-east-1.amazonaws.com", ("bedrock-runtime", "us-east-1", None)),
        ("sts.us-east-1.api.aws", ("sts", "us-east-1", None)),
        ("vpce-1-2.bedrock-runtime.us-east-1.vpce.amazonaws.com", ("bedrock-runtime", "us-east-1", None)),
        ("vpce-1-2-us-east-1a.sts.us-east-1.vpce.amazonaws.com", ("sts", "us-east-1", None)),
    ],
)
def test_host_names(host, expected):
    found = resolve.parse_host(host)
    assert found is not None
    assert (found.service, found.region, found.bucket) == expected


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "example.com", "dynamodb.us-east-1.amazonaws.com", "evil-amazonaws.com"],
)
def test_other_hosts_are_not_aws(host):
    assert resolve.parse_host(host) is None


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"messages": "x"}', b'{"messages": [{"role": 5}]}'],
)
def test_malformed_bodies_are_refused(body):
    request = HttpRequest("POST", f"/model/{MODEL}/converse", "", {"content-type": "application/json"}, body)
    with pytest.raises(parse.MalformedRequestError):
        parse.parse(request, resolve.resolve(request, "bedrock"))


def test_document_types_are_refused_in_xml():
    body = b'<!DOCTYPE x [<!ENTITY e "y">]><Delete><Object><Key>&e;</Key></Object></Delete>'
    request = HttpRequest("POST", "/bbb", "delete", {}, body)
    with pytest.raises(parse.MalformedRequestError):
        parse.parse(request, resolve.resolve(request, "s3"))


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_model_id_is_one_label(model_id):
    request = HttpRequest("POST", f"/model/{quote(model_id, safe='')}/converse", "", {}, b'{"messages": []}')
    found = resolve.resolve(request, "bedrock")
    assert found.operation == "Converse"
    assert parse.parse(request, found)["modelId"] == model_id


def test_event_streams_are_read_by_botocore():
    model = models.operation_model("bedrock-runtime", "ConverseStream")
    shape = eventstream.stream_shape(model)
    events = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "é"}}},
        {"messageStop": {"stopReason": "end_turn"}},
    ]
    raw = b"".join(eventstream.encode_event(shape, event) for event in events)
    stream = botocore.eventstream.EventStream(
        Raw(raw),
        model.output_shape.members["stream"],
        botocore.parsers.create_parser("rest-json")._event_stream_parser,
        "ConverseStream",
    )
    assert list(stream) == events


class Raw:
    """A body as botocore's event stream wants it."""

    def __init__(self, data):
        self.data = data

    def stream(self):
        yield self.data

    def close(self):
        pass
