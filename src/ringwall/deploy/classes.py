"""Request classes: one request for each way in which changed statements can tell requests apart.

A decision can only change where a statement that came, went or changed matches. So the requests worth asking are those
that such statements match, with every value that some statement that bears on them mentions, one value that none
mentions, and absence. Values that no policy can tell apart need not be asked twice.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ipaddress import ip_network

from ringwall.deploy.alike import Distinctions, Values
from ringwall.iam.policy import Policy, PolicySet, Statement
from ringwall.iam.vocabulary import Vocabulary

LIMIT = 3_000
"""Classes per action; beyond it the comparison says that it is incomplete."""
OTHER = "ringwall-example"
UNMENTIONED = "unmentioned"
REQUESTED_REGION = "aws:requestedregion"
_DETERMINED = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principaltype",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalisawsservice",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:resourceaccount",
        "aws:resourceorgid",
        "aws:resourceorgpaths",
        "aws:sourcevpce",
        "aws:sourcevpc",
        "aws:userid",
        "aws:username",
        "aws:securetransport",
        "aws:currenttime",
        "aws:epochtime",
    }
)
"""Keys that principal, resource and route determine; their values are not varied."""

Context = Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class RequestClass:
    """A representative request for an action.

    Attributes:
        resource: ARN or ``*``.
        context: values of the keys that vary; an absent key is absent.
        varied: those keys, present or not.
        resources: every resource that no statement tells from ``resource``, itself first.
        alike: of each key that varies, every value (empty = absence) that no statement tells from the one in
            ``context``, that one first.
    """

    resource: str
    context: Context
    varied: frozenset[str]
    resources: tuple[str, ...] = ()
    alike: Mapping[str, tuple[Values, ...]] = field(default_factory=dict)


def placed(policies: PolicySet) -> Iterator[tuple[str, Policy]]:
    """Every policy of a set, with a label of where it stands."""
    for name, group in (
        ("identity", policies.identity),
        ("permissions_boundary", policies.permissions_boundary or ()),
        ("session", policies.session or ()),
        ("vpc_endpoint", policies.vpc_endpoint or ()),
        ("resource", (policies.resource,) if policies.resource else ()),
    ):
        for policy in group:
            yield name, policy
    for name, levels in (("scp", policies.scp or ()), ("rcp", policies.rcp or ())):
        for level in levels:
            for policy in level.policies:
                yield f"{name} {level.target}", policy


def changed_statements(before: PolicySet, after: PolicySet) -> tuple[Statement, ...] | None:
    """Statements that only one of the two has; ``None`` where a whole policy type came or went, or an SCP level."""
    if _shape(before) != _shape(after):
        return None
    old, new = (
        dict.fromkeys((name, said) for name, policy in placed(side) for said in _said(policy))
        for side in (before, after)
    )
    gone, come = (x for x in old if x not in new), (x for x in new if x not in old)
    return tuple(said.statement for _, said in (*gone, *come))


def actions_of(statements: Iterable[Statement]) -> tuple[str, ...] | None:
    """Patterns of every action that one of the statements covers; ``None`` = all actions."""
    found: dict[str, None] = {}
    for statement in statements:
        if statement.actions is None or "*" in statement.actions:
            return None
        found |= dict.fromkeys(statement.actions)
    return tuple(found)


def touches(statement: Statement, action: str) -> bool:
    """Whether the statement's action element covers an action."""
    if statement.actions is not None:
        return _matches(statement.actions, action)
    return not _matches(statement.not_actions or (), action)


def by_action(items: Iterable[Statement], actions: tuple[str, ...]) -> dict[str, list[Statement]]:
    """The statements that cover each of some actions, in their order; what none covers is not in it."""
    found: dict[str, list[Statement]] = {}
    for item in items:
        for action in _covered(item.actions, item.not_actions, actions):
            found.setdefault(action, []).append(item)
    return found


def covering(policies: Iterable[Policy], actions: tuple[str, ...]) -> dict[str, list[Statement]]:
    """:func:`by_action` of the statements of policies, which many principals have in common."""
    found: dict[str, list[Statement]] = {}
    for policy in policies:
        for action, items in _of_policy(policy, actions):
            found.setdefault(action, []).extend(items)
    return found


