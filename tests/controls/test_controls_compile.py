"""What the quickstart compiles to: a golden snapshot, AWS's limits, and that everything in it can be read and bound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controls.controls_estates import ACCOUNT, declaration, desired, quickstart
from ringwall.controls.claims import bind_claims, declared_claims
from ringwall.controls.compile import compile_estate
from ringwall.controls.documents import ROLE_CHARACTERS, SCP_CHARACTERS, deny, document, pack, size
from ringwall.errors import RingwallError
from ringwall.estate.kinds import registry as kinds
from ringwall.estate.model import Estate, canonical_json, references
from ringwall.estate.references import placeholders
from ringwall.iam.parser import parse_policy

GOLDEN = Path(__file__).parent / "golden" / "quickstart.json"
NAMES = ("AssumeRolePolicyDocument", "PolicyDocument", "KeyPolicy", "Content")


def as_json(estate: Estate) -> list[dict[str, Any]]:
    found = (
        {
            "id": item.id,
            "type": item.type,
            "account": item.account,
            "region": item.region,
            "depends_on": list(item.depends_on),
            "properties": item.properties,
        }
        for item in estate
    )
    return json.loads(canonical_json(list(found)))  # type: ignore[no-any-return]


def policies(estate: Estate) -> list[tuple[str, Any]]:
    found = []
    for item in estate:
        found += [(f"{item.id} {name}", item.get(name)) for name in NAMES if item.get(name)]
        found += [(f"{item.id} {p['PolicyName']}", p["PolicyDocument"]) for p in item.get("Policies", ())]
    return found


def test_the_quickstart_compiles_to_its_golden_file() -> None:
    assert as_json(compile_estate(quickstart())) == json.loads(GOLDEN.read_text())


def test_compiling_twice_gives_the_same() -> None:
    assert compile_estate(quickstart()) == compile_estate(quickstart())


@pytest.mark.parametrize(
    ("name", "policy"), policies(desired()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_policy_is_well_formed(name: str, policy: Any) -> None:
    parsed = parse_policy(policy, name=name)
    assert parsed.statements
    assert len({statement.sid for statement in parsed.statements}) == len(parsed.statements)


@pytest.mark.parametrize("resource", desired().resources, ids=lambda resource: resource.id)
def test_aws_would_accept_every_resource(resource: Any) -> None:
    assert kinds()[resource.type].validate(resource.properties) == ()


def test_references_name_what_is_there() -> None:
    estate = compile_estate(quickstart())
    known = placeholders(estate)
    for item in estate:
        for ref in references(item.properties):
            assert ref.attribute in known[ref.target], (item.id, ref)
        assert all(estate.find(target) for target in item.depends_on), item.id


def test_ids_are_unique() -> None:
    ids = [item.id for item in desired()]
    assert len(ids) == len(set(ids))


def test_service_control_policies_fit() -> None:
    found = [item for item in compile_estate(quickstart()) if item.type == "AWS::Organizations::Policy"]
    assert len(found) == 8
    assert all(size(item.get("Content")) <= SCP_CHARACTERS for item in found)
    assert {tuple(item.get("TargetIds")) for item in found} == {(ACCOUNT,)}


def test_roles_fit() -> None:
    for item in compile_estate(quickstart()):
        assert sum(size(p["PolicyDocument"]) for p in item.get("Policies", ())) <= ROLE_CHARACTERS


def test_many_models_still_fit_or_are_refused() -> None:
    many = {f"m{number}": f"us.anthropic.claude-made-up-{number:03}-v1:0" for number in range(20)}
    uses = {"app": {"kind": "invoke", "models": ["m0", "m1"]}}
    estate = compile_estate(declaration(models=many, uses=uses))
    assert size(estate.find("scp/models").get("Content")) <= SCP_CHARACTERS  # type: ignore[union-attr]
    crowd = {f"m{number}": f"us.anthropic.claude-made-up-{number:03}-v1:0" for number in range(60)}
    with pytest.raises(RingwallError, match="OnlyDeclaredModels"):
        compile_estate(declaration(models=crowd, uses={"app": {"kind": "invoke", "models": ["m0"]}}))


def test_packing_keeps_order_and_loses_nothing() -> None:
    statements = [deny(f"S{number}", [f"bedrock:Action{number}" * 20]) for number in range(60)]
    documents = pack("x", statements)
    assert len(documents) > 1
    assert [item for one in documents for item in one["Statement"]] == statements
    assert all(size(one) <= SCP_CHARACTERS for one in documents)
    assert pack("x", statements[:1]) == (document(statements[0]),)


def test_an_organizational_unit_as_target_is_a_level_of_its_own() -> None:
    organization = {**quickstart().organization.model_dump(), "target": "ou-abcd-12345678"}
    estate = compile_estate(declaration(organization=organization))
    assert estate.account(ACCOUNT).levels == ("ou-abcd-12345678", ACCOUNT)  # type: ignore[union-attr]
    scp = estate.find("scp/guardrail")
    assert scp is not None
    assert scp.get("TargetIds") == ["ou-abcd-12345678"]


def test_the_name_of_the_logging_role_is_taken() -> None:
    with pytest.raises(RingwallError, match="invocation-logging"):
        compile_estate(declaration(uses={"invocation-logging": {"kind": "auditor"}}))


def test_changing_the_guardrail_changes_its_version() -> None:
    content = quickstart().guardrail.model_dump(mode="json")
    before = compile_estate(quickstart()).find("guardrail-version/baseline")
    after = compile_estate(declaration(guardrail={**content, "profanity": "allow"})).find(
        "guardrail-version/baseline"
    )
    renamed = compile_estate(declaration(guardrail={**content, "description": "other words"})).find(
        "guardrail-version/baseline"
    )
    assert before is not None
    assert after is not None
    assert renamed is not None
    assert before.get("Description") != after.get("Description")
    assert before.get("Description") == renamed.get("Description")


def test_in_region_residency_forbids_profiles() -> None:
    estate = compile_estate(
        declaration(
            regions={"source": "us-east-1", "residency": "in-region"},
            models={"nova": "amazon.nova-pro-v1:0"},
            uses={"app": {"kind": "invoke", "models": ["nova"]}},
        )
    )
    sids = [item["Sid"] for item in estate.find("scp/regions").get("Content")["Statement"]]  # type: ignore[union-attr]
    assert "NoProfiles" in sids
    arns = estate.find("scp/models").get("Content")["Statement"][0]["NotResource"]  # type: ignore[union-attr]
    assert arns == ["arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"]


def test_global_residency_names_the_model_without_region() -> None:
    estate = compile_estate(
        declaration(
            regions={"source": "us-east-1", "residency": "global"},
            models={"claude": "global.anthropic.claude-sonnet-4-5-20250929-v1:0"},
            uses={"app": {"kind": "invoke", "models": ["claude"]}},
        )
    )
    arns = estate.find("scp/models").get("Content")["Statement"][0]["NotResource"]  # type: ignore[union-attr]
    assert "arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0" in arns


def test_default_retention_attaches_no_policy() -> None:
    estate = compile_estate(declaration(data_retention="default"))
    assert estate.find("scp/retention") is None


def test_claims_have_distinct_names_and_bind() -> None:
    perimeter = quickstart()
    claims = declared_claims(perimeter)
    assert len({claim.name for claim in claims}) == len(claims)
    bound = bind_claims(claims, placeholders(compile_estate(perimeter)))
    assert all(claim.bound for claim in bound)
    assert all(claim.claim.name == claim.name for claim in bound)
    assert not all(claim.bound for claim in bind_claims(claims, {}))
