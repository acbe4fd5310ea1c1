"""Applying: order, parallelism, eventual consistency, lost answers, sudden death, honest reports."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from deploy.deploy_fakes import (
    ACCOUNT,
    KINDS,
    PERIMETER,
    REGION,
    FakeAws,
    FakeKind,
    Killed,
    deployed,
    desired_estate,
    observe,
    patient,
)
from ringwall.deploy.apply import apply
from ringwall.deploy.plan import make_plan
from ringwall.deploy.write import AnswerLostError, read_back
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.model import Account, Estate, Resource

WRITES = 18
"""Two for each of the nine resources."""


def planned(aws, desired=None):
    return make_plan(desired or desired_estate(), observe(aws), KINDS, perimeter=PERIMETER)


def run(aws, plan=None, **more):
    backoff, _ = patient()
    return apply(plan or planned(aws), aws, KINDS, management=aws, backoff=backoff, **{"workers": 1, **more})


def counts(aws):
    return {kind: len(items) for kind, items in aws.items.items() if items}


def test_apply_then_nothing_left():
    aws = FakeAws()
    applied = run(aws)
    assert applied.complete
    assert len(applied.done) == 9
    assert planned(aws).empty
    assert aws.writes == WRITES


def test_second_apply_writes_nothing():
    aws = deployed()
    assert run(aws).done == ()
    assert aws.writes == 0


def test_service_control_policies_come_last():
    aws = FakeAws()
    run(aws, workers=4)
    writes = [service for service, operation in aws.calls if operation == "Put"]
    assert set(writes[-2:]) == {"AWS::Organizations::Policy"}
    assert (
        writes.index("AWS::KMS::Key")
        < writes.index("AWS::S3::Bucket")
        < writes.index("AWS::CloudTrail::Trail")
    )


@dataclass
class ReadSlowly(FakeKind):
    """What is read back only when something else was done; were it waited for before that, nothing would ever be."""

    until: threading.Event = field(default_factory=threading.Event)

    def read_again(self, aws, ids):
        assert self.until.wait(30), "it was read before the next level's writes"
        return super().read_again(aws, ids)


@dataclass
class Announces(FakeKind):
    """What says that it was made."""

    made: threading.Event = field(default_factory=threading.Event)

    def create(self, aws, desired):
        self.made.set()
        return super().create(aws, desired)


def test_a_level_is_read_back_beside_the_writes_of_the_next():
    made = threading.Event()
    kinds = {
        **KINDS,
        "AWS::KMS::Key": ReadSlowly("AWS::KMS::Key", retention="key", until=made),
        "AWS::S3::Bucket": Announces("AWS::S3::Bucket", retention="retain", named="BucketName", made=made),
    }
    aws, (backoff, _) = FakeAws(), patient()
    plan = make_plan(desired_estate(), observe(aws), kinds, perimeter=PERIMETER)
    assert apply(plan, aws, kinds, management=aws, backoff=backoff, workers=2).complete


def test_what_closes_the_perimeter_waits_until_all_else_reads_back():
    aws = FakeAws()
    run(aws, workers=4)
    first = aws.calls.index(("AWS::Organizations::Policy", "Put"))
    others = {service for service, operation in aws.calls if operation == "Put"} - {
        "AWS::Organizations::Policy"
    }
    read_back_before = {service for service, operation in aws.calls[:first] if operation == "List"}
    assert others <= read_back_before
    assert all(service == "AWS::Organizations::Policy" for service, _ in aws.calls[first:])


def test_what_does_not_read_back_keeps_the_perimeter_open():
    aws = FakeAws(forgetful=frozenset({"AWS::EC2::VPCEndpoint"}))
    applied = run(aws, workers=4)
    assert [item.change.id for item in applied.failed] == ["endpoint/bedrock-runtime"]
    assert [item.change.id for item in applied.not_attempted] == ["scp/guardrail"]
    assert "AWS::Organizations::Policy" not in counts(aws)


@dataclass
class Held(FakeKind):
    """What is being made until it is let go."""

    go: threading.Event = field(default_factory=threading.Event)

    def create(self, aws, desired):
        assert self.go.wait(30)
        return super().create(aws, desired)


def test_after_an_interrupt_what_is_under_way_is_finished_and_nothing_begun(monkeypatch):
    kind = Held("AWS::KMS::Key", retention="key")

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            kind.go.set()
            super().shutdown(wait=wait)

    def interrupt(moment, change, _words):
        if (moment, change.id) == ("started", "key/3"):
            raise KeyboardInterrupt

    monkeypatch.setattr("ringwall.deploy.apply.ThreadPoolExecutor", Pool)
    keys = [Resource(kind.type, ACCOUNT, REGION, f"key/{number}", {}) for number in range(4)]
    desired = Estate("desired", (Account(ACCOUNT),), tuple(keys))
    aws, (backoff, _) = FakeAws(), patient()
    plan = make_plan(desired, observe(aws), KINDS, perimeter=PERIMETER)
    with pytest.raises(KeyboardInterrupt):
        apply(plan, aws, {**KINDS, kind.type: kind}, backoff=backoff, workers=1, progress=interrupt)
    assert counts(aws) == {kind.type: 1}
    assert run(aws, make_plan(desired, observe(aws), KINDS, perimeter=PERIMETER)).complete
    assert counts(aws) == {kind.type: 4}


@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_killed_after_any_write_the_next_run_converges_without_duplicates(number):
    aws = FakeAws(faults={number: "kill"})
    with pytest.raises(Killed):
        run(aws)
    aws.dead, aws.faults = False, {}
    applied = run(aws)
    assert applied.complete
    assert counts(aws) == counts(deployed())
    assert planned(aws).empty


@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_lost_answer_of_any_write_is_found_again(number):
    aws = FakeAws(faults={number: "lost"})
    applied = run(aws)
    assert applied.complete
    assert counts(aws) == counts(deployed())
    assert planned(aws).empty


def never_again():
    """The kinds, of which keys must not be sent twice on a guess, as KMS's."""
    return {**KINDS, "AWS::KMS::Key": replace(KINDS["AWS::KMS::Key"], repeatable=False)}


