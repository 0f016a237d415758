"""What CloudWatch learns without Prometheus: a line a minute on stdout, which it makes metrics of.

The line is in CloudWatch's embedded metric format, which the log group turns into metrics of
ORDERS_CLOUDWATCH_NAMESPACE with the one dimension Application. The alarms of infra/consumer.yaml
read them. Source: "Specification: Embedded metric format", Amazon CloudWatch User Guide.
"""

import json
import logging
import math
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TextIO

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from consumer.ending import die
from consumer.telemetry.conditions import StallWatch, conditions
from consumer.telemetry.snapshot import Snapshot
from consumer.threads import start_thread

LINE_SECONDS = 60.0


class CloudWatchLines:
    """Writes a line at once and then every minute, in a thread of its own."""

    def __init__(
        self,
        namespace: str,
        application: str,
        snapshot: Callable[[], Snapshot],
        *,
        every_seconds: float = LINE_SECONDS,
        out: TextIO | None = None,
    ) -> None:
        """`snapshot` returns the newest one; `out` is stdout unless it is given."""
        self._namespace = namespace
        self._application = application
        self._snapshot = snapshot
        self._every_seconds = every_seconds
        # A log handler writes a line as one piece, and outlives an output that nobody reads.
        self._lines = logging.StreamHandler(out or sys.stdout)
        self._stall = StallWatch()
        self._ended = threading.Event()
        start_thread("cloudwatch", self._run, fail=die)

    def stop(self) -> None:
        """Write no more lines."""
        self._ended.set()

    def _run(self) -> None:
        waited_seconds = 0.0
        while not self._ended.is_set():
            snapshot = self._snapshot()
            ledger = snapshot.ledger
            stalled_seconds = self._stall.stalled_seconds(ledger) if ledger else 0.0
            values = figures(snapshot, stalled_seconds, unread_seconds=waited_seconds)
            line = metric_line(self._namespace, self._application, values)
            self._lines.handle(logging.makeLogRecord({"msg": line}))
            self._ended.wait(self._every_seconds)
            waited_seconds += self._every_seconds


def figures(
    snapshot: Snapshot, stalled_seconds: float, *, unread_seconds: float
) -> Mapping[str, float]:
    """Values by metric; what is unknown or infinite is left out.

    A name that ends in Seconds is in seconds, one in PerSecond a rate, all others are counts.
    unread_seconds: how long the ledger has not been read, if it never was.
    """
    view_age_seconds = snapshot.view_age_seconds if snapshot.ledger else unread_seconds
    found: dict[str, float | None] = {
        **conditions(snapshot, stalled_seconds),
        "Shards": len(snapshot.shards),
        "LedgerViewAgeSeconds": view_age_seconds,
        "ClockSkewSeconds": abs(snapshot.skew_seconds),
    }
    if snapshot.ledger:
        status = snapshot.ledger.status
        found |= {
            "Backlog": status.backlog.waiting,
            "EtaSeconds": status.estimate.seconds,
            "RunwaySeconds": status.backlog.runway_seconds,
            "TargetPerSecond": status.pace.target_per_second,
            "AchievedPerSecond": status.pace.achieved_per_second,
        }
    return {name: v for name, v in found.items() if v is not None and math.isfinite(v)}


def metric_line(namespace: str, application: str, values: Mapping[str, float]) -> str:
    """One line of the embedded metric format."""
    metrics = EphemeralMetrics(namespace=namespace)
    metrics.add_dimension(name="Application", value=application)
    for name, value in values.items():
        metrics.add_metric(name=name, unit=_unit(name), value=float(value))
    return json.dumps(metrics.serialize_metric_set(), separators=(",", ":"))


def _unit(name: str) -> MetricUnit:
    if name.endswith("PerSecond"):
        return MetricUnit.CountPerSecond
    return MetricUnit.Seconds if name.endswith("Seconds") else MetricUnit.Count
