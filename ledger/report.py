"""What is left, when will it be done, and what stands in the way?

One pure answer for everybody who asks: metrics, status page, `orders status`. Times are seconds,
moments are seconds since the epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.ports.history import Sample, achieved_per_second, busy_seconds
from ledger.ports.lanes import Tally
from ledger.ports.pace import Pace
from ledger.ports.uploads import Account, UploadState
from orders.outcome import Outcome

NO_RATE = "no rate is set: set ORDERS_RATE or run `orders pace RATE`"
MEASURED_SHARE = 0.9
"""Below this share of the target for TRUSTED_SECONDS, the pace achieved gives the estimate."""
TRUSTED_SECONDS = 300.0
SHORT_HOLD_SECONDS = 60.0
"""After a longer hold nobody can say when sending will go on."""


class SendingState(StrEnum):
    """Does sending go on?"""

    RUNNING = "running"
    PAUSED = "paused"
    HELD = "held"
    BARRED = "barred"


@dataclass(frozen=True, slots=True)
class Sending:
    """Whether sending goes on.

    reason: a sentence for people. cause: the same in a word or three, one of few. Both are empty
    while it runs.
    """

    state: SendingState
    reason: str = ""
    cause: str = ""


class PaceSource(StrEnum):
    """Where the pace comes from."""

    CONFIGURED = "configured"
    OVERRIDE = "override"
    UNSET = "unset"


@dataclass(frozen=True, slots=True)
class PaceReport:
    """The pace. target: None where it is `none` or unset. achieved: None where nothing is known."""

    target_per_second: float | None
    achieved_per_second: float | None
    source: PaceSource


@dataclass(frozen=True, slots=True)
class Backlog:
    """Orders enqueued and not settled.

    age_seconds: how long ago the oldest upload with waiting orders came, 0 where none waits.
    runway_seconds: until the first of them leaves the stream, None where none waits.
    """

    waiting: int
    age_seconds: float
    runway_seconds: float | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """When nothing will wait any more; `seconds` None with the reason why nobody can say."""

    seconds: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LedgerView:
    """What was read of the ledger.

    accounts: all open uploads; ended ones among them are passed over.
    ended: the tally of all uploads that ever ended.
    samples: the history, oldest first.
    """

    accounts: Sequence[Account]
    ended: Tally
    pace: Pace
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The answer. settled: orders of all uploads ever, by outcome."""

    at: float
    backlog: Backlog
    settled: Tally
    pace: PaceReport
    estimate: Estimate
    sending: Sending


def report(view: LedgerView, *, retention_seconds: float, now: float) -> StatusReport:
    """The state of things as it was seen at `now`."""
    pace = view.pace
    still_open = [account for account in view.accounts if account.upload.listed_open]
    settled = total([view.ended, *(account.tally for account in still_open)])
    backlog = _backlog(still_open, retention_seconds=retention_seconds, now=now)
    latest = Sample(now, sent_of(settled), backlog.waiting)
    rate = pace.rate(now)
    achieved = achieved_per_second(
        view.samples, latest, interval_seconds=rate.interval_seconds if rate else 0.0
    )
    target = rate.per_second if rate else None
    sending = sending_of(pace, now)
    to_send = sum(a.waiting for a in still_open if a.upload.state is not UploadState.CANCELLED)
    estimate = _unpaced(to_send, pace, sending, now)
    if estimate is None:
        trusted = busy_seconds(view.samples, latest) >= TRUSTED_SECONDS
        expected = _expected_per_second(target, achieved, achieved_is_trusted=trusted)
        estimate = _paced(to_send, expected, starts_in=_starts_in(pace, now))
    return StatusReport(
        at=now,
        backlog=backlog,
        settled=settled,
        pace=PaceReport(target, achieved, _source(pace, now)),
        estimate=estimate,
        sending=sending,
    )


def sent_of(tally: Tally) -> int:
    """The orders of a tally that took a turn."""
    return tally.accepted + tally.refused


def total(tallies: Sequence[Tally]) -> Tally:
    """All of them together."""
    whole = Tally()
    for tally in tallies:
        for outcome in Outcome:
            whole = whole.plus(outcome, getattr(tally, outcome.value))
    return whole


def sending_of(pace: Pace, now: float) -> Sending:
    """Whether sending goes on, and if not, why: what needs a person comes first."""
    for name, bar in sorted(pace.bars.items()):
        where = f" ({name})" if name.startswith("shardId-") else ""
        return Sending(SendingState.BARRED, f"{bar.reason}: {bar.detail}{where}", bar.reason)
    pause = pace.pause_at(now)
    if pause:
        return Sending(SendingState.PAUSED, f"paused by {pause.by}: {pause.reason}", "paused")
    if pace.rate(now) is None:
        return Sending(SendingState.BARRED, NO_RATE, "no rate")
    if pace.hold:
        kind = pace.hold.kind.value
        state = SendingState.BARRED if pace.hold.is_bar else SendingState.HELD
        return Sending(state, f"{kind}: {pace.hold.why}", kind)
    return Sending(SendingState.RUNNING)


def _backlog(accounts: Sequence[Account], *, retention_seconds: float, now: float) -> Backlog:
    waiting = [account for account in accounts if account.waiting]
    if not waiting:
        return Backlog(0, 0.0, None)
    # An order is at most as old as its upload: the age errs on the safe side, by the reading time.
    age = max(0.0, now - min(account.upload.created_at for account in waiting))
    return Backlog(
        sum(account.waiting for account in waiting), age, max(0.0, retention_seconds - age)
    )


def _source(pace: Pace, now: float) -> PaceSource:
    override = pace.override
    if override and (override.until is None or now < override.until):
        return PaceSource.OVERRIDE
    return PaceSource.CONFIGURED if pace.configured else PaceSource.UNSET


def _unpaced(to_send: int, pace: Pace, sending: Sending, now: float) -> Estimate | None:
    """The estimate where the pace plays no part: nothing to send, or nobody knows from when."""
    if not to_send:
        return Estimate(0.0)
    if sending.state is SendingState.BARRED:
        return Estimate(None, sending.reason)
    pause = pace.pause_at(now)
    if pause and pause.until is None:
        return Estimate(None, sending.reason)
    hold = pace.hold
    if hold and now - hold.since > SHORT_HOLD_SECONDS:
        return Estimate(None, sending.reason)
    return None


def _starts_in(pace: Pace, now: float) -> float:
    """Seconds until a pause or a short hold ends."""
    pause = pace.pause_at(now)
    ends = [pause.until if pause and pause.until else now, pace.hold.until if pace.hold else now]
    return max(0.0, max(ends) - now)


def _expected_per_second(
    target: float | None, achieved: float | None, *, achieved_is_trusted: bool
) -> float | None:
    """The pace to reckon with: the target, unless the truth has long been another."""
    if target is None:
        return achieved
    if achieved and achieved_is_trusted and achieved < MEASURED_SHARE * target:
        return achieved
    return target


def _paced(to_send: int, per_second: float | None, *, starts_in: float) -> Estimate:
    if not per_second:
        return Estimate(None, "the pace has no limit, and nothing was sent in the last minute")
    return Estimate(starts_in + to_send / per_second)
