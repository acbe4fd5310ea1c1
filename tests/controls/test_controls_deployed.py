"""The example that declares everything, applied in a sandbox: it converges, and every service says that it is so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
import pytest

from controls.controls_estates import COMPLETE, complete
from controls.read_back import READERS, Services, unordered
from ringwall.catalog import load as load_catalog
from ringwall.controls import registry as controls
from ringwall.controls.compile import compile_estate
from ringwall.controls.findings import Status
from ringwall.demo.world import World, environment
from ringwall.deploy.apply import apply
from ringwall.deploy.diff import differences
from ringwall.deploy.doors import Doors
from ringwall.deploy.plan import bound, make_plan
from ringwall.estate.kinds import registry
from ringwall.perimeter import loads
from ringwall.sandbox import Sandbox

TRAIL = "company-trail"
PERSONS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip


@dataclass
class Account:
    """The sandbox's account as its administrator sees it through the services' own APIs."""

    world: World

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return boto3.client(service, region_name=region)

    @cached_property
    def ids(self) -> Any:
        return self.world.attributes

    @cached_property
    def of_management(self) -> dict[str, str]:
        """Credentials of the management account's role, as arguments of a client."""
        role = complete().organization.management_role
        keys = self.client("sts").assume_role(RoleArn=role, RoleSessionName="reader")["Credentials"]
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        arguments = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        return {argument: keys[name] for argument, name in zip(arguments, names, strict=True)}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("complete")
    with Sandbox() as sandbox, environment(sandbox.environment()):
        world = World(sandbox, COMPLETE, folder / "report.html")
        boto3.client("iam").create_role(
            RoleName="ModelCustomizer", AssumeRolePolicyDocument=json.dumps(PERSONS)
        )
        plan = make_plan(world.desired, world.observe(), registry(), perimeter=world.perimeter.name)
        applied = apply(plan, world.aws, registry(), management=world.management)
        assert applied.complete, [(item.change.id, str(item.error)) for item in applied.failed]
        yield Account(world)


def test_the_second_plan_is_empty(account: Account) -> None:
    world = account.world
    plan = make_plan(world.desired, world.observe(), registry(), perimeter=world.perimeter.name)
    assert [change.id for change in plan.todo] == []


def test_every_property_of_every_resource_reads_back(account: Account) -> None:
    """Each as it is declared; and each is compared: were it gone, or something else, the plan would say so."""
    world, kinds = account.world, registry()
    plan = make_plan(world.desired, world.observe(), kinds, perimeter=world.perimeter.name)
    seen: set[str] = set()
    for change in plan.changes:
        if change.action == "delete" or change.resource.id not in plan.attributes:
            continue
        kind, there = kinds[change.resource.type], change.observed
        assert there is not None, change.id
        wanted = kind.normalise(bound(change.resource, plan.attributes).properties)
        for name, value in wanted.items():
            assert not differences({name: value}, kind.normalise(there.properties)), (change.id, name)
            if name == "Tags":
                continue
            changed = {**kind.normalise(there.properties), name: another(value)}
            left = [item.path for item in differences(wanted, changed)]
            assert any(path.split(".")[0].split("[")[0] == name for path in left), (change.id, name)
        assert set(change.resource.properties) <= set(wanted), "nothing that is declared is left out"
        seen.add(change.resource.type)
    assert seen == {item.type for item in world.desired}


ASKED_FOR_ALONE = {
    "AWS::Bedrock::Guardrail",
    "AWS::Bedrock::GuardrailVersion",
    "AWS::CloudWatch::Alarm",
    "AWS::Events::Rule",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::Organizations::Policy",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
}
"""Types of which each resource takes calls of its own."""


def test_what_was_written_is_read_back_alone_and_the_same(account: Account) -> None:
    """An account may have hundreds of buckets; an apply that writes two asks for two."""
    world, kinds = account.world, registry()
    doors = Doors(world.aws, world.management)
    observed = world.observe()
    plan = make_plan(world.desired, observed, kinds, perimeter=world.perimeter.name)
    for change in plan.changes:
        there, kind = change.observed, kinds[change.resource.type]
        assert there is not None, change.id
        found = {item.id: item for item in kind.read_again(doors.for_kind(kind, there), (there.id,))}
        again = found[there.id]
        assert (again.properties, again.unknown) == (there.properties, there.unknown), change.id
        if kind.type in ASKED_FOR_ALONE:
            assert [name for name in found if not name.startswith(there.id)] == [], change.id


def test_what_is_gone_does_not_read_back(account: Account) -> None:
    world, kinds = account.world, registry()
    doors = Doors(world.aws, world.management)
    for there in world.observe():
        if there.type not in ASKED_FOR_ALONE or there.region not in ("global", world.aws.region):
            continue
        kind = kinds[there.type]
        kept = (
            there.id.rpartition(":")[0] + ":"
            if there.id[-1:].isdigit() and ":" in there.id
            else there.id[:-4]
        )
        gone = f"{kept}{'9999' if not there.id.endswith('9999') else '8888'}"
        found = kind.read_again(doors.for_kind(kind, there), (gone,))
        assert gone not in {item.id for item in found}, there.id


def another(value: Any) -> Any:
    """Something else: the other truth, another text or number, nothing of what was there, or something more."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, dict):
        return {key: another(item) for key, item in value.items()}
    return [] if value else ["more"]


@pytest.mark.parametrize("name", [item.id for item in compile_estate(complete())])
def test_every_property_reads_back_through_its_services_own_api(account: Account, name: str) -> None:
    """As AWS tells it to anybody: no reader of Ringwall's is asked. There is nothing beside what is declared either."""
    world = account.world
    declared = world.desired.find(name)
    assert declared is not None
    wanted = bound(declared, world.attributes).properties
    region = declared.region if declared.region != "global" else "us-east-1"
    told = READERS[declared.type](Services(region, account.of_management), wanted)
    assert set(wanted) <= set(told)
    assert unordered(told) == unordered(wanted)


