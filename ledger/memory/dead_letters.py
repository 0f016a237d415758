"""How are dead letters kept in memory?"""

from collections.abc import Iterable
from dataclasses import replace

from ledger.memory.rows import OnRows
from ledger.uploads.dead_letter import DeadLetter, as_kept
from orders.upload import UploadId


class MemoryDeadLetters(OnRows):
    """DeadLetters."""

    def put_dead_letter(self, letter: DeadLetter) -> None:
        """See DeadLetters.put_dead_letter."""
        with self._rows.lock:
            self._rows.letters.setdefault((letter.upload, letter.position), as_kept(letter))

    def read_dead_letter(self, upload: UploadId, position: str) -> DeadLetter | None:
        """See DeadLetters.read_dead_letter."""
        with self._rows.lock:
            return self._rows.letters.get((upload, position))

    def dead_letters(self, upload: UploadId | None = None, *, limit: int) -> Iterable[DeadLetter]:
        """See DeadLetters.dead_letters."""
        with self._rows.lock:
            letters = list(self._rows.letters.values())
        if upload is None:
            letters.sort(key=lambda letter: (letter.refused_at, letter.position), reverse=True)
            return letters[:limit]
        letters.sort(key=lambda letter: letter.position)
        return [letter for letter in letters if letter.upload == upload][:limit]

    def mark_redriven(self, letter: DeadLetter, *, upload: UploadId) -> bool:
        """See DeadLetters.mark_redriven."""
        key = (letter.upload, letter.position)
        with self._rows.lock:
            kept = self._rows.letters.get(key)
            if kept is None or kept.redriven_as not in (None, upload):
                return False
            self._rows.letters[key] = replace(kept, redriven_as=upload)
            return True
