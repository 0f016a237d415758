"""How does the status look as text?"""

from collections.abc import Sequence

from ledger.ports.uploads import Account, UploadState
from ledger.report import PaceReport, PaceSource, StatusReport
from orders.rate import Rate
from orders_cli.intake import IntakeDeadLetter
from orders_cli.looking import Look
from orders_cli.phrases import count, duration, moment, per_second

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
        account.upload.state.value,
        f"{account.lines_read:,}",
        f"{account.upload.progress.invalid:,}",
        f"{tally.accepted:,}",
        f"{tally.refused:,}",
        f"{account.waiting:,}",
        account.upload.source.key,
    )


def headline(report: StatusReport) -> list[tuple[str, str]]:
    """What is left, when it is done, the pace, and what stands in the way: name and sentence."""
    sending = report.sending
    state = sending.state.value + (f": {sending.reason}" if sending.reason else "")
    lines = [("sending", state), ("pace", pace_sentence(report.pace))]
    waiting = count(report.backlog.waiting, "order")
    estimate = report.estimate
    if not report.backlog.waiting:
        lines.append(("waiting", "nothing"))
    elif estimate.seconds is None:
        lines.append(("waiting", f"{waiting}; nobody can say until when: {estimate.reason}"))
    else:
        end = moment(report.at + estimate.seconds)
        lines.append(("waiting", f"{waiting}, for {duration(estimate.seconds)}, until {end}"))
    if report.backlog.runway_seconds is not None:
        left = duration(report.backlog.runway_seconds)
        lines.append(("runway", f"the oldest of them leaves the stream in {left}"))
    return lines


def pace_sentence(pace: PaceReport) -> str:
    """The pace as it should be, and as it was."""
    if pace.source is PaceSource.UNSET:
        target = "not set"
    else:
        rate = Rate(pace.target_per_second)
        target = f"{rate} ({pace.source.value})"
    if pace.achieved_per_second is None:
        return target
    return f"{target}, {per_second(pace.achieved_per_second)} in the last minute"


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
        ("state", upload.state.value),
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
