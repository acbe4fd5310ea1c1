"""Wildcard languages: readings, ARN fields, strings in some and not in others, and the clock."""

from __future__ import annotations

import time
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.iam.patterns import Reading, glob_matches, tokenize
from ringwall.proof import strings
from ringwall.proof.globs import caseless_text, language_of, rows
from ringwall.proof.language import (
    DIGIT,
    Clock,
    OutOfRoomError,
    OutOfTimeError,
    accepts,
    caseless,
    contains,
    disjoint,
    fixed_text,
    literal,
    wild,
)
from ringwall.proof.strings import Demand, find
from ringwall.proof.typed import Typed, candidates

SHORT = [""] + ["".join(chars) for length in range(1, 5) for chars in product("ab:x", repeat=length)]
patterns = st.text(alphabet="ab*?:", max_size=6)


def soon() -> Clock:
    return Clock.starting_now(20)


@given(pattern=patterns, reading=st.sampled_from(list(Reading)))
def test_languages_read_patterns_as_the_evaluator_does(pattern: str, reading: Reading) -> None:
    tokens = language_of(tokenize(pattern, variables=False), reading)
    for text in (*SHORT[::7], "a:b:x:a:b:x", "a:b::a:b:x:a", ":::::", "a:::::b:a"):
        assert (tokens is not None and accepts(tokens, text)) == glob_matches(pattern, text, reading), text


arn_fields = st.text(alphabet="ab", max_size=2)
arn_patterns = st.builds(
    "arn:{}".format, st.lists(st.text(alphabet="ab*?", max_size=3), min_size=1, max_size=7).map(":".join)
)


@given(
    pattern=arn_patterns, fields=st.lists(arn_fields, min_size=4, max_size=4), rest=st.text("ab:", max_size=5)
)
def test_rows_of_fields_match_what_the_pattern_does(pattern: str, fields: list[str], rest: str) -> None:
    tokens = language_of(tokenize(pattern, variables=False), Reading.RESOURCE)
    assert tokens is not None
    parts = ["arn", *fields, rest]
    by_rows = any(
        all(accepts(one, part) for one, part in zip(row, parts, strict=True)) for row in rows(tokens)
    )
    assert by_rows == glob_matches(pattern, ":".join(parts), Reading.RESOURCE)


@settings(deadline=None)
@given(inside=st.lists(patterns, max_size=3), outside=st.lists(patterns, max_size=3))
def test_found_strings_are_as_demanded_and_missing_ones_do_not_exist(
    inside: list[str], outside: list[str]
) -> None:
    demand = Demand(tuple((wild(one),) for one in inside), tuple(wild(one) for one in outside))
    found = find(demand, soon())
    if found is not None:
        assert demand.met_by(found)
    else:
        assert not any(demand.met_by(text) for text in SHORT)


@given(
    groups=st.lists(st.lists(patterns, min_size=1, max_size=3), max_size=2),
    outside=st.lists(patterns, max_size=2),
)
def test_groups_are_alternatives(groups: list[list[str]], outside: list[str]) -> None:
    demand = Demand(
        tuple(tuple(wild(one) for one in group) for group in groups), tuple(wild(one) for one in outside)
    )
    found = find(demand, soon(), alphabet="ab:x")
    assert (found is not None) or not any(demand.met_by(text) for text in SHORT)
    assert found is None or (demand.met_by(found) and set(found) <= set("ab:x"))


def test_case_and_digits() -> None:
    assert accepts(caseless("aB"), "Ab")
    assert not accepts(caseless("ß"), "S")
    assert caseless_text(tokenize("A*", variables=False)) == caseless("A*")
    assert accepts((DIGIT,) * 3, "042")
    assert not accepts((DIGIT,) * 3, "04x")
    assert fixed_text(literal("a*")) == "a*"
    assert fixed_text(wild("a*")) is None
    assert find(Demand(((caseless("key"),),), (literal("key"), literal("KEY"))), soon()) not in (
        None,
        "key",
        "KEY",
    )


