"""Controls over what only an audit reads: sharing, agents, AgentCore, calls, arrivals and undeclared knowledge bases.

Each starts from a world that passes. Every mutation leaves the control present and makes it ineffective, and the verdict must
flip for the reason that was planted; what could not be read is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from controls.controls_estates import ACCOUNT, bare, context, desired
from ringwall.access import Access
from ringwall.controls.context import CheckContext
from ringwall.controls.findings import Finding, Status
from ringwall.controls.judging import judge
from ringwall.estate.model import Account, Estate, Resource, Unknown

REGION = "us-east-1"
ORGANIZATION = "o-ringwallsb"
OWN = Account(ACCOUNT, organization=ORGANIZATION, levels=("r-root", ACCOUNT))
OTHER = "444455556666"
FULL_ACCESS = Resource(
    "AWS::Organizations::Policy",
    "999988887777",
    "global",
    "p-FullAWSAccess",
    {
        "Type": "SERVICE_CONTROL_POLICY",
        "Name": "FullAWSAccess",
        "TargetIds": ["r-root", ACCOUNT],
        "Content": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
        },
    },
)
GUARDRAIL = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/abc123"
AGENT_ARN = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:agent/AGENT00001"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:book-trip"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/agent"
Edit = Callable[[dict[str, Any]], None]


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(principal: Any, action: str, **condition: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    return {**found, "Condition": condition} if condition else found


def made(kind: str, identifier: str, region: str = REGION, **properties: Any) -> Resource:
    return Resource(kind, ACCOUNT, region, identifier, properties)


def unread(resource: Resource, name: str) -> Resource:
    left = {key: value for key, value in resource.properties.items() if key != name}
    return replace(resource, properties=left, unknown=(Unknown(name, "AccessDenied: needs some:Permission"),))


def edited(resource: Resource, edit: Edit) -> Resource:
    properties = deepcopy(dict(resource.properties))
    edit(properties)
    return replace(resource, properties=properties)


def verdicts(slug: str, *resources: Resource) -> tuple[Finding, ...]:
    return judge(bare(FULL_ACCESS, *resources, account=OWN), frozenset({slug}))


def only(slug: str, *resources: Resource) -> Finding:
    (found,) = verdicts(slug, *resources)
    return found


# -- sharing ---------------------------------------------------------------------------------------------------------


def shared(*statements: dict[str, Any]) -> Resource:
    return made(
        "AWS::Bedrock::ResourcePolicy",
        GUARDRAIL,
        ResourceArn=GUARDRAIL,
        PolicyDocument=policy(*statements),
    )


APPLY = "bedrock:ApplyGuardrail"
INSIDE = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
SHARING = (
    # what the policy says, status, words
    ((allow("*", APPLY, **INSIDE),), Status.PASS, "nobody in from outside"),
    ((allow({"AWS": ACCOUNT}, APPLY),), Status.PASS, "nobody in from outside"),
    ((allow("*", APPLY),), Status.FAIL, "anybody can bedrock:ApplyGuardrail"),
    ((allow({"AWS": f"arn:aws:iam::{OTHER}:root"}, APPLY),), Status.FAIL, f"account {OTHER}"),
    ((allow({"AWS": OTHER}, APPLY),), Status.FAIL, f"account {OTHER}"),
    ((allow({"AWS": f"arn:aws:iam::{OTHER}:role/Partner"}, APPLY),), Status.FAIL, "role/Partner"),
    # The condition stands there and bounds nothing.
    (
        (allow("*", APPLY, StringNotEquals={"aws:PrincipalOrgID": "o-evil000000"}),),
        Status.FAIL,
        "anybody can",
    ),
    ((allow("*", APPLY, Bool={"aws:SecureTransport": "true"}),), Status.FAIL, "anybody can"),
    ((allow("*", APPLY, StringEquals={"aws:PrincipalOrgID": [ORGANIZATION, "o-partner000"]}),), Status.FAIL, "o-partner000"),
    ((allow("*", APPLY, StringEquals={"aws:PrincipalAccount": OTHER}),), Status.FAIL, f"account {OTHER}"),
    ((allow("*", APPLY, **INSIDE), allow("*", "bedrock:Get*")), Status.FAIL, "bedrock:GetGuardrail"),
    (
        (allow("*", APPLY), {**allow("*", "*", StringNotEquals=INSIDE["StringEquals"]), "Effect": "Deny"}),
        Status.PASS,
        "nobody in from outside",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("statements", "status", "words"), SHARING)
def test_a_guardrails_policy_is_asked_for_outsiders(
    statements: tuple[dict[str, Any], ...], status: Status, words: str
) -> None:
    found = only("nothing-shared-outside", shared(*statements))
    assert found.status is status, found.summary
    assert words in found.summary


def test_a_policy_that_could_not_be_read_is_unknown() -> None:
    found = only("nothing-shared-outside", unread(shared(), "PolicyDocument"))
    assert found.status is Status.UNKNOWN
    assert "some:Permission" in found.summary


@pytest.mark.parametrize(
    ("principals", "status"),
    [
        ([f"arn:aws:organizations::999988887777:organization/{ORGANIZATION}"], Status.PASS),
        ([f"arn:aws:organizations::999988887777:ou/{ORGANIZATION}/ou-abcd-12345678"], Status.PASS),
        ([ACCOUNT], Status.PASS),
        ([OTHER], Status.FAIL),
        (["arn:aws:organizations::999988887777:organization/o-another000"], Status.FAIL),
    ],
)
def test_a_shared_model_stays_in_the_organization(principals: list[str], status: Status) -> None:
    model = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:custom-model/amazon.nova/abc"
    share = made("AWS::RAM::ResourceShare", "share", ResourceArns=[model], Principals=principals)
    found = only("nothing-shared-outside", share)
    assert found.status is status
    assert "custom-model/amazon.nova/abc" in found.summary
    assert only("nothing-shared-outside", unread(share, "Principals")).status is Status.UNKNOWN


def test_a_grant_to_another_account_needs_no_policy() -> None:
    grant = {"GrantId": "g1", "GranteePrincipal": f"arn:aws:iam::{OTHER}:role/x", "Operations": ["Decrypt"]}
    found = only("nothing-shared-outside", made("AWS::KMS::Key", "k1", Grants=[grant]))
    assert found.status is Status.FAIL
    assert found.remediation is not None
    assert found.remediation.commands == ("aws kms revoke-grant --key-id k1 --grant-id g1",)
    inside = {**grant, "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/x"}
    assert (
        only("nothing-shared-outside", made("AWS::KMS::Key", "k1", Grants=[inside])).status
        is Status.NOT_APPLICABLE
    )


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("AWS::BedrockAgentCore::Runtime", "bedrock-agentcore:InvokeAgentRuntime"),
        ("AWS::BedrockAgentCore::Gateway", "bedrock-agentcore:InvokeGateway"),
    ],
)
def test_what_runs_on_agentcore_is_asked_as_well(kind: str, action: str) -> None:
    arn = f"arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}:runtime/r1"
    open_, closed = policy(allow("*", action)), policy(allow("*", action, **INSIDE))
    for document, status in ((open_, Status.FAIL), (closed, Status.PASS)):
        found = only("nothing-shared-outside", made(kind, "r1", Arn=arn, ResourcePolicy=document))
        assert found.status is status, found.summary


# -- agents ----------------------------------------------------------------------------------------------------------

BEDROCK = {"Service": "bedrock.amazonaws.com"}
FOR_ITSELF = {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": AGENT_ARN}}
GROUP = {
    "ActionGroupName": "trips",
    "ActionGroupState": "ENABLED",
    "ActionGroupExecutor": {"lambda": FUNCTION},
    "Functions": [{"Name": "book", "RequireConfirmation": "ENABLED"}],
    "HasApiSchema": False,
}


def role(trust: dict[str, Any], *statements: dict[str, Any], name: str = "agent") -> Resource:
    return Resource(
        "AWS::IAM::Role",
        ACCOUNT,
        "global",
        name,
        {
            "RoleName": name,
            "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "Path": "/",
            "AssumeRolePolicyDocument": policy(trust),
            "Policies": [{"PolicyName": "own", "PolicyDocument": policy(*statements)}],
        },
    )


def trust(**condition: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Principal": BEDROCK, "Action": "sts:AssumeRole"}
    return {**found, "Condition": condition} if condition else found


def grants(action: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


ITS_MODEL = grants("bedrock:InvokeModel", f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-pro-v1:0")
ITS_ROLE = role(trust(**FOR_ITSELF), ITS_MODEL)
AGENT = made(
    "AWS::Bedrock::Agent",
    "AGENT00001",
    AgentName="travel",
    Arn=AGENT_ARN,
    AgentResourceRoleArn=ROLE,
    ActionGroups=[GROUP],
    Versions=[{"Version": "1", "AgentResourceRoleArn": ROLE, "ActionGroups": [GROUP]}],
    FunctionPolicies={
        FUNCTION: policy(allow(BEDROCK, "lambda:InvokeFunction", ArnLike={"aws:SourceArn": AGENT_ARN}))
    },
    FunctionRoles={FUNCTION: f"arn:aws:iam::{ACCOUNT}:role/hand"},
)


def test_a_bounded_agent_passes() -> None:
    found = only("agents-bounded", AGENT, ITS_ROLE)
    assert found.status is Status.PASS, found.summary


def unasked(properties: dict[str, Any]) -> None:
    properties["ActionGroups"][0]["Functions"][0]["RequireConfirmation"] = "DISABLED"


def unasked_in_the_version(properties: dict[str, Any]) -> None:
    properties["Versions"][0]["ActionGroups"][0]["Functions"][0]["RequireConfirmation"] = "DISABLED"


def runs_code(properties: dict[str, Any]) -> None:
    properties["ActionGroups"].append(
        {"ActionGroupName": "code", "ParentActionGroupSignature": "AMAZON.CodeInterpreter"}
    )


def any_agent(properties: dict[str, Any]) -> None:
    source = {"AWS:SourceAccount": ACCOUNT}
    properties["FunctionPolicies"][FUNCTION] = policy(
        allow(BEDROCK, "lambda:InvokeFunction", StringEquals=source)
    )


def foreign_function(properties: dict[str, Any]) -> None:
    properties["FunctionPolicies"] = {FUNCTION.replace(ACCOUNT, OTHER): None}


def foreign_collaborator(properties: dict[str, Any]) -> None:
    alias = AGENT_ARN.replace(ACCOUNT, OTHER).replace(":agent/", ":agent-alias/") + "/A1"
    properties["AgentCollaborators"] = [{"CollaboratorName": "x", "AliasArn": alias}]


AGENT_MUTATIONS = (
    (unasked, "carries out book without asking"),
    (unasked_in_the_version, "of version 1 carries out book"),
    (runs_code, "AMAZON.CodeInterpreter"),
    (any_agent, "any agent of the account can invoke book-trip"),
    (foreign_collaborator, f"is of account {OTHER}"),
    (foreign_function, f"function book-trip is of account {OTHER}"),
)


@pytest.mark.parametrize(("edit", "words"), AGENT_MUTATIONS)
def test_an_agent_that_was_loosened_fails(edit: Edit, words: str) -> None:
    found = only("agents-bounded", edited(AGENT, edit), ITS_ROLE)
    assert found.status is Status.FAIL
    assert words in found.summary


ROLE_MUTATIONS = (
    (role(trust(), ITS_MODEL), "on behalf of any account"),
    (role(trust(StringLike={"aws:SourceAccount": "*"}), ITS_MODEL), "on behalf of any account"),
    (role({**trust(**FOR_ITSELF), "Principal": {"AWS": ACCOUNT, **BEDROCK}}, ITS_MODEL), "others than a service"),
    (
        role({**trust(**FOR_ITSELF), "Principal": {"Service": ["bedrock.amazonaws.com", "lambda.amazonaws.com"]}}, ITS_MODEL),
        "lambda.amazonaws.com can assume it",
    ),
    (role(trust(**FOR_ITSELF), grants("bedrock:*")), "invoke any model, change any guardrail"),
    (role(trust(**FOR_ITSELF), grants("s3:Get*")), "read any bucket"),
    (role(trust(**FOR_ITSELF), grants("iam:PassRole")), "pass any role"),
    (role(trust(**FOR_ITSELF), grants("*")), "read any secret"),
)  # fmt: skip


@pytest.mark.parametrize(("acting", "words"), ROLE_MUTATIONS)
def test_an_agent_whose_role_reaches_too_far_fails(acting: Resource, words: str) -> None:
    found = only("agents-bounded", AGENT, acting)
    assert found.status is Status.FAIL
    assert words in found.summary


LOGS = grants("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/book-trip:*")
OF_LAMBDA = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
REWRITES = grants("lambda:Update*", FUNCTION)


@pytest.mark.parametrize(
    ("acting", "hand", "status", "words"),
    [
        (ITS_ROLE, (LOGS,), Status.PASS, "asks before|ask before"),
        (ITS_ROLE, (grants("secretsmanager:Get*"),), Status.FAIL, "role hand of its functions: it can read any secret"),
        (ITS_ROLE, (LOGS, REWRITES), Status.FAIL, "role hand can write the code of book-trip"),
        (role(trust(**FOR_ITSELF), ITS_MODEL, REWRITES), (LOGS,), Status.FAIL, "role agent can write the code of book-trip"),
        # Present, and denied by the boundary of a statement: nothing is left of it.
        (ITS_ROLE, (grants("lambda:*"), {**grants("lambda:*"), "Effect": "Deny"}), Status.PASS, "ask before"),
    ],
)  # fmt: skip
def test_what_an_agents_functions_do_is_asked_as_well(
    acting: Resource, hand: tuple[dict[str, Any], ...], status: Status, words: str
) -> None:
    found = only("agents-bounded", AGENT, acting, role(OF_LAMBDA, *hand, name="hand"))
    assert found.status is status, found.summary
    assert re.search(words, found.summary)


SCHEMAS = made("AWS::S3::Bucket", "schemas", BucketName="schemas")
IN_S3 = {"HasApiSchema": True, "ApiSchemaBucket": "schemas", "ApiSchemaKey": "trips.yaml", "Functions": []}


def schema_in_s3(properties: dict[str, Any]) -> None:
    properties["ActionGroups"][0] |= IN_S3


def schemas(*statements: dict[str, Any]) -> Resource:
    return made("AWS::S3::BucketPolicy", "schemas", Bucket="schemas", PolicyDocument=policy(*statements))


@pytest.mark.parametrize(
    ("resources", "status", "words"),
    [
        ((SCHEMAS,), Status.UNKNOWN, "API schema in S3, which is not read"),
        ((SCHEMAS, schemas(allow("*", "s3:PutObject", **INSIDE))), Status.UNKNOWN, "which is not read"),
        ((SCHEMAS, schemas(allow("*", "s3:*"))), Status.FAIL, "the API schema of action group trips: anybody can s3:PutObject"),
        ((SCHEMAS, schemas(allow({"AWS": OTHER}, "s3:Put*"))), Status.FAIL, f"account {OTHER} can s3:PutObject"),
        ((SCHEMAS, schemas(allow({"Service": "logging.s3.amazonaws.com"}, "s3:PutObject"))), Status.FAIL, "on behalf of any account"),
        # It is denied over plain connections, and open over all others.
        (
            (SCHEMAS, schemas(allow("*", "s3:*"), {**allow("*", "s3:*", Bool={"aws:SecureTransport": "false"}), "Effect": "Deny"})),
            Status.FAIL,
            "anybody can s3:PutObject",
        ),
        (
            (SCHEMAS, schemas(allow({"AWS": f"arn:aws:iam::{ACCOUNT}:role/hand"}, "s3:PutObject")), role(OF_LAMBDA, LOGS, name="hand")),
            Status.FAIL,
            "role hand can write it",
        ),
        ((), Status.UNKNOWN, "whose bucket schemas is nothing tells"),
        ((unread(made("AWS::S3::Bucket", "?"), "*"),), Status.UNKNOWN, "bucket schemas could not be read: AccessDenied: needs some:Permission"),
    ],
)  # fmt: skip
def test_who_writes_an_api_schema_says_what_the_agent_does(
    resources: tuple[Resource, ...], status: Status, words: str
) -> None:
    found = only("agents-bounded", edited(AGENT, schema_in_s3), ITS_ROLE, *resources)
    assert found.status is status, found.summary
    assert words in found.summary


FUNCTION_MUTATIONS = (
    (allow({"AWS": OTHER}, "lambda:*"), "lambda:UpdateFunctionCode"),
    (allow({"AWS": f"arn:aws:iam::{OTHER}:role/Build"}, "lambda:UpdateFunctionCode"), "role/Build can lambda:UpdateFunctionCode"),
    (allow("*", "lambda:InvokeFunctionUrl", StringEquals={"lambda:FunctionUrlAuthType": "NONE"}), "anybody can lambda:InvokeFunctionUrl"),
    (allow("*", "lambda:InvokeFunctionUrl", StringEquals={"lambda:FunctionUrlAuthType": "AWS_IAM"}), "anybody can lambda:InvokeFunctionUrl"),
    (allow({"Service": "events.amazonaws.com"}, "lambda:InvokeFunction"), "events.amazonaws.com on behalf of any account"),
)  # fmt: skip


@pytest.mark.parametrize(("statement", "words"), FUNCTION_MUTATIONS)
def test_a_functions_policy_that_admits_its_agent_and_somebody_besides_fails(
    statement: dict[str, Any], words: str
) -> None:
    its_agent = AGENT.get("FunctionPolicies")[FUNCTION]["Statement"]
    assert only("nothing-shared-outside", AGENT).status is Status.PASS

    def besides(properties: dict[str, Any]) -> None:
        properties["FunctionPolicies"][FUNCTION] = policy(*its_agent, statement)

    found = only("nothing-shared-outside", edited(AGENT, besides))
    assert found.status is Status.FAIL
    assert words in found.summary


@pytest.mark.parametrize(
    "name", ["AgentResourceRoleArn", "ActionGroups", "Versions", "FunctionPolicies", "FunctionRoles"]
)
def test_an_agent_that_was_not_read_whole_is_unknown(name: str) -> None:
    found = only("agents-bounded", unread(AGENT, name), ITS_ROLE)
    assert found.status is Status.UNKNOWN
    assert name in found.summary


SCHEMA = """
openapi: 3.0.0
paths:
  /trips:
    get: {operationId: listTrips, x-requireConfirmation: ENABLED}
    post:
      operationId: bookTrip
      x-requireConfirmation: ENABLED
  /trips/{id}:
    delete: {description: no id, x-requireConfirmation: ENABLED}
