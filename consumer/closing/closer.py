"""How is an upload brought to its end whose lanes never came to theirs?"""

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
    """The stream did not take an end marker; `hint` says what to do about it."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class EndMarkers(Protocol):
    """Puts end markers on the stream."""

    def put_end(self, key: LaneKey, *, lanes: int, tail: LaneTail) -> None:
        """Put a lane's end marker behind everything that is in the stream of it.

        `lanes` is how many the upload has. Raises MarkerNotPut.
        """


class Closer:
    """Puts the end markers of uploads that stand still again. One thread uses it.

    Several workers may do the same at once: end markers repeat without harm, and of two who end
    the reading of one upload only the last to take it over does.
    """

    def __init__(
        self,
        ledger: UploadLedger,
        markers: EndMarkers,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """`clock` gives seconds since the epoch, `monotonic` those of a clock that nobody sets."""
        self._ledger = ledger
        self._markers = markers
        self._clock = clock
        self._monotonic = monotonic
        self._still = StillUploads()

    def look(self, accounts: Iterable[Account]) -> None:
        """Do what is due for the open uploads; one that fails does not keep the others waiting.

        What failed is due again soon. Raises the first LedgerError once all of them had their turn.
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
        if not upload.read_complete:  # it is cancelled, and no run is left to end the reading
            upload = self._ledger.start_run(
                upload.id, token=token, lanes=upload.lanes, now=self._clock()
            )
        put = self._put_ends(account, upload)
        log.info("upload %s stands still: %d of its end markers are put again", upload.id, put)
        if upload.read_complete:
            self._ledger.close_if_drained(upload.id, now=self._clock())
        else:  # only with the markers in the stream, as for every reading that ends
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
