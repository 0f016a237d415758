"""Ending uploads whose lanes never reached their end."""

import logging
import secrets
from collections.abc import Callable, Iterable
from typing import Protocol

from consumer.closing.still import StillUploads
from ledger.errors import LedgerError
from ledger.ports.uploads import UploadLedger
from ledger.uploads.closing import is_at_its_end, tail_of
from ledger.uploads.lane import LaneKey
from ledger.uploads.upload import Account, LaneTail, Upload, UploadState

log = logging.getLogger(__name__)


class MarkerNotPut(Exception):
    """The stream refused an end marker; `hint` says what to do about it."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class EndMarkers(Protocol):
    """Puts end markers on the stream."""

    def put_end(self, key: LaneKey, *, lanes: int, tail: LaneTail) -> None:
        """Put a lane's end marker after all of its records. Raises MarkerNotPut.

        `lanes` is how many the upload has.
        """


class Closer:
    """Puts the end markers of uploads without progress again. One thread uses it.

    Several workers may do so at once: repeated end markers do no harm, and of two that end the
    reading of one upload only the last to take it over succeeds.
    """

    def __init__(
        self,
        ledger: UploadLedger,
        markers: EndMarkers,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """`clock` gives seconds since the epoch, `monotonic` those of a monotonic clock."""
        self._ledger = ledger
        self._markers = markers
        self._clock = clock
        self._monotonic = monotonic
        self._still = StillUploads()

    def look(self, accounts: Iterable[Account]) -> None:
        """Close the open uploads that are due; a failure of one does not delay the others.

        It is due again soon. Raises the first LedgerError at the end.
        """
        failures: list[LedgerError] = []
        for account in self._still.due(accounts, self._monotonic()):
            upload = account.upload.id
            try:
                self._close(account)
            except (MarkerNotPut, LedgerError) as error:
                log.warning("upload %s cannot be closed: %s; %s", upload, error, error.hint)
                self._still.failed(upload, self._monotonic())
                if isinstance(error, LedgerError):
                    failures.append(error)
            else:
                self._still.done(upload, self._monotonic())
        if failures:
            raise failures[0]

    def _close(self, account: Account) -> None:
        upload, token = account.upload, secrets.token_hex(8)
        if not upload.read_complete:  # cancelled, and no producer run is left to end the reading
            upload = self._ledger.start_run(
                upload.id, token=token, lanes=upload.lanes, now=self._clock()
            )
        put = self._put_ends(account, upload)
        log.info("upload %s makes no progress: put %d of its end markers again", upload.id, put)
        if upload.read_complete:
            self._ledger.close_if_drained(upload.id, now=self._clock())
        else:  # only after the markers are in the stream, as always
            self._ledger.finish_reading(
                upload.id,
                token=token,
                progress=upload.progress,
                state=UploadState.SENDING,  # a cancelled upload stays cancelled
                reason="",
                now=self._clock(),
            )

    def _put_ends(self, account: Account, upload: Upload) -> int:
        standing = [lane for lane in account.lanes if not is_at_its_end(upload, lane)]
        for lane in standing:
            self._markers.put_end(lane.key, lanes=upload.lanes, tail=tail_of(upload, lane))
        return len(standing)
