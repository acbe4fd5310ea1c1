"""The operator tables: every operator in every situation, and what each family makes of special values.

The tables stand in ``operator_situations``, ``operator_texts``, ``operator_values`` and ``operator_sets``; every answer in them was written by hand and is
asked of the compiled operators and of the naive ones of ``reference``.
"""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from iam import operator_pages as page
from iam import operator_sets as sets
from iam import operator_situations as situations
from iam import operator_texts as texts
from iam import operator_values as typed
from iam import reference
from ringwall.iam.conditions import OPERATORS, compile_test
from ringwall.iam.parser import parse_policy

KEY = "svc:Key"
NEWEST = "2012-10-17"
ANSWERS = {"T": True, "F": False}


GROUPS = [
    *texts.STRINGS, *texts.VARIABLES, *typed.NUMBERS, *typed.DATES, *typed.BOOLEANS, *typed.BINARIES,
    *typed.ADDRESSES, *sets.ARNS, *sets.NULLS, *sets.SET_OPERATORS,
]  # fmt: skip


def as_list(value):
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def condition_of(operator, listed, version=NEWEST, key=KEY):
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {key: listed}}}
    policy = parse_policy({"Version": version, "Statement": statement})
    (test,) = policy.statements[0].conditions
    return test


def evaluate(operator, listed, context, version=NEWEST):
    test = condition_of(operator, listed, version)
    variables = version == NEWEST
    answer = compile_test(test, variables=variables)(context)
    assert answer == reference.condition(test, context, variables), "the reference evaluator disagrees"
    return answer


def situation_rows():
    for operator, listed, fit, misfit, *answers in situations.SITUATIONS:
        values = {
            "fit": (fit,), "misfit": (misfit,), "absent": None, "empty": (), "several": (fit, fit),
            "all fit": (fit, fit), "some fit": (misfit, fit), "none fit": (misfit, misfit),
        }  # fmt: skip
        for (form, columns, _source), letters in zip(situations.FORMS, answers, strict=True):
            for column, letter in zip(columns, letters, strict=True):
                yield form.format(operator), listed, column, values[column], ANSWERS[letter]


def variable_rows():
    for operator, letters in situations.VARIABLES:
        before = situations.OF_ARN if operator.startswith("Arn") else ""
        for (column, listed, actual, version, _source), letter in zip(
            situations.VARIABLE_FORMS, letters.split(), strict=True
        ):
            yield operator, before + listed, column, before + actual, version, ANSWERS[letter]


def corner_rows(groups):
    return [row for _page, _words, rows in groups for row in rows]


SITUATION_ROWS = list(situation_rows())
VARIABLE_ROWS = list(variable_rows())
CORNER_ROWS = corner_rows(GROUPS)
OLD_ROWS = corner_rows(texts.OLD_VERSION)


@pytest.mark.parametrize(("operator", "listed", "column", "actual", "expected"), SITUATION_ROWS)
def test_situation(operator, listed, column, actual, expected):
    context = {"svc:other": ("1",)} if actual is None else {"svc:key": actual}
    assert evaluate(operator, listed, context) is expected


@pytest.mark.parametrize(("operator", "listed", "column", "actual", "version", "expected"), VARIABLE_ROWS)
def test_variable(operator, listed, column, actual, version, expected):
    assert evaluate(operator, listed, {**situations.CONTEXT, "svc:key": (actual,)}, version) is expected


@pytest.mark.parametrize(("operator", "listed", "actual", "expected"), situations.WITHOUT_VARIABLES)
def test_operator_without_variables(operator, listed, actual, expected):
    assert evaluate(operator, listed, {**situations.CONTEXT, "svc:key": (actual,)}) is expected


@pytest.mark.parametrize(("operator", "listed", "actual", "expected"), CORNER_ROWS)
def test_corner(operator, listed, actual, expected):
    assert evaluate(operator, listed, {**situations.CONTEXT, "svc:key": as_list(actual)}) is expected


@pytest.mark.parametrize(("operator", "listed", "actual", "expected"), OLD_ROWS)
def test_old_version(operator, listed, actual, expected):
    context = {**situations.CONTEXT, "svc:key": as_list(actual)}
    assert evaluate(operator, listed, context, version="2008-10-17") is expected


def base_of(operator):
    """IAM's spelling of an operator without its qualifier and suffix."""
    name = operator.split(":")[-1].lower()
    return next(known for known in OPERATORS if name in (known.lower(), known.lower() + "ifexists"))


def test_the_operators_are_all_there():
    assert sorted(OPERATORS) == sorted(
        [
            "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
            "StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
            "NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan",
            "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress",
            "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
        ]
    )  # fmt: skip


def test_every_operator_is_in_every_situation():
    assert [row[0] for row in situations.SITUATIONS] == [name for name in OPERATORS if name != "Null"]
    with_variables = [name for name, operator in OPERATORS.items() if operator.variables]
    assert [row[0] for row in situations.VARIABLES] == with_variables
    assert {row[0] for row in situations.WITHOUT_VARIABLES} == set(OPERATORS) - set(with_variables)
    assert {base_of(row[0]) for row in CORNER_ROWS} == set(OPERATORS)


def test_null_is_in_every_situation_that_it_has():
    asked = {(row[0], len(as_list(row[2]))) for row in corner_rows(sets.NULLS)}
    assert asked >= set(itertools.product(("Null", "ForAllValues:Null", "ForAnyValue:Null"), (0, 1, 2)))


def test_no_row_stands_twice():
    rows = [
        *((operator, listed, actual, NEWEST) for operator, listed, _, actual, _ in SITUATION_ROWS),
        *((operator, listed, actual, version) for operator, listed, _, actual, version, _ in VARIABLE_ROWS),
        *((*row[:3], NEWEST) for row in [*situations.WITHOUT_VARIABLES, *CORNER_ROWS]),
        *((*row[:3], "2008-10-17") for row in OLD_ROWS),
    ]
    counted = Counter(
        (operator, as_list(listed), None if actual is None else as_list(actual), version)
        if not any(isinstance(item, bool) for item in as_list(listed))
        else (operator, repr(listed), as_list(actual), version)
        for operator, listed, actual, version in rows
    )
    assert [row for row, times in counted.items() if times > 1] == []
    assert len(SITUATION_ROWS) == 26 * 22
    assert len(CORNER_ROWS) + len(OLD_ROWS) >= 450
    assert len(rows) >= 1200


def test_every_group_says_where_it_comes_from():
    sources = {value for name, value in vars(page).items() if name.isupper()}
    groups = [*GROUPS, *texts.OLD_VERSION]
    assert {source for source, _, _ in groups} <= sources
    assert all(words for _, words, _ in groups)
    assert {source for *_, source in [*situations.FORMS, *situations.VARIABLE_FORMS]} <= sources - {
        page.SILENT
    }
    columns = {(form, column) for form, names, _ in situations.FORMS for column in names}
    assert situations.OPEN.keys() <= columns


def test_keys_ignore_case():
    assert compile_test(condition_of("StringEquals", "a", key="SVC:kEY"), variables=True)({"svc:key": ("a",)})
