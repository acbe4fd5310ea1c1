"""Exports: the same Estate in two other words, nothing dropped in silence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deploy.deploy_sweep import COMPLETE, QUICKSTART
from ringwall.controls.compile import compile_estate
from ringwall.deploy.export.cloudformation import (
    NOT_EXPRESSIBLE,
    logical_id,
    parameter_name,
    template,
    written,
)
from ringwall.deploy.export.parts import parts
from ringwall.deploy.export.terraform import Where, configuration
from ringwall.deploy.export.tokens import spelled, with_tokens
from ringwall.deploy.order import dependencies, ordered
from ringwall.errors import RingwallError
from ringwall.estate.kinds import registry
from ringwall.estate.model import Ref, Resource, references
from ringwall.perimeter import load

META = {"depends_on", "lifecycle", "provider"}
ACCOUNT, REGION = "111122223333", "us-east-1"


@pytest.fixture(scope="module")
def desired():
    return ordered(compile_estate(load(QUICKSTART)))


@pytest.fixture(scope="module", params=[QUICKSTART, COMPLETE], ids=lambda file: file.parent.name)
def either(request):
    """The quickstart's desired Estate, and that of the example that declares everything."""
    return ordered(compile_estate(load(request.param)))


def templates(desired, **more):
    found = parts(desired, registry(), region=REGION, unspoken=NOT_EXPRESSIBLE.keys(), **more)
    return {item.name: template(item, "quickstart", registry()) for item in found}


def terraform(desired):
    where = Where("quickstart", ACCOUNT, REGION, "arn:aws:iam::999988887777:role/RingwallManagement")
    return configuration(desired, where, registry())


def walk(value):
    yield value
    if isinstance(value, dict):
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


def test_every_resource_is_in_a_template_or_listed_as_missing(desired):
    made = templates(desired)
    there = sum(len(item.body["Resources"]) for item in made.values())
    missing = [gap for item in made.values() for gap in item.gaps]
    listed = [row for item in made.values() for row in item.body["Metadata"]["Ringwall"]["NotExpressible"]]
    assert listed == [gap.to_json() for gap in missing]
    (beforehand,) = (gap for gap in missing if gap.type == "AWS::Organizations::Policy")
    assert beforehand.command.endswith("--policy-type SERVICE_CONTROL_POLICY")
    missing.remove(beforehand)
    assert there + len(missing) == len(desired)
    assert {gap.type for gap in missing} == {
        "Ringwall::Bedrock::InvocationLogging",
        "Ringwall::Bedrock::DataRetention",
    }
    assert {gap.type for gap in missing} < NOT_EXPRESSIBLE.keys()
    assert all(gap.command.startswith("aws bedrock put-") for gap in missing)


@pytest.mark.parametrize("stacksets", [False, True])
def test_references_lead_somewhere(either, stacksets):
    made = templates(either, stacksets=stacksets)
    outputs = {name for item in made.values() for name in item.body.get("Outputs", {})}
    for item in made.values():
        parameters, resources = set(item.body.get("Parameters", {})), set(item.body["Resources"])
        assert parameters <= outputs
        for value in walk(item.body):
            if isinstance(value, dict) and set(value) == {"Ref"}:
                assert value["Ref"] in resources | parameters
            if isinstance(value, dict) and set(value) == {"Fn::GetAtt"}:
                assert value["Fn::GetAtt"][0] in resources
            if isinstance(value, dict) and "Fn::Sub" in value:
                assert set(re.findall(r"\$\{(\w+)\.", value["Fn::Sub"])) <= resources
            if isinstance(value, dict) and "DependsOn" in value:
                assert set(value["DependsOn"]) <= resources
            assert not isinstance(value, Ref)


@pytest.mark.parametrize("stacksets", [False, True])
def test_every_name_is_one_of_cloudformations(either, stacksets):
    """Down to the last member; and what a type requires is there. Documents are not looked into."""
    types = json.loads((Path(__file__).parent / "cloudformation_names.json").read_text())["types"]
    for item in templates(either, stacksets=stacksets).values():
        for name, entry in item.body["Resources"].items():
            known, properties = types[entry["Type"]], entry["Properties"]
            assert list(unknown_names(properties, known["properties"], name)) == []
            assert set(known["required"]) <= set(properties), name