def test_a_create_that_must_not_be_repeated_is_found_again_by_its_tag():
    aws = FakeAws(faults={1: "lost"})
    applied = apply(planned(aws), aws, never_again(), management=aws, backoff=patient()[0], workers=1)
    assert applied.complete
    assert counts(aws) == counts(deployed())


def test_a_create_that_must_not_be_repeated_is_looked_for_and_not_sent_again():
    aws = FakeAws(faults={1: AwsCallError("kms", "CreateKey", "EndpointTimedOut", "no answer")})
    backoff, waited = patient()
    applied = apply(planned(aws), aws, never_again(), management=aws, backoff=backoff, workers=1)
    (failed,) = applied.failed
    assert isinstance(failed.error, AnswerLostError)
    assert failed.change.id == "key/logs"
    assert "AWS::KMS::Key" not in counts(aws)
    assert len(waited) > 4, "the whole patience is spent on looking"
    assert run(aws).complete
    assert counts(aws) == counts(deployed())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "Failed to validate permissions for log group"),
        (
            "MalformedPolicyDocumentException",
            "Policy contains a statement with one or more invalid principals.",
        ),
        ("NoSuchEntity", "The role with name x cannot be found."),
        ("ThrottlingException", "Rate exceeded"),
        ("InsufficientEncryptionPolicyException", "Insufficient permissions to access the key"),
    ],
)
def test_eventual_consistency_is_waited_for(code, message):
    aws = FakeAws(
        faults={5: AwsCallError("x", "Put", code, message), 6: AwsCallError("x", "Put", code, message)}
    )
    backoff, waited = patient()
    notes = []
    applied = apply(
        planned(aws),
        aws,
        KINDS,
        management=aws,
        backoff=backoff,
        workers=1,
        progress=lambda moment, change, words: notes.append(words) if moment == "done" else None,
    )
    assert applied.complete
    assert waited == [0.5, 1.0]
    assert any(words.startswith("after waiting: ") for words in notes)
    assert counts(aws) == counts(deployed())


