"""Guardrails, their versions, policies and keys, as the control plane has them."""

from __future__ import annotations

import json
import re

import pytest

from sandbox_bedrock.bedrock_fakes import ACCOUNT, REGION, Bedrock, reply_text

WORDS = {"wordPolicyConfig": {"wordsConfig": [{"text": "nightjar"}]}}
MESSAGES = {"blockedInputMessaging": "IN", "blockedOutputsMessaging": "OUT"}
PROFILE = {"guardrailProfileIdentifier": "us.guardrail.v1:0"}


@pytest.fixture
def bedrock():
    return Bedrock()


def content(**rule):
    rule = {"type": "HATE", "inputStrength": "HIGH", "outputStrength": "HIGH", **rule}
    return {"contentPolicyConfig": {"filtersConfig": [rule]}}


def pii(*entities):
    return {"sensitiveInformationPolicyConfig": {"piiEntitiesConfig": list(entities)}}


def regex(pattern):
    rule = {"name": "r", "pattern": pattern, "action": "BLOCK"}
    return {"sensitiveInformationPolicyConfig": {"regexesConfig": [rule]}}


def topic(**rule):
    return {"topicPolicyConfig": {"topicsConfig": [{"name": "t", "definition": "d", "type": "DENY", **rule}]}}


REJECTED = [
    ({}, "at least one policy"),
    (
        {**WORDS, "blockedInputMessaging": None},
        "'blockedInputMessaging' failed to satisfy constraint: Member must not be null",
    ),
    ({**WORDS, "blockedInputMessaging": "x" * 501}, "length less than or equal to 500"),
    ({**WORDS, "name": "has blanks"}, "regular expression pattern: [0-9a-zA-Z-_]+"),
    ({**WORDS, "name": ""}, "length greater than or equal to 1"),
    ({**WORDS, "kmsKeyId": "not a key!"}, "at 'kmsKeyId' failed to satisfy constraint"),
    (pii({"type": "SHOE_SIZE", "action": "BLOCK"}), "Member must satisfy enum value set"),
    (pii({"type": "EMAIL", "action": "REDACT"}), "enum value set: [BLOCK, ANONYMIZE, NONE]"),
    (
        pii({"type": "EMAIL", "action": "BLOCK"}, {"type": "EMAIL", "action": "NONE"}),
        "Duplicate PII entity type",
    ),
    (pii(), "length greater than or equal to 1"),
    ({"sensitiveInformationPolicyConfig": {}}, "at least one"),
    ({"wordPolicyConfig": {"wordsConfig": [{"text": "   "}]}}, "blank"),
    ({"wordPolicyConfig": {"wordsConfig": [{"text": "x" * 101}]}}, "length less than or equal to 100"),
    (regex("(unclosed"), "regex pattern"),
    (regex("(?=ahead)x"), "regex pattern"),
    (regex("(?<!behind)x"), "regex pattern"),
    (regex(r"(a)\1"), "regex pattern"),
    (content(type="PROMPT_ATTACK"), "Output strength must be NONE"),
    (content(inputStrength="EXTREME"), "enum value set: [NONE, LOW, MEDIUM, HIGH]"),
    (
        {"contentPolicyConfig": {"filtersConfig": content()["contentPolicyConfig"]["filtersConfig"] * 2}},
        "Duplicate",
    ),
    (topic(definition="x" * 201), "length less than or equal to 200"),
    (topic(definition="x" * 1001), "length less than or equal to 1000"),
    (topic(examples=["x"] * 6), "length less than or equal to 5"),
    (topic(name="semi;colon"), "regular expression pattern"),
    (
        {"topicPolicyConfig": {**topic()["topicPolicyConfig"], "tierConfig": {"tierName": "STANDARD"}}},
        "guardrail profile",
    ),
    (
        {**WORDS, "crossRegionConfig": {"guardrailProfileIdentifier": "eu.guardrail.v1:0"}},
        "not available in Region",
    ),
    (
        {"contextualGroundingPolicyConfig": {"filtersConfig": [{"type": "GROUNDING", "threshold": 1.0}]}},
        "between 0 and 0.99",
    ),
    (
        {"contextualGroundingPolicyConfig": {"filtersConfig": [{"type": "GROUNDING", "threshold": -1}]}},
        "value greater than",
    ),
]


