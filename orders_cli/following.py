"""How does an upload go, put for somebody who waits for it?"""

from dataclasses import dataclass

from ledger.report import StatusReport
from ledger.sending_status import SendingState
from ledger.uploads.upload import Account, UploadState
from orders_cli.failures import ExitCode
from orders_cli.headline import sending_sentence
from orders_cli.phrases import count, duration
from orders_cli.rendering import state_text


@dataclass(frozen=True, slots=True)
class Step:
    """One look at an upload that is under way, and at all else that decides how it goes on."""

    account: Account
    report: StatusReport

    @property
    def is_over(self) -> bool:
        """Is all of it read and settled, or will nothing of it ever be?"""
        return not self.account.upload.listed_open

    @property
    def sentence(self) -> str:
        """How it goes, for a person who waits."""
        upload, account = self.account.upload, self.account
        if upload.state is UploadState.READING and not account.enqueued:
            return f"reading: {count(account.lines_read, 'line')}"
        settled, waiting = account.tally.settled, account.waiting
        parts = [f"{state_text(account)}: {settled:,} of {account.enqueued:,} settled"]
        if account.has_problems:
            problems = upload.progress.invalid, account.tally.refused, account.tally.missing
            parts.append("{} invalid, {} refused, {} missing".format(*problems))
        if self.report.sending.state is not SendingState.RUNNING:
            parts.append(sending_sentence(self.report.sending, now=self.report.at))
        elif waiting and self.report.estimate.seconds:
            parts.append(f"everything done in {duration(self.report.estimate.seconds)}")
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
