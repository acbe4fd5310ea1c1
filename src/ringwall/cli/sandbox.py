"""``ringwall sandbox``."""

from __future__ import annotations

import gc
from pathlib import Path

import click

from ringwall.errors import RingwallError
from ringwall.estate.frugal import nothing_collected


@click.command(
    short_help="Run an AWS on this machine that enforces its policies.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of the public listener; 0 = any."
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep state in DIR and go on from it; survives a kill at any moment.",
)
@click.option("--reset", is_flag=True, help="Forget what --state DIR holds, and start anew.")
@click.option("--env-file", metavar="FILE", help="Write the client's settings as shell assignments.")
@click.option("--insecure-http", is_flag=True, help="Plain HTTP instead of HTTPS, still on 127.0.0.1 only.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND ...]")
def sandbox(
    port: int,
    state: Path | None,
    env_file: str | None,
    command: tuple[str, ...],
    *,
    reset: bool,
    insecure_http: bool,
) -> int:
    """Run an AWS on this machine that enforces its policies.

    In the foreground until Ctrl-C or SIGTERM, on 127.0.0.1 only. With -- COMMAND, runs the command against a fresh
    sandbox, with the settings in its environment, and exits with the command's exit code.

    \b
    Example:
      ringwall sandbox -- ringwall plan --file examples/quickstart/ringwall.yaml
    """
    try:
        with nothing_collected():
            from ringwall.sandbox.run import run_foreground

            gc.freeze()
    except ImportError as error:
        msg = f"the sandbox needs more packages ({error.name}): pip install 'ringwall[sandbox]'"
        raise RingwallError(msg) from error
    return run_foreground(port, state, env_file, list(command), reset=reset, insecure_http=insecure_http)
