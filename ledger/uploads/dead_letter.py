"""A dead letter: what is kept of a refused order, so that a person can act on it."""

from dataclasses import dataclass, replace

from orders.upload import UploadId

UNREADABLE = UploadId("unreadable")
"""The upload under which records of the stream that are not envelopes are filed."""

BODY_BYTES_MAX = 300_000
"""DynamoDB takes 400 kB an item. A longer body is not kept, because the object still has the line;
of a longer record that is not an envelope, which exists nowhere else, the first bytes are."""
TEXT_CHARACTERS_MAX = 2_000
"""How much of the reason and of the API's answer is kept."""
ORDER_ID_CHARACTERS_MAX = 256
"""How much of an order id is kept; a valid one has at most 128 characters."""


@dataclass(frozen=True, slots=True)
class Closure:
    """Why nobody needs to act on a dead letter any more, though its order is not sent again.

    corrected_in: the upload that sent a corrected order with this id; None: a person dismissed it.
    """

    at: float
    by: str
    reason: str
    corrected_in: UploadId | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused order. Times are seconds since the epoch.

    position: names it within its upload: the line, 12 digits; for a record that is not an envelope
        its sequence and sub-sequence number.
    body: what was (or would have been) sent; the ledger stores large ones as a pointer to the
        object's version and line and then reads it as None. Of a large record that is not an
        envelope it keeps the first BODY_BYTES_MAX bytes.
    status: the API's last HTTP status, None where there was none.
    reason: why it was refused, for a person. answer: the start of the API's last answer.
    redriven_as: the upload in which it was sent again.
    redrive_key: the redrive that claimed it (`ledger.uploads.redrive`), by the key of its file.
    closure: that it was dismissed or corrected; it is kept, but neither listed nor sent again.
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
    redrive_key: str | None = None
    closure: Closure | None = None

    @property
    def is_open(self) -> bool:
        """Does it wait for a person: not sent again, dismissed or corrected?"""
        return self.redriven_as is None and self.closure is None


def position_of_line(line: int) -> str:
    """The position of an order: its line, so that dead letters sort in file order."""
    return f"{line:012d}"


def letter_state(letter: DeadLetter) -> str:
    """In a word: open, sent again, dismissed or corrected."""
    if letter.redriven_as:
        return "redriven"
    if letter.closure:
        return "corrected" if letter.closure.corrected_in else "dismissed"
    return "open"


def is_closable(letter: DeadLetter) -> bool:
    """May the letter be closed? Not while a redrive has claimed it: its order is being sent."""
    return letter.is_open and letter.redrive_key is None


def as_kept(letter: DeadLetter) -> DeadLetter:
    """The letter as a ledger keeps it, small enough whatever the stream or the API sent.

    The reason of a record that is not an envelope and was cut says so.
    """
    body, cut = letter.body, ""
    if body is not None and len(body) > BODY_BYTES_MAX:
        if letter.upload == UNREADABLE:
            cut = f"; only the first {BODY_BYTES_MAX} of its {len(body)} bytes are kept"
            body = body[:BODY_BYTES_MAX]
        else:
            body = None
    return replace(
        letter,
        order_id=_bounded(letter.order_id, ORDER_ID_CHARACTERS_MAX),
        body=body,
        reason=_bounded(letter.reason, TEXT_CHARACTERS_MAX - len(cut)) + cut,
        answer=_bounded(letter.answer, TEXT_CHARACTERS_MAX),
    )


def _bounded(text: str, characters_max: int) -> str:
    """The start of a text, with what UTF-8 cannot express (lone surrogates) escaped."""
    start = text[:characters_max]
    return start.encode("utf-8", "backslashreplace").decode("utf-8")[:characters_max]
