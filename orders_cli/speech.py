"""Where does the command's answer go, and where all else that it says?

stdout carries only the answer, so that it can be piped; everything else goes to stderr.
"""

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


def say(text: str) -> None:
    """Tell the person at the terminal something beside the answer."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def is_lively(stream: TextIO) -> bool:
    """May colours and moving text be written to this stream?"""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def answer_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their headers: in colour on a terminal, else as plain aligned text."""
    if not is_lively(sys.stdout):
        for line in aligned([headers, *rows]):
            answer(line)
        return
    from rich.console import Console  # noqa: PLC0415 - only who looks at a terminal pays for it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, header in enumerate(headers):
        numbers = all(_is_number(row[index]) for row in rows)
        table.add_column(header, justify="right" if rows and numbers else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(file=sys.stdout, highlight=False).print(table)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines of text with straight columns; numbers stand to the right."""
    if not rows:
        return []
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    right = [
        len(rows) > 1 and all(_is_number(row[index]) for row in rows[1:])
        for index in range(len(widths))
    ]
    return [
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "", 1).isdigit()
