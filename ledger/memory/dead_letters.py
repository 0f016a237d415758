"""Dead letters and their redrives in memory."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from ledger.memory.tables import Tables
from ledger.uploads.dead_letter import UNREADABLE, Closure, DeadLetter, as_kept, is_closable
from ledger.uploads.redrive import Redrive, is_claimable
from orders.upload import UploadId


class MemoryDeadLetters(Tables):
    """DeadLetters and Redrives."""

    def put_dead_letter(self, letter: DeadLetter) -> None:
        with self._lock:
            self._letters.setdefault((letter.upload, letter.position), as_kept(letter))

    def read_dead_letter(self, upload: UploadId, position: str) -> DeadLetter | None:
        with self._lock:
            return self._letters.get((upload, position))

    def dead_letters(
        self, upload: UploadId | None = None, *, limit: int, with_closed: bool = False
    ) -> Iterable[DeadLetter]:
        with self._lock:
            letters = [one for one in self._letters.values() if with_closed or not one.closure]
        if upload is None:
            letters.sort(key=lambda letter: (letter.refused_at, letter.position), reverse=True)
            return letters[:limit]
        letters.sort(key=lambda letter: letter.position)
        return [letter for letter in letters if letter.upload == upload][:limit]

    def mark_redriven(self, letter: DeadLetter, *, upload: UploadId) -> bool:
        key = (letter.upload, letter.position)
        with self._lock:
            kept = self._letters.get(key)
            if kept is None or kept.closure or kept.redriven_as not in (None, upload):
                return False
            if kept.redriven_as is None:
                self._letters[key] = replace(kept, redriven_as=upload)
                self._count_closed(letter.upload, 1)
            return True

    def close_letters(self, letters: Sequence[DeadLetter], closure: Closure) -> int:
        closed = 0
        with self._lock:
            for letter in letters:
                key = (letter.upload, letter.position)
                kept = self._letters.get(key)
                if kept and is_closable(kept):
                    self._letters[key] = replace(kept, closure=closure)
                    self._count_closed(letter.upload, 1)
                    closed += 1
        return closed

    def _count_closed(self, upload: UploadId, count: int) -> None:
        row = self._uploads.get(upload)
        if row:
            self._uploads[upload] = replace(row, letters_closed=row.letters_closed + count)

    def begin_redrive(self, upload: UploadId, *, key: str, now: float) -> Redrive:  # noqa: ARG002
        with self._lock:
            return self._redrives.setdefault(upload, Redrive(upload, key))

    def claim_letters(self, redrive: Redrive, letters: Sequence[DeadLetter]) -> bool:
        with self._lock:
            current = self._current_redrive(redrive)
            if current is None or current.is_sealed:
                return False
            for letter in letters:
                key = (letter.upload, letter.position)
                kept = self._letters.get(key)
                if kept and is_claimable(kept, redrive):
                    self._letters[key] = replace(kept, redrive_key=redrive.key)
            return True

    def seal_redrive(self, redrive: Redrive) -> bool:
        with self._lock:
            current = self._current_redrive(redrive)
            if current is None:
                return False
            self._redrives[redrive.upload] = replace(current, is_sealed=True)
            return True

    def end_redrive(self, redrive: Redrive) -> None:
        with self._lock:
            if self._current_redrive(redrive):
                del self._redrives[redrive.upload]

    def redrivable_uploads(self) -> Collection[UploadId]:
        with self._lock:
            letters = self._letters.values()
            found = {letter.upload for letter in letters if letter.is_open}
            return (found | set(self._redrives)) - {UNREADABLE}

    def _current_redrive(self, redrive: Redrive) -> Redrive | None:
        current = self._redrives.get(redrive.upload)
        return current if current and current.key == redrive.key else None
