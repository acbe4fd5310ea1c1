"""The example that declares everything: what it compiles to, asked request by request, and its checks.

Verdicts are derived by hand from AWS's documentation; the tables ask all policies of the Estate together.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from controls.controls_estates import ACCOUNT, compiled, compiled_complete, complete, context_of, declaration
from ringwall.catalog.bedrock import METRICS
from ringwall.controls import registry
from ringwall.controls.ask import ask
from ringwall.controls.claims import declared_claims
from ringwall.controls.compile import compile_estate
from ringwall.controls.context import CheckContext
from ringwall.controls.documents import SCP_CHARACTERS, deny, document, size
from ringwall.controls.findings import Status
from ringwall.controls.packing import fill
from ringwall.errors import RingwallError
from ringwall.estate.kinds import registry as kinds
from ringwall.estate.references import placeholders

IDS = placeholders(compile_estate(complete()))
PINNED = IDS["guardrail-version/baseline"]["Arn"]
RUNTIME = IDS["endpoint/bedrock-runtime"]["Id"]
MANTLE = IDS["endpoint/bedrock-mantle"]["Id"]
CORE = IDS["endpoint/bedrock-agentcore"]["Id"]
CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
TITAN = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
TUNED = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:custom-model-deployment/abcdefghij12"
GLOBAL_PROFILE = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/global.{CLAUDE}"
PROJECT = f"arn:aws:bedrock-mantle:us-east-1:{ACCOUNT}:project/default"
CORE_RUNTIME = f"arn:aws:bedrock-agentcore:us-east-1:{ACCOUNT}:runtime/x"
MANUALS = f"arn:aws:s3:::ringwall-complete-kb-manuals-{ACCOUNT}-us-east-1"
CONTRACTS = f"arn:aws:s3:::ringwall-complete-kb-contracts-{ACCOUNT}-us-east-1"
BEDROCK = "bedrock.amazonaws.com"
ADMIN = f"arn:aws:iam::{ACCOUNT}:user/SandboxAdministrator"
STRANGER = "arn:aws:iam::000000000000:role/Stranger"


def role(use: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/complete-{use}"


@cache
def world() -> CheckContext:
    return context_of(complete())


def here(**more: str) -> dict[str, str]:
    return {
        "aws:RequestedRegion": "us-east-1",
        "aws:SecureTransport": "true",
        "aws:PrincipalOrgID": "o-ringwallsb",
        "aws:PrincipalIsAWSService": "false",
        **more,
    }


GUARDED = {"bedrock:GuardrailIdentifier": PINNED, "aws:SourceVpce": RUNTIME}


@pytest.mark.parametrize(
    ("allowed", "principal", "action", "resource", "keys"),
    [
        # custom models and global profiles, behind the guardrail
        (True, "app", "bedrock:InvokeModel", TUNED, GUARDED),
        (False, "app", "bedrock:InvokeModel", TUNED, {"aws:SourceVpce": RUNTIME}),
        (False, "app", "bedrock:InvokeModel", TUNED.replace("abcdefghij12", "other0000000"), GUARDED),
        (True, "app", "bedrock:InvokeModel", GLOBAL_PROFILE, GUARDED),
        (True, "app", "bedrock:InvokeModel", f"arn:aws:bedrock:::foundation-model/{CLAUDE}", {**GUARDED, "aws:RequestedRegion": "unspecified", "bedrock:InferenceProfileArn": GLOBAL_PROFILE}),
        (False, "batch", "bedrock:InvokeModel", GLOBAL_PROFILE, GUARDED),
        # the guardrail's profile, wherever it may evaluate
        (True, "app", "bedrock:ApplyGuardrail", f"arn:aws:bedrock:us-west-2:{ACCOUNT}:guardrail-profile/us.guardrail.v1:0", {"aws:SourceVpce": RUNTIME, "aws:RequestedRegion": "us-west-2"}),
        (False, "app", "bedrock:ApplyGuardrail", f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:guardrail-profile/eu.guardrail.v1:0", {"aws:SourceVpce": RUNTIME}),
        # knowledge bases: the service role embeds and reads, callers do not
        (True, "kb-manuals", "bedrock:InvokeModel", TITAN, {}),
        (False, "kb-manuals", "bedrock:InvokeModel", f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}", {}),
        (True, "kb-manuals", "s3:GetObject", f"{MANUALS}/documents/a", {"aws:ResourceAccount": ACCOUNT}),
        (False, "kb-manuals", "s3:GetObject", f"{MANUALS}/elsewhere/a", {"aws:ResourceAccount": ACCOUNT}),
        (False, "kb-manuals", "s3:GetObject", f"{MANUALS}/documents/a", {"aws:ResourceAccount": "000000000000"}),
        (False, "kb-manuals", "s3:GetObject", f"{CONTRACTS}/a", {"aws:ResourceAccount": ACCOUNT}),
        (True, "kb-manuals", "aoss:APIAccessAll", "arn:aws:aoss:us-east-1:111122223333:collection/manuals0001", {}),
        (True, "kb-manuals", "kms:Decrypt", IDS["key/knowledge-manuals"]["Arn"], {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
        (False, "kb-manuals", "kms:Decrypt", IDS["key/knowledge-contracts"]["Arn"], {"kms:ViaService": "s3.us-east-1.amazonaws.com"}),
        (True, "kb-contracts", "rds-data:ExecuteStatement", "arn:aws:rds:us-east-1:111122223333:cluster:contracts", {}),
        (False, "kb-manuals", "rds-data:ExecuteStatement", "arn:aws:rds:us-east-1:111122223333:cluster:contracts", {}),
        (False, "search", "s3:GetObject", f"{MANUALS}/documents/a", {"aws:ResourceAccount": ACCOUNT}),
        (True, "kb-manuals", "bedrock:ApplyGuardrail", IDS["guardrail/baseline"]["Arn"], {}),
        # siblings: the declared uses, the declared models, through the endpoints
        (True, "batch", "bedrock-mantle:CreateInference", PROJECT, {"bedrock-mantle:Model": "openai.gpt-oss-120b", "aws:SourceVpce": MANTLE}),
        (False, "batch", "bedrock-mantle:CreateInference", PROJECT, {"bedrock-mantle:Model": "openai.gpt-oss-20b", "aws:SourceVpce": MANTLE}),
        (False, "batch", "bedrock-mantle:CreateInference", PROJECT, {"aws:SourceVpce": MANTLE}),
        (False, "batch", "bedrock-mantle:CreateInference", PROJECT, {"bedrock-mantle:Model": "openai.gpt-oss-120b"}),
        (False, "app", "bedrock-mantle:CreateInference", PROJECT, {"bedrock-mantle:Model": "openai.gpt-oss-120b", "aws:SourceVpce": MANTLE}),
        (False, "batch", "bedrock-mantle:CallWithBearerToken", "*", {"aws:SourceVpce": MANTLE}),
        (True, "app", "bedrock-agentcore:InvokeAgentRuntime", CORE_RUNTIME, {"aws:SourceVpce": CORE}),
        (False, "app", "bedrock-agentcore:InvokeAgentRuntime", CORE_RUNTIME, {}),
        (False, "app", "bedrock-agentcore:InvokeAgentRuntimeCommand", CORE_RUNTIME, {"aws:SourceVpce": CORE}),
        (False, "batch", "bedrock-agentcore:InvokeAgentRuntime", CORE_RUNTIME, {"aws:SourceVpce": CORE}),
        (False, "app", "bedrock-websearch:InvokeSearch", "*", {}),
        (False, "app", "aws-external-anthropic:CreateInference", "*", {}),
    ],
)  # fmt: skip
def test_uses_and_service_roles(
    allowed: bool, principal: str, action: str, resource: str, keys: dict[str, str]
) -> None:
    assert ask(world(), role(principal), action, resource, here(**keys)).allowed is allowed


def by_policies(name: str, principal: str, action: str, resource: str, keys: dict[str, str]) -> bool:
    """Whether the service control policies let a principal that may do everything else through."""
    from ringwall.iam.codec import request_from_json
    from ringwall.iam.evaluate import decide
    from ringwall.iam.parser import parse_policy
    from ringwall.iam.policy import PolicyLevel, PolicySet

    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    anybody = {**everything, "Statement": [{**everything["Statement"][0], "Principal": "*"}]}  # type: ignore[dict-item]
    estate = compiled_complete() if name == "complete" else compiled(declaration())
    policies = tuple(
        parse_policy(item.get("Content")) for item in estate if item.get("Type") == "SERVICE_CONTROL_POLICY"
    )
    request = request_from_json(
        {"principal": principal, "action": action, "resource": resource, "context": here(**keys)}
    )
    full = parse_policy(everything)
    levels = (PolicyLevel(ACCOUNT, (full, *policies)),)
    return decide(request, PolicySet(identity=(full,), resource=parse_policy(anybody), scp=levels)).allowed


THROUGH_BEDROCK = {"aws:CalledViaLast": "bedrock.amazonaws.com"}


@pytest.mark.parametrize(
    ("allowed", "name", "principal", "action", "keys"),
    [
        # siblings are closed unless declared; reading and cleaning up are not
        (False, "quickstart", ADMIN, "bedrock-agentcore:CreateAgentRuntime", {"bedrock-agentcore:subnets": "subnet-1"}),
        (False, "quickstart", ADMIN, "bedrock-agentcore:InvokeGateway", {}),
        (False, "quickstart", ADMIN, "agent-registry:CreateRegistry", {}),
        (False, "quickstart", ADMIN, "bedrock-mantle:CreateProject", {}),
        (False, "quickstart", ADMIN, "bedrock-mantle:CountTokens", {}),
        (False, "quickstart", ADMIN, "bedrock-websearch:InvokeFetch", {}),
        (False, "quickstart", ADMIN, "aws-external-anthropic:GetModel", {}),
        (True, "quickstart", ADMIN, "bedrock-agentcore:ListAgentRuntimes", {}),
        (True, "quickstart", ADMIN, "bedrock-agentcore:DeleteAgentRuntime", {}),
        (True, "quickstart", ADMIN, "bedrock-mantle:PutAccountDataRetention", {"bedrock-mantle:DataRetentionMode": "none"}),
        (True, "complete", ADMIN, "bedrock-agentcore:CreateAgentRuntime", {"bedrock-agentcore:subnets": "subnet-1"}),
        (False, "complete", ADMIN, "bedrock-agentcore:CreateAgentRuntime", {}),
        (False, "complete", ADMIN, "bedrock-agentcore:CreateMemory", {}),
        (True, "complete", ADMIN, "bedrock-agentcore:CreateMemory", {"bedrock-agentcore:KmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/x"}),
        (False, "complete", role("operator"), "bedrock-agentcore:CreateGateway", {}),
        (False, "complete", ADMIN, "agent-registry:CreateRegistry", {}),
        # retention wherever requests may be processed, and nowhere else
        (True, "quickstart", ADMIN, "bedrock:PutAccountDataRetention", {"aws:RequestedRegion": "us-west-2", "bedrock:DataRetentionMode": "none"}),
        (False, "quickstart", ADMIN, "bedrock:PutAccountDataRetention", {"aws:RequestedRegion": "us-west-2", "bedrock:DataRetentionMode": "aws_review"}),
        (False, "quickstart", ADMIN, "bedrock:PutAccountDataRetention", {"aws:RequestedRegion": "eu-west-1", "bedrock:DataRetentionMode": "none"}),
        (False, "quickstart", ADMIN, "bedrock:PutModelInvocationLoggingConfiguration", {"aws:RequestedRegion": "us-west-2"}),
        # model access: subscribing by a first call is the administrators'
        (False, "quickstart", role("app"), "aws-marketplace:Subscribe", THROUGH_BEDROCK),
        (True, "quickstart", ADMIN, "aws-marketplace:Subscribe", THROUGH_BEDROCK),
        (True, "quickstart", role("app"), "aws-marketplace:Subscribe", {}),
    ],
)  # fmt: skip
def test_service_control_policies(
    allowed: bool, name: str, principal: str, action: str, keys: dict[str, str]
) -> None:
    assert by_policies(name, principal, action, "*", keys) is allowed


FOR_US = {
    "aws:SourceAccount": ACCOUNT,
    "aws:SourceArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/KBCOMPLET1",
}
FOR_ANOTHER_BASE = {
    **FOR_US,
    "aws:SourceArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:knowledge-base/KBANOTHER1",
}
FOR_OTHERS = {"aws:SourceAccount": "444455556666", "aws:SourceArn": "arn:aws:bedrock:us-east-1:444455556666:knowledge-base/KBCOMPLET1"}  # fmt: skip


@pytest.mark.parametrize(
    ("allowed", "use", "keys"),
    [
        (True, "kb-manuals", FOR_US),
        (False, "kb-manuals", FOR_ANOTHER_BASE),
        (False, "kb-manuals", FOR_OTHERS),
        (False, "kb-manuals", {}),
        (True, "kb-contracts", FOR_ANOTHER_BASE),  # its id is not declared yet
        (False, "kb-contracts", FOR_OTHERS),
        (False, "app", FOR_US),
    ],
)
def test_bedrock_assumes_service_roles_for_this_account_alone(
    allowed: bool, use: str, keys: dict[str, str]
) -> None:
    assert ask(world(), BEDROCK, "sts:AssumeRole", role(use), keys).allowed is allowed


VIA_BEDROCK = {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}
CUSTOM_KEY = IDS["key/custom-models"]["Arn"]


@pytest.mark.parametrize(
    ("allowed", "principal", "action", "keys"),
    [
        (True, f"arn:aws:iam::{ACCOUNT}:role/ModelCustomizer", "kms:CreateGrant", VIA_BEDROCK),
        (True, f"arn:aws:iam::{ACCOUNT}:role/ModelCustomizer", "kms:GenerateDataKey", VIA_BEDROCK),
        (False, f"arn:aws:iam::{ACCOUNT}:role/ModelCustomizer", "kms:CreateGrant", {}),
        (False, f"arn:aws:iam::{ACCOUNT}:role/ModelCustomizer", "kms:ScheduleKeyDeletion", VIA_BEDROCK),
        (True, role("app"), "kms:Decrypt", VIA_BEDROCK),
        (False, role("app"), "kms:CreateGrant", VIA_BEDROCK),
        (False, role("batch"), "kms:Decrypt", VIA_BEDROCK),
        (False, BEDROCK, "kms:Decrypt", {"aws:SourceAccount": ACCOUNT}),
        (False, STRANGER, "kms:Decrypt", VIA_BEDROCK),
    ],
)
def test_the_key_of_custom_models_is_in_the_form_with_grants(
    allowed: bool, principal: str, action: str, keys: dict[str, str]
) -> None:
    assert ask(world(), principal, action, CUSTOM_KEY, here(**keys)).allowed is allowed


def test_the_resource_control_policy_refuses_strangers_and_their_deputies() -> None:
    content = compiled_complete().find("rcp/perimeter").get("Content")  # type: ignore[union-attr]
    assert (
        kinds()["AWS::Organizations::Policy"].validate(compiled_complete().find("rcp/perimeter").properties)
        == ()
    )  # type: ignore[union-attr]
    sids = [item["Sid"] for item in content["Statement"]]
    assert sids == ["OnlyOwnOrganization", "NobodysDeputy", "RolesOfOwnOrganization"]
    bucket = f"arn:aws:s3:::ringwall-complete-invocation-logs-{ACCOUNT}-us-east-1/x"
    denied = {"aws:SecureTransport": "true", "aws:PrincipalOrgID": "o-ringwallsb"}
    assert not ask(world(), STRANGER, "s3:GetObject", bucket, denied).allowed


def test_an_enforced_guardrail_is_numbered_comprehensive_and_comes_after_the_roles() -> None:
    enforced = compile_estate(complete()).find("enforced-guardrail/main")
    assert enforced is not None
    config = compiled_complete().find("enforced-guardrail/main").get("GuardrailInferenceConfig")  # type: ignore[union-attr]
    assert config["GuardrailVersion"].isdigit()
    assert config["SelectiveContentGuarding"] == {"System": "COMPREHENSIVE", "Messages": "COMPREHENSIVE"}
    assert config["ModelEnforcement"]["ExcludedModels"] == ["amazon.titan-embed-text-v2:0"]
    assert {"role/app", "role/kb-manuals", "resource-policy/baseline"} <= set(enforced.depends_on)
    names = {claim.name for claim in declared_claims(complete()) if claim.control == "guardrail-enforced"}
    assert "app-can-apply-enforced-guardrail" in names


def test_the_organizations_guardrail_is_assigned_by_numbered_version() -> None:
    arn = "arn:aws:bedrock:us-east-1:999988887777:guardrail/abcd1234efgh"
    perimeter = declaration(enforcement={"organization": {"guardrail": arn, "version": "3"}})
    estate = compiled(perimeter)
    policy = estate.find("bedrock-policy/guardrail")
    assert policy is not None
    assert policy.get("Type") == "BEDROCK_POLICY"
    rules = policy.get("Content")["bedrock"]["guardrail_inference"]["us-east-1"]["config_1"]
    assert rules["identifier"] == {"@@assign": f"{arn}:3"}
    assert rules["selective_content_guarding"]["messages"] == {"@@assign": "comprehensive"}
    applied = [
        item["Resource"]
        for item in estate.find("role/app").get("Policies")[0]["PolicyDocument"]["Statement"]  # type: ignore[union-attr]
        if item["Sid"] == "UseGuardrail"
    ]
    assert arn in applied[0]


def test_the_log_group_is_protected_and_masks() -> None:
    group = compiled_complete().find("log-group/invocations")
    assert group is not None
    assert group.get("DeletionProtectionEnabled") is True
    audit, mask = group.get("DataProtectionPolicy")["Statement"]
    assert audit["DataIdentifier"] == mask["DataIdentifier"]
    assert mask["DataIdentifier"][0] == "arn:aws:dataprotection::aws:data-identifier/AwsSecretKey"
    assert mask["Operation"] == {"Deidentify": {"MaskConfig": {}}}


def test_buckets_are_private_versioned_and_tidy() -> None:
    for purpose in ("invocation-logs", "trail", "kb-manuals"):
        bucket = compiled_complete().find(f"bucket/{purpose}")
        assert bucket is not None
        assert set(bucket.get("PublicAccessBlockConfiguration").values()) == {True}
        assert bucket.get("VersioningConfiguration") == {"Status": "Enabled"}
        assert bucket.get("OwnershipControls.Rules") == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        encryption = bucket.get("BucketEncryption.ServerSideEncryptionConfiguration")[0]
        assert encryption["BucketKeyEnabled"] is True
        assert encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"].startswith("arn:aws:kms:")
        rule = bucket.get("LifecycleConfiguration.Rules")[0]
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 731}
        assert ("ExpirationInDays" in rule) == (purpose != "kb-manuals")


def test_retention_is_set_wherever_requests_may_be_processed() -> None:
    found = compiled_complete().of_type("Ringwall::Bedrock::DataRetention")
    assert {item.region for item in found} == {"us-east-1", "us-east-2", "us-west-2"}
    assert {item.get("Mode") for item in found} == {"none"}


def test_the_guardrail_has_every_policy_of_its_tier() -> None:
    guardrail = compiled_complete().find("guardrail/baseline")
    assert guardrail is not None
    filters = {item["Type"]: item for item in guardrail.get("ContentPolicyConfig.FiltersConfig")}
    assert filters["INSULTS"]["InputStrength"] == "MEDIUM"
    assert (filters["MISCONDUCT"]["InputStrength"], filters["MISCONDUCT"]["OutputStrength"]) == (
        "HIGH",
        "MEDIUM",
    )
    assert filters["PROMPT_ATTACK"]["OutputStrength"] == "NONE"
    assert filters["SEXUAL"]["OutputModalities"] == ["TEXT", "IMAGE"]
    assert guardrail.get("ContentPolicyConfig.ContentFiltersTierConfig") == {"TierName": "STANDARD"}
    assert guardrail.get("TopicPolicyConfig.TopicsTierConfig") == {"TierName": "STANDARD"}
    assert guardrail.get("CrossRegionConfig.GuardrailProfileArn").endswith(
        "guardrail-profile/us.guardrail.v1:0"
    )


def test_the_trail_records_declared_siblings() -> None:
    selected = {
        field["Equals"][0]
        for selector in compiled_complete().find("trail/main").get("AdvancedEventSelectors")  # type: ignore[union-attr]
        for field in selector["FieldSelectors"]
        if field["Field"] == "resources.type"
    }
    assert {
        "AWS::BedrockMantle::Project",
        "AWS::BedrockAgentCore::Runtime",
        "AWS::Bedrock::Guardrail",
    } <= selected
    quick = compiled(declaration()).find("trail/main").get("AdvancedEventSelectors")  # type: ignore[union-attr]
    assert "AWS::BedrockAgentCore::Runtime" not in str(quick)


def test_more_tokens_than_declared_raise_an_alarm() -> None:
    alarm = compiled_complete().find("alarm/input-tokens-claude")
    assert alarm is not None
    assert (alarm.get("MetricName"), alarm.get("Threshold"), alarm.get("Period")) == (
        "InputTokenCount",
        2_000_000,
        3600,
    )
    assert compiled(declaration()).find("alarm/input-tokens-claude") is None
    assert compiled(declaration()).find("alarm/legacy-model-claude") is not None
    assert compiled_complete().find("alarm/mantle-use") is None


def test_policies_are_packed_into_as_few_as_fit() -> None:
    found = [item for item in compile_estate(complete()) if item.get("Type") == "SERVICE_CONTROL_POLICY"]
    assert [item.id for item in found] == ["scp/packed-1", "scp/packed-2", "scp/packed-3"]
    assert all(size(item.get("Content")) <= SCP_CHARACTERS for item in found)
    data = complete().model_dump(mode="json")
    data["organization"]["attachments"] = 9
    from ringwall.perimeter import Perimeter

    spread = [
        item
        for item in compile_estate(Perimeter.model_validate(data))
        if item.get("Type") == "SERVICE_CONTROL_POLICY"
    ]

    def statements(items: list[Any]) -> list[str]:
        return sorted(str(statement) for item in items for statement in item.get("Content")["Statement"])

    assert statements(found) == statements(spread)
    data["organization"]["attachments"] = 2
    with pytest.raises(RingwallError, match="need 3 attachments"):
        compile_estate(Perimeter.model_validate(data))


def test_filling_loses_nothing_and_stays_under_the_limit() -> None:
    groups = [[deny(f"S{number}", [f"bedrock:Action{number}" * (1 + number % 17)])] for number in range(80)]
    bins = fill(groups, limit=2_000)
    assert sorted(str(item) for each in bins for item in each) == sorted(str(group[0]) for group in groups)
    assert all(size(document(*each)) <= 2_000 for each in bins)
    assert len(bins) <= 1 + sum(size(document(*group)) for group in groups) // 1_000


def test_a_key_that_aws_owns_is_a_declared_choice() -> None:
    estate = compiled(declaration(encryption={"aws_owned": ["guardrail"]}))
    assert estate.find("key/guardrail") is None
    assert estate.find("guardrail/baseline").get("KmsKeyArn") is None  # type: ignore[union-attr]
    assert "DecryptGuardrail" not in str(estate.find("role/app").get("Policies"))  # type: ignore[union-attr]


def test_a_trail_that_was_there_keeps_its_own_bucket_and_key() -> None:
    logging = {"trail": "company-trail"}
    estate = compiled(declaration(logging=logging))
    assert estate.find("trail/main") is None
    assert estate.find("bucket/trail") is None
    assert estate.find("key/trail") is None
    own = estate.find("trail-selectors/main")
    assert own is not None
    assert own.get("TrailName") == "company-trail"
    assert kinds()[own.type].validate(own.properties) == ()


@pytest.mark.parametrize("resource", compiled_complete().resources, ids=lambda resource: resource.id)
def test_aws_would_accept_every_resource(resource: Any) -> None:
    assert kinds()[resource.type].validate(resource.properties) == ()


def test_every_control_passes_on_what_is_declared() -> None:
    context = context_of(complete(), proofs=True)
    found = [finding for control in registry() for finding in control.check(context)]
    assert {finding.control for finding in found} == {control.slug for control in registry()}
    undeclared = {"agents-bounded", "agentcore-enclosed", "calls-stayed-inside"}  # no part of a declaration
    assert {f.status for f in found if f.control in undeclared} == {Status.NOT_APPLICABLE}
    failed = [
        (finding.control, finding.summary)
        for finding in found
        if finding.status is not Status.PASS and finding.control not in undeclared
    ]
    assert failed == [
        (
            "guardrail-cannot-be-bypassed",
            "the declaration opens bedrock-mantle to batch: calls there carry no guardrail and are not in the invocation logs",
        )
    ]


def test_lint_has_nothing_to_say_but_of_what_the_declaration_opens() -> None:
    """The operator may do all of Bedrock by its own policies, and one use calls models that know no guardrail."""
    from ringwall.estate.codec import dumps
    from ringwall.lint import lint_text

    text = dumps(compile_estate(complete()))
    serious = [item for item in lint_text(text, file="estate.json") if item.severity in {"error", "warning"}]
    assert sorted(item.rule for item in serious) == [
        "unguarded-inference-path",
        "wildcard-action",
        "wildcard-resource",
    ]
    assert "bedrock-mantle:CreateInference" in next(
        item.message for item in serious if item.rule == "unguarded-inference-path"
    )


def test_every_alarm_watches_what_aws_publishes() -> None:
    """An alarm on a metric or a set of dimensions that nobody publishes stays silent for ever."""
    alarms = [r.properties for r in compiled_complete().resources if r.type == "AWS::CloudWatch::Alarm"]
    bedrock = [alarm for alarm in alarms if alarm["Namespace"].startswith("AWS/Bedrock")]
    assert {alarm["Namespace"] for alarm in bedrock} >= {"AWS/Bedrock", "AWS/Bedrock/Guardrails"}
    for alarm in bedrock:
        published = METRICS[alarm["Namespace"]][alarm["MetricName"]]
        dimensions = tuple(dimension["Name"] for dimension in alarm["Dimensions"])
        assert dimensions in {published, ()}, alarm