@pytest.mark.parametrize(("given", "message"), REJECTED)
def test_what_aws_rejects(bedrock, given, message):
    error = bedrock.refusal("CreateGuardrail", **{"name": "g", **MESSAGES, **given})
    assert (error.code, error.status) == ("ValidationException", 400)
    assert message in error.message


def test_every_violated_constraint_is_listed(bedrock):
    error = bedrock.refusal("CreateGuardrail", name="a b", **WORDS)
    assert error.message.startswith("3 validation errors detected: ")


def test_a_type_that_is_not_the_models_is_rejected(bedrock):
    error = bedrock.refusal("CreateGuardrail", name=7, wordPolicyConfig="x", **MESSAGES)
    assert "Member must be of type string" in error.message
    assert "Member must be of type structure" in error.message


FULL = {
    **topic(name="Advice", definition="about money", examples=["buy?"]),
    **content(type="PROMPT_ATTACK", outputStrength="NONE"),
    "wordPolicyConfig": {"wordsConfig": [{"text": "w"}], "managedWordListsConfig": [{"type": "PROFANITY"}]},
    "sensitiveInformationPolicyConfig": {
        "piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}],
        "regexesConfig": [{"name": "r", "pattern": "x+", "action": "BLOCK"}],
    },
    "contextualGroundingPolicyConfig": {"filtersConfig": [{"type": "RELEVANCE", "threshold": 0.5}]},
    "crossRegionConfig": PROFILE,
}


def test_a_guardrail_reads_back_in_the_names_of_get(bedrock):
    made = bedrock.call("CreateGuardrail", name="full", description="all of it", **MESSAGES, **FULL)
    assert re.fullmatch(r"[a-z0-9]{12}", made["guardrailId"])
    for identifier in (made["guardrailId"], made["guardrailArn"]):
        shown = bedrock.call("GetGuardrail", guardrailIdentifier=identifier)
        assert shown["status"] == "READY"
        assert shown["version"] == "DRAFT"
        assert shown["topicPolicy"]["topics"][0]["definition"] == "about money"
        assert shown["contentPolicy"]["filters"][0]["type"] == "PROMPT_ATTACK"
        assert [word["text"] for word in shown["wordPolicy"]["words"]] == ["w"]
        assert shown["wordPolicy"]["managedWordLists"][0]["type"] == "PROFANITY"
        assert shown["sensitiveInformationPolicy"]["piiEntities"][0]["inputAction"] == "ANONYMIZE"
        assert shown["sensitiveInformationPolicy"]["regexes"][0]["pattern"] == "x+"
        assert shown["contextualGroundingPolicy"]["filters"][0]["threshold"] == 0.5
        assert shown["crossRegionDetails"]["guardrailProfileId"] == "us.guardrail.v1:0"


def test_versions_are_numbered_and_never_change(bedrock):
    identifier = bedrock.guardrail()
    assert bedrock.call("CreateGuardrailVersion", guardrailIdentifier=identifier)["version"] == "1"
    other = {"wordPolicyConfig": {"wordsConfig": [{"text": "other"}]}}
    bedrock.call("UpdateGuardrail", guardrailIdentifier=identifier, name="renamed", **MESSAGES, **other)
    assert bedrock.call("CreateGuardrailVersion", guardrailIdentifier=identifier)["version"] == "2"

    def words(version):
        shown = bedrock.call("GetGuardrail", guardrailIdentifier=identifier, guardrailVersion=version)
        return shown["name"], shown["wordPolicy"]["words"][0]["text"]

    assert words("1") == ("baseline", "nightjar")
    assert words("2") == words("DRAFT") == ("renamed", "other")


def test_update_replaces_everything(bedrock):
    identifier = bedrock.call("CreateGuardrail", name="full", **MESSAGES, **FULL)["guardrailId"]
    bedrock.call("UpdateGuardrail", guardrailIdentifier=identifier, name="full", **MESSAGES, **WORDS)
    shown = bedrock.call("GetGuardrail", guardrailIdentifier=identifier)
    assert "topicPolicy" not in shown
    assert "sensitiveInformationPolicy" not in shown


