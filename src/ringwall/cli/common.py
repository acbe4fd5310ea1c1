"""What commands share: options, reading of input, writing of output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Estate
    from ringwall.perimeter import Perimeter

Function = TypeVar("Function", bound=Callable[..., Any])

ENVIRONMENT = "ringwall.environment"
"""Under which the chosen environment is kept in click's context."""


def _choose(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    context.meta[ENVIRONMENT] = value


def file_option(function: Function) -> Function:
    """``--file`` and ``--environment``: which declaration, and which of its environments."""
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
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


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


def note(message: str) -> None:
    """A line of progress, on standard error."""
    click.echo(message, err=True)


def load_perimeter(file: str) -> Perimeter:
    """The declaration, in the environment that the command was given."""
    from ringwall.perimeter import load

    return load(file, environment=chosen_environment())


def chosen_environment() -> str | None:
    """The environment of the declaration that the command was given."""
    context = click.get_current_context(silent=True)
    chosen: str | None = context.meta.get(ENVIRONMENT) if context else None
    return chosen


def workload(perimeter: Perimeter, *, profile: str | None = None) -> Aws:
    """The declared account in its source Region.

    Raises:
        RingwallError: the credentials are another account's.
        AwsCallError: there are no credentials, or AWS cannot be reached.
    """
    from ringwall.estate.connection import connect

    aws = connect(perimeter.name, region=perimeter.regions.source, profile=profile)
    if aws.account != perimeter.account:
        msg = (
            f"these credentials are account {aws.account}'s, the declaration is for {perimeter.account}: "
            "choose others with --profile"
        )
        raise RingwallError(msg)
    return aws


def connections(perimeter: Perimeter, *, profile: str | None = None) -> tuple[Aws, Aws]:
    """The declared account, and the management account through its role.

    Raises:
        RingwallError: the credentials are another account's.
        AwsCallError: no credentials, no connection, or the management role may not be assumed.
    """
    aws = workload(perimeter, profile=profile)
    return aws, aws.elsewhere(role=perimeter.organization.management_role)


def read_estate(path: str) -> Estate:
    """A saved Estate."""
    from ringwall.estate.codec import loads

    return loads(read_text(path))
