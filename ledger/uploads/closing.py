"""When an upload ends, and in which state.

Reading ends in one of these states, which decides how long the upload stays open:

    sending, source_lost, unreadable   orders may wait and the end markers are in the stream: it
    (and cancelled, which stays)       ends when every lane is at its end
    done, done_with_problems           nothing was enqueued, no end marker was needed: ends at once
    refused_admission                  nothing was enqueued: ends at once

An upload that is cancelled before a first run fixed its lanes ends at once, too.

An end marker alone does not end a lane. A run puts the markers before the ledger knows that the
reading has ended; if it dies in between, or another run takes over, the next one may find more
orders, and the marker is then in the middle of the lane. So a lane is at its end when a marker was
reached and everything up to the tail that the reading ended with is settled.
"""

from dataclasses import replace

from ledger.uploads.lane import Lane, Tally
from ledger.uploads.upload import Account, LaneTail, Progress, Upload, UploadState

ENDS_WITHOUT_LANES = frozenset(
    {UploadState.DONE, UploadState.DONE_WITH_PROBLEMS, UploadState.REFUSED_ADMISSION}
)
"""States in which a reading ends that enqueued nothing."""


def after_reading(
    upload: Upload, *, progress: Progress, state: UploadState, reason: str, now: float
) -> Upload:
    """The upload once its reading has ended. A cancelled one stays cancelled.

    Raises ValueError for a state that says nothing was enqueued where something was, or that
    admission refused what it had let in: orders may be in the stream before the progress says so.
    """
    ends = state in ENDS_WITHOUT_LANES
    if state is UploadState.REFUSED_ADMISSION and upload.admitted:
        raise ValueError(f"{upload.id}: was admitted, and cannot be refused after that")
    if ends and progress.enqueued:
        raise ValueError(f"{upload.id}: {progress.enqueued} orders were enqueued, not {state}")
    kept = upload.state is UploadState.CANCELLED
    return replace(
        upload,
        progress=progress,
        read_complete=True,
        state=upload.state if kept else state,
        reason=upload.reason if kept else reason,
        updated_at=now,
        ended_at=now if ends else None,
        ended_tally=Tally() if ends else None,
        listed_open=not ends,
    )


def tail_of(upload: Upload, lane: Lane) -> LaneTail:
    """The end of a lane as the reading last recorded it; empty if it recorded none."""
    tails, number = upload.progress.tails, lane.key.lane
    return tails[number] if number < len(tails) else LaneTail()


def is_at_its_end(upload: Upload, lane: Lane) -> bool:
    """Was an end marker reached, and is everything up to the lane's tail settled?

    Before the reading has ended, this is about what was read so far.
    """
    return lane.ended and lane.mark >= tail_of(upload, lane).line


def is_drained(account: Account) -> bool:
    """Is everything of this upload read and settled, and every lane's end reached?"""
    upload = account.upload
    if not upload.read_complete or len(account.lanes) < upload.lanes:
        return False
    return all(is_at_its_end(upload, lane) for lane in account.lanes)


def closed(account: Account, *, now: float) -> Upload:
    """The upload of a drained account after it was closed."""
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
    """The upload after a person cancelled it; an ended or cancelled one stays as it is."""
    if not upload.listed_open or upload.state is UploadState.CANCELLED:
        return upload
    stopped = replace(upload, state=UploadState.CANCELLED, reason=reason, updated_at=now)
    if upload.lanes:
        return stopped
    return replace(
        stopped, read_complete=True, ended_at=now, ended_tally=Tally(), listed_open=False
    )
