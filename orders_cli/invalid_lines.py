"""Which lines of an upload were no orders, and why?"""

from collections.abc import Iterator
from itertools import islice

from orders.invalid_report import read_report_parts, report_folder
from orders.parsed_lines import InvalidLine
from orders.upload import UploadId
from orders_cli.storage import Storage

SHOWN_CHARACTERS = 100


def invalid_lines(storage: Storage, prefix: str, upload: UploadId) -> Iterator[InvalidLine]:
    """The rejected lines of an upload in file order, from the report in the bucket."""
    parts = (storage.read(key) for key in storage.keys(report_folder(prefix, upload)))
    yield from read_report_parts(part for part in parts if part is not None)


def first_invalid_lines(storage: Storage, prefix: str, upload: UploadId, most: int) -> list[str]:
    """The first of them as lines of text."""
    rejected = islice(invalid_lines(storage, prefix, upload), most)
    return [f"line {one.line}: {one.reason}: {shown(one.raw)}" for one in rejected]


def shown(raw: bytes) -> str:
    """The beginning of a line, harmless to a terminal."""
    text = raw.decode(errors="backslashreplace")
    plain = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return plain if len(plain) <= SHOWN_CHARACTERS else f"{plain[:SHOWN_CHARACTERS]}…"
