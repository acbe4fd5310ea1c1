"""``ringwall permissions``."""

from __future__ import annotations

import json

import click

from ringwall.cli.common import file_option, load_perimeter, load_perimeters, note, write_json

MANAGED_POLICY = 6_144
"""Characters without white space that a managed policy may have."""


@click.command(short_help="Print the IAM policy that deploying or auditing needs.")
@click.argument("purpose", type=click.Choice(["deploy", "audit"]))
@file_option
@click.option(
    "--management",
    is_flag=True,
    help="Of the management role, for all of the declaration's accounts, in place of the workload account's.",
)
@click.option("--purge", is_flag=True, help="For `destroy --purge` too: removing what was logged.")
def permissions(purpose: str, file: str, management: bool, purge: bool) -> int:
    """Print the IAM policy that deploying or auditing needs.

    Reading covers the account, writing the declared resources. Attach it to the role or user that runs Ringwall; for
    deploying, name that one under `administrators` as well.

    \b
    Example:
      ringwall permissions deploy > deployer.json
    """
    from ringwall.catalog import load
    from ringwall.controls.compile import compile_estate
    from ringwall.controls.members import compile_members
    from ringwall.deploy import permissions as policies
    from ringwall.estate.kinds import registry, surveyed

    perimeters = load_perimeters(file) if management else (load_perimeter(file),)
    perimeter = perimeters[0]
    place = policies.Place(
        perimeter.account,
        perimeter.regions.source,
        perimeter.partition,
        perimeter.organization.management_role,
    )
    kinds = registry()
    if purpose == "audit":
        document = (
            policies.management_audit_policy(kinds)
            if management
            else policies.audit_policy({**kinds, **surveyed()}, place)
        )
    elif management:
        document = policies.management_deploy_policy(compile_members(perimeters), kinds, load(), place)
    else:
        document = policies.deploy_policy(compile_estate(perimeter), kinds, load(), place, purge=purge)
    write_json(document)
    size = len(json.dumps(document, separators=(",", ":")))
    if size > MANAGED_POLICY:
        note(f"{size} characters: divide the statements over {-(-size // MANAGED_POLICY)} managed policies")
    return 0
