"""``ringwall audit plan``, ``run-shard`` and ``merge``: many accounts, divided as one likes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringwall.cli.common import aws_options, json_option, note, write_json, write_text
from ringwall.cli.terminal import Steps
from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from ringwall.audit.shards import Plan

INDEX_VARIABLES = ["AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX"]
"""Where AWS Batch arrays and Kubernetes indexed jobs say which one this is."""


@click.command(short_help="Write down which accounts are to be audited, and how.")
@click.option("--accounts", metavar="LIST", default="", help="Account ids, separated by commas.")
@click.option("--organization", is_flag=True, help="Every active account of the organization.")
@click.option(
    "--role-name", metavar="NAME", default="", help="Role of each account that is assumed to read it."
)
@click.option("--management-role", metavar="ARN", help="Role of the management account to read SCPs through.")
@click.option(
    "--regions", metavar="LIST", default="", help="Regions to look into. Default: all of Bedrock's."
)
@click.option(
    "--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, help="Seconds a proof."
)
@click.option("--out", "-o", "file", metavar="FILE", default="plan.json", show_default=True, help="The plan.")
@aws_options
def plan(
    accounts: str,
    organization: bool,
    role_name: str,
    management_role: str | None,
    regions: str,
    timeout: float,
    file: str,
    profile: str | None,
) -> int:
    """Write down which accounts are to be audited, and how.

    \b
    Example:
      ringwall audit plan --organization --role-name RingwallAudit --management-role arn:aws:iam::999988887777:role/Audit
      ringwall audit run-shard plan.json --index 0 --of 4
      ringwall audit merge plan.json
    """
    import json

    from ringwall.audit.shards import Plan

    chosen = tuple(sorted({item.strip() for item in accounts.split(",") if item.strip()}))
    if organization == bool(chosen):
        raise RingwallError("name accounts with --accounts, or all of the organization's with --organization")
    strange = [item for item in chosen if not (item.isdigit() and len(item) == 12)]
    if strange:
        raise RingwallError(f"{strange[0]!r} is no account id: twelve digits")
    if organization:
        chosen = _organization(management_role, profile)
    if len(chosen) > 1 and not role_name:
        raise RingwallError("several accounts need --role-name, a role of that name in each of them")
    wanted = tuple(sorted({item.strip() for item in regions.split(",") if item.strip()}))
    made = Plan(chosen, role_name, management_role, _partition(management_role), wanted, timeout)
    write_text(file, json.dumps(made.to_json(), indent=1) + "\n")
    note(f"wrote {file}: {len(chosen)} accounts")
    return 0


@click.command("run-shard", short_help="Audit the accounts of one shard of a plan.")
@click.argument("plan_file", metavar="PLAN")
@click.option(
    "--index", type=int, required=True, envvar=INDEX_VARIABLES,
    help="Number of the shard, from 0. Default: what AWS Batch or Kubernetes says.",
)  # fmt: skip
@click.option(
    "--of", "of", type=click.IntRange(min=1), required=True, envvar="AWS_BATCH_JOB_ARRAY_SIZE",
    help="How many shards there are. Default: what AWS Batch says.",
)  # fmt: skip
@click.option(
    "--out", "-o", "folder", metavar="DIR", default="shards", show_default=True, help="Where results go."
)
@click.option(
    "--processes", type=click.IntRange(min=1), default=os.cpu_count() or 1, help="Default: one for each core."
)
def run_shard(plan_file: str, index: int, of: int, folder: str, processes: int) -> int:
    """Audit the accounts of one shard. Killed and run again, it goes on where it was.

    \b
    Example:
      ringwall audit run-shard plan.json --index 0 --of 4
    """
    from ringwall.audit.shards import run_shard as run

    steps = Steps()
    told = steps if not sys.stderr.isatty() else lambda _words: None  # on a terminal the bar says it
    place = run(
        _plan(plan_file), index, of, Path(folder), processes=processes, progress=told, watch=steps.part
    )
    note(f"wrote {place}")
    return 0


@click.command(short_help="Merge the shards of a plan into one file.")
@click.argument("plan_file", metavar="PLAN")
@click.option(
    "--shards", "folder", metavar="DIR", default="shards", show_default=True, help="Where results are."
)
@click.option(
    "--out", "-o", "file", metavar="FILE", default="merged.ndjson", show_default=True, help="The findings."
)
@json_option
def merge(plan_file: str, folder: str, file: str, as_json: bool) -> int:
    """Merge the shards of a plan into one file of findings, a JSON object a line, however it was divided.

    Exit code 2 if something failed or is unknown.

    \b
    Example:
      ringwall audit merge plan.json --out findings.ndjson
    """
    from ringwall.audit.shards import merge as run

    found = run(_plan(plan_file), Path(folder), Path(file))
    if as_json:
        write_json({"findings": file, "statuses": found})
    else:
        click.echo(", ".join(f"{count} {status}" for status, count in found.items() if count))
    return 2 if found["FAIL"] or found["UNKNOWN"] else 0


def _plan(file: str) -> Plan:
    from ringwall.audit.shards import load_plan

    return load_plan(file)


def _organization(management_role: str | None, profile: str | None) -> tuple[str, ...]:
    from ringwall.audit.shards import accounts_of_organization
    from ringwall.estate.connection import connect

    aws = connect("", profile=profile)
    return accounts_of_organization(aws.elsewhere(role=management_role) if management_role else aws)


def _partition(role: str | None) -> str:
    return role.split(":")[1] if role and role.count(":") > 1 else "aws"
