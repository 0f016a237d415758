"""The reading of uploads in DynamoDB: runs, progress and the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ledger.dynamodb.closing import DynamoClosing, upload_contention
from ledger.dynamodb.conditional import Change, ConditionFailed
from ledger.dynamodb.lane_row import lane_fields, lane_key
from ledger.dynamodb.upload_row import (
    changed_fields,
    progress_fields,
    repeats_fields,
    upload_key,
    upload_of,
    upload_row,
)
from ledger.uploads.closing import after_reading
from ledger.uploads.lane import Lane, LaneKey, LaneNumber
from ledger.uploads.upload import Account, Progress, Source, Upload, UploadKind, UploadState

if TYPE_CHECKING:
    from ledger.dynamodb.row import Row
    from ledger.uploads.id_repeats import IdRepeats
    from orders.upload import UploadId


class DynamoUploads(DynamoClosing):
    """An UploadLedger."""

    def announce(
        self, upload: UploadId, source: Source, *, now: float, kind: UploadKind = UploadKind.FILE
    ) -> Upload:
        row = Upload(upload, source, UploadState.READING, created_at=now, updated_at=now, kind=kind)
        # The command and the function race: the second one takes the row of the first.
        failed = self._table.add(upload_row(row))
        return self._row(upload, failed) if failed else row

    def start_run(self, upload: UploadId, *, token: str, lanes: int, now: float) -> Upload:
        contention = upload_contention(upload)
        while True:
            account = self._account(upload)
            row = account.upload
            taken = replace(row, run_token=token)
            if not row.read_complete:
                taken = replace(taken, lanes=row.lanes or lanes, updated_at=now)
                # Rows first, then their number, so that a reader of the number finds them all.
                self._make_lanes(account, taken.lanes)
            written = self._table.change(_take_over(row, taken))
            if isinstance(written, ConditionFailed):
                contention.lost()
                continue
            if row.read_complete:
                # The run that ended the reading may have died before it closed the upload.
                return self.close_if_drained(upload, now=now).upload
            return upload_of(written)

    def _make_lanes(self, account: Account, lanes: int) -> None:
        existing = {lane.key.lane for lane in account.lanes}
        for number in map(LaneNumber, range(lanes)):
            if number not in existing:
                lane = Lane(LaneKey(account.upload.id, number))
                # Only where there is none: an existing row may count settled orders.
                self._table.add(lane_key(lane.key) | lane_fields(lane))

    def write_estimate(
        self,
        upload: UploadId,
        *,
        token: str,
        estimate: int,
        now: float,
        duplicate_of: UploadId | None = None,
    ) -> bool:
        fields: Row = {"estimate": estimate}
        if duplicate_of is not None:
            fields["duplicate_of"] = duplicate_of
        return self._set(upload, fields, token=token, now=now) is not None

    def admit(self, upload: UploadId, *, token: str, now: float) -> UploadState | None:
        return self._set(upload, {"admitted": True}, token=token, now=now)

    def save_progress(
        self, upload: UploadId, *, token: str, progress: Progress, now: float
    ) -> UploadState | None:
        return self._set(
            upload,
            progress_fields(progress),
            token=token,
            now=now,
            # line holds unless this is an old write that was delayed: progress never goes back.
            only_if=" AND #progress.#line <= :line",
            seen={"line": progress.line},
        )

    def note_id_repeats(
        self, upload: UploadId, *, token: str, repeats: IdRepeats, now: float
    ) -> UploadState | None:
        return self._set(upload, repeats_fields(repeats), token=token, now=now)

    def _set(  # noqa: PLR0913 - one write, all of it named
        self,
        upload: UploadId,
        fields: Row,
        *,
        token: str,
        now: float,
        only_if: str = "",
        seen: Row | None = None,
    ) -> UploadState | None:
        written = self._table.change(
            Change(
                upload_key(upload),
                fields | {"updated_at": now},
                # run_token holds until another run takes over, and that one reads the row in the
                # write that takes over.
                f"run_token = :token{only_if}",
                {"token": token} | (seen or {}),
            )
        )
        row = self._row(upload, written)
        return None if isinstance(written, ConditionFailed) else row.state

    def finish_reading(  # noqa: PLR0913 the port's signature
        self,
        upload: UploadId,
        *,
        token: str,
        progress: Progress,
        state: UploadState,
        reason: str,
        now: float,
    ) -> bool:
        row = self._account(upload).upload
        contention = upload_contention(upload)
        while True:
            if row.run_token != token:
                return False
            if row.read_complete:
                self.close_if_drained(upload, now=now)
                return True
            finished = after_reading(row, progress=progress, state=state, reason=reason, now=now)
            change = _finish(row, finished, token=token)
            written = self._table.change(change)
            row = self._row(upload, written)
            if isinstance(written, ConditionFailed):
                contention.lost()


def _take_over(row: Upload, taken: Upload) -> Change:
    return Change(
        upload_key(row.id),
        {"run_token": taken.run_token} | changed_fields(row, taken),
        # read_complete: the reading did not end since the row was read; once it has, only the
        # token may change. lanes: no other first run fixed them since.
        "read_complete = :seen_complete AND lanes = :seen_lanes",
        {"seen_complete": row.read_complete, "seen_lanes": row.lanes},
    )


def _finish(row: Upload, finished: Upload, *, token: str) -> Change:
    return Change(
        upload_key(row.id),
        progress_fields(finished.progress) | changed_fields(row, finished),
        # run_token holds until another run takes over. read_complete: the reading has not ended
        # (this may be the second try of a write whose answer was lost, and the upload closed by
        # now). state: nobody cancelled the upload since the row was read.
        "run_token = :token AND read_complete = :no AND #state = :seen_state",
        {"token": token, "no": False, "seen_state": row.state},
    )
