"""Where uploads are kept."""

from collections.abc import Iterable
from typing import Protocol

from ledger.uploads.id_repeats import IdRepeats
from ledger.uploads.lane import Tally
from ledger.uploads.upload import Account, Progress, Source, Upload, UploadKind, UploadState
from orders.upload import UploadId


class UploadLedger(Protocol):
    """Where uploads are kept; every write is idempotent or conditional, `now` is epoch seconds."""

    def announce(
        self, upload: UploadId, source: Source, *, now: float, kind: UploadKind = UploadKind.FILE
    ) -> Upload:
        """The upload's row; created in state `reading` if there was none."""

    def start_run(self, upload: UploadId, *, token: str, lanes: int, now: float) -> Upload:
        """Take over the reading: the last token wins.

        Fixes the lanes (first run only) and creates their rows. If reading is complete it changes
        only the token, and closes the upload if it is drained: the run that ended the reading may
        have died before it could.
        """

    def write_estimate(
        self,
        upload: UploadId,
        *,
        token: str,
        estimate: int,
        now: float,
        duplicate_of: UploadId | None = None,
    ) -> bool:
        """Write the estimate, before all open uploads are summed. False: another run took over.

        duplicate_of: the earlier upload of the same bytes.
        """

    def admit(self, upload: UploadId, *, token: str, now: float) -> UploadState | None:
        """Admit the upload for good, before its first order is put.

        Returns the upload's state (`cancelled` tells the reader to stop), None if another run took
        over: that one sees whether the upload was admitted, or decides again.
        """

    def save_progress(
        self, upload: UploadId, *, token: str, progress: Progress, now: float
    ) -> UploadState | None:
        """Set the progress, if the token is the last one and the line does not shrink.

        Returns the upload's state (`cancelled` tells the reader to stop), None if another run took
        over.
        """

    def note_id_repeats(
        self, upload: UploadId, *, token: str, repeats: IdRepeats, now: float
    ) -> UploadState | None:
        """Set what was found of the order ids. Returns the state, None if another run took over."""

    def finish_reading(  # noqa: PLR0913 - one write, all of it named
        self,
        upload: UploadId,
        *,
        token: str,
        progress: Progress,
        state: UploadState,
        reason: str,
        now: float,
    ) -> bool:
        """End the reading: set progress, `read_complete`, the state and the reason.

        state: `sending`, or how it ended; `ledger.uploads.closing` says which of them end the
        upload at once and which wait for its lanes. Closes the upload if it is drained. A cancelled
        upload stays cancelled. False: another run took over. Raises ValueError for a state that
        contradicts enqueued orders or an earlier admission.
        """

    def close_if_drained(self, upload: UploadId, *, now: float) -> Account:
        """Close the upload if reading is complete and every lane has ended, settled to its tail.

        `sending` becomes `done` or `done_with_problems`, and it leaves the list of open uploads.
        Reader and consumer both call this; the last one closes it. Raises UploadMissing.
        """

    def cancel(self, upload: UploadId, *, reason: str, now: float) -> Account:
        """Set an open upload to `cancelled`; it stays listed until the rest is settled.

        Raises UploadMissing; an upload that ended before stays as it is.
        """

    def link(self, upload: UploadId, linked: UploadId) -> None:
        """Name the upload that this one was sent again as (or was made from)."""

    def read_account(self, upload: UploadId) -> Account | None:
        """The upload and its lanes, by consistent reads."""

    def open_accounts(self) -> Iterable[Account]:
        """All open uploads, newest first."""

    def ended_accounts(self, *, since: float) -> Iterable[Account]:
        """Uploads that ended at `since` or later, newest first; their lanes are left out.

        What changed after the end (a missing order that arrived after all, a link) may lag.
        """

    def ended_tally(self) -> Tally:
        """Settled orders of all uploads that ever ended; added to in the write that closes one."""
