"""The metrics that are read off a snapshot."""

import math
from collections import Counter
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from consumer.run_folder import ShardFile
from consumer.telemetry import catalogue
from consumer.telemetry.catalogue import Metric
from consumer.telemetry.snapshot import LedgerSnapshot, Snapshot
from ledger.report import PaceReport, PaceSource
from ledger.sending_status import SendingState
from ledger.uploads.upload import Account, UploadState
from orders.outcome import Outcome

Values = float | dict[tuple[str, ...], float]
"""A metric's value, or its values by those of its labels."""


def families(snapshot: Snapshot) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
    """Every metric that is read off state, as far as it is known."""
    for metric, values in _values(snapshot).items():
        make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
        family = make(metric.name, metric.about, labels=metric.labels)
        for labels, value in values.items() if isinstance(values, dict) else [((), values)]:
            family.add_metric(labels, value)
        yield family


def _values(snapshot: Snapshot) -> dict[Metric, Values]:
    intake = snapshot.rare.intake_dead_letters
    values: dict[Metric, Values] = {
        catalogue.INTAKE_DEAD_LETTERS: math.nan if intake is None else intake,
        catalogue.CHECKPOINT_AGE: _checkpoint_age_seconds(snapshot.shards, snapshot.at),
        catalogue.SHARDS: len(snapshot.shards),
        catalogue.CLOCK_SKEW: snapshot.skew_seconds,
        catalogue.VIEW_AGE: snapshot.view_age_seconds,
        catalogue.BUILD_INFO: {(_release(),): 1},
    }
    if snapshot.ledger:
        values |= _of_ledger(snapshot.ledger) | _of_uploads(snapshot.accounts)
    return values


def _release() -> str:
    try:
        return version("paced-orders")
    except PackageNotFoundError:  # a checkout that was not installed
        return "unknown"


def _checkpoint_age_seconds(shards: Iterable[ShardFile], now: float) -> float:
    ages = [now - (shard.checkpoint_at or shard.since) for shard in shards if shard.unsettled]
    return max([0.0, *ages])


def _of_ledger(ledger: LedgerSnapshot) -> dict[Metric, Values]:
    status = ledger.status
    runway = status.backlog.runway_seconds
    eta = status.estimate.seconds
    achieved = status.pace.achieved_per_second
    sending = status.sending
    return {
        catalogue.BACKLOG: status.backlog.waiting,
        catalogue.BACKLOG_AGE: status.backlog.age_seconds,
        catalogue.ETA: math.nan if eta is None else eta,
        catalogue.RUNWAY: math.inf if runway is None else runway,
        catalogue.SETTLED: {(o.value,): getattr(ledger.settled, o.value) for o in Outcome},
        catalogue.PACE_TARGET: _target(status.pace),
        catalogue.PACE_TURNS: _target(status.pace) / status.pace.orders_per_turn,
        catalogue.PACE_MARGIN: status.pace.margin_seconds,
        catalogue.QUOTA_LIMIT: {(str(use.quota),): use.quota.count for use in status.pace.quotas},
        catalogue.QUOTA_USED: {(str(use.quota),): use.used for use in status.pace.quotas},
        catalogue.PACE_ACHIEVED: math.nan if achieved is None else achieved,
        catalogue.SENDING_STATE: {
            (state.value, sending.cause if state is sending.state else ""): state is sending.state
            for state in SendingState
            if state is not SendingState.STOPPED  # while this is exported, a worker is alive
        },
    }


def _target(pace: PaceReport) -> float:
    if pace.target_per_second is not None:
        return pace.target_per_second
    return math.nan if pace.source is PaceSource.UNSET else math.inf


def _of_uploads(accounts: Iterable[Account]) -> dict[Metric, Values]:
    states = Counter(account.upload.state for account in accounts)
    return {
        catalogue.UPLOADS: {(state.value,): states[state] for state in UploadState},
        catalogue.INVALID: sum(a.upload.progress.invalid for a in accounts),
        catalogue.MISSING: sum(a.tally.missing for a in accounts),
        catalogue.DEAD_LETTERS: sum(a.open_letters for a in accounts),
    }
