"""orders estimate: what to expect of a file, before it is uploaded."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ledger.report import StatusReport
from orders.file_reading import ReadingLimits
from orders.rate import Rate
from orders_cli.aws import open_to_read
from orders_cli.command_options import AsJson, command_app, examples, rate_option
from orders_cli.costs import PRICES_OF, idle_month
from orders_cli.failures import ExitCode, UsageWrong
from orders_cli.file_check import FileCheck
from orders_cli.file_estimate import FileContents, FileEstimate, estimate_file
from orders_cli.json_documents import estimate_document
from orders_cli.local_file import check_file
from orders_cli.output import answer, answer_aligned, answer_json, say
from orders_cli.quantities import count, duration, moment
from orders_cli.settings import CommandSettings, load_settings

_ENVELOPE_BYTES = 40
"""What an order adds to its body on the stream, roughly."""

app = command_app()


@app.command(epilog=examples("orders estimate orders.jsonl", "orders estimate o.csv --rate 1/s"))
def estimate(
    file: Annotated[Path, typer.Argument(help="A file of orders.")],
    rate: Annotated[
        str | None, typer.Option(help="Assume this rate; then no AWS is needed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Estimate finish date and cost of a file.

    Also says whether the stream keeps it long enough. Every line is checked as the producer would.
    Exit code 4 if the file would be refused at admission.
    """
    check_file(file)
    settings = load_settings()
    assumed = rate_option(rate) if rate else None
    report = _report(settings, assumed)
    contents = _contents(file, settings.reading_limits)
    found = estimate_file(
        contents, rate=assumed, report=report, retention_hours=settings.retention_hours
    )
    if as_json:
        answer_json(estimate_document(found))
    else:
        answer_aligned(_lines(found))
        answer(f"prices: {PRICES_OF}")
    if not found.fits:
        raise typer.Exit(ExitCode.REFUSED_ADMISSION)


def _report(settings: CommandSettings, rate: Rate | None) -> StatusReport | None:
    """What is ahead of the file; not needed where a rate is given."""
    if rate is not None and settings.ledger_table is None:
        say("orders: ORDERS_LEDGER_TABLE is not set: ignoring what may be waiting there")
        return None
    return open_to_read().report()


def _contents(file: Path, limits: ReadingLimits) -> FileContents:
    found = FileCheck(file, limits, shown_lines=0)
    for _ in found.read():
        pass
    if found.unreadable:
        raise UsageWrong(f"{file} is not what its name says: {found.unreadable}.")
    stream_bytes = found.order_bytes + _ENVELOPE_BYTES * found.orders
    return FileContents(found.orders, found.invalid, found.blank, stream_bytes)


def _lines(found: FileEstimate) -> list[tuple[str, str]]:
    contents = found.contents
    which = "; `orders check` shows them" if contents.invalid else ""
    lines = [
        ("orders", f"{contents.orders:,}"),
        ("invalid", f"{count(contents.invalid, 'line')}{which}"),
        ("ahead of it", count(found.ahead, "order")),
    ]
    if found.seconds is None:
        return [*lines, ("done", f"unknown: {found.reason}")]
    days = found.retention_hours / 24
    kept = f"{days:g} days; the file needs {duration(found.needed_hours * 3600.0)} with a margin"
    lines += [
        ("done in", duration(found.seconds)),
        ("done at", moment(time.time() + found.seconds)),
        ("stream keeps", kept),
    ]
    if found.advice:
        lines.append(("admission", found.advice))
    lines += [(cost.thing, f"${cost.dollars:,.2f}") for cost in found.costs]
    return [
        *lines,
        ("total", f"${found.dollars:,.2f}"),
        ("beside it", f"${found.lambda_dollars:,.2f} for a Lambda function that waits instead"),
        ("an idle month", f"${idle_month(found.retention_hours):,.2f}"),
    ]
