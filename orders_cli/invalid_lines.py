"""The lines of an upload that were not orders, from the report in the bucket."""

from collections.abc import Iterator

from orders.invalid_report import read_report_parts, report_folder
from orders.parsed_lines import InvalidLine
from orders.upload import UploadId
from orders_cli.bucket import UploadBucket

SHOWN_CHARACTERS = 100


def invalid_lines(bucket: UploadBucket, prefix: str, upload: UploadId) -> Iterator[InvalidLine]:
    """The invalid lines of an upload in file order."""
    parts = (bucket.read(key) for key in bucket.keys(report_folder(prefix, upload)))
    yield from read_report_parts(part for part in parts if part is not None)


def invalid_line_text(invalid: InvalidLine) -> str:
    """An invalid line for people: its number, the reason, and how it starts."""
    return f"line {invalid.line}: {invalid.reason}: {shown(invalid.raw)}"


def shown(raw: bytes) -> str:
    """The beginning of a text, safe to print on a terminal."""
    text = raw.decode(errors="backslashreplace")
    plain = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return plain if len(plain) <= SHOWN_CHARACTERS else f"{plain[:SHOWN_CHARACTERS]}…"
