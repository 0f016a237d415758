"""The status report: what is left, when it will be done, and what stops sending.

Computed in one place for metrics, status page and `orders status`. Times are seconds, moments are
seconds since the epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.claim import Claim
from ledger.evidence import Evidence, evidence
from ledger.finish import Estimate, estimate_finish
from ledger.pace.history import Measure, Sample, measured
from ledger.pace.pace import Override, Pace
from ledger.pace.quota_use import QuotaUse, quota_use
from ledger.sending_status import SendingStatus, halted_since, sending_status
from ledger.uploads.lane import Tally
from ledger.uploads.upload import Account, UploadState
from ledger.workers import absence

LISTED_SECONDS = 30 * 86_400.0
"""Uploads that ended longer ago are not listed."""


class PaceSource(StrEnum):
    """Where the pace comes from."""

    CONFIGURED = "configured"
    OVERRIDE = "override"
    UNSET = "unset"


@dataclass(frozen=True, slots=True)
class PaceReport:
    """The pace. target: None if it is `none` or unset. achieved: None if nothing is known.

    override: who set the current pace over the configured one, why and until when.
    measured_seconds: the time that `achieved` covers. margin_seconds: extra time between two turns,
    learned from 429s. orders_per_turn: how many of the orders a second one request carries.
    quotas: what is used of each. item: the whole of it, for a forecast beside quotas and hours.
    """

    target_per_second: float | None
    achieved_per_second: float | None
    source: PaceSource
    override: Override | None = None
    measured_seconds: float | None = None
    margin_seconds: float = 0.0
    orders_per_turn: int = 1
    item: Pace | None = None
    quotas: tuple[QuotaUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Backlog:
    """Orders enqueued and not settled, which are still to be sent.

    age_seconds: the age of the oldest upload with waiting orders, 0 if none waits.
    runway_seconds: until the first of them leaves the stream, None if none waits.
    cancelling: orders of cancelled uploads that are not settled yet; they take no turn and do not
    count as waiting.
    """

    waiting: int
    age_seconds: float
    runway_seconds: float | None
    cancelling: int = 0


@dataclass(frozen=True, slots=True)
class LedgerView:
    """What was read of the ledger.

    accounts: all open uploads; ended ones among them are ignored.
    ended: the tally of all uploads that ever ended.
    samples: the history, oldest first.
    claims: of all workers; None if a worker asks, which is alive itself.
    """

    accounts: Sequence[Account]
    ended: Tally
    pace: Pace
    samples: tuple[Sample, ...]
    claims: Sequence[Claim] | None = None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The status at one moment.

    settled: orders of all uploads ever, by outcome. sample: what the history keeps of this.
    """

    at: float
    backlog: Backlog
    settled: Tally
    pace: PaceReport
    estimate: Estimate
    sending: SendingStatus
    sample: Sample


def report(view: LedgerView, *, retention_seconds: float, now: float) -> StatusReport:
    """The status at `now`."""
    pace = view.pace
    still_open = [account for account in view.accounts if account.upload.listed_open]
    settled = sum((account.tally for account in still_open), view.ended)
    backlog = _backlog(still_open, retention_seconds=retention_seconds, now=now)
    absent = None if view.claims is None else absence(view.claims, view.samples, pace, now)
    sending = sending_status(pace, now, absent)
    target = pace.target_per_second(now)
    sample = Sample(now, sent_of(settled), backlog.waiting, target, halted_since(pace, now))
    each = pace.orders_per_turn
    measure = measured(view.samples, sample, interval_seconds=each / target if target else 0.0)
    seen = evidence(view.samples, sample, orders_per_turn=each)
    if target is None and measure and not seen.seconds:
        # Without a target, little evidence is better than none.
        sent = round(measure.per_second * measure.seconds)
        seen = Evidence(sent, measure.seconds, seen.stalled_seconds)
    return StatusReport(
        at=now,
        backlog=backlog,
        settled=settled,
        pace=pace_of(pace, now, measure),
        estimate=estimate_finish(still_open, pace, sending, seen, now),
        sending=sending,
        sample=sample,
    )


def pace_of(pace: Pace, now: float, measure: Measure | None = None) -> PaceReport:
    """The current pace and, if it was measured, the achieved one."""
    override = pace.override_at(now)
    source = PaceSource.CONFIGURED if pace.configured else PaceSource.UNSET
    rate = pace.rate(now)
    return PaceReport(
        target_per_second=pace.target_per_second(now),
        achieved_per_second=measure.per_second if measure else None,
        source=PaceSource.OVERRIDE if override else source,
        override=override,
        measured_seconds=measure.seconds if measure else None,
        margin_seconds=pace.spacing_seconds(now) - rate.interval_seconds if rate else 0.0,
        orders_per_turn=pace.orders_per_turn,
        item=pace if pace.limits.is_set else None,
        quotas=quota_use(pace, now),
    )


def sent_of(tally: Tally) -> int:
    """The orders of a tally that took a turn."""
    return tally.accepted + tally.refused


def _backlog(accounts: Sequence[Account], *, retention_seconds: float, now: float) -> Backlog:
    cancelling = sum(a.waiting for a in accounts if a.upload.state is UploadState.CANCELLED)
    waiting = [a for a in accounts if a.waiting and a.upload.state is not UploadState.CANCELLED]
    if not waiting:
        return Backlog(0, 0.0, None, cancelling)
    # An order is at most as old as its upload: the age errs on the safe side.
    age = max(0.0, now - min(account.upload.created_at for account in waiting))
    runway_seconds = max(0.0, retention_seconds - age)
    return Backlog(sum(account.waiting for account in waiting), age, runway_seconds, cancelling)
