"""orders pace: at which pace is sent, and who says so?"""

import time
from typing import Annotated

import typer

from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.pace import Override
from ledger.report import pace_of
from orders.rate import RATE_GRAMMAR, RateError, parse_rate
from orders_cli.failures import UsageWrong
from orders_cli.headline import pace_sentence
from orders_cli.opening import open_to_change, open_to_read
from orders_cli.person import whoami
from orders_cli.speech import answer, say
from orders_cli.teaching import command_app, examples
from orders_cli.until import GRAMMAR, local_now, parse_until

DEFAULT = "default"

app = command_app()


@app.command(
    epilog=examples(
        "orders pace",
        "orders pace 2/s --until 18:00 --reason 'their maintenance window'",
        "orders pace default",
    )
)
def pace(
    rate: Annotated[
        str | None,
        typer.Argument(
            metavar="[RATE|default]",
            help=f"{RATE_GRAMMAR}; `default` goes back to the configured one; nothing shows it.",
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(help=f"When it ends by itself: {GRAMMAR}.")] = None,
    reason: Annotated[str, typer.Option(help="Why; others see it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask on a real account.")] = False,
) -> None:
    """Set the pace over the configured one (ORDERS_RATE), at once and everywhere.

    It survives restarts and deployments until `orders pace default`.
    """
    if until is not None and rate in (None, DEFAULT):
        raise UsageWrong("--until says when a RATE ends: give one with it.")
    if rate is None:
        answer(pace_sentence(open_to_read().report().pace))
        return
    override = None if rate == DEFAULT else _override(rate, until, reason)
    opened = open_to_change(f"set the pace to {rate}", yes=yes)
    now = time.time()
    after = change(opened.ledger, lambda pace: steps.override(pace, override, now=now))
    answer(pace_sentence(pace_of(after, now)))
    if after.rate(now) is None:
        say("No pace is configured, so nothing is sent until `orders pace RATE`.")


def _override(rate: str, until: str | None, reason: str) -> Override:
    try:
        meant = parse_rate(rate)
    except RateError as error:
        raise UsageWrong(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    ends_at = parse_until(until, now=local_now()) if until is not None else None
    return Override(str(meant), whoami(), reason, ends_at)