@lru_cache(maxsize=1024)
def _of_policy(policy: Policy, actions: tuple[str, ...]) -> tuple[tuple[str, list[Statement]], ...]:
    return tuple(by_action(_wherever(policy), actions).items())


@lru_cache(maxsize=4096)
def _covered(
    named: tuple[str, ...] | None, excepted: tuple[str, ...] | None, actions: tuple[str, ...]
) -> tuple[str, ...]:
    if named is not None:
        return tuple(action for action in actions if _matches(named, action))
    return tuple(action for action in actions if not _matches(excepted or (), action))


@lru_cache(maxsize=65_536)
def _matches(patterns: tuple[str, ...], action: str) -> bool:
    whole, wildcards = _kinds_of(patterns)
    return action.lower() in whole or any(_glob_matches(pattern, action) for pattern in wildcards)


@lru_cache(maxsize=4096)
def _kinds_of(patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Whole names in lower case, and those with wildcards: most patterns are names, and names need no matching."""
    wildcards = tuple(pattern for pattern in patterns if "*" in pattern or "?" in pattern)
    return frozenset(pattern.lower() for pattern in patterns if pattern not in wildcards), wildcards


def request_classes(
    action: str,
    bearing: Iterable[Statement],
    vocabulary: Vocabulary,
    *,
    region: str,
    account: str,
    resources: Iterable[str] = (),
    own: Callable[[str], tuple[Policy, ...]] = lambda _arn: (),
) -> tuple[tuple[RequestClass, ...], bool]:
    """Representative requests for an action, and whether they are all.

    Args:
        action: ``service:Name``.
        bearing: the statements that cover the action, of both sides.
        vocabulary: which resources and context keys the action has.
        region: home Region, for what a pattern leaves open.
        account: workload account, likewise.
        resources: further resource ARNs to ask for.
        own: policies of a resource's own, by its ARN; resources with different ones are never taken for alike.
    """
    relevant = tuple(dict.fromkeys(bearing))
    arns = _resources(action, relevant, vocabulary, region, account, more=resources)
    standing = (item for arn in arns for policy in own(arn) for item in policy.statements)
    distinctions = Distinctions(action, tuple(dict.fromkeys((*relevant, *standing))))
    keys = _keys(action, relevant, vocabulary)
    somewhere = {where or (region,): None for where in keys.pop(REQUESTED_REGION, [()])}
    names = (REQUESTED_REGION, *sorted(keys))
    axes = [distinctions.values(name, keys.get(name, somewhere)) for name in names]
    groups = distinctions.resources(arns, own)
    size = len(groups) * math.prod(map(len, axes))
    found = [
        RequestClass(
            group[0],
            {name: values[0] for name, values in zip(names, chosen, strict=True) if values[0]},
            frozenset(names[1:]),
            group,
            dict(zip(names, chosen, strict=True)),
        )
        for group, chosen in itertools.islice(itertools.product(groups, itertools.product(*axes)), LIMIT)
    ]
    return tuple(found), size <= LIMIT


@lru_cache(maxsize=1024)
def _wherever(policy: Policy) -> tuple[Statement, ...]:
    """The policy's statements without their places, which decide nothing."""
    return tuple(_one(replace(statement, index=0)) for statement in policy.statements)


@lru_cache(maxsize=1024)
def _said(policy: Policy) -> tuple[_Said, ...]:
    return tuple(map(_Said, _wherever(policy)))


class _Said:
    """A statement that knows its hash: the same ones are compared for each principal and on each way."""

    __slots__ = ("_hash", "statement")

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self._hash = hash(statement)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Said) and (
            self.statement is other.statement or self.statement == other.statement
        )


@lru_cache(maxsize=16_384)
def _one(statement: Statement) -> Statement:
    """The same object for equal statements, so that comparing them costs nothing."""
    return statement


def _shape(policies: PolicySet) -> tuple[object, ...]:
    return (
        policies.permissions_boundary is None,
        policies.session is None,
        policies.vpc_endpoint is None,
        tuple((level.target, bool(level.policies)) for level in policies.scp or ()),
        tuple((level.target, bool(level.policies)) for level in policies.rcp or ()),
    )


