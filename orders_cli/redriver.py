"""Sending refused orders again, each once, even if several people do so or are interrupted.

    begin     the redrive's row in the ledger, which fixes the key of the file
    claim     every letter that is not redriven yet, and whose body can be read, is claimed for that
              key: every claimed letter is in the file, or there is no file
    seal      nothing more is claimed, so that everybody who continues makes the same file
    store     the file under the upload prefix, only where none is; it is a new upload
    announce  the new upload's row in the ledger, linked both ways
    mark      every claimed letter names the new upload
    end       the redrive's row is removed

An interrupted redrive leaves the row, and the next redrive of that upload continues from there:
every step changes nothing where it was done before. Several people at once work on one redrive;
a late one finds it ended, and a letter of an old list cannot be claimed a second time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Protocol

from ledger.ports.dead_letters import DeadLetters
from ledger.ports.redrives import Redrives
from ledger.ports.uploads import UploadLedger
from ledger.uploads.dead_letter import UNREADABLE, DeadLetter
from ledger.uploads.redrive import Redrive, is_claimable
from ledger.uploads.upload import UploadKind
from orders.file_reading import ReadingLimits
from orders.upload import UploadId
from orders_cli.failures import CommandFailed
from orders_cli.source_orders import OrderLine, orders_of_upload, with_bodies

if TYPE_CHECKING:
    from orders_cli.bucket import UploadBucket

MOST_LETTERS = 10_000_000
LETTERS_AT_ONCE = 500
FILE_BYTES_MAX = 4 << 30
"""S3 takes 5 GB at once: letters beyond this wait for the next redrive."""


class RedriveLedger(UploadLedger, DeadLetters, Redrives, Protocol):
    """The parts of the ledger that a redrive needs."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """An upload's dead letters, sent again as another upload."""

    upload: UploadId
    redriven_as: UploadId
    key: str
    orders: int


@dataclass(frozen=True, slots=True)
class Redriver:
    """Sends dead letters again.

    limits: how the producer reads, for bodies that only the source has.
    on_lost: told of each letter that stays a dead letter because its body is lost, and why.
    is_meant: which letters are claimed; those of an interrupted redrive are sent whatever it says.
    """

    ledger: RedriveLedger
    bucket: "UploadBucket"
    limits: ReadingLimits
    on_lost: Callable[[DeadLetter, str], None] = lambda _letter, _why: None
    is_meant: Callable[[DeadLetter], bool] = lambda _letter: True

    def redrive_all(
        self, upload: UploadId, *, new_key: Callable[[], str], now: float
    ) -> Iterator[Redriven]:
        """Send an upload's dead letters again, after those of a redrive that was interrupted."""
        while True:
            key = new_key()
            redriven = self.redrive(upload, key=key, now=now)
            if redriven:
                yield redriven
            if redriven is None or redriven.key == key:
                return

    def redrive(self, upload: UploadId, *, key: str, now: float) -> Redriven | None:
        """Send an upload's dead letters again, in file order. None: there are none.

        key: for the new file, if no redrive of this upload is under way.
        """
        redrive = self.ledger.begin_redrive(upload, key=key, now=now)
        if not redrive.is_sealed:
            self._claim(redrive)
        redriven = None
        with TemporaryFile() as file:
            # Once sealed, the letters of this redrive are fixed: only now may a file be written.
            is_ours = self.ledger.seal_redrive(redrive)
            orders = self._write(redrive, file) if is_ours else 0
            # Again: writing may have taken long, and somebody may have ended the redrive meanwhile.
            if orders and self.ledger.seal_redrive(redrive):
                file.seek(0)
                self.bucket.put_once(redrive.key, file)
                redriven = self._hand_over(redrive, orders, now=now)
        self.ledger.end_redrive(redrive)
        return redriven

    def _claim(self, redrive: Redrive) -> None:
        """Claim what is not redriven yet, a few letters at a time."""
        free = self._claimable(redrive)
        while some := list(islice(free, LETTERS_AT_ONCE)):
            if not self.ledger.claim_letters(redrive, some):
                return

    def _claimable(self, redrive: Redrive) -> Iterator[DeadLetter]:
        """Letters whose bodies fit in the file; one without a body would keep out all others."""
        letters = (
            one
            for one in self._letters(redrive.upload)
            if is_claimable(one, redrive) and self.is_meant(one)
        )
        file_bytes = 0
        for letter, body, why in with_bodies(letters, self._source_orders(redrive.upload)):
            if body is None:
                self.on_lost(letter, why)
                continue
            file_bytes += len(body) + 1
            if file_bytes > FILE_BYTES_MAX:
                return
            yield letter

    def _hand_over(self, redrive: Redrive, orders: int, *, now: float) -> Redriven:
        """Announce the stored file as the upload that sends the letters again."""
        upload, stored = redrive.upload, self.bucket.find(redrive.key)
        if stored is None:
            raise CommandFailed(f"{redrive.key} was stored and is no longer there.")
        self.ledger.announce(stored.upload, stored.source, now=now, kind=UploadKind.REDRIVE)
        self.ledger.link(stored.upload, upload)
        self.ledger.link(upload, stored.upload)
        # The marks come after the file and before the end: a letter of an ended redrive without a
        # mark would look as if nothing sent it again.
        for letter in self._claimed(redrive):
            self.ledger.mark_redriven(letter, upload=stored.upload)
        return Redriven(upload, stored.upload, redrive.key, orders)

    def _letters(self, upload: UploadId) -> Iterator[DeadLetter]:
        if upload != UNREADABLE:
            yield from self.ledger.dead_letters(upload, limit=MOST_LETTERS)

    def _claimed(self, redrive: Redrive) -> Iterator[DeadLetter]:
        return (one for one in self._letters(redrive.upload) if one.redrive_key == redrive.key)

    def _write(self, redrive: Redrive, file: IO[bytes]) -> int:
        """Write the claimed orders as JSON lines, in file order; returns how many they are."""
        orders = 0
        claimed = with_bodies(self._claimed(redrive), self._source_orders(redrive.upload))
        for letter, body, why in claimed:
            if body is None:
                raise CommandFailed(
                    f"Line {letter.line} of upload {redrive.upload} was too large for the ledger, "
                    f"and since its redrive began {why}."
                )
            file.write(body + b"\n")
            orders += 1
        return orders

    def _source_orders(self, upload: UploadId) -> Iterator[OrderLine]:
        return orders_of_upload(self.ledger, self.bucket, upload, self.limits)
