"""Where text goes: stdout carries only the answer, so that it can be piped; the rest is stderr."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO


def answer(text: str) -> None:
    """Print (a part of) the answer."""
    sys.stdout.write(f"{text}\n")


def answer_json(document: Mapping[str, object]) -> None:
    """Print the answer as one JSON document."""
    answer(json.dumps(document, indent=2, ensure_ascii=False))


def answer_aligned(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of cells in straight columns."""
    for line in aligned(rows):
        answer(line)


def answer_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their headers: in colour on a terminal, otherwise as plain aligned text."""
    if not is_lively(sys.stdout):
        answer_aligned([headers, *rows])
        return
    from rich.console import Console  # noqa: PLC0415 - imported only for a terminal
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, header in enumerate(headers):
        numbers = all(_is_number(row[index]) for row in rows)
        table.add_column(header, justify="right" if rows and numbers else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(file=sys.stdout, highlight=False).print(table)


def say(text: str) -> None:
    """Tell the person at the terminal something other than the answer."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def is_lively(stream: TextIO) -> bool:
    """May colours and moving text be written to this stream?"""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines of text in straight columns; numbers are right-aligned."""
    if not rows:
        return []
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [len(rows) > 1 and all(map(_is_number, column[1:])) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "", 1).isdigit()
