"""What a guardrail does where it finds something: declared, compiled, judged, and tried on a text that has it all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controls.controls_estates import changed, compiled, context_of, declaration, setting
from ringwall.controls.findings import Status
from ringwall.controls.guardrails import content, digest
from ringwall.controls.judging import judge
from ringwall.controls.strength import acts, passing, weaknesses
from ringwall.estate.kinds import registry
from ringwall.estate.kinds.guardrail_fields import to_request
from ringwall.perimeter.guardrail import Guardrail
from ringwall.sandbox.bedrock.evaluation.engine import CompiledGuardrail, Grounding, Question

BLOCKING = ["block", "detect", "ignore"]
MASKING = [*BLOCKING, "anonymize"]
TEXT = (
    "You worthless stupid idiot, shit: ask project-nightjar, jane.doe@example.com, about ticket TCK-123456."
)
STOPPED = {"block", "anonymize"}


def both(actions: list[str]) -> st.SearchStrategy[Any]:
    one = st.sampled_from(actions)
    return one | st.fixed_dictionaries({"input": one, "output": one})


@st.composite
def declared(draw: st.DrawFn) -> dict[str, Any]:
    """A guardrail of one or more policies, each with any actions."""
    every = {
        "filters": ({"INSULTS": "high"}, "actions", {"INSULTS": draw(both(BLOCKING))}),
        "topics": (
            [
                {
                    "name": "t",
                    "definition": "project nightjar",
                    "examples": [TEXT[:99]],
                    "action": draw(both(BLOCKING)),
                }
            ],
        ),
        "words": ([{"text": "project-nightjar", "action": draw(both(BLOCKING))}],),
        "profanity": (draw(both(["block", "detect"])),),
        "pii": ({"EMAIL": draw(both(MASKING))},),
        "regexes": ([{"name": "ticket", "pattern": "TCK-[0-9]{6}", "action": draw(both(MASKING))}],),
        "grounding": ({"threshold": 0.9, "action": draw(st.sampled_from(BLOCKING))},),
    }
    found: dict[str, Any] = {}
    for name in draw(st.sets(st.sampled_from(sorted(every)), min_size=1)):
        value, *more = every[name]
        found[name] = value
        if more:
            found[more[0]] = more[1]
    return found


def of(side: str, action: Any) -> str:
    return action if isinstance(action, str) else action[side]


def actions(data: dict[str, Any], side: str) -> set[str]:
    """What a declaration does on a side, over all of its policies."""
    found = [
        *data.get("actions", {}).values(),
        *(item["action"] for name in ("topics", "words", "regexes") for item in data.get(name, ())),
        *data.get("pii", {}).values(),
        *([data["profanity"]] if "profanity" in data else []),
    ]
    checks = {data["grounding"]["action"]} if "grounding" in data and side == "output" else set()
    return {of(side, action) for action in found} | checks


def tried(data: dict[str, Any], source: str) -> Any:
    """What the sandbox does with the text that everything finds something in."""
    request = to_request({"Name": "g", **content(Guardrail.model_validate(data))})
    sources = Grounding("The moon is far away.", "How far is the moon?")
    return CompiledGuardrail(request).evaluate(Question(source, (TEXT,), grounding=sources))


@given(declared())
@settings(max_examples=150, deadline=None)
def test_what_stops_is_what_was_declared_to_stop(data: dict[str, Any]) -> None:
    for side, source in (("input", "INPUT"), ("output", "OUTPUT")):
        done = tried(data, source)
        wanted = actions(data, side)
        assert done.blocked == ("block" in wanted)
        assert done.masked == ("anonymize" in wanted)
        assert done.intervened == bool(wanted & STOPPED)


@given(declared(), declared())
@settings(max_examples=150, deadline=None)
def test_a_guardrail_is_as_strong_as_itself_and_judged_by_what_it_does(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    first, second = (content(Guardrail.model_validate(item)) for item in (one, other))
    assert weaknesses(first, first) == ()
    assert acts(first) == any(actions(one, side) & STOPPED for side in ("input", "output"))
    if not weaknesses(first, second):
        for source in ("INPUT", "OUTPUT"):
            assert tried(other, source).intervened or not tried(one, source).intervened
    if not passing(first):
        assert all(actions(one, side) <= STOPPED for side in ("input", "output"))


@given(declared())
@settings(max_examples=60, deadline=None)
def test_bedrock_takes_it_and_its_answer_compares_equal(data: dict[str, Any]) -> None:
    kind = registry()["AWS::Bedrock::Guardrail"]
    properties = {"Name": "g", **content(Guardrail.model_validate(data))}
    assert kind.validate(properties) == ()
    blocking = {key: value for key, value in data.items() if key != "actions"}
    if data.get("actions", {}).get("INSULTS", "block") not in (
        "block",
        {"input": "block", "output": "block"},
    ):
        assert digest(content(Guardrail.model_validate(blocking))) != digest(properties)


@pytest.mark.parametrize(
    ("given_action", "members"),
    [
        ("block", {"Action": "BLOCK"}),
        ("detect", {"Action": "NONE"}),
        ("ignore", {"Action": "NONE", "InputEnabled": False, "OutputEnabled": False}),
        (
            {"input": "block", "output": "anonymize"},
            {"Action": "BLOCK", "InputAction": "BLOCK", "OutputAction": "ANONYMIZE"},
        ),
        (
            {"input": "ignore", "output": "block"},
            {"Action": "BLOCK", "InputEnabled": False, "OutputAction": "BLOCK"},
        ),
        ({"output": "detect"}, {"Action": "BLOCK", "InputAction": "BLOCK", "OutputAction": "NONE"}),
    ],
)
def test_the_action_of_sensitive_information(given_action: Any, members: dict[str, Any]) -> None:
    guardrail = Guardrail.model_validate({"pii": {"EMAIL": given_action}})
    assert content(guardrail)["SensitiveInformationPolicyConfig"]["PiiEntitiesConfig"] == [
        {"Type": "EMAIL", **members}
    ]


@pytest.mark.parametrize(
    ("given_action", "members"),
    [
        ("block", {}),
        ("detect", {"InputAction": "NONE", "OutputAction": "NONE"}),
        ({"input": "ignore"}, {"InputEnabled": False}),
        ({"output": "detect"}, {"OutputAction": "NONE"}),
    ],
)
def test_the_action_of_everything_else(given_action: Any, members: dict[str, Any]) -> None:
    made = content(
        Guardrail.model_validate(
            {
                "filters": {"HATE": "low"},
                "actions": {"HATE": given_action},
                "topics": [{"name": "t", "definition": "d", "action": given_action}],
                "words": [{"text": "w", "action": given_action}],
                "profanity": given_action if given_action != "ignore" else "detect",
            }
        )
    )
    filters = {"Type": "HATE", "InputStrength": "LOW", "OutputStrength": "LOW", **members}
    assert made["ContentPolicyConfig"]["FiltersConfig"] == [filters]
    assert made["TopicPolicyConfig"]["TopicsConfig"] == [
        {"Name": "t", "Definition": "d", "Type": "DENY", **members}
    ]
    assert made["WordPolicyConfig"] == {
        "WordsConfig": [{"Text": "w", **members}],
        "ManagedWordListsConfig": [{"Type": "PROFANITY", **members}],
    }


CONTROL = "guardrail-filters-content"


def told(guardrail: dict[str, Any], **properties: Any) -> Any:
    """What the audit says of a declared guardrail, some of whose policies are others in the account."""
    perimeter = declaration(guardrail=guardrail)
    estate = changed("guardrail/baseline", setting(**properties), compiled(perimeter))
    (finding,) = judge(context_of(perimeter, estate), frozenset({CONTROL}))
    return finding


def test_the_audit_says_what_passes_as_declared() -> None:
    finding = told({"strength": "high", "actions": {"HATE": {"output": "detect"}}})
    assert finding.status is Status.PASS
    assert finding.summary.endswith("it lets pass: HATE in answers")


def test_a_guardrail_that_stops_nothing_fails_though_it_is_as_declared() -> None:
    finding = told({"words": [{"text": "x", "action": "detect"}], "pii": {"EMAIL": "ignore"}})
    assert finding.status is Status.FAIL
    assert "stops nothing; it lets pass: word x, " in finding.summary


def test_what_was_declared_to_block_and_only_reports_fails() -> None:
    finding = told(
        {"words": ["x"], "profanity": "block"},
        WordPolicyConfig={"WordsConfig": [{"Text": "x", "OutputAction": "NONE"}]},
    )
    assert finding.status is Status.FAIL
    assert "1 word(s) are not blocked, such as x; PROFANITY is not blocked" in finding.summary
