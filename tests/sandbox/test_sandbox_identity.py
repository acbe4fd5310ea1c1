"""Who is let in, and as whom: keys, sessions, API keys, roles, organization policies."""

import base64
import ssl
import urllib.request
from datetime import UTC, datetime, timedelta

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

ADMINISTRATOR = "arn:aws:iam::111122223333:user/SandboxAdministrator"
INVOKE = {
    "Effect": "Allow",
    "Action": ["bedrock:InvokeModel*", "bedrock:CallWithBearerToken"],
    "Resource": "*",
}


def trusting(helpers, *principals, **condition):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": list(principals)},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    }
    return helpers.policy({**statement, **condition})


def test_the_administrator_is_who_the_settings_say(world):
    found = world.client("sts").get_caller_identity()
    assert (found["Account"], found["Arn"]) == ("111122223333", ADMINISTRATOR)


@pytest.mark.parametrize(
    ("service", "method", "wrong_secret", "unknown_key"),
    [
        ("sts", "get_caller_identity", "SignatureDoesNotMatch", "InvalidClientTokenId"),
        ("iam", "list_users", "SignatureDoesNotMatch", "InvalidClientTokenId"),
        ("kms", "list_keys", "InvalidSignatureException", "UnrecognizedClientException"),
        ("bedrock", "list_guardrails", "InvalidSignatureException", "UnrecognizedClientException"),
        ("s3", "list_buckets", "SignatureDoesNotMatch", "InvalidAccessKeyId"),
        ("ec2", "describe_vpcs", "AuthFailure", "AuthFailure"),
        ("cloudwatch", "describe_alarms", "SignatureDoesNotMatch", "InvalidClientTokenId"),
    ],
)
def test_credentials_that_do_not_authenticate(world, helpers, service, method, wrong_secret, unknown_key):
    assert helpers.code_of(getattr(world.client(service, secret="x" * 40), method)) == wrong_secret
    assert helpers.code_of(getattr(world.client(service, key="AKIAIOSFODNN7EXAMPLE"), method)) == unknown_key


@pytest.mark.parametrize("key", ["test", "111122223333", "AKIA"])
def test_there_is_no_magic_key(world, helpers, key):
    assert (
        helpers.code_of(world.client("sts", key=key, secret=key).get_caller_identity)
        == "InvalidClientTokenId"
    )


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("/?Action=GetCallerIdentity&Version=2011-06-15", {}, "MissingAuthenticationToken"),
        ("/guardrails", {}, "Missing Authentication Token"),
        ("/", {"X-Amz-Target": "TrentService.ListKeys"}, "Missing Authentication Token"),
        ("/some-bucket", {}, "NoSuchBucket"),
    ],
)
def test_unsigned_requests(world, path, headers, code):
    status, body = raw(world, path, headers)
    assert 400 <= status < 500
    assert code in body


