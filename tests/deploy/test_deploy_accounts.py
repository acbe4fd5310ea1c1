"""Several accounts of an organization in one run: planned, tried out, applied, repaired and removed together."""

from __future__ import annotations

from collections import Counter

import pytest

from cli.command_line import ringwall
from deploy.deploy_fakes import Killed
from deploy.deploy_organization import CANARY, EXTERNAL_ID, OTHERS, ROLE, Organization, narrowed
from deploy.deploy_sweep import Faults, Hazardous, swift
from ringwall.cli.deploying import prepare, try_out
from ringwall.controls.members import compile_members
from ringwall.demo.world import environment
from ringwall.deploy.access_change import AccessChanges
from ringwall.deploy.apply import apply
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.kinds import registry
from ringwall.estate.members import member_of, own_id
from ringwall.perimeter import load_all
from ringwall.sandbox import Sandbox, places

POLICY = "AWS::Organizations::Policy"
UNIT = places.UNIT


@pytest.fixture(scope="module")
def organization():
    with Sandbox() as sandbox, environment(sandbox.environment()):
        yield Organization(sandbox)


@pytest.fixture(autouse=True)
def small(monkeypatch, request):
    """What is declared, without what only takes time; likewise what it changes for people, but where a test looks."""
    if request.function is not test_a_canary_that_fails_stops_before_the_others:
        monkeypatch.setattr("ringwall.cli.deploying._effects", lambda *_: AccessChanges())
    monkeypatch.setattr(
        "ringwall.controls.members.compile_members", lambda perimeters: narrowed(compile_members(perimeters))
    )


@pytest.fixture(scope="module")
def file(organization, tmp_path_factory):
    return organization.declaration(tmp_path_factory.mktemp("declaration"))


def run(file, *arguments):
    return ringwall(*arguments, "--file", str(file))


def attached(organization):
    """By name, what our organization policies are attached to."""
    store = organization.moto.store("organizations", places.MANAGEMENT)
    return {
        item.name: sorted(target.id for target in item.attachments)
        for item in store.policies
        if item.name.startswith("quickstart-")
    }


def roles(organization, name):
    """Names of the perimeter's roles in an account."""
    store = organization.moto.store("iam", organization.numbers[name])
    return {item.name for item in store.roles.values() if item.name.startswith("quickstart-")}


def applied(prepared, faults, account=None):
    """Apply a plan through connections with faults; of one account alone if it is named."""

    def door(aws):
        mine = account is None or aws.account == account
        return Hazardous(aws, faults if mine else Faults())

    return apply(
        prepared.plan,
        door(prepared.aws),
        registry(),
        management=door(prepared.management),
        others=[door(aws) for aws in prepared.others],
        backoff=swift(),
        listed=prepared.listed,
    )


def test_a_canary_that_fails_stops_before_the_others(organization, file, monkeypatch):
    """A policy that shuts the deployer out in a way that no look at the plan tells: taken off again, nobody else has it."""

    def shut(perimeters):
        estate = narrowed(compile_members(perimeters))
        deny = {"Sid": "Shut", "Effect": "Deny", "Action": "sns:ListTopics", "Resource": "*"}
        for item in estate.of_type(POLICY):
            if item.id == f"{CANARY}:scp/api-keys":
                item.get("Content")["Statement"].append(deny)
        return estate

    monkeypatch.setattr("ringwall.controls.members.compile_members", shut)
    monkeypatch.setattr("ringwall.deploy.apply.require_not_locked_out", lambda *_: None)
    done = run(file, "apply", "--yes", "--canary", UNIT)
    assert done.code == 1
    for name in organization.numbers:
        assert f"newly DENIES  {name}: role/{ROLE}  bedrock:InvokeModel" in done.out
    assert "what is there cannot be read; they were detached: " in done.err
    assert "AccessDenied: needs sns:ListTopics" in done.err
    assert roles(organization, CANARY)
    assert [roles(organization, name) for name in OTHERS] == [set(), set()]
    found = attached(organization)
    assert {name for name in found if CANARY not in name} == {"quickstart-retention"}
    assert set(map(tuple, found.values())) == {()}


