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


def position_of_line(line: int) -> str:
    """The position of an order: its line, so that dead letters sort in file order."""
    return f"{line:012d}"


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
