"""What is kept of a refused order, so that a person can act on it?"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from orders.upload import UploadId

UNREADABLE = UploadId("unreadable")
"""The upload that records of the stream which are no envelopes are filed under."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused order. Times are seconds since the epoch.

    position: names it within its upload: the line, 12 digits; for a record that is no envelope its
        sequence and sub-sequence number.
    body: what was (or would have been) sent; the ledger stores large ones as a pointer to the
        object's version and line and then reads it as None.
    status: the API's last HTTP status, None where there was none.
    reason: why it was refused, for a person. answer: the start of the API's last answer.
    redriven_as: the upload in which it was sent again.
    """

    upload: UploadId
    position: str
    lane: int
    line: int
    order_id: str
    body: bytes | None
    status: int | None
    reason: str
    answer: str
    attempts: int
    first_attempt_at: float
    refused_at: float
    redriven_as: UploadId | None = None


def position_of_line(line: int) -> str:
    """The position of an order: its line, so that dead letters sort in file order."""
    return f"{line:012d}"


class DeadLetters(Protocol):
    """Where refused orders are kept."""

    def put_dead_letter(self, letter: DeadLetter) -> None:
        """Keep it; the same letter again changes nothing that was added since (`redriven_as`)."""

    def read_dead_letter(self, upload: UploadId, position: str) -> DeadLetter | None:
        """One letter."""

    def dead_letters(self, upload: UploadId | None = None, *, limit: int) -> Iterable[DeadLetter]:
        """The letters of an upload in file order, or of all uploads, newest first."""

    def mark_redriven(self, letter: DeadLetter, *, upload: UploadId) -> bool:
        """Name the upload that sends it again. False: it was redriven before."""