def test_what_a_type_has_no_word_for_is_listed():
    complete = ordered(compile_estate(load(COMPLETE)))
    made = templates(complete)["account"]
    told = {gap.resource: gap.reason for gap in made.gaps}
    assert told["guardrail/baseline"] == (
        "CloudFormation has no word for its ContextualGroundingPolicyConfig.ContextualGroundingTierConfig"
    )
    enforced = made.body["Resources"]["EnforcedGuardrailMain"]["Properties"]
    assert enforced["GuardrailVersion"] == {"Fn::GetAtt": ["GuardrailVersionBaseline", "Version"]}


def test_what_holds_data_or_decrypts_it_outlives_the_stack(either):
    for entry in templates(either)["account"].body["Resources"].values():
        kept = registry()[entry["Type"]].retention != "delete"
        assert (entry.get("DeletionPolicy") == "RetainExceptOnCreate") == kept
        version = entry["Type"] == "AWS::Bedrock::GuardrailVersion"
        assert (entry.get("UpdateReplacePolicy") == "Retain") == (kept or version), "old versions stay in use"


def test_no_egress_stays_none(desired):
    (group,) = (
        entry
        for entry in templates(desired)["account"].body["Resources"].values()
        if entry["Type"] == "AWS::EC2::SecurityGroup"
    )
    assert [rule["CidrIp"] for rule in group["Properties"]["SecurityGroupEgress"]] == ["127.0.0.1/32"]


def test_no_template_is_empty(desired):
    assert all(item.body["Resources"] for item in templates(desired).values())
    gaps = [gap.resource for item in templates(desired).values() for gap in item.gaps]
    assert {"data-retention/main", "data-retention/us-east-2", "data-retention/us-west-2"} <= set(gaps)


def test_stacksets_divide_what_an_account_has_once(desired):
    made = templates(desired, stacksets=True)
    assert set(made) == {"global", "regional", "organization"}
    assert {entry["Type"] for entry in made["global"].body["Resources"].values()} == {"AWS::IAM::Role"}
    assert not any(
        entry["Type"].startswith("AWS::IAM") for entry in made["regional"].body["Resources"].values()
    )


def test_an_attribute_without_a_word_is_an_error():
    key = Resource("AWS::KMS::Key", ACCOUNT, REGION, "key/a", {"KeyPolicy": {}})
    user = Resource("AWS::SNS::Topic", ACCOUNT, REGION, "topic/a", {"TopicName": Ref("key/a", "Colour")})
    with pytest.raises(RingwallError, match="no word for Colour"):
        templates([key, user])
    with pytest.raises(RingwallError, match="no word for Colour"):
        terraform([key, user])


def test_names_of_parameters_are_those_of_outputs():
    assert parameter_name(Ref("guardrail/team-experiment", "Arn")) == "GuardrailTeamExperimentArn"


NAMES = st.from_regex(r"[0-9a-zA-Z_-]{1,6}", fullmatch=True).map("guardrail/{}".format)
VERSIONS = st.from_regex(r"[0-9a-zA-Z_-]{1,6}", fullmatch=True).map("guardrail-version/{}".format)


@given(
    st.lists(
        NAMES | VERSIONS | st.from_regex(r"key/knowledge-[a-z][a-z0-9-]{0,4}", fullmatch=True), unique=True
    )
)
@example(["key/knowledge-a-1", "key/knowledge-a1"])
@example(["guardrail/a-b", "guardrail/a_b", "guardrail/aB", "guardrail/AB"])
@example(["guardrail/version-x", "guardrail-version/x"])
def test_no_two_resources_have_one_name(ids):
    assert len({logical_id(name) for name in ids}) == len(ids)
    assert all(logical_id(name).isalnum() for name in ids)


