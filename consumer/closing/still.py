"""Which open uploads make no progress, so that their lanes need their end markers again?

An upload closes when the end marker of each lane comes out of the stream. If the end of a lane left
the stream unread (its retention passed, or somebody changed the stream), no later record of the
lane shows the gap, and the upload would wait forever. Another end marker does: a lane's records
keep their order, so whatever is still to come of the lane comes before it, and what has not come by
then is missing. A superfluous marker is a repeat and does no harm.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.uploads.upload import Account, UploadState
from orders.upload import UploadId

STILL_SECONDS = 600.0
"""An upload without progress for this long may be waiting for records that never come."""
CANCELLED_SECONDS = 60.0
"""Orders of a cancelled upload need no turn, so they are settled as soon as they come."""
ABANDONED_SECONDS = 120.0
"""A producer run notices a cancel when it next saves its progress, within seconds, and ends the
upload itself: one that has not done so after this is gone."""
WAIT_SECONDS_MAX = 86_400.0
"""The wait doubles up to this: the upload may just be behind a long backlog."""
END_RETRY_SECONDS = 15.0
"""A failure is retried after this; the wait doubles with each failure in a row."""
END_RETRY_SECONDS_MAX = 600.0
"""The limit of that wait."""


@dataclass(slots=True)
class _Standstill:
    """The last change seen in an upload, and when its markers are due."""

    state: UploadState
    changes: tuple[object, ...]
    wait_seconds: float
    due_at: float
    retry_seconds: float = END_RETRY_SECONDS


class StillUploads:
    """Remembers the progress of open uploads. Times are seconds of any one clock."""

    def __init__(self) -> None:
        self._seen: dict[UploadId, _Standstill] = {}

    def due(self, accounts: Iterable[Account], now: float) -> list[Account]:
        """The uploads that need their end markers now; due until `done` or `failed` is called."""
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
        """The end markers of a due upload were put."""
        seen = self._seen[upload]
        seen.wait_seconds = min(2 * seen.wait_seconds, WAIT_SECONDS_MAX)
        seen.due_at = now + seen.wait_seconds
        seen.retry_seconds = END_RETRY_SECONDS

    def failed(self, upload: UploadId, now: float) -> None:
        """The end markers of a due upload could not be put: try again soon."""
        seen = self._seen[upload]
        seen.due_at = now + seen.retry_seconds
        seen.retry_seconds = min(2 * seen.retry_seconds, END_RETRY_SECONDS_MAX)


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
