"""orders check: the lines of a file that are no orders, before it is uploaded."""

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from ledger.uploads.duplicate import Duplicates
from orders.repeated_ids import RepeatedId, repeated_ids
from orders_cli.command_options import AsJson, command_app, examples
from orders_cli.failures import ExitCode
from orders_cli.file_check import FileCheck
from orders_cli.invalid_lines import invalid_line_text, shown
from orders_cli.json_documents import document
from orders_cli.local_file import check_file
from orders_cli.output import answer, answer_json, is_lively, say
from orders_cli.quantities import count
from orders_cli.repeated_lines import parts_of, repeat_sentences
from orders_cli.settings import load_settings

SHOWN_LINES = 20
PROGRESS_SECONDS = 1.0

app = command_app()


@app.command(epilog=examples("orders check orders.jsonl", "orders check o.csv.gz --limit 100"))
def check(
    file: Annotated[Path, typer.Argument(help="A file of orders.")],
    limit: Annotated[
        int, typer.Option(min=0, max=100_000, help="Show at most so many invalid lines.")
    ] = SHOWN_LINES,
    as_json: AsJson = False,
) -> None:
    """Check every line of a file as the producer would, before it is uploaded.

    Shows each invalid line with its number and the reason, and on stderr each order that repeats
    an order id of the file (unless ORDERS_DUPLICATES=allow). Needs no AWS. Exit code 3 if the file
    has invalid lines, or is not what its name says from some line on.
    """
    check_file(file)
    settings = load_settings()
    found = FileCheck(file, settings.reading_limits, shown_lines=limit)
    _follow(found)
    repeats: Iterator[RepeatedId] = iter(())
    if settings.duplicates is not Duplicates.ALLOW:
        repeats = repeated_ids(lambda: parts_of(file, settings.reading_limits))
    if as_json:
        first = list(islice(repeats, limit))
        more = sum(1 for _ in repeats)
        answer_json(
            _document(found) | {"repeated_ids": len(first) + more, "repeats": _repeats(first)}
        )
    else:
        _answer_text(found)
        for sentence in repeat_sentences(repeats, shown=limit):
            say(f"orders: {sentence}")
    if not found.is_good:
        raise typer.Exit(ExitCode.PROBLEMS)


def _follow(found: FileCheck) -> None:
    """Read to the end, with the progress on a terminal."""
    moves, said_at = is_lively(sys.stderr), time.monotonic()
    for line in found.read():
        if moves and time.monotonic() - said_at >= PROGRESS_SECONDS:
            said_at = time.monotonic()
            sys.stderr.write(f"\r\x1b[2Kchecked {count(line, 'line')}, {found.invalid:,} invalid")
            sys.stderr.flush()
    if moves:
        sys.stderr.write("\r\x1b[2K")


def _answer_text(found: FileCheck) -> None:
    for invalid in found.shown:
        answer(invalid_line_text(invalid))
    if found.hidden:
        say(f"orders: {count(found.hidden, 'more invalid line')}; --limit shows more")
    if found.unreadable:
        answer(f"{found.unreadable}; nothing after that would be read")
    answer(
        f"{count(found.orders, 'order')}, {count(found.invalid, 'invalid line')}, "
        f"{count(found.blank, 'blank line')}"
    )


def _repeats(repeats: Sequence[RepeatedId]) -> list[dict[str, object]]:
    return [
        {"line": one.line, "order_id": one.order_id, "first_line": one.first_line}
        for one in repeats
    ]


def _document(found: FileCheck) -> dict[str, object]:
    unreadable = found.unreadable
    return document(
        orders=found.orders,
        invalid=found.invalid,
        blank=found.blank,
        lines=[
            {"line": one.line, "reason": one.reason, "text": shown(one.raw)} for one in found.shown
        ],
        unreadable=({"line": unreadable.line, "reason": unreadable.reason} if unreadable else None),
    )
