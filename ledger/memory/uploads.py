"""Uploads and lanes in memory."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from secrets import token_hex

from ledger.errors import lane_missing, upload_missing
from ledger.memory.tables import Tables
from ledger.uploads.closing import after_reading, cancelled, closed, is_drained
from ledger.uploads.id_repeats import IdRepeats
from ledger.uploads.lane import Lane, LaneKey, LaneNumber, Tally
from ledger.uploads.settlement import Settlement, settle
from ledger.uploads.upload import Account, Progress, Source, Upload, UploadKind, UploadState
from orders.upload import UploadId


class MemoryUploads(Tables):
    """An UploadLedger and a LaneLedger."""

    def announce(
        self, upload: UploadId, source: Source, *, now: float, kind: UploadKind = UploadKind.FILE
    ) -> Upload:
        row = Upload(upload, source, UploadState.READING, created_at=now, updated_at=now, kind=kind)
        with self._lock:
            return self._uploads.setdefault(upload, row)

    def start_run(self, upload: UploadId, *, token: str, lanes: int, now: float) -> Upload:
        with self._lock:
            row = replace(self._upload(upload), run_token=token)
            if not row.read_complete:
                row = replace(row, lanes=row.lanes or lanes, updated_at=now)
                for number in range(row.lanes):
                    key = LaneKey(upload, LaneNumber(number))
                    self._lanes.setdefault(key, Lane(key))
            self._uploads[upload] = row
            return self.close_if_drained(upload, now=now).upload

    def write_estimate(
        self,
        upload: UploadId,
        *,
        token: str,
        estimate: int,
        now: float,
        duplicate_of: UploadId | None = None,
    ) -> bool:
        def change(row: Upload) -> Upload:
            return replace(row, estimate=estimate, duplicate_of=duplicate_of, updated_at=now)

        return self._change(upload, token, change) is not None

    def admit(self, upload: UploadId, *, token: str, now: float) -> UploadState | None:
        return self._change(upload, token, lambda row: replace(row, admitted=True, updated_at=now))

    def save_progress(
        self, upload: UploadId, *, token: str, progress: Progress, now: float
    ) -> UploadState | None:
        def change(row: Upload) -> Upload | None:
            if progress.line < row.progress.line:
                return None
            return replace(row, progress=progress, updated_at=now)

        return self._change(upload, token, change)

    def note_id_repeats(
        self, upload: UploadId, *, token: str, repeats: IdRepeats, now: float
    ) -> UploadState | None:
        def change(row: Upload) -> Upload:
            return replace(row, id_repeats=repeats, updated_at=now)

        return self._change(upload, token, change)

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
        with self._lock:
            row = self._upload(upload)
            if row.run_token != token:
                return False
            if not row.read_complete:
                self._uploads[upload] = after_reading(
                    row, progress=progress, state=state, reason=reason, now=now
                )
            self.close_if_drained(upload, now=now)
            return True

    def close_if_drained(self, upload: UploadId, *, now: float) -> Account:
        with self._lock:
            account = self._account(self._upload(upload))
            if not account.upload.listed_open or not is_drained(account):
                return account
            row = closed(account, now=now)
            self._uploads[upload] = row
            self._ended_tally += account.tally
            return replace(account, upload=row)

    def cancel(self, upload: UploadId, *, reason: str, now: float) -> Account:
        with self._lock:
            row = cancelled(self._upload(upload), reason=reason, now=now)
            self._uploads[upload] = row
            return self.close_if_drained(upload, now=now)

    def link(self, upload: UploadId, linked: UploadId) -> None:
        with self._lock:
            self._uploads[upload] = replace(self._upload(upload), linked=linked)

    def read_account(self, upload: UploadId) -> Account | None:
        with self._lock:
            row = self._uploads.get(upload)
            return self._account(row) if row else None

    def open_accounts(self) -> Iterable[Account]:
        with self._lock:
            rows = [row for row in self._uploads.values() if row.listed_open]
            rows.sort(key=lambda row: row.created_at, reverse=True)
            return [self._account(row) for row in rows]

    def ended_accounts(self, *, since: float) -> Iterable[Account]:
        with self._lock:
            ended = [
                (row.ended_at, row)
                for row in self._uploads.values()
                if row.ended_at is not None and row.ended_at >= since
            ]
        return [Account(row) for _, row in sorted(ended, key=lambda pair: pair[0], reverse=True)]

    def ended_tally(self) -> Tally:
        with self._lock:
            return self._ended_tally

    def read_lane(self, key: LaneKey) -> Lane | None:
        with self._lock:
            return self._lanes.get(key)

    def settle(self, lane: Lane, settlement: Settlement) -> Lane:
        key = lane.key
        with self._lock:
            now = self._lanes.get(key)
            if now is None:
                raise lane_missing(key.upload, key.lane)
            settled = settle(now, settlement, writer=token_hex(8))
            self._lanes[key] = settled
            return settled

    def _upload(self, upload: UploadId) -> Upload:
        row = self._uploads.get(upload)
        if row is None:
            raise upload_missing(upload)
        return row

    def _change(
        self, upload: UploadId, token: str, change: Callable[[Upload], Upload | None]
    ) -> UploadState | None:
        """Change the row of a run; returns the state, None if the change is refused."""
        with self._lock:
            row = self._upload(upload)
            changed = change(row) if row.run_token == token else None
            if changed is None:
                return None
            self._uploads[upload] = changed
            return changed.state

    def _account(self, row: Upload) -> Account:
        keys = (LaneKey(row.id, LaneNumber(number)) for number in range(row.lanes))
        return Account(row, tuple(self._lanes[key] for key in keys))
