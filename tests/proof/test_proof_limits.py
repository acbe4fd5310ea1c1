"""What the prover does not decide it says; and it ends in time."""

from __future__ import annotations

import time
from itertools import permutations

import pytest

from ringwall.catalog import load
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicySet
from ringwall.proof import strings
from ringwall.proof.axioms import AXIOMS
from ringwall.proof.claims import claim_from_json
from ringwall.proof.compare import compare, differences
from ringwall.proof.formula import Formula
from ringwall.proof.language import Clock, OutOfTimeError
from ringwall.proof.prove import prove
from ringwall.proof.question import Answer, Question
from ringwall.proof.search import Refutation, Search
from ringwall.proof.setting import make_setting

CATALOG = load()
ROLE = "arn:aws:iam::111122223333:role/App"


def policy(*statements: dict[str, object]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, name="p")


def never_get_object(*statements: dict[str, object], timeout: float = 10) -> Answer:
    claim = claim_from_json({"never": {"Action": "s3:GetObject"}})
    return prove(
        Question("q", ROLE, PolicySet(identity=(policy(*statements),)), claim), CATALOG, timeout=timeout
    )


def crowded() -> tuple[dict[str, object], ...]:
    """A key of twenty characters in which twenty pairs of letters stand side by side: one too many, but who sees it."""
    pairs = ["".join(pair) for pair in permutations("abcde", 2)]
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/" + "?" * len(pairs)}
    needed = [
        {"Effect": "Deny", "Action": "s3:GetObject", "NotResource": f"arn:aws:s3:::b/*{pair}*"}
        for pair in pairs
    ]
    return (allow, *needed)


def test_overlapping_wildcards_end_as_unknown() -> None:
    started = time.process_time()
    answer = never_get_object(*crowded(), timeout=0.5)
    assert time.process_time() - started < 5
    assert answer.verdict == "unknown"
    assert "0.5 s" in (answer.reason or "")
    assert answer.witness == ()


def test_too_many_overlaps_end_as_unknown_before_memory_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strings, "_STATES", 2_000)
    answer = never_get_object(*crowded(), timeout=20)
    assert answer.verdict == "unknown"
    assert "more than 2,000 ways" in (answer.reason or "")


def test_comparison_ends_as_unknown() -> None:
    started = time.process_time()
    comparison = compare(policy(*crowded()), policy(), CATALOG, timeout=0.5)
    assert time.process_time() - started < 8
    assert (comparison.newly_allows, comparison.newly_denies) == (None, "unknown")


def test_building_the_formula_heeds_the_clock() -> None:
    statements = [
        {"Effect": "Deny", "Action": "s3:*", "NotResource": f"arn:aws:s3:::*{number}*a*{number}"}
        for number in range(1000)
    ]
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    crowd = policy(allow, *statements)
    question = Question(
        "q", ROLE, PolicySet(identity=(crowd,)), claim_from_json({"never": {"Action": "s3:GetObject"}})
    )
    with pytest.raises(OutOfTimeError):
        make_setting(question, CATALOG, clock=Clock.starting_now(-1))
    assert prove(question, CATALOG, timeout=0).verdict == "unknown"
    comparison = compare(crowd, policy(allow, *statements[1:]), CATALOG, timeout=0)
    assert (comparison.newly_allows, comparison.newly_denies) == ("unknown", "unknown")
    assert comparison.reason == "nothing was found in time, and nothing proved"


def test_pattern_of_very_many_stars_is_no_trouble() -> None:
    pattern = ":".join(f"*{letter}*" for letter in "abcdefghijklmnopqrstuvwxyzabcdefgh")
    answer = never_get_object({"Effect": "Allow", "Action": "s3:GetObject", "Resource": pattern})
    assert answer.verdict == "violated"


