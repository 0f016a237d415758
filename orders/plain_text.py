"""The plain text of a stored file from any offset on, in bounded memory."""

import zlib
from collections.abc import Callable, Generator, Iterable, Iterator

from orders.formats import Format, Layout, first_text, refuse_other_contents

OpenAt = Callable[[int], Iterable[bytes]]
"""Opens the stored bytes from an offset on, as chunks of any size, which may be empty."""

_OUT_BYTES = 1 << 18
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_MAGIC_BYTES = 4
_BLANK_BYTES = 1 << 16  # of them at the beginning, so many are looked at


class BrokenGzip(Exception):
    """The name of the file ends in .gz, but it is not gzip, or not complete."""


def plain_text(open_at: OpenAt, form: Format, offset: int) -> Generator[bytes, None, None]:
    """The text from `offset` on, in chunks of at most 256 KiB where it was compressed.

    A gzip file cannot be entered in the middle: it is decompressed from the start, which takes
    about 5 s per GB of text. Raises BrokenGzip, and at offset 0 SourceUnreadable if the text begins
    like another kind of file.
    """
    chunks = gunzip(open_at(0)) if form.is_gzip else open_at(offset)
    if not offset:
        yield from _refuse_others(chunks, form.layout)
    elif form.is_gzip:
        yield from _skip(chunks, offset)
    else:
        yield from chunks


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The text of a gzip file of one or more members. Raises BrokenGzip.

    No output chunk exceeds 256 KiB, however well the text was compressed.
    """
    inflate = zlib.decompressobj(_GZIP_WINDOW)
    is_inside, members = False, 0
    for chunk in chunks:
        rest = chunk
        while rest:
            if not is_inside and members:
                rest = rest.lstrip(b"\0")  # tapes and block devices pad with zeros
                if not rest:
                    break
            is_inside = True
            try:
                text = inflate.decompress(rest, _OUT_BYTES)
            except zlib.error as error:
                raise BrokenGzip(
                    "is not gzip" if not members else "the gzip is followed by other bytes"
                ) from error
            if text:
                yield text
            rest = inflate.unconsumed_tail
            if inflate.eof:
                rest = inflate.unused_data
                inflate = zlib.decompressobj(_GZIP_WINDOW)
                is_inside, members = False, members + 1
    if is_inside or not members:
        raise BrokenGzip("the gzip is cut off")


def _skip(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    left = count
    for chunk in chunks:
        if left < len(chunk):
            yield chunk[left:]
        left = max(0, left - len(chunk))


def _refuse_others(chunks: Iterable[bytes], layout: Layout) -> Iterator[bytes]:
    rest = iter(chunks)
    beginning = b""
    for chunk in rest:
        beginning += chunk
        if len(beginning) >= _MAGIC_BYTES and first_text(beginning[:_BLANK_BYTES]):
            break
        if len(beginning) >= _BLANK_BYTES:
            break
    refuse_other_contents(beginning[:_BLANK_BYTES], layout)
    yield beginning
    yield from rest
