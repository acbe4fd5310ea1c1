"""The scene that contract cases play in: what they name, made once in a sandbox of its own."""

import json
from types import SimpleNamespace

ACCOUNT, REGION = "111122223333", "us-east-1"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/SandboxAdministrator"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "us.amazon.nova-pro-v1:0"
VPC = "vpc-0a11ce00000000001"
SUBNETS = ["subnet-0a11ce00000000001", "subnet-0a11ce00000000002"]
GROUP = "sg-0a11ce00000000001"
RUNTIME = f"com.amazonaws.{REGION}.bedrock-runtime"
ABSENT_ROLE = f"arn:aws:iam::{ACCOUNT}:role/absent"
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def text(*statements):
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions, resource="*", **more):
    """An Allow statement."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions, resource="*", **more):
    """A Deny statement."""
    return {**allow(*actions, resource=resource, **more), "Effect": "Deny"}


def trust(principal, **more):
    """A trust policy's statement."""
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}


OWN_KEY = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
# As the user guide has it, against confused deputies.
FOR_JOBS = {
    "Condition": {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:*"},
    }
}
# Input, a prompt, output.
FLOW = {
    "nodes": [
        {"name": "Start", "type": "Input", "configuration": {"input": {}}, "outputs": [{"name": "document", "type": "String"}]},
        {
            "name": "Ask",
            "type": "Prompt",
            "configuration": {
                "prompt": {
                    "sourceConfiguration": {
                        "inline": {
                            "modelId": "amazon.nova-lite-v1:0",
                            "templateType": "TEXT",
                            "templateConfiguration": {"text": {"text": "About {{topic}}."}},
                        }
                    }
                }
            },
            "inputs": [{"name": "topic", "type": "String", "expression": "$.data"}],
            "outputs": [{"name": "modelCompletion", "type": "String"}],
        },
        {"name": "End", "type": "Output", "configuration": {"output": {}}, "inputs": [{"name": "document", "type": "String", "expression": "$.data"}]},
    ],
    "connections": [
        {"type": "Data", "name": "toAsk", "source": "Start", "target": "Ask", "configuration": {"data": {"sourceOutput": "document", "targetInput": "topic"}}},
        {"type": "Data", "name": "toEnd", "source": "Ask", "target": "End", "configuration": {"data": {"sourceOutput": "modelCompletion", "targetInput": "document"}}},
    ],
}  # fmt: skip
GUARDRAIL = {
    "blockedInputMessaging": "IN",
    "blockedOutputsMessaging": "OUT",
    "wordPolicyConfig": {"wordsConfig": [{"text": "nightjar"}]},
}
ALARM = {
    "AlarmName": "alarm",
    "EvaluationPeriods": 1,
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 1,
    "Namespace": "n",
    "MetricName": "m",
    "Period": 60,
    "Statistic": "Sum",
}


def say(words="hello"):
    """Messages of a conversation."""
    return [{"role": "user", "content": [{"text": words}]}]


class Scene(SimpleNamespace):
    """Names of what was made, and ``client(service)``."""


def set_scene(world):
    """Make what the cases name."""
    scene = Scene(world=world, client=world.client)
    iam, kms, s3 = world.client("iam"), world.client("kms"), world.client("s3")
    key = kms.create_key()["KeyMetadata"]
    scene.key_id, scene.key = key["KeyId"], key["Arn"]
    scene.other_key = kms.create_key()["KeyMetadata"]["Arn"]
    scene.denied_key = kms.create_key()["KeyMetadata"]["Arn"]
    lock = {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"}
    kms.put_key_policy(KeyId=scene.denied_key, PolicyName="default", Policy=text(OWN_KEY, lock))
    scene.disabled_key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=scene.disabled_key)
    scene.blob = kms.encrypt(KeyId=scene.key, Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
    scene.bucket, scene.trail_bucket = "contract-bucket", "contract-trail-bucket"
    for bucket in (scene.bucket, scene.trail_bucket):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=scene.bucket, Key="key", Body=b"x")
    s3.put_object(Bucket=scene.bucket, Key="model/config.json", Body=b'{"model_type": "llama"}')
    s3.put_bucket_policy(Bucket=scene.trail_bucket, Policy=text(*admit_trail(scene.trail_bucket)))
    world.client("cloudtrail").create_trail(Name="trail", S3BucketName=scene.trail_bucket)
    make_roles(scene, iam)
    bedrock = world.client("bedrock")
    made = bedrock.create_guardrail(name="contract", **GUARDRAIL)
    scene.guardrail, scene.guardrail_arn = made["guardrailId"], made["guardrailArn"]
    bedrock.create_guardrail_version(guardrailIdentifier=scene.guardrail)
    bedrock.create_model_import_job(
        jobName="kept",
        importedModelName="kept",
        roleArn=scene.for_models,
        modelDataSource={"s3DataSource": {"s3Uri": f"s3://{scene.bucket}/model/"}},
    )
    scene.kept_model = bedrock.get_imported_model(modelIdentifier="kept")["modelArn"]
    agents = world.client("bedrock-agent")
    made = agents.create_flow(name="kept", executionRoleArn=scene.for_models, definition=FLOW)
    scene.flow, scene.flow_arn = made["id"], made["arn"]
    agents.prepare_flow(flowIdentifier=scene.flow)
    world.client("logs").create_log_group(logGroupName="/contract")
    world.client("cloudwatch").put_metric_alarm(**ALARM)
    scene.endpoint = world.client("ec2").create_vpc_endpoint(
        VpcId=VPC,
        ServiceName=RUNTIME,
        VpcEndpointType="Interface",
        SubnetIds=SUBNETS,
        SecurityGroupIds=[GROUP],
    )["VpcEndpoint"]["VpcEndpointId"]
    scene.organizations = world.organizations()
    scene.log_bucket = "contract-log-bucket"
    s3.create_bucket(Bucket=scene.log_bucket)
    s3.put_bucket_policy(Bucket=scene.log_bucket, Policy=text(admit_bedrock(scene.log_bucket)))
    scene.undo = []
    return scene


def make_roles(scene, iam):
    """Roles with one fault each, and users to call as."""
    roles = {
        "contract": (trust({"AWS": ADMINISTRATOR}), [allow("bedrock:InvokeModel*")]),
        "for-bedrock": (trust({"Service": "bedrock.amazonaws.com"}), [allow("s3:GetObject")]),
        "for-models": (
            trust({"Service": "bedrock.amazonaws.com"}, **FOR_JOBS),
            [allow("s3:GetObject", "s3:ListBucket", "s3:PutObject", "bedrock:InvokeModel")],
        ),
        "for-lambda": (trust({"Service": "lambda.amazonaws.com"}), [ALLOW_ALL]),
    }
    for name, (trusted, statements) in roles.items():
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=text(trusted))
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=text(*statements))
        setattr(scene, name.replace("-", "_"), f"arn:aws:iam::{ACCOUNT}:role/{name}")
    scene.policy = iam.create_policy(PolicyName="contract", PolicyDocument=text(ALLOW_ALL))["Policy"]["Arn"]
    iam.create_user(UserName="holder")
    iam.attach_user_policy(UserName="holder", PolicyArn=scene.policy)
    scene.nobody = scene.world.user("nobody")


def admit_bedrock(bucket):
    """A bucket policy's statement that admits Bedrock's invocation logs."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/{ACCOUNT}/BedrockModelInvocationLogs/*",
    }


def admit_trail(bucket):
    """A bucket policy's statements that admit CloudTrail."""
    service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    owner = {"Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}}
    return (
        {**service, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
        {**service, **owner, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/*"},
    )