def test_what_fails_in_one_account_is_left_there_alone(organization, file):
    """Then the next run, killed at a few moments, and the one after it bring everything up."""
    numbers = organization.numbers
    broken, whole = OTHERS

    def denied(carry_out, call, _tries):
        if call[1] == "CreateGuardrail":
            raise AwsCallError(*call, "AccessDeniedException", "not authorized", permission=":".join(call))
        return carry_out()

    prepared = prepare(load_all(file), profile=None)
    assert {member_of(change.id) for change in prepared.plan.todo} == {CANARY, *OTHERS, ""}
    with pytest.raises(RingwallError, match="no declared account is in ou-ring-nobody000"):
        try_out(prepared, "ou-ring-nobody000")
    result = applied(prepared, Faults(fault=denied), numbers[broken])
    assert [item.change.id for item in result.failed] == [f"{broken}:guardrail/baseline"]
    assert {member_of(item.change.id) for item in result.not_attempted} == {broken}
    left = {own_id(item.change.id) for item in result.not_attempted}
    assert {"guardrail-version/baseline", "scp/guardrail", "scp/protect", "scp/api-keys"} <= left
    found = attached(organization)
    assert {name.split("-")[1] for name in found} == {CANARY, whole, "retention"}
    assert found["quickstart-retention"] == sorted(numbers.values()), "what no account's things stand in"
    assert found[f"quickstart-{whole}-guardrail"] == [numbers[whole]]
    for life in (1, 3):
        prepared = prepare(load_all(file), profile=None)
        with pytest.raises(Killed):
            applied(prepared, Faults(kill_after=life))
    assert run(file, "apply", "--yes").code == 0
    assert {
        tuple(targets) for name, targets in attached(organization).items() if "retention" not in name
    } == {(number,) for number in numbers.values()}
    again = run(file, "plan", "--json")
    assert (again.code, again.valid("plan")["empty"]) == (0, True)


def test_each_role_is_told_the_external_id_in_the_region(organization):
    calls = [
        entry.request
        for entry in organization.sandbox.gateway.log.entries(action="sts:AssumeRole")
        if "RingwallDeployer" in entry.request.resource
    ]
    assert {request.resource.split(":")[4] for request in calls} == set(organization.numbers.values())
    assert {request.context["sts:externalid"] for request in calls} == {(EXTERNAL_ID,)}
    assert {request.context["aws:requestedregion"] for request in calls} == {(places.REGION,)}


def test_a_role_that_asks_for_another_external_id_is_not_entered(organization, tmp_path):
    sections = {name: organization._section(name) for name in organization.numbers}
    sections[OTHERS[1]]["deployer"]["external_id"] = "another"
    done = run(organization.declaration(tmp_path, accounts=sections), "plan")
    assert done.code == 1
    assert "sts:AssumeRole" in done.err
    assert organization.numbers[OTHERS[1]] in done.err


def test_a_change_from_outside_in_one_account_is_seen_and_repaired(organization, file):
    name = OTHERS[1]
    store = organization.moto.store("iam", organization.numbers[name])
    role = next(item for item in store.roles.values() if item.name == "quickstart-app")
    role.policies["extra"] = '{"Version": "2012-10-17", "Statement": []}'
    drifted = run(file, "drift", "--json")
    assert drifted.code == 2
    (change,) = drifted.valid("drift")["changed"]
    assert (change["id"], change["account"]) == (f"{name}:role/app", organization.numbers[name])
    assert run(file, "apply", "--yes").code == 0
    assert "extra" not in role.policies


def test_policies_of_an_account_that_is_no_longer_declared_stay_on_it(organization, tmp_path):
    gone = OTHERS[1]
    sections = {name: organization._section(name) for name in organization.numbers if name != gone}
    done = run(organization.declaration(tmp_path, accounts=sections, name="quickstart"), "plan", "--json")
    plan = done.valid("plan")
    changes = [item for item in plan["changes"] if item["action"] != "no-op"]
    assert [(item["action"], item["id"]) for item in changes] == [("update", "scp/retention")]
    assert any(f"quickstart-{gone}-guardrail is attached to" in note for note in plan["notes"])


def test_destroying_takes_all_of_them_and_keeps_what_holds_data(organization, file):
    done = run(file, "destroy", "--yes", "--json")
    assert done.code == 0, done.err
    removed = Counter(item["account"] for item in done.json["done"] if item["type"] != POLICY)
    assert set(removed) == set(organization.numbers.values())
    assert attached(organization) == {}
    assert [roles(organization, name) for name in organization.numbers] == [set(), set(), set()]
