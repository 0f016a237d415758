"""How does the reading of an upload keep its place in DynamoDB?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ledger.dynamodb.closing import DynamoClosing, changed_attributes, upload_contention
from ledger.dynamodb.lane_item import lane_attributes, lane_key
from ledger.dynamodb.schema import flag, n, s
from ledger.dynamodb.table import Change, ConditionFailed
from ledger.dynamodb.upload_item import progress_attributes, upload_item, upload_key, upload_of
from ledger.uploads.closing import after_reading
from ledger.uploads.lane import Lane, LaneKey, LaneNumber
from ledger.uploads.upload import Account, Progress, Source, Upload, UploadKind, UploadState

if TYPE_CHECKING:
    from ledger.dynamodb.schema import Item
    from orders.upload import UploadId


class DynamoUploads(DynamoClosing):
    """An UploadLedger."""

    def announce(
        self, upload: UploadId, source: Source, *, now: float, kind: UploadKind = UploadKind.FILE
    ) -> Upload:
        """See UploadLedger.announce."""
        row = Upload(upload, source, UploadState.READING, created_at=now, updated_at=now, kind=kind)
        # attribute_not_exists holds for the first of the command and the function, which race;
        # the other one takes the row that stands there.
        failed = self._table.put(upload_item(row), condition="attribute_not_exists(pk)")
        return self._row(upload, failed) if failed else row

    def start_run(self, upload: UploadId, *, token: str, lanes: int, now: float) -> Upload:
        """See UploadLedger.start_run."""
        contention = upload_contention(upload)
        while True:
            account = self._account(upload)
            row = account.upload
            taken = replace(row, run_token=token)
            if not row.read_complete:
                taken = replace(taken, lanes=row.lanes or lanes, updated_at=now)
                # The lanes' rows come before the number of lanes, so that whoever reads a number
                # finds all of them.
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
        standing = {lane.key.lane for lane in account.lanes}
        for number in (LaneNumber(number) for number in range(lanes)):
            if number in standing:
                continue
            lane = Lane(LaneKey(account.upload.id, number))
            # attribute_not_exists: a row that stands may count settled orders; it is never
            # written over.
            self._table.put(
                lane_key(lane.key) | lane_attributes(lane), condition="attribute_not_exists(pk)"
            )

    def write_estimate(self, upload: UploadId, *, token: str, estimate: int, now: float) -> bool:
        """See UploadLedger.write_estimate."""
        return self._set(upload, {"estimate": n(estimate)}, token=token, now=now) is not None

    def admit(self, upload: UploadId, *, token: str, now: float) -> UploadState | None:
        """See UploadLedger.admit."""
        return self._set(upload, {"admitted": flag(value=True)}, token=token, now=now)

    def _set(
        self, upload: UploadId, attributes: Item, *, token: str, now: float
    ) -> UploadState | None:
        written = self._table.change(
            Change(
                key=upload_key(upload),
                attributes=attributes | {"updated_at": n(now)},
                # run_token holds until another run takes over, and that one reads what stands
                # here in the write that takes over.
                condition="run_token = :token",
                seen={":token": s(token)},
            )
        )
        row = self._row(upload, written)
        return None if isinstance(written, ConditionFailed) else row.state

    def save_progress(
        self, upload: UploadId, *, token: str, progress: Progress, now: float
    ) -> UploadState | None:
        """See UploadLedger.save_progress."""
        written = self._table.change(
            Change(
                key=upload_key(upload),
                attributes=progress_attributes(progress) | {"updated_at": n(now)},
                # run_token holds until another run takes over. line holds unless this is an old
                # write that was under way for long: progress never goes back.
                condition="run_token = :token AND #line <= :line",
                seen={":token": s(token)},
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
        """See UploadLedger.finish_reading."""
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
    lanes: Item = {":seen_lanes": n(row.lanes)} if row.lanes else {}
    began = "lanes = :seen_lanes" if lanes else "attribute_not_exists(lanes)"
    return Change(
        key=upload_key(row.id),
        attributes={"run_token": s(taken.run_token)} | changed_attributes(row, taken),
        # read_complete: the reading did not end since the row was read; once it has, only the
        # token may change. lanes: no other first run fixed them since.
        condition=f"read_complete = :seen_complete AND {began}",
        seen={":seen_complete": flag(row.read_complete)} | lanes,
    )


def _finish(row: Upload, finished: Upload, *, token: str) -> Change:
    return Change(
        key=upload_key(row.id),
        attributes=progress_attributes(finished.progress) | changed_attributes(row, finished),
        # run_token holds until another run takes over. read_complete: the reading has not ended
        # (this may be the second try of a write whose answer was lost, and the upload closed by
        # now). state: nobody cancelled the upload since the row was read.
        condition="run_token = :token AND read_complete = :no AND #state = :seen_state",
        seen={":token": s(token), ":no": flag(value=False), ":seen_state": s(row.state)},
    )
