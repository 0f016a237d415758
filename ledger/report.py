"""What is left, when will it be done, and what stands in the way?

One pure answer for everybody who asks: metrics, status page, `orders status`. Times are seconds,
moments are seconds since the epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.claim import Claim
from ledger.evidence import Evidence, evidence
from ledger.finish import Estimate, estimate
from ledger.history import Measure, Sample, measured
from ledger.pace.pace import Override, Pace
from ledger.sending_status import SendingStatus, halted_since, sending_status
from ledger.uploads.lane import Tally
from ledger.uploads.upload import Account, UploadState
from ledger.workers import absence
from orders.outcome import Outcome


class PaceSource(StrEnum):
    """Where the pace comes from."""

    CONFIGURED = "configured"
    OVERRIDE = "override"
    UNSET = "unset"


@dataclass(frozen=True, slots=True)
class PaceReport:
    """The pace. target: None where it is `none` or unset. achieved: None where nothing is known.

    override: who set the pace that holds now over the configured one, why and until when.
    measured_seconds: the time that `achieved` covers. margin_seconds: what lies between two turns
    beyond the interval, learned from 429s.
    """

    target_per_second: float | None
    achieved_per_second: float | None
    source: PaceSource
    override: Override | None = None
    measured_seconds: float | None = None
    margin_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """Orders enqueued and not settled, which are still to be sent.

    age_seconds: how long ago the oldest upload with waiting orders came, 0 where none waits.
    runway_seconds: until the first of them leaves the stream, None where none waits.
    cancelling: orders of cancelled uploads that are not settled yet; they take no turn and are not
    among the waiting.
    """

    waiting: int
    age_seconds: float
    runway_seconds: float | None
    cancelling: int = 0


@dataclass(frozen=True, slots=True)
class LedgerView:
    """What was read of the ledger.

    accounts: all open uploads; ended ones among them are passed over.
    ended: the tally of all uploads that ever ended.
    samples: the history, oldest first.
    claims: of all workers; None where a worker asks, which is alive itself.
    """

    accounts: Sequence[Account]
    ended: Tally
    pace: Pace
    samples: tuple[Sample, ...]
    claims: Sequence[Claim] | None = None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The answer. settled: orders of all uploads ever, by outcome."""

    at: float
    backlog: Backlog
    settled: Tally
    pace: PaceReport
    estimate: Estimate
    sending: SendingStatus


def report(view: LedgerView, *, retention_seconds: float, now: float) -> StatusReport:
    """The state of things as it was seen at `now`."""
    pace = view.pace
    still_open = [account for account in view.accounts if account.upload.listed_open]
    settled = total([view.ended, *(account.tally for account in still_open)])
    backlog = _backlog(still_open, retention_seconds=retention_seconds, now=now)
    absent = None if view.claims is None else absence(view.claims, view.samples, pace, now)
    sending = sending_status(pace, now, absent)
    latest = Sample(
        at=now,
        sent=sent_of(settled),
        waiting=backlog.waiting,
        target_per_second=_target(pace, now),
        halted_since=halted_since(pace, now),
    )
    measure = _measured(view.samples, latest)
    seen = evidence(view.samples, latest)
    if latest.target_per_second is None and measure and not seen.seconds:
        # Without a target the little that is known is better than nothing.
        sent = round(measure.per_second * measure.seconds)
        seen = Evidence(sent, measure.seconds, seen.stalled_seconds)
    return StatusReport(
        at=now,
        backlog=backlog,
        settled=settled,
        pace=pace_of(pace, now, measure),
        estimate=estimate(still_open, pace, sending, seen, now),
        sending=sending,
    )


def pace_of(pace: Pace, now: float, measure: Measure | None = None) -> PaceReport:
    """The pace that holds now and, where it was measured, how it really was."""
    override = pace.override
    if override and override.until is not None and override.until <= now:
        override = None
    source = PaceSource.CONFIGURED if pace.configured else PaceSource.UNSET
    rate = pace.rate(now)
    return PaceReport(
        target_per_second=_target(pace, now),
        achieved_per_second=measure.per_second if measure else None,
        source=PaceSource.OVERRIDE if override else source,
        override=override,
        measured_seconds=measure.seconds if measure else None,
        margin_seconds=pace.spacing_seconds(now) - rate.interval_seconds if rate else 0.0,
    )


def sample_of(status: StatusReport, pace: Pace, settled: Tally) -> Sample:
    """What the history keeps of a look. settled: by outcome, as it is told to never fall."""
    return Sample(
        at=status.at,
        sent=sent_of(settled),
        waiting=status.backlog.waiting,
        target_per_second=status.pace.target_per_second,
        halted_since=halted_since(pace, status.at),
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


def _backlog(accounts: Sequence[Account], *, retention_seconds: float, now: float) -> Backlog:
    cancelling = sum(a.waiting for a in accounts if a.upload.state is UploadState.CANCELLED)
    waiting = [a for a in accounts if a.waiting and a.upload.state is not UploadState.CANCELLED]
    if not waiting:
        return Backlog(0, 0.0, None, cancelling)
    # An order is at most as old as its upload: the age errs on the safe side, by the reading time.
    age = max(0.0, now - min(account.upload.created_at for account in waiting))
    runway_seconds = max(0.0, retention_seconds - age)
    return Backlog(sum(account.waiting for account in waiting), age, runway_seconds, cancelling)


def _target(pace: Pace, now: float) -> float | None:
    rate = pace.rate(now)
    return rate.per_second if rate else None


def _measured(samples: tuple[Sample, ...], latest: Sample) -> Measure | None:
    target = latest.target_per_second
    return measured(samples, latest, interval_seconds=1 / target if target else 0.0)
