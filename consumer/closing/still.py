"""Which uploads stand still, so that the end markers of their lanes are to be put again?

An upload closes when the end marker of each lane comes out of the stream. Where the end of a lane
left the stream unread (its retention passed, or somebody changed the stream), no later record of
the lane shows the gap, and the upload would wait for ever. An end marker that is put again does: a
lane's records keep their order, so whatever may still come of the lane comes before it, and what
has not come by then is missing. To put one too often does no harm: it is a repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.uploads.upload import UploadState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.uploads.upload import Account
    from orders.upload import UploadId

STILL_SECONDS = 600.0
"""An upload of which nothing was settled for so long may wait for records that never come."""
CANCELLED_SECONDS = 60.0
"""Orders of a cancelled upload need no turn, so those that come are settled at once."""
ABANDONED_SECONDS = 120.0
"""A run that reads notices a cancel when it next saves its progress, within seconds, and ends the
upload itself: one that has not done so by now is no longer there."""
WAIT_SECONDS_MAX = 86_400.0
"""The wait doubles with each time up to this: an upload may just stand behind a long backlog."""
RETRY_SECONDS = 15.0
"""What could not be done is due again after this; the wait doubles with each failure in a row."""
RETRY_SECONDS_MAX = 600.0
"""No wait after a failure is longer than this."""


@dataclass(slots=True)
class _Standstill:
    """An upload as it was seen, since when nothing has changed."""

    state: UploadState
    changes: tuple[object, ...]
    wait_seconds: float
    due_at: float
    retry_seconds: float = RETRY_SECONDS


class StillUploads:
    """Remembers how the open uploads stood. Times are seconds of one clock, whichever it is."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: dict[UploadId, _Standstill] = {}

    def due(self, accounts: Iterable[Account], now: float) -> list[Account]:
        """The uploads whose end markers are to be put again now.

        They stay due until it is said that this is done, or that it failed.
        """
        waiting = [account for account in accounts if _waits_for_its_end(account)]
        ids = {account.upload.id for account in waiting}
        self._seen = {upload: seen for upload, seen in self._seen.items() if upload in ids}
        return [account for account in waiting if self._is_due(account, now)]

    def _is_due(self, account: Account, now: float) -> bool:
        upload = account.upload
        first_wait_seconds = _first_wait_seconds(account)
        changes = (upload.read_complete, upload.progress, *(x.revision for x in account.lanes))
        seen = self._seen.get(upload.id)
        if seen is None or seen.state is not upload.state:
            due_at = now + first_wait_seconds
            self._seen[upload.id] = _Standstill(upload.state, changes, first_wait_seconds, due_at)
            return False
        if seen.changes != changes:
            seen.changes = changes
            seen.due_at = max(seen.due_at, now + first_wait_seconds)
        return now >= seen.due_at

    def done(self, upload: UploadId, now: float) -> None:
        """The end markers of an upload that was due are put: it has time again."""
        seen = self._seen[upload]
        seen.wait_seconds = min(2 * seen.wait_seconds, WAIT_SECONDS_MAX)
        seen.due_at = now + seen.wait_seconds
        seen.retry_seconds = RETRY_SECONDS

    def failed(self, upload: UploadId, now: float) -> None:
        """It could not be done for an upload that was due: try again soon."""
        seen = self._seen[upload]
        seen.due_at = now + seen.retry_seconds
        seen.retry_seconds = min(2 * seen.retry_seconds, RETRY_SECONDS_MAX)


def _waits_for_its_end(account: Account) -> bool:
    upload = account.upload
    if not upload.listed_open or not upload.lanes or len(account.lanes) < upload.lanes:
        return False
    if not upload.read_complete:
        return upload.state is UploadState.CANCELLED
    # Otherwise the ends of the lanes are not known for certain, and nothing is guessed.
    return sum(tail.ordinal for tail in upload.progress.tails) == upload.progress.enqueued


def _first_wait_seconds(account: Account) -> float:
    if account.upload.state is not UploadState.CANCELLED:
        return STILL_SECONDS
    return CANCELLED_SECONDS if account.upload.read_complete else ABANDONED_SECONDS
