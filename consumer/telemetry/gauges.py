"""Which numbers does a snapshot come to?"""

import math
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from consumer.telemetry import catalogue
from consumer.telemetry.catalogue import Metric
from consumer.telemetry.snapshot import (
    LedgerSnapshot,
    Snapshot,
    by_state,
    checkpoint_age_seconds,
)
from ledger.report import PaceReport, PaceSource
from ledger.sending_status import SendingState, SendingStatus
from ledger.uploads.upload import Account, UploadKind
from orders.outcome import Outcome

Family = GaugeMetricFamily | CounterMetricFamily
Values = dict[tuple[str, ...], float]


def families(snapshot: Snapshot) -> Iterable[Family]:
    """Every metric that is read off state, as far as it is known."""
    if snapshot.ledger:
        for metric, values in _of_ledger(snapshot.ledger).items():
            yield family(metric, values)
        yield from _of_uploads(snapshot)
    intake = snapshot.rare.intake_dead_letters
    yield _one(catalogue.INTAKE_DEAD_LETTERS, math.nan if intake is None else intake)
    yield _one(catalogue.CHECKPOINT_AGE, checkpoint_age_seconds(snapshot.shards, snapshot.at))
    yield _one(catalogue.SHARDS, len(snapshot.shards))
    yield _one(catalogue.CLOCK_SKEW, snapshot.skew_seconds)
    yield _one(catalogue.VIEW_AGE, snapshot.view_age_seconds)
    yield family(catalogue.BUILD_INFO, {(release(),): 1})


def family(metric: Metric, values: Values) -> Family:
    """One metric's samples; `values` by the values of its labels."""
    made: Family
    if metric.kind is catalogue.Kind.COUNTER:
        made = CounterMetricFamily(metric.name, metric.about, labels=metric.labels)
    else:
        made = GaugeMetricFamily(metric.name, metric.about, labels=metric.labels)
    for labels, value in values.items():
        made.add_metric(labels, value)
    return made


def release() -> str:
    """The release that runs: a checkout that was not installed has none."""
    try:
        return version("paced-orders")
    except PackageNotFoundError:
        return "unknown"


def _one(metric: Metric, value: float) -> Family:
    return family(metric, {(): value})


def _of_ledger(ledger: LedgerSnapshot) -> dict[Metric, Values]:
    status = ledger.status
    runway = status.backlog.runway_seconds
    eta = status.estimate.seconds
    achieved = status.pace.achieved_per_second
    return {
        catalogue.BACKLOG: {(): status.backlog.waiting},
        catalogue.BACKLOG_AGE: {(): status.backlog.age_seconds},
        catalogue.ETA: {(): math.nan if eta is None else eta},
        catalogue.RUNWAY: {(): math.inf if runway is None else runway},
        catalogue.SETTLED: {(o.value,): getattr(ledger.settled, o.value) for o in Outcome},
        catalogue.PACE_TARGET: {(): _target(status.pace)},
        catalogue.PACE_MARGIN: {(): status.pace.margin_seconds},
        catalogue.PACE_ACHIEVED: {(): math.nan if achieved is None else achieved},
        catalogue.SENDING_STATE: _sending(status.sending),
    }


def _target(pace: PaceReport) -> float:
    if pace.target_per_second is not None:
        return pace.target_per_second
    return math.nan if pace.source is PaceSource.UNSET else math.inf


def _sending(sending: SendingStatus) -> Values:
    return {
        (state.value, sending.cause if state is sending.state else ""): float(
            state is sending.state
        )
        for state in SendingState
        if state is not SendingState.STOPPED  # while this is told, a worker is alive
    }


def _of_uploads(snapshot: Snapshot) -> Iterable[Family]:
    accounts = snapshot.accounts
    yield family(catalogue.UPLOADS, {(state.value,): n for state, n in by_state(accounts).items()})
    yield _one(catalogue.INVALID, sum(a.upload.progress.invalid for a in accounts))
    yield _one(catalogue.MISSING, sum(a.tally.missing for a in accounts))
    yield _one(catalogue.DEAD_LETTERS, sum(a.tally.refused for a in accounts if _is_last(a)))


def _is_last(account: Account) -> bool:
    """Was this upload not sent again?

    A redrive, too, is linked, but to what it came from.
    """
    upload = account.upload
    return upload.linked is None or upload.kind is UploadKind.REDRIVE
