"""Models of one's own, live: whose rights the jobs that make them have, and who may use them."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.flow_scenes import ACCOUNT, BUCKET, FILES, READ, REGION, TUNED, allow, grant, role


@pytest.fixture(scope="module")
def tuner(world, helpers):
    s3 = world.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="train.jsonl", Body=b"{}")
    s3.put_object(Bucket=BUCKET, Key="model/config.json", Body=b'{"model_type": "llama"}')
    return role(world, "Tuner", "model-*-job/*", READ)


@pytest.fixture
def later(world):
    """Puts the sandbox's clock a minute on."""
    clock = world.sandbox.gateway._clock
    yield lambda: setattr(world.sandbox.gateway, "_clock", lambda: datetime.now(UTC) + timedelta(minutes=1))
    world.sandbox.gateway._clock = clock


def test_a_customization_job_needs_its_role_on_every_bucket(world, helpers, tuner, later):
    bedrock = world.client("bedrock")
    bedrock.create_model_customization_job(jobName="fails", customModelName="fails", roleArn=tuner, **TUNED)
    grant(world, "Tuner", READ, allow("s3:PutObject", resource=f"arn:aws:s3:::{BUCKET}/out/*"))
    bedrock.create_model_customization_job(jobName="works", customModelName="works", roleArn=tuner, **TUNED)
    later()
    failed = bedrock.get_model_customization_job(jobIdentifier="fails")
    assert (failed["status"], "s3:PutObject" in failed["failureMessage"]) == ("Failed", True)
    assert bedrock.get_model_customization_job(jobIdentifier="works")["status"] == "Completed"
    assert [one["modelName"] for one in bedrock.list_custom_models()["modelSummaries"]] == ["works"]
    written = world.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="out/")["Contents"]
    assert [one["Key"].rpartition("/")[2] for one in written] == ["step_wise_training_metrics.csv"]


@pytest.mark.parametrize("source", ["model-import-job/*", "flow/*"])
def test_a_role_that_trusts_bedrock_for_other_jobs_is_not_assumed(world, helpers, tuner, source):
    other = role(world, f"Not{source[:4]}", source, READ)
    bedrock = world.client("bedrock")
    given = {"jobName": "refused", "customModelName": "refused", "roleArn": other, **TUNED}
    text = helpers.message_of(bedrock.create_model_customization_job, **given)
    assert text.startswith("Could not assume provided IAM role.")


def test_an_imported_model_is_used_by_who_may_use_it_and_its_key(world, helpers, tuner):
    bedrock = world.client("bedrock")
    key = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    bedrock.create_model_import_job(
        jobName="import",
        importedModelName="mine",
        roleArn=tuner,
        modelDataSource=FILES,
        importedModelKmsKeyId=key,
    )
    arn = bedrock.get_imported_model(modelIdentifier="mine")["modelArn"]
    via = {"StringEquals": {"kms:ViaService": f"bedrock.{REGION}.amazonaws.com"}}
    invoke, decrypt = (
        allow("bedrock:InvokeModel", resource=arn),
        allow("kms:Decrypt", resource=key, Condition=via),
    )
    ask = {"modelId": arn, "messages": helpers.MESSAGES}
    keyless = world.client("bedrock-runtime", **world.user("model-keyless", invoke))
    assert "kms:Decrypt" in helpers.message_of(keyless.converse, **ask)
    modelless = world.client("bedrock-runtime", **world.user("model-less", decrypt))
    assert "bedrock:InvokeModel" in helpers.message_of(modelless.converse, **ask)
    user = world.client("bedrock-runtime", **world.user("model-user", invoke, decrypt))
    assert user.converse(**ask)["stopReason"] == "end_turn"
    world.client("kms").disable_key(KeyId=key)
    assert helpers.code_of(user.converse, **ask) == "ValidationException"


def test_a_job_in_a_vpc_needs_the_network_of_it(world, helpers, tuner, later):
    bedrock = world.client("bedrock")
    network = {"subnetIds": ["subnet-0a11ce00000000001"], "securityGroupIds": ["sg-0a11ce00000000001"]}
    put = allow("s3:PutObject")
    grant(world, "Tuner", READ, put)
    given = {"roleArn": tuner, "vpcConfig": network, **TUNED}
    bedrock.create_model_customization_job(jobName="outside", customModelName="outside", **given)
    managed = {"Condition": {"StringEquals": {"aws:RequestTag/BedrockManaged": "true"}}}
    interface = f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/*"
    grant(
        world,
        "Tuner",
        READ,
        put,
        allow(
            "ec2:DescribeSubnets",
            "ec2:DescribeSecurityGroups",
            "ec2:CreateTags",
            "ec2:DeleteNetworkInterface",
        ),
        allow("ec2:CreateNetworkInterface", resource=interface, **managed),
        allow(
            "ec2:CreateNetworkInterface",
            resource=[f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/*" for kind in ("subnet", "security-group")],
        ),
    )
    bedrock.create_model_customization_job(jobName="inside", customModelName="inside", **given)
    later()
    outside = bedrock.get_model_customization_job(jobIdentifier="outside")
    assert (outside["status"], "ec2:DescribeSubnets" in outside["failureMessage"]) == ("Failed", True)
    inside = bedrock.get_model_customization_job(jobIdentifier="inside")
    assert (inside["status"], inside["vpcConfig"]) == ("Completed", network)
    found = world.client("ec2").describe_network_interfaces(
        Filters=[{"Name": "tag:BedrockManaged", "Values": ["true"]}]
    )
    assert found["NetworkInterfaces"] == []