def test_samples_are_preferred() -> None:
    assert find(Demand(((wild("us-*"),),)), soon(), samples=("eu-west-1", "us-west-2")) == "us-west-2"


def test_search_ends_with_the_clock() -> None:
    """Twenty pairs of letters side by side do not fit into twenty characters, but nobody sees that at a glance."""
    pairs = tuple((wild(f"*{one}{two}*"),) for one, two in permutations("abcde", 2))
    demand = Demand((*pairs, (wild("?" * len(pairs)),)))
    started = time.process_time()
    with pytest.raises(OutOfTimeError):
        find(demand, Clock.starting_now(0.3))
    assert time.process_time() - started < 3


def test_search_ends_where_it_would_take_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strings, "_STATES", 1_000)
    pairs = tuple((wild(f"*{one}{two}*"),) for one, two in permutations("abcd", 2))
    with pytest.raises(OutOfRoomError, match="more than 1,000 ways"):
        find(Demand((*pairs, (wild("?" * len(pairs)),))), soon())


@pytest.mark.parametrize("length", [6, 7])
def test_all_pairs_of_three_letters_need_seven_characters(length: int) -> None:
    pairs = tuple((wild(f"*{one}{two}*"),) for one, two in permutations("abc", 2))
    found = find(Demand((*pairs, (wild("?" * length),))), soon())
    assert (found is not None) == (length == 7)


def test_what_must_not_match_is_heeded_where_it_stands_in_the_way() -> None:
    crowded = tuple((wild(f"*{'?' * gap}".join("abc")),) for gap in range(12))
    apart = tuple(wild(f"*{one}{two}*") for one, two in product("abc", repeat=2))
    demand = Demand((*crowded, (wild("?" * 40),)), apart)
    found = find(demand, soon())
    assert found is not None
    assert demand.met_by(found)


@given(one=patterns, other=patterns)
def test_plain_relations_hold_of_every_text(one: str, other: str) -> None:
    first, second = wild(one), wild(other)
    for text in SHORT:
        if disjoint(first, second):
            assert not (accepts(first, text) and accepts(second, text))
        if contains(first, second):
            assert not accepts(second, text) or accepts(first, text)


@given(one=patterns, other=patterns, fields=st.booleans())
def test_containment_reads_fields_and_cases(one: str, other: str, fields: bool) -> None:
    first = wild(one, stays_in_field=fields, fold=True)
    second = wild(other, stays_in_field=not fields)
    if contains(first, second):
        assert all(accepts(first, text) for text in SHORT if accepts(second, text))


VALUES = ("0", "1", "2.5", "9", "10", "11", "x", "", "-3", "1e1", "2024", "2023-12-31T23:59:59Z", "2024-01-01T00:00:00Z",
          "2024-06-01", "1704067200", "true", "False", "10.0.0.1", "10.255.0.0", "11.0.0.0", "::1", "2001:db8::5",
          "::ffff:10.0.0.1", "YQ==", "eA==")  # fmt: skip
typed = st.sampled_from(
    [
        Typed(operator, value)
        for operators, values in (
            (("NumericEquals", "NumericLessThan", "NumericGreaterThanEquals"), ("1", "10", "2.5")),
            (
                ("DateEquals", "DateLessThanEquals", "DateGreaterThan"),
                ("2024-01-01", "1704067200", "2024-06-01T00:00:00Z"),
            ),
            (("Bool",), ("true", "false")),
            (("IpAddress",), ("10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "::/0", "0.0.0.0/0")),
            (("BinaryEquals",), ("YQ==", "Yg==")),
        )
        for operator in operators
        for value in values
    ]
)


@given(tests=st.lists(typed, min_size=1, max_size=4, unique=True))
def test_every_value_has_a_candidate_that_no_test_tells_from_it(tests: list[Typed]) -> None:
    pool = {tuple(one.accepts(text) for one in tests) for text in candidates(tests, is_text=True)}
    for value in VALUES:
        assert tuple(one.accepts(value) for one in tests) in pool, value
