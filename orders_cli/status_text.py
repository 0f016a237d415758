"""The state of sending and of the uploads as text for people."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from ledger.advice import action_beside_reason
from ledger.finish import Basis, Estimate
from ledger.pace.pace import Pace
from ledger.pace.quota_use import below_rate, quota_use
from ledger.pace.turns import shut_now
from ledger.report import Backlog, PaceReport, PaceSource, StatusReport
from ledger.sending_status import SendingState, SendingStatus
from ledger.uploads.id_repeats import IdRepeats
from ledger.uploads.upload import Account, UploadState
from orders.rate import Rate
from orders_cli.intake_dead_letters import IntakeDeadLetter
from orders_cli.overview import Overview
from orders_cli.quantities import count, duration, moment, per_second

BELOW_TARGET = "PaceBelowTarget in docs/operations.md says where to look"
UPLOAD_HEADERS = ("UPLOAD", "STATE", "LINES", "INVALID", "ACCEPTED", "REFUSED", "WAITING", "KEY")


def upload_cells(account: Account) -> tuple[str, ...]:
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
    """The state for people: a cancelled upload is `cancelling` until every order is settled."""
    return "cancelling" if account.is_cancelling else account.upload.state.value


def status_lines(overview: Overview, dead_letters: Sequence[IntakeDeadLetter]) -> list[str]:
    """The status without the table of uploads."""
    lines = [f"{name:<8}  {sentence}" for name, sentence in headline(overview.report)]
    return lines + trouble_lines(overview.accounts, dead_letters)


def trouble_lines(
    accounts: Sequence[Account], dead_letters: Sequence[IntakeDeadLetter]
) -> list[str]:
    """A line for each upload that needs attention, with the reason."""
    lines = [
        f"{account.upload.id}  {account.upload.reason}"
        for account in accounts
        if account.upload.reason and account.upload.state is not UploadState.CANCELLED
    ]
    lines += [
        f"{account.upload.id}  is the same file as upload {account.upload.duplicate_of}, so its "
        "orders are sent once more; `orders cancel` stops that"
        for account in accounts
        if account.upload.duplicate_of and account.upload.listed_open
    ]
    lines += [
        f"{account.upload.id}  {sentence}"
        for account in accounts
        if account.upload.listed_open
        for sentence in repeat_clauses(account.upload.id_repeats)
    ]
    return lines + [f"{letter.upload or letter.key}  {letter.reason}" for letter in dead_letters]


def repeat_clauses(repeats: IdRepeats) -> list[str]:
    """What was found of the order ids of an upload; nothing where none repeats."""
    clauses = []
    if repeats.in_file:
        clauses.append(f"{count(repeats.in_file, 'order')} with an id of an earlier line")
    if repeats.sent_before:
        uploads = ", ".join(repeats.sent_by)
        clauses.append(f"{count(repeats.sent_before, 'order id')} also in upload {uploads}")
    if repeats.is_partial:
        clauses.append("not compared with all uploads, for lack of time")
    return clauses


def counts(account: Account) -> dict[str, int]:
    """An upload's lines and orders; they always add up."""
    return {
        "lines_read": account.lines_read,
        "blank": account.upload.progress.blank,
        "invalid": account.upload.progress.invalid,
        "enqueued": account.enqueued,
        **asdict(account.tally),
        "waiting": account.waiting,
    }


def account_lines(account: Account) -> list[tuple[str, str]]:
    """Everything about one upload: names and values."""
    upload = account.upload
    lines = [
        ("upload", str(upload.id)),
        ("key", upload.source.key),
        ("state", state_text(account)),
        ("reason", upload.reason),
        ("kind", upload.kind.value),
        ("linked", str(upload.linked or "")),
        ("the same as", str(upload.duplicate_of or "")),
        ("order ids", "; ".join(repeat_clauses(upload.id_repeats))),
        *((name.replace("_", " "), f"{number:,}") for name, number in counts(account).items()),
        ("open letters", f"{account.open_letters:,}" if account.tally.refused else ""),
        ("read in", duration(upload.progress.read_seconds)),
        ("since", moment(upload.created_at)),
        ("ended", moment(upload.ended_at) if upload.ended_at else ""),
    ]
    return [(name, value) for name, value in lines if value]


def headline(report: StatusReport) -> list[tuple[str, str]]:
    """The first lines of the status: names and sentences."""
    action = action_beside_reason(report.sending.cause)
    lines = [
        ("sending", sending_sentence(report.sending, now=report.at)),
        *([("to do", action)] if action else []),
        ("pace", pace_sentence(_known(report))),
        ("waiting", waiting_sentence(report)),
    ]
    warning = shortfall_sentence(report)
    if warning:
        lines.append(("warning", warning))
    if report.backlog.runway_seconds is not None:
        left = duration(report.backlog.runway_seconds)
        lines.append(("runway", f"the oldest of them leaves the stream in {left}"))
    return lines


