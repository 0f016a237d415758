"""When is an upload over, and how did it end?

Reading ends with one of these states, and what is left decides how long the upload stays open:

    sending, source_lost, unreadable   orders may wait and the end markers are in the stream: it is
    (and cancelled, which stays)       over when every lane has ended
    done, done_with_problems           nothing was enqueued, so no end marker was needed: over at
                                       once
    refused_admission                  nothing was enqueued: over at once

An upload that is cancelled before a first run fixed its lanes is over at once, too.
"""

from dataclasses import replace

from ledger.ports.lanes import Tally
from ledger.ports.uploads import Account, Progress, Upload, UploadState

ENDS_WITHOUT_LANES = frozenset(
    {UploadState.DONE, UploadState.DONE_WITH_PROBLEMS, UploadState.REFUSED_ADMISSION}
)
"""States that a reading ends in when it enqueued nothing."""


def after_reading(
    upload: Upload, *, progress: Progress, state: UploadState, reason: str, now: float
) -> Upload:
    """The upload once its reading has ended. A cancelled one stays cancelled.

    Raises ValueError for a state that says nothing was enqueued where something was, or that
    admission refused what it had let in: orders may be in the stream before the progress says so.
    """
    over = state in ENDS_WITHOUT_LANES
    if state is UploadState.REFUSED_ADMISSION and upload.admitted:
        raise ValueError(f"{upload.id}: was admitted, and cannot be refused after that")
    if over and progress.enqueued:
        raise ValueError(f"{upload.id}: {progress.enqueued} orders were enqueued, not {state}")
    kept = upload.state is UploadState.CANCELLED
    return replace(
        upload,
        progress=progress,
        read_complete=True,
        state=upload.state if kept else state,
        reason=upload.reason if kept else reason,
        updated_at=now,
        ended_at=now if over else None,
        ended_tally=Tally() if over else None,
        listed_open=not over,
    )


def is_drained(account: Account) -> bool:
    """Is everything of this upload read and settled, and every lane's end reached?"""
    upload = account.upload
    if not upload.read_complete or len(account.lanes) < upload.lanes:
        return False
    return all(lane.ended for lane in account.lanes)


def closed(account: Account, *, now: float) -> Upload:
    """The upload of a drained account once it has left the list of open uploads."""
    state = account.upload.state
    if state is UploadState.SENDING:
        problems = account.has_problems
        state = UploadState.DONE_WITH_PROBLEMS if problems else UploadState.DONE
    return replace(
        account.upload,
        state=state,
        updated_at=now,
        ended_at=now,
        ended_tally=account.tally,
        listed_open=False,
    )


def cancelled(upload: Upload, *, reason: str, now: float) -> Upload:
    """The upload after a person cancelled it; one that is over or cancelled stays as it is."""
    if not upload.listed_open or upload.state is UploadState.CANCELLED:
        return upload
    stopped = replace(upload, state=UploadState.CANCELLED, reason=reason, updated_at=now)
    if upload.lanes:
        return stopped
    return replace(
        stopped, read_complete=True, ended_at=now, ended_tally=Tally(), listed_open=False
    )
