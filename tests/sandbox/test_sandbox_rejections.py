"""Inputs that AWS rejects are rejected, and with AWS's code; the calls of the same shape that it takes are taken."""

import pytest

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
VPC = "vpc-0a11ce00000000001"
SUBNETS = ["subnet-0a11ce00000000001", "subnet-0a11ce00000000002"]
RUNTIME = "com.amazonaws.us-east-1.bedrock-runtime"
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "kms:*",
    "Resource": "*",
}
NOBODY = {"AWS": "arn:aws:iam::111122223333:role/nobody"}

IDENTITY_DOCUMENTS = {
    "not JSON": "{bad",
    "a principal": [{**ALL, "Principal": "*"}],
    "an effect in lower case": [{**ALL, "Effect": "allow"}],
    "a Sid twice": [{**ALL, "Sid": "a"}, {**ALL, "Sid": "a"}],
    "an action without vendor": [{**ALL, "Action": "InvokeModel"}],
    "an unknown operator": [{**ALL, "Condition": {"StringNope": {"aws:a": "b"}}}],
    "no resource": [{"Effect": "Allow", "Action": "*"}],
    "no action": [{"Effect": "Allow", "Resource": "*"}],
    "a resource that is no ARN": [{**ALL, "Resource": "my-bucket"}],
    "an unknown element": [{**ALL, "Resources": "*"}],
    "a Sid with a space": [{**ALL, "Sid": "a b"}],
}


@pytest.mark.parametrize("name", IDENTITY_DOCUMENTS)
def test_identity_policies(world, helpers, name):
    document = IDENTITY_DOCUMENTS[name]
    text = document if isinstance(document, str) else helpers.policy(*document)
    iam = world.client("iam", parameter_validation=False)

    def put():
        return iam.put_user_policy(UserName="SandboxAdministrator", PolicyName="p", PolicyDocument=text)

    assert helpers.code_of(put) == "MalformedPolicyDocument"


def test_a_policy_version_of_another_year(world, helpers):
    text = helpers.policy(ALL).replace("2012-10-17", "2020-01-01")
    iam = world.client("iam")

    def put():
        return iam.create_policy(PolicyName="year", PolicyDocument=text)

    assert helpers.code_of(put) == "MalformedPolicyDocument"


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Principal": NOBODY, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Service": "bedrock"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"},
    ],
)
def test_trust_policies(world, helpers, statement):
    iam = world.client("iam")

    def make():
        return iam.create_role(RoleName="Bad", AssumeRolePolicyDocument=helpers.policy(statement))

    assert helpers.code_of(make) == "MalformedPolicyDocument"


def test_conflicts_of_iam(world, helpers):
    iam = world.client("iam")
    large = helpers.policy({**ALL, "Action": [f"bedrock:{'x' * 60}{i}" for i in range(120)]})
    assert (
        helpers.code_of(lambda: iam.create_policy(PolicyName="large", PolicyDocument=large))
        == "LimitExceeded"
    )
    arn = iam.create_policy(PolicyName="used", PolicyDocument=helpers.policy(ALL))["Policy"]["Arn"]
    iam.create_user(UserName="holder")
    iam.attach_user_policy(UserName="holder", PolicyArn=arn)
    assert helpers.code_of(lambda: iam.delete_policy(PolicyArn=arn)) == "DeleteConflict"
    assert helpers.code_of(lambda: iam.delete_user(UserName="holder")) == "DeleteConflict"
    iam.detach_user_policy(UserName="holder", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    iam.delete_user(UserName="holder")
    unknown = "arn:aws:iam::111122223333:policy/none"
    bound = {
        "RoleName": "B",
        "AssumeRolePolicyDocument": helpers.policy(
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ),
    }
    assert helpers.code_of(lambda: iam.create_role(**bound, PermissionsBoundary=unknown)) == "NoSuchEntity"


@pytest.fixture(scope="module")
def key(world):
    return world.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.mark.parametrize(
    "statements",
    [
        "{",
        [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:user/SandboxAdministrator"},
                "Action": "kms:Encrypt",
                "Resource": "*",
            }
        ],
        [ROOT, {**ROOT, "Principal": NOBODY}],
        [{key: value for key, value in ROOT.items() if key != "Principal"}],
        [{key: value for key, value in ROOT.items() if key != "Resource"}],
    ],
)
def test_key_policies(world, helpers, key, statements):
    text = statements if isinstance(statements, str) else helpers.policy(*statements)

    def put():
        return world.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=text)

    assert helpers.code_of(put) == "MalformedPolicyDocumentException"


