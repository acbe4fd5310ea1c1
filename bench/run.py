"""Timed claims, side by side with peers in one run: ``make bench``.

Times are the best of several rounds, in microseconds unless the unit says otherwise; a ratio is the peer's time over
ours. A peer that is not installed is said to be so, never left out silently.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MODELS = ["anthropic.claude-x", "amazon.nova-x"]
PRINCIPAL = "arn:aws:iam::111122223333:role/App"
RESOURCE = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-x"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "bedrock:InvokeModel",
            "Resource": [f"arn:aws:bedrock:us-east-1::foundation-model/{model}" for model in MODELS],
            "Condition": {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}},
        }
    ],
}


def best(call: Callable[[], Any], *, rounds: int = 7, seconds: float = 0.2) -> float:
    """Seconds of one call: the best of several rounds of warm calls."""
    call()
    started = time.perf_counter()
    call()
    once = max(time.perf_counter() - started, 1e-7)
    count = max(1, int(seconds / rounds / once))
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(count):
            call()
        found.append((time.perf_counter() - started) / count)
    return min(found)


def ours() -> Callable[[], Any]:
    """Our evaluator, one statement with a condition."""
    from ringwall.iam.codec import request_from_json
    from ringwall.iam.evaluate import decide
    from ringwall.iam.parser import parse_policy
    from ringwall.iam.policy import PolicySet

    policies = PolicySet(identity=(parse_policy(POLICY, name="app"),))
    request = request_from_json(
        {
            "principal": PRINCIPAL,
            "action": "bedrock:InvokeModel",
            "resource": RESOURCE,
            "context": {"aws:RequestedRegion": "us-east-1"},
        }
    )
    if not decide(request, policies).allowed:
        raise AssertionError("the benchmark's request must be allowed")
    return lambda: decide(request, policies)


def moto() -> Callable[[], Any]:
    """Moto's evaluator; it knows StringEquals and no other operator."""
    import json

    from moto.iam.access_control import IAMPolicy

    policy = IAMPolicy({"policy_document": json.dumps(POLICY)})
    return lambda: policy.is_action_permitted("bedrock:InvokeModel", "aws", RESOURCE)


def casbin() -> Callable[[], Any]:
    """casbin, exact rows."""
    import casbin as peer

    model = peer.Enforcer.new_model(
        text="[request_definition]\nr = sub, obj, act, region\n[policy_definition]\np = sub, obj, act, region\n"
        "[policy_effect]\ne = some(where (p.eft == allow))\n"
        "[matchers]\nm = r.sub == p.sub && r.obj == p.obj && r.act == p.act && r.region == p.region\n"
    )
    enforcer = peer.Enforcer(model)
    for name in MODELS:
        for region in ("us-east-1", "us-west-2"):
            enforcer.add_policy(PRINCIPAL, name, "InvokeModel", region)
    return lambda: enforcer.enforce(PRINCIPAL, MODELS[0], "InvokeModel", "us-east-1")


def cedarpy() -> Callable[[], Any]:
    """Cedar's Rust engine through cedarpy, policy text per call."""
    import cedarpy as peer

    policy = (
        'permit(principal == User::"App", action == Action::"InvokeModel", resource in [Model::"a", Model::"b"]) '
        'when { ["us-east-1", "us-west-2"].contains(context.region) };'
    )
    request = {
        "principal": 'User::"App"',
        "action": 'Action::"InvokeModel"',
        "resource": 'Model::"a"',
        "context": {"region": "us-east-1"},
    }
    return lambda: peer.is_authorized(request, policy, [])


PEERS: dict[str, Callable[[], Callable[[], Any]]] = {"moto": moto, "casbin": casbin, "cedarpy": cedarpy}


def decisions() -> None:
    """One decision, ours and the peers'."""
    base = best(ours())
    print(f"{'one decision, one statement, one condition':50} {base * 1e6:10.2f} us   1.0")
    for name, make in PEERS.items():
        try:
            peer = make()
        except ImportError as error:
            print(f"  {name:48} not installed ({error.name})")
            continue
        seconds = best(peer)
        print(f"  {name:48} {seconds * 1e6:10.2f} us   {seconds / base:.1f}")


def quickstart() -> None:
    """Compiling and proving the quickstart, and starting the command line."""
    from ringwall.catalog import load as catalog
    from ringwall.controls.compile import compile_estate
    from ringwall.controls.proving import prove_declared
    from ringwall.estate.references import bind, placeholders
    from ringwall.perimeter import load

    perimeter = load(ROOT / "examples/quickstart/ringwall.yaml")
    desired = compile_estate(perimeter)
    attributes = placeholders(desired)
    bound = bind(desired, attributes)
    vocabulary = catalog()
    seconds = best(lambda: list(prove_declared(perimeter, bound, attributes, vocabulary)), rounds=2)
    print(f"{'every claim of the quickstart, proved':50} {seconds * 1e3:10.0f} ms")
    command = [sys.executable, "-m", "ringwall", "--help"]
    seconds = best(lambda: subprocess.run(command, capture_output=True, check=True), rounds=5, seconds=1)
    print(f"{'ringwall --help (target 100 ms)':50} {seconds * 1e3:10.0f} ms")


if __name__ == "__main__":
    decisions()
    quickstart()
