"""The folder of a sandbox: its files, and the lock that keeps other sandboxes out."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.sandbox_errors import WrongUse

_MARK = "A sandbox of Paced Orders runs in this folder; process "
_LAST_WRITES_SECONDS = 10.0
_CHANGED_MEANWHILE = (errno.ENOTEMPTY, errno.ENOENT)


@dataclass(frozen=True, slots=True)
class SandboxFolder:
    """The paths below `--dir`; all that a sandbox writes is here."""

    path: Path

    @property
    def lock(self) -> Path:
        """Locked while a sandbox runs; where it exists, the other files are a sandbox's."""
        return self.path / "sandbox.lock"

    @property
    def environment(self) -> Path:
        """What to source in a shell; it exists only while everything answers."""
        return self.path / "sandbox.env"

    @property
    def processes(self) -> Path:
        """Role and process id of everything that runs; it exists as long as `environment`."""
        return self.path / "processes.json"

    @property
    def logs(self) -> Path:
        """One log per role."""
        return self.path / "logs"

    @property
    def aws(self) -> Path:
        """Where the embedded AWS keeps its files."""
        return self.path / "aws"

    @property
    def worker(self) -> Path:
        """Where worker and shard processes keep their files."""
        return self.path / "worker"

    @property
    def machine(self) -> Path:
        """Where the workers of this sandbox tell each other when they started an attempt."""
        return self.path / "machine"

    def log_of(self, role: str) -> Path:
        """The log of a role."""
        return self.logs / f"{role}.log"

    def retract(self) -> None:
        """Remove the files that say that everything answers."""
        for path in (self.environment, self.processes):
            path.unlink(missing_ok=True)

    def forget_aws(self) -> None:
        """Remove the files of an embedded AWS that has ended: without its memory they are waste."""
        shutil.rmtree(self.aws, ignore_errors=True)

    def renew(self) -> None:
        """Remove what a sandbox wrote here, and nothing else; then create the folders inside."""
        self.retract()
        for folder in self._folders:
            if folder.is_symlink():
                folder.unlink()
            elif folder.exists():
                _remove(folder)
            folder.mkdir()
        (self.aws / "tmp").mkdir()

    def of_others(self) -> list[str]:
        """Names that a sandbox would write and that are there already."""
        written = (self.environment, self.processes, *self._folders)
        return [path.name for path in written if path.exists() or path.is_symlink()]

    @property
    def _folders(self) -> tuple[Path, ...]:
        return self.logs, self.aws, self.worker, self.machine


@contextmanager
def occupied(path: Path) -> Iterator[SandboxFolder]:
    """A fresh folder, locked for this process until the context ends.

    Raises WrongUse where another sandbox runs in it, where other files are in the way, and where
    it cannot be written.
    """
    folder = SandboxFolder(path.absolute())
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        known = folder.lock.exists()
        if not known and (others := folder.of_others()):
            raise WrongUse(
                f"{folder.path} holds {', '.join(others)}, which no sandbox made; "
                "give --dir another folder."
            )
        lock = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise WrongUse(f"{folder.path} cannot hold a sandbox: {error.strerror}.") from error
    try:
        _hold(lock, folder)
        folder.renew()
        yield folder
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """Remove it, even while processes that a killed sandbox left behind write their last files."""
    deadline = time.monotonic() + _LAST_WRITES_SECONDS
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if error.errno not in _CHANGED_MEANWHILE or time.monotonic() >= deadline:
                raise


def _hold(lock: int, folder: SandboxFolder) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(lock, 200).decode(errors="replace").removeprefix(_MARK).strip()
        raise WrongUse(
            f"A sandbox runs in {folder.path} already (process {holder}); stop it, or give --dir "
            "another folder."
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{_MARK}{os.getpid()}\n".encode(), 0)
