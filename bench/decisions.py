"""How long one decision takes: ours in several settings, and the peers' on an equivalent policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from peers import MODELS, PEERS, POLICY, PRINCIPAL
from timing import Row, beside, measure

from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide, explain
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicyLevel, PolicySet
from ringwall.iam.request import Request

REQUEST: dict[str, Any] = {
    "principal": PRINCIPAL,
    "action": "bedrock:InvokeModel",
    "resource": MODELS[0],
    "context": {"aws:RequestedRegion": "us-east-1"},
}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
MANY, BEARING = 5000, 50


def rows() -> Iterator[Row]:
    """Every row about decisions."""
    request = request_from_json(REQUEST)
    single = _one_statement()
    ours = _deciding(request, single)
    yield Row("one statement with a condition", measure(ours), target=1e-6)
    for name, make in PEERS.items():
        yield _peer(name, make, ours)
    layers = _four_layers()
    yield Row(
        "four layers: identity, boundary, SCPs, endpoint", measure(_deciding(request, layers)), target=5e-6
    )
    yield Row("four layers, with a trace", measure(lambda: explain(request, layers)), target=40e-6)
    yield Row(
        f"{MANY:,} statements, {BEARING} of them on the action",
        measure(_deciding(request, _many(BEARING))),
        target=20e-6,
    )
    yield Row(f"{MANY:,} statements, all of them on the action", measure(_deciding(request, _many(MANY))))
    yield Row("a request, from decide's JSON", measure(lambda: request_from_json(REQUEST)), target=5e-6)
    line = json.dumps(REQUEST)
    yield Row(
        "a line of JSON, decoded, read and decided",
        measure(lambda: decide(request_from_json(json.loads(line)), single)),
    )


def _peer(name: str, make: Any, ours: Any) -> Row:
    try:
        call = make()
    except ImportError as error:
        return Row("", note=f"{name}: not installed ({error.name})")
    base, peer = beside(ours, call)
    return Row("  the same policy", base, peer=peer, peer_name=name)


def _deciding(request: Request, policies: PolicySet) -> Any:
    if not decide(request, policies).allowed:
        raise AssertionError("the benchmark's request must be allowed")
    return lambda: decide(request, policies)


def _one_statement() -> PolicySet:
    return PolicySet(identity=(parse_policy(POLICY, name="app"),))


def _four_layers() -> PolicySet:
    region = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}},
    }
    full = parse_policy(ALL, name="FullAWSAccess")
    scp = parse_policy({"Version": "2012-10-17", "Statement": [region]}, name="regions")
    endpoint = {"Effect": "Allow", "Principal": "*", "Action": "bedrock:*", "Resource": "*"}
    return PolicySet(
        identity=(parse_policy(POLICY, name="app"),),
        permissions_boundary=(parse_policy(ALL, name="boundary"),),
        scp=(PolicyLevel("r-root", (full, scp)), PolicyLevel("111122223333", (full,))),
        vpc_endpoint=(parse_policy({"Version": "2012-10-17", "Statement": [endpoint]}, name="endpoint"),),
    )


def _many(bearing: int) -> PolicySet:
    """A policy of :data:`MANY` statements, of which so many bear on the action; the last one decides."""
    models = [
        _allow("bedrock:InvokeModel", f"arn:aws:bedrock:us-east-1::foundation-model/vendor.model-{number}")
        for number in range(bearing - 1)
    ]
    objects = [_allow("s3:GetObject", f"arn:aws:s3:::bucket-{number}/*") for number in range(MANY - bearing)]
    document = {"Version": "2012-10-17", "Statement": [*models, *objects, POLICY["Statement"][0]]}
    return PolicySet(identity=(parse_policy(document, name="many"),))


def _allow(action: str, resource: str) -> dict[str, str]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}
