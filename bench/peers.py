"""Other engines with an equivalent policy: the role may invoke two models, in two Regions.

Each function makes a call that decides one allowed request, or raises ``ImportError`` where the peer is not installed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

ACCOUNT = "111122223333"
PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:role/App"
MODELS = tuple(
    f"arn:aws:bedrock:us-east-1::foundation-model/{name}" for name in ("anthropic.claude-x", "amazon.nova-x")
)
REGIONS = ("us-east-1", "us-west-2")
POLICY: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "bedrock:InvokeModel",
            "Resource": list(MODELS),
            "Condition": {"StringEquals": {"aws:RequestedRegion": list(REGIONS)}},
        }
    ],
}
Call = Callable[[], Any]

_REGO_QUERY = "data.iam.allow"
_CEDAR = (
    'permit(principal == User::"App", action == Action::"InvokeModel", resource) '
    'when { resource in [Model::"a", Model::"b"] && ["us-east-1", "us-west-2"].contains(context.region) };'
)
_CEDAR_REQUEST = {
    "principal": 'User::"App"',
    "action": 'Action::"InvokeModel"',
    "resource": 'Model::"a"',
    "context": {"region": "us-east-1"},
}


def cedar_text() -> Call:
    """Cedar's Rust engine, policy text per call."""
    import cedarpy

    return _checked(lambda: cedarpy.is_authorized(_CEDAR_REQUEST, _CEDAR, []), lambda answer: answer.allowed)


def cedar_parsed() -> Call:
    """Cedar's Rust engine, policies and entities parsed before."""
    import cedarpy

    policies = cedarpy.PolicySet.from_str(_CEDAR)
    entities = cedarpy.Entities.from_json_str("[]")
    return _checked(
        lambda: cedarpy.is_authorized(_CEDAR_REQUEST, policies, entities), lambda answer: answer.allowed
    )


def casbin() -> Call:
    """Casbin with exact rows."""
    import casbin as peer

    model = peer.Enforcer.new_model(
        text="[request_definition]\nr = sub, obj, act, region\n[policy_definition]\np = sub, obj, act, region\n"
        "[policy_effect]\ne = some(where (p.eft == allow))\n"
        "[matchers]\nm = r.sub == p.sub && r.obj == p.obj && r.act == p.act && r.region == p.region\n"
    )
    enforcer = peer.Enforcer(model)
    for name in MODELS:
        for region in REGIONS:
            enforcer.add_policy(PRINCIPAL, name, "InvokeModel", region)
    return _checked(lambda: enforcer.enforce(PRINCIPAL, MODELS[0], "InvokeModel", "us-east-1"), bool)


def vakt() -> Call:
    """vakt, rules in Python."""
    import vakt as peer
    from vakt.rules import Eq, In

    storage = peer.MemoryStorage()
    storage.add(
        peer.Policy(
            1,
            subjects=[Eq(PRINCIPAL)],
            actions=[Eq("bedrock:InvokeModel")],
            resources=[In(*MODELS)],
            context={"region": In(*REGIONS)},
            effect=peer.ALLOW_ACCESS,
        )
    )
    guard = peer.Guard(storage, peer.RulesChecker())
    inquiry = peer.Inquiry(
        subject=PRINCIPAL, action="bedrock:InvokeModel", resource=MODELS[0], context={"region": "us-east-1"}
    )
    return _checked(lambda: guard.is_allowed(inquiry), bool)


def rego_query() -> Call:
    """Rego through regopy, the query as text per call."""
    interpreter = _rego()
    return _checked(lambda: interpreter.query(_REGO_QUERY), lambda answer: "true" in str(answer))


def rego_bundle() -> Call:
    """Rego through regopy, query and policy compiled before."""
    interpreter = _rego()
    bundle = interpreter.build(_REGO_QUERY)
    return _checked(lambda: interpreter.query_bundle(bundle), lambda answer: "true" in str(answer))


def _rego() -> Any:
    import regopy

    interpreter = regopy.Interpreter()
    interpreter.add_module(
        "policy",
        f"package iam\nimport rego.v1\ndefault allow := false\nallow if {{\n  input.principal == {json.dumps(PRINCIPAL)}\n"
        f'  input.action == "bedrock:InvokeModel"\n  input.resource in {json.dumps(list(MODELS))}\n'
        f"  input.region in {json.dumps(list(REGIONS))}\n}}\n",
    )
    interpreter.set_input(
        {
            "principal": PRINCIPAL,
            "action": "bedrock:InvokeModel",
            "resource": MODELS[0],
            "region": "us-east-1",
        }
    )
    return interpreter


def moto() -> Call:
    """Moto's evaluator, which knows StringEquals and no other operator."""
    from moto.iam.access_control import IAMPolicy, PermissionResult

    policy = IAMPolicy({"policy_document": json.dumps(POLICY)})
    context = {"aws:RequestedRegion": "us-east-1"}

    def call() -> Any:
        return policy.is_action_permitted("bedrock:InvokeModel", MODELS[0], None, context)

    return _checked(call, lambda answer: answer is PermissionResult.PERMITTED)


def _checked(call: Call, allows: Callable[[Any], bool]) -> Call:
    if not allows(call()):
        raise AssertionError("the peer must allow the benchmark's request")
    return call


PEERS: Mapping[str, Callable[[], Call]] = {
    "vakt": vakt,
    "moto's evaluator": moto,
    "casbin": casbin,
    "cedarpy, parsed": cedar_parsed,
    "cedarpy, text": cedar_text,
    "regopy, compiled": rego_bundle,
    "regopy, text": rego_query,
}