def test_waiting_ends():
    error = AwsCallError("iam", "Put", "NoSuchEntity", "never there", permission="iam:PutRolePolicy")
    aws = FakeAws(faults=dict.fromkeys(range(7, 90), error))
    applied = run(aws)
    assert applied.failed[0].permission == "iam:PutRolePolicy"
    assert [change.id for change in applied.done] == ["key/logs", "bucket/logs", "log-group/invocations"]
    assert applied.not_attempted[-1].change.id == "scp/guardrail"


def test_failure_stops_dependents_and_policies_and_says_so():
    denied = AwsCallError(
        "ec2", "CreateSecurityGroup", "AccessDenied", "no", permission="ec2:CreateSecurityGroup"
    )
    aws = FakeAws(faults={13: denied})
    plan = planned(aws)
    applied = run(aws, plan)
    (failed,) = applied.failed
    assert (failed.change.id, failed.call, failed.permission) == (
        "security-group/endpoints",
        "ec2:CreateSecurityGroup",
        "ec2:CreateSecurityGroup",
    )
    assert {item.change.id: item.reason for item in applied.not_attempted} == {
        "endpoint/bedrock-runtime": "it needs security-group/endpoints",
        "scp/guardrail": "service control policies are set only when everything they rely on is there",
    }
    assert not applied.complete
    reported = [*applied.done, failed.change, *(item.change for item in applied.not_attempted)]
    assert sorted(change.id for change in reported) == sorted(change.id for change in plan.todo)


def test_same_name_of_somebody_else_fails_without_retry():
    exists = AwsCallError("s3", "CreateBucket", "BucketAlreadyExists", "not yours")
    aws = FakeAws(faults={3: exists})
    applied = run(aws)
    assert applied.failed[0].change.id == "bucket/logs"
    assert aws.writes == WRITES - 2 - 2 - 2 + 1  # trail and policy are left alone, the bucket was tried once


class RemembersListings(FakeAws):
    """Keeps a listing until something is written; the first one after a write is from before it."""

    def __init__(self):
        super().__init__()
        self.memory, self.stale = {}, {}

    def call(self, service, operation, /, **parameters):
        if operation == "List":
            before = self.stale.pop(service, None)
            return before if before is not None else super().call(service, operation, **parameters)
        self.stale[service] = super().call(service, "List")
        self.forget()
        return super().call(service, operation, **parameters)

    def remember(self, name, compute):
        if name not in self.memory:
            self.memory[name] = compute()
        return self.memory[name]

    def forget(self):
        self.memory.clear()


class ReadsFromMemory(FakeKind):
    def read(self, aws):
        for physical, properties in aws.remember(self.type, lambda: aws.call(self.type, "List"))[
            "items"
        ].items():
            yield self._seen(aws, physical, properties)


def test_a_stale_listing_is_read_again_and_not_remembered():
    kind = ReadsFromMemory("AWS::IAM::Role", scope="account", named="RoleName")
    aws, (backoff, slept) = RemembersListings(), patient()
    wanted = Resource(kind.type, ACCOUNT, "global", "role/app", {"RoleName": "app", "Path": "/own/"})
    made = kind.create(aws, wanted)
    assert isinstance(read_back(kind, aws, {made.id: wanted}, backoff)[wanted.id], Resource)
    assert len(slept) == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("EntityAlreadyExists", "Role with name quickstart-app already exists."),
        (
            "InvalidParameter",
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for x",
        ),
    ],
)
def test_what_another_run_made_meanwhile_is_found_and_finished(code, message):
    aws = FakeAws()

    class MadeMeanwhile(FakeKind):
        def create(self, aws, desired):
            super().create(aws, desired)
            raise AwsCallError("any", "Create", code, message)

    kinds = {**KINDS, "AWS::IAM::Role": MadeMeanwhile("AWS::IAM::Role", scope="account", named="RoleName")}
    plan = make_plan(desired_estate(), observe(aws), kinds, perimeter=PERIMETER)
    assert apply(plan, aws, kinds, management=aws, backoff=patient()[0], workers=1).complete
    assert counts(aws) == counts(deployed())


