"""``ringwall export``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ringwall.cli.common import file_option, load_perimeter, load_perimeters, note, write_files
from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringwall.deploy.export.gaps import Gap
    from ringwall.estate.model import Resource
    from ringwall.perimeter import Perimeter

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
    help="Print this template alone: account or organization; with --stacksets regional, global, regional-after or organization.",
)
@click.option(
    "--stacksets", is_flag=True, help="Divide what an account has once from what each of its Regions has."
)
def cloudformation(file: str, out: str | None, part: str | None, stacksets: bool) -> int:
    """One template for each account.

    What one template refers to in another is an output there and a parameter here. What a template needs is in its
    metadata; standard error tells the order. With --stacksets, what needs both what the account has once and what the Region
    has comes in a template after them: regional-after.

    \b
    Example:
      ringwall export cloudformation --part account > account.template.json
    """
    from ringwall.deploy.export.cloudformation import INLINE_BYTES, NOT_EXPRESSIBLE, template, written
    from ringwall.deploy.export.parts import parts
    from ringwall.estate.kinds import registry

    perimeter, desired = _declared(file)
    found = parts(
        desired,
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
    texts = {f"{item.name}.template.json": written(item.body) for item in chosen}
    _write(texts, out)
    _tell(gap for item in chosen for gap in item.gaps)
    long = [name for name, text in texts.items() if len(text.encode()) > INLINE_BYTES]
    if long:
        note(
            f"longer than {INLINE_BYTES:,} bytes, CloudFormation reads them from a bucket (--s3-bucket): {', '.join(long)}"
        )
    if out is None and part is None and len(templates) > 1:
        others = ", ".join(name for name in templates if name != wanted)
        note(f"this is {wanted}; others, with --part or all with --out: {others}")
    if len(texts) > 1:
        note(f"make the stacks in this order: {', '.join(item.name for item in chosen)}")
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
    from ringwall.deploy.export.terraform import Where, configuration
    from ringwall.estate.kinds import registry

    perimeter, desired = _declared(file)
    where = Where(
        perimeter.name,
        perimeter.account,
        perimeter.regions.source,
        perimeter.organization.management_role,
    )
    made = configuration(desired, where, registry())
    _write({"main.tf.json": json.dumps(made.body, indent=2, ensure_ascii=False)}, out)
    _tell(made.gaps)
    return 0


def _declared(file: str) -> tuple[Perimeter, tuple[Resource, ...]]:
    """The chosen account's perimeter, and its desired resources in dependency order."""
    from ringwall.controls.members import compile_member
    from ringwall.deploy.order import ordered

    perimeter = load_perimeter(file)
    desired, elsewhere = compile_member(load_perimeters(file), perimeter)
    for policy, account in elsewhere.items():
        note(f"{policy} is made once for all accounts: it is in the export of {account}")
    return perimeter, ordered(desired)


def _write(files: Mapping[str, str], out: str | None) -> None:
    if out is not None:
        write_files(out, files)
        return
    for text in files.values():
        click.echo(text)


def _tell(gaps: Iterable[Gap]) -> None:
    for gap in gaps:
        note(f"not in the export: {gap}")