def test_numbers_of_deleted_versions_are_not_used_again(bedrock):
    identifier = bedrock.guardrail()
    bedrock.call("CreateGuardrailVersion", guardrailIdentifier=identifier)
    bedrock.call("DeleteGuardrail", guardrailIdentifier=identifier, guardrailVersion="1")
    assert bedrock.call("GetGuardrail", guardrailIdentifier=identifier)["version"] == "DRAFT"
    assert bedrock.call("CreateGuardrailVersion", guardrailIdentifier=identifier)["version"] == "2"


def test_listing(bedrock):
    ids = [bedrock.guardrail(f"g{n}") for n in range(5)]
    bedrock.call("CreateGuardrailVersion", guardrailIdentifier=ids[0])
    first = bedrock.call("ListGuardrails", maxResults=3)
    rest = bedrock.call("ListGuardrails", maxResults=3, nextToken=first["nextToken"])
    assert [one["id"] for one in first["guardrails"] + rest["guardrails"]] == ids
    assert "nextToken" not in rest
    versions = bedrock.call("ListGuardrails", guardrailIdentifier=ids[0])["guardrails"]
    assert [one["version"] for one in versions] == ["DRAFT", "1"]
    assert bedrock.refusal("ListGuardrails", nextToken="elsewhere").code == "ValidationException"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetGuardrail", {"guardrailIdentifier": "abcdefghijkl"}),
        (
            "GetGuardrail",
            {"guardrailIdentifier": f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:guardrail/abcdefghijkl"},
        ),
        ("CreateGuardrailVersion", {"guardrailIdentifier": "abcdefghijkl"}),
        ("DeleteGuardrail", {"guardrailIdentifier": "abcdefghijkl"}),
        ("ListGuardrails", {"guardrailIdentifier": "abcdefghijkl"}),
        (
            "ListTagsForResource",
            {"resourceARN": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/abcdefghijkl"},
        ),
    ],
)
def test_what_does_not_exist_is_not_found(bedrock, operation, parameters):
    error = bedrock.refusal(operation, service="bedrock", **parameters)
    assert (error.code, error.status) == ("ResourceNotFoundException", 404)


def test_a_version_that_does_not_exist_is_not_found(bedrock):
    identifier = bedrock.guardrail()
    error = bedrock.refusal("GetGuardrail", guardrailIdentifier=identifier, guardrailVersion="9")
    assert error.code == "ResourceNotFoundException"
    error = bedrock.refusal("DeleteGuardrail", guardrailIdentifier=identifier, guardrailVersion="9")
    assert error.code == "ResourceNotFoundException"


def test_names_are_unique(bedrock):
    bedrock.guardrail("one")
    two = bedrock.guardrail("two")
    assert bedrock.refusal("CreateGuardrail", name="one", **MESSAGES, **WORDS).code == "ConflictException"
    error = bedrock.refusal("UpdateGuardrail", guardrailIdentifier=two, name="one", **MESSAGES, **WORDS)
    assert error.code == "ConflictException"
    bedrock.call("DeleteGuardrail", guardrailIdentifier=two)
    assert bedrock.guardrail("two") != two


def test_a_client_token_makes_creation_idempotent(bedrock):
    made = [
        bedrock.call("CreateGuardrail", name="g", clientRequestToken="t", **MESSAGES, **WORDS)
        for _ in range(2)
    ]
    assert made[0]["guardrailId"] == made[1]["guardrailId"]
    numbers = [
        bedrock.call(
            "CreateGuardrailVersion", guardrailIdentifier=made[0]["guardrailId"], clientRequestToken="v"
        )
        for _ in range(2)
    ]
    assert [one["version"] for one in numbers] == ["1", "1"]


