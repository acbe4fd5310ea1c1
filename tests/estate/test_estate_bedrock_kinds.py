"""The Bedrock kinds against their service model: requests are checked by botocore, responses are canned."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from estate.estate_support import REGION, FakeAws, FakeClock, denied, resource
from ringwall.errors import AwsCallError
from ringwall.estate.kinds import registry
from ringwall.estate.kinds.guardrail import Guardrail
from ringwall.estate.kinds.guardrail_fields import CONTENT, from_response, to_request
from ringwall.estate.kinds.guardrail_version import GuardrailVersion
from ringwall.estate.model import Ref, Resource

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "111122223333"
ARN = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/abcd1234efgh"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
MODEL = botocore.session.get_session().get_service_model("bedrock")

PROPERTIES: dict[str, Any] = {
    "Name": "baseline",
    "Description": "The baseline",
    "BlockedInputMessaging": "no",
    "BlockedOutputsMessaging": "withheld",
    "KmsKeyArn": KEY,
    "ContentPolicyConfig": {
        "FiltersConfig": [
            {"Type": "VIOLENCE", "InputStrength": "HIGH", "OutputStrength": "HIGH"},
            {"Type": "PROMPT_ATTACK", "InputStrength": "HIGH", "OutputStrength": "NONE"},
        ]
    },
    "TopicPolicyConfig": {
        "TopicsConfig": [
            {"Name": "Advice", "Definition": "Financial advice", "Type": "DENY", "Examples": ["Buy?"]}
        ]
    },
    "WordPolicyConfig": {
        "WordsConfig": [{"Text": "xyzzy"}],
        "ManagedWordListsConfig": [{"Type": "PROFANITY"}],
    },
    "SensitiveInformationPolicyConfig": {
        "PiiEntitiesConfig": [
            {"Type": "EMAIL", "Action": "ANONYMIZE"},
            {"Type": "PASSWORD", "Action": "BLOCK"},
        ],
        "RegexesConfig": [{"Name": "case", "Pattern": "CASE-[0-9]+", "Action": "BLOCK"}],
    },
    "ContextualGroundingPolicyConfig": {"FiltersConfig": [{"Type": "GROUNDING", "Threshold": 0.7}]},
}
BOTH = {"inputAction": "BLOCK", "outputAction": "BLOCK", "inputEnabled": True, "outputEnabled": True}
TEXT = {"inputModalities": ["TEXT"], "outputModalities": ["TEXT"]}
RESPONSE: dict[str, Any] = {
    "name": "baseline",
    "description": "The baseline",
    "guardrailId": "abcd1234efgh",
    "guardrailArn": ARN,
    "version": "DRAFT",
    "status": "READY",
    "blockedInputMessaging": "no",
    "blockedOutputsMessaging": "withheld",
    "kmsKeyArn": KEY,
    "contentPolicy": {
        "filters": [
            {"type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE", **BOTH, **TEXT},
            {"type": "VIOLENCE", "inputStrength": "HIGH", "outputStrength": "HIGH", **BOTH, **TEXT},
        ],
        "tier": {"tierName": "CLASSIC"},
    },
    "topicPolicy": {
        "topics": [
            {"name": "Advice", "definition": "Financial advice", "type": "DENY", "examples": ["Buy?"], **BOTH}
        ],
        "tier": {"tierName": "CLASSIC"},
    },
    "wordPolicy": {
        "words": [{"text": "xyzzy", **BOTH}],
        "managedWordLists": [{"type": "PROFANITY", **BOTH}],
    },
    "sensitiveInformationPolicy": {
        "piiEntities": [
            {
                "type": "PASSWORD",
                "action": "BLOCK",
                "inputAction": "BLOCK",
                "outputAction": "BLOCK",
                "inputEnabled": True,
                "outputEnabled": True,
            },
            {"type": "EMAIL", "action": "ANONYMIZE", "inputAction": "ANONYMIZE", "outputAction": "ANONYMIZE"},
        ],
        "regexes": [{"name": "case", "pattern": "CASE-[0-9]+", "action": "BLOCK"}],
    },
    "contextualGroundingPolicy": {
        "filters": [{"type": "GROUNDING", "threshold": 0.7, "action": "BLOCK", "enabled": True}]
    },
}
SUMMARY = {"id": "abcd1234efgh", "arn": ARN, "status": "READY", "name": "baseline", "version": "DRAFT"}
DIGEST = "sha256:" + "0" * 64


class ModelledAws(FakeAws):
    """A fake that refuses parameters which the service model would refuse."""

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        report = ParamValidator().validate(parameters, MODEL.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()
        return super().call(service, operation, **parameters)


def fake(**answers: Any) -> ModelledAws:
    usual = {
        "ListGuardrails": {"guardrails": [SUMMARY]},
        "GetGuardrail": RESPONSE,
        "ListTagsForResource": {"tags": [{"key": "ringwall:id", "value": "guardrail/baseline"}]},
    }
    return ModelledAws({**usual, **answers})


def guardrail(**changes: Any) -> Resource:
    return resource("AWS::Bedrock::Guardrail", "guardrail/baseline", ACCOUNT, **{**PROPERTIES, **changes})


def version(**changes: Any) -> Resource:
    properties = {"GuardrailIdentifier": "abcd1234efgh", "Description": DIGEST, **changes}
    return resource("AWS::Bedrock::GuardrailVersion", "guardrail-version/baseline", ACCOUNT, **properties)


def test_what_is_declared_and_what_bedrock_answers_compare_equal() -> None:
    kind = Guardrail()
    (there,) = kind.read(fake())
    assert kind.validate(PROPERTIES) == ()
    wanted = kind.normalise(PROPERTIES)
    assert {name: kind.normalise(there.properties)[name] for name in wanted} == wanted


def test_request_and_response_are_inverse() -> None:
    request = to_request(PROPERTIES)
    assert request["kmsKeyId"] == KEY
    assert request["contentPolicyConfig"]["filtersConfig"][0]["type"] == "VIOLENCE"
    assert Guardrail().normalise(from_response(RESPONSE)) == Guardrail().normalise(PROPERTIES)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("contentPolicy", "filters", 1, "inputStrength"), "LOW"),
        (("contentPolicy", "filters", 1, "outputAction"), "NONE"),
        (("contentPolicy", "filters", 1, "inputEnabled"), False),
        (("topicPolicy", "topics", 0, "inputAction"), "NONE"),
        (("wordPolicy", "managedWordLists", 0, "inputEnabled"), False),
        (("sensitiveInformationPolicy", "piiEntities", 1, "outputAction"), "NONE"),
        (("contextualGroundingPolicy", "filters", 0, "threshold"), 0.1),
        (("contextualGroundingPolicy", "filters", 0, "enabled"), False),
    ],
)
def test_every_way_to_weaken_a_policy_shows(path: tuple[Any, ...], value: Any) -> None:
    response = copy.deepcopy(RESPONSE)
    holder: Any = response
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    kind = Guardrail()
    wanted, there = kind.normalise(PROPERTIES), kind.normalise(from_response(response))
    assert [name for name in wanted if wanted[name] != there.get(name)] == [
        f"{path[0][:1].upper()}{path[0][1:]}Config"
    ]


def test_create_sends_key_and_tags_at_once_and_waits_until_ready() -> None:
    clock = FakeClock()
    creating = {**RESPONSE, "status": "CREATING"}
    aws = fake(
        CreateGuardrail={"guardrailId": "abcd1234efgh", "guardrailArn": ARN, "version": "DRAFT"},
        GetGuardrail=[creating, creating, RESPONSE],
    )
    made = Guardrail(clock).create(aws, guardrail())
    (sent,) = aws.sent("CreateGuardrail")
    assert sent["kmsKeyId"] == KEY
    assert {tag["key"]: tag["value"] for tag in sent["tags"]} == {
        "ringwall:id": "guardrail/baseline",
        "ringwall:perimeter": "quickstart",
    }
    assert aws.operations() == ["CreateGuardrail", "GetGuardrail", "GetGuardrail", "GetGuardrail"]
    assert len(clock.pauses) == 2
    attributes = Guardrail().attributes(made)
    assert (attributes["Id"], attributes["Arn"], attributes["NumberedVersions"]) == (
        "abcd1234efgh",
        ARN,
        f"{ARN}:*",
    )


def test_a_failed_guardrail_says_why() -> None:
    failed = {**RESPONSE, "status": "FAILED", "statusReasons": ["no access to the key"]}
    aws = fake(CreateGuardrail={"guardrailId": "abcd1234efgh", "guardrailArn": ARN}, GetGuardrail=failed)
    with pytest.raises(AwsCallError, match="no access to the key"):
        Guardrail(FakeClock()).create(aws, guardrail())


def test_waiting_ends() -> None:
    aws = fake(
        CreateGuardrail={"guardrailId": "abcd1234efgh", "guardrailArn": ARN},
        GetGuardrail={**RESPONSE, "status": "CREATING"},
    )
    with pytest.raises(AwsCallError, match="run the command again"):
        Guardrail(FakeClock()).create(aws, guardrail())


def test_update_replaces_the_draft_only_where_something_differs() -> None:
    kind = Guardrail(FakeClock())
    aws = fake(UpdateGuardrail={"guardrailId": "abcd1234efgh", "guardrailArn": ARN}, TagResource={})
    (there,) = kind.read(aws)
    kind.update(aws, there, guardrail())
    assert aws.sent("UpdateGuardrail") == []
    assert aws.sent("TagResource")[0]["tags"] == [{"key": "ringwall:perimeter", "value": "quickstart"}]
    kind.update(aws, there, guardrail(BlockedInputMessaging="never"))
    (sent,) = aws.sent("UpdateGuardrail")
    assert sent["blockedInputMessaging"] == "never"
    assert sent["topicPolicyConfig"]["topicsConfig"][0]["name"] == "Advice"


def test_a_renamed_guardrail_is_found_by_its_tag() -> None:
    kind = Guardrail()
    observed = tuple(kind.read(fake()))
    assert kind.match(guardrail(Name="renamed"), observed) is observed[0]
    other = resource("AWS::Bedrock::Guardrail", "guardrail/other", ACCOUNT, Name="baseline")
    assert kind.match(other, observed) is observed[0]


def version_answers(**versions: str) -> Callable[..., dict[str, Any]]:
    def answer(guardrailIdentifier: str | None = None) -> dict[str, Any]:  # noqa: N803
        listed = [{**SUMMARY, "version": number.removeprefix("v")} for number in versions]
        return {"guardrails": [SUMMARY, *listed] if guardrailIdentifier else [SUMMARY]}

    return answer


def described(**versions: str) -> Callable[..., dict[str, Any]]:
    def answer(guardrailIdentifier: str, guardrailVersion: str = "DRAFT") -> dict[str, Any]:  # noqa: N803
        if guardrailVersion == "DRAFT":
            return RESPONSE
        return {**RESPONSE, "version": guardrailVersion, "description": versions[f"v{guardrailVersion}"]}

    return answer


def test_versions_are_read_with_their_content() -> None:
    versions = {"v1": "sha256:old", "v2": DIGEST}
    aws = fake(ListGuardrails=version_answers(**versions), GetGuardrail=described(**versions))
    kind = GuardrailVersion()
    observed = tuple(kind.read(aws))
    assert [item.id for item in observed] == ["abcd1234efgh:1", "abcd1234efgh:2"]
    assert observed[0].get("ContentPolicyConfig.FiltersConfig")
    found = kind.match(version(), observed)
    assert found is observed[1]
    assert kind.attributes(found)["Version"] == "2"
    assert kind.attributes(found)["Arn"] == f"{ARN}:2"
    assert kind.match(version(GuardrailIdentifier=ARN), observed) is observed[1]
    assert kind.match(version(Description="sha256:new"), observed) is None
    assert kind.match(version(GuardrailIdentifier=Ref("guardrail/baseline", "Id")), observed) is None


def test_a_later_version_with_a_copied_description_is_not_taken() -> None:
    versions = {"v3": DIGEST, "v11": DIGEST}
    aws = fake(ListGuardrails=version_answers(**versions), GetGuardrail=described(**versions))
    found = GuardrailVersion().match(version(), tuple(GuardrailVersion().read(aws)))
    assert found is not None
    assert found.get("Version") == "3"


def test_a_forged_description_does_not_make_a_version_the_declared_one() -> None:
    declared = version(**{name: item for name, item in PROPERTIES.items() if name in CONTENT})
    weak = {name: item for name, item in RESPONSE.items() if name != "contentPolicy"}

    def answer(guardrailIdentifier: str, guardrailVersion: str) -> dict[str, Any]:  # noqa: N803 - as in the API
        return {**(weak if guardrailVersion == "3" else RESPONSE), "description": DIGEST}

    aws = fake(ListGuardrails=version_answers(v3=DIGEST), GetGuardrail=answer)
    assert GuardrailVersion().match(declared, tuple(GuardrailVersion().read(aws))) is None
    aws = fake(ListGuardrails=version_answers(v3=DIGEST, v4=DIGEST), GetGuardrail=answer)
    found = GuardrailVersion().match(declared, tuple(GuardrailVersion().read(aws)))
    assert found is not None
    assert found.get("Version") == "4"


def test_a_draft_that_was_changed_meanwhile_is_not_taken_for_the_declared_one() -> None:
    declared = version(**{**{name: PROPERTIES[name] for name in CONTENT}, "BlockedInputMessaging": "other"})
    aws = fake(CreateGuardrailVersion={"guardrailId": "abcd1234efgh", "version": "4"})
    with pytest.raises(AwsCallError, match="does not hold what is declared"):
        GuardrailVersion(FakeClock()).create(aws, declared)


def test_a_version_is_made_of_a_ready_draft() -> None:
    aws = fake(
        GetGuardrail=[{**RESPONSE, "status": "UPDATING"}, RESPONSE],
        CreateGuardrailVersion={"guardrailId": "abcd1234efgh", "version": "4"},
    )
    made = GuardrailVersion(FakeClock()).create(aws, version())
    assert aws.operations() == ["GetGuardrail", "GetGuardrail", "CreateGuardrailVersion", "GetGuardrail"]
    assert aws.sent("CreateGuardrailVersion") == [
        {"guardrailIdentifier": "abcd1234efgh", "description": DIGEST}
    ]
    assert made.id == "abcd1234efgh:4"
    assert GuardrailVersion().match(version(), (made,)) == made


def test_deleting_a_version_spares_the_guardrail() -> None:
    aws = fake(DeleteGuardrail={})
    there = resource("AWS::Bedrock::GuardrailVersion", "x:2", GuardrailId="abcd1234efgh", Version="2")
    GuardrailVersion().delete(aws, there)
    assert aws.sent("DeleteGuardrail") == [{"guardrailIdentifier": "abcd1234efgh", "guardrailVersion": "2"}]


def test_placeholders_of_a_version_belong_to_its_guardrail() -> None:
    parent = Guardrail().placeholder(guardrail())
    child = GuardrailVersion().placeholder(version(GuardrailIdentifier=Ref("guardrail/baseline", "Id")))
    assert child["GuardrailArn"] == parent["Arn"]
    assert child["Arn"] == f"{parent['Arn']}:1"
    assert child["Version"] == "1"


LOGGING = {
    "LoggingConfig": {
        "CloudWatchConfig": {
            "LogGroupName": "/aws/bedrock/x",
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/x",
            "LargeDataDeliveryS3Config": {"BucketName": "some-bucket", "KeyPrefix": "large-data"},
        },
        "S3Config": {"BucketName": "some-bucket", "KeyPrefix": "logs"},
        "TextDataDeliveryEnabled": True,
    }
}


def test_invocation_logging_round_trip() -> None:
    kind = registry()["Ringwall::Bedrock::InvocationLogging"]
    desired = resource(kind.type, "invocation-logging/main", ACCOUNT, **LOGGING)
    assert kind.validate(LOGGING) == ()
    aws = fake(PutModelInvocationLoggingConfiguration={})
    kind.create(aws, desired)
    (sent,) = aws.sent("PutModelInvocationLoggingConfiguration")
    assert (
        sent["loggingConfig"]["cloudWatchConfig"]["largeDataDeliveryS3Config"]["bucketName"] == "some-bucket"
    )
    (there,) = kind.read(fake(GetModelInvocationLoggingConfiguration=sent))
    assert kind.match(desired, (there,)) is there
    assert kind.normalise(there.properties) == kind.normalise(desired.properties)
    assert list(kind.read(fake(GetModelInvocationLoggingConfiguration={}))) == []


def test_data_retention_is_always_there() -> None:
    kind = registry()["Ringwall::Bedrock::DataRetention"]
    desired = resource(kind.type, "data-retention/main", ACCOUNT, Mode="none")
    aws = fake(GetAccountDataRetention={"mode": "inherit"}, PutAccountDataRetention={"mode": "none"})
    (there,) = kind.read(aws)
    assert there.get("Mode") == "inherit"
    kind.update(aws, there, desired)
    assert aws.sent("PutAccountDataRetention") == [{"mode": "none"}]
    kind.delete(aws, kind.update(aws, there, desired))
    assert aws.sent("PutAccountDataRetention")[-1] == {"mode": "inherit"}


ENFORCED = {"GuardrailInferenceConfig": {"GuardrailIdentifier": ARN, "GuardrailVersion": "3"}}


def test_enforced_guardrail() -> None:
    kind = registry()["AWS::Bedrock::EnforcedGuardrailConfiguration"]
    desired = resource(kind.type, "enforced-guardrail/main", ACCOUNT, **ENFORCED)
    assert kind.validate(ENFORCED) == ()
    draft = {"GuardrailInferenceConfig": {"GuardrailIdentifier": ARN, "GuardrailVersion": "DRAFT"}}
    assert kind.validate(draft) != ()
    listed = {
        "guardrailsConfig": [
            {
                "configId": "abc",
                "guardrailArn": ARN,
                "guardrailId": "abcd1234efgh",
                "guardrailVersion": "3",
                "owner": "ACCOUNT",
                "selectiveContentGuarding": {"system": "COMPREHENSIVE", "messages": "COMPREHENSIVE"},
                "modelEnforcement": {"includedModels": ["ALL"], "excludedModels": []},
            }
        ]
    }
    aws = fake(
        ListEnforcedGuardrailsConfiguration=listed, PutEnforcedGuardrailConfiguration={"configId": "abc"}
    )
    (there,) = kind.read(aws)
    assert kind.match(desired, (there,)) is there
    assert kind.normalise(there.properties) == kind.normalise(desired.properties)
    changed = resource(
        kind.type,
        "enforced-guardrail/main",
        ACCOUNT,
        GuardrailInferenceConfig={"GuardrailIdentifier": ARN, "GuardrailVersion": "4"},
    )
    kind.update(aws, there, changed)
    assert aws.sent("PutEnforcedGuardrailConfiguration")[0]["configId"] == "abc"


def test_resource_policies_are_asked_for_guardrail_by_guardrail() -> None:
    kind = registry()["AWS::Bedrock::ResourcePolicy"]
    missing = AwsCallError("bedrock", "GetResourcePolicy", "ResourceNotFoundException", "none")
    assert list(kind.read(fake(GetResourcePolicy=missing))) == []
    (there,) = kind.read(
        fake(GetResourcePolicy={"resourcePolicy": '{"Version":"2012-10-17","Statement":[]}'})
    )
    assert there.id == ARN
    assert there.get("PolicyDocument") == {"Version": "2012-10-17", "Statement": []}
    (unknown,) = kind.read(fake(GetResourcePolicy=denied("GetResourcePolicy", "bedrock:GetResourcePolicy")))
    assert unknown.unknown_reason("PolicyDocument") == "AccessDenied: needs bedrock:GetResourcePolicy"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Name": "has space"}, "does not match"),
        ({"BlockedInputMessaging": ""}, "is required"),
        ({"BlockedInputMessaging": "x" * 501}, "takes 500"),
        (
            {
                "ContentPolicyConfig": {
                    "FiltersConfig": [
                        {"Type": "PROMPT_ATTACK", "InputStrength": "HIGH", "OutputStrength": "HIGH"}
                    ]
                }
            },
            "must be NONE",
        ),
        ({"WordPolicyConfig": {"WordsConfig": [{"Text": "a"}, {"Text": "a"}]}}, "twice"),
        (
            {"TopicPolicyConfig": {"TopicsConfig": [{"Name": "a", "Definition": "x" * 201, "Type": "DENY"}]}},
            "200 characters",
        ),
        (
            {
                "SensitiveInformationPolicyConfig": {
                    "RegexesConfig": [{"Name": "a", "Pattern": "(?=x)y", "Action": "BLOCK"}]
                }
            },
            "look-around",
        ),
        (
            {
                "SensitiveInformationPolicyConfig": {
                    "PiiEntitiesConfig": [{"Type": "SHOE_SIZE", "Action": "BLOCK"}]
                }
            },
            "must be one of",
        ),
        (
            {"ContextualGroundingPolicyConfig": {"FiltersConfig": [{"Type": "GROUNDING", "Threshold": 1.0}]}},
            "at most 0.99",
        ),
    ],
)
def test_what_bedrock_rejects(changes: dict[str, Any], message: str) -> None:
    assert message in " ".join(Guardrail().validate({**PROPERTIES, **changes}))


def test_a_guardrail_needs_a_policy() -> None:
    bare = {key: PROPERTIES[key] for key in ("Name", "BlockedInputMessaging", "BlockedOutputsMessaging")}
    assert "at least one policy" in " ".join(Guardrail().validate(bare))
