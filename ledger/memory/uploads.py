"""How are uploads kept in memory?"""

from collections.abc import Iterable
from dataclasses import replace

from ledger.errors import upload_missing
from ledger.memory.rows import OnRows
from ledger.uploads.closing import after_reading, cancelled, closed, is_drained
from ledger.uploads.lane import Lane, LaneKey, LaneNumber, Tally
from ledger.uploads.upload import Account, Progress, Source, Upload, UploadKind, UploadState
from orders.upload import UploadId


class MemoryUploads(OnRows):
    """An UploadLedger."""

    def announce(
        self, upload: UploadId, source: Source, *, now: float, kind: UploadKind = UploadKind.FILE
    ) -> Upload:
        """See UploadLedger.announce."""
        row = Upload(upload, source, UploadState.READING, created_at=now, updated_at=now, kind=kind)
        with self._rows.lock:
            return self._rows.uploads.setdefault(upload, row)

    def start_run(self, upload: UploadId, *, token: str, lanes: int, now: float) -> Upload:
        """See UploadLedger.start_run."""
        with self._rows.lock:
            row = replace(self._upload(upload), run_token=token)
            if not row.read_complete:
                row = replace(row, lanes=row.lanes or lanes, updated_at=now)
                for number in range(row.lanes):
                    key = LaneKey(upload, LaneNumber(number))
                    self._rows.lanes.setdefault(key, Lane(key))
            self._rows.uploads[upload] = row
            return self.close_if_drained(upload, now=now).upload

    def write_estimate(self, upload: UploadId, *, token: str, estimate: int, now: float) -> bool:
        """See UploadLedger.write_estimate."""
        with self._rows.lock:
            row = self._upload_of_run(upload, token)
            if row is None:
                return False
            self._rows.uploads[upload] = replace(row, estimate=estimate, updated_at=now)
            return True

    def admit(self, upload: UploadId, *, token: str, now: float) -> UploadState | None:
        """See UploadLedger.admit."""
        with self._rows.lock:
            row = self._upload_of_run(upload, token)
            if row is None:
                return None
            self._rows.uploads[upload] = replace(row, admitted=True, updated_at=now)
            return row.state

    def save_progress(
        self, upload: UploadId, *, token: str, progress: Progress, now: float
    ) -> UploadState | None:
        """See UploadLedger.save_progress."""
        with self._rows.lock:
            row = self._upload_of_run(upload, token)
            if row is None or progress.line < row.progress.line:
                return None
            self._rows.uploads[upload] = replace(row, progress=progress, updated_at=now)
            return row.state

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
        with self._rows.lock:
            row = self._upload_of_run(upload, token)
            if row is None:
                return False
            if not row.read_complete:
                self._rows.uploads[upload] = after_reading(
                    row, progress=progress, state=state, reason=reason, now=now
                )
            self.close_if_drained(upload, now=now)
            return True

    def close_if_drained(self, upload: UploadId, *, now: float) -> Account:
        """See UploadLedger.close_if_drained."""
        with self._rows.lock:
            account = self._account(self._upload(upload))
            if not account.upload.listed_open or not is_drained(account):
                return account
            row = closed(account, now=now)
            self._rows.uploads[upload] = row
            self._rows.ended_tally = self._rows.ended_tally.and_tally(account.tally)
            return replace(account, upload=row)

    def cancel(self, upload: UploadId, *, reason: str, now: float) -> Account:
        """See UploadLedger.cancel."""
        with self._rows.lock:
            row = cancelled(self._upload(upload), reason=reason, now=now)
            self._rows.uploads[upload] = row
            return self.close_if_drained(upload, now=now)

    def link(self, upload: UploadId, linked: UploadId) -> None:
        """See UploadLedger.link."""
        with self._rows.lock:
            self._rows.uploads[upload] = replace(self._upload(upload), linked=linked)

    def read_account(self, upload: UploadId) -> Account | None:
        """See UploadLedger.read_account."""
        with self._rows.lock:
            row = self._rows.uploads.get(upload)
            return self._account(row) if row else None

    def open_accounts(self) -> Iterable[Account]:
        """See UploadLedger.open_accounts."""
        with self._rows.lock:
            rows = [row for row in self._rows.uploads.values() if row.listed_open]
            rows.sort(key=lambda row: row.created_at, reverse=True)
            return [self._account(row) for row in rows]

    def ended_accounts(self, *, since: float) -> Iterable[Account]:
        """See UploadLedger.ended_accounts."""
        with self._rows.lock:
            ended = [
                (row.ended_at, row)
                for row in self._rows.uploads.values()
                if row.ended_at is not None and row.ended_at >= since
            ]
            ended.sort(key=lambda pair: pair[0], reverse=True)
            return [Account(row) for _, row in ended]

    def ended_tally(self) -> Tally:
        """See UploadLedger.ended_tally."""
        with self._rows.lock:
            return self._rows.ended_tally

    def _upload(self, upload: UploadId) -> Upload:
        row = self._rows.uploads.get(upload)
        if row is None:
            raise upload_missing(upload)
        return row

    def _upload_of_run(self, upload: UploadId, token: str) -> Upload | None:
        row = self._upload(upload)
        return row if row.run_token == token else None

    def _account(self, row: Upload) -> Account:
        keys = (LaneKey(row.id, LaneNumber(number)) for number in range(row.lanes))
        return Account(row, tuple(self._rows.lanes[key] for key in keys))
