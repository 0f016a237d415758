"""orders pause: stop sending for a while."""

import time
from typing import Annotated

import typer

from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.pace import Pause
from orders_cli.aws import open_to_change
from orders_cli.command_options import (
    UNTIL_GRAMMAR,
    Yes,
    command_app,
    examples,
    until_option,
    whoami,
)
from orders_cli.output import answer
from orders_cli.quantities import moment

app = command_app()


@app.command(epilog=examples("orders pause --until 2h --reason 'database migration'"))
def pause(
    until: Annotated[
        str | None,
        typer.Option(help=f"When to resume: {UNTIL_GRAMMAR}. Omit to wait for `orders resume`."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; others see it.")] = "no reason was given",
    yes: Yes = False,
) -> None:
    """Stop sending for a while.

    It stops everywhere within a second; orders wait and none is lost.
    """
    ends_at = until_option(until)
    aws = open_to_change("pause sending", yes=yes)
    value = Pause(whoami(), reason, since=time.time(), until=ends_at)
    change(aws.ledger, lambda pace: steps.pause(pace, value))
    end = f"until {moment(ends_at)}" if ends_at else "until `orders resume`"
    answer(f"paused {end}: {reason}")