def raw(world, path, headers, method="GET", data=None):
    context = ssl.create_default_context(cafile=world.sandbox.ca_bundle)
    request = urllib.request.Request(
        world.sandbox.endpoint_url + path, headers=headers, method=method, data=data
    )
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_users_may_do_what_their_policies_say_and_no_more(world, helpers):
    user = world.user("narrow", {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
    assert world.client("s3", **user).list_buckets()["Buckets"] == []
    message = helpers.message_of(world.client("kms", **user).list_keys)
    assert message == (
        "User: arn:aws:iam::111122223333:user/narrow is not authorized to perform: kms:ListKeys on resource: * "
        "because no identity-based policy allows the kms:ListKeys action"
    )


def test_an_inactive_key_is_unknown(world, helpers):
    user = world.user("sleepy")
    client = world.client("sts", **user)
    client.get_caller_identity()
    world.client("iam").update_access_key(UserName="sleepy", AccessKeyId=user["key"], Status="Inactive")
    assert helpers.code_of(client.get_caller_identity) == "InvalidClientTokenId"


def test_role_sessions(world, helpers):
    iam = world.client("iam")
    iam.create_role(RoleName="App", AssumeRolePolicyDocument=trusting(helpers, ADMINISTRATOR))
    iam.put_role_policy(
        RoleName="App",
        PolicyName="p",
        PolicyDocument=helpers.policy({**INVOKE, "Action": ["bedrock:*", "s3:*"]}),
    )
    limited = helpers.policy({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
    session = world.assume(
        "App", Policy=limited, Tags=[{"Key": "team", "Value": "x"}], SourceIdentity="alice"
    )
    identity = world.client("sts", **session).get_caller_identity()
    assert identity["Arn"] == "arn:aws:sts::111122223333:assumed-role/App/session"
    assert identity["UserId"].startswith("AROA")
    assert world.client("s3", **session).list_buckets()
    assert "no session policy allows" in helpers.message_of(
        world.client("bedrock", **session).list_guardrails
    )
    denied = world.sandbox.decisions(operation="ListGuardrails")[-1]
    assert denied["missing"] == ["session"]
    assert denied["context"]["aws:principaltag/team"] == ["x"]
    assert denied["context"]["aws:sourceidentity"] == ["alice"]
    assert denied["context"]["aws:principalarn"] == ["arn:aws:iam::111122223333:role/App"]
    assert (
        helpers.code_of(world.client("sts", **{**session, "token": "x"}).get_caller_identity)
        == "InvalidClientTokenId"
    )
    assert (
        helpers.code_of(world.client("sts", **{**session, "token": None}).get_caller_identity)
        == "InvalidClientTokenId"
    )


def test_who_may_assume_a_role(world, helpers):
    iam = world.client("iam")
    allowed = world.user("assumer", {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    without = world.user("bystander")
    root = "arn:aws:iam::111122223333:root"
    iam.create_role(RoleName="ForAccount", AssumeRolePolicyDocument=trusting(helpers, root))
    iam.create_role(
        RoleName="ForNamed",
        AssumeRolePolicyDocument=trusting(helpers, "arn:aws:iam::111122223333:user/bystander"),
    )
    external = {"Condition": {"StringEquals": {"sts:ExternalId": "secret-id"}}}
    iam.create_role(RoleName="WithId", AssumeRolePolicyDocument=trusting(helpers, root, **external))
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    iam.create_role(RoleName="ForService", AssumeRolePolicyDocument=helpers.policy(service))

    def assume(role, by, **parameters):
        arn = f"arn:aws:iam::111122223333:role/{role}"
        return lambda: world.client("sts", **by).assume_role(
            RoleArn=arn, RoleSessionName="session", **parameters
        )

    assert assume("ForAccount", allowed)()
    assert helpers.code_of(assume("ForAccount", without)) == "AccessDenied"
    assert assume("ForNamed", without)()
    assert helpers.code_of(assume("ForService", allowed)) == "AccessDenied"
    assert helpers.code_of(assume("Nowhere", allowed)) == "AccessDenied"
    assert helpers.code_of(assume("WithId", allowed)) == "AccessDenied"
    assert helpers.code_of(assume("WithId", allowed, ExternalId="other")) == "AccessDenied"
    assert assume("WithId", allowed, ExternalId="secret-id")()
    assert helpers.code_of(assume("ForAccount", allowed, DurationSeconds=7200)) == "ValidationError"


@pytest.mark.parametrize(
    "parameters",
    [
        {"DurationSeconds": 600},
        {"DurationSeconds": 90000},
        {"RoleSessionName": "a b"},
        {"SourceIdentity": "x y"},
    ],
)
def test_malformed_assume_role(world, helpers, parameters):
    client = world.client("sts", parameter_validation=False)
    arn = "arn:aws:iam::999988887777:role/RingwallManagement"
    wanted = {"RoleArn": arn, "RoleSessionName": "session", **parameters}
    assert helpers.code_of(lambda: client.assume_role(**wanted)) == "ValidationError"


def test_chained_roles_last_an_hour(world, helpers):
    iam = world.client("iam")
    iam.create_role(RoleName="First", AssumeRolePolicyDocument=trusting(helpers, ADMINISTRATOR))
    everything = helpers.policy({"Effect": "Allow", "Action": "sts:*", "Resource": "*"})
    iam.put_role_policy(RoleName="First", PolicyName="p", PolicyDocument=everything)
    first = "arn:aws:iam::111122223333:role/First"
    iam.create_role(
        RoleName="Second", AssumeRolePolicyDocument=trusting(helpers, first), MaxSessionDuration=7200
    )
    session = world.assume("First", Tags=[{"Key": "team", "Value": "x"}], TransitiveTagKeys=["team"])
    sts = world.client("sts", **session)
    second = {"RoleArn": "arn:aws:iam::111122223333:role/Second", "RoleSessionName": "session"}
    assert helpers.code_of(lambda: sts.assume_role(**second, DurationSeconds=7200)) == "ValidationError"
    chained = world.assume("Second", by=session)
    world.client("sts", **chained).get_caller_identity()
    assert world.sandbox.decisions(operation="GetCallerIdentity")[-1]["context"]["aws:principaltag/team"] == [
        "x"
    ]


def test_session_tokens_of_users(world):
    made = world.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    session = {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"], "token": made["SessionToken"]}
    assert world.client("sts", **session).get_caller_identity()["Arn"] == ADMINISTRATOR
    context = world.sandbox.decisions(operation="GetCallerIdentity")[-1]["context"]
    assert context["aws:multifactorauthpresent"] == ["false"]


@pytest.fixture
def later(world, monkeypatch):
    """Move the sandbox's clock on."""

    def move(seconds):
        monkeypatch.setattr(
            world.sandbox.gateway, "_clock", lambda: datetime.now(UTC) + timedelta(seconds=seconds)
        )

    return move


@pytest.mark.parametrize(
    ("service", "method", "code"),
    [
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("organizations", "list_roots", "ExpiredTokenException"),
        ("s3", "list_buckets", "ExpiredToken"),
    ],
)
def test_an_expired_session_is_told_so(world, helpers, later, service, method, code):
    session = world.assume("arn:aws:iam::999988887777:role/RingwallManagement", DurationSeconds=900)
    later(1000)
    assert helpers.code_of(getattr(world.client(service, **session), method)) == code


def test_permissions_boundaries_bound(world, helpers):
    iam = world.client("iam")
    arn = iam.create_policy(
        PolicyName="bound",
        PolicyDocument=helpers.policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
    )["Policy"]["Arn"]
    user = world.user("bounded", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    assert world.client("kms", **user).list_keys()
    iam.put_user_permissions_boundary(UserName="bounded", PermissionsBoundary=arn)
    assert "no permissions boundary allows" in helpers.message_of(world.client("kms", **user).list_keys)
    assert world.client("s3", **user).list_buckets()
    iam.delete_user_permissions_boundary(UserName="bounded")
    assert world.client("kms", **user).list_keys()


def bearer(world, token, monkeypatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", token)
    settings = world.sandbox.environment()
    return boto3.session.Session().client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        verify=settings["AWS_CA_BUNDLE"],
        config=Config(retries={"max_attempts": 0}),
    )


def test_api_keys_are_those_that_iam_issued(world, helpers, monkeypatch):
    iam = world.client("iam")
    world.user("keyed")
    made = iam.create_service_specific_credential(UserName="keyed", ServiceName="bedrock.amazonaws.com")[
        "ServiceSpecificCredential"
    ]
    ask = {"modelId": helpers.MODEL, "messages": helpers.MESSAGES}
    client = bearer(world, made["ServiceCredentialSecret"], monkeypatch)
    assert helpers.code_of(lambda: client.converse(**ask)) == "AccessDeniedException"
    iam.put_user_policy(UserName="keyed", PolicyName="p", PolicyDocument=helpers.policy(INVOKE))
    assert client.converse(**ask)["stopReason"]
    assert world.sandbox.decisions(action="bedrock:CallWithBearerToken")[-1]["context"][
        "bedrock:bearertokentype"
    ] == ["LONG_TERM"]
    iam.update_service_specific_credential(
        UserName="keyed", ServiceSpecificCredentialId=made["ServiceSpecificCredentialId"], Status="Inactive"
    )
    assert helpers.code_of(lambda: client.converse(**ask)) == "AccessDeniedException"
    assert (
        helpers.code_of(lambda: bearer(world, "ABSKnonsense", monkeypatch).converse(**ask))
        == "AccessDeniedException"
    )


def short_term(keys, region="us-east-1", lifetime=3600, **changes):
    """A short-term API key as AWS's token generators make it, or with something changed before it is signed."""
    parameters = {"Action": "CallWithBearerToken", **changes}
    request = AWSRequest(
        "POST",
        "https://bedrock.amazonaws.com/",
        headers={"host": "bedrock.amazonaws.com"},
        params=parameters,
    )
    credentials = Credentials(keys["key"], keys["secret"], keys.get("token"))
    botocore.auth.SigV4QueryAuth(credentials, "bedrock", region, expires=lifetime).add_auth(request)
    text = request.url.removeprefix("https://") + "&Version=1"
    return "bedrock-api-key-" + base64.b64encode(text.encode()).decode()


def test_short_term_api_keys_are_worth_what_signed_them(world, helpers, monkeypatch):
    keys = world.user("presigner", INVOKE)
    ask = {"modelId": helpers.MODEL, "messages": helpers.MESSAGES}
    assert bearer(world, short_term(keys), monkeypatch).converse(**ask)["stopReason"]
    assert world.sandbox.decisions(action="bedrock:CallWithBearerToken")[-1]["context"][
        "bedrock:bearertokentype"
    ] == ["SHORT_TERM"]
    refused = [
        short_term({**keys, "secret": "wrong"}),
        short_term({**keys, "key": "AKIAIOSFODNN7EXAMPLE"}),
        short_term(keys, lifetime=13 * 3600),
        short_term(keys, Action="ListFoundationModels"),
        "bedrock-api-key-",
        "bedrock-api-key-%%%",
        "bedrock-api-key-" + base64.b64encode(b"bedrock.amazonaws.com/?Action=CallWithBearerToken").decode(),
    ]
    for token in refused:
        client = bearer(world, token, monkeypatch)
        assert helpers.code_of(lambda c=client: c.converse(**ask)) == "AccessDeniedException"


def test_short_term_api_keys_end(world, helpers, monkeypatch):
    client = bearer(world, short_term(world.user("ender", INVOKE), lifetime=60), monkeypatch)
    moment = world.sandbox.gateway.now() + timedelta(seconds=61)
    monkeypatch.setattr(world.sandbox.gateway, "_clock", lambda: moment)
    ask = {"modelId": helpers.MODEL, "messages": helpers.MESSAGES}
    assert "expired" in helpers.message_of(lambda: client.converse(**ask))


def test_short_term_api_keys_are_good_in_one_region(world, helpers, monkeypatch):
    keys = world.user("traveller", INVOKE)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", short_term(keys, region="us-west-2"))
    client = boto3.session.Session().client(
        "bedrock-runtime",
        region_name="us-east-1",
        verify=world.sandbox.ca_bundle,
        config=Config(retries={"max_attempts": 0}, proxies={"https": world.sandbox.proxy_url}),
    )
    ask = {"modelId": helpers.MODEL, "messages": helpers.MESSAGES}
    assert helpers.code_of(lambda: client.converse(**ask)) == "AccessDeniedException"


def test_who_denies_bearer_tokens_denies_them(world, helpers, monkeypatch):
    deny = {"Effect": "Deny", "Action": "bedrock:CallWithBearerToken", "Resource": "*"}
    keys = world.user("unborne", INVOKE, deny)
    ask = {"modelId": helpers.MODEL, "messages": helpers.MESSAGES}
    client = bearer(world, short_term(keys), monkeypatch)
    assert "bedrock:CallWithBearerToken" in helpers.message_of(lambda: client.converse(**ask))
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK")
    assert world.client("bedrock-runtime", **keys).converse(**ask)


def test_service_control_policies_bind_members_and_name_themselves(world, helpers):
    organizations = world.organizations()
    deny = {
        "Sid": "Guard",
        "Effect": "Deny",
        "Action": "bedrock:InvokeModel*",
        "Resource": "*",
        "Condition": {"Null": {"bedrock:GuardrailIdentifier": "true"}},
    }
    made = organizations.create_policy(
        Name="guard", Description="d", Type="SERVICE_CONTROL_POLICY", Content=helpers.policy(deny)
    )
    policy_id = made["Policy"]["PolicySummary"]["Id"]
    runtime = world.client("bedrock-runtime")
    ask = {"modelId": helpers.MODEL, "messages": helpers.MESSAGES}
    organizations.attach_policy(PolicyId=policy_id, TargetId="ou-ring-workload0")
    try:
        message = helpers.message_of(lambda: runtime.converse(**ask))
        assert message.endswith("with an explicit deny in a service control policy")
        reason = world.sandbox.decisions(operation="Converse")[-1]["because"]
        assert reason == [{"policy_type": "scp", "policy": "guard", "statement": "Guard", "effect": "Deny"}]
    finally:
        organizations.detach_policy(PolicyId=policy_id, TargetId="ou-ring-workload0")
    assert runtime.converse(**ask)["stopReason"]


def test_only_the_management_account_manages(world, helpers):
    assert helpers.code_of(world.client("organizations").list_accounts) == "AccessDeniedException"
    assert world.client("organizations").describe_organization()["Organization"]["Id"] == "o-ringwallsb"
    assert {item["Id"] for item in world.organizations().list_accounts()["Accounts"]} == {
        "111122223333",
        "999988887777",
    }
    session = world.assume("arn:aws:iam::999988887777:role/RingwallManagement")
    assert helpers.code_of(world.client("iam", **session).list_users) == "AccessDenied"


def test_decisions_are_for_the_administrator(world):
    settings = world.sandbox.environment()
    url = f"{world.sandbox.endpoint_url}/_ringwall/decisions?trace=1&operation=ListKeys"
    world.client("kms").list_keys()
    for key, secret, expected in (
        (settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"], 200),
        (*world.user("curious").values(), 403),
    ):
        request = AWSRequest("GET", url)
        botocore.auth.SigV4Auth(Credentials(key, secret), "sts", "us-east-1").add_auth(request)
        path = url.removeprefix(world.sandbox.endpoint_url)
        status, body = raw(world, path, dict(request.headers))
        assert status == expected
        assert ('"trace"' in body) == (expected == 200)
    assert raw(world, "/_ringwall/decisions", {})[0] == 403


def test_anonymous_readers_need_a_bucket_policy(world, helpers):
    s3 = world.client("s3")
    s3.create_bucket(Bucket="public-things")
    s3.put_object(Bucket="public-things", Key="k", Body=b"open")
    assert raw(world, "/public-things/k", {})[0] == 403
    s3.delete_public_access_block(Bucket="public-things")
    allow = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::public-things/*",
    }
    s3.put_bucket_policy(Bucket="public-things", Policy=helpers.policy(allow))
    assert raw(world, "/public-things/k", {}) == (200, "open")


def test_presigned_urls(world, later):
    s3 = world.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="presigned-things")
    s3.put_object(Bucket="presigned-things", Key="a b", Body=b"signed")
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "presigned-things", "Key": "a b"}, ExpiresIn=60
    )
    path = url.removeprefix(world.sandbox.endpoint_url)
    assert raw(world, path, {}) == (200, "signed")
    assert raw(world, path.replace("X-Amz-Signature=", "X-Amz-Signature=0"), {})[0] >= 400
    assert raw(world, path.replace("a%20b", "a%20c"), {})[0] == 403
    later(120)
    assert "Request has expired" in raw(world, path, {})[1]


def test_moto_is_out_of_reach(world):
    for path in ("/moto-api/reset", "/moto-api/data.json", "/moto-api/"):
        assert raw(world, path, {}, method="POST", data=b"")[0] >= 400
    identity = world.client("sts")
    identity.meta.events.register(
        "before-sign.*.*",
        lambda request, **_: request.headers.add_header("x-moto-account-id", "999988887777"),
    )
    assert identity.get_caller_identity()["Account"] == "111122223333"
    users = world.client("iam")
    users.meta.events.register(
        "before-sign.*.*",
        lambda request, **_: request.headers.add_header("x-moto-account-id", "999988887777"),
    )
    assert any(item["UserName"] == "SandboxAdministrator" for item in users.list_users()["Users"])


def test_a_guardrails_profile_is_asked_for_from_the_moment_it_has_one(world, helpers):
    """What was found out about earlier calls must not outlive it."""
    bedrock = world.client("bedrock")
    words = {
        "name": "moves-abroad",
        "blockedInputMessaging": "NOT HERE",
        "blockedOutputsMessaging": "NOT HERE",
        "wordPolicyConfig": {"wordsConfig": [{"text": "nightjar"}]},
    }
    made = bedrock.create_guardrail(**words)
    keys = world.user(
        "applier",
        {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"},
        {"Effect": "Allow", "Action": "bedrock:ApplyGuardrail", "Resource": made["guardrailArn"]},
    )
    guardrail = {"guardrailIdentifier": made["guardrailId"], "guardrailVersion": "DRAFT"}

    def converse():
        world.client("bedrock-runtime", **keys).converse(
            modelId=helpers.MODEL, messages=helpers.MESSAGES, guardrailConfig=guardrail
        )

    converse()
    profile = {"guardrailProfileIdentifier": "us.guardrail.v1:0"}
    bedrock.update_guardrail(guardrailIdentifier=made["guardrailId"], **words, crossRegionConfig=profile)
    assert helpers.code_of(converse) == "AccessDeniedException"
