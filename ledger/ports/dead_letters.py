"""Where dead letters are kept."""

from collections.abc import Iterable
from typing import Protocol

from ledger.uploads.dead_letter import DeadLetter
from orders.upload import UploadId


class DeadLetters(Protocol):
    """Where refused orders are kept."""

    def put_dead_letter(self, letter: DeadLetter) -> None:
        """Keep it; the same letter again does not undo later changes (`redriven_as`)."""

    def read_dead_letter(self, upload: UploadId, position: str) -> DeadLetter | None:
        """One letter."""

    def dead_letters(self, upload: UploadId | None = None, *, limit: int) -> Iterable[DeadLetter]:
        """The letters of an upload in file order, or of all uploads, newest first.

        They are read during iteration, so that a million of them need little memory.
        """

    def mark_redriven(self, letter: DeadLetter, *, upload: UploadId) -> bool:
        """Name the upload that sends it again. False: another one does, or the letter is gone."""
