"""The sandbox and the way from a declaration to an audited account; beside it what moto answers by itself.

moto's InvokeModel authorizes nothing, runs no guardrail, delivers no log and records no event: it is the price of the
round trip alone.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from proof_families import QUICKSTART
from timing import Row, Timing, interleaved, once

from ringwall.audit.run import run_audit
from ringwall.controls.proving import prove_declared
from ringwall.demo.world import World, environment
from ringwall.deploy.after import outlook
from ringwall.deploy.apply import apply
from ringwall.deploy.changes import Plan
from ringwall.deploy.effects import effects
from ringwall.deploy.plan import make_plan
from ringwall.estate.kinds import registry
from ringwall.estate.references import bind, placeholders
from ringwall.sandbox import Sandbox

MODEL = "us.amazon.nova-pro-v1:0"
HELLO = [{"role": "user", "content": [{"text": "Hello, what can you do?"}]}]


def rows() -> Iterator[Row]:
    """Every row about the sandbox and the quickstart."""
    sandbox = Sandbox()
    yield Row("sandbox ready", once(sandbox.start))
    try:
        with environment(sandbox.environment()), tempfile.TemporaryDirectory() as folder:
            world = World(sandbox, QUICKSTART, Path(folder) / "report.html")
            yield from _quickstart(world)
            yield _converse(world)
    finally:
        sandbox.stop()


def _quickstart(world: World) -> Iterator[Row]:
    yield Row("quickstart: compile and prove", once(lambda: _prove(world)))
    plans: list[Plan] = []
    yield Row("quickstart: plan, with its effects on access", once(lambda: plans.append(_plan(world))))
    yield Row("quickstart: apply", once(lambda: _apply(world, plans[0])))
    yield Row("quickstart: an empty plan", once(lambda: _empty(world)))
    audit = once(lambda: run_audit(world.aws, world.management, world.perimeter, world.catalog))
    yield Row("quickstart: audit", audit)


def _prove(world: World) -> None:
    attributes = placeholders(world.desired)
    bound = bind(world.desired, attributes)
    if not all(item.holds for item in prove_declared(world.perimeter, bound, attributes, world.catalog)):
        raise AssertionError("the quickstart's claims must hold")


def _plan(world: World) -> Plan:
    plan = make_plan(world.desired, world.observe(), registry(), perimeter=world.perimeter.name)
    effects(outlook(plan, registry()), world.catalog)
    return plan


def _apply(world: World, plan: Plan) -> None:
    if not apply(plan, world.aws, registry(), management=world.management).complete:
        raise AssertionError("apply must be complete")


def _empty(world: World) -> None:
    if not _plan(world).empty:
        raise AssertionError("a second plan must be empty")


def _converse(world: World) -> Row:
    from moto.server import ThreadedMotoServer

    client = world.inside(world.credentials("app"), "bedrock-runtime")
    guardrail = world.guardrail("baseline")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        bare = _moto(f"http://127.0.0.1:{server.get_host_and_port()[1]}")
        ours, peer = interleaved(
            lambda: client.converse(modelId=MODEL, messages=HELLO, guardrailConfig=guardrail),
            lambda: bare.invoke_model(modelId="amazon.nova-pro-v1:0", body=b"{}"),
            seconds=3,
        )
    finally:
        server.stop()
    return _p50("Converse through the sandbox, guardrail and log (p50)", ours, peer)


def _moto(url: str) -> Any:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    config = Config(proxies={}, retries={"total_max_attempts": 1})
    return boto3.Session(**keys, region_name="us-east-1").client(
        "bedrock-runtime", endpoint_url=url, config=config
    )


def _p50(name: str, ours: Timing, peer: Timing) -> Row:
    return Row(name, ours, peer=peer, peer_name="moto's bare InvokeModel")