"""
AS_JSON = '{"paths": {"/trips": {"post": {"operationId": "bookTrip", "x-requireConfirmation": "ENABLED"}}}}'


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        (SCHEMA, Status.PASS, ""),
        (AS_JSON, Status.PASS, ""),
        (AS_JSON.replace("ENABLED", "DISABLED"), Status.FAIL, "carries out bookTrip without asking"),
        (
            SCHEMA.replace("bookTrip\n      x-requireConfirmation: ENABLED", "bookTrip"),
            Status.FAIL,
            "bookTrip",
        ),
        (
            SCHEMA.replace(", x-requireConfirmation: ENABLED}\n    post", "}\n    post"),
            Status.FAIL,
            "listTrips",
        ),
        (SCHEMA.replace("no id, x-requireConfirmation: ENABLED", "no id"), Status.FAIL, "DELETE /trips/{id}"),
        ("paths: {", Status.UNKNOWN, "cannot be read"),
        ("openapi: 3.0.0", Status.UNKNOWN, "it has no paths"),
        ('{"paths": {"/trips": {"$ref": "elsewhere.json"}}}', Status.UNKNOWN, "path /trips"),
        (None, Status.UNKNOWN, "in S3, which is not read"),
    ],
)
def test_an_api_schema_says_what_is_asked_before(text: str | None, status: Status, words: str) -> None:
    def schema(properties: dict[str, Any]) -> None:
        properties["ActionGroups"][0] |= {"HasApiSchema": True, "ApiSchema": text, "Functions": []}

    found = only("agents-bounded", edited(AGENT, schema), ITS_ROLE)
    assert found.status is status, found.summary
    assert words in found.summary


def test_a_disabled_action_group_does_nothing() -> None:
    def off(properties: dict[str, Any]) -> None:
        unasked(properties)
        properties["ActionGroups"][0]["ActionGroupState"] = "DISABLED"

    assert only("agents-bounded", edited(AGENT, off), ITS_ROLE).status is Status.PASS


def test_no_agent_is_no_failure() -> None:
    assert only("agents-bounded").status is Status.NOT_APPLICABLE
    gap = Resource(
        "AWS::Bedrock::Agent",
        ACCOUNT,
        REGION,
        "?",
        unknown=(Unknown("*", "AccessDenied: needs bedrock:ListAgents"),),
    )
    found = only("agents-bounded", gap)
    assert found.status is Status.UNKNOWN
    assert "bedrock:ListAgents" in found.summary


def test_the_version_that_answers_is_pinned_too() -> None:
    def draft(properties: dict[str, Any]) -> None:
        properties["Versions"][0]["GuardrailConfiguration"] = {
            "GuardrailIdentifier": "abc123",
            "GuardrailVersion": "DRAFT",
        }

    (found,) = verdicts("guardrail-pinned", edited(AGENT, draft))
    assert found.status is Status.FAIL
    assert "version 1 of agent travel uses the DRAFT" in found.summary


def test_a_flows_node_is_pinned_too() -> None:
    node = {"Name": "answer", "Type": "prompt", "GuardrailConfiguration": {"GuardrailVersion": "DRAFT"}}
    (found,) = verdicts("guardrail-pinned", made("AWS::Bedrock::Flow", "f1", Name="mail", Nodes=[node]))
    assert found.status is Status.FAIL
    assert "node answer of flow mail" in found.summary


def test_the_version_of_a_flow_that_answers_is_pinned_too() -> None:
    node = {"Name": "answer", "Type": "prompt", "GuardrailConfiguration": {"GuardrailVersion": "DRAFT"}}
    versions = [{"Version": "1", "Nodes": [node]}]
    flow = made("AWS::Bedrock::Flow", "f1", Name="mail", Nodes=[], Versions=versions)
    (found,) = verdicts("guardrail-pinned", flow)
    assert found.status is Status.FAIL
    assert "node answer of version 1 of flow mail uses the DRAFT" in found.summary


# -- AgentCore -------------------------------------------------------------------------------------------------------

TOKEN = {"CustomJWTAuthorizer": {"DiscoveryUrl": "https://id.example.com/x", "AllowedAudience": ["app"]}}
PRIVATE = {"NetworkMode": "VPC", "NetworkModeConfig": {"SecurityGroups": ["sg-1"]}}
IN_VPC = {"NetworkMode": "VPC", "VpcConfig": {"SecurityGroups": ["sg-1"]}}
GROUP_1 = made(
    "AWS::EC2::SecurityGroup",
    "sg-1",
    SecurityGroupEgress=[
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "DestinationPrefixListId": "pl-1"}
    ],
)
CORE = {
    "Runtime": {
        "AgentRuntimeName": "one", "NetworkConfiguration": PRIVATE, "AuthorizerConfiguration": TOKEN,
        "MetadataConfiguration": {"RequireMMDSV2": True}, "EnvironmentVariableNames": ["LOG_LEVEL"],
    },
    "Gateway": {
        "Name": "one", "AuthorizerType": "CUSTOM_JWT", "AuthorizerConfiguration": TOKEN,
        "PolicyEngineConfiguration": {"Arn": "arn:x", "Mode": "ENFORCE"}, "WebAclArn": "arn:y",
        "WafConfiguration": {"FailureMode": "FAIL_CLOSE"},
    },
    "BrowserCustom": {"Name": "one", "NetworkConfiguration": IN_VPC, "RecordingConfig": {"Enabled": True}},
    "CodeInterpreterCustom": {"Name": "one", "NetworkConfiguration": IN_VPC},
    "Memory": {"Name": "one", "EncryptionKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k1"},
}  # fmt: skip


def core(name: str, **changes: Any) -> Resource:
    return made(f"AWS::BedrockAgentCore::{name}", "one", **{**CORE[name], **changes})


@pytest.mark.parametrize("name", CORE)
def test_what_is_enclosed_passes(name: str) -> None:
    found = only("agentcore-enclosed", core(name), GROUP_1)
    assert found.status is Status.PASS, found.summary
    first = next(iter(CORE[name].keys() - {"Name", "AgentRuntimeName"}))
    assert only("agentcore-enclosed", unread(core(name), first), GROUP_1).status is Status.UNKNOWN


CORE_MUTATIONS = (
    (core("Runtime", NetworkConfiguration={"NetworkMode": "PUBLIC"}), "network is PUBLIC"),
    (core("Runtime", AuthorizerConfiguration={"CustomJWTAuthorizer": {"DiscoveryUrl": "https://id.example.com/x"}}), "neither audience"),
    (core("Runtime", AuthorizerConfiguration={"CustomJWTAuthorizer": {"DiscoveryUrl": "https://id.example.com/x", "AllowedAudience": []}}), "neither audience"),
    (
        core("Runtime", AuthorizerConfiguration={"CustomJWTAuthorizer": {
            "DiscoveryUrl": "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration", "AllowedAudience": ["a"],
        }}),
        "every tenant",
    ),
    (core("Runtime", MetadataConfiguration={"RequireMMDSV2": False}), "metadata service"),
    (core("Runtime", EnvironmentVariableNames=["LOG_LEVEL", "STRIPE_API_KEY"]), "STRIPE_API_KEY"),
    (core("Gateway", AuthorizerType="NONE"), "authorization is NONE"),
    (core("Gateway", AuthorizerType="AUTHENTICATE_ONLY"), "AUTHENTICATE_ONLY"),
    (core("Gateway", PolicyEngineConfiguration={"Arn": "arn:x", "Mode": "LOG_ONLY"}), "refuses nothing"),
    (core("Gateway", ExceptionLevel="DEBUG"), "tell callers"),
    (core("Gateway", WafConfiguration={"FailureMode": "FAIL_OPEN"}), "fails open"),
    (core("BrowserCustom", RecordingConfig={"Enabled": False}), "not recorded"),
    (core("BrowserCustom", NetworkConfiguration={"NetworkMode": "PUBLIC"}), "PUBLIC"),
    (core("CodeInterpreterCustom", NetworkConfiguration={"NetworkMode": "SANDBOX"}), "SANDBOX"),
    (core("Memory", EncryptionKeyArn=""), "key of AWS's own"),
)  # fmt: skip


@pytest.mark.parametrize(("resource", "words"), CORE_MUTATIONS)
def test_what_was_opened_fails(resource: Resource, words: str) -> None:
    found = only("agentcore-enclosed", resource, GROUP_1)
    assert found.status is Status.FAIL
    assert words in found.summary


def test_a_vpc_whose_security_group_reaches_everything_encloses_nothing() -> None:
    group = made(
        "AWS::EC2::SecurityGroup",
        "sg-1",
        SecurityGroupEgress=[{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}],
    )
    found = only("agentcore-enclosed", core("Runtime"), group)
    assert found.status is Status.FAIL
    assert "sg-1 lets it reach everything" in found.summary


def test_a_runtimes_role_is_asked_like_an_agents() -> None:
    service = {"Service": "bedrock-agentcore.amazonaws.com"}
    own = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    runtime = core("Runtime", RoleArn=ROLE)
    narrow = role({**trust(**own), "Principal": service}, ITS_MODEL)
    assert only("agentcore-enclosed", runtime, GROUP_1, narrow).status is Status.PASS
    deputy = role({**trust(), "Principal": service}, ITS_MODEL)
    assert "on behalf of any account" in only("agentcore-enclosed", runtime, GROUP_1, deputy).summary
    wide = role({**trust(**own), "Principal": service}, grants("secretsmanager:*"))
    assert "read any secret" in only("agentcore-enclosed", runtime, GROUP_1, wide).summary


def test_nothing_on_agentcore_is_no_failure() -> None:
    assert only("agentcore-enclosed").status is Status.NOT_APPLICABLE


# -- calls -----------------------------------------------------------------------------------------------------------

APP = f"arn:aws:iam::{ACCOUNT}:role/quickstart-app"
NOVA = "us.amazon.nova-pro-v1:0"


def activity(*regions: str, **changes: Any) -> Resource:
    places = [
        {
            "InferenceRegion": region, "Calls": 3, "Models": [NOVA], "Principals": [APP],
            "LastEvent": "e1", "LastCall": "2026-11-27T10:00:00+00:00",
        }
        for region in regions
    ]  # fmt: skip
    told = {"Calls": 3 * len(regions), "Complete": True, "Places": places} if regions else {"Complete": True}
    return made("Ringwall::Bedrock::Activity", "activity", **{**told, **changes})


def declared(*resources: Resource) -> CheckContext:
    """The quickstart's declaration over what it compiles to and these besides."""
    base = context()
    estate = Estate(
        "desired",
        desired().accounts,
        (*desired(), *resources),
        taken_at="2026-11-27T14:00:00+00:00",
    )
    return replace(base, observed=estate, access=Access(estate))


