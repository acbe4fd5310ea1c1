"""How many Converse calls a second the sandbox answers, at what cost, and what remains of them in memory.

Every call passes a subnet's proxy, TLS, SigV4, the quickstart's whole authorization and its guardrail, and is recorded by
its trail and its invocation log. The client is light (:mod:`hammer`) and a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from account import HELLO, MODEL, _apply, _plan
from proof_families import QUICKSTART
from timing import Row

from ringwall.demo.world import World, environment
from ringwall.sandbox import Sandbox

CONNECTIONS, CROWD = 8, 100
HOST = "bedrock-runtime.us-east-1.amazonaws.com"


def rows(requests: tuple[int, ...] = (1000, 4000), crowd: float = 10) -> Iterator[Row]:
    """Throughput and memory after so many calls in all, and what a hundred clients lose in so many seconds."""
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox, environment(sandbox.environment()):
        world = World(sandbox, QUICKSTART, Path(folder) / "report.html")
        _apply(world, _plan(world))
        task = _task(world)
        before = 0
        for count in requests:
            yield Row(
                f"Converse, calls {before + 1:,} to {count:,}", note=_told(_hammer(task, count - before))
            )
            before = count
        if crowd:
            found = _hammer({**task, "connections": CROWD}, 10**9, seconds=crowd)
            sandbox.flush()
            records, logged = _recorded(world), before + int(found["sent"])
            if records != logged:
                raise AssertionError(f"of {logged} calls the invocation log has {records}")
            yield Row(f"{CROWD} clients for {crowd:g} s, every call in the log", note=_told(found))


def _recorded(world: World) -> int:
    """How many calls the invocation log has."""
    logs = world.administrator("logs")
    names = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    pages = (
        page
        for name in names
        if "invocation" in name
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name)
    )
    return sum(event["message"].startswith("{") for page in pages for event in page["events"])


def _task(world: World) -> dict[str, Any]:
    keys = world.credentials("app").get_credentials().get_frozen_credentials()
    return {
        "proxy": int(world.sandbox.proxy_url.rsplit(":", 1)[1]),
        "ca": world.sandbox.ca_bundle,
        "host": HOST,
        "path": f"/model/{MODEL.replace(':', '%3A')}/converse",
        "region": "us-east-1",
        "body": json.dumps({"messages": HELLO, "guardrailConfig": world.guardrail("baseline")}),
        "credentials": [keys.access_key, keys.secret_key, keys.token],
        "connections": CONNECTIONS,
    }


def _hammer(task: dict[str, Any], requests: int, **more: float) -> dict[str, float]:
    before = time.process_time()
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("hammer.py"))],
        input=json.dumps({**task, "requests": requests, **more}),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    found["server"] = time.process_time() - before
    found["memory"] = _resident()
    if found["good"] != found["sent"]:
        raise AssertionError(f"{found['sent'] - found['good']} calls failed: {done.stderr[:500]}")
    return found


def _resident() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _told(found: dict[str, float]) -> str:
    sent = found["sent"]
    return (
        f"{sent / found['seconds']:.0f}/s, p50 {found['p50'] * 1e3:.1f} ms, p99 {found['p99'] * 1e3:.1f} ms; processor "
        f"{found['server'] / sent * 1e3:.2f} ms a call, the client's {found['processor'] / sent * 1e3:.2f}; "
        f"resident {found['memory']:.0f} MB"
    )