def sending_sentence(sending: SendingStatus, *, now: float) -> str:
    """Whether orders are sent; if not, why, since when, and until when."""
    state = sending.state.value
    sentence = sending.reason if sending.reason.startswith(state) else f"{state}: {sending.reason}"
    if not sending.reason:
        return state
    if sending.since is not None:
        ago = duration(max(0.0, now - sending.since))
        sentence += f"; since {moment(sending.since)} ({ago})"
    if sending.state is SendingState.PAUSED:
        sentence += f", until {_end(sending.until, 'orders resume')}"
    return sentence


def pace_sentence(pace: PaceReport) -> str:
    """The pace that is set and by whom, and the pace achieved."""
    target = "not set" if pace.source is PaceSource.UNSET else f"{_target(pace)} ({_source(pace)})"
    if pace.achieved_per_second is None or pace.measured_seconds is None:
        return target
    achieved, seconds = per_second(pace.achieved_per_second), duration(pace.measured_seconds)
    return f"{target}, {achieved} over the last {seconds}"


def _target(pace: PaceReport) -> str:
    """The rate that is set: of requests, and how many orders each holds."""
    if pace.target_per_second is None or pace.orders_per_turn == 1:
        return str(Rate(pace.target_per_second))
    rate = Rate(pace.target_per_second / pace.orders_per_turn)
    return f"{rate}, each with up to {pace.orders_per_turn} orders"


def limit_sentences(pace: Pace, now: float) -> list[str]:
    """What is used of each quota, the sending hours, and when the next turn is."""
    limits = pace.limits
    said = [f"quota {use.quota}: {use.used:,} used" for use in quota_use(pace, now)]
    if limits.hours:
        said.append(f"sending hours: {limits.hours}")
    said.append(f"time zone of both: {limits.time_zone}")
    room = shut_now(pace, now)
    if room and room.why:
        said.append(f"{room.why.value}; the next turn is at {moment(room.start)}")
    return [*said, *below_rate(pace, now)]


def waiting_sentence(report: StatusReport) -> str:
    """What is left, and when it will be done."""
    backlog, estimate = report.backlog, report.estimate
    left = _left(backlog, estimate)
    if estimate.seconds is None:
        why = report.sending.state.value
        is_known = estimate.reason == report.sending.reason
        sentence = f"{left}; the finish date is unknown"
        sentence += f" while sending is {why}" if is_known else f": {estimate.reason}"
    elif not estimate.seconds:
        sentence = left
    else:
        end = moment(report.at + estimate.seconds)
        about = _about(estimate)
        sentence = f"{left}, for {about}{duration(estimate.seconds)}, until {about}{end}"
        if estimate.basis is Basis.ACHIEVED:
            sentence += f", at the {per_second(estimate.per_second)} achieved"
    if backlog.cancelling:
        sentence += f"; besides, {count(backlog.cancelling, 'order')} still to settle as cancelled"
    return sentence


def shortfall_sentence(report: StatusReport) -> str:
    """That the pace is below the target; empty where it is kept."""
    target, estimate = report.pace.target_per_second, report.estimate
    if target is None or estimate.basis is not Basis.ACHIEVED or not estimate.per_second:
        return ""
    share = estimate.per_second / target
    return (
        f"only {per_second(estimate.per_second)} of the {_target(report.pace)} is achieved "
        f"({share:.0%}), and the finish date is based on that; {BELOW_TARGET}"
    )


def _known(report: StatusReport) -> PaceReport:
    """The pace; achieving nothing is no news while nothing is waiting."""
    is_idle = not report.backlog.waiting and not report.pace.achieved_per_second
    return replace(report.pace, achieved_per_second=None) if is_idle else report.pace


def _source(pace: PaceReport) -> str:
    override = pace.override
    if override is None:
        return pace.source.value
    why = f": {override.reason}" if override.reason else ""
    end = _end(override.until, "orders pace default")
    return f"{pace.source.value} by {override.by} until {end}{why}"


def _end(until: float | None, command: str) -> str:
    return f"`{command}`" if until is None else moment(until)


def _left(backlog: Backlog, estimate: Estimate) -> str:
    waiting = count(backlog.waiting, "order") if backlog.waiting else "nothing"
    if estimate.unread:
        return f"{waiting} yet, and about {count(estimate.unread, 'order')} still to be read"
    if estimate.is_lower_bound:
        return f"{waiting} yet, and an upload of unknown size is still to be read"
    return waiting


def _about(estimate: Estimate) -> str:
    if estimate.is_lower_bound:
        return "at least "
    return "about " if estimate.unread else ""
