"""What a file of orders holds, read as the producer would, in bounded memory."""

from collections.abc import Iterator
from pathlib import Path

from orders.file_reading import ReadingLimits, parse_file
from orders.formats import SourceUnreadable, format_of
from orders.parsed_lines import FilePosition, InvalidLine
from orders_cli.local_file import local_opener


class FileCheck:
    """The counts of a file, and its first invalid lines.

    unreadable: from where on the file is not what its name says, and why.
    """

    def __init__(self, file: Path, limits: ReadingLimits, *, shown_lines: int) -> None:
        self._file = file
        self._limits = limits
        self._shown_lines = shown_lines
        self.orders = self.invalid = self.blank = self.order_bytes = 0
        self.shown: list[InvalidLine] = []
        self.unreadable: SourceUnreadable | None = None

    def read(self) -> Iterator[int]:
        """Read to the end; yields, now and then, the number of the last line read."""
        try:
            parts = parse_file(
                local_opener(self._file), format_of(self._file.name), FilePosition(), self._limits
            )
            for part in parts:
                self.orders += len(part.bodies)
                self.invalid += len(part.invalid)
                self.blank += part.blank
                self.order_bytes += sum(map(len, part.bodies))
                self.shown += part.invalid[: self._shown_lines - len(self.shown)]
                yield part.end.line
        except SourceUnreadable as error:
            self.unreadable = error

    @property
    def hidden(self) -> int:
        """How many invalid lines are not among those shown."""
        return self.invalid - len(self.shown)

    @property
    def is_good(self) -> bool:
        """Is every line an order or blank?"""
        return not self.invalid and self.unreadable is None
