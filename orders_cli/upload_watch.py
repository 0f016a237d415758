"""Waiting for an upload, and reporting its progress on stderr."""

import sys
import time
from collections.abc import Callable

import typer

from ledger.errors import LedgerUnreachable
from ledger.report import StatusReport
from ledger.sending_status import SendingState
from ledger.uploads.upload import Account, UploadState
from orders.upload import UploadId
from orders_cli.aws import Aws
from orders_cli.failures import CommandFailed, ExitCode
from orders_cli.output import is_lively, say
from orders_cli.quantities import count, duration
from orders_cli.status_text import sending_sentence, state_text

UPLOAD_POLL_SECONDS = 0.5
SAY_SECONDS = 10.0
"""Without a terminal progress is reported when the state changes, or after this time."""
FAILURES_MAX = 30
FAILURE_SECONDS = 2.0
"""The ledger may be unreachable this often in a row, this far apart: a watch may take days."""
REPORT_SECONDS = 5.0
"""How often more than the upload itself is read: when everything will be done."""
INTAKE_SECONDS = 20.0
"""How often an upload that is not read is looked for among the intake's dead letters."""


def wait_for(aws: Aws, upload: UploadId, seen: Callable[[Account], None]) -> Account:
    """Poll until the upload is over, reporting its progress on stderr.

    Raises CommandFailed where it will never be read, and LedgerUnreachable after FAILURES_MAX
    failures in a row. Ctrl-C ends the command, not the upload.

    seen: called with every state of the upload.
    """
    progress = _ProgressLine()
    poll = _Poll(aws, upload)
    try:
        while True:
            account, report = poll()
            progress.show(account, report)
            if not account.upload.listed_open:
                progress.end()
                return account
            seen(account)
            time.sleep(UPLOAD_POLL_SECONDS)
    except KeyboardInterrupt as error:
        progress.end()
        say(
            f"Stopped watching; the upload continues. See `orders uploads show {upload}`, or "
            f"cancel it with `orders cancel {upload}`."
        )
        raise typer.Exit(ExitCode.STOPPED_WATCHING) from error


def progress_sentence(account: Account, report: StatusReport) -> str:
    """How far an upload is, and what decides how it continues."""
    upload = account.upload
    if upload.state is UploadState.READING and not account.enqueued:
        return f"reading: {count(account.lines_read, 'line')}"
    parts = [
        f"{state_text(account)}: {account.tally.settled:,} of {account.enqueued:,} settled",
    ]
    if account.has_problems:
        problems = upload.progress.invalid, account.tally.refused, account.tally.missing
        parts.append("{} invalid, {} refused, {} missing".format(*problems))
    if report.sending.state is not SendingState.RUNNING:
        parts.append(sending_sentence(report.sending, now=report.at))
    elif account.waiting and report.estimate.seconds:
        parts.append(f"everything done in {duration(report.estimate.seconds)}")
    return "; ".join(parts)


def exit_code_of(account: Account) -> ExitCode:
    """How a command ends that waited for this upload."""
    match account.upload.state:
        case UploadState.DONE:
            return ExitCode.DONE
        case UploadState.REFUSED_ADMISSION:
            return ExitCode.REFUSED_ADMISSION
        case _:
            return ExitCode.PROBLEMS


class _Poll:
    """Reads one upload and, less often, the report and the intake's dead letters."""

    def __init__(self, aws: Aws, upload: UploadId) -> None:
        self._aws = aws
        self._upload = upload
        self._intake_at = time.monotonic()
        self._report: StatusReport | None = None
        self._report_at = 0.0

    def __call__(self) -> tuple[Account, StatusReport]:
        for _ in range(FAILURES_MAX - 1):
            try:
                return self._read()
            except LedgerUnreachable:
                time.sleep(FAILURE_SECONDS)
        return self._read()

    def _read(self) -> tuple[Account, StatusReport]:
        account = self._aws.ledger.read_account(self._upload)
        if account is None:
            raise CommandFailed(f"Upload {self._upload} is no longer in the ledger.")
        now = time.monotonic()
        if not account.lines_read and now - self._intake_at > INTAKE_SECONDS:
            self._intake_at = now
            for letter in self._aws.intake_dead_letters():
                if letter.upload == self._upload:
                    raise CommandFailed(f"Upload {self._upload} is not read: {letter.reason}.")
        if self._report is None or now - self._report_at >= REPORT_SECONDS:
            self._report, self._report_at = self._aws.report(), now
        return account, self._report


class _ProgressLine:
    """Progress on stderr: one moving line on a terminal, otherwise a line now and then."""

    def __init__(self) -> None:
        self._moves = is_lively(sys.stderr)
        self._state = ""
        self._said_at = 0.0

    def show(self, account: Account, report: StatusReport) -> None:
        sentence = progress_sentence(account, report)
        if self._moves:
            sys.stderr.write(f"\r\x1b[2K{sentence}")
            sys.stderr.flush()
            return
        now = time.monotonic()
        state = account.upload.state.value
        if state != self._state or now - self._said_at >= SAY_SECONDS:
            self._state, self._said_at = state, now
            say(sentence)

    def end(self) -> None:
        if self._moves:
            sys.stderr.write("\n")
