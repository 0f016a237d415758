"""Which whole lines does a stream of bytes hold?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

KEPT_BYTES = 1024
"""What is kept at most of a line that is too long, to show it to its owner."""


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Whole lines that follow each other.

    text: the lines, each but the last with its line feed; none is too long.
    first_line: the number of its first line, from 1.
    count: how many lines it holds, 1 or more.
    offset: where the next line begins in the text of the file, in bytes.
    """

    text: bytes
    first_line: int
    count: int
    offset: int


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line above the limit, of which only the beginning is kept."""

    beginning: bytes
    line: int
    offset: int


def split_blocks(
    chunks: Iterable[bytes], *, offset: int, line: int, longest_bytes: int
) -> Iterator[LineBlock | LongLine]:
    """Cut a text into blocks of whole lines.

    The text begins at `offset`, where `line` lines were dealt with. Memory is bounded by one chunk
    and one longest line. A line feed ends a line; a last line without one is a line.
    """
    cutter = _Cutter(offset, line, longest_bytes)
    for chunk in chunks:
        yield from cutter.take(chunk)
    yield from cutter.finish()


class _Cutter:
    """Holds the line that the chunks so far left unfinished."""

    def __init__(self, offset: int, line: int, longest_bytes: int) -> None:
        self._offset = offset
        self._line = line
        self._longest_bytes = longest_bytes
        self._kept_bytes = min(KEPT_BYTES, longest_bytes)  # the same however the chunks fall
        self._carry = b""
        self._long_bytes = 0  # of the unfinished line, once it is too long; _carry is then cut

    def take(self, chunk: bytes) -> Iterator[LineBlock | LongLine]:
        """The blocks that are complete with this chunk."""
        start = 0
        if self._long_bytes:
            end = chunk.find(b"\n")
            self._long_bytes += len(chunk) if end < 0 else end
            if end < 0:
                return
            yield self._end_long(ending_bytes=1)
            start = end + 1
        cut = chunk.rfind(b"\n")
        if cut >= start:
            text = self._carry + chunk[start:cut]
            self._carry = b""
            yield from self._whole(text)
            start = cut + 1
        self._carry += chunk[start:]
        if len(self._carry) > self._longest_bytes + 1:  # one more may be a carriage return
            self._long_bytes = len(self._carry)
            self._carry = self._carry[: self._kept_bytes]

    def finish(self) -> Iterator[LineBlock | LongLine]:
        """What is left when the text ends without a line feed."""
        if self._long_bytes:
            yield self._end_long(ending_bytes=0)
        elif self._carry:
            for piece in self._whole(self._carry):
                yield replace(piece, offset=piece.offset - 1)  # no line feed was there

    def _whole(self, text: bytes) -> Iterator[LineBlock | LongLine]:
        if len(text) <= self._longest_bytes:
            yield self._block(text)
            return
        run: list[bytes] = []
        for one in text.split(b"\n"):
            if len(one.removesuffix(b"\r")) <= self._longest_bytes:
                run.append(one)
                continue
            if run:
                yield self._block(b"\n".join(run))
                run = []
            self._long_bytes, self._carry = len(one), one[: self._kept_bytes]
            yield self._end_long(ending_bytes=1)
        if run:
            yield self._block(b"\n".join(run))

    def _block(self, text: bytes) -> LineBlock:
        first, count = self._line + 1, text.count(b"\n") + 1
        self._line += count
        self._offset += len(text) + 1
        return LineBlock(text, first, count, self._offset)

    def _end_long(self, *, ending_bytes: int) -> LongLine:
        self._line += 1
        self._offset += self._long_bytes + ending_bytes
        beginning, self._carry, self._long_bytes = self._carry, b"", 0
        return LongLine(beginning, self._line, self._offset)
