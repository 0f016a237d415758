"""orders pace: show or set the rate limit."""

import time
from typing import Annotated

import typer

from ledger.pace import steps
from ledger.pace.change import change
from ledger.pace.pace import Override
from ledger.report import StatusReport, pace_of
from orders.rate import RATE_GRAMMAR
from orders_cli.aws import open_to_change, open_to_read
from orders_cli.command_options import (
    UNTIL_GRAMMAR,
    Yes,
    command_app,
    examples,
    rate_option,
    until_option,
    whoami,
)
from orders_cli.failures import UsageWrong
from orders_cli.json_documents import pace_document
from orders_cli.output import answer, answer_json, say
from orders_cli.status_text import limit_sentences, pace_sentence

DEFAULT = "default"

app = command_app()


@app.command(
    epilog=examples(
        "orders pace",
        "orders pace --json",
        "orders pace 2/s --until 18:00 --reason 'their maintenance window'",
        "orders pace default",
    )
)
def pace(
    rate: Annotated[
        str | None,
        typer.Argument(
            metavar="[RATE|default]",
            help=f"{RATE_GRAMMAR}; `default` restores the configured rate; omit to show the "
            "current rate.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help=f"When the rate expires: {UNTIL_GRAMMAR}.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; others see it.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="The current rate and limits as one JSON document.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Show or set the rate limit.

    A rate set here replaces the configured one (ORDERS_RATE) at once and everywhere. It survives
    restarts and deployments until `orders pace default`.
    """
    if until is not None and rate in (None, DEFAULT):
        raise UsageWrong("--until says when a RATE expires: give a RATE with it.")
    if as_json and rate is not None:
        raise UsageWrong("--json shows the current rate: give no RATE with it.")
    if rate is None:
        _show(open_to_read().report(), as_json=as_json)
        return
    override = None
    if rate != DEFAULT:
        override = Override(str(rate_option(rate)), whoami(), reason, until_option(until))
    aws = open_to_change(f"set the pace to {rate}", yes=yes)
    now = time.time()
    after = change(aws.ledger, lambda pace: steps.override(pace, override, now=now))
    answer(pace_sentence(pace_of(after, now)))
    if after.rate(now) is None:
        say("No rate is configured, so nothing is sent until `orders pace RATE`.")


def _show(report: StatusReport, *, as_json: bool) -> None:
    if as_json:
        answer_json(pace_document(report))
        return
    answer(pace_sentence(report.pace))
    if report.pace.item:
        for line in limit_sentences(report.pace.item, report.at):
            answer(line)
