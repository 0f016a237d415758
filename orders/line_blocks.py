"""Splitting a stream of bytes into blocks of whole lines, in bounded memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from orders.parsed_lines import FilePosition

KEPT_BYTES = 1024
"""How much of a line that is too long is kept at most, to show it to its owner."""


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Consecutive whole lines.

    text: the lines, each but the last with its line feed; none is too long.
    first_line: the number of its first line, from 1.
    count: how many lines it holds, 1 or more.
    offset: where the next line begins in the text of the file, in bytes.
    ends_file: its last line is the file's last and has no line feed.
    """

    text: bytes
    first_line: int
    count: int
    offset: int
    ends_file: bool = False

    @property
    def end(self) -> FilePosition:
        """The position after its last line."""
        return FilePosition(self.offset, self.first_line + self.count - 1)


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line above the limit, of which only the beginning is kept."""

    beginning: bytes
    line: int
    offset: int

    @property
    def end(self) -> FilePosition:
        """The position after it."""
        return FilePosition(self.offset, self.line)


def split_blocks(
    chunks: Iterable[bytes], *, start: FilePosition, longest_bytes: int
) -> Iterator[LineBlock | LongLine]:
    """Split the text from `start` on into blocks of whole lines.

    Memory is bounded by one chunk and one longest line. A line feed ends a line; a last line
    without one is a line.
    """
    kept_bytes = min(KEPT_BYTES, longest_bytes)  # the same wherever the chunks end
    at, carry, dropped_bytes = start, b"", 0  # the unfinished line, and what was cut off its end
    for chunk in chunks:
        head, line_feed, tail = chunk.rpartition(b"\n")
        if line_feed:
            for piece in _pieces(carry + head, dropped_bytes, at, longest_bytes):
                at = piece.end
                yield piece
            carry, dropped_bytes = b"", 0
        carry += tail
        if dropped_bytes or len(carry) > longest_bytes + 1:  # one more may be a carriage return
            dropped_bytes += len(carry[kept_bytes:])
            carry = carry[:kept_bytes]
    if carry:
        for piece in _pieces(carry, dropped_bytes, at, longest_bytes):
            ended = replace(piece, offset=piece.offset - 1)  # there was no line feed
            yield replace(ended, ends_file=True) if isinstance(ended, LineBlock) else ended


def _pieces(
    text: bytes, dropped_bytes: int, at: FilePosition, longest_bytes: int
) -> Iterator[LineBlock | LongLine]:
    """The lines of a text that begins at `at`, and whose first line lacks `dropped_bytes`."""
    if len(text) <= longest_bytes and not dropped_bytes:
        yield _block(text, at)
        return
    run: list[bytes] = []
    for line in text.split(b"\n"):
        if len(line.removesuffix(b"\r")) <= longest_bytes and not dropped_bytes:
            run.append(line)
            continue
        if run:
            block = _block(b"\n".join(run), at)
            at, run = block.end, []
            yield block
        beginning = line[: min(KEPT_BYTES, longest_bytes)]
        at = FilePosition(at.offset + dropped_bytes + len(line) + 1, at.line + 1)
        dropped_bytes = 0
        yield LongLine(beginning, at.line, at.offset)
    if run:
        yield _block(b"\n".join(run), at)


def _block(text: bytes, at: FilePosition) -> LineBlock:
    return LineBlock(text, at.line + 1, text.count(b"\n") + 1, at.offset + len(text) + 1)
