"""What the status page says."""

from dataclasses import dataclass, replace
from urllib.parse import unquote

from consumer.telemetry.chart import Chart, chart
from consumer.telemetry.health import Finding, all_fine
from consumer.telemetry.snapshot import Snapshot
from consumer.telemetry.wording import count, duration, moment, pace
from ledger.advice import advice_on
from ledger.finish import Basis
from ledger.report import PaceReport, PaceSource, StatusReport
from ledger.sending_status import SendingState, SendingStatus
from ledger.uploads.upload import Account, UploadState

UPLOADS_SHOWN = 50
NEAR_SECONDS = 7 * 86_400.0
"""A runway below this is an obstacle."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way, and what to do."""

    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class Row:
    """One upload. percent: settled of what was enqueued."""

    name: str
    upload: str
    state: str
    percent: int
    figures: str
    problems: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template shows; text only, to be escaped there."""

    is_fine: bool
    obstacles: tuple[Obstacle, ...]
    rows: tuple[Row, ...]
    rows_left_out: int
    worker: str
    seen: str
    state: str = "starting"
    waiting: str = "?"
    headline: str = "The ledger has not been read yet."
    finish: str = ""
    pace: str = ""
    runway: str = ""
    chart: Chart | None = None


def make_page(snapshot: Snapshot, findings: list[Finding]) -> Page:
    """The page for a snapshot; `findings` are those of liveness and readiness."""
    accounts = snapshot.accounts
    troubles = tuple(
        Obstacle(f"{finding.name}: {finding.says}.", "See docs/operations.md.")
        for finding in findings
        if not finding.is_fine and finding.name != "sending"
    )
    page = Page(
        is_fine=all_fine(findings),
        obstacles=troubles,
        rows=tuple(_row(account) for account in accounts[:UPLOADS_SHOWN]),
        rows_left_out=max(0, len(accounts) - UPLOADS_SHOWN),
        worker=_worker(snapshot),
        seen=f"Seen {moment(snapshot.at)}; this page refreshes itself.",
    )
    if snapshot.ledger is None:
        return page
    status = snapshot.ledger.status
    obstacles = _obstacles(status)
    runway = status.backlog.runway_seconds
    return replace(
        page,
        is_fine=page.is_fine and not obstacles,
        obstacles=(*obstacles, *troubles),
        state=status.sending.state.value,
        waiting=count(status.backlog.waiting),
        headline=_headline(status.backlog.waiting),
        finish=_finish(status),
        pace=_pace(status.pace),
        runway=""
        if runway is None
        else f"The oldest waiting order leaves the stream in {duration(runway)}.",
        chart=chart(
            snapshot.ledger.samples,
            target_per_second=status.pace.target_per_second,
            now=status.at,
        ),
    )


def _headline(waiting: int) -> str:
    if not waiting:
        return "No order waits."
    return "order waits" if waiting == 1 else "orders wait"


def _finish(status: StatusReport) -> str:
    estimate = status.estimate
    if not (status.backlog.waiting or estimate.unread):
        return ""
    if estimate.seconds is None:
        return f"When they will be done is unknown: {estimate.reason}."
    about = "at least " if estimate.is_lower_bound else "about " if estimate.unread else ""
    done = f"Done in {about}{duration(estimate.seconds)}, on {moment(status.at + estimate.seconds)}"
    if estimate.basis is Basis.ACHIEVED and estimate.per_second:
        done += f", at the {pace(estimate.per_second)} achieved"
    if estimate.unread:
        done += f"; {count(estimate.unread)} more are still to be read, as estimated"
    return f"{done}."


def _pace(report: PaceReport) -> str:
    achieved, measured = report.achieved_per_second, report.measured_seconds
    last = ""
    if achieved is not None and measured is not None:
        last = f"; {pace(achieved)} over the last {duration(measured)}"
    if report.source is PaceSource.UNSET:
        return "No pace is set."
    if report.target_per_second is None:
        return f"No limit ({_source(report)}){last}."
    return f"Pace {pace(report.target_per_second)} ({_source(report)}){last}."


def _source(report: PaceReport) -> str:
    override = report.override
    if override is None:
        return report.source.value
    end = "`orders pace default`" if override.until is None else moment(override.until)
    why = f": {override.reason}" if override.reason else ""
    return f"{report.source.value} by {override.by} until {end}{why}"


def _obstacles(status: StatusReport) -> list[Obstacle]:
    found = []
    if status.sending.state is not SendingState.RUNNING:
        found.append(_of_sending(status.sending))
    shortfall = _shortfall(status)
    if shortfall:
        found.append(shortfall)
    runway, eta = status.backlog.runway_seconds, status.estimate.seconds
    if runway is not None and (runway < NEAR_SECONDS or (eta or 0.0) > runway):
        found.append(
            Obstacle(
                f"Orders will be lost in {duration(runway)} unless they are sent before.",
                "Raise the pace, or raise the stream's retention now.",
            )
        )
    return found


def _shortfall(status: StatusReport) -> Obstacle | None:
    target, estimate = status.pace.target_per_second, status.estimate
    if target is None or estimate.basis is not Basis.ACHIEVED or not estimate.per_second:
        return None
    share = estimate.per_second / target
    return Obstacle(
        f"Only {pace(estimate.per_second)} of the {pace(target)} is achieved ({share:.0%}).",
        "PaceBelowTarget in docs/operations.md says where to look.",
    )


def _of_sending(sending: SendingStatus) -> Obstacle:
    times = f", since {moment(sending.since)}" if sending.since is not None else ""
    times += f", until {moment(sending.until)}" if sending.until is not None else ""
    action = advice_on(sending.cause).action
    return Obstacle(
        f"Sending is {sending.state.value}: {sending.reason}{times}.",
        f"{action[:1].upper()}{action[1:]}.",
    )


def _row(account: Account) -> Row:
    upload, tally = account.upload, account.tally
    enqueued = max(account.enqueued, upload.estimate if upload.state is UploadState.READING else 0)
    problems = (
        (upload.progress.invalid, "invalid"),
        (tally.refused, "refused"),
        (tally.missing, "missing"),
        (tally.cancelled, "cancelled"),
    )
    return Row(
        name=unquote(upload.source.key) if upload.source.key else upload.id,
        upload=upload.id,
        state="cancelling" if account.is_cancelling else upload.state.value.replace("_", " "),
        percent=_percent(tally.settled, enqueued, is_open=upload.listed_open),
        figures=f"{count(tally.accepted)} accepted, {count(account.waiting)} waiting, "
        f"{count(account.lines_read)} lines read",
        problems=", ".join(f"{count(number)} {name}" for number, name in problems if number),
        reason=upload.reason,
    )


def _percent(settled: int, enqueued: int, *, is_open: bool) -> int:
    if not enqueued:
        return 0 if is_open else 100
    return min(100, 100 * settled // enqueued)


def _worker(snapshot: Snapshot) -> str:
    worker = snapshot.worker
    if worker.number is None:
        return worker.waits_for or "This worker has no number yet."
    shards = len(snapshot.shards)
    return f"Worker number {worker.number}, {shards} shard{'' if shards == 1 else 's'}."
