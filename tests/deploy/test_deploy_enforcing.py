"""Before a guardrail is enforced: who calls models and may not apply it is named, and nothing is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controls.controls_estates import ACCOUNT, COMPLETE, complete
from ringwall.controls.compile import compile_estate
from ringwall.deploy.enforcing import ShutOutError, require_nobody_shut_out, shut_out
from ringwall.deploy.plan import make_plan
from ringwall.estate.kinds import registry
from ringwall.estate.model import Account, Estate, Resource
from ringwall.perimeter import loads

ANYTHING = {"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*"}
TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


SHADOW = Resource(
    "AWS::IAM::Role",
    ACCOUNT,
    "global",
    "Shadow",
    {
        "RoleName": "Shadow",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/Shadow",
        "Path": "/",
        "AssumeRolePolicyDocument": document(TRUST),
        "Policies": [{"PolicyName": "p", "PolicyDocument": document(ANYTHING)}],
        "ManagedPolicyArns": [],
        "Tags": [],
    },
)


def plan(desired, *there):
    accounts = (
        Account(ACCOUNT, "o-ringwallsb", levels=("r-ring", ACCOUNT)),
        Account("999988887777", "o-ringwallsb", management=True),
    )
    observed = Estate("observed", accounts, (*AWS_OWN, *there))
    return make_plan(desired, observed, registry(), perimeter="complete")


def full_access(name, kind, principal=None):
    """AWS's own policy, attached everywhere."""
    who = {"Principal": principal} if principal else {}
    everything = document({"Effect": "Allow", **who, "Action": "*", "Resource": "*"})
    properties = {"Name": name, "Type": kind, "Content": everything, "AwsManaged": True}
    return Resource(
        "AWS::Organizations::Policy",
        "999988887777",
        "global",
        f"p-{name}",
        {**properties, "TargetIds": ["r-ring", ACCOUNT]},
    )


AWS_OWN = (
    full_access("FullAWSAccess", "SERVICE_CONTROL_POLICY"),
    full_access("RCPFullAWSAccess", "RESOURCE_CONTROL_POLICY", "*"),
)


def without_statement(desired, role, *sids):
    def kept(item):
        policies = [
            {
                **one,
                "PolicyDocument": document(
                    *(part for part in one["PolicyDocument"]["Statement"] if part.get("Sid") not in sids)
                ),
            }
            for one in item.get("Policies")
        ]
        return replace(item, properties={**item.properties, "Policies": policies})

    return desired.with_resources(kept(item) if item.id == role else item for item in desired)


def test_everybody_whom_the_declaration_lets_call_may_apply_it():
    assert list(shut_out(plan(compile_estate(complete())), registry(), complete())) == []


@pytest.mark.parametrize(
    ("role", "sid"), [("role/app", "UseGuardrail"), ("role/kb-manuals", "ApplyEnforcedGuardrail")]
)
def test_who_may_call_and_not_apply_is_named(role, sid):
    desired = without_statement(compile_estate(complete()), role, sid)
    found = list(shut_out(plan(desired), registry(), complete()))
    name = role.replace("role/", "role/complete-")
    assert found
    assert all(
        words.startswith(f"{name} would be refused: it may not apply arn:aws:bedrock:") for words in found
    )
    assert any(":guardrail/" in words for words in found)
    assert any(":guardrail-profile/us.guardrail.v1:0" in words for words in found)
    with pytest.raises(ShutOutError, match=f"Every call of {name} would be refused"):
        require_nobody_shut_out(plan(desired), registry(), [complete()])


def test_others_count_as_far_as_they_may_call():
    """The service control policies keep an undeclared role from calling; without them its calls would be refused."""
    desired = compile_estate(complete())
    assert list(shut_out(plan(desired, SHADOW), registry(), complete())) == []
    bare = desired.with_resources(item for item in desired if not item.id.startswith("scp/"))
    found = list(shut_out(plan(bare, SHADOW), registry(), complete()))
    assert {words.split(" ")[0] for words in found} == {"role/Shadow"}


def test_nothing_is_asked_where_nothing_is_enforced_anew():
    desired = compile_estate(complete())
    later = desired.with_resources(item for item in desired if not item.id.startswith("enforced-guardrail/"))
    assert (
        list(shut_out(plan(without_statement(later, "role/app", "UseGuardrail")), registry(), complete()))
        == []
    )


def test_the_organizations_guardrail_is_asked_of_the_callers_side():
    text = COMPLETE.read_text(encoding="utf-8") + (
        '  wide:\n    enforcement: {organization: {guardrail: "arn:aws:bedrock:us-east-1:999988887777:guardrail/abcd1234efgh", version: "3"}}\n'
    )
    perimeter = loads(text, environment="wide")
    desired = compile_estate(perimeter)
    assert list(shut_out(plan(desired), registry(), perimeter)) == []
    role = without_statement(desired, "role/kb-contracts", "ApplyEnforcedGuardrail")
    found = list(shut_out(plan(role), registry(), perimeter))
    assert any("999988887777:guardrail/abcd1234efgh" in words for words in found)
