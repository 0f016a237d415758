"""orders dead-letters export: refused orders as a file."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import typer

from ledger.uploads.dead_letter import UNREADABLE, DeadLetter
from orders.upload import UploadId
from orders_cli.aws import Aws, open_to_read
from orders_cli.command_options import OfUpload
from orders_cli.corrections import MANY_LETTERS
from orders_cli.failures import ExitCode, UsageWrong
from orders_cli.json_documents import dead_letter_fields
from orders_cli.letter_names import find_named
from orders_cli.output import say
from orders_cli.quantities import count
from orders_cli.source_orders import orders_of_upload, with_bodies

EXPORT_EXAMPLES = (
    "orders dead-letters export --upload 5f3a --form bodies --to corrected.jsonl",
    "orders dead-letters export --form csv --to refused.csv",
)
CSV_COLUMNS = (
    *("upload", "line", "order_id", "status", "reason", "answer", "attempts"),
    *("first_attempt_at", "refused_at", "redriven_as", "body"),
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class ExportForm(StrEnum):
    """What a line of the file is."""

    JSON = "json"
    CSV = "csv"
    BODIES = "bodies"


def export(
    upload: OfUpload = None,
    form: Annotated[
        ExportForm,
        typer.Option(
            help="json: each letter as a line of JSON, csv: as a row for a spreadsheet (a ' stands "
            "before what would be a formula), "
            "bodies: each order as it was, to be corrected and uploaded again."
        ),
    ] = ExportForm.JSON,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="A new file; else stdout.")
    ] = None,
) -> None:
    """Write the refused orders that wait for a person to a file, upload by upload in file order.

    Those sent again, dismissed or corrected are left out. Correct the orders of `--form bodies`
    and send them by `orders upload FILE --corrects UPLOAD`.

    Exit codes: 0 all are written, 3 the order of some is lost.
    """
    aws = open_to_read(with_bucket=form is ExportForm.BODIES)
    uploads = [find_named(aws, upload).upload] if upload else _uploads(aws)
    lost: list[str] = []
    with _output(to) as file:
        written = 0
        for line in _lines(aws, uploads, form, lost):
            file.write(line)
            written += 1
    for sentence in lost:
        say(sentence)
    say(f"{count(written - (form is ExportForm.CSV), 'refused order')} written.")
    if lost:
        raise typer.Exit(ExitCode.PROBLEMS)


def _uploads(aws: Aws) -> list[UploadId]:
    unreadable = aws.ledger.dead_letters(UNREADABLE, limit=1)
    return [*sorted(aws.ledger.redrivable_uploads()), *({one.upload for one in unreadable})]


def _lines(
    aws: Aws, uploads: Iterable[UploadId], form: ExportForm, lost: list[str]
) -> Iterator[bytes]:
    if form is ExportForm.CSV:
        yield _csv_row(CSV_COLUMNS)
    for upload in uploads:
        letters = (
            one for one in aws.ledger.dead_letters(upload, limit=MANY_LETTERS) if one.is_open
        )
        match form:
            case ExportForm.BODIES:
                yield from _bodies(aws, upload, letters, lost)
            case ExportForm.JSON:
                for letter in letters:
                    yield (
                        json.dumps(dead_letter_fields(letter), ensure_ascii=False).encode() + b"\n"
                    )
            case ExportForm.CSV:
                for letter in letters:
                    fields = dead_letter_fields(letter)
                    yield _csv_row("" if (it := fields[n]) is None else it for n in CSV_COLUMNS)


def _csv_row(cells: Iterable[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(_no_formula(it) if isinstance(it, str) else it for it in cells)
    return text.getvalue().encode()


def _no_formula(cell: str) -> str:
    """The cell, so that a spreadsheet shows it: what shops and the API wrote is no formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _bodies(
    aws: Aws, upload: UploadId, letters: Iterable[DeadLetter], lost: list[str]
) -> Iterator[bytes]:
    if upload == UNREADABLE:
        lost += [f"Record {one.position} of the stream is no order." for one in letters]
        return
    orders = orders_of_upload(aws.ledger, aws.bucket, upload, aws.settings.reading_limits)
    for letter, body, why in with_bodies(letters, orders):
        if body is None:
            lost.append(
                f"Line {letter.line} of upload {upload} is not written: it was too large for the "
                f"ledger, and {why}."
            )
        else:
            yield body + b"\n"


@contextmanager
def _output(to: Path | None) -> Iterator[IO[bytes]]:
    """The file, which is there whole or not at all. Raises UsageWrong."""
    if to is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    try:
        with to.open("xb") as file:
            try:
                yield file
            except BaseException:
                to.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageWrong(f"{to} cannot be written: {error.strerror or error}.") from error
