"""A small world for tests of the prover: a vocabulary, random policies over it, and requests to hold against proofs."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from ringwall.iam.codec import make_request, policies_from_json
from ringwall.iam.patterns import glob_matches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from random import Random

    from ringwall.iam.policy import PolicySet
    from ringwall.iam.request import Request

ACCOUNT = "111122223333"
OTHER = "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/App"
USER = f"arn:aws:iam::{ACCOUNT}:user/Eve"
PRINCIPALS = (
    ROLE,
    USER,
    f"arn:aws:sts::{ACCOUNT}:assumed-role/App/session",
    f"arn:aws:sts::{ACCOUNT}:federated-user/Fred",
    f"arn:aws:iam::{ACCOUNT}:root",
    f"arn:aws:iam::{OTHER}:role/Foreign",
    "svc.amazonaws.com",
    "*",
)

ACTIONS = {
    "shop:Read": ("arn:*:shop:*:*:shelf/*",),
    "shop:Write": ("arn:*:shop:*:*:shelf/*", "arn:*:shop:::box/*"),
    "shop:List": (),
    "kms:Use": ("arn:*:kms:*:*:key/*",),
}
KEYS = {
    "shop:color": ("String", False, {"shop:Read", "shop:Write"}),
    "shop:tags": ("String", True, {"shop:Write", "shop:List"}),
    "shop:size": ("Numeric", False, {"shop:Read", "shop:Write", "shop:List"}),
    "shop:fresh": ("Bool", False, {"shop:Read", "shop:Write", "kms:Use"}),
    "shop:since": ("Date", False, {"shop:Read", "shop:List"}),
    "shop:origin": ("IPAddress", False, {"shop:Read", "shop:Write", "shop:List"}),
    "shop:owner": ("ARN", False, {"shop:Read", "shop:Write"}),
}
VALUES = {
    "shop:color": ("red", "Red", "dark-red", "blue"),
    "shop:tags": ("red", "a", "b*"),
    "shop:size": ("1", "5", "9.5", "10"),
    "shop:fresh": ("true", "false"),
    "shop:since": ("2024-01-01T00:00:00Z", "2025-06-01T12:00:00Z", "1800000000"),
    "shop:origin": ("10.0.0.1", "10.200.0.1", "192.168.0.9", "2001:db8::1"),
    "shop:owner": (ROLE, USER, f"arn:aws:iam::{OTHER}:role/Foreign"),
}
RESOURCES = (
    f"arn:aws:shop:us-east-1:{ACCOUNT}:shelf/a",
    f"arn:aws:shop:us-east-1:{ACCOUNT}:shelf/ab",
    f"arn:aws:shop:eu-west-1:{OTHER}:shelf/a",
    "arn:aws:shop:::box/a:b",
    f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k",
    f"arn:aws:kms:us-east-1:{OTHER}:key/k",
    "*",
)
RESOURCE_PATTERNS = (
    "*",
    "arn:aws:shop:*:*:shelf/*",
    "arn:aws:shop:*:*:shelf/a",
    f"arn:aws:shop:us-*-1:{ACCOUNT}:shelf/?b",
    "arn:aws:shop:us-east-1:*",
    "arn:aws:shop:::box/*",
    "arn:aws:shop:*:b",
    "arn:aws:kms:*",
    f"arn:aws:kms:us-east-1:{OTHER}:key/k",
)
ACTION_PATTERNS = ("*", "shop:*", "shop:Read", "shop:?rite", "SHOP:L*", "kms:Use", "shop:R*")


BROAD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class World:
    """The vocabulary of this world."""

    def actions(self) -> Iterable[str]:
        return ACTIONS

    def actions_matching(self, pattern: str) -> tuple[str, ...]:
        return tuple(action for action in ACTIONS if glob_matches(pattern.lower(), action.lower()))

    def is_action(self, action: str) -> bool:
        return action.lower() in {one.lower() for one in ACTIONS}

    def condition_keys(self, action: str) -> frozenset[str]:
        own = {
            key for key, (_, _, carried) in KEYS.items() if action.lower() in {one.lower() for one in carried}
        }
        return frozenset(own | {"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:resourceaccount",
                                "aws:principalisawsservice", "aws:username", "aws:principalservicename"})  # fmt: skip

    def key_type(self, key: str) -> Any:
        return (
            KEYS[key.lower()][0]
            if key.lower() in KEYS
            else ("ARN" if key.lower().startswith("aws:") else None)
        )

    def is_multivalued(self, key: str) -> bool:
        return key.lower() in KEYS and KEYS[key.lower()][1]

    def resource_patterns(self, action: str) -> tuple[str, ...]:
        return next((shapes for one, shapes in ACTIONS.items() if one.lower() == action.lower()), ())

    def takes_star(self, action: str) -> bool:
        return not self.resource_patterns(action)

    def rcp_covers(self, service: str) -> bool:
        return service == "shop"


WORLD = World()

_STRINGS = ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
            "StringLike", "StringNotLike")  # fmt: skip
ORDER = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_LISTED = {
    "shop:color": ("red", "RED", "*red", "b?ue", "", "*"),
    "shop:tags": ("red", "a", "b*", "?", "${*}"),
    "shop:size": ("1", "5", "10", "x"),
    "shop:fresh": ("true", "false"),
    "shop:since": ("2024-01-01", "2025-06-01T12:00:00Z", "1800000000"),
    "shop:origin": ("10.0.0.0/8", "10.200.0.1", "0.0.0.0/0", "2001:db8::/32", "::/0"),
    "shop:owner": (ROLE, f"arn:aws:iam::{ACCOUNT}:*", "arn:aws:iam::*:role/*", "*", "arn:*:iam::?*:user/Eve"),
}
_OPERATORS = {
    "String": _STRINGS,
    "Numeric": tuple(f"Numeric{one}" for one in ORDER),
    "Bool": ("Bool",),
    "Date": tuple(f"Date{one}" for one in ORDER),
    "IPAddress": ("IpAddress", "NotIpAddress"),
    "ARN": ("ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "StringLike", "StringNotEquals"),
}


@st.composite
def conditions(
    draw: Any, most: int = 2, keys: Collection[str] = KEYS.keys()
) -> dict[str, dict[str, list[str]]]:
    block: dict[str, dict[str, list[str]]] = {}
    for _ in range(draw(st.integers(0, most))):
        key = draw(st.sampled_from(sorted(keys)))
        if draw(st.integers(0, 5)) == 0:
            block.setdefault("Null", {})[key] = [draw(st.sampled_from(("true", "false")))]
            continue
        operator = draw(st.sampled_from(_OPERATORS[KEYS[key][0]]))
        if draw(st.integers(0, 2)) == 0:
            operator = draw(st.sampled_from(("ForAllValues:", "ForAnyValue:"))) + operator
        if draw(st.integers(0, 3)) == 0:
            operator += "IfExists"
        listed = draw(st.lists(st.sampled_from(_LISTED[key]), min_size=1, max_size=2, unique=True))
        block.setdefault(operator, {})[key] = listed
    return block


NAMED = ({"AWS": ACCOUNT}, {"AWS": ROLE}, {"AWS": [USER, f"arn:aws:iam::{OTHER}:root"]}, "*",
          {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/App/session"}, {"Service": "svc.amazonaws.com"},
          {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", ROLE]})  # fmt: skip


@st.composite
def statements(draw: Any, *, named: bool = False, keys: Collection[str] = KEYS.keys()) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Deny")))}
    listed = draw(st.lists(st.sampled_from(ACTION_PATTERNS), min_size=1, max_size=2, unique=True))
    statement["NotAction" if draw(st.integers(0, 4)) == 0 else "Action"] = listed
    listed = draw(st.lists(st.sampled_from(RESOURCE_PATTERNS), min_size=1, max_size=2, unique=True))
    statement["NotResource" if draw(st.integers(0, 3)) == 0 else "Resource"] = listed
    block = draw(conditions(keys=keys))
    if block:
        statement["Condition"] = block
    if named:
        element = "NotPrincipal" if draw(st.integers(0, 3)) == 0 else "Principal"
        statement[element] = draw(st.sampled_from(NAMED))
    return statement


@st.composite
def documents(
    draw: Any, *, named: bool = False, most: int = 3, keys: Collection[str] = KEYS.keys()
) -> dict[str, Any]:
    listed = draw(st.lists(statements(named=named, keys=keys), min_size=0, max_size=most))
    return {"Version": "2012-10-17", "Statement": listed}


@st.composite
def policy_sets(draw: Any, keys: Collection[str] = KEYS.keys()) -> PolicySet:
    def some(name: str, *, named: bool = False) -> list[dict[str, Any]]:
        return [{"name": f"{name}-0", "document": draw(documents(named=named, keys=keys))}]

    value: dict[str, Any] = {"identity": some("identity")}
    if draw(st.integers(0, 2)):
        value["identity"].append({"name": "broad", "document": BROAD})
    if draw(st.integers(0, 2)) == 0:
        value["resource"] = some("resource", named=True)[0]
    for name in ("permissions_boundary", "session"):
        if draw(st.integers(0, 3)) == 0:
            value[name] = some(name)
    for name in ("scp", "rcp"):
        if draw(st.integers(0, 2)) == 0:
            levels = draw(st.integers(1, 2))
            value[name] = [
                {
                    "target": str(level),
                    "policies": [
                        *some(f"{name}{level}", named=name == "rcp"),
                        *(
                            [{"name": "full", "document": BROAD}]
                            if draw(st.integers(0, 3)) and name == "scp"
                            else []
                        ),
                    ],
                }
                for level in range(levels)
            ]
    if draw(st.integers(0, 3)) == 0:
        value["vpc_endpoint"] = some("endpoint", named=True)
    return policies_from_json(value)


@st.composite
def claim_bodies(draw: Any, keys: Collection[str] = KEYS.keys()) -> dict[str, Any]:
    body: dict[str, Any] = {"Action": [draw(st.sampled_from(ACTION_PATTERNS))]}
    kind = draw(st.integers(0, 3))
    if kind == 1:
        body["Resource"] = [draw(st.sampled_from(RESOURCE_PATTERNS))]
    elif kind == 2:
        body["NotResource"] = [draw(st.sampled_from(RESOURCE_PATTERNS))]
    block = draw(conditions(most=1, keys=keys))
    if block:
        body["Condition"] = block
    return body


@cache
def requests(principal: str, resource_account: str | None = None) -> tuple[Request, ...]:
    """Every request of the world by a principal with at most two context keys of its own."""
    return tuple(
        make_request(principal, action, resource, resource_account, context)
        for action, resource in product(ACTIONS, RESOURCES)
        if _fits(action, resource)
        for context in _contexts(action)
    )


def _fits(action: str, resource: str) -> bool:
    shapes = ACTIONS[action]
    return any(glob_matches(shape, resource) for shape in shapes) if shapes else resource == "*"


def _contexts(action: str) -> Iterator[dict[str, tuple[str, ...]]]:
    yield {}
    keys = [key for key, (_, _, carried) in KEYS.items() if action in carried]
    single = [(key, values) for key in keys for values in _values(key)]
    for key, values in single:
        yield {key: values}
    for one, two in product(single[::2], single[1::3]):
        if one[0] != two[0]:
            yield dict((one, two))
    for offset in range(4):
        yield {key: list(_values(key))[offset % len(list(_values(key)))] for key in keys}


def _values(key: str) -> Iterator[tuple[str, ...]]:
    for value in VALUES[key]:
        yield (value,)
    if KEYS[key][1]:
        yield (VALUES[key][0], VALUES[key][2])
        yield VALUES[key]


def random_requests(principal: str, chance: Random, count: int) -> Iterator[Request]:
    """Requests of the world with names and values put together by chance, from pieces of those that policies name."""
    for _ in range(count):
        action = chance.choice(tuple(ACTIONS))
        resource = _random_resource(action, chance)
        carried = [key for key, (_, _, actions) in KEYS.items() if action in actions]
        context = {key: _random_values(key, chance) for key in carried if chance.random() < 0.6}
        yield make_request(principal, action, resource, chance.choice((None, None, ACCOUNT, OTHER)), context)


def _random_resource(action: str, chance: Random) -> str:
    shapes = ACTIONS[action]
    if not shapes:
        return "*"
    shape = chance.choice(shapes).split(":", 5)
    fields = ["arn", "aws", shape[2], *shape[3:5], shape[5].removesuffix("*")]
    if shape[3] == "*":
        fields[3] = chance.choice(("us-east-1", "us-west-1", "eu-west-1", ""))
        fields[4] = chance.choice((ACCOUNT, OTHER))
    fields[5] += "".join(chance.choice("ab:/k?*") for _ in range(chance.randint(1, 4)))
    return ":".join(fields)


def _random_values(key: str, chance: Random) -> tuple[str, ...]:
    count = chance.randint(1, 3) if KEYS[key][1] else 1
    return tuple(dict.fromkeys(_random_value(key, chance) for _ in range(count)))


def _random_value(key: str, chance: Random) -> str:
    kind = KEYS[key][0]
    if kind == "Numeric":
        return str(chance.choice((chance.randint(-2, 12), round(chance.uniform(0, 11), 1))))
    if kind == "IPAddress":
        first = chance.choice((10, 10, 9, 11, 192))
        return ".".join(
            map(str, (first, chance.choice((0, 200, 255)), chance.randint(0, 1), chance.randint(0, 2)))
        )
    if kind == "Date":
        moment = (
            f"{chance.randint(2023, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T12:00:00Z"
        )
        return chance.choice((moment, str(chance.randint(1_700_000_000, 1_900_000_000)), *VALUES[key]))
    if kind in ("Bool", "ARN"):
        return chance.choice(VALUES[key])
    return "".join(chance.choice(("red", "Red", "a", "b", "*", "-", "blue", "")) for _ in range(2))
