"""``ringwall import``."""

from __future__ import annotations

import click

from ringwall.cli.common import aws_options, declaration_option, load_perimeters, note
from ringwall.errors import GateRefusedError


@click.command(name="import", short_help="Take over existing resources of declared names.")
@click.argument("names", metavar="[ID ...]", nargs=-1)
@declaration_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@aws_options
def import_(names: tuple[str, ...], file: str, yes: bool, profile: str | None) -> int:
    """Take over existing resources of declared names.

    Shows how each differs from the declaration, then marks it as this perimeter's and changes nothing else; the next
    `ringwall apply` makes it as declared. Without IDs all of them.

    \b
    Example:
      ringwall import role/app
    """
    from ringwall.cli.deploying import prepare
    from ringwall.cli.terminal import asks, show
    from ringwall.deploy.adoption import adopt, chosen
    from ringwall.deploy.render import change_lines

    perimeters = load_perimeters(file)
    prepared = prepare(perimeters, profile=profile)
    changes = chosen(prepared.plan, prepared.listed, names)
    if not changes:
        note("nothing to import")
        return 0
    for change in changes:
        show(change_lines(change))
    if not yes and not asks(f"Make {len(changes)} resources part of {perimeters[0].name}?"):
        msg = "nothing was imported: confirm with --yes"
        raise GateRefusedError(msg)
    left = adopt(prepared.plan, changes, prepared.doors, prepared.listed)
    for name in left:
        note(
            f"{name} carries no tags, and the log bucket that lists it does not exist yet: `ringwall apply --adopt {name}`"
        )
    note(f"{len(changes) - len(left)} imported")
    return 1 if left else 0
