"""orders estimate: what is to be expected of a file, before it is uploaded?"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ledger.report import StatusReport
from orders.file_reading import ReadingLimits, parse_file
from orders.formats import SourceUnreadable, format_of
from orders.parsed_lines import FilePosition
from orders.plain_text import OpenAt
from orders.rate import Rate, RateError, parse_rate
from orders_cli.documents import estimate_document
from orders_cli.estimating import PRICES_OF, Estimate, FileContents, estimate
from orders_cli.failures import ExitCode, UsageWrong
from orders_cli.opening import open_to_read
from orders_cli.phrases import count, duration, moment
from orders_cli.settings import CommandSettings, load_settings
from orders_cli.speech import aligned, answer, answer_json, say
from orders_cli.teaching import command_app, examples
from orders_cli.transfer import check_file

_CHUNK_BYTES = 1 << 17
_ENVELOPE_BYTES = 40
"""What an order takes on the stream beside its body, about."""

app = command_app()


@app.command(
    "estimate", epilog=examples("orders estimate orders.jsonl", "orders estimate o.csv --rate 1/s")
)
def estimate_file(
    file: Annotated[Path, typer.Argument(help="A file of orders.")],
    rate: Annotated[
        str | None, typer.Option(help="Reckon with this pace; then no AWS is needed.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")] = False,
) -> None:
    """Say when a file would be done, whether the stream keeps it for so long, and what it costs.

    Every line is checked as it would be by the upload. Exit code 4 if it would be refused at
    admission.
    """
    check_file(file)
    settings = load_settings()
    meant = _rate(rate) if rate else None
    report = _report(settings, meant)
    contents = _contents(file, ReadingLimits(settings.line_bytes, settings.csv_delimiter))
    found = estimate(contents, rate=meant, report=report, retention_hours=settings.retention_hours)
    if as_json:
        answer_json(estimate_document(found))
    else:
        for line in aligned(_lines(found)):
            answer(line)
        answer(f"prices: {PRICES_OF}")
    if not found.fits:
        raise typer.Exit(ExitCode.REFUSED_ADMISSION)


def _report(settings: CommandSettings, rate: Rate | None) -> StatusReport | None:
    """How things stand, for what is ahead of the file; not needed where a pace is given."""
    if rate is not None and settings.ledger_table is None:
        say("orders: ORDERS_LEDGER_TABLE is not set: reckoning without what may be waiting there")
        return None
    return open_to_read().report()


def _rate(text: str) -> Rate:
    try:
        return parse_rate(text)
    except RateError as error:
        raise UsageWrong(f"{str(error)[0].upper()}{str(error)[1:]}.") from error


def _contents(file: Path, limits: ReadingLimits) -> FileContents:
    orders = invalid = blank = stream_bytes = 0
    try:
        for batch in parse_file(_opener(file), format_of(file.name), FilePosition(), limits):
            orders += len(batch.bodies)
            invalid += len(batch.invalid)
            blank += batch.blank
            stream_bytes += sum(map(len, batch.bodies)) + _ENVELOPE_BYTES * len(batch.bodies)
    except SourceUnreadable as error:
        raise UsageWrong(f"{file} is not what its name says: {error}.") from error
    return FileContents(orders, invalid, blank, stream_bytes)


def _opener(file: Path) -> OpenAt:
    def open_at(offset: int) -> Iterator[bytes]:
        with file.open("rb") as content:
            content.seek(offset)
            while chunk := content.read(_CHUNK_BYTES):
                yield chunk

    return open_at


def _lines(found: Estimate) -> list[tuple[str, str]]:
    contents = found.contents
    lines = [
        ("orders", f"{contents.orders:,}"),
        ("invalid", f"{count(contents.invalid, 'line')}"),
        ("ahead of it", count(found.ahead, "order")),
    ]
    if found.seconds is None:
        return [*lines, ("done", f"nobody can say: {found.reason}")]
    days = found.retention_hours / 24
    kept = f"{days:g} days; it takes {duration(found.needed_hours * 3600.0)} of it with a margin"
    lines += [
        ("done in", duration(found.seconds)),
        ("done at", moment(time.time() + found.seconds)),
        ("stream keeps", kept),
    ]
    if found.advice:
        lines.append(("admission", found.advice))
    lines += [(cost.thing, f"${cost.dollars:,.2f}") for cost in found.costs]
    return [*lines, ("all of it", f"${found.dollars:,.2f}")]
