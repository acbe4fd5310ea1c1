"""What a request may have carried where nobody tells, and what each possibility would have been answered.

Only keys that a bearing statement tests make a difference. Of each, the values that the tests tell apart are tried:
absent, each listed value, and another one. The answers are folded into the fewest cases ("if the call carried no
guardrail, ...").
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from ringwall.access.asked import Asked, Values
from ringwall.iam.evaluate import decide, explain
from ringwall.iam.policy import ConditionTest, PolicySet
from ringwall.iam.request import Decision, Request
from ringwall.iam.trace import StatementTrace

if TYPE_CHECKING:
    from ringwall.catalog.reference import Catalog

ROUTE = "route"
"""Stands among the keys for the way that the call took: public network or VPC endpoint."""

ABSENT = "absent"
OTHER = "another value"
LIMIT = 4000
"""Most combinations that are tried."""

_VARIABLE = re.compile(r"\$\{([^},]+)[^}]*\}")


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a key may have had. ``context`` holds the keys that it sets (a route sets several)."""

    label: str
    context: Values = field(default_factory=dict)
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Possibility:
    """One way the request may have been, and the answer to it."""

    chosen: Mapping[str, Option]
    request: Request
    policies: PolicySet
    decision: Decision


@dataclass(frozen=True, slots=True)
class Case:
    """Possibilities with one answer.

    Attributes:
        conditions: key -> labels of the values that it has in this case; keys that make no difference are left out.
        example: one of the possibilities.
    """

    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    example: Possibility

    @property
    def decision(self) -> Decision:
        """The answer."""
        return self.example.decision


Lookup = Callable[[str | None], PolicySet]
"""The policies that bear on the request through an endpoint (``None`` = the public network)."""


def possibilities(
    asked: Asked, lookup: Lookup, routes: Sequence[Option], catalog: Catalog, *, partly: Iterable[str] = ()
) -> tuple[tuple[Possibility, ...], bool]:
    """Every possibility, and whether some had to be left out.

    Args:
        asked: what is known.
        lookup: policies by endpoint.
        routes: ways that the call may have taken; exactly one if it is known.
        catalog: which keys an action carries, and of which type.
        partly: keys that are to vary although their value is known.
    """
    varying = frozenset(partly)
    options: dict[str, tuple[Option, ...]] = {ROUTE: tuple(routes)} if len(routes) > 1 else {}
    for key, tests in sorted(_tests(asked, lookup, routes).items()):
        open_ = key in varying or not asked.knows(key)
        if open_ and not any(key in route.context for route in routes) and catalog.carries(asked.action, key):
            options[key] = tuple(options_of(key, tests, catalog, asked.context))
    complete = _shorten(options)
    only = routes[0]
    found = []
    for combination in product(*options.values()):
        chosen = dict(zip(options, combination, strict=True))
        route = chosen.get(ROUTE, only)
        context = {key: value for option in (route, *combination) for key, value in option.context.items()}
        dropped = {key for key, option in chosen.items() if option.label == ABSENT}
        request = _without(asked.request(context), dropped)
        policies = lookup(route.endpoint)
        found.append(Possibility(chosen, request, policies, decide(request, policies, catalog)))
    return tuple(found), not complete


def _without(request: Request, keys: set[str]) -> Request:
    if not keys & set(request.context):
        return request
    kept = {key: value for key, value in request.context.items() if key not in keys}
    return Request(request.principal, request.action, request.resource, request.resource_account, kept)


def _tests(asked: Asked, lookup: Lookup, routes: Sequence[Option]) -> dict[str, list[ConditionTest]]:
    """Tests by key, of the statements that only conditions can keep from matching."""
    found: dict[str, list[ConditionTest]] = {}
    for route in routes:
        trace = explain(asked.request(route.context), lookup(route.endpoint))
        for policy in trace.policies:
            for statement in policy.statements if policy.applies else ():
                if bears(statement):
                    for item in statement.conditions:
                        tests = found.setdefault(item.test.key.lower(), [])
                        if item.test not in tests:
                            tests.append(item.test)
    return found


def bears(statement: StatementTrace) -> bool:
    """Whether principal, action and resource match, so that the conditions alone decide."""
    return statement.principal is not False and statement.action and statement.resource is not False


def _shorten(options: dict[str, tuple[Option, ...]]) -> bool:
    """Keep the number of combinations within the limit, dropping values of the key with the most; whether all stay."""
    complete = True
    while prod(len(values) for values in options.values()) > LIMIT:
        longest = max(options, key=lambda key: len(options[key]))
        options[longest] = (*options[longest][:-2], options[longest][-1])
        complete = False
    return complete