def calls(resource: Resource, *, declaration: bool = True) -> Finding:
    chosen = frozenset({"calls-stayed-inside"})
    (found,) = judge(declared(resource) if declaration else bare(resource), chosen)
    return found


@pytest.mark.parametrize(
    ("resource", "declaration", "status", "words"),
    [
        (activity(REGION, "us-west-2"), True, Status.PASS, "all 6 recorded calls"),
        (activity(REGION, Complete=False), True, Status.PASS, "the newest 3 recorded calls"),
        (activity(REGION, "eu-west-1"), True, Status.FAIL, "3 were processed in eu-west-1"),
        (activity(REGION, "us-west-1"), True, Status.FAIL, "us-west-1"),
        (activity(""), True, Status.UNKNOWN, "does not tell where"),
        (activity(), True, Status.NOT_APPLICABLE, "no answered inference call"),
        (unread(activity(REGION), "Calls"), True, Status.UNKNOWN, "some:Permission"),
        (activity(REGION, "us-west-2"), False, Status.PASS, "us-west-2"),
        (activity(REGION, "ap-northeast-1"), False, Status.FAIL, "ap-northeast-1"),
    ],
)
def test_where_calls_were_processed(
    resource: Resource, declaration: bool, status: Status, words: str
) -> None:
    found = calls(resource, declaration=declaration)
    assert found.status is status, found.summary
    assert words in found.summary


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Models": ["us.meta.llama3-3-70b-instruct-v1:0"]}, "models that nobody declared"),
        ({"Principals": [APP, f"arn:aws:iam::{ACCOUNT}:role/Shadow"]}, "role/Shadow"),
    ],
)
def test_who_called_what(change: dict[str, Any], words: str) -> None:
    def edit(properties: dict[str, Any]) -> None:
        properties["Places"][0] |= change

    found = calls(edited(activity(REGION), edit))
    assert found.status is Status.FAIL
    assert words in found.summary
    assert found.details["events"] == {REGION: "e1"}


