"""AgentCore from end to end: what its API answers, held against botocore's models, is read by the kinds and judged.

Everything of a Region is there once and passes; each mutation changes one answer; each refusal leaves an unknown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from controls.controls_estates import bare
from controls.test_controls_observed import FULL_ACCESS, GROUP_1, ITS_MODEL, OTHER, OWN, made, role
from estate.estate_stubs import ACCOUNT, NOW, REGION, Refused, read_all
from ringwall.controls.findings import Finding, Status
from ringwall.controls.judging import judge
from ringwall.estate.kinds import surveyed

CORE = "bedrock-agentcore-control"
SLUG = "agentcore-enclosed"
KINDS = tuple(name for name in surveyed() if "BedrockAgentCore" in name)
Told = dict[str, Any]
Edit = Callable[[Told], None]
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
STAMPS = {"createdAt": NOW, "lastUpdatedAt": NOW}
TOKEN = {
    "customJWTAuthorizer": {
        "discoveryUrl": "https://id.example.com/.well-known/openid-configuration",
        "allowedAudience": ["app"],
    }
}
VPC = {"networkMode": "VPC", "vpcConfig": {"securityGroups": ["sg-1"], "subnets": ["subnet-1"]}}


def arn(what: str) -> str:
    return f"arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}:{what}"


RUNTIME, GATEWAY = arn("runtime/one-1"), arn("gateway/two-2")
OF_RUNTIME = {
    "agentRuntimeArn": RUNTIME, "agentRuntimeName": "one", "agentRuntimeId": "one-1", "agentRuntimeVersion": "2",
    "roleArn": f"arn:aws:iam::{ACCOUNT}:role/core", "status": "READY", "lifecycleConfiguration": {}, **STAMPS,
    "networkConfiguration": {"networkMode": "VPC", "networkModeConfig": {"securityGroups": ["sg-1"], "subnets": ["subnet-1"]}},
    "authorizerConfiguration": TOKEN, "metadataConfiguration": {"requireMMDSV2": True}, "environmentVariables": {"LOG_LEVEL": "info"},
}  # fmt: skip
OLDER = {**OF_RUNTIME, "agentRuntimeVersion": "1"}
ENDPOINT = {
    "agentRuntimeArn": RUNTIME,
    "agentRuntimeEndpointArn": f"{RUNTIME}/runtime-endpoint/x",
    "status": "READY",
    **STAMPS,
}
ENDPOINTS = [
    {**ENDPOINT, "name": "DEFAULT", "id": "DEFAULT", "liveVersion": "2"},
    {**ENDPOINT, "name": "live", "id": "live", "liveVersion": "1"},
]
OF_GATEWAY = {
    "gatewayArn": GATEWAY, "gatewayId": "two-2", "name": "two", "status": "READY", "createdAt": NOW, "updatedAt": NOW,
    "roleArn": f"arn:aws:iam::{ACCOUNT}:role/core", "protocolType": "MCP", "authorizerType": "CUSTOM_JWT",
    "authorizerConfiguration": TOKEN, "kmsKeyArn": KEY, "webAclArn": "arn:aws:wafv2:x", "wafConfiguration": {"failureMode": "FAIL_CLOSE"},
    "policyEngineConfiguration": {"arn": arn("policy-engine/p-1"), "mode": "ENFORCE"},
}  # fmt: skip
OF_BROWSER = {
    "browserId": "three-3", "browserArn": arn("browser-custom/three-3"), "name": "three", "status": "READY", **STAMPS,
    "networkConfiguration": VPC, "recording": {"enabled": True, "s3Location": {"bucket": "b", "prefix": "p"}},
}  # fmt: skip
OF_INTERPRETER = {
    "codeInterpreterId": "four-4", "codeInterpreterArn": arn("code-interpreter-custom/four-4"), "name": "four", "status": "READY",
    "networkConfiguration": VPC, **STAMPS,
}  # fmt: skip
OF_MEMORY = {
    "arn": arn("memory/five-0000000005"), "id": "five-0000000005", "name": "five", "status": "ACTIVE", "createdAt": NOW, "updatedAt": NOW,
    "eventExpiryDuration": 30, "encryptionKeyArn": KEY, "memoryExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/core",
}  # fmt: skip
PROVIDER = {
    "name": "crm",
    "credentialProviderArn": arn("token-vault/default/apikeycredentialprovider/crm"),
    "createdTime": NOW,
    "lastUpdatedTime": NOW,
}


def region() -> Told:
    """A Region with one of everything."""
    return {
        f"{CORE}:ListAgentRuntimes": {"agentRuntimes": [{
            "agentRuntimeArn": RUNTIME, "agentRuntimeId": "one-1", "agentRuntimeVersion": "2", "agentRuntimeName": "one",
            "description": "x", "lastUpdatedAt": NOW, "status": "READY",
        }]},
        f"{CORE}:GetAgentRuntime": lambda sent: OLDER if sent.get("agentRuntimeVersion") == "1" else OF_RUNTIME,
        f"{CORE}:ListAgentRuntimeEndpoints": {"runtimeEndpoints": ENDPOINTS},
        f"{CORE}:ListGateways": {"items": [{
            "gatewayId": "two-2", "name": "two", "status": "READY", "createdAt": NOW, "updatedAt": NOW, "authorizerType": "CUSTOM_JWT",
        }]},
        f"{CORE}:GetGateway": OF_GATEWAY,
        f"{CORE}:ListBrowsers": {"browserSummaries": [{"browserId": "three-3", "browserArn": OF_BROWSER["browserArn"], "status": "READY", "createdAt": NOW}]},
        f"{CORE}:GetBrowser": OF_BROWSER,
        f"{CORE}:ListCodeInterpreters": {"codeInterpreterSummaries": [{"codeInterpreterId": "four-4", "codeInterpreterArn": OF_INTERPRETER["codeInterpreterArn"], "status": "READY", "createdAt": NOW}]},
        f"{CORE}:GetCodeInterpreter": OF_INTERPRETER,
        f"{CORE}:ListMemories": {"memories": [{"id": "five-0000000005", "createdAt": NOW, "updatedAt": NOW}]},
        f"{CORE}:GetMemory": {"memory": OF_MEMORY},
        f"{CORE}:GetResourcePolicy": Refused("ResourceNotFoundException"),
        f"{CORE}:ListOauth2CredentialProviders": {"credentialProviders": []},
        f"{CORE}:ListApiKeyCredentialProviders": {"credentialProviders": [PROVIDER]},
        f"{CORE}:GetTokenVault": {"tokenVaultId": "default", "kmsConfiguration": {"keyType": "CustomerManagedKey", "kmsKeyArn": KEY}, "lastModifiedDate": NOW},
    }  # fmt: skip


OWN_KEY = made("AWS::KMS::Key", "1", KeyId="1", Arn=KEY, Enabled=True, KeyState="Enabled")
CORE_ROLE = role(
    {
        "Effect": "Allow", "Principal": {"Service": "bedrock-agentcore.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    },
    ITS_MODEL,
    name="core",
)  # fmt: skip


def found(told: Told, slug: str = SLUG) -> list[Finding]:
    resources, _ = read_all(told, *KINDS)
    context = bare(FULL_ACCESS, GROUP_1, OWN_KEY, CORE_ROLE, *resources, account=OWN)
    return list(judge(context, frozenset({slug})))


def worst(told: Told, status: Status, slug: str = SLUG) -> list[str]:
    return [item.summary for item in found(told, slug) if item.status is status]


def test_everything_enclosed_passes_with_its_evidence() -> None:
    findings = found(region())
    assert {item.status for item in findings} == {Status.PASS}, [item.summary for item in findings]
    assert len(findings) == len(KINDS) == 6
    assert all(item.evidence for item in findings)


def test_no_memory_is_decrypted_and_no_variable_kept() -> None:
    sent: list[Any] = []
    told = region() | {f"{CORE}:GetMemory": lambda asked: (sent.append(asked), {"memory": OF_MEMORY})[1]}
    resources, _ = read_all(told, *KINDS)
    assert sent == [{"memoryId": "five-0000000005", "view": "without_decryption"}]
    (runtime,) = [item for item in resources if item.type.endswith("::Runtime")]
    assert runtime.get("EnvironmentVariableNames") == ["LOG_LEVEL"]
    assert [item["Version"] for item in runtime.get("Versions")] == ["1"]


def changing(operation: str, *path: str, value: Any) -> Edit:
    def edit(told: Told) -> None:
        here = told[f"{CORE}:{operation}"] = deepcopy(told[f"{CORE}:{operation}"])
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = value

    return edit


def version(number: str, **changes: Any) -> Edit:
    """A change of one version of the runtime."""

    def edit(told: Told) -> None:
        before = told[f"{CORE}:GetAgentRuntime"]

        def answer(sent: Any) -> Any:
            told_of = before(sent)
            return {**told_of, **changes} if told_of["agentRuntimeVersion"] == number else told_of

        told[f"{CORE}:GetAgentRuntime"] = answer

    return edit


ANY_CLIENT = {
    "customJWTAuthorizer": {"discoveryUrl": "https://id.example.com/.well-known/openid-configuration"}
}
STREAM = {
    "resources": [
        {
            "kinesis": {
                "dataStreamArn": f"arn:aws:kinesis:{REGION}:{OTHER}:stream/s",
                "contentConfigurations": [{"type": "MEMORY_RECORDS"}],
            }
        }
    ]
}
MUTATIONS = (
    (version("2", networkConfiguration={"networkMode": "PUBLIC"}), "runtime one: its network is PUBLIC"),
    (version("1", networkConfiguration={"networkMode": "PUBLIC"}), "runtime one: version 1: its network is PUBLIC"),
    (version("1", authorizerConfiguration=ANY_CLIENT), "version 1: any token of"),
    (version("1", environmentVariables={"CRM_API_KEY": "x"}), "version 1: environment variables that look like secrets: CRM_API_KEY"),
    (version("2", metadataConfiguration={"requireMMDSV2": False}), "metadata service is on"),
    (changing("GetGateway", "authorizerType", value="NONE"), "gateway two: its inbound authorization is NONE"),
    (changing("GetGateway", "policyEngineConfiguration", "mode", value="LOG_ONLY"), "LOG_ONLY: it refuses nothing"),
    (changing("GetGateway", "wafConfiguration", "failureMode", value="FAIL_OPEN"), "its firewall fails open"),
    (changing("GetGateway", "exceptionLevel", value="DEBUG"), "tell callers the details"),
    (changing("GetBrowser", "networkConfiguration", value={"networkMode": "PUBLIC"}), "browser three: its network is PUBLIC"),
    (changing("GetBrowser", "recording", "enabled", value=False), "not recorded"),
    (changing("GetCodeInterpreter", "networkConfiguration", value={"networkMode": "SANDBOX"}), "its network is SANDBOX"),
    (changing("GetMemory", "memory", "encryptionKeyArn", value=""), "memory five: it is encrypted with a key of AWS's own"),
    (changing("GetMemory", "memory", "streamDeliveryResources", value=STREAM), f"of account {OTHER}"),
    (
        changing("GetTokenVault", "kmsConfiguration", value={"keyType": "ServiceManagedKey"}),
        "token vault default: it is encrypted with a key of AWS's own",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("edit", "words"), MUTATIONS)
def test_what_was_opened_fails(edit: Edit, words: str) -> None:
    told = region()
    edit(told)
    (summary,) = worst(told, Status.FAIL)
    assert words in summary


def test_a_vault_that_holds_nothing_has_nothing_to_lose() -> None:
    told = region() | {f"{CORE}:ListApiKeyCredentialProviders": {"credentialProviders": []}}
    changing("GetTokenVault", "kmsConfiguration", value={"keyType": "ServiceManagedKey"})(told)
    assert worst(told, Status.FAIL) == []


@pytest.mark.parametrize(
    ("principal", "condition", "status"),
    [
        ("*", {}, Status.FAIL),
        ({"AWS": OTHER}, {}, Status.FAIL),
        ("*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-evil000000"}}, Status.FAIL),
        ("*", {"StringEquals": {"aws:PrincipalOrgID": OWN.organization}}, Status.PASS),
    ],
)
def test_a_resource_policy_is_asked_for_outsiders(principal: Any, condition: Any, status: Status) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "bedrock-agentcore:*", "Resource": "*"}
    statement |= {"Condition": condition} if condition else {}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    told = region() | {f"{CORE}:GetResourcePolicy": {"policy": json.dumps(document)}}
    findings = found(told, "nothing-shared-outside")
    assert {item.status for item in findings} == {status}, [item.summary for item in findings]
    assert len(findings) == 2  # the runtime's and the gateway's


OPERATIONS = [name.partition(":")[2] for name in region()]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_may_not_be_asked_is_unknown_with_its_permission(operation: str) -> None:
    slug = "nothing-shared-outside" if operation == "GetResourcePolicy" else SLUG
    resources, _ = read_all(region() | {f"{CORE}:{operation}": Refused()}, *KINDS, gaps=True)
    context = bare(FULL_ACCESS, GROUP_1, OWN_KEY, CORE_ROLE, *resources, account=OWN)
    findings = judge(context, frozenset({slug}))
    unknown = [item.summary for item in findings if item.status is Status.UNKNOWN]
    assert any(f"needs bedrock-agentcore:{operation}" in summary for summary in unknown), unknown
    assert not [item for item in findings if item.status is Status.FAIL]


def test_where_nothing_runs_five_listings_are_all() -> None:
    nothing = {
        f"{CORE}:ListAgentRuntimes": {"agentRuntimes": []},
        f"{CORE}:ListGateways": {"items": []},
        f"{CORE}:ListBrowsers": {"browserSummaries": []},
        f"{CORE}:ListCodeInterpreters": {"codeInterpreterSummaries": []},
        f"{CORE}:ListMemories": {"memories": []},
    }
    resources, asked = read_all(nothing, *KINDS)
    assert resources == []
    assert sorted(asked) == sorted(nothing)