def test_tags(bedrock):
    arn = bedrock.call("CreateGuardrail", name="g", tags=[{"key": "a", "value": "1"}], **MESSAGES, **WORDS)[
        "guardrailArn"
    ]
    bedrock.call("TagResource", service="bedrock", resourceARN=arn, tags=[{"key": "b", "value": "2"}])
    bedrock.call("UntagResource", service="bedrock", resourceARN=arn, tagKeys=["a"])
    assert bedrock.call("ListTagsForResource", service="bedrock", resourceARN=arn)["tags"] == [
        {"key": "b", "value": "2"}
    ]
    exposed = {
        one.id: one.properties["Tags"]
        for one in bedrock.plane.resources()
        if one.type == "AWS::Bedrock::Guardrail"
    }
    assert exposed == {arn: [{"Key": "b", "Value": "2"}]}
    many = [{"key": f"k{n}", "value": ""} for n in range(51)]
    assert (
        bedrock.refusal("TagResource", service="bedrock", resourceARN=arn, tags=many).code
        == "TooManyTagsException"
    )


KEY = "11111111-1111-1111-1111-111111111111"


def test_a_key_is_taken_into_use_as_the_creator_and_used_as_the_caller(bedrock):
    made = bedrock.call("CreateGuardrail", name="g", kmsKeyId=KEY, **MESSAGES, **WORDS)
    assert bedrock.call("GetGuardrail", guardrailIdentifier=made["guardrailId"])["kmsKeyArn"].endswith(
        ":key/k"
    )
    assert [name for _, name, _, _ in bedrock.platform.calls] == [
        "kms:DescribeKey",
        "kms:CreateGrant",
        "kms:GenerateDataKey",
    ]
    bedrock.converse("hello", made["guardrailId"])
    ((principal, parameters, context),) = bedrock.platform.named("kms:Decrypt")
    assert principal.endswith(":user/tester")
    assert parameters["CiphertextBlob"] == b"wrapped"
    assert context["kms:viaservice"] == (f"bedrock.{REGION}.amazonaws.com",)


@pytest.mark.parametrize(
    ("operation", "code", "expected"),
    [
        ("kms:DescribeKey", "NotFoundException", "ValidationException"),
        ("kms:CreateGrant", "AccessDeniedException", "AccessDeniedException"),
        ("kms:GenerateDataKey", "AccessDeniedException", "AccessDeniedException"),
        ("kms:GenerateDataKey", "DisabledException", "ValidationException"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused(bedrock, operation, code, expected):
    bedrock.platform.refused[operation] = code
    assert bedrock.refusal("CreateGuardrail", name="g", kmsKeyId=KEY, **MESSAGES, **WORDS).code == expected
    assert bedrock.call("ListGuardrails")["guardrails"] == []


def test_a_disabled_key_is_refused(bedrock):
    bedrock.platform.answers["kms:DescribeKey"]["KeyMetadata"]["KeyState"] = "Disabled"
    error = bedrock.refusal("CreateGuardrail", name="g", kmsKeyId=KEY, **MESSAGES, **WORDS)
    assert "not enabled" in error.message


def test_who_may_not_decrypt_may_not_use_the_guardrail(bedrock):
    identifier = bedrock.call("CreateGuardrail", name="g", kmsKeyId=KEY, **MESSAGES, **WORDS)["guardrailId"]
    bedrock.platform.refused["kms:Decrypt"] = "AccessDeniedException"
    request = {
        "modelId": "us.amazon.nova-pro-v1:0",
        "messages": [{"role": "user", "content": [{"text": "x"}]}],
    }
    config = {"guardrailIdentifier": identifier, "guardrailVersion": "DRAFT"}
    error = bedrock.refusal("Converse", guardrailConfig=config, **request)
    assert (error.code, error.status) == ("AccessDeniedException", 403)
    assert reply_text(bedrock.call("Converse", **request)).endswith("x")


# Resource policies


def policy(arn, **statement):
    default = {"Effect": "Allow", "Principal": "*", "Action": "bedrock:ApplyGuardrail", "Resource": arn}
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-example"}}
    statement = {**default, "Condition": condition, **statement}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{k: v for k, v in statement.items() if v is not None}]}
    )


ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


