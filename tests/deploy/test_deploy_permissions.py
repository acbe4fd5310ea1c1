"""The generated policies: a principal that has exactly one of them can do its work, and has nothing to spare."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.deploy_sweep import COMPLETE, QUICKSTART, Deployment, one_of_each, swift
from ringwall.catalog import load as load_catalog
from ringwall.controls.compile import compile_estate
from ringwall.demo.world import environment
from ringwall.deploy.apply import apply
from ringwall.deploy.contents import contents
from ringwall.deploy.destroy import destroy, plan_destroy
from ringwall.deploy.dividing import divided
from ringwall.deploy.doors import Doors
from ringwall.deploy.manifest import read_manifest
from ringwall.deploy.permissions import (
    Place,
    audit_policy,
    deploy_policy,
    drift_policy,
    management_audit_policy,
    management_deploy_policy,
)
from ringwall.deploy.plan import make_plan
from ringwall.errors import AwsCallError
from ringwall.estate.collect import collect
from ringwall.estate.connection import connect
from ringwall.estate.kinds import registry
from ringwall.perimeter import load, loads
from ringwall.sandbox import Sandbox

ACCOUNT, MANAGEMENT = "111122223333", "999988887777"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/deployer"
ROLE = f"arn:aws:iam::{MANAGEMENT}:role/RingwallManagement"
PLACE = Place(ACCOUNT, "us-east-1", "aws", ROLE)

CHOSEN = (
    "AWS::KMS::Key", "AWS::Bedrock::Guardrail", "AWS::Bedrock::GuardrailVersion", "AWS::EC2::SecurityGroup",
    "AWS::EC2::VPCEndpoint", "AWS::Organizations::Policy",
)  # fmt: skip
"""Types whose ids AWS chooses."""
NOT_IN_A_FIRST_APPLY = {
    # changing or repairing what is there
    "bedrock:UpdateGuardrail", "cloudtrail:UpdateTrail",
    "ec2:AuthorizeSecurityGroupEgress", "ec2:ModifyVpcEndpoint", "ec2:RevokeSecurityGroupIngress",
    "iam:DeleteRolePermissionsBoundary", "iam:DetachRolePolicy", "iam:RemoveRoleFromInstanceProfile",
    "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "kms:CancelKeyDeletion", "kms:EnableKey",
    "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:UpdateAlias", "kms:UpdateKeyDescription", "logs:AssociateKmsKey",
    "organizations:UpdatePolicy",
    # an organization without service control policies yet; an attached policy that the summary leaves out
    "organizations:EnablePolicyType", "organizations:ListRoots", "iam:GetPolicy", "iam:GetPolicyVersion",
    # tags of managed policies, of which the account has none
    "iam:ListPolicyTags",
    # what AWS asks for and the sandbox does not: private DNS, and 403 in place of 404 for an absent object
    "route53:AssociateVPCWithHostedZone", "s3:ListBucket",
}  # fmt: skip
"""What the policy has for other moments than the lifecycle below."""


NOT_IN_A_FIRST_AUDIT = {
    # an attached policy that the summary of the account leaves out, tags of the account's own policies
    "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyTags",
    # for an audit without a declaration, which looks at every Region that the account has
    "ec2:DescribeRegions",
}  # fmt: skip
"""What the policy has for other accounts than the one below."""


def actions(policy):
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def without(policy, action):
    """The policy without one action."""
    statements = [
        {**item, "Action": [name for name in item["Action"] if name != action]}
        for item in policy["Statement"]
    ]
    return {**policy, "Statement": [item for item in statements if item["Action"]]}


class Account:
    """A sandbox in which a role has exactly one policy, and the management role another."""

    def __init__(self, sandbox, perimeter):
        self.sandbox, self.perimeter = sandbox, perimeter
        self.admin = connect(perimeter.name, region="us-east-1")
        trust = _trust(self.admin.caller)
        self.admin.call("iam", "CreateRole", RoleName="deployer", AssumeRolePolicyDocument=trust)

    def give(self, workload, management):
        """Let the roles have these policies, and connect as them."""
        moto = self.sandbox.gateway.moto
        with moto.locked():  # nobody in the sandbox may write to the management account's IAM
            roles = moto.store("iam", MANAGEMENT).roles.values()
            role = next(item for item in roles if item.name == "RingwallManagement")
            role.policies = {"p": json.dumps(management)}
            role.managed_policies.clear()
            role.assume_role_policy_document = _trust(DEPLOYER, self.admin.caller)
            role = next(item for item in moto.store("iam", ACCOUNT).roles.values() if item.name == "deployer")
            role.policies = {str(n): json.dumps(part) for n, part in enumerate(divided(workload))}
        tag = {"Key": "given", "Value": "again"}  # a write, after which the sandbox reads all of it again
        self.admin.call("iam", "TagRole", RoleName="deployer", Tags=[tag])
        aws = self.admin.elsewhere(role=DEPLOYER)
        return aws, aws.elsewhere(role=ROLE)

    def used(self):
        """Every action that either role was asked for."""
        return {
            entry.request.action
            for entry in self.sandbox.gateway.log.entries()
            if "assumed-role/deployer" in entry.request.principal
            or "assumed-role/RingwallManagement" in entry.request.principal
        }


def _trust(*arns):
    statement = {"Effect": "Allow", "Principal": {"AWS": list(arns)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(params=[QUICKSTART])
def account(tmp_path, request):
    text = request.param.read_text()
    line = "  - arn:aws:iam::111122223333:user/SandboxAdministrator\n"
    file = tmp_path / "ringwall.yaml"
    file.write_text(text.replace(line, f"{line}  - {DEPLOYER}\n"))
    with Sandbox() as sandbox, environment(sandbox.environment()):
        yield Account(sandbox, load(file))


def planned(account, desired, aws, management):
    observed = collect(aws, management=management, desired=desired)
    listed = read_manifest(aws, observed, account.perimeter.name)
    return make_plan(desired, observed, registry(), perimeter=account.perimeter.name, listed=listed), listed


def test_who_has_the_deploy_policy_can_deploy_and_destroy_and_needs_all_of_it(account):
    desired = one_of_each(compile_estate(account.perimeter))
    kinds, catalog = registry(), load_catalog()
    policy = deploy_policy(desired, kinds, catalog, PLACE, purge=True)
    over_there = management_deploy_policy(desired, kinds, catalog, PLACE)
    aws, management = account.give(policy, over_there)
    plan, listed = planned(account, desired, aws, management)
    applied = apply(plan, aws, kinds, management=management, backoff=swift(), listed=listed)
    assert [(item.change.id, str(item.error)) for item in applied.failed] == []
    assert applied.complete
    plan, listed = planned(account, desired, aws, management)
    assert plan.empty
    assert plan_destroy(plan, kinds, holds_data=contents(Doors(aws))).kept
    destruction = plan_destroy(plan, kinds, holds_data=contents(Doors(aws)), purge=True)
    gone = destroy(destruction, aws, kinds, management=management, backoff=swift(), listed=listed)
    assert [(item.change.id, str(item.error)) for item in gone.failed] == []
    spare = (actions(policy) | actions(over_there)) - account.used()
    assert spare == NOT_IN_A_FIRST_APPLY, "every other action was asked for, so none can be left out"
    aws, management = account.give(without(policy, "kms:CreateKey"), over_there)
    plan, listed = planned(account, desired, aws, management)
    keyless = {item.id for item in desired.of_type("AWS::KMS::Key")}
    assert {change.id for change in plan.todo if change.action == "update"} & keyless == keyless


@pytest.mark.parametrize("account", [COMPLETE], indirect=True)
def test_who_has_the_policies_for_everything_that_can_be_declared_can_deploy_and_watch_it(account):
    trust = _trust(account.admin.caller)
    account.admin.call("iam", "CreateRole", RoleName="ModelCustomizer", AssumeRolePolicyDocument=trust)
    desired = compile_estate(account.perimeter)
    kinds, catalog = registry(), load_catalog()
    deploying = (
        deploy_policy(desired, kinds, catalog, PLACE),
        management_deploy_policy(desired, kinds, catalog, PLACE),
    )
    aws, management = account.give(*deploying)
    plan, listed = planned(account, desired, aws, management)
    applied = apply(plan, aws, kinds, management=management, backoff=swift(), listed=listed)
    assert [(item.change.id, str(item.error)) for item in applied.failed] == []
    plan, listed = planned(account, desired, aws, management)
    assert plan.empty
    watching = drift_policy(desired, kinds, PLACE)
    for lacking in ("s3:GetObject", "kms:Decrypt"):
        aws, management = account.give(without(watching, lacking), management_audit_policy(kinds))
        with pytest.raises(AwsCallError, match=lacking):
            planned(account, desired, aws, management)
    aws, management = account.give(watching, management_audit_policy(kinds))
    plan, listed = planned(account, desired, aws, management)
    assert plan.empty
    aws, management = account.give(*deploying)
    destruction = plan_destroy(plan, kinds, holds_data=contents(Doors(aws)))
    gone = destroy(destruction, aws, kinds, management=management, backoff=swift(), listed=listed)
    assert [(item.change.id, str(item.error)) for item in gone.failed] == []


@pytest.mark.parametrize("file", [QUICKSTART, COMPLETE], ids=lambda file: file.parent.name)
def test_what_aws_will_choose_is_in_no_policy(file):
    """Stand-ins for it name a resource that never exists, so what they allow is nothing."""
    desired, kinds = compile_estate(load(file)), registry()
    text = json.dumps(deploy_policy(desired, kinds, load_catalog(), PLACE))
    chosen = {kinds[item.type].physical_id(item).split(":")[0] for item in desired.of_type(*CHOSEN)}
    assert len(chosen) > 10
    assert [name for name in chosen if name in text] == []


def test_every_arn_is_of_the_partition():
    text = QUICKSTART.read_text().replace("arn:aws:", "arn:aws-us-gov:").replace("us-east-1", "us-gov-west-1")
    text = text.replace("[us-east-2, us-west-2]", "[us-gov-east-1]").replace(": us.", ": us-gov.")
    place = Place(ACCOUNT, "us-gov-west-1", "aws-us-gov", ROLE.replace(":aws:", ":aws-us-gov:"))
    policy = deploy_policy(compile_estate(loads(text)), registry(), load_catalog(), place)
    resources = {name for statement in policy["Statement"] for name in statement["Resource"]} - {"*"}
    assert {name.split(":")[1] for name in resources} == {"aws-us-gov"}


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=8),
    st.integers(200, 2_000),
)
def test_parts_of_a_policy_fit_and_allow_the_same(sizes, limit):
    statements = [
        {
            "Sid": f"S{n}",
            "Effect": "Allow",
            "Action": [f"s{n}:Action{a}" for a in range(actions)],
            "Resource": [f"arn:aws:s{n}:::r{r}" for r in range(resources)],
        }
        for n, (actions, resources) in enumerate(sizes)
    ]
    parts = divided({"Version": "2012-10-17", "Statement": statements}, limit=limit)
    assert all(len(json.dumps(part, separators=(",", ":"))) <= limit for part in parts)
    sids = [item["Sid"] for part in parts for item in part["Statement"]]
    assert len(set(sids)) == len(sids)
    assert sorted(pairs(statements)) == sorted(pair for part in parts for pair in pairs(part["Statement"]))


def pairs(statements):
    """What statements allow: each action on each resource, once for each statement that does."""
    return [(a, r) for item in statements for a in item["Action"] for r in item["Resource"]]


@pytest.mark.parametrize("lacking", ["kms:CreateKey", "s3:PutObject"])
def test_without_one_action_the_apply_says_which(account, lacking):
    desired = one_of_each(compile_estate(account.perimeter))
    kinds, catalog = registry(), load_catalog()
    policy = without(deploy_policy(desired, kinds, catalog, PLACE), lacking)
    aws, management = account.give(policy, management_deploy_policy(desired, kinds, catalog, PLACE))
    plan, listed = planned(account, desired, aws, management)
    applied = apply(plan, aws, kinds, management=management, backoff=swift(), listed=listed)
    assert {item.permission for item in applied.failed} == {lacking}


def test_who_has_the_audit_policy_reads_everything_and_needs_all_of_it(account):
    kinds = registry()
    policy, over_there = audit_policy(kinds, PLACE), management_audit_policy(kinds)
    deployment = Deployment.connected(one_of_each)
    assert deployment.apply(deployment.plan()).complete
    aws, management = account.give(policy, over_there)
    estate = collect(aws, management=management)
    assert [(item.type, gap.reason) for item in estate for gap in item.unknown] == []
    spare = (actions(policy) | actions(over_there)) - account.used()
    assert spare == NOT_IN_A_FIRST_AUDIT, "every other action was asked for, so none can be left out"
    for lacking in ("kms:GetKeyPolicy", "bedrock:GetGuardrail", "organizations:DescribePolicy"):
        aws, management = account.give(without(policy, lacking), without(over_there, lacking))
        estate = collect(aws, management=management)
        assert {gap.reason for item in estate for gap in item.unknown} == {f"AccessDenied: needs {lacking}"}
