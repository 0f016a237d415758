"""How does the status look as text?"""

from collections.abc import Sequence

from ledger.uploads.upload import Account, UploadState
from orders_cli.headline import headline
from orders_cli.intake_dead_letters import IntakeDeadLetter
from orders_cli.looking import Look
from orders_cli.phrases import duration, moment

UPLOAD_HEADERS = (
    "UPLOAD",
    "STATE",
    "LINES",
    "INVALID",
    "ACCEPTED",
    "REFUSED",
    "WAITING",
    "KEY",
)


def upload_row(account: Account) -> tuple[str, ...]:
    """One upload as the cells below UPLOAD_HEADERS."""
    tally = account.tally
    return (
        account.upload.id,
        state_text(account),
        f"{account.lines_read:,}",
        f"{account.upload.progress.invalid:,}",
        f"{tally.accepted:,}",
        f"{tally.refused:,}",
        f"{account.waiting:,}",
        account.upload.source.key,
    )


def state_text(account: Account) -> str:
    """The state for people: a cancelled upload is `cancelling` until all of it is settled."""
    return "cancelling" if account.is_cancelling else account.upload.state.value


def status_lines(look: Look, dead_letters: Sequence[IntakeDeadLetter]) -> list[str]:
    """All of the status but the table of the uploads."""
    lines = [f"{name:<8}  {sentence}" for name, sentence in headline(look.report)]
    return lines + trouble_lines(look.accounts, dead_letters)


def trouble_lines(
    accounts: Sequence[Account], dead_letters: Sequence[IntakeDeadLetter]
) -> list[str]:
    """A line for each upload that a person must look at, with its reason."""
    lines = [
        f"{account.upload.id}  {account.upload.reason}"
        for account in accounts
        if account.upload.reason and account.upload.state is not UploadState.CANCELLED
    ]
    return lines + [f"{letter.upload or letter.key}  {letter.reason}" for letter in dead_letters]


def account_lines(account: Account) -> list[tuple[str, str]]:
    """Everything about one upload: name and value."""
    upload, progress, tally = account.upload, account.upload.progress, account.tally
    lines = [
        ("upload", str(upload.id)),
        ("key", upload.source.key),
        ("state", state_text(account)),
        ("reason", upload.reason),
        ("kind", upload.kind.value),
        ("linked", str(upload.linked or "")),
        ("lines read", f"{account.lines_read:,}"),
        ("blank", f"{progress.blank:,}"),
        ("invalid", f"{progress.invalid:,}"),
        ("enqueued", f"{account.enqueued:,}"),
        ("accepted", f"{tally.accepted:,}"),
        ("refused", f"{tally.refused:,}"),
        ("cancelled", f"{tally.cancelled:,}"),
        ("missing", f"{tally.missing:,}"),
        ("waiting", f"{account.waiting:,}"),
        ("read in", duration(progress.read_seconds)),
        ("since", moment(upload.created_at)),
        ("ended", moment(upload.ended_at) if upload.ended_at else ""),
    ]
    return [(name, value) for name, value in lines if value]