@pytest.mark.parametrize(
    "statement",
    [
        {},
        {"Action": ["bedrock:ApplyGuardrail", "bedrock:GetGuardrail"]},
        {"Principal": {"AWS": "*"}},
        {"Principal": ROOT, "Condition": None},
        {
            "Condition": {
                "StringEquals": {"aws:PrincipalOrgID": "o-example"},
                "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-example/*"},
            }
        },
    ],
)
def test_accepted_resource_policies(bedrock, statement):
    bedrock.guardrail()
    arn = next(iter(bedrock.plane.state.at(ACCOUNT, REGION).guardrails.values())).arn
    bedrock.call(
        "PutResourcePolicy", service="bedrock", resourceArn=arn, resourcePolicy=policy(arn, **statement)
    )
    text = bedrock.call("GetResourcePolicy", service="bedrock", resourceArn=arn)["resourcePolicy"]
    exposed = [one for one in bedrock.plane.resources() if one.type == "AWS::Bedrock::ResourcePolicy"]
    assert [(one.properties["ResourceArn"], one.properties["PolicyDocument"]) for one in exposed] == [
        (arn, json.loads(text))
    ]
    bedrock.call("DeleteResourcePolicy", service="bedrock", resourceArn=arn)
    assert (
        bedrock.refusal("GetResourcePolicy", service="bedrock", resourceArn=arn).code
        == "ResourceNotFoundException"
    )


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": {"AWS": "arn:aws:iam::444455556666:root"}},
        {"Principal": {"Service": "bedrock.amazonaws.com"}},
        {"Principal": None},
        {"Condition": None},
        {"Condition": {"StringEquals": {"aws:PrincipalAccount": "444455556666"}}},
        {"Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "*"}}},
        {
            "Condition": {
                "StringEquals": {"aws:PrincipalOrgID": "o-e"},
                "IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
            }
        },
        {"Action": "bedrock:*"},
        {"Action": "bedrock:DeleteGuardrail"},
        {"Effect": "Maybe"},
        {"Resource": "arn:aws:bedrock:us-east-1:111122223333:guardrail/another"},
    ],
)
def test_rejected_resource_policies(bedrock, statement):
    bedrock.guardrail()
    arn = next(iter(bedrock.plane.state.at(ACCOUNT, REGION).guardrails.values())).arn
    text = policy(arn, **statement)
    error = bedrock.refusal("PutResourcePolicy", service="bedrock", resourceArn=arn, resourcePolicy=text)
    assert error.code == "ValidationException"


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "{}"])
def test_what_is_no_policy_is_rejected(bedrock, text):
    bedrock.guardrail()
    arn = next(iter(bedrock.plane.state.at(ACCOUNT, REGION).guardrails.values())).arn
    error = bedrock.refusal("PutResourcePolicy", service="bedrock", resourceArn=arn, resourcePolicy=text)
    assert error.code == "ValidationException"


# Enforced guardrails


def enforce(bedrock, identifier, config_id=None, **more):
    parameters = {
        "guardrailInferenceConfig": {"guardrailIdentifier": identifier, "guardrailVersion": "1", **more}
    }
    if config_id:
        parameters["configId"] = config_id
    return bedrock.call("PutEnforcedGuardrailConfiguration", **parameters)["configId"]


@pytest.fixture
def enforced(bedrock):
    # The stand-in repeats what it is told: the word is looked for in input alone, to see what of it is looked at.
    word = {"text": "nightjar", "outputEnabled": False}
    identifier = bedrock.guardrail("enforced", wordPolicyConfig={"wordsConfig": [word]})
    bedrock.call("CreateGuardrailVersion", guardrailIdentifier=identifier)
    return identifier


def test_an_enforced_guardrail_applies_to_calls_that_name_none(bedrock, enforced):
    config_id = enforce(bedrock, enforced)
    (shown,) = bedrock.call("ListEnforcedGuardrailsConfiguration")["guardrailsConfig"]
    assert (shown["configId"], shown["owner"], shown["inputTags"]) == (config_id, "ACCOUNT", "IGNORE")
    assert bedrock.converse("about nightjar")["stopReason"] == "guardrail_intervened"
    bedrock.call("DeleteEnforcedGuardrailConfiguration", configId=config_id)
    assert bedrock.converse("about nightjar")["stopReason"] == "end_turn"


