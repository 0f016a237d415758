"""Where dead letters are kept."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from ledger.uploads.dead_letter import Closure, DeadLetter
from orders.upload import UploadId


class DeadLetters(Protocol):
    """Where refused orders are kept."""

    def put_dead_letter(self, letter: DeadLetter) -> None:
        """Keep it; the same letter again undoes no later change (`redriven_as`, `closure`)."""

    def read_dead_letter(self, upload: UploadId, position: str) -> DeadLetter | None:
        """One letter."""

    def dead_letters(
        self, upload: UploadId | None = None, *, limit: int, with_closed: bool = False
    ) -> Iterable[DeadLetter]:
        """The letters of an upload in file order, or of all uploads, newest first.

        They are read during iteration, so that a million of them need little memory.
        with_closed: those with a closure as well.
        """

    def mark_redriven(self, letter: DeadLetter, *, upload: UploadId) -> bool:
        """Name the upload that sends it again, and count the letter as closed (once).

        False: another upload does, or the letter is gone or closed.
        """

    def close_letters(self, letters: Sequence[DeadLetter], closure: Closure) -> int:
        """Close those of an upload's letters that may be closed, and count them as closed.

        Returns how many were closed; the others were closed, claimed or gone.
        """
