"""How does a command wait for an upload?"""

import sys
import time
from collections.abc import Callable

import typer

from ledger.errors import LedgerUnreachable
from ledger.report import StatusReport
from ledger.uploads.upload import Account
from orders.upload import UploadId
from orders_cli.failures import CommandFailed, ExitCode
from orders_cli.following import Step
from orders_cli.opening import Opened
from orders_cli.speech import is_lively, say

LOOK_SECONDS = 0.5
SAY_SECONDS = 10.0
"""Without a terminal the progress is said when the state changes, or after this time."""
FAILURES = 30
FAILURE_SECONDS = 2.0
"""So often in a row, and so far apart, the ledger may be out of reach while somebody watches."""
REPORT_SECONDS = 5.0
"""How often a waiting command looks at more than its own upload: when all will be done."""
INTAKE_SECONDS = 20.0
"""How often an upload that is not read is looked for among the intake's dead letters."""


def wait_for(opened: Opened, upload: UploadId, seen: Callable[[Account], None]) -> Account:
    """Look until the upload is over, and tell on stderr how it goes.

    Raises CommandFailed where nobody will read it; Ctrl-C ends the command, not the upload.

    seen: told what each look found.
    """
    teller = _Teller()
    watcher = _Watcher(opened, upload)
    try:
        step = watcher.look()
        while not step.is_over:
            seen(step.account)
            teller.tell(step)
            time.sleep(LOOK_SECONDS)
            step = watcher.look()
    except KeyboardInterrupt as error:
        teller.end()
        say(
            f"Stopped watching; the upload goes on. See `orders uploads show {upload}`, or "
            f"call it back with `orders cancel {upload}`."
        )
        raise typer.Exit(ExitCode.STOPPED_WATCHING) from error
    teller.tell(step)
    teller.end()
    return step.account


class _Watcher:
    """Looks at one upload, patiently: a watch of days outlives a minute without AWS."""

    def __init__(self, opened: Opened, upload: UploadId) -> None:
        self._opened = opened
        self._upload = upload
        self._failures = 0
        self._intake_at = time.monotonic()
        self._reported: StatusReport | None = None
        self._reported_at = 0.0

    def look(self) -> Step:
        """One look. Raises CommandFailed, and LedgerUnreachable after FAILURES in a row."""
        while True:
            try:
                step = self._look()
            except LedgerUnreachable:
                self._failures += 1
                if self._failures == FAILURES:
                    raise
                time.sleep(FAILURE_SECONDS)
            else:
                self._failures = 0
                return step

    def _look(self) -> Step:
        account = self._opened.ledger.read_account(self._upload)
        if account is None:
            raise CommandFailed(f"Upload {self._upload} is not in the ledger any more.")
        if not account.lines_read and time.monotonic() - self._intake_at > INTAKE_SECONDS:
            self._intake_at = time.monotonic()
            self._refuse_dead_letter()
        return Step(account, self._report())

    def _report(self) -> StatusReport:
        now = time.monotonic()
        if self._reported is None or now - self._reported_at >= REPORT_SECONDS:
            self._reported, self._reported_at = self._opened.report(), now
        return self._reported

    def _refuse_dead_letter(self) -> None:
        for letter in self._opened.intake_dead_letters():
            if letter.upload == self._upload:
                raise CommandFailed(f"Upload {self._upload} is not read: {letter.reason}.")


class _Teller:
    """Tells on stderr how it goes: one moving line on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._moves = is_lively(sys.stderr)
        self._state = ""
        self._said_at = 0.0

    def tell(self, step: Step) -> None:
        if self._moves:
            sys.stderr.write(f"\r\x1b[2K{step.sentence}")
            sys.stderr.flush()
            return
        now = time.monotonic()
        state = step.account.upload.state.value
        if state != self._state or now - self._said_at >= SAY_SECONDS:
            self._state, self._said_at = state, now
            say(step.sentence)

    def end(self) -> None:
        if self._moves:
            sys.stderr.write("\n")
