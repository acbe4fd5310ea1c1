"""Declarations of several accounts: what each gets, which one a command takes, and each mistake where it stands."""

from __future__ import annotations

import pytest

from perimeter.test_perimeter_rules import BASE
from ringwall.controls.compile import compile_estate
from ringwall.controls.members import compile_member, compile_members
from ringwall.errors import DeclarationError, RingwallError
from ringwall.estate.members import member_of
from ringwall.estate.model import references
from ringwall.perimeter import loads, loads_all

A, B = "222233334444", "333344445555"
SHARED = BASE.replace('account: "111122223333"\n', "")
ACCOUNTS = f"""\
accounts:
  payments:
    account: "{A}"
    administrators: ["arn:aws:iam::{A}:role/Admin"]
    deployer: {{role: "arn:aws:iam::{A}:role/Admin", external_id: for-payments}}
  research:
    account: "{B}"
    administrators: ["arn:aws:iam::{B}:role/Admin"]
    guardrail: {{strength: low}}
"""
TWO = SHARED + ACCOUNTS
POLICY = "AWS::Organizations::Policy"


def mistakes(text):
    with pytest.raises(DeclarationError) as caught:
        loads_all(text)
    return [
        (text.splitlines()[item.line - 1].strip(), item.path, item.message) for item in caught.value.problems
    ]


def test_each_account_has_a_whole_declaration_of_its_own():
    payments, research = loads_all(TWO)
    assert [(item.member, item.account) for item in (payments, research)] == [
        ("payments", A),
        ("research", B),
    ]
    assert payments.deployer.external_id == "for-payments"
    assert (payments.guardrail.strength, research.guardrail.strength) == ("high", "low")
    assert payments.network == research.network
    assert payments.accounts == {}
    assert loads_all(BASE)[0].member is None


def test_a_command_about_one_account_is_told_which():
    assert loads(TWO, account="research").account == B
    with pytest.raises(RingwallError, match=r"choose one with --account \(there: payments, research\)"):
        loads(TWO)
    with pytest.raises(RingwallError, match="has no account reseach"):
        loads(TWO, account="reseach")
    with pytest.raises(RingwallError, match=r"has no account payments \(there: none\)"):
        loads(BASE, account="payments")


def test_an_environment_may_be_about_several_accounts_too():
    text = TWO + "environments:\n  dev:\n    name: dev\n    accounts: {research: null}\n"
    assert [item.member for item in loads_all(text)] == ["payments", "research"]
    assert [(item.member, item.name) for item in loads_all(text, environment="dev")] == [("payments", "dev")]


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "words"),
    [
        (f'    account: "{B}"', f'    account: "{A}"', f'account: "{A}"', "accounts.research.account", f"{A} is payments already"),
        (f'    account: "{B}"', '    account: "999988887777"', 'account: "999988887777"', "account", "is the management account"),
        (f'    account: "{B}"\n', "", "research:", "accounts.research", "needs the account's number"),
        ("    guardrail: {strength: low}", "    name: other", "name: other", "accounts.research.name", "is the same for all accounts"),
        ("    guardrail: {strength: low}", "    guardrail: {strenght: low}", "guardrail: {strenght: low}", "guardrail.strenght", "did you mean strength?"),
        ("  research:", "  Research:", "Research:", "member", "does not have the form"),
        ("accounts:", "member: x\naccounts:", "member: x", "member", "is said by `accounts`"),
    ],
)  # fmt: skip
def test_each_mistake_is_shown_where_it_stands(old, new, line, path, words):
    assert old in TWO
    found = mistakes(TWO.replace(old, new, 1))
    assert any(line == there and path == where and words in said for there, where, said in found), found


def test_environments_about_other_accounts_need_names_of_their_own():
    """The organization has one policy of a name: an apply of one environment would rewrite the other's."""
    other = (
        f'environments:\n  prod:\n    account: "{A}"\n    administrators: ["arn:aws:iam::{A}:role/Admin"]\n'
    )
    ((line, path, message),) = mistakes(BASE + other)
    assert (line, path) == ("prod:", "environments.prod")
    assert "give this one a `member` of its own, or a `name`" in message
    assert loads(BASE + other + "    member: prod\n", environment="prod").account == A


def test_one_estate_holds_all_of_them():
    members = loads_all(TWO)
    estate = compile_members(members)
    ids = [item.id for item in estate]
    assert len(ids) == len(set(ids))
    assert {account.id for account in estate.accounts} == {A, B, "999988887777"}
    for perimeter in members:
        own = [item for item in estate if member_of(item.id) == perimeter.member]
        alone = compile_estate(perimeter)
        assert len(own) == len(alone.resources) - 1, "all but what is shared"
        targets = {ref.target for item in own for ref in references(item.properties)}
        assert {member_of(target) for target in targets} == {perimeter.member}
        for item in own:
            if item.type == POLICY:
                assert item.get("TargetIds") == [perimeter.account]
                assert item.get("Name").startswith(f"t-{perimeter.member}-")
            else:
                assert item.account == perimeter.account
    (shared,) = [item for item in estate if not member_of(item.id)]
    assert (shared.id, shared.get("Name"), shared.get("TargetIds")) == (
        "scp/retention",
        "t-retention",
        [A, B],
    )


def test_what_is_made_once_is_in_the_files_of_one_account():
    members = loads_all(TWO)
    first, second = (compile_member(members, perimeter) for perimeter in members)
    assert first[1] == {}
    assert second[1] == {"scp/retention": members[0].member}
    assert first[0].find("scp/retention").get("TargetIds") == [A, B]
    assert second[0].find("scp/retention") is None
    names = [item.get("Name") for estate, _ in (first, second) for item in estate.of_type(POLICY)]
    assert len(names) == len(set(names)), "no two policies of the organization have one name"
    alone = loads_all(BASE)
    assert compile_member(alone, alone[0]) == (compile_estate(alone[0]), {})


@pytest.mark.parametrize(
    ("extra", "targets"),
    [("", ["ou-abcd-11111111"]), ("    data_retention: default\n", [A])],
    ids=["all want it", "one does not"],
)
def test_what_is_shared_goes_to_the_target_if_all_want_it(extra, targets):
    text = TWO.replace("organization: {", "organization: {target: ou-abcd-11111111, ") + extra
    estate = compile_members(loads_all(text))
    assert estate.find("scp/retention").get("TargetIds") == targets
    assert estate.find("research:scp/guardrail").get("TargetIds") == [B]


def test_what_is_made_once_cannot_be_declared_in_two_ways():
    once = 'enforcement: {organization: {guardrail: "arn:aws:bedrock:us-east-1:999988887777:guardrail/abc", version: "1"}}\n'
    text = once + TWO + "    enforcement: {messages: selective}\n"
    with pytest.raises(RingwallError, match="payments and research declare it differently"):
        compile_members(loads_all(text))