def options_of(
    key: str, tests: Iterable[ConditionTest], catalog: Catalog, context: Values
) -> Iterator[Option]:
    """The values of a key that its tests tell apart: absent, each listed one, another."""
    yield Option(ABSENT)
    seen: set[str] = set()
    for test in tests:
        for value in test.values:
            for label, concrete in _concrete(test, expanded(value, context)):
                if concrete not in seen:
                    seen.add(concrete)
                    yield Option(label, {key: (concrete,)})
    for other in _others(key, catalog):
        if other not in seen:
            yield Option(OTHER if seen or other not in ("true", "false") else other, {key: (other,)})


def expanded(value: str, context: Values) -> str:
    """The value with policy variables filled in from the known context."""
    return _VARIABLE.sub(lambda found: (context.get(found[1].lower()) or (found[0],))[0], value)


def _concrete(test: ConditionTest, value: str) -> Iterator[tuple[str, str]]:
    operator = test.operator
    if operator == "Null":
        return
    if operator == "Bool":
        yield from (("true", "true"), ("false", "false"))
    elif operator.startswith("Numeric"):
        try:
            number = int(float(value))
        except ValueError:
            return
        for near in (number, number - 1, number + 1):
            yield str(near), str(near)
    elif operator.endswith("IpAddress"):
        try:
            address = str(ipaddress.ip_network(value, strict=False)[0])
        except ValueError:
            return
        yield f"in {value}", address
    elif "*" in value or "?" in value:
        yield value, sample(value)
    else:
        yield value, value


def sample(pattern: str) -> str:
    """A text that the pattern matches: a version number after a colon, else a word."""
    text = re.sub(r":\*+$", ":1", pattern)
    return re.sub(r"\*+", "example", text).replace("?", "x")


def _others(key: str, catalog: Catalog) -> tuple[str, ...]:
    kind = catalog.key_type(key)
    if kind == "Bool":
        return ("true", "false")
    if key == "bedrock:guardrailidentifier":
        return ("arn:aws:bedrock:us-east-1:000000000000:guardrail/another:1",)
    values = {
        "ARN": "arn:aws:iam::000000000000:role/another",
        "Numeric": "987654321",
        "IPAddress": "198.51.100.1",
        "Date": "2001-01-01T00:00:00Z",
    }
    return (values.get(kind or "", "another"),)


def cases(found: Sequence[Possibility]) -> tuple[Case, ...]:
    """The possibilities in the fewest cases, each with the conditions under which it applies."""
    return tuple(
        Case(tuple((key, labels) for key, labels in conditions.items()), example)
        for conditions, example in _split(found, tuple(found[0].chosen) if found else ())
    )


def answer_of(decision: Decision) -> tuple[object, ...]:
    """What makes two decisions the same answer: outcome and reasons; an allow is an allow."""
    if decision.allowed:
        return ("allow",)
    return decision.outcome, decision.because, decision.missing


def _split(
    found: Sequence[Possibility], keys: tuple[str, ...]
) -> Iterator[tuple[dict[str, tuple[str, ...]], Possibility]]:
    if len({answer_of(item.decision) for item in found}) <= 1:
        yield from (({}, item) for item in found[:1])
        return
    best = min(keys, key=lambda key: _disorder(found, key))
    rest = tuple(key for key in keys if key != best)
    merged: dict[tuple[object, ...], tuple[list[str], list[Possibility]]] = {}
    for label, group in _by_label(found, best).items():
        labels, members = merged.setdefault(_signature(group, rest), ([], []))
        labels.append(label)
        members.extend(group if not members else ())
    for labels, members in merged.values():
        for conditions, example in _split(members, rest):
            own = {best: tuple(labels)} if len(merged) > 1 else {}
            yield {**own, **conditions}, example


def _by_label(found: Iterable[Possibility], key: str) -> dict[str, list[Possibility]]:
    groups: dict[str, list[Possibility]] = {}
    for item in found:
        groups.setdefault(item.chosen[key].label, []).append(item)
    return groups


def _disorder(found: Iterable[Possibility], key: str) -> int:
    groups = _by_label(found, key).values()
    return sum(len({answer_of(item.decision) for item in group}) for group in groups) - len(groups)


def _signature(group: Iterable[Possibility], keys: tuple[str, ...]) -> tuple[object, ...]:
    """The answers of a group by what else varies: groups with one signature need not be told apart."""
    return tuple(
        sorted(
            ((tuple(item.chosen[key].label for key in keys), answer_of(item.decision)) for item in group),
            key=repr,
        )
    )
