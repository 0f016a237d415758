"""How are redrives kept in memory?"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from ledger.memory.rows import OnRows
from ledger.uploads.dead_letter import UNREADABLE, DeadLetter
from ledger.uploads.redrive import Redrive, is_claimable
from orders.upload import UploadId


class MemoryRedrives(OnRows):
    """Redrives."""

    def begin_redrive(self, upload: UploadId, *, key: str, now: float) -> Redrive:  # noqa: ARG002
        """See Redrives.begin_redrive."""
        with self._rows.lock:
            return self._rows.redrives.setdefault(upload, Redrive(upload, key))

    def claim_letters(self, redrive: Redrive, letters: Sequence[DeadLetter]) -> bool:
        """See Redrives.claim_letters."""
        with self._rows.lock:
            standing = self._standing(redrive)
            if standing is None or standing.is_sealed:
                return False
            for letter in letters:
                key = (letter.upload, letter.position)
                kept = self._rows.letters.get(key)
                if kept and is_claimable(kept, redrive):
                    self._rows.letters[key] = replace(kept, redrive_key=redrive.key)
            return True

    def seal_redrive(self, redrive: Redrive) -> bool:
        """See Redrives.seal_redrive."""
        with self._rows.lock:
            standing = self._standing(redrive)
            if standing is None:
                return False
            self._rows.redrives[redrive.upload] = replace(standing, is_sealed=True)
            return True

    def end_redrive(self, redrive: Redrive) -> None:
        """See Redrives.end_redrive."""
        with self._rows.lock:
            if self._standing(redrive):
                del self._rows.redrives[redrive.upload]

    def redrivable_uploads(self) -> Collection[UploadId]:
        """See Redrives.redrivable_uploads."""
        with self._rows.lock:
            letters = self._rows.letters.values()
            found = {letter.upload for letter in letters if letter.redriven_as is None}
            return (found | set(self._rows.redrives)) - {UNREADABLE}

    def _standing(self, redrive: Redrive) -> Redrive | None:
        standing = self._rows.redrives.get(redrive.upload)
        return standing if standing and standing.key == redrive.key else None