def test_request_and_account_guardrails_add_up(bedrock, enforced):
    enforce(bedrock, enforced)
    own = bedrock.guardrail("own", wordPolicyConfig={"wordsConfig": [{"text": "swift"}]})
    assert bedrock.converse("a swift", own)["stopReason"] == "guardrail_intervened"
    output = bedrock.converse("a nightjar", own)
    assert output["stopReason"] == "guardrail_intervened"
    details = output["trace"]["guardrail"]["inputAssessment"]
    origins = {key: value["appliedGuardrailDetails"]["guardrailOrigin"] for key, value in details.items()}
    assert origins == {own: ["REQUEST"], enforced: ["ACCOUNT_ENFORCED"]}


def test_comprehensive_enforcement_ignores_what_the_caller_marked(bedrock, enforced):
    messages = [
        {"role": "user", "content": [{"text": "nightjar"}, {"guardContent": {"text": {"text": "harmless"}}}]}
    ]
    system = [{"text": "nightjar"}]
    enforce(bedrock, enforced, selectiveContentGuarding={"messages": "SELECTIVE", "system": "SELECTIVE"})
    assert bedrock.converse("", messages=messages, system=system)["stopReason"] == "end_turn"
    config_id = bedrock.call("ListEnforcedGuardrailsConfiguration")["guardrailsConfig"][0]["configId"]
    enforce(
        bedrock,
        enforced,
        config_id,
        selectiveContentGuarding={"messages": "COMPREHENSIVE", "system": "SELECTIVE"},
    )
    assert bedrock.converse("", messages=messages)["stopReason"] == "guardrail_intervened"
    assert bedrock.converse("hello", system=system)["stopReason"] == "end_turn"
    enforce(bedrock, enforced, config_id)
    assert bedrock.converse("hello", system=system)["stopReason"] == "guardrail_intervened"


def test_enforcement_can_leave_out_models(bedrock, enforced):
    nova = "amazon.nova-pro-v1:0"
    enforce(bedrock, enforced, modelEnforcement={"includedModels": ["ALL"], "excludedModels": [nova]})
    assert bedrock.converse("nightjar", model=f"us.{nova}")["stopReason"] == "end_turn"
    assert bedrock.converse("nightjar")["stopReason"] == "guardrail_intervened"
    config_id = bedrock.call("ListEnforcedGuardrailsConfiguration")["guardrailsConfig"][0]["configId"]
    enforce(bedrock, enforced, config_id, modelEnforcement={"includedModels": [nova], "excludedModels": []})
    assert bedrock.converse("nightjar", model=f"us.{nova}")["stopReason"] == "guardrail_intervened"
    assert bedrock.converse("nightjar")["stopReason"] == "end_turn"


def test_callers_need_apply_guardrail_on_the_enforced_one(bedrock, enforced):
    enforce(bedrock, enforced)
    bedrock.platform.denied.add("bedrock:ApplyGuardrail")
    messages = [{"role": "user", "content": [{"text": "hello"}]}]
    error = bedrock.refusal("Converse", modelId="us.amazon.nova-pro-v1:0", messages=messages)
    assert error.code == "AccessDeniedException"


def test_what_is_enforced_cannot_be_deleted(bedrock, enforced):
    enforce(bedrock, enforced)
    for more in ({}, {"guardrailVersion": "1"}):
        error = bedrock.refusal("DeleteGuardrail", guardrailIdentifier=enforced, **more)
        assert error.code == "ResourceInUseException"


def test_enforced_configurations_are_one_and_by_number(bedrock, enforced):
    enforce(bedrock, enforced)
    given = {"guardrailIdentifier": enforced, "guardrailVersion": "1"}
    second = bedrock.refusal("PutEnforcedGuardrailConfiguration", guardrailInferenceConfig=given)
    assert second.code == "ConflictException"
    draft = bedrock.refusal(
        "PutEnforcedGuardrailConfiguration", guardrailInferenceConfig={**given, "guardrailVersion": "DRAFT"}
    )
    assert draft.code == "ValidationException"
    unknown = bedrock.refusal("DeleteEnforcedGuardrailConfiguration", configId="abc")
    assert unknown.code == "ResourceNotFoundException"


def test_an_operation_that_is_not_there_says_so(bedrock):
    error = bedrock.refusal("CreatePromptRouter", promptRouterName="p")
    assert (error.code, error.status) == ("NotImplementedException", 501)
    assert "CreatePromptRouter" in error.message
