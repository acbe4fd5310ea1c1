"""Auditing: one account cold, and how many accounts and Regions fit into a quarter of an hour.

The large figure is extrapolated from a smaller run over the same plan, divided among the machine's cores as
``audit run-shard`` does; ``python bench/audit.py 1000`` runs it whole.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import stub_aws
from proof_families import QUICKSTART
from timing import Row, Timing, once

from ringwall.audit.shards import Plan, merge, run_shard
from ringwall.demo.world import World, environment
from ringwall.deploy.apply import apply
from ringwall.deploy.plan import make_plan
from ringwall.estate.kinds import registry
from ringwall.sandbox import Sandbox

ACCOUNTS = 24
LARGE = 1000
LIMIT = 15 * 60.0
COLD = """
import resource, sys
from ringwall.cli import main
try:
    main(["audit", "--declaration", sys.argv[1], "--out", sys.argv[2], "--report", sys.argv[3]])
except SystemExit:
    pass
used = resource.getrusage(resource.RUSAGE_SELF)
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
calls = sum(1 for _ in open(sys.argv[2] + "/calls.jsonl"))
print(f"{used.ru_utime + used.ru_stime:.2f} s of CPU, {int(peak) // 1024} MB, {calls} calls", file=sys.stderr)
"""


def rows() -> Iterator[Row]:
    """Every row about audits."""
    yield from _cold()
    yield from _many(ACCOUNTS)


def _cold() -> Iterator[Row]:
    with Sandbox() as sandbox, environment(sandbox.environment()), tempfile.TemporaryDirectory() as folder:
        world = World(sandbox, QUICKSTART, Path(folder) / "report.html")
        plan = make_plan(world.desired, world.observe(), registry(), perimeter=world.perimeter.name)
        apply(plan, world.aws, registry(), management=world.management)
        told: list[str] = []

        def run() -> None:
            place = Path(folder) / "bundle"
            shutil.rmtree(place, ignore_errors=True)
            command = [sys.executable, "-c", COLD, str(QUICKSTART), str(place), str(world.report)]
            told.append(
                subprocess.run(command, capture_output=True, check=True, text=True).stderr.splitlines()[-1]
            )

        taken = [once(run) for _ in range(3)]
        best = min(item.best for item in taken)
        middle = sorted(item.best for item in taken)[1]
        yield Row("quickstart: cold audit with proofs, report and bundle", Timing(middle, best), 3.0)
        yield Row("  of which (Prowler's 19 checks: 15.4 s, 374 MB)", note=told[-1])


def _many(accounts: int) -> Iterator[Row]:
    cores = os.cpu_count() or 1
    plan = Plan(
        stub_aws.NUMBERS[:accounts],
        "Audit",
        f"arn:aws:iam::{stub_aws.MANAGEMENT}:role/Audit",
        regions=stub_aws.REGIONS,
    )
    values = {
        "AWS_ACCESS_KEY_ID": "AKIA000000000000",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": stub_aws.HOME,
    }
    with environment(values), tempfile.TemporaryDirectory() as folder:
        stub_aws.install()
        started, before = time.perf_counter(), _cpu()
        run_shard(plan, 0, 1, Path(folder), processes=cores)
        if "could not be read" in _merged(plan, Path(folder)):
            raise AssertionError("every account must be readable")
        taken, cpu = time.perf_counter() - started, _cpu() - before
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    name = f"{accounts} accounts x {len(plan.regions)} Regions, 60 ms a call, {cores} processes"
    yield Row(name, Timing(taken, taken))
    yield Row(
        "  of which",
        note=f"{cpu:.0f} s of CPU, {cpu / accounts:.2f} s an account, {peak} MB the largest process",
    )
    if accounts != LARGE:
        large = taken / accounts * LARGE
        yield Row(f"  extrapolated to {LARGE} accounts", Timing(large, large), LIMIT)


def _merged(plan: Plan, folder: Path) -> str:
    merge(plan, folder, folder / "merged.ndjson")
    return (folder / "merged.ndjson").read_text(encoding="utf-8")


def _cpu() -> float:
    return sum(
        part
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        for part in resource.getrusage(who)[:2]
    )


if __name__ == "__main__":
    from timing import print_table

    for _ in print_table("Auditing", _many(int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS)):
        pass