def test_accepted_and_forgotten_is_not_done():
    aws = FakeAws(forgetful=frozenset({"AWS::Bedrock::Guardrail"}))
    applied = run(aws)
    (failed,) = applied.failed
    assert failed.change.id == "guardrail/baseline"
    assert "reads back different in Strength" in str(failed.error)
    assert "guardrail/baseline" not in {change.id for change in applied.done}


def test_replace_removes_then_creates():
    aws = deployed()
    desired = desired_estate()
    desired = desired.with_resources(
        type(item)(**{**_fields(item), "properties": {**item.properties, "VpcId": "vpc-2"}})
        if item.id == "security-group/endpoints"
        else item
        for item in desired
    )
    applied = run(aws, planned(aws, desired))
    assert [change.action for change in applied.done] == ["replace", "update"]
    (group,) = aws.items["AWS::EC2::SecurityGroup"]
    (endpoint,) = aws.items["AWS::EC2::VPCEndpoint"].values()
    assert endpoint["SecurityGroupIds"] == [group]


def test_deletions_come_after_what_is_made_and_not_after_a_failure():
    aws = deployed()
    desired = desired_estate()
    fewer = desired.with_resources(item for item in desired if item.id not in ("trail/main", "scp/guardrail"))
    del aws.items["AWS::Bedrock::Guardrail"]
    plan = planned(aws, fewer)
    aws.faults = {1: AwsCallError("bedrock", "CreateGuardrail", "AccessDeniedException", "no")}
    applied = run(aws, plan)
    assert {item.reason for item in applied.not_attempted} == {"nothing is removed after a failure"}
    aws.faults = {}
    aws.calls.clear()
    applied = run(aws, planned(aws, fewer))
    assert applied.complete
    removed = [service for service, operation in aws.calls if operation == "Remove"]
    assert removed == ["AWS::Organizations::Policy", "AWS::CloudTrail::Trail"]


def test_removing_what_is_gone_already_is_done():
    aws = deployed()
    desired = desired_estate()
    plan = planned(aws, desired.with_resources(item for item in desired if item.id != "trail/main"))
    aws.items["AWS::CloudTrail::Trail"].clear()
    assert run(aws, plan).complete


def test_organization_resources_need_the_management_account():
    aws = FakeAws()
    backoff, _ = patient()
    applied = apply(planned(aws), aws, KINDS, backoff=backoff)
    assert [str(item.error) for item in applied.failed] == [
        "scp/guardrail belongs to the organization; set organization.management_role in the declaration"
    ]


def test_organization_resources_go_through_the_management_account():
    aws = FakeAws()
    management = FakeAws(account="999988887777")
    backoff, _ = patient()
    assert apply(planned(aws), aws, KINDS, management=management, backoff=backoff).complete
    assert set(management.items) == {"AWS::Organizations::Policy"}
    assert "AWS::Organizations::Policy" not in aws.items


def test_policies_that_lock_the_deployer_out_are_refused_before_any_write():
    aws = FakeAws()
    everyone = {
        "Sid": "ProtectControls",
        "Effect": "Deny",
        "Action": "fake:*",
        "Resource": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/SomebodyElse"}},
    }
    desired = _with_statement(everyone)
    with pytest.raises(RingwallError, match=r"would lock out .*SandboxAdministrator.*ProtectControls"):
        run(aws, planned(aws, desired))
    assert aws.writes == 0
    exempt = {**everyone, "Condition": {"ArnNotEquals": {"aws:PrincipalArn": aws.caller}}}
    assert run(aws, planned(aws, _with_statement(exempt))).complete


def _with_statement(statement):
    desired = desired_estate()
    return desired.with_resources(
        type(item)(
            **{
                **_fields(item),
                "properties": {
                    **item.properties,
                    "Content": {"Version": "2012-10-17", "Statement": [statement]},
                },
            }
        )
        if item.id == "scp/guardrail"
        else item
        for item in desired
    )


def _fields(item):
    return {
        name: getattr(item, name) for name in ("type", "account", "region", "id", "properties", "depends_on")
    }
