"""orders pause: how does a person stop sending for a while?"""

import time
from typing import Annotated

import typer

from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.pace import Pause
from orders_cli.opening import open_to_change
from orders_cli.person import whoami
from orders_cli.phrases import moment
from orders_cli.speech import answer
from orders_cli.teaching import command_app, examples
from orders_cli.until import GRAMMAR, local_now, parse_until

app = command_app()


@app.command(epilog=examples("orders pause --until 2h --reason 'their database moves'"))
def pause(
    until: Annotated[
        str | None, typer.Option(help=f"When it ends by itself: {GRAMMAR}. Unset: `orders resume`.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; others see it.")] = "no reason was given",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask on a real account.")] = False,
) -> None:
    """Stop sending within a second, everywhere; orders wait and none is lost."""
    ends_at = parse_until(until, now=local_now()) if until is not None else None
    opened = open_to_change("pause sending", yes=yes)
    value = Pause(whoami(), reason, since=time.time(), until=ends_at)
    change(opened.ledger, lambda pace: steps.pause(pace, value))
    end = f"until {moment(ends_at)}" if ends_at else "until `orders resume`"
    answer(f"paused {end}: {reason}")
