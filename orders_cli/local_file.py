"""The file that a person uploads: whether it can be uploaded, under which key, and its bytes."""

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from orders.formats import SourceUnreadable, format_of
from orders.plain_text import BrokenGzip, OpenAt, plain_text
from orders_cli.failures import UsageWrong

NAME_CHARACTERS = 150
"""Of a long file name only the end goes into the key: it says what the file holds."""

_CHUNK_BYTES = 1 << 17
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


def check_file(path: Path) -> None:
    """Raise UsageWrong, with a sentence, for what cannot be uploaded."""
    if path.is_dir():
        raise UsageWrong(f"{path} is a folder;", hint="upload its files one by one.")
    if not path.exists():
        raise UsageWrong(f"There is no file {path}.")
    if not path.is_file():
        raise UsageWrong(f"{path} is not a file.")
    try:
        format_of(path.name)
    except SourceUnreadable as error:
        raise UsageWrong(f"{path.name} cannot be uploaded: {error.reason}.") from error
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageWrong(f"{path} cannot be read: {error.strerror or error}.") from error


def check_beginning(path: Path) -> None:
    """Raise UsageWrong where a file begins as no file of its name does: nothing would be read."""
    try:
        next(plain_text(local_opener(path), format_of(path.name), 0), None)
    except SourceUnreadable as error:
        raise UsageWrong(f"{path.name} cannot be uploaded: {error}.") from error
    except BrokenGzip as error:
        raise UsageWrong(f"{path.name} cannot be uploaded: line 1: {error}.") from error


def new_key(prefix: str, name: str, *, now: datetime | None = None, token: str = "") -> str:
    """A key that no other upload has: time, random token, and the file's name in safe characters.

    The events of S3 carry keys URL-encoded; plain ones look the same everywhere.
    """
    at = now or datetime.now(UTC)
    plain = _UNSAFE.sub("_", name)[-NAME_CHARACTERS:]
    return f"{prefix}{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{token or secrets.token_hex(4)}-{plain}"


def local_opener(file: Path) -> OpenAt:
    """Opens the file at an offset, as the bucket opens an object."""

    def open_at(offset: int) -> Iterator[bytes]:
        with file.open("rb") as content:
            content.seek(offset)
            while chunk := content.read(_CHUNK_BYTES):
                yield chunk

    return open_at
