"""``ringwall export``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.cli.common import file_option, load_perimeter, note, write_text
from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringwall.deploy.export.gaps import Gap

out_option = click.option(
    "--out", "-o", metavar="DIR", help="Write every file into this folder. Default: standard output."
)


@click.group(short_help="Write the perimeter as CloudFormation or Terraform.")
def export() -> None:
    """Write the perimeter as CloudFormation or Terraform.

    It is the same Estate that `ringwall apply` makes. What a format has no word for is listed on standard error and in
    the file's metadata, with the command that does it instead.

    \b
    Example:
      ringwall export cloudformation --out export/
    """


@export.command(short_help="One template for each account.")
@file_option
@out_option
@click.option(
    "--part",
    metavar="NAME",
    help="Print this template alone: account or organization; with --stacksets global, regional or organization.",
)
@click.option(
    "--stacksets", is_flag=True, help="Divide what an account has once from what each of its Regions has."
)
def cloudformation(file: str, out: str | None, part: str | None, stacksets: bool) -> int:
    """One template for each account.

    What one template refers to in another is an output there and a parameter here.

    \b
    Example:
      ringwall export cloudformation --part account > account.template.json
    """
    from ringwall.controls.compile import compile_estate
    from ringwall.deploy.export.cloudformation import NOT_EXPRESSIBLE, template
    from ringwall.deploy.export.parts import parts
    from ringwall.deploy.order import ordered
    from ringwall.estate.kinds import registry

    perimeter = load_perimeter(file)
    found = parts(
        ordered(compile_estate(perimeter)),
        registry(),
        region=perimeter.regions.source,
        unspoken=NOT_EXPRESSIBLE.keys(),
        stacksets=stacksets,
    )
    templates = {item.name: template(item, perimeter.name, registry()) for item in found}
    wanted = part or ("regional" if stacksets else "account")
    if wanted not in templates:
        msg = f"there is no part {wanted!r}; there are {', '.join(templates)}"
        raise RingwallError(msg)
    chosen = templates.values() if out and part is None else [templates[wanted]]
    _write({f"{item.name}.template.json": item.body for item in chosen}, out)
    _tell(gap for item in chosen for gap in item.gaps)
    return 0


@export.command(short_help="One configuration in JSON syntax.")
@file_option
@out_option
def terraform(file: str, out: str | None) -> int:
    """One configuration in JSON syntax.

    Organization policies are made through a second provider, which assumes the declared management role.

    \b
    Example:
      ringwall export terraform --out infrastructure/ && terraform -chdir=infrastructure plan
    """
    from ringwall.controls.compile import compile_estate
    from ringwall.deploy.export.terraform import Where, configuration
    from ringwall.deploy.order import ordered
    from ringwall.estate.kinds import registry

    perimeter = load_perimeter(file)
    where = Where(
        perimeter.name,
        perimeter.account,
        perimeter.regions.source,
        perimeter.organization.management_role,
    )
    made = configuration(ordered(compile_estate(perimeter)), where, registry())
    _write({"main.tf.json": made.body}, out)
    _tell(made.gaps)
    return 0


def _write(files: Mapping[str, Mapping[str, Any]], out: str | None) -> None:
    for name, body in files.items():
        text = json.dumps(body, indent=2, ensure_ascii=False)
        if out is None:
            click.echo(text)
            continue
        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{out} cannot be made: {error.strerror}"
            raise RingwallError(msg) from error
        write_text(str(folder / name), text + "\n")
        note(f"wrote {folder / name}")


def _tell(gaps: Iterable[Gap]) -> None:
    for gap in gaps:
        note(f"not in the export: {gap}")
