"""Which dead letters were corrected: their order ids were sent by an upload of corrected orders.

Such an upload says in its key what it corrects, from the moment when it is stored, whoever is
killed after that. Its order closes the letters with its id once the API has answered it: accepted,
or refused again, which is a dead letter of the new upload then. An order that is invalid there,
cancelled, missing, or not let in closes nothing.

Ids are compared when somebody asks, by reading the corrected file again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ledger.ports.dead_letters import DeadLetters
from ledger.ports.uploads import UploadLedger
from ledger.uploads.dead_letter import (
    UNREADABLE,
    Closure,
    DeadLetter,
    is_closable,
    position_of_line,
)
from ledger.uploads.upload import Account
from orders.file_reading import ReadingLimits
from orders.formats import SourceUnreadable
from orders.upload import UploadId, lane_number_of
from orders.upload_keys import corrected_by
from orders_cli.failures import UsageWrong
from orders_cli.local_file import local_opener
from orders_cli.output import say
from orders_cli.quantities import count
from orders_cli.source_orders import OrderLine, order_lines

if TYPE_CHECKING:
    from orders_cli.aws import Aws
    from orders_cli.bucket import UploadBucket

MANY_LETTERS = 10_000_000
CLOSED_AT_ONCE = 500


class CorrectedLedger(UploadLedger, DeadLetters, Protocol):
    """The parts of the ledger that corrections need."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """closed: how many letters were closed. waiting: ids that an upload still has to send."""

    closed: int = 0
    waiting: dict[str, UploadId] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Corrections:
    """Closes letters that were corrected.

    on_lost: told of a correcting upload whose file is gone, and why; it closes nothing.
    """

    ledger: CorrectedLedger
    bucket: "UploadBucket"
    limits: ReadingLimits
    on_lost: Callable[[UploadId, str], None]

    def close(self, upload: UploadId, *, by: str, now: float) -> Corrected:
        """Close the letters of an upload that were corrected, and find those that will be."""
        corrections = list(self._corrections(upload))
        if not corrections:
            return Corrected()
        newest = max(account.upload.created_at for account in corrections)
        ids = {one.order_id for one in self._letters(upload) if one.refused_at <= newest}
        answered: dict[str, Account] = {}
        waiting: dict[str, UploadId] = {}
        for account in corrections:
            for order, is_answered in self._fates(account, ids):
                if is_answered:
                    answered[order.order_id] = account
                else:
                    waiting[order.order_id] = account.upload.id
        closed = self._close(upload, answered, by=by, now=now) if answered else 0
        return Corrected(closed, {one: waiting[one] for one in waiting if one not in answered})

    def _corrections(self, upload: UploadId) -> Iterator[Account]:
        original = None if upload == UNREADABLE else self.ledger.read_account(upload)
        if original is None:
            return
        since = original.upload.created_at
        listed = {
            account.upload.id: account.upload.created_at
            for some in (self.ledger.open_accounts(), self.ledger.ended_accounts(since=since))
            for account in some
            if corrected_by(account.upload.source.key) == upload
        }
        for found in sorted(listed, key=lambda one: listed[one]):
            account = self.ledger.read_account(found)  # with its lanes, which a list may lack
            if account is not None:
                yield account

    def _fates(self, account: Account, ids: set[str]) -> Iterator[tuple[OrderLine, bool]]:
        """Each corrected order that was answered (True), or is still to be sent (False)."""
        upload = account.upload
        lanes = {int(lane.key.lane): lane for lane in account.lanes}
        orders = order_lines(self.bucket.opener(upload.source), upload.source.key, self.limits)
        try:
            for order in orders:
                if order.order_id not in ids:
                    continue
                number = lane_number_of(order.order_id, upload.lanes) if upload.lanes else 0
                lane = lanes.get(number)
                if lane is None or not lane.is_settled(order.line):
                    if upload.listed_open and not account.is_cancelling:
                        yield order, False
                # Which of a lane's orders were cancelled, nobody knows.
                elif not lane.tally.cancelled or self._was_refused(upload.id, order):
                    yield order, True
        except SourceUnreadable as error:
            self.on_lost(upload.id, error.reason)

    def _was_refused(self, upload: UploadId, order: OrderLine) -> bool:
        return self.ledger.read_dead_letter(upload, position_of_line(order.line)) is not None

    def _close(self, upload: UploadId, answered: dict[str, Account], *, by: str, now: float) -> int:
        closed = 0
        for account in dict.fromkeys(answered.values()):
            correcting = account.upload
            closure = Closure(now, by, "corrected", corrected_in=correcting.id)
            letters = (
                one
                for one in self._letters(upload)
                if answered.get(one.order_id) is account and one.refused_at <= correcting.created_at
            )
            while some := list(islice(letters, CLOSED_AT_ONCE)):
                closed += self.ledger.close_letters(some, closure)
        return closed

    def _letters(self, upload: UploadId) -> Iterator[DeadLetter]:
        return filter(is_closable, self.ledger.dead_letters(upload, limit=MANY_LETTERS))


def corrections_in(aws: "Aws") -> Corrections:
    """The corrections in the AWS of a command; a file that is gone is named on stderr."""

    def on_lost(upload: UploadId, why: str) -> None:
        say(f"Upload {upload} corrects orders, but its file cannot be read: {why}.")

    return Corrections(aws.ledger, aws.bucket, aws.settings.reading_limits, on_lost)


def corrected_sentence(aws: "Aws", file: Path, original: UploadId) -> str:
    """How many open dead letters a file corrects. Raises UsageWrong where it is none."""
    letters = filter(is_closable, aws.ledger.dead_letters(original, limit=MANY_LETTERS))
    ids = [letter.order_id for letter in letters]
    found, limits = set(ids), aws.settings.reading_limits
    try:
        corrected = {
            order.order_id
            for order in order_lines(local_opener(file), file.name, limits)
            if order.order_id in found
        }
    except SourceUnreadable as error:
        raise UsageWrong(f"{file} is not what its name says: {error}.") from error
    if not corrected:
        raise UsageWrong(
            f"No order of {file} has the id of an open dead letter of upload {original}.",
            hint=f"See `orders dead-letters list --upload {original}`.",
        )
    matched = sum(one in corrected for one in ids)
    return f"It corrects {matched:,} of the {count(len(ids), 'open dead letter')} of {original}."