def test_a_protected_log_group_cannot_be_deleted(account: Account) -> None:
    logs = account.client("logs")
    with pytest.raises(logs.exceptions.ClientError, match="deletion protection"):
        logs.delete_log_group(logGroupName="/aws/bedrock/complete/model-invocations")


def test_every_control_passes_live(account: Account) -> None:
    from ringwall.audit.run import run_audit

    world = account.world
    found = run_audit(world.aws, world.management, world.perimeter, load_catalog())
    failed = [
        (item.control, item.summary)
        for item in found.findings
        if item.status in (Status.FAIL, Status.UNKNOWN)
    ]
    assert failed == []
    assert set(found.verdicts) == {control.slug for control in controls()}


BREAKS = {
    "enforcement off": ("enforced-guardrail/main", lambda account: account.client("bedrock").delete_enforced_guardrail_configuration(
        configId=account.client("bedrock").list_enforced_guardrails_configuration()["guardrailsConfig"][0]["configId"])),
    "mask gone": ("log-group/invocations", lambda account: account.client("logs").delete_data_protection_policy(
        logGroupIdentifier="/aws/bedrock/complete/model-invocations")),
    "protection off": ("log-group/invocations", lambda account: account.client("logs").put_log_group_deletion_protection(
        logGroupIdentifier="/aws/bedrock/complete/model-invocations", deletionProtectionEnabled=False)),
    "bucket keys off": ("bucket/kb-manuals", lambda account: account.client("s3").put_bucket_encryption(
        Bucket=complete().bucket("kb-manuals"), ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": account.ids["key/knowledge-manuals"]["Arn"]}, "BucketKeyEnabled": False}]})),
    "service role trusts anybody": ("role/kb-manuals", lambda account: account.client("iam").update_assume_role_policy(
        RoleName="complete-kb-manuals", PolicyDocument=json.dumps(PERSONS))),
    "lifecycle gone": ("bucket/trail", lambda account: account.client("s3").delete_bucket_lifecycle(Bucket=complete().bucket("trail"))),
    "guardrail's policy gone": ("resource-policy/baseline", lambda account: account.client("bedrock").delete_resource_policy(
        resourceArn=account.ids["guardrail/baseline"]["Arn"])),
}  # fmt: skip


def test_not_even_administrators_turn_retention_on_elsewhere(account: Account) -> None:
    bedrock = account.client("bedrock", "us-west-2")
    with pytest.raises(bedrock.exceptions.ClientError, match="explicit deny in a service control policy"):
        bedrock.put_account_data_retention(mode="inherit")


@pytest.mark.parametrize("name", BREAKS)
def test_a_change_from_outside_is_seen_and_repaired(account: Account, name: str) -> None:
    resource, change = BREAKS[name]
    change(account)
    world = account.world
    plan = make_plan(world.desired, world.observe(), registry(), perimeter=world.perimeter.name)
    assert [item.id for item in plan.todo] == [resource]
    applied = apply(plan, world.aws, registry(), management=world.management)
    assert applied.complete, [(item.change.id, str(item.error)) for item in applied.failed]


def test_the_organizations_guardrail_and_an_existing_trail(account: Account) -> None:
    """Both are laid over the declaration: the Bedrock policy is attached, the trail keeps what was its own."""
    s3, cloudtrail = account.client("s3"), account.client("cloudtrail")
    s3.create_bucket(Bucket="company-trail-bucket")
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": ["s3:GetBucketAcl", "s3:PutObject"], "Resource": ["arn:aws:s3:::company-trail-bucket", "arn:aws:s3:::company-trail-bucket/*"]}  # fmt: skip
    s3.put_bucket_policy(
        Bucket="company-trail-bucket", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    cloudtrail.create_trail(Name=TRAIL, S3BucketName="company-trail-bucket", IsMultiRegionTrail=True)
    basic = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::data/"]}]}  # fmt: skip
    cloudtrail.put_event_selectors(TrailName=TRAIL, EventSelectors=[basic])
    text = COMPLETE.read_text(encoding="utf-8") + (
        f"  merged:\n    logging: {{trail: {TRAIL}}}\n"
        '    enforcement: {organization: {guardrail: "arn:aws:bedrock:us-east-1:999988887777:guardrail/abcd1234efgh", version: "3"}}\n'
    )
    desired = compile_estate(loads(text, environment="merged"))
    wanted = {"trail-selectors/main", "bedrock-policy/guardrail"}
    desired = desired.with_resources(item for item in desired if item.id in wanted)
    world = account.world

    first = make_plan(desired, world.observe(), registry(), perimeter=world.perimeter.name)
    todo = [item for item in first.todo if item.id in wanted]
    assert {item.id for item in todo} == wanted
    for item in todo:
        kind = registry()[item.resource.type]
        kind.create(world.management if kind.scope == "organization" else world.aws, item.resource)
    names = [
        item["Name"] for item in cloudtrail.get_event_selectors(TrailName=TRAIL)["AdvancedEventSelectors"]
    ]
    assert names[:2] == ["Management events", "Data events of AWS::S3::Object"]
    assert sum(name.startswith("Ringwall ") for name in names) > 20
    again = make_plan(desired, world.observe(), registry(), perimeter=world.perimeter.name)
    assert [item.id for item in again.todo if item.id in wanted] == []
