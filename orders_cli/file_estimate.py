"""When a file would be done, whether the stream would keep it long enough, and what it costs.

It reads no file: `commands/estimate.py` counts the lines.
"""

from dataclasses import dataclass

from ledger.pace.forecast import seconds_to_send
from ledger.report import PaceSource, StatusReport
from orders.rate import Rate
from orders.retention import retention_of_at_least
from orders_cli.costs import Cost, sending_costs, waiting_in_lambda
from producer_lambda.admission import MARGIN

_NO_PACE = "there is no pace; give one with --rate"
_NO_LIMIT = (
    "without a limit it depends on how fast the API answers; give a pace, for example --rate 10/s"
)


@dataclass(frozen=True, slots=True)
class FileContents:
    """What a file holds; `stream_bytes` is the size of its orders on the stream."""

    orders: int
    invalid: int
    blank: int
    stream_bytes: int


@dataclass(frozen=True, slots=True)
class FileEstimate:
    """What to expect of a file.

    ahead: orders already waiting, which are sent first. seconds: from now until the file is done;
    None where there is no pace, and `reason` says why. needed_hours: the retention it needs.
    lambda_dollars: what a function would cost that waits between two sends.
    """

    contents: FileContents
    ahead: int
    seconds: float | None
    needed_hours: int
    retention_hours: int
    costs: tuple[Cost, ...]
    reason: str = ""
    lambda_dollars: float = 0.0

    @property
    def fits(self) -> bool:
        """Would the file be admitted?"""
        return self.needed_hours <= self.retention_hours

    @property
    def dollars(self) -> float:
        """The total cost."""
        return sum(cost.dollars for cost in self.costs)

    @property
    def advice(self) -> str:
        """What to raise where the file does not fit, as a sentence; else empty."""
        if self.fits:
            return ""
        enough_hours = retention_of_at_least(self.needed_hours)
        if enough_hours:
            return f"It would be refused: deploy with RetentionHours={enough_hours} first."
        return "It would be refused, and no retention is long enough: raise the pace or split it."


def estimate_file(
    contents: FileContents, *, rate: Rate | None, report: StatusReport | None, retention_hours: int
) -> FileEstimate:
    """Estimate at a rate. report: None for an idle system.

    rate: None for that of the report: the achieved one where it is below the one that is set.
    Orders already waiting or still to be read, and a pause that has an end, come first.
    """
    ahead = report.backlog.waiting + report.estimate.unread if report else 0
    per_second = rate.per_second if rate else _pace_of(report)
    starts_in = report.estimate.starts_in_seconds if report else 0.0
    if not per_second:
        is_unset = rate is None and (report is None or report.pace.source is PaceSource.UNSET)
        why = _NO_PACE if is_unset else _NO_LIMIT
        return FileEstimate(contents, ahead, None, 0, retention_hours, (), why)
    sending = (ahead + contents.orders) / per_second
    if report and report.pace.item:  # quotas and sending hours
        start = report.at + starts_in
        sending = seconds_to_send(ahead + contents.orders, report.pace.item, per_second, start)
    needed_hours = int(sending / 3_600 / MARGIN) + 1
    own_hours = sending / 3_600 * contents.orders / max(1, ahead + contents.orders)
    costs = sending_costs(
        orders=contents.orders,
        lines=contents.orders + contents.invalid + contents.blank,
        stream_bytes=contents.stream_bytes,
        hours=own_hours,
        retention_hours=retention_hours,
    )
    return FileEstimate(
        contents,
        ahead,
        starts_in + sending,
        needed_hours,
        retention_hours,
        costs,
        lambda_dollars=waiting_in_lambda(own_hours),
    )


def _pace_of(report: StatusReport | None) -> float | None:
    if report is None:
        return None
    pace = report.pace
    return report.estimate.per_second or pace.target_per_second or pace.achieved_per_second