@pytest.mark.parametrize(
    ("text", "block", "verdict"),
    [
        ("10.1.*", "10.0.0.0/8", "violated"),
        ("11.*", "10.0.0.0/8", "unknown"),
        ("*", "10.0.0.0/8", "violated"),
        ("10.0.0.1", "10.0.0.0/31", "violated"),
        ("11.0.0.1", "10.0.0.0/8", "holds"),
    ],
)
def test_addresses_tested_as_text_too(text: str, block: str, verdict: str) -> None:
    condition = {"StringLike": {"aws:SourceIp": text}, "IpAddress": {"aws:SourceIp": block}}
    answer = never_get_object(
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": condition}
    )
    assert answer.verdict == verdict
    assert ("aws:sourceip" in (answer.reason or "")) == (verdict == "unknown")


def test_what_clashes_with_one_statement_is_not_tried_on_each() -> None:
    statements = [
        {"Effect": "Allow", "Action": "s3:Get*", "Resource": f"arn:aws:s3:::b{number}-*/*",
         "Condition": {"StringLike": {"aws:PrincipalTag/team": f"t{number}*"}}}
        for number in range(1000)
    ]  # fmt: skip
    deny = {
        "Effect": "Deny",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"StringNotLike": {"aws:PrincipalTag/team": "u*"}},
    }
    claim = claim_from_json({"never": {"Action": "s3:GetObject"}})
    question = Question("q", ROLE, PolicySet(identity=(policy(*statements, deny),)), claim)
    setting = make_setting(question, CATALOG)
    search = Search(setting.formula, setting.root, setting.variables, frozenset(), Clock.starting_now(60))
    assert isinstance(search.run(setting.assumptions), Refutation)
    assert search.rounds < 10
    search.close()


def test_every_axiom_is_documented() -> None:
    for name, axiom in AXIOMS.items():
        assert name == axiom.name
        assert axiom.sentence.endswith(".")
        assert axiom.source.startswith("https://docs.aws.amazon.com/")


TEAM = "${aws:PrincipalTag/team}"
RED = {"StringNotEquals": {"aws:PrincipalTag/team": "red"}}


def of_team(resource: str, *conditions: dict[str, object]) -> Policy:
    denies = [
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": condition}
        for condition in conditions
    ]
    return policy({"Sid": "Team", "Effect": "Allow", "Action": "s3:*", "Resource": resource}, *denies)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # What the variable stands for is found among the values that policies name.
        (of_team("arn:aws:s3:::b/red/*"), of_team(f"arn:aws:s3:::b/{TEAM}/*"), ("found", "found")),
        (of_team("arn:aws:s3:::b/red/*"), of_team(f"arn:aws:s3:::b/{TEAM}/*", RED), (None, "found")),
        (of_team("*"), of_team(f"arn:aws:s3:::b/{TEAM}/*"), (None, "found")),
        # cvc5 takes it for a word equation.
        (
            of_team("arn:aws:s3:::b/r*"),
            of_team(f"arn:aws:s3:::b/{TEAM}/*", {"StringNotLike": {"aws:PrincipalTag/team": "r*"}}),
            (None, "found"),
        ),
        # A wildcard before the variable is no word equation: it is said which statement and variable it is.
        (of_team(f"arn:aws:s3:::b/*x/{TEAM}"), of_team(f"arn:aws:s3:::b/*x/{TEAM}*"), ("found", "unknown")),
    ],
)
def test_comparison_with_policy_variables(before: Policy, after: Policy, expected: tuple[str, str]) -> None:
    comparison = compare(before, after, CATALOG)
    found = tuple(
        one if one in (None, "unknown") else "found"
        for one in (comparison.newly_allows, comparison.newly_denies)
    )
    assert found == expected
    if "unknown" in found:
        assert comparison.reason is not None
        assert "${aws:principaltag/team}" in comparison.reason
        assert "p/Team" in comparison.reason