def test_keys_are_enforced(world, helpers, key):
    kms = world.client("kms", parameter_validation=False)
    kms.create_alias(AliasName="alias/enforced", TargetKeyId=key)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=helpers.policy(ROOT, deny))
    assert (
        helpers.code_of(lambda: kms.encrypt(KeyId="alias/enforced", Plaintext=b"x"))
        == "AccessDeniedException"
    )
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=helpers.policy(ROOT))
    blob = kms.encrypt(KeyId="alias/enforced", Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    kms.disable_key(KeyId=key)
    assert helpers.code_of(lambda: kms.encrypt(KeyId=key, Plaintext=b"x")) == "DisabledException"
    kms.enable_key(KeyId=key)
    assert (
        helpers.code_of(lambda: kms.put_key_policy(KeyId=key, PolicyName="other", Policy="{}"))
        == "NotFoundException"
    )
    assert (
        helpers.code_of(lambda: kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=5))
        == "ValidationException"
    )
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 180


@pytest.fixture(scope="module")
def bucket(world):
    world.client("s3").create_bucket(Bucket="rejecting-bucket")
    return "rejecting-bucket"


OBJECTS = "arn:aws:s3:::rejecting-bucket/*"


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        ("{", "MalformedPolicy"),
        (
            [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::other/*"}],
            "MalformedPolicy",
        ),
        (
            [{"Effect": "Allow", "Principal": NOBODY, "Action": "s3:*", "Resource": OBJECTS}],
            "MalformedPolicy",
        ),
        ([{"Effect": "Deny", "Principal": "*", "Action": "ec2:*", "Resource": OBJECTS}], "MalformedPolicy"),
        ([{"Effect": "Deny", "Action": "s3:*", "Resource": OBJECTS}], "MalformedPolicy"),
        (
            [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": OBJECTS}],
            "AccessDenied",
        ),
    ],
)
def test_bucket_policies(world, helpers, bucket, statements, code):
    text = statements if isinstance(statements, str) else helpers.policy(*statements)
    assert helpers.code_of(lambda: world.client("s3").put_bucket_policy(Bucket=bucket, Policy=text)) == code


def test_bucket_policies_with_conditions_are_weighed(world, helpers, bucket):
    s3 = world.client("s3")
    tls = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [OBJECTS[:-2], OBJECTS],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=helpers.policy(tls))
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    here = {**tls, "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "Action": "s3:GetObject"}
    s3.put_bucket_policy(Bucket=bucket, Policy=helpers.policy(tls, here))
    assert helpers.code_of(lambda: s3.get_object(Bucket=bucket, Key="k")) == "AccessDenied"
    s3.delete_bucket_policy(Bucket=bucket)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_new_buckets_are_as_aws_makes_them(world, bucket):
    s3 = world.client("s3")
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    west = world.client("s3", region="us-west-2")
    west.create_bucket(Bucket="western-bucket", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    assert west.get_bucket_location(Bucket="western-bucket")["LocationConstraint"] == "us-west-2"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None


def test_objects_under_a_key_need_the_key(world, helpers, bucket, key):
    s3 = world.client("s3")
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
        "BucketKeyEnabled": True,
    }
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    user = world.user("writer", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    try:
        assert s3.put_object(Bucket=bucket, Key="sealed", Body=b"x")["SSEKMSKeyId"] == key
        message = helpers.message_of(
            lambda: world.client("s3", **user).put_object(Bucket=bucket, Key="k", Body=b"x")
        )
        assert "kms:GenerateDataKey" in message
        assert "kms:Decrypt" in helpers.message_of(
            lambda: world.client("s3", **user).get_object(Bucket=bucket, Key="sealed")
        )
        world.client("kms").disable_key(KeyId=key)
        assert (
            helpers.code_of(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x"))
            == "KMS.DisabledException"
        )
        world.client("kms").enable_key(KeyId=key)
    finally:
        s3.delete_bucket_encryption(Bucket=bucket)
    wrong = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "rot13"}}
    assert (
        helpers.code_of(
            lambda: s3.put_bucket_encryption(
                Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [wrong]}
            )
        )
        == "MalformedXML"
    )
    absent = {"SSEKMSKeyId": "arn:aws:kms:us-east-1:111122223333:key/none", "ServerSideEncryption": "aws:kms"}
    assert (
        helpers.code_of(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x", **absent))
        == "KMS.NotFoundException"
    )
    assert (
        helpers.code_of(lambda: s3.put_object(Bucket="no-such-bucket", Key="k", Body=b"x")) == "NoSuchBucket"
    )


def test_log_groups(world, helpers, key):
    logs = world.client("logs")

    def make(**given):
        return lambda: logs.create_log_group(logGroupName="/a", **given)

    assert helpers.code_of(make(kmsKeyId=key.rsplit("/", 1)[1])) == "InvalidParameterException"
    assert helpers.code_of(make(kmsKeyId=key[:-1] + "z")) == "InvalidParameterException"
    assert helpers.code_of(make(kmsKeyId=key)) == "InvalidParameterException"
    admit = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": {
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:111122223333:*"}
        },
    }
    world.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=helpers.policy(ROOT, admit))
    make(kmsKeyId=key)()
    assert helpers.code_of(make()) == "ResourceAlreadyExistsException"
    assert (
        helpers.code_of(lambda: logs.put_retention_policy(logGroupName="/a", retentionInDays=17))
        == "InvalidParameterException"
    )
    logs.put_retention_policy(logGroupName="/a", retentionInDays=365)
    assert (
        helpers.code_of(lambda: logs.put_retention_policy(logGroupName="/none", retentionInDays=365))
        == "ResourceNotFoundException"
    )


def test_security_groups_and_endpoints(world, helpers):
    ec2 = world.client("ec2")
    interface = {"VpcId": VPC, "ServiceName": RUNTIME, "VpcEndpointType": "Interface", "SubnetIds": SUBNETS}
    refused = [
        ({**interface, "ServiceName": "com.amazonaws.us-east-1.nope"}, "InvalidServiceName"),
        ({**interface, "ServiceName": "com.amazonaws.us-west-2.bedrock-runtime"}, "InvalidServiceName"),
        ({**interface, "VpcId": "vpc-1"}, "InvalidVpcId.NotFound"),
        ({**interface, "SubnetIds": ["subnet-1"]}, "InvalidSubnetId.NotFound"),
        ({**interface, "SecurityGroupIds": ["sg-1"]}, "InvalidGroup.NotFound"),
        ({**interface, "PolicyDocument": "{"}, "InvalidPolicyDocument"),
        ({**interface, "VpcEndpointType": "Gateway"}, "InvalidParameter"),
    ]
    for parameters, code in refused:
        assert helpers.code_of(lambda given=parameters: ec2.create_vpc_endpoint(**given)) == code
    made = ec2.create_vpc_endpoint(**interface)["VpcEndpoint"]
    assert made["PrivateDnsEnabled"] is True
    assert {entry["DnsName"] for entry in made["DnsEntries"]} >= {"bedrock-runtime.us-east-1.amazonaws.com"}
    assert helpers.code_of(lambda: ec2.create_vpc_endpoint(**interface)) == "InvalidParameter"
    endpoint = {"VpcEndpointId": made["VpcEndpointId"]}
    assert (
        helpers.code_of(lambda: ec2.modify_vpc_endpoint(**endpoint, PolicyDocument="{"))
        == "InvalidPolicyDocument"
    )
    assert (
        helpers.code_of(lambda: ec2.modify_vpc_endpoint(VpcEndpointId="vpce-1"))
        == "InvalidVpcEndpointId.NotFound"
    )
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
    assert (
        helpers.code_of(lambda: ec2.create_security_group(GroupName="x", Description="x", VpcId="vpc-1"))
        == "InvalidVpcID.NotFound"
    )
    assert (
        helpers.code_of(
            lambda: ec2.create_security_group(GroupName="x", Description="x", VpcId=VPC, DryRun=True)
        )
        == "DryRunOperation"
    )


def test_organization_policies(world, helpers):
    organizations = world.organizations()

    def make(content, kind="SERVICE_CONTROL_POLICY"):
        return organizations.create_policy(Name="n", Description="", Type=kind, Content=content)["Policy"][
            "PolicySummary"
        ]["Id"]

    deny = {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}
    for content in (
        "{",
        helpers.policy({**deny, "Principal": "*"}),
        helpers.policy({"Effect": "Deny", "Action": "bedrock:*"}),
    ):
        assert helpers.code_of(lambda given=content: make(given)) == "MalformedPolicyDocumentException"
    large = helpers.policy({**deny, "Action": [f"bedrock:{'x' * 60}{i}" for i in range(140)]})
    assert helpers.code_of(lambda: make(large)) == "ConstraintViolationException"
    resource = make(helpers.policy({**deny, "Principal": "*"}), "RESOURCE_CONTROL_POLICY")

    def attach(policy, target="111122223333"):
        return lambda: organizations.attach_policy(PolicyId=policy, TargetId=target)

    assert helpers.code_of(attach(resource)) == "PolicyTypeNotEnabledException"
    other = organizations.create_policy(
        Name="other", Description="", Type="SERVICE_CONTROL_POLICY", Content=helpers.policy(deny)
    )["Policy"]["PolicySummary"]["Id"]
    attach(other, "r-ring")()
    assert helpers.code_of(attach(other, "r-ring")) == "DuplicatePolicyAttachmentException"
    assert helpers.code_of(lambda: organizations.delete_policy(PolicyId=other)) == "PolicyInUseException"
    organizations.detach_policy(PolicyId=other, TargetId="r-ring")
    full = {"PolicyId": "p-FullAWSAccess", "TargetId": "111122223333"}
    assert helpers.code_of(lambda: organizations.detach_policy(**full)) == "ConstraintViolationException"


@pytest.mark.parametrize(
    "change",
    [
        {"ComparisonOperator": "Nope"},
        {"Period": 61},
        {"EvaluationPeriods": 0},
        {"TreatMissingData": "sometimes"},
        {"AlarmActions": ["topic"]},
    ],
)
def test_alarms(world, helpers, change):
    alarm = {
        "AlarmName": "a",
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1,
        "Namespace": "n",
        "MetricName": "m",
        "Period": 60,
        "Statistic": "Sum",
    }
    client = world.client("cloudwatch", parameter_validation=False)
    client.put_metric_alarm(**alarm)
    assert helpers.code_of(lambda: client.put_metric_alarm(**{**alarm, **change})) == "ValidationError"


def test_what_the_sandbox_lacks_says_so(world, helpers):
    iam = world.client("iam")
    message = helpers.message_of(
        lambda: iam.generate_service_last_accessed_details(Arn="arn:aws:iam::111122223333:user/x")
    )
    assert (
        "GenerateServiceLastAccessedDetails" in message or "generate_service_last_accessed_details" in message
    )


@pytest.fixture(scope="module")
def granted(world):
    """A key of its own, and a user without any policy."""
    return world.client("kms").create_key()["KeyMetadata"]["Arn"], world.user("grantee")


ARN = "arn:aws:iam::111122223333:user/grantee"


def test_a_grant_lets_its_grantee_use_a_key_until_it_is_revoked(world, helpers, granted):
    key, user = granted
    kms, own = world.client("kms"), world.client("kms", **user)
    ask = {"KeyId": key, "Plaintext": b"x"}
    assert helpers.code_of(lambda: own.encrypt(**ask)) == "AccessDeniedException"
    made = kms.create_grant(KeyId=key, GranteePrincipal=ARN, Operations=["Encrypt"])
    blob = own.encrypt(**ask)["CiphertextBlob"]
    assert helpers.code_of(lambda: own.decrypt(CiphertextBlob=blob)) == "AccessDeniedException"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=helpers.policy(ROOT, deny))
    assert helpers.code_of(lambda: own.encrypt(**ask)) == "AccessDeniedException"
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=helpers.policy(ROOT))
    assert own.encrypt(**ask)
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    assert helpers.code_of(lambda: own.encrypt(**ask)) == "AccessDeniedException"


@pytest.mark.parametrize(
    ("constraint", "context", "allowed"),
    [
        ({"EncryptionContextSubset": {"team": "a"}}, {"team": "a", "more": "b"}, True),
        ({"EncryptionContextSubset": {"team": "a"}}, {"team": "b"}, False),
        ({"EncryptionContextSubset": {"team": "a"}}, {}, False),
        ({"EncryptionContextEquals": {"team": "a"}}, {"team": "a"}, True),
        ({"EncryptionContextEquals": {"team": "a"}}, {"team": "a", "more": "b"}, False),
    ],
)
def test_grants_are_bound_to_an_encryption_context(world, helpers, granted, constraint, context, allowed):
    key, user = granted
    kms, own = world.client("kms"), world.client("kms", **user)
    made = kms.create_grant(
        KeyId=key, GranteePrincipal=ARN, Operations=["Encrypt", "RetireGrant"], Constraints=constraint
    )

    def call():
        return own.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)

    try:
        assert bool(call()) is True if allowed else helpers.code_of(call) == "AccessDeniedException"
    finally:
        own.retire_grant(GrantToken=made["GrantToken"])
    assert helpers.code_of(call) == "AccessDeniedException"
    assert (
        helpers.code_of(lambda: own.retire_grant(GrantToken=made["GrantToken"]))
        == "InvalidGrantTokenException"
    )


def test_who_passes_a_grant_on_passes_on_no_more(world, helpers, granted):
    key, user = granted
    kms, own = world.client("kms"), world.client("kms", **user)
    made = kms.create_grant(KeyId=key, GranteePrincipal=ARN, Operations=["CreateGrant", "Encrypt"])
    give = {"KeyId": key, "GranteePrincipal": "arn:aws:iam::111122223333:root"}
    assert own.create_grant(**give, Operations=["Encrypt"])
    assert (
        helpers.code_of(lambda: own.create_grant(**give, Operations=["Decrypt"])) == "AccessDeniedException"
    )
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Operations": ["Delete"]}, "ValidationException"),
        ({"Operations": []}, "ValidationException"),
        ({"GranteePrincipal": "nobody"}, "InvalidArnException"),
        (
            {"Constraints": {"EncryptionContextSubset": {"a": "b"}, "EncryptionContextEquals": {"a": "b"}}},
            "ValidationException",
        ),
        ({"KeyId": "00000000-0000-0000-0000-000000000000"}, "NotFoundException"),
    ],
)
def test_malformed_grants(world, helpers, granted, change, code):
    given = {"KeyId": granted[0], "GranteePrincipal": ARN, "Operations": ["Encrypt"], **change}
    assert helpers.code_of(lambda: world.client("kms").create_grant(**given)) == code
