"""The `orders` program: its commands, and how it ends.

Only the module of the command that was typed is imported, so that each starts fast.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup
from typing_extensions import override

from orders_cli.failures import failure_of

if TYPE_CHECKING:
    from typer._click import Command, Context

COMMANDS = [
    *("demo", "sandbox", "upload", "uploads", "status", "cancel", "pace", "pause", "resume"),
    *("dead-letters", "check", "estimate", "doctor", "deploy", "destroy", "env"),
]
"""In the order of `--help`; each has a module in orders_cli/commands."""


class CommandsOnDemand(TyperGroup):
    """The commands, each imported when it is used."""

    @override
    def list_commands(self, ctx: "Context") -> list[str]:
        return COMMANDS

    @override
    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"orders_cli.commands.{cmd_name.replace('-', '_')}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=CommandsOnDemand,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Start with: orders demo",
)


@app.callback()
def orders() -> None:
    """Send files of orders to a rate-limited API: paced, in order, without losing one.

    Commands act on the AWS of the environment (AWS_REGION, AWS_PROFILE or AWS_ENDPOINT_URL, and
    ORDERS_LEDGER_TABLE, ORDERS_BUCKET), and say on stderr which one that is.
    """


def main() -> None:
    """Run the command line; ends the process with an exit code of docs/commands.md."""
    try:
        app(prog_name="orders")
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        sys.stderr.write(f"orders: {failure}\n")
        sys.exit(failure.exit_code)


if __name__ == "__main__":
    main()