def _glob_matches(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern, in any case.

    Each pattern meets few texts, so that a regular expression takes longer to make than it saves.
    """
    if "?" in pattern:
        return _expression(pattern).fullmatch(text) is not None
    first, *pieces = _between_stars(pattern)
    text = text.lower()
    if not pieces:
        return text == first
    *middle, last = pieces
    at, end = len(first), len(text) - len(last)
    if not (at <= end and text.startswith(first) and text.endswith(last)):
        return False
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


@lru_cache(maxsize=4096)
def _between_stars(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.lower().split("*"))


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    text = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.compile(text, re.IGNORECASE | re.DOTALL)


def _resources(
    action: str,
    bearing: tuple[Statement, ...],
    vocabulary: Vocabulary,
    region: str,
    account: str,
    *,
    more: Iterable[str],
) -> tuple[str, ...]:
    """ARNs that statements mention, and one of each of the action's resource types that none mentions."""
    patterns = vocabulary.resource_patterns(action)
    if not patterns:
        return ("*",)
    mentioned = [
        pattern
        for statement in bearing
        for pattern in (*(statement.resources or ()), *(statement.not_resources or ()))
        if pattern != "*" and "${" not in pattern
    ]
    examples = (_example(pattern, region, account) for pattern in (*mentioned, *more, *patterns))
    return tuple(
        dict.fromkeys(arn for arn in examples if any(_glob_matches(pattern, arn) for pattern in patterns))
    )


def _example(pattern: str, region: str, account: str) -> str:
    """An ARN that a pattern matches: open fields as at home, other wildcards by an unremarkable name."""
    fields = pattern.split(":", 5)
    if len(fields) == 6:
        for position, value in ((1, "aws"), (3, region), (4, account)):
            if fields[position] == "*":
                fields[position] = value
    return ":".join(fields).replace("*", OTHER).replace("?", "x")


def _keys(
    action: str, bearing: tuple[Statement, ...], vocabulary: Vocabulary
) -> dict[str, list[tuple[str, ...]]]:
    """For each key that a condition tests and the action can carry: absence, the mentioned values, another one."""
    carried = vocabulary.condition_keys(action)
    found: dict[str, dict[tuple[str, ...], None]] = {}
    for statement in bearing:
        for test in statement.conditions:
            key = test.key.lower()
            if key in _DETERMINED or not _carries(carried, key):
                continue
            values = found.setdefault(key, {(): None})
            for value in _values(vocabulary.key_type(key), test.operator, test.values):
                values[(value,)] = None
    return {key: list(values) for key, values in found.items()}


def _carries(carried: Iterable[str], key: str) -> bool:
    return any(key == name or (name.endswith(("/", ":")) and key.startswith(name)) for name in carried)


def _values(kind: str | None, operator: str, mentioned: tuple[str, ...]) -> Iterator[str]:
    """Values on both sides of a test."""
    if operator == "Bool" or kind == "Bool":
        yield from ("true", "false")
    elif operator.endswith("IpAddress"):
        for value in mentioned:
            try:
                yield str(ip_network(value, strict=False)[0])
            except ValueError:
                continue
        yield "203.0.113.77"
    elif operator.startswith("Numeric"):
        for value in mentioned:
            if re.fullmatch(r"-?\d+", value):
                yield from (str(int(value) - 1), value, str(int(value) + 1))
    elif operator.startswith("Date"):
        yield from ("1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z")
    else:
        literal = [value for value in mentioned if "${" not in value]
        if operator != "Null":
            yield from (value.replace("*", OTHER).replace("?", "x") for value in literal)
        yield _another(kind, literal)


def _another(kind: str | None, mentioned: list[str]) -> str:
    """A value that none of the patterns is likely to match, of the same shape."""
    if kind == "ARN" or any(value.startswith("arn:") for value in mentioned):
        fields = next(
            (value for value in mentioned if value.count(":") >= 5), "arn:aws:x:us-east-1:0:y"
        ).split(":", 5)
        return ":".join([*fields[:5], fields[5].split("/", 1)[0] + "/" + UNMENTIONED]).replace("*", OTHER)
    return UNMENTIONED
