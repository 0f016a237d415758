"""The format that a file's name promises, and a check of its first bytes."""

from dataclasses import dataclass
from enum import StrEnum


class Layout(StrEnum):
    """How orders are written in the plain text."""

    JSON_LINES = "JSON lines"
    CSV = "CSV"


@dataclass(frozen=True, slots=True)
class Format:
    """What a file's name says it holds."""

    layout: Layout
    is_gzip: bool


class SourceUnreadable(Exception):
    """From `line` (counted from 1) on, a file is not what its name says."""

    def __init__(self, reason: str, *, line: int) -> None:
        super().__init__(f"line {line}: {reason}")
        self.reason = reason
        self.line = line


BOM = b"\xef\xbb\xbf"

_LAYOUTS = {
    ".jsonl": Layout.JSON_LINES,
    ".ndjson": Layout.JSON_LINES,
    ".json": Layout.JSON_LINES,
    ".csv": Layout.CSV,
}
NAMES_READ = "a name must end in .jsonl, .ndjson, .json or .csv, or one of these with .gz"

_OTHER_CONTENTS = {
    b"\x1f\x8b": "it is gzip: its name must then end in .gz",
    b"PK\x03\x04": "it is a zip archive or a spreadsheet: save it as CSV or JSON lines",
    b"\xff\xfe": "it is UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "it is UTF-16 text: save it as UTF-8",
    b"PAR1": "it is a Parquet file: save it as CSV or JSON lines",
    b"BZh": "it is compressed with bzip2: use gzip",
    b"\x28\xb5\x2f\xfd": "it is compressed with zstd: use gzip",
}


def format_of(name: str) -> Format:
    """The format that a key or file name promises. Raises SourceUnreadable."""
    lower = name.lower()
    stem = lower.removesuffix(".gz")
    for suffix, layout in _LAYOUTS.items():
        if stem.endswith(suffix):
            return Format(layout, is_gzip=stem != lower)
    raise SourceUnreadable(f"the name does not say what the file holds: {NAMES_READ}", line=1)


_JSON_ARRAY = "it is a JSON array: write one order per line, as jq -c '.[]' does"


def refuse_other_contents(beginning: bytes, layout: Layout) -> None:
    """Raise SourceUnreadable if the plain text begins like another kind of file.

    No order begins with a bracket, so JSON whose first character is one is an array of orders.
    """
    for magic, reason in _OTHER_CONTENTS.items():
        if beginning.startswith(magic):
            raise SourceUnreadable(reason, line=1)
    if layout is Layout.JSON_LINES and first_text(beginning).startswith(b"["):
        raise SourceUnreadable(_JSON_ARRAY, line=1)


def first_text(beginning: bytes) -> bytes:
    """The beginning of a text without byte order mark, spaces and blank lines."""
    return beginning.removeprefix(BOM).lstrip(b" \t\r\n")
