"""Condition operators: a table, and the closures that it compiles to.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html

An operator is a positive comparison of one request value with the listed values, and possibly its negation. Around
it stand the rules that all operators share:

* an absent key (or one without values) fails a positive operator and passes a negated one, or one with ``IfExists``;
* ``ForAllValues`` passes if every value does, so also if there is none; ``ForAnyValue`` needs a value that does, even
  with ``IfExists``;
* without a qualifier a key that carries several values does not match, whatever the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from types import MappingProxyType

from ringwall.iam import values
from ringwall.iam.patterns import (
    Reading,
    TextTest,
    Tokens,
    as_text,
    compiled,
    expand,
    has_variables,
    tokenize,
)
from ringwall.iam.policy import ConditionTest

Context = Mapping[str, tuple[str, ...]]
ContextTest = Callable[[Context], bool]
ValueTest = Callable[[str], bool]
Build = Callable[[tuple[Tokens, ...]], ValueTest]


@dataclass(frozen=True, slots=True)
class Operator:
    """One base operator.

    Attributes:
        name: IAM's spelling.
        family: String, Numeric, Date, Bool, Binary, IpAddress, Arn or Null.
        negated: whether it is the negation of its comparison.
        variables: whether IAM expands policy variables in its values.
        build: listed values -> test of one request value, before negation.
    """

    name: str
    family: str
    negated: bool
    variables: bool
    build: Build


def _anything(_text: str) -> bool:
    return True


def _equals(listed: tuple[Tokens, ...]) -> ValueTest:
    return frozenset(map(as_text, listed)).__contains__


def _equals_ignore_case(listed: tuple[Tokens, ...]) -> ValueTest:
    folded = frozenset(as_text(item).casefold() for item in listed)
    return lambda text: text.casefold() in folded


def _like(listed: tuple[Tokens, ...]) -> ValueTest:
    return _truth(compiled(listed, Reading.TEXT))


def _arn_like(listed: tuple[Tokens, ...]) -> ValueTest:
    return _truth(compiled(listed, Reading.ARN))


def _truth(test: TextTest | None) -> ValueTest:
    return _anything if test is None else lambda text: bool(test(text))


def _ordered(read: Callable[[str], Decimal | None], compare: Callable[[Decimal, Decimal], bool]) -> Build:
    def build(listed: tuple[Tokens, ...]) -> ValueTest:
        bounds = tuple(bound for item in listed if (bound := read(as_text(item))) is not None)

        def test(text: str) -> bool:
            value = read(text)
            return value is not None and any(compare(value, bound) for bound in bounds)

        return test

    return build


def _boolean(listed: tuple[Tokens, ...]) -> ValueTest:
    wanted = frozenset(values.boolean(as_text(item)) for item in listed) - {None}
    return lambda text: values.boolean(text) in wanted


def _binary(listed: tuple[Tokens, ...]) -> ValueTest:
    wanted = frozenset(values.binary(as_text(item)) for item in listed) - {None}
    return lambda text: values.binary(text) in wanted


def _ip_address(listed: tuple[Tokens, ...]) -> ValueTest:
    blocks = tuple(block for item in listed if (block := values.network(as_text(item))) is not None)

    def test(text: str) -> bool:
        where = values.address(text)
        return where is not None and any(values.in_network(where, block) for block in blocks)

    return test


def _present(listed: tuple[Tokens, ...]) -> ValueTest:
    """``Null``: a value that is there matches ``false``."""
    matches = any(values.boolean(as_text(item)) is False for item in listed)
    return lambda _text: matches


def _table() -> Iterable[Operator]:
    strings: tuple[tuple[str, bool, Build], ...] = (
        ("StringEquals", False, _equals),
        ("StringNotEquals", True, _equals),
        ("StringEqualsIgnoreCase", False, _equals_ignore_case),
        ("StringNotEqualsIgnoreCase", True, _equals_ignore_case),
        ("StringLike", False, _like),
        ("StringNotLike", True, _like),
    )
    for name, negated, build in strings:
        yield Operator(name, "String", negated, True, build)
    comparisons: tuple[tuple[str, bool, Callable[[Decimal, Decimal], bool]], ...] = (
        ("Equals", False, eq),
        ("NotEquals", True, eq),
        ("LessThan", False, lt),
        ("LessThanEquals", False, le),
        ("GreaterThan", False, gt),
        ("GreaterThanEquals", False, ge),
    )
    for family, read in (("Numeric", values.number), ("Date", values.date)):
        for suffix, negated, compare in comparisons:
            yield Operator(family + suffix, family, negated, False, _ordered(read, compare))
    yield Operator("Bool", "Bool", False, False, _boolean)
    yield Operator("BinaryEquals", "Binary", False, False, _binary)
    yield Operator("IpAddress", "IpAddress", False, False, _ip_address)
    yield Operator("NotIpAddress", "IpAddress", True, False, _ip_address)
    # ArnEquals and ArnLike behave alike, says the page above.
    for name, negated in (
        ("ArnEquals", False),
        ("ArnLike", False),
        ("ArnNotEquals", True),
        ("ArnNotLike", True),
    ):
        yield Operator(name, "Arn", negated, True, _arn_like)
    yield Operator("Null", "Null", False, False, _present)


OPERATORS: Mapping[str, Operator] = MappingProxyType({operator.name: operator for operator in _table()})
"""Every condition operator of IAM by name, without qualifiers and ``IfExists``."""


def passes_when_absent(test: ConditionTest) -> bool:
    """What the test answers where the request does not carry its key."""
    if test.qualifier is not None:
        return test.qualifier == "ForAllValues"
    if test.operator == "Null":
        return any(values.boolean(value) is True for value in test.values)
    return test.if_exists or OPERATORS[test.operator].negated


def compile_test(test: ConditionTest, *, variables: bool) -> ContextTest:
    """Compile one condition test into a closure over the request's context.

    Args:
        test: what to compile; its operator must be in :data:`OPERATORS`.
        variables: whether the policy's version knows policy variables (2012-10-17).
    """
    operator = OPERATORS[test.operator]
    listed = tuple(tokenize(value, variables=variables and operator.variables) for value in test.values)
    key, absent = test.key.lower(), passes_when_absent(test)
    if any(map(has_variables, listed)):
        return _with_variables(test, operator, listed, absent=absent)
    return _fixed(test, key, absent, operator.negated, operator.build(listed))


def _with_variables(
    test: ConditionTest, operator: Operator, listed: tuple[Tokens, ...], *, absent: bool
) -> ContextTest:
    key = test.key.lower()

    @lru_cache(maxsize=64)
    def fixed(expanded: tuple[Tokens, ...]) -> ContextTest:
        return _fixed(test, key, absent, operator.negated, operator.build(expanded))

    def check(context: Context) -> bool:
        # A value whose variable has none matches nothing; the others still may.
        resolved = (expand(item, context) for item in listed)
        return fixed(tuple(item for item in resolved if item is not None))(context)

    return check


def _fixed(test: ConditionTest, key: str, absent: bool, negated: bool, matches: ValueTest) -> ContextTest:
    if test.qualifier == "ForAllValues":
        return _for_all(key, negated, matches)
    if test.qualifier == "ForAnyValue":
        return _for_any(key, negated, matches)
    if test.operator == "Null":
        return _null(key, absent, matches(""))
    return _single(key, absent, negated, matches)


def _null(key: str, absent: bool, present: bool) -> ContextTest:
    return lambda context: present if context.get(key) else absent


def _for_all(key: str, negated: bool, matches: ValueTest) -> ContextTest:
    return lambda context: all(matches(value) is not negated for value in context.get(key, ()))


def _for_any(key: str, negated: bool, matches: ValueTest) -> ContextTest:
    return lambda context: any(matches(value) is not negated for value in context.get(key, ()))


def _single(key: str, absent: bool, negated: bool, matches: ValueTest) -> ContextTest:
    if negated:

        def check(context: Context) -> bool:
            found = context.get(key)
            if not found:
                return absent
            return len(found) == 1 and not matches(found[0])

    else:

        def check(context: Context) -> bool:
            found = context.get(key)
            if not found:
                return absent
            return len(found) == 1 and matches(found[0])

    return check
