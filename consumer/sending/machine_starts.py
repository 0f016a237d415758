"""How the processes of one machine keep their distance from each other's starts.

A file that all processes of this machine with the same ledger share says when the last attempt
started and when its request was on its way; it is written under a lock. The file is only a hint:
without it, with an old one, or beside a process that was frozen while it held the lock, turns alone
keep the pace.
"""

import fcntl
import hashlib
import mmap
import os
import secrets
import stat
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from consumer.delivery.starts import Start, Starts

_NAME_BYTES = 16
_START = struct.Struct("=dddq")  # at, sent_at, spacing, process id
_SIZE = _NAME_BYTES + _START.size
LOCK_TRIES = 50
LOCK_RETRY_SECONDS = 0.0005
"""The lock is held for microseconds; a process that holds it longer is frozen."""


class MachineStarts(Starts):
    """The Starts of all processes of this machine. One thread at a time may call it."""

    def __init__(self, path: Path, *, offset: Callable[[], float]) -> None:
        """`offset`: the seconds from a clock that all processes of the machine have to the turns'.

        Raises OSError where the file cannot be made, or is not this user's own.
        """
        self._offset = offset
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        found = os.fstat(self._file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{path} is not a file of this user; remove it")
        with self._locked():
            if found.st_size < _SIZE or not os.pread(self._file, 1, 0).strip(b"\0"):
                os.pwrite(self._file, secrets.token_hex(_NAME_BYTES // 2).encode(), 0)
                os.ftruncate(self._file, _SIZE)
        self._memory = mmap.mmap(self._file, _SIZE)
        super().__init__(self._memory[:_NAME_BYTES].decode("ascii", "replace"))

    def _moment(self, now: float) -> float:
        return now - self._offset()

    def _read(self) -> tuple[Start | None, bool]:
        at, sent_at, spacing, process = _START.unpack(self._memory[_NAME_BYTES:])
        return (Start(at, sent_at, spacing) if at else None), process == os.getpid()

    def _write(self, last: Start) -> None:
        packed = _START.pack(last.at, last.sent_at, last.spacing, os.getpid())
        self._memory[_NAME_BYTES:] = packed

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock, or go on without it where its holder is frozen."""
        for _ in range(LOCK_TRIES):
            with suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(LOCK_RETRY_SECONDS)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)  # does nothing where it is not held


def starts_file(folder: Path, ledger: str) -> Path:
    """The file of all processes on this machine whose pace is kept in this ledger."""
    name = hashlib.sha256(ledger.encode()).hexdigest()[:16]
    return folder / f"paced-orders-{os.geteuid()}-{name}"