@pytest.mark.parametrize("stacksets", [False, True])
def test_parts_are_made_one_after_the_other(either, stacksets):
    """Each has what it needs when it is made, what nothing refers to included."""
    there, before = set(), set()
    for part in parts(
        either, registry(), region=REGION, unspoken=NOT_EXPRESSIBLE.keys(), stacksets=stacksets
    ):
        assert set(part.after) <= before
        before.add(part.name)
        own = {item.id for item in part.resources}
        for item in part.resources:
            assert item.type in NOT_EXPRESSIBLE or dependencies(item) <= there | own, item.id
        there |= own


def test_a_key_that_names_a_role_that_names_a_key_comes_last():
    complete = ordered(compile_estate(load(COMPLETE)))
    made = templates(complete, stacksets=True)
    assert list(made) == ["regional", "global", "regional-after", "organization"]
    after = made["regional-after"].body
    assert {"KeyCustomModels", "AliasCustomModels", "EnforcedGuardrailMain"} == set(after["Resources"])
    assert after["Metadata"]["Ringwall"]["After"] == ["global", "regional"]
    assert "GuardrailVersionBaselineVersion" in after["Parameters"]


def words(*texts):
    return Resource(
        "AWS::Bedrock::Guardrail",
        ACCOUNT,
        REGION,
        "guardrail/1-b",
        {"Name": "1-b", "WordPolicyConfig": {"WordsConfig": [{"Text": text} for text in texts]}},
    )


def test_what_cloudformation_would_replace_is_refused():
    assert templates([words("{{resolve}}", "${AWS::Region}", "{{ resolve:ssm:a }}")])
    with pytest.raises(RingwallError, match=r"guardrail/1-b holds \{\{resolve"):
        templates([words("{{resolve:ssm:a}}")])


def test_templates_are_as_long_as_cloudformation_takes_them():
    text = written(templates([words(*("x" * 80 for _ in range(8_000)))])["account"].body)
    assert "\n" not in text
    assert len(text) < 1_000_000
    with pytest.raises(RingwallError, match="account: 1,0.* bytes, CloudFormation takes 1,000,000"):
        templates([words(*("x" * 100 for _ in range(9_200)))])
    topics = [
        Resource("AWS::SNS::Topic", ACCOUNT, REGION, f"topic/t{i}", {"TopicName": f"t{i}"})
        for i in range(501)
    ]
    with pytest.raises(RingwallError, match="account: 501 Resources, CloudFormation takes 500"):
        templates(topics)


# -- Terraform -------------------------------------------------------------------------------------------------------


def unknown_names(body, known, path):
    for name, value in body.items():
        if name in META:
            continue
        if name not in known:
            yield f"{path}.{name}"
        elif known[name]:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    yield from unknown_names(item, known[name], f"{path}.{name}")


def test_every_name_is_one_of_the_providers(either):
    schema = json.loads((Path(__file__).parent / "terraform_names.json").read_text())["resources"]
    made = terraform(either).body["resource"]
    assert set(made) <= set(schema)
    found = [
        path
        for kind, resources in made.items()
        for label, body in resources.items()
        for path in unknown_names(body, schema[kind], f"{kind}.{label}")
    ]
    assert found == []


def test_addresses_lead_somewhere(either):
    made = terraform(either).body["resource"]
    addresses = {f"{kind}.{label}" for kind, resources in made.items() for label in resources}
    used = set()
    for value in walk(made):
        if isinstance(value, str):
            used |= set(re.findall(r"(?<!\$)\$\{([\w]+\.[\w-]+)\.\w+\}", value))
        if isinstance(value, dict) and "depends_on" in value:
            used |= set(value["depends_on"])
    assert used <= addresses
    assert len(used) > 20


def test_what_terraform_lacks_is_listed(desired):
    made = terraform(desired)
    assert {(gap.resource, gap.reason.rsplit(" ", 1)[-1]) for gap in made.gaps} == {
        ("data-retention/main", "it"),
        ("data-retention/us-east-2", "it"),
        ("data-retention/us-west-2", "it"),
        ("log-group/invocations", "DeletionProtectionEnabled"),
        ("invocation-logging/main", "LoggingConfig.AudioDataDeliveryEnabled"),
        ("trail/main", "AdvancedEventSelectors[EndpointDenials]"),
        ("scp/api-keys", "not"),
    }
    assert made.body["//"]["not_expressible"] == [gap.to_json() for gap in made.gaps]
    assert all(gap.command.startswith("aws ") for gap in made.gaps)