# -- arrivals --------------------------------------------------------------------------------------------------------

ARRIVED = activity(
    REGION,
    LastCall="2026-11-27T10:00:00+00:00",
    LoggingSetAt="2026-11-20T10:00:00+00:00",
    LastLogEvent="2026-11-27T10:00:02+00:00",
    LastLogObject="2026-11-27T10:05:00+00:00",
    Failures={},
)


def delivery(resource: Resource) -> Finding:
    (found,) = judge(declared(resource), frozenset({"invocation-logging-delivers"}))
    return found


def later(properties: dict[str, Any], **changes: Any) -> dict[str, Any]:
    left = {key: value for key, value in properties.items() if changes.get(key, "") is not None}
    return {**left, **{key: value for key, value in changes.items() if value is not None}}


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({}, Status.PASS, "the newest call, of 2026-11-27 10:00, is there"),
        ({"LastLogEvent": None}, Status.FAIL, "no log event since"),
        ({"LastLogObject": None}, Status.FAIL, "no log object since"),
        ({"LastLogEvent": "2026-11-24T09:00:00+00:00"}, Status.FAIL, "the newest log event is of 2026-11-24"),
        ({"LastLogEvent": "2026-11-27T09:00:00+00:00"}, Status.PASS, "is there"),
        (
            {"Failures": {"ModelInvocationLogsS3DeliveryFailure": 4.0}},
            Status.FAIL,
            "4 deliveries failed (ModelInvocationLogsS3",
        ),
        (
            {"LastCall": "2026-11-27T13:30:00+00:00", "LastLogEvent": None},
            Status.UNKNOWN,
            "too early to tell",
        ),
        (
            {"LoggingSetAt": "2026-11-27T12:00:00+00:00", "LastLogEvent": None},
            Status.PASS,
            "Bedrock can write",
        ),
        ({"LastCall": None, "LastLogEvent": None}, Status.PASS, "Bedrock can write"),
    ],
)
def test_what_should_arrive_is_looked_for(changes: dict[str, Any], status: Status, words: str) -> None:
    """The setting, the role, the policies and the keys are as declared in each of these."""
    found = delivery(replace(ARRIVED, properties=later(dict(ARRIVED.properties), **changes)))
    assert found.status is status, found.summary
    assert words in found.summary


