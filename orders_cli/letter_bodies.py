"""What are the bodies of an upload's dead letters, also of those too large for the ledger?

Those are read from the file that was uploaded, which may be gone by then: a bucket's lifecycle may
remove it.
"""

from collections.abc import Callable, Iterable, Iterator

from ledger.uploads.dead_letter import DeadLetter
from orders.formats import SourceUnreadable
from orders_cli.source_lines import OrderLine


class BodyLost(Exception):
    """Neither the ledger nor the uploaded file has the body; the message says why."""


class LetterBodies:
    """The bodies of an upload's letters, which are asked for in file order.

    open_lines: the orders of the file in file order. It is called, once, where it is needed, and
        may raise SourceUnreadable, as may its iterator.
    """

    def __init__(self, open_lines: Callable[[], Iterable[OrderLine]]) -> None:
        self._open_lines = open_lines
        self._lines: Iterator[OrderLine] | None = None
        self._order: OrderLine | None = None
        self._why = "its file has no such order"

    def body_of(self, letter: DeadLetter) -> bytes:
        """The body. Raises BodyLost."""
        if letter.body:
            return letter.body
        try:
            self._go_to(letter.line)
        except SourceUnreadable as error:
            # A generator that raised is at its end: no later line will be found either.
            self._order, self._why = None, f"its file cannot be read: {error.reason}"
        if self._order is None or self._order.line != letter.line:
            raise BodyLost(self._why)
        return self._order.body

    def _go_to(self, line: int) -> None:
        """Read on to the line, or to the first order behind it."""
        if self._lines is None:
            self._lines = iter(())
            self._lines = iter(self._open_lines())
            self._order = next(self._lines, None)
        while self._order is not None and self._order.line < line:
            self._order = next(self._lines, None)