def test_organization_policies_go_through_the_management_role(desired):
    body = terraform(desired).body
    policies = body["resource"]["aws_organizations_policy"].values()
    assert {item["provider"] for item in policies} == {"aws.management"}
    assert body["provider"]["aws"][0]["allowed_account_ids"] == [ACCOUNT]
    assert body["provider"]["aws"][1]["assume_role"][0]["role_arn"].endswith("role/RingwallManagement")


def test_data_and_keys_are_not_destroyed(desired):
    made = terraform(desired).body["resource"]
    for kind in ("aws_kms_key", "aws_s3_bucket", "aws_cloudwatch_log_group"):
        assert all(item["lifecycle"]["prevent_destroy"] for item in made[kind].values())


def test_policy_variables_are_no_interpolations():
    value = with_tokens({"a": ["${aws:PrincipalTag/team}", Ref("key/a", "Arn"), "%{x}"]})
    text = json.dumps(value, ensure_ascii=False)
    assert spelled(text, lambda ref: f"${{aws_kms_key.{ref.target[4:]}.arn}}") == (
        '{"a": ["$${aws:PrincipalTag/team}", "${aws_kms_key.a.arn}", "%%{x}"]}'
    )


TEXTS = st.text(st.sampled_from('\u27e6\u27e7|ab/${}%~"\\é'), max_size=8)


@given(st.lists(TEXTS))
@example(["\u27e6a|b\u27e7", "\u27e6|\u27e7", "\u27e6\u27e6a|b\u27e7"])
def test_texts_that_look_like_words_stay_texts(texts):
    def never(ref):
        raise AssertionError(ref)

    escaped = [text.replace("${", "$${").replace("%{", "%%{") for text in texts]
    assert spelled(with_tokens(texts), never) == escaped


def test_labels_begin_as_terraform_wants():
    made = terraform([words("\u27e6a|b\u27e7")]).body["resource"]["aws_bedrock_guardrail"]
    assert list(made) == ["_1-b"]
    assert made["_1-b"]["word_policy_config"]["words_config"] == [{"text": "\u27e6a|b\u27e7"}]


def test_what_the_provider_finds_too_long_is_told():
    """It counts bytes, and knows one length of definitions for both tiers."""
    topics = [
        {"Name": "short", "Definition": "d" * 200, "Examples": ["e" * 100], "Type": "DENY"},
        {"Name": "long", "Definition": "d" * 201, "Type": "DENY"},
        {"Name": "wide", "Definition": "d", "Examples": ["\u00e9" * 51], "Type": "DENY"},
    ]
    regex = {"Name": "n", "Pattern": "p", "Description": "\u00e9" * 501, "Action": "BLOCK"}
    properties = {
        "Name": "g",
        "BlockedInputMessaging": "a" * 499 + "\u00e9",
        "BlockedOutputsMessaging": "o" * 500,
        "TopicPolicyConfig": {"TopicsConfig": topics},
        "SensitiveInformationPolicyConfig": {"RegexesConfig": [regex]},
    }
    item = Resource("AWS::Bedrock::Guardrail", ACCOUNT, REGION, "guardrail/g", properties)
    made = terraform([item])
    body = made.body["resource"]["aws_bedrock_guardrail"]["g"]
    assert body["blocked_input_messaging"] == "a" * 499
    assert [topic["name"] for topic in body["topic_policy_config"]["topics_config"]] == ["short"]
    assert "sensitive_information_policy_config" not in body
    lacks = "the Terraform AWS provider 5.100 has no word for its "
    assert [gap.reason.removeprefix(lacks) for gap in made.gaps] == [
        "BlockedInputMessaging beyond 500 bytes",
        "TopicPolicyConfig.TopicsConfig[long]",
        "TopicPolicyConfig.TopicsConfig[wide]",
        "SensitiveInformationPolicyConfig.RegexesConfig[n]",
    ]


def test_the_estate_has_references_to_test_with(desired):
    assert sum(1 for item in desired for _ in references(item.properties)) > 30