@pytest.mark.parametrize("name", ["Calls", "LastLogEvent", "LastLogObject", "Failures", "LoggingSetAt"])
def test_arrivals_that_could_not_be_read_are_unknown(name: str) -> None:
    found = delivery(unread(ARRIVED, name))
    assert found.status is Status.UNKNOWN
    assert name in found.summary


# -- knowledge bases -------------------------------------------------------------------------------------------------

BASE_ARN = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:knowledge-base/KB00000001"
BUCKET = "arn:aws:s3:::handbook"
FOR_THE_BASE = {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": BASE_ARN}}
BASE = made(
    "AWS::Bedrock::KnowledgeBase",
    "KB00000001",
    Name="handbook",
    Arn=BASE_ARN,
    RoleArn=f"arn:aws:iam::{ACCOUNT}:role/base",
    DataSources=[{"Name": "s3", "Type": "S3", "BucketArn": BUCKET}],
)
READS = grants("s3:GetObject", f"{BUCKET}/*")
BASE_ROLE = role(trust(**FOR_THE_BASE), READS, name="base")
ELSEWHERE = {
    "DataSources": [{"Name": "s3", "Type": "S3", "BucketArn": BUCKET, "BucketOwnerAccountId": OTHER}]
}


SUPPLEMENTAL = {
    "KnowledgeBaseConfiguration": {
        "type": "VECTOR",
        "vectorKnowledgeBaseConfiguration": {
            "supplementalDataStorageConfiguration": {
                "storageLocations": [{"type": "S3", "s3Location": {"uri": "s3://images/kb"}}]
            }
        },
    }
}
HANDED_OVER = {
    "DataSources": [{"Name": "s3", "Type": "S3", "BucketArn": BUCKET, "IntermediateStorage": "s3://chunks/x"}]
}


def open_bucket(name: str) -> Resource:
    document = policy(allow("*", "s3:PutObject"))
    return made("AWS::S3::BucketPolicy", name, Bucket=name, PolicyDocument=document)


def bucket_policy(*statements: dict[str, Any]) -> Resource:
    return made("AWS::S3::BucketPolicy", "handbook", Bucket="handbook", PolicyDocument=policy(*statements))


@pytest.mark.parametrize(
    ("resources", "status", "words"),
    [
        ((BASE, BASE_ROLE), Status.PASS, "reads its own sources"),
        ((BASE,), Status.FAIL, "its role base does not exist"),
        (
            (replace(BASE, properties={**BASE.properties, "DataSources": [{"Name": "news", "Type": "WEB"}]}), BASE_ROLE),
            Status.UNKNOWN,
            "who writes its source news (WEB)",
        ),
        (
            (BASE, BASE_ROLE, made("AWS::S3::BucketPolicy", "handbook", Bucket="handbook", PolicyDocument=policy(
                {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": f"{BUCKET}/inbox/*"}
            ))),
            Status.FAIL,
            "anybody can s3:PutObject",
        ),
        (
            (BASE, BASE_ROLE, bucket_policy(allow("*", "s3:PutObject", **INSIDE))),
            Status.PASS,
            "reads its own",
        ),
        ((BASE, BASE_ROLE, bucket_policy(allow("*", "s3:PutObject"))), Status.FAIL, "anybody can s3:PutObject"),
        (
            (BASE, BASE_ROLE, bucket_policy(allow({"AWS": OTHER}, "s3:*"))),
            Status.FAIL,
            f"account {OTHER} can s3:GetObject, s3:PutObject",
        ),
        (
            (BASE, BASE_ROLE, bucket_policy(allow({"Service": "logging.s3.amazonaws.com"}, "s3:PutObject"))),
            Status.FAIL,
            "logging.s3.amazonaws.com on behalf of any account",
        ),
        # Images beside the vectors, and what a transformation hands over, lie in buckets of their own.
        ((replace(BASE, properties={**BASE.properties, **SUPPLEMENTAL}), BASE_ROLE, open_bucket("images")), Status.FAIL, "its source images: anybody"),
        ((replace(BASE, properties={**BASE.properties, **HANDED_OVER}), BASE_ROLE, open_bucket("chunks")), Status.FAIL, "its source chunks: anybody"),
        ((replace(BASE, properties={**BASE.properties, **SUPPLEMENTAL}), BASE_ROLE), Status.PASS, "reads its own"),
        ((BASE, role(trust(), READS, name="base")), Status.FAIL, "on behalf of any account"),
        ((BASE, role(trust(**FOR_THE_BASE), grants("s3:*"), name="base")), Status.FAIL, "read any bucket"),
        ((replace(BASE, properties={**BASE.properties, **ELSEWHERE}), BASE_ROLE), Status.FAIL, f"of account {OTHER}"),
        ((unread(BASE, "DataSources"), BASE_ROLE), Status.UNKNOWN, "DataSources"),
        ((replace(BASE, properties={"Name": "empty"}),), Status.NOT_APPLICABLE, "none has any"),
    ],
)  # fmt: skip
def test_a_knowledge_base_that_nobody_declared(
    resources: tuple[Resource, ...], status: Status, words: str
) -> None:
    found = only("knowledge-base-sources", *resources)
    assert found.status is status, found.summary
    assert words in found.summary


# -- keys and buckets that name others -------------------------------------------------------------------------------


def test_a_key_that_names_one_other_account_lets_it_in() -> None:
    """A stranger is refused; the account that the policy names is not."""

    def named(properties: dict[str, Any]) -> None:
        properties["KeyPolicy"]["Statement"].append(allow({"AWS": f"arn:aws:iam::{OTHER}:root"}, "kms:*"))

    estate = desired().with_resources(
        edited(item, named) if item.id == "key/guardrail" else item for item in desired()
    )
    found = judge(context(estate), frozenset({"keys-effective"}))
    (failed,) = [item for item in found if item.status is Status.FAIL]
    assert f"account {OTHER} can kms:Decrypt" in failed.summary


def test_a_log_bucket_that_names_one_other_account_lets_it_in() -> None:
    def named(properties: dict[str, Any]) -> None:
        statement = allow({"AWS": f"arn:aws:iam::{OTHER}:role/Reader"}, "s3:GetObject")
        properties["PolicyDocument"]["Statement"].append(statement)

    estate = desired().with_resources(
        edited(item, named) if item.id == "bucket-policy/invocation-logs" else item for item in desired()
    )
    found = judge(context(estate), frozenset({"buckets-private"}))
    (failed,) = [item for item in found if item.status is Status.FAIL]
    assert "role/Reader can s3:GetObject" in failed.summary
