"""``ringwall permissions``."""

from __future__ import annotations

import json

import click

from ringwall.cli.common import (
    file_option,
    load_perimeter,
    load_perimeters,
    note,
    write_files,
    write_json,
)
from ringwall.errors import RingwallError


@click.command(short_help="Print the IAM policy that deploying, watching or auditing needs.")
@click.argument("purpose", type=click.Choice(["deploy", "drift", "audit"]))
@file_option
@click.option(
    "--management",
    is_flag=True,
    help="Of the management role, for all of the declaration's accounts, in place of the workload account's.",
)
@click.option(
    "--out",
    "-o",
    metavar="DIR",
    help="Write it into this folder, as managed policies that IAM takes: one file, or several.",
)
@click.option("--purge", is_flag=True, help="For `destroy --purge` too: removing what was logged.")
def permissions(purpose: str, file: str, management: bool, out: str | None, purge: bool) -> int:
    """Print the IAM policy that deploying, watching or auditing needs.

    `deploy` is for plan, apply, drift, import and destroy; `drift` for plan and drift alone, which change nothing; `audit`
    for audit, snapshot and the live forms of prove and why.

    Reading covers the account, writing the declared resources. Attach it to the role or user that runs Ringwall; for
    deploying, name that one under `administrators` as well. A managed policy has 6,144 characters, which deploying
    exceeds: --out divides it.

    \b
    Example:
      ringwall permissions deploy --out policies/
    """
    from ringwall.catalog import load
    from ringwall.controls.compile import compile_estate
    from ringwall.controls.members import compile_members
    from ringwall.deploy import permissions as needs
    from ringwall.deploy.dividing import MANAGED_POLICY, divided
    from ringwall.estate.kinds import registry, surveyed

    if purge and (management or purpose != "deploy"):
        raise RingwallError("--purge is for deploying in the workload account: data is removed nowhere else")
    perimeters = load_perimeters(file) if management else (load_perimeter(file),)
    perimeter = perimeters[0]
    place = needs.Place(
        perimeter.account,
        perimeter.regions.source,
        perimeter.partition,
        perimeter.organization.management_role,
    )
    kinds = registry()
    if management:
        document = (
            needs.management_deploy_policy(compile_members(perimeters), kinds, load(), place)
            if purpose == "deploy"
            else needs.management_audit_policy(kinds)
        )
    elif purpose == "audit":
        document = needs.audit_policy({**kinds, **surveyed()}, place)
    elif purpose == "drift":
        document = needs.drift_policy(compile_estate(perimeter), kinds, place)
    else:
        document = needs.deploy_policy(compile_estate(perimeter), kinds, load(), place, purge=purge)
    policies = divided(document)
    if out is None:
        write_json(document)
        if len(policies) > 1:
            note(
                f"longer than the {MANAGED_POLICY:,} characters of a managed policy: --out DIR writes {len(policies)}"
            )
        return 0
    name = f"{purpose}-management" if management else purpose
    write_files(
        out,
        {f"{name}-{number}.json": json.dumps(policy, indent=2) for number, policy in enumerate(policies, 1)},
    )
    return 0
