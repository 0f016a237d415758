"""What a compare-and-set writer does when another one was faster."""

from secrets import randbelow
from time import sleep

from ledger.errors import LedgerUnreachable

TRIES = 50
_JITTER_MILLISECONDS = 20
_DOUBLINGS_MAX = 3


class Contention:
    """Counts the lost tries of one write.

    Each lost try means that somebody else's write went in, so many in a row are a fault.
    """

    def __init__(self, write: str, *, tries: int = TRIES, is_patient: bool = True) -> None:
        """write: names the write, for the error. is_patient: wait a moment between tries."""
        self._write = write
        self._tries = tries
        self._is_patient = is_patient
        self._lost = 0

    def lost(self) -> None:
        """Count a lost try; from the second on, wait a random moment so that the writers spread.

        Raises LedgerUnreachable after the last one.
        """
        self._lost += 1
        if self._lost == self._tries:
            raise LedgerUnreachable(
                f"{self._write} lost {self._tries} races against other writers",
                hint="try again; if this repeats, look for another process that keeps writing it",
            )
        if self._is_patient and self._lost > 1:
            doublings = min(self._lost - 2, _DOUBLINGS_MAX)
            sleep(randbelow(_JITTER_MILLISECONDS << doublings) / 1_000)
