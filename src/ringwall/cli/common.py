"""What commands share: options, reading of input, writing of output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from ringwall.cli import outlets
from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Estate
    from ringwall.perimeter import Perimeter

Function = TypeVar("Function", bound=Callable[..., Any])


class Connected(NamedTuple):
    """Connections to what a declaration is about.

    Attributes:
        workload: its account; of several the first.
        management: the organization's management account.
        others: its further accounts.
    """

    workload: Aws
    management: Aws
    others: tuple[Aws, ...] = ()


ENVIRONMENT = "ringwall.environment"
"""Under which the chosen environment is kept in click's context."""


ACCOUNT = "ringwall.account"
"""Under which the chosen account is kept in click's context."""


def _choose(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    context.meta[ENVIRONMENT] = value


def _choose_account(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    context.meta[ACCOUNT] = value


def file_option(function: Function) -> Function:
    """``--file``, ``--environment`` and ``--account``: which declaration, which of its environments and accounts."""
    account = click.option(
        "--account",
        metavar="NAME",
        expose_value=False,
        callback=_choose_account,
        help="One of the declaration's accounts.",
    )
    return declaration_option(account(function))


def declaration_option(function: Function) -> Function:
    """``--file`` and ``--environment``, for commands that take all of a declaration's accounts together."""
    environment = click.option(
        "--environment",
        "-E",
        metavar="NAME",
        expose_value=False,
        callback=_choose,
        help="One of the declaration's environments.",
    )
    file = click.option(
        "--file",
        "-f",
        "file",
        default="ringwall.yaml",
        show_default=True,
        metavar="FILE",
        help="The declaration.",
    )
    return file(environment(function))


json_option = click.option("--json", "as_json", is_flag=True, help="Machine output alone on standard output.")


def aws_options(function: Function) -> Function:
    """Options of commands that speak to AWS."""
    profile = click.option("--profile", metavar="NAME", help="Profile of the AWS configuration.")
    return profile(function)


def write_json(value: Any) -> None:
    """Print one JSON document."""
    outlets.write(sys.stdout, (json.dumps(value, indent=2, ensure_ascii=False), "\n"))


def read_text(path: str, *, by_line: bool = False) -> str:
    """Text of a file, or of standard input for ``-``.

    Args:
        path: where it is.
        by_line: keep bytes that are no UTF-8, as halves of surrogate pairs, for a reader who reports them by line.
    """
    errors = "surrogateescape" if by_line else "strict"
    try:
        if path == "-":
            return sys.stdin.buffer.read().decode("utf-8", errors)
        return Path(path).read_bytes().decode("utf-8", errors)
    except UnicodeDecodeError:
        msg = f"{path} is not UTF-8 text"
        raise RingwallError(msg) from None
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise RingwallError(msg) from error


def read_bytes(path: str) -> bytes:
    """Bytes of a file."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise RingwallError(msg) from error


def write_text(path: str, text: str) -> None:
    """Write a file, or standard output for ``-``."""
    if path == "-":
        click.echo(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise RingwallError(msg) from error


def write_files(folder: str, texts: Mapping[str, str]) -> None:
    """Write files by name into a folder, which is made where it is not there, and say which."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder} cannot be made: {error.strerror}"
        raise RingwallError(msg) from error
    for name, text in texts.items():
        path = Path(folder) / name
        write_text(str(path), text + "\n")
        note(f"wrote {path}")


def note(message: str) -> None:
    """A line of progress, on standard error."""
    outlets.write(sys.stderr, (message, "\n"))


def load_perimeter(file: str) -> Perimeter:
    """The declaration, in the environment and of the account that the command was given."""
    from ringwall.perimeter import load

    return load(file, environment=chosen_environment(), account=_chosen(ACCOUNT))


def load_perimeters(file: str) -> tuple[Perimeter, ...]:
    """The declaration of each of its accounts, in the environment that the command was given."""
    from ringwall.perimeter import load_all

    return load_all(file, environment=chosen_environment())


def chosen_environment() -> str | None:
    """The environment of the declaration that the command was given."""
    return _chosen(ENVIRONMENT)


def _chosen(name: str) -> str | None:
    context = click.get_current_context(silent=True)
    value: str | None = context.meta.get(name) if context else None
    return value


def workload(perimeter: Perimeter, *, profile: str | None = None) -> Aws:
    """The declared account in its source Region.

    Raises:
        RingwallError: the credentials are another account's.
        AwsCallError: there are no credentials, or AWS cannot be reached.
    """
    return entered(perimeter, caller(perimeter, profile=profile))


def caller(perimeter: Perimeter, *, profile: str | None = None) -> Aws:
    """The caller's own credentials, which need not be the declared account's where it has a role for them."""
    from ringwall.estate.connection import connect

    return connect(perimeter.name, region=perimeter.regions.source, profile=profile)


def connections(perimeter: Perimeter, *, profile: str | None = None) -> tuple[Aws, Aws]:
    """The declared account, and the management account through its role.

    Raises:
        RingwallError: the credentials are another account's.
        AwsCallError: no credentials, no connection, or the management role may not be assumed.
    """
    doors = all_connections((perimeter,), profile=profile)
    return doors.workload, doors.management


def all_connections(perimeters: tuple[Perimeter, ...], *, profile: str | None = None) -> Connected:
    """Every declared account, each through its own role where it has one, and the management account.

    The caller's own credentials assume every role; no role is assumed from another.

    Raises:
        RingwallError: the credentials are another account's.
        AwsCallError: no credentials, no connection, or a role may not be assumed.
    """
    first = perimeters[0]
    own = caller(first, profile=profile)
    workload, *others = [entered(item, own) for item in perimeters]
    organization = first.organization
    management = assumed(own, organization.management_role, organization.external_id)
    return Connected(workload, management, tuple(others))


def entered(perimeter: Perimeter, own: Aws) -> Aws:
    """A declared account in its source Region, from the caller's own connection.

    Raises:
        RingwallError: the credentials, or the role's, are another account's.
        AwsCallError: the role may not be assumed.
    """
    region = perimeter.regions.source
    here = own if own.region == region else own.elsewhere(region=region)
    if perimeter.deployer is not None:
        here = assumed(here, perimeter.deployer.role, perimeter.deployer.external_id)
    if here.account != perimeter.account:
        whose = "these credentials are" if perimeter.deployer is None else f"{perimeter.deployer.role} is"
        msg = (
            f"{whose} account {here.account}'s, the declaration is for {perimeter.account}: choose others with "
            "--profile, or name a role of that account as deployer.role"
        )
        raise RingwallError(msg)
    return here


def assumed(aws: Aws, role: str, external_id: str | None = None) -> Aws:
    """A role that a connection's caller assumes.

    Raises:
        AwsCallError: it may not.
    """
    return aws.elsewhere(role=role, external_id=external_id) if external_id else aws.elsewhere(role=role)


def read_estate(path: str) -> Estate:
    """A saved Estate."""
    from ringwall.estate.codec import loads

    return loads(read_text(path))
