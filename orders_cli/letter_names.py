"""The dead letter that a person names: UPLOAD/LINE, or UPLOAD for all of an upload."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.uploads.dead_letter import UNREADABLE, DeadLetter, position_of_line
from orders.upload import UploadId
from orders_cli.failures import UsageWrong
from orders_cli.quantities import moment

if TYPE_CHECKING:
    from orders_cli.aws import Aws


@dataclass(frozen=True, slots=True)
class NamedLetters:
    """position: of the one letter that was meant, None for all of the upload."""

    upload: UploadId
    position: str | None = None


def find_named(aws: "Aws", text: str) -> NamedLetters:
    """What `text` names. Raises UsageWrong."""
    name, slash, place = text.strip().partition("/")
    is_unreadable = name == UNREADABLE
    upload = UNREADABLE if is_unreadable else aws.find_account(name).upload.id
    if not slash:
        return NamedLetters(upload)
    if is_unreadable and place:
        return NamedLetters(upload, place)
    if not (place.isascii() and place.isdigit() and int(place)):
        raise UsageWrong(f"{text!r} names no line;", hint=f"write {upload}/LINE, as {upload}/17.")
    return NamedLetters(upload, position_of_line(int(place)))


def read_open_letter(aws: "Aws", named: NamedLetters) -> DeadLetter:
    """The one letter, which nobody has acted on. Raises UsageWrong, which says what happened."""
    position = named.position or ""
    letter = aws.ledger.read_dead_letter(named.upload, position)
    what = f"Line {position.lstrip('0')} of upload {named.upload}"
    if letter is None:
        raise UsageWrong(f"{what} was not refused.")
    if letter.redriven_as:
        raise UsageWrong(f"{what} was sent again already, as upload {letter.redriven_as}.")
    if closure := letter.closure:
        how = f"corrected in upload {closure.corrected_in}" if closure.corrected_in else "dismissed"
        raise UsageWrong(f"{what} was {how} by {closure.by}, {moment(closure.at)}.")
    return letter
