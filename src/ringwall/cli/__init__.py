"""The command line: one thin module per command, imported when the command runs.

Exit codes (CONTRACTS): 0 done, nothing to report; 1 could not do it; 2 done, and there is something to see; 3 refused
at a gate that the user must open.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from ringwall import __version__
from ringwall.cli import outlets
from ringwall.errors import RingwallError
from ringwall.estate.frugal import be_frugal

COMMANDS: dict[str, tuple[str, str]] = {
    # name: (module:function, one line for the list; the same line opens the command's own help)
    "init": ("ringwall.cli.init:init", "Write a commented ringwall.yaml to start from."),
    "compile": ("ringwall.cli.compile:compile_", "Compile the declaration to the desired Estate."),
    "prove": (
        "ringwall.cli.prove:prove",
        "Prove the declaration's claims, or show the request that gets through.",
    ),
    "plan": ("ringwall.cli.plan:plan", "Show what apply would change, access first."),
    "apply": ("ringwall.cli.apply:apply", "Make the account what the declaration says."),
    "drift": ("ringwall.cli.drift:drift", "Show what changed outside of Ringwall."),
    "import": ("ringwall.cli.import_:import_", "Take over existing resources of declared names."),
    "export": ("ringwall.cli.export:export", "Write the perimeter as CloudFormation or Terraform."),
    "destroy": ("ringwall.cli.destroy:destroy", "Remove what Ringwall made; logs and their keys stay."),
    "audit": ("ringwall.cli.audit:audit", "Judge what is really there, with evidence."),
    "lint": ("ringwall.cli.lint:lint", "Find mistakes in policies, templates and the declaration."),
    "who-can": (
        "ringwall.cli.who_can:who_can",
        "List who can make a call, each with a request that shows it.",
    ),
    "why": ("ringwall.cli.why:why", "Name the statement that denied a request, and the smallest change."),
    "preflight": (
        "ringwall.cli.preflight:preflight",
        "Check from here that the declared calls would go through.",
    ),
    "compare": ("ringwall.cli.compare:compare", "Show what a change newly allows and newly denies."),
    "catalog": (
        "ringwall.cli.catalog:catalog",
        "Look up an action, operation, model, profile or condition key.",
    ),
    "permissions": (
        "ringwall.cli.permissions:permissions",
        "Print the IAM policy that deploying, watching or auditing needs.",
    ),
    "snapshot": ("ringwall.cli.snapshot:snapshot", "Save the observed Estate to a file."),
    "decide": ("ringwall.cli.decide:decide", "Decide requests against policies as AWS would."),
    "sandbox": ("ringwall.cli.sandbox:sandbox", "Run an AWS on this machine that enforces its policies."),
    "demo": ("ringwall.cli.demo:demo", "Tell the whole story against the sandbox."),
    "schema": ("ringwall.cli.schema:schema", "Print the JSON Schema of a file or of a command's output."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they run; listing them costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Command names in the order of a session, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse unknown commands with the nearest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {close[0]}?" if close else " See `ringwall --help`."
            ctx.fail(f"there is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. A reader who has enough (``decide | head``) ends it, and that is no failure."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            outlets.nobody_reads(sys.stdout)
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List commands from the table, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="ringwall")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(debug: bool) -> None:
    """Put a provable security perimeter around Amazon Bedrock.

    Declare in one file who may call which models, from where, behind which guardrail, under which keys, and what is
    recorded. Ringwall proves it, deploys it, audits it and calls it.

    \b
    Example:
      ringwall init && ringwall prove && ringwall plan && ringwall apply
    """
    if debug:
        os.environ["RINGWALL_DEBUG"] = "1"


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit by the contract's codes."""
    be_frugal()
    outlets.open_missing()
    try:
        code = cli.main(args=arguments, prog_name="ringwall", standalone_mode=False)
        outlets.flush()
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        sys.exit(1)
    except RingwallError as error:
        if os.environ.get("RINGWALL_DEBUG"):
            raise
        click.echo(f"ringwall: {error}", err=True)
        for detail in error.details:
            click.echo(f"ringwall: {detail}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if os.environ.get("RINGWALL_DEBUG"):
            raise
        click.echo(f"ringwall: {error}", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
