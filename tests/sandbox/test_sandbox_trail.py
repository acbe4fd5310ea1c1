"""CloudTrail records what happened, without what must stay secret, and delivers where policies let it."""

import gzip
import json

import pytest

TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
BUCKET = "trail-bucket"
ADMIT = [
    {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{BUCKET}", "Condition": {"StringEquals": {"aws:SourceArn": TRAIL}}},
    {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/AWSLogs/111122223333/*", "Condition": {"StringEquals": {"aws:SourceArn": TRAIL, "s3:x-amz-acl": "bucket-owner-full-control"}}},
]  # fmt: skip


@pytest.fixture(scope="module")
def trail(world):
    from json import dumps

    s3, cloudtrail = world.client("s3"), world.client("cloudtrail")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=dumps({"Version": "2012-10-17", "Statement": ADMIT}))
    cloudtrail.create_trail(Name="main", S3BucketName=BUCKET, IsMultiRegionTrail=True)
    cloudtrail.start_logging(Name="main")

    def selector(**wanted):
        return {
            "FieldSelectors": [
                {"Field": name.replace("_", "."), "Equals": [value]} for name, value in wanted.items()
            ]
        }

    cloudtrail.put_event_selectors(
        TrailName="main",
        AdvancedEventSelectors=[
            selector(eventCategory="Management"),
            selector(eventCategory="Data", resources_type="AWS::Bedrock::Guardrail"),
        ],
    )
    return cloudtrail


def looked_up(world, name, value, key="EventName"):
    found = world.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}]
    )
    return [
        json.loads(event["CloudTrailEvent"])
        for event in found["Events"]
        if name in {None, event["EventName"]}
    ]


def delivered(world):
    world.sandbox.flush()
    s3 = world.client("s3")
    records = []
    for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="AWSLogs/").get("Contents", []):
        body = s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
        records += json.loads(gzip.decompress(body))["Records"]
    return records


def test_a_trail_needs_a_bucket_that_admits_it(world, helpers):
    cloudtrail, s3 = world.client("cloudtrail"), world.client("s3")

    def make():
        return cloudtrail.create_trail(Name="other", S3BucketName="other-trail-bucket")

    assert helpers.code_of(make) == "S3BucketDoesNotExistException"
    s3.create_bucket(Bucket="other-trail-bucket")
    assert helpers.code_of(make) == "InsufficientS3BucketPolicyException"
    key = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    text = helpers.policy(
        *json.loads(
            json.dumps(ADMIT).replace(BUCKET, "other-trail-bucket").replace("trail/main", "trail/other")
        )
    )
    s3.put_bucket_policy(Bucket="other-trail-bucket", Policy=text)

    def with_key():
        return cloudtrail.create_trail(Name="other", S3BucketName="other-trail-bucket", KmsKeyId=key)

    assert helpers.code_of(with_key) == "InsufficientEncryptionPolicyException"
    assert make()["TrailARN"].endswith("trail/other")
    basic = [
        {
            "ReadWriteType": "All",
            "DataResources": [{"Type": "AWS::Bedrock::Guardrail", "Values": ["arn:aws:bedrock"]}],
        }
    ]

    def put(**given):
        return lambda: cloudtrail.put_event_selectors(**given)

    assert helpers.code_of(put(TrailName="other", EventSelectors=basic)) == "InvalidEventSelectorsException"
    assert (
        helpers.code_of(put(TrailName="none", EventSelectors=[{"ReadWriteType": "All"}]))
        == "TrailNotFoundException"
    )
    cloudtrail.delete_trail(Name="other")


def test_inference_is_recorded_without_its_prompt(world, helpers, trail):
    del trail
    world.client("bedrock-runtime").converse(
        modelId=helpers.MODEL, messages=[{"role": "user", "content": [{"text": "a-secret-prompt"}]}]
    )
    record = looked_up(world, None, "Converse")[0]
    assert record["eventSource"] == "bedrock.amazonaws.com"
    assert record["readOnly"] is True
    assert record["managementEvent"] is True
    assert record["userIdentity"]["type"] == "IAMUser"
    assert record["userIdentity"]["userName"] == "SandboxAdministrator"
    assert record["requestParameters"]["modelId"] == helpers.MODEL
    assert "a-secret-prompt" not in json.dumps(record)
    assert record["recipientAccountId"] == "111122223333"


def test_denials_are_recorded(world, helpers, trail):
    del trail
    user = world.user("denied")
    runtime = world.client("bedrock-runtime", **user)

    def ask():
        return runtime.converse(
            modelId=helpers.MODEL, messages=[{"role": "user", "content": [{"text": "another-secret"}]}]
        )

    helpers.code_of(ask)
    record = looked_up(world, "Converse", "denied", key="Username")[0]
    assert record["errorCode"].startswith("AccessDenied")
    assert "is not authorized to perform: bedrock:InvokeModel" in record["errorMessage"]
    assert "another-secret" not in json.dumps(record)


def test_sessions_name_their_role(world, trail):
    del trail
    session = world.assume("arn:aws:iam::999988887777:role/RingwallManagement", RoleSessionName="who")
    world.client("organizations", **session).list_roots()
    record = looked_up(world, None, "AssumeRole")[0]
    assert record["requestParameters"]["roleSessionName"] == "who"
    assert "SecretAccessKey" not in json.dumps(record)
    own = next(
        item
        for _, item in world.sandbox.gateway.archive.history("999988887777", "us-east-1")
        if item["eventName"] == "ListRoots"
    )
    issuer = own["userIdentity"]["sessionContext"]["sessionIssuer"]
    assert own["userIdentity"]["type"] == "AssumedRole"
    assert issuer["arn"] == "arn:aws:iam::999988887777:role/RingwallManagement"
    assert issuer["principalId"].startswith("AROA")


def test_secrets_stay_out(world, trail):
    del trail
    iam = world.client("iam")
    iam.create_user(UserName="secretive")
    made = iam.create_access_key(UserName="secretive")["AccessKey"]
    record = looked_up(world, None, "CreateAccessKey")[0]
    assert made["AccessKeyId"] in json.dumps(record)
    assert made["SecretAccessKey"] not in json.dumps(record)


def test_selected_events_are_delivered(world, helpers, trail):
    bedrock = world.client("bedrock")
    made = bedrock.create_guardrail(
        name="trailed",
        blockedInputMessaging="no",
        blockedOutputsMessaging="no",
        wordPolicyConfig={"wordsConfig": [{"text": "xyzzy"}]},
    )
    world.client("bedrock-runtime").apply_guardrail(
        guardrailIdentifier=made["guardrailId"],
        guardrailVersion="DRAFT",
        source="INPUT",
        content=[{"text": {"text": "say xyzzy"}}],
    )
    world.client("s3").list_objects_v2(Bucket=BUCKET)
    records = delivered(world)
    names = {record["eventName"] for record in records}
    assert {"CreateGuardrail", "ApplyGuardrail"} <= names
    assert "ListObjectsV2" not in names
    applied = next(record for record in records if record["eventName"] == "ApplyGuardrail")
    assert applied["eventCategory"] == "Data"
    assert applied["resources"][0]["type"] == "AWS::Bedrock::Guardrail"
    assert applied["resources"][0]["ARN"] == made["guardrailArn"]
    assert looked_up(world, None, "ApplyGuardrail") == []
    assert "LatestDeliveryError" not in trail.get_trail_status(Name="main")


def test_a_trail_that_cannot_deliver_says_so(world, helpers, trail):
    s3 = world.client("s3")
    deny = {
        "Effect": "Deny",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=helpers.policy(*ADMIT, deny))
    world.sandbox.flush()
    assert trail.get_trail_status(Name="main")["LatestDeliveryError"] == "AccessDenied"
    s3.put_bucket_policy(Bucket=BUCKET, Policy=helpers.policy(*ADMIT))
    trail.describe_trails()
    world.sandbox.flush()
    assert "LatestDeliveryError" not in trail.get_trail_status(Name="main")


def test_a_stopped_trail_delivers_nothing(world, trail):
    trail.stop_logging(Name="main")
    before = len(delivered(world))
    world.client("kms").list_keys()
    assert len(delivered(world)) == before
    trail.start_logging(Name="main")


def test_lookup_pages_without_losing_or_repeating(world, trail):
    del trail
    cloudtrail = world.client("cloudtrail")
    for _ in range(7):
        world.client("kms").list_aliases()
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ListAliases"}],
        PaginationConfig={"PageSize": 3},
    )
    found = [[event["EventId"] for event in page["Events"]] for page in pages]
    identities = [identity for page in found for identity in page]
    assert len(identities) == len(set(identities)) == 7
    assert max(len(page) for page in found) == 3


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"NextToken": "bm90aGluZw=="}, "InvalidNextTokenException"),
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"StartTime": 1900000000, "EndTime": 1800000000}, "InvalidTimeRangeException"),
    ],
)
def test_malformed_lookups(world, helpers, parameters, code):
    client = world.client("cloudtrail", parameter_validation=False)
    assert helpers.code_of(lambda: client.lookup_events(**parameters)) == code