def test_comparison_heeds_which_keys_an_action_carries() -> None:
    """No request for InvokeAgent carries a guardrail, so a condition on it changes nothing there."""

    def guarded(*conditions: dict[str, object]) -> PolicySet:
        statement: dict[str, object] = {"Effect": "Allow", "Action": "bedrock:InvokeAgent", "Resource": "*"}
        for condition in conditions:
            statement["Condition"] = condition
        return PolicySet(identity=(policy(statement),))

    without = {"Null": {"bedrock:GuardrailIdentifier": "true"}}
    comparison = compare(guarded(without), guarded(), CATALOG)
    assert (comparison.newly_allows, comparison.newly_denies) == (None, None)
    comparison = compare(guarded(without), guarded(), CATALOG, context_model="any")
    assert comparison.newly_allows not in (None, "unknown")


LETTERS = "abcdefghijklmnop"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
IN_EACH = [
    # twelve lists of six patterns each, of each of which an action has to match one
    {"Effect": "Deny", "NotAction": [f"s3:*{letter}{at}*" for at in range(6)], "Resource": "*"}
    for letter in LETTERS[:12]
]
IN_NONE = {
    "Effect": "Deny",
    "Action": [
        f"s3:*{one}{at}*{two}*" for one in LETTERS for two in LETTERS for at in range(6) if one != two
    ],
    "Resource": "*",
}
ELSEWHERE = {"Effect": "Deny", "NotAction": [f"ec2:x{at}*" for at in range(7)], "Resource": "*"}
PAIRS = [f"arn:aws:s3:::*{one}*{two}*" for one in LETTERS for two in LETTERS]


@pytest.mark.parametrize(
    ("before", "after", "possible"),
    [
        # 6^12 ways to choose, none of which reaches the last list
        (policy(), policy(EVERYTHING, *IN_EACH, ELSEWHERE), {None}),
        (policy(), policy(EVERYTHING, *IN_EACH, IN_NONE), {None, "unknown"}),
        (
            policy(*({"Effect": "Allow", "Action": "s3:*", "Resource": one} for one in PAIRS)),
            policy({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::" + "?" * 30 + "*"}),
            {"found", "unknown"},
        ),
        (
            policy({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::" + "*a" * 1000}),
            policy({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::" + "a*" * 1000}),
            {"found", "unknown"},
        ),
    ],
)
def test_adversarial_comparisons_end(before: Policy, after: Policy, possible: set[str | None]) -> None:
    comparison = compare(before, after, CATALOG, timeout=1)
    found = comparison.newly_allows
    assert (found if found in (None, "unknown") else "found") in possible
    assert (comparison.reason is not None) == ("unknown" in (found, comparison.newly_denies))


def test_cvc5_is_told_of_a_later_statement() -> None:
    queue = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    like_red = {"StringNotLike": {"aws:PrincipalTag/team": "r*"}}
    before = policy(queue, {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/r*"})
    after = policy(
        queue,
        {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::b/{TEAM}/*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": like_red},
    )
    assert compare(before, after, CATALOG).newly_allows is None


def test_many_undecided_statements_end_in_time() -> None:
    """Each of three hundred Allows is held against three hundred, and none can be decided."""
    wide, narrow = (
        policy(
            *(
                {"Effect": "Allow", "Action": f"s3:A{at}*", "Resource": f"arn:aws:s3:::b/*x{at}/{TEAM}{end}"}
                for at in range(300)
            )
        )
        for end in ("*", "")
    )
    comparison = compare(wide, narrow, CATALOG, timeout=0.3)
    assert comparison.newly_allows == "unknown"
    assert comparison.reason is not None
    groups = differences(wide, narrow, CATALOG, timeout=0.3)
    assert any("there was no time to look" in text for text in groups.unknown)


def test_a_formula_is_whole_after_the_time_was_over() -> None:
    formula = Formula(Clock.starting_now(-1))
    with pytest.raises(OutOfTimeError):
        formula.conj([formula.atom(number) for number in range(1000)])
    formula.clock = Clock.starting_now(60)
    atoms = [formula.atom(number) for number in range(1000)]
    assert formula.gates[formula.conj(atoms)]
    assert formula.size == 1002
